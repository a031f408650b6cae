// Where the parts of a loose row are, one that says its size and key itself; the normative page is docs/internals/store_file.md.
#pragma once

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

inline std::size_t TrailerOffset(const RowLayout& layout, uint16_t flags) {
  return (flags & kRowDelete) != 0 ? sizeof(RowHeader) : layout.trailer_offset();
}

// Bytes between a row's key and its tail.
inline std::size_t OptionalSize(uint16_t flags, const RowLayout& layout) {
  constexpr uint16_t kWords =
      kRowHasKnownTime | kRowHasSequence | kRowHasValidTo | kRowHasRank | kRowHasCommitSeq;
  return std::size_t{8} *
             static_cast<std::size_t>(std::popcount(static_cast<unsigned>(flags & kWords))) +
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

// The key of a loose row, cut where its size is impossible. `trailer_offset`: of rows of the layout that are no deletes.
inline std::string_view KeyOfLooseRow(std::string_view row, std::size_t trailer_offset) {
  const std::size_t at =
      (FlagsOfRow(row.data()) & kRowDelete) != 0 ? sizeof(RowHeader) : trailer_offset;
  if (row.size() < at + kRowTrailerSize) return {};
  return row.substr(at + kRowTrailerSize, LoadAs<uint16_t>(row.data() + at + 4));
}

// The commit that a loose row says it came with; 0: it does not say.
inline uint64_t CommitSeqOfLooseRow(std::string_view row, std::size_t trailer_offset) {
  const uint16_t flags = FlagsOfRow(row.data());
  if ((flags & kRowHasCommitSeq) == 0) return 0;
  const std::string_view key = KeyOfLooseRow(row, trailer_offset);
  std::size_t at = PadTo8(static_cast<std::size_t>(key.data() + key.size() - row.data()));
  for (const uint16_t flag : {kRowHasKnownTime, kRowHasSequence, kRowHasValidTo, kRowHasRank}) {
    if ((flags & flag) != 0) at += 8;
  }
  return row.size() < at + 8 ? 0 : LoadAs<uint64_t>(row.data() + at);
}

}  // namespace larder::inline LARDER_ABI
