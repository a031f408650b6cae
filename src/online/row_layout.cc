#include "larder/online/row_layout.h"

#include <string>

#include "larder/base/bytes.h"
#include "larder/base/hash.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<RowLayout> RowLayout::Make(std::span<const DataType> types) {
  if (types.size() > kRowFeaturesMax) {
    return WithKind(
        InvalidArgumentError("a row of ", types.size(), " features: at most ", kRowFeaturesMax),
        ErrorKind::kTooLarge);
  }
  RowLayout layout;
  layout.slots_.resize(types.size());
  layout.bitmap_words_ = static_cast<uint32_t>((types.size() + 63) / 64);
  uint64_t at = uint64_t{8} * layout.bitmap_words_;
  std::string described;
  for (std::size_t i = 0; i < types.size(); ++i) {
    Slot& slot = layout.slots_[i];
    slot.type = types[i];
    slot.variable = !types[i].is_fixed_width();
    slot.width = slot.variable ? 8 : static_cast<uint32_t>(types[i].byte_width());
    layout.has_tail_ = layout.has_tail_ || slot.variable;
    described.append(types[i].ToString());
    described.push_back(';');
  }
  // Widest alignment first: no gaps but after vectors, and each width class keeps the declared order.
  for (const uint32_t alignment : {8U, 4U, 1U}) {
    for (Slot& slot : layout.slots_) {
      const bool wide = slot.width >= 8 || slot.type.id() == TypeId::kVector;
      const uint32_t own = wide ? 8 : slot.width >= 4 ? 4 : 1;
      if (own != alignment) continue;
      slot.offset = static_cast<uint32_t>(at);
      at += wide ? PadTo8(slot.width) : slot.width;
      if (at > kRowSizeMax) {
        return WithKind(InvalidArgumentError("a row of more than ", kRowSizeMax, " bytes"),
                        ErrorKind::kTooLarge);
      }
    }
  }
  layout.fixed_size_ = static_cast<uint32_t>(PadTo8(at));
  layout.fingerprint_ = static_cast<uint16_t>(Hash64(described));
  return layout;
}

}  // namespace larder::inline LARDER_ABI
