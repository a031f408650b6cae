// Where the parts of a loose row are, one that says its size and key itself; the normative page is docs/internals/store_file.md.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "larder/base/bytes.h"
#include "larder/base/hash.h"
#include "larder/online/row_layout.h"
#include "larder/online/row_view.h"

namespace larder::inline LARDER_ABI {

// The row's size u32 and its key's u16, in front of the key.
inline constexpr std::size_t kRowTrailerSize = 6;

// The flags that announce eight bytes behind the key, in the order in which these follow each other. RowView::TakeWords
// and EncodeRow, which know each by its name, keep to it.
inline constexpr std::array<uint16_t, 5> kRowWords = {
    kRowHasKnownTime, kRowHasSequence, kRowHasValidTo, kRowHasRank, kRowHasCommitSeq};
inline constexpr uint16_t kRowWordFlags =
    kRowHasKnownTime | kRowHasSequence | kRowHasValidTo | kRowHasRank | kRowHasCommitSeq;

inline std::size_t TrailerOffset(const RowLayout& layout, uint16_t flags) {
  return (flags & kRowDelete) != 0 ? sizeof(RowHeader) : layout.trailer_offset();
}

// Bytes between a row's key and its tail.
inline std::size_t OptionalSize(uint16_t flags, const RowLayout& layout) {
  return std::size_t{8} *
             static_cast<std::size_t>(std::popcount(static_cast<unsigned>(flags & kRowWordFlags))) +
         ((flags & kRowPartial) != 0 ? std::size_t{8} * layout.bitmap_words() : 0);
}

// Low 32 bits of XXH3-64 over the row after its check, seeded with the key's hash.
inline uint32_t RowCheck(std::string_view row, uint64_t key_hash) {
  return static_cast<uint32_t>(Hash64(row.substr(4), key_hash));
}

inline bool SameKey(const char* stored, std::string_view key) {
  if (key.size() < 8) return std::memcmp(stored, key.data(), key.size()) == 0;
  // Overlapping words: no call for the keys that are usual.
  const std::size_t last = key.size() - 8;
  for (std::size_t at = 0; at < last; at += 8) {
    if (LoadAs<uint64_t>(stored + at) != LoadAs<uint64_t>(key.data() + at)) return false;
  }
  return LoadAs<uint64_t>(stored + last) == LoadAs<uint64_t>(key.data() + last);
}

inline uint16_t FlagsOfRow(const char* row) {
  return LoadAs<uint16_t>(row + offsetof(RowHeader, flags));
}
// Of a loose row.
inline int64_t EventTimeOfRow(const char* row) {
  return LoadAs<int64_t>(row + offsetof(RowHeader, event_time));
}

// `trailer_offset`, here and below: of rows of the layout that are no deletes.
inline std::size_t TrailerOfLooseRow(const char* row, std::size_t trailer_offset) {
  return (FlagsOfRow(row) & kRowDelete) != 0 ? sizeof(RowHeader) : trailer_offset;
}
// Where the first word is.
inline std::size_t WordsOffset(std::size_t trailer, std::size_t key_size) {
  return PadTo8(trailer + kRowTrailerSize + key_size);
}

// The key of a loose row, cut where its size is impossible.
inline std::string_view KeyOfLooseRow(std::string_view row, std::size_t trailer_offset) {
  const std::size_t at = TrailerOfLooseRow(row.data(), trailer_offset);
  if (row.size() < at + kRowTrailerSize) return {};
  return row.substr(at + kRowTrailerSize, LoadAs<uint16_t>(row.data() + at + 4));
}

// The eight bytes that `flag`, one of kRowWords, announces; null when the row has none, or ends before them.
inline const char* WordOfLooseRow(std::string_view row, std::size_t trailer_offset, uint16_t flag) {
  const uint16_t flags = FlagsOfRow(row.data());
  const std::size_t trailer = TrailerOfLooseRow(row.data(), trailer_offset);
  if ((flags & flag) == 0 || row.size() < trailer + kRowTrailerSize) return nullptr;
  std::size_t at = WordsOffset(trailer, LoadAs<uint16_t>(row.data() + trailer + 4));
  for (std::size_t i = 0; kRowWords[i] != flag; ++i) at += (flags & kRowWords[i]) != 0 ? 8 : 0;
  return row.size() < at + 8 ? nullptr : row.data() + at;
}

// The commit that a loose row says it came with; 0: it does not say.
inline uint64_t CommitSeqOfLooseRow(std::string_view row, std::size_t trailer_offset) {
  const char* const word = WordOfLooseRow(row, trailer_offset, kRowHasCommitSeq);
  return word == nullptr ? 0 : LoadAs<uint64_t>(word);
}

}  // namespace larder::inline LARDER_ABI
