// A segment: an immutable hash table of rows in one large LMDB value, read where it lies in the memory map.
//
// Header, index, rows. Packed rows stand where a perfect hash of their keys says, so that a look-up touches the row and
// bytes that stay in cache; older versions follow the newest ones of all keys. Loose rows stand in the order of their
// keys' hashes, each with its older versions behind it, and are found through buckets of 16 slots (64 bytes, so that one
// look-up mostly touches one cache line): 12 bits of the hash and the row's place. The bytes are described in
// docs/internals/store_file.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "larder/base/bytes.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/read_session.h"
#include "larder/online/row_layout.h"
#include "larder/online/row_view.h"
#include "online/packed_row.h"
#include "online/perfect_hash.h"
#include "online/stored_row.h"

namespace larder::inline LARDER_ABI {

struct SegmentHeader {
  static constexpr uint64_t kMagic = 0x31746E656D676573;  // "segment1"
  uint64_t magic = kMagic;
  uint32_t check = 0;        // of the header after this field
  uint32_t index_check = 0;  // of what is between header and rows
  uint32_t view_id = 0;
  uint16_t layout = 0;        // RowLayout::fingerprint()
  uint8_t depth = 0;          // leading bits of the hash that all keys share
  uint8_t unit_shift = 0;     // places are counted in units of 8 << unit_shift bytes
  uint32_t prefix = 0;        // those bits, as a number
  uint32_t bucket_count = 0;  // of slots; 0: there is a perfect hash
  uint32_t probe_max = 0;     // buckets a look-up may have to look at
  uint32_t rows_offset = 0;
  uint64_t key_count = 0;
  uint64_t row_count = 0;
  uint64_t size = 0;            // without padding
  uint64_t commit_seq = 0;      // of the rows that do not say
  uint32_t trailer_offset = 0;  // RowLayout::trailer_offset(), of loose rows
  uint32_t has_tail = 0;        // rows may have one
  PackedForm packed;
  uint32_t pilot_count = 0;    // of the perfect hash; 0: there are slots
  uint32_t place_count = 0;    // of the perfect hash, before detours
  uint64_t pilot_seed = 0;     // of the perfect hash
  uint32_t chained_count = 0;  // keys with older versions, where there is a perfect hash
  char reserved[12] = {};

  [[nodiscard]] uint32_t CheckOf() const {
    constexpr std::size_t kFrom = sizeof(magic) + sizeof(check);
    return static_cast<uint32_t>(
        Hash64({reinterpret_cast<const char*>(this) + kFrom, sizeof(*this) - kFrom}));
  }
};
// LMDB puts large values 16 bytes behind a page's start: so slots begin on a cache line, and rows of 64 bytes keep to one.
static_assert(sizeof(SegmentHeader) == 176);

// Where the parts of the index are that goes with a perfect hash.
struct PerfectParts {
  uint64_t pilots = 0;   // a byte per bucket
  uint64_t tags = 0;     // a byte per key
  uint64_t detours = 0;  // u32 per place beyond the keys
  uint64_t chains =
      0;  // per key with older versions its place and the number of the first of them, u32 each
  uint64_t end = 0;

  static PerfectParts Of(const SegmentHeader& header) {
    PerfectParts parts;
    parts.pilots = sizeof(SegmentHeader);
    parts.tags = parts.pilots + PadTo8(header.pilot_count);
    parts.detours = parts.tags + PadTo8(header.key_count);
    parts.chains = parts.detours + 4 * (header.place_count - header.key_count);
    parts.end = parts.chains + uint64_t{8} * header.chained_count;
    return parts;
  }
};

inline constexpr std::size_t kSlotsPerBucket = 16;
inline constexpr std::size_t kSegmentSizeMin =
    2048;  // smaller values share pages, and move when a neighbour changes
inline constexpr uint32_t kPlaceBits = 20;

// By `hash` without the `depth` bits that all keys of a segment share.
inline uint32_t BucketOf(uint64_t hash, uint32_t depth, uint32_t bucket_count) {
  return PerfectHash::Scale(hash << depth, bucket_count);
}
inline uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash) & 0xFFFU; }

