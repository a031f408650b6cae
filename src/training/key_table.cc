#include "training/key_table.h"

namespace larder::inline LARDER_ABI {

uint32_t KeyTable::Insert(uint64_t word, std::string_view bytes) {
  if ((size() + 1) * kPlacesPerKey > places_.size()) Grow();
  std::size_t at = StartOf(word);
  for (; places_[at] != 0; at = (at + 1) & (places_.size() - 1)) {
    if (Holds(places_[at], word, bytes)) return places_[at] - 1;
  }
  words_.push_back(word);
  if (form_ == KeyForm::kBytes) bytes_.emplace_back(bytes);
  places_[at] = static_cast<uint32_t>(size());
  return places_[at] - 1;
}

std::optional<uint32_t> KeyTable::Find(uint64_t word, std::string_view bytes) const {
  for (std::size_t at = StartOf(word); places_[at] != 0; at = (at + 1) & (places_.size() - 1)) {
    if (Holds(places_[at], word, bytes)) return places_[at] - 1;
  }
  return std::nullopt;
}

void KeyTable::Grow() {
  places_.assign(places_.size() * 2, 0);
  for (uint32_t number = 0; number < size(); ++number) {
    std::size_t at = StartOf(words_[number]);
    while (places_[at] != 0) at = (at + 1) & (places_.size() - 1);
    places_[at] = number + 1;
  }
}

}  // namespace larder::inline LARDER_ABI
