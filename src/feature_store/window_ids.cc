#include "feature_store/window_ids.h"

#include "larder/base/hash.h"

namespace larder::inline LARDER_ABI {

WindowIdName::WindowIdName(uint32_t data_id, bool by_key, std::string_view entity_key,
                           std::string_view id)
    : name(WindowPrefix(data_id)) {
  // Four bytes bring a key's ids together; what tells them apart is the other hash.
  if (by_key) name.append(BigEndianKey(Hash64(entity_key)), 0, 4);
  std::string text = BigEndianKey(entity_key.size());
  text.append(entity_key).append(id);
  const Hash128 wide = HashWide(text);
  name.append(BigEndianKey(wide.high)).append(BigEndianKey(wide.low));
  hash = wide.low;
}

}  // namespace larder::inline LARDER_ABI