// What a segment takes over from its rows' layout.
struct SegmentShape {
  uint16_t layout = 0;  // RowLayout::fingerprint()
  uint32_t trailer_offset = 0;
  bool has_tail = false;  // RowLayout::has_tail()
  friend bool operator==(const SegmentShape&, const SegmentShape&) = default;
};
inline SegmentShape ShapeOf(const RowLayout& layout) {
  return {layout.fingerprint(), layout.trailer_offset(), layout.has_tail()};
}

// Borrows the segment's bytes. Threads: const calls may overlap.
class alignas(64) SegmentView {
 public:
  struct Hit {
    const char* row = nullptr;  // null: the key is not in the segment
    uint32_t slot = 0;          // its number, below slot_count()
    bool saw_other = false;     // there was a row that could have been the key's, but has another
  };

  SegmentView() = default;
  // Checks the header, and with `verify` the index. Rows carry checks of their own.
  // Errors: kCorrupt; kFailedPrecondition for rows of another layout.
  // `shape` may be null: for what does not look into rows.
  static absl::StatusOr<SegmentView> Open(std::string_view bytes, const SegmentShape* shape,
                                          bool verify);

  [[nodiscard]] const SegmentHeader& header() const { return header_; }
  [[nodiscard]] SegmentShape shape() const {
    return {header_.layout, header_.trailer_offset, header_.has_tail != 0};
  }
  // Whether rows are found by a perfect hash. They are packed then.
  [[nodiscard]] bool is_perfect() const { return perfect_.bucket_count != 0; }
  // Numbers that look-ups give rows: one per key and one for where damage leads; or one per slot.
  [[nodiscard]] std::size_t slot_count() const {
    return is_perfect() ? header_.key_count + 1
                        : std::size_t{header_.bucket_count} * kSlotsPerBucket;
  }
  [[nodiscard]] std::string_view bytes() const { return {data_, header_.size}; }
  [[nodiscard]] std::string_view index() const {
    return bytes().substr(sizeof(SegmentHeader), header_.rows_offset - sizeof(SegmentHeader));
  }

  // The newest version of `key`.
  [[nodiscard]] Hit Find(uint64_t hash, std::string_view key) const {
    if (!is_perfect()) return FindInSlots(hash, key);
    const Hit hit = Guess(hash);
    if (hit.row != nullptr && HasKey(hit.row, key)) return hit;
    return {nullptr, hit.slot, true};
  }
  // Where a look-up missed but saw another key's row: whether that is what it says, and not the damaged row of the key
  // looked for. Errors: kCorrupt.
  [[nodiscard]] absl::Status CheckNear(uint64_t hash, uint64_t hash_seed) const;
  // For what Guess and MayHave read.
  void PrefetchIndex(uint64_t hash) const {
    __builtin_prefetch(is_perfect() ? perfect_.PilotOf(hash) : BucketAt(BucketFor(hash)));
  }
  // The row that Find would look at first, without looking at it; `row` is null when no row can be the key's, or, with
  // `saw_other`, when there is more to look at.
  [[nodiscard]] Hit Guess(uint64_t hash) const {
    if (is_perfect()) {
      const uint32_t place = perfect_.PlaceOf(hash);
      if (place == perfect_.key_count) return {nullptr, place, true};  // damaged
      return {rows_ + place * place_unit_, place, false};
    }
    const uint32_t bucket = BucketFor(hash);
    const char* slots = BucketAt(bucket);
    const uint32_t matches = Matches(slots, TagOf(hash));
    if (matches != 0) {
      const auto i = static_cast<uint32_t>(__builtin_ctz(matches));
      const char* row = RowAt(LoadAs<uint32_t>(slots + 4 * i));
      return {row, static_cast<uint32_t>(bucket * kSlotsPerBucket + i), row == nullptr};
    }
    return {nullptr, 0, header_.probe_max > 1 && LoadAs<uint32_t>(slots + 60) != 0};
  }
  // False: the index says that no row can be the key's.
  [[nodiscard]] bool MayHave(uint64_t hash) const {
    if (is_perfect()) {
      const uint32_t place = perfect_.PlaceOf(hash);
      return place == perfect_.key_count || TagFits(place, hash);
    }
    const char* slots = BucketAt(BucketFor(hash));
    return Matches(slots, TagOf(hash)) != 0 ||
           (header_.probe_max > 1 && LoadAs<uint32_t>(slots + 60) != 0);
  }

