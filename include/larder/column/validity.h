// Which entries are not null: one bit each, least significant first, in 64-bit words (Arrow's
// validity bitmap).
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

[[nodiscard]] inline bool TestBit(const uint64_t* words, std::size_t i) {
  return (words[i / 64] >> (i % 64)) & 1U;
}
inline void SetBit(uint64_t* words, std::size_t i, bool on) {
  const uint64_t mask = uint64_t{1} << (i % 64);
  words[i / 64] = on ? (words[i / 64] | mask) : (words[i / 64] & ~mask);
}
[[nodiscard]] constexpr std::size_t BitWords(std::size_t bits) { return (bits + 63) / 64; }

// A growing bitmap. Bits past size() are zero.
class Validity {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool Test(std::size_t i) const { return TestBit(words_.data(), i); }
  void Set(std::size_t i, bool valid) { SetBit(words_.data(), i, valid); }
  void Append(bool valid) {
    if (size_ % 64 == 0) words_.push_back(0);
    if (valid) words_[size_ / 64] |= uint64_t{1} << (size_ % 64);
    ++size_;
  }
  // New entries are `valid`.
  void Resize(std::size_t size, bool valid);
  void Reserve(std::size_t size) { words_.reserve(BitWords(size)); }
  [[nodiscard]] std::size_t CountNulls() const;
  [[nodiscard]] const uint64_t* words() const { return words_.data(); }
  [[nodiscard]] uint64_t* mutable_words() { return words_.data(); }

 private:
  std::vector<uint64_t> words_;
  std::size_t size_ = 0;
};

}  // namespace larder::inline LARDER_ABI
