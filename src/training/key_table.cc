#include "training/key_table.h"

namespace larder::inline LARDER_ABI {

uint32_t KeyTable::InsertHash(uint64_t hash, std::string_view bytes) {
  if ((size() + 1) * kPlacesPerKey > places_.size()) Grow();
  std::size_t at = StartOf(hash);
  for (; places_[at] != 0; at = (at + 1) & (places_.size() - 1)) {
    if (Holds(places_[at], hash, bytes)) return places_[at] - 1;
  }
  hashes_.push_back(hash);
  if (form_ == KeyForm::kBytes) bytes_.emplace_back(bytes);
  places_[at] = static_cast<uint32_t>(size());
  return places_[at] - 1;
}

std::optional<uint32_t> KeyTable::FindHash(uint64_t hash, std::string_view bytes) const {
  for (std::size_t at = StartOf(hash); places_[at] != 0; at = (at + 1) & (places_.size() - 1)) {
    if (Holds(places_[at], hash, bytes)) return places_[at] - 1;
  }
  return std::nullopt;
}

void KeyTable::Grow() {
  places_.assign(places_.size() * 2, 0);
  for (uint32_t number = 0; number < size(); ++number) {
    std::size_t at = StartOf(hashes_[number]);
    while (places_[at] != 0) at = (at + 1) & (places_.size() - 1);
    places_[at] = number + 1;
  }
}

}  // namespace larder::inline LARDER_ABI
