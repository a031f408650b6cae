// Rows that say no more than their key, their event time and features of fixed width, as those of most loads: encoded
// block by block and column by column, to the bytes that EncodeRow gives them one by one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/bytes.h"
#include "larder/base/config.h"
#include "larder/base/hash.h"
#include "larder/online/write_transaction.h"
#include "online/row_encoding.h"
#include "online/stored_row.h"

namespace larder::inline LARDER_ABI {

// Borrows the rows.
class PlainRows {
 public:
  PlainRows(const PlainRows&) = delete;
  PlainRows& operator=(const PlainRows&) = delete;
  static constexpr std::size_t kBlockRows = 128;  // their bytes stay in the nearest cache

  // Requires: rows that fit their layout.
  PlainRows(const RowsToWrite& rows, const RowEncoding& encoding);

  // Whether rows [begin, end) are such rows, and none of them is to be refused.
  [[nodiscard]] bool AreAllOf(std::size_t begin, std::size_t end) const;
  // Requires: AreAllOf(begin, end), at most kBlockRows.
  template <class Rows>
  void Encode(std::size_t begin, std::size_t end, Rows* encoded) const {
    std::array<char*, kBlockRows> places;
    const Frame frame = frame_;  // what is written to rows cannot change a local's members
    const uint64_t hash_seed = hash_seed_;
    const std::span<const std::string_view> keys = rows_.keys;
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t size = WordsOffset(frame.size, keys[i].size());
      char* const row = encoded->Add(Hash64(keys[i], hash_seed), frame.size + kRowTrailerSize,
                                     keys[i].size(), size);
      frame.Put(i, keys[i], size, row);
      places[i - begin] = row;
    }
    for (std::size_t f = 0; f < rows_.columns.size(); ++f) PutFeature(f, begin, end, places.data());
  }

 private:
  // What a row is but for its features.
  struct Frame {
    const char* bytes = nullptr;     // up to the trailer
    std::size_t size = 0;            // of them, a multiple of 8
    const int64_t* times = nullptr;  // null: timeless

    void Put(std::size_t i, std::string_view key, std::size_t row_size, char* row) const {
      for (std::size_t at = 0; at < size; at += 8) std::memcpy(row + at, bytes + at, 8);
      if (times != nullptr) std::memcpy(row + offsetof(RowHeader, event_time), times + i, 8);
      std::memset(row + row_size - 8, 0, 8);  // what the key leaves of the last word
      const auto stored_size = static_cast<uint32_t>(row_size);
      const auto key_size = static_cast<uint16_t>(key.size());
      std::memcpy(row + size, &stored_size, sizeof(stored_size));
      std::memcpy(row + size + 4, &key_size, sizeof(key_size));
      CopyKey(key, row + size + kRowTrailerSize);
    }
  };
  static void CopyKey(std::string_view key, char* out) {
    if (key.size() < 8 || key.size() > 16) {
      std::memcpy(out, key.data(), key.size());
      return;
    }
    // Overlapping words: no call for the keys that are usual.
    const auto first = LoadAs<uint64_t>(key.data());
    const auto last = LoadAs<uint64_t>(key.data() + key.size() - 8);
    std::memcpy(out, &first, 8);
    std::memcpy(out + key.size() - 8, &last, 8);
  }
  void PutFeature(std::size_t f, std::size_t begin, std::size_t end, char* const* places) const;

  const RowsToWrite& rows_;
  uint64_t hash_seed_;
  bool is_usable_ = false;
  int64_t latest_ = 0;  // event time that is taken
  std::string bytes_;   // of frame_: no feature null, all of them zero
  Frame frame_;
  std::vector<bool> has_nulls_;  // by feature
};

}  // namespace larder::inline LARDER_ABI