  // The stored bytes of a row, packed or loose, cut at the segment's end where its size is impossible.
  [[nodiscard]] std::string_view RowBytes(const char* row) const {
    if (header_.packed.is_packed()) return {row, header_.packed.row_size};
    const auto available = static_cast<std::size_t>(data_ + header_.size - row);
    const std::size_t trailer = TrailerOfLooseRow(row, header_.trailer_offset);
    if (available < trailer + kRowTrailerSize) return {row, available};
    const std::size_t size = LoadAs<uint32_t>(row + trailer);
    return {row, size < available ? size : available};
  }
  // The next older version of the same key; null for the last. Requires: a row that holds its check.
  [[nodiscard]] const char* Older(const char* row) const {
    if ((FlagsOfRow(row) & kRowHasOlder) == 0) return nullptr;
    if (is_perfect()) return OlderByNumber(row);
    const std::string_view bytes = RowBytes(row);
    if (bytes.size() < row_size_min_) return nullptr;  // damaged
    const char* next = bytes.data() + UnitsUp(bytes.size());
    return next + row_size_min_ <= data_ + header_.size ? next : nullptr;
  }
  [[nodiscard]] int64_t EventTimeOf(const char* row) const {
    return header_.packed.is_packed() ? header_.packed.EventTimeOf(row) : EventTimeOfRow(row);
  }
  // Where the features of a row are that is neither a delete nor partial; nothing where it is too short for its layout.
  [[nodiscard]] FoundRow Found(const char* row, const RowLayout& layout, int64_t event_time) const {
    FoundRow found;
    const std::string_view bytes = RowBytes(row);
    const std::size_t extra = header_.packed.is_packed() ? sizeof(RowHeader) - kPackedHeaderSize : 0;
    if (bytes.size() < layout.trailer_offset() - extra) return found;
    found.payload = row + layout.payload_offset() - extra;
    found.validity = layout.has_bitmap_words() ? found.payload : row + offsetof(RowHeader, validity);
    found.end = row + bytes.size();
    found.event_time = event_time;
    found.timeless = (FlagsOfRow(row) & kRowTimeless) != 0;
    return found;
  }
  // The row as it was encoded: in place, or put into `arena`. Lifetime: both must outlive it.
  [[nodiscard]] std::string_view LooseRow(const char* row, RowArena* arena) const;
  // Errors: kCorrupt. Lifetime: borrows from the segment and the layout.
  [[nodiscard]] absl::StatusOr<RowView> Parse(const char* row, const RowLayout& layout) const;
  // Calls `visit` with the newest version of every key: in the order of the keys' hashes, unless is_perfect().
  // Errors: kCorrupt; what `visit` returns.
  absl::Status ForEachKey(const std::function<absl::Status(const char* row)>& visit) const;

  [[nodiscard]] bool HasKey(const char* row, std::string_view key) const {
    if (header_.packed.is_packed()) return header_.packed.HasKey(row, key);
    const std::size_t trailer = TrailerOfLooseRow(row, header_.trailer_offset);
    const auto available = static_cast<std::size_t>(data_ + header_.size - row);
    if (available < trailer + kRowTrailerSize + key.size()) return false;
    const char* at = row + trailer + 4;
    return LoadAs<uint16_t>(at) == key.size() && SameKey(at + 2, key);
  }
  [[nodiscard]] absl::Status CheckRow(const char* row, uint64_t key_hash) const;
  // Cut at the segment's end where its size is impossible.
  [[nodiscard]] std::string KeyOf(const char* row) const;

