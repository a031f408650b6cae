#include "larder/column/validity.h"

namespace larder::inline LARDER_ABI {

void Validity::Resize(std::size_t size, bool valid) {
  const std::size_t old_size = size_;
  words_.resize(BitWords(size), valid ? ~uint64_t{0} : 0);
  size_ = size;
  if (valid && size > old_size && old_size % 64 != 0)
    words_[old_size / 64] |= ~uint64_t{0} << (old_size % 64);
  // Bits past the end stay zero, so that equal bitmaps are equal words.
  if (size % 64 != 0) words_.back() &= (uint64_t{1} << (size % 64)) - 1;
}

std::size_t Validity::CountNulls() const {
  std::size_t valid = 0;
  for (const uint64_t word : words_) valid += static_cast<std::size_t>(std::popcount(word));
  return size_ - valid;
}

}  // namespace larder::inline LARDER_ABI
