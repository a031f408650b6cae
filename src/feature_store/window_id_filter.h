// Which event ids of a key may have a record.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "larder/base/bytes.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// A Bloom filter: it may say yes of an id without a record, and never says no of one that has it. Hashes are those of
// ids, evenly spread.
class WindowIdFilter {
 public:
  // Of a key whose records nobody counted.
  static WindowIdFilter OfAny() {
    WindowIdFilter any;
    any.has_any_ = true;
    return any;
  }

  [[nodiscard]] bool MayHave(uint64_t hash) const {
    if (has_any_) return true;
    for (unsigned i = 0; i < kProbes; ++i) {
      if ((words_[WordOf(hash, i)] & BitOf(hash, i)) == 0) return false;
    }
    return true;
  }
  void Add(uint64_t hash) {
    for (unsigned i = 0; i < kProbes; ++i) words_[WordOf(hash, i)] |= BitOf(hash, i);
    int set = 0;
    for (const uint64_t word : words_) set += std::popcount(word);
    // Fuller ones say yes too often to be worth their bytes: about 180 ids.
    has_any_ = has_any_ || set > kSetMax;
  }

  void Put(ByteWriter* out) const {
    const bool is_empty = words_ == std::array<uint64_t, kWords>();
    out->Put(has_any_ ? Form::kAny : is_empty ? Form::kNone : Form::kSome);
    if (has_any_ || is_empty) return;
    for (const uint64_t word : words_) out->Put(word);
  }
  // False: the bytes cannot have been written.
  bool Get(ByteReader* in) {
    const auto form = in->Get<Form>();
    *this = WindowIdFilter();
    has_any_ = form == Form::kAny;
    if (form == Form::kSome) {
      for (uint64_t& word : words_) word = in->Get<uint64_t>();
    }
    return in->ok() && form <= Form::kSome;
  }

 private:
  enum class Form : uint8_t { kAny = 0, kNone = 1, kSome = 2 };
  static constexpr std::size_t kWords = 8;
  static constexpr unsigned kProbes = 4;
  static constexpr int kSetMax = 384;

  static std::size_t WordOf(uint64_t hash, unsigned i) { return (hash >> (9 * i + 6)) % kWords; }
  static uint64_t BitOf(uint64_t hash, unsigned i) {
    return uint64_t{1} << ((hash >> (9 * i)) % 64);
  }

  std::array<uint64_t, kWords> words_{};
  bool has_any_ = false;
};

}  // namespace larder::inline LARDER_ABI