 private:
  static uint32_t Matches(const char* slots, uint32_t tag);
  [[nodiscard]] uint32_t BucketFor(uint64_t hash) const {
    return BucketOf(hash, header_.depth, header_.bucket_count);
  }
  [[nodiscard]] const char* BucketAt(uint32_t bucket) const {
    return data_ + sizeof(SegmentHeader) + std::size_t{64} * bucket;
  }
  [[nodiscard]] bool TagFits(uint32_t place, uint64_t hash) const {
    return static_cast<uint8_t>(tags_[place]) == static_cast<uint8_t>(hash);
  }
  [[nodiscard]] Hit FindInSlots(uint64_t hash, std::string_view key) const;
  [[nodiscard]] const char* OlderByNumber(const char* row) const;
  // Sets what is_perfect() needs; false where the header's numbers do not fit each other.
  bool PlacePerfectParts();
  [[nodiscard]] std::size_t UnitsUp(std::size_t size) const {
    if (header_.packed.is_packed()) return size;
    return (size + place_unit_ - 1) & ~(place_unit_ - 1);
  }
  [[nodiscard]] const char* RowAt(uint32_t slot) const {
    // Of a damaged slot, a tag without a place, 2^32 - 1: behind the end of any segment.
    const uint64_t place = (slot & ((1U << kPlaceBits) - 1)) - 1;
    const uint64_t at = header_.rows_offset + place * place_unit_;
    return at + row_size_min_ <= header_.size ? data_ + at : nullptr;
  }
  // What a look-up reads first, in one cache line.
  PerfectHash perfect_;
  const char* rows_ = nullptr;  // the first
  uint64_t place_unit_ = 8;     // what places count: bytes
  const char* tags_ = nullptr;  // a byte per key, by place: low bits of the hash
  const char* chains_ = nullptr;
  const char* data_ = nullptr;
  std::size_t row_size_min_ = 0;
  SegmentHeader header_;
};

#if defined(__SSE2__)
}  // namespace larder::inline LARDER_ABI
#include <emmintrin.h>
namespace larder::inline LARDER_ABI {
// One bit per slot in use whose tag is `tag`. An empty slot is 0; one in use has a place, which is never 0.
inline uint32_t SegmentView::Matches(const char* slots, uint32_t tag) {
  const __m128i wanted = _mm_set1_epi32(static_cast<int>(tag));
  const __m128i zero = _mm_setzero_si128();
  uint32_t matches = 0;
  for (int quarter = 0; quarter < 4; ++quarter) {
    const __m128i four =
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(slots + std::ptrdiff_t{16} * quarter));
    const __m128i equal = _mm_cmpeq_epi32(_mm_srli_epi32(four, kPlaceBits), wanted);
    const __m128i used = _mm_andnot_si128(_mm_cmpeq_epi32(four, zero), equal);
    matches |= static_cast<uint32_t>(_mm_movemask_ps(_mm_castsi128_ps(used))) << (4 * quarter);
  }
  return matches;
}
#else
inline uint32_t SegmentView::Matches(const char* slots, uint32_t tag) {
  uint32_t matches = 0;
  for (uint32_t i = 0; i < kSlotsPerBucket; ++i) {
    const auto slot = LoadAs<uint32_t>(slots + 4 * i);
    if (slot != 0 && slot >> kPlaceBits == tag) matches |= 1U << i;
  }
  return matches;
}
#endif

// One key's versions for a new segment: rows as they are stored, newest first. Borrows.
struct SegmentEntry {
  uint64_t hash = 0;
  std::string_view key;
  absl::InlinedVector<std::string_view, 1> rows;
};

struct SegmentPlace {
  uint32_t view_id = 0;
  SegmentShape shape;
  uint8_t depth = 0;
  uint32_t prefix = 0;
  uint64_t commit_seq = 0;
};

// The bytes of a segment holding `entries`. Rows get their checks here, and are marked as having an older version or
// not. Requires: entries in the order of (hash, key), without repetition, none empty.
std::string BuildSegment(const SegmentPlace& place, std::span<const SegmentEntry> entries);

}  // namespace larder::inline LARDER_ABI
