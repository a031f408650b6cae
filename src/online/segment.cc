#include "online/segment.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::Status Damaged(std::string_view what) {
  return WithKind(DataLossError("a segment is damaged: ", what), ErrorKind::kCorrupt);
}

}  // namespace

absl::StatusOr<SegmentView> SegmentView::Open(std::string_view bytes, const SegmentShape* shape,
                                              bool verify) {
  if (bytes.size() < sizeof(SegmentHeader)) return Damaged("it is shorter than its header");
  SegmentView view;
  view.data_ = bytes.data();
  view.header_ = LoadAs<SegmentHeader>(bytes.data());
  const SegmentHeader& header = view.header_;
  if (header.magic != SegmentHeader::kMagic || header.check != header.CheckOf()) {
    return Damaged("its header's check does not hold");
  }
  const std::size_t slots_size = std::size_t{64} * header.bucket_count;
  if (header.size > bytes.size() || (header.bucket_count == 0) != (header.pilot_count != 0) ||
      header.rows_offset < sizeof(SegmentHeader) + slots_size || header.rows_offset > header.size ||
      header.unit_shift > 20 || header.depth > 31 || header.trailer_offset < sizeof(RowHeader) ||
      header.trailer_offset > 2 * kRowSizeMax || !header.packed.IsSound()) {
    return Damaged("its header is impossible");
  }
  // Rows lie where the layout says that features end, less what a packed row's header saves.
  if (header.packed.is_packed() &&
      header.packed.time_offset + (sizeof(RowHeader) - kPackedHeaderSize) != header.trailer_offset) {
    return Damaged("its rows are not as long as its layout");
  }
  view.rows_ = view.data_ + header.rows_offset;
  if (header.packed.is_packed()) {
    view.place_unit_ = view.row_size_min_ = header.packed.row_size;
  } else {
    view.place_unit_ = uint64_t{8} << header.unit_shift;
    view.row_size_min_ = sizeof(RowHeader) + kRowTrailerSize;
  }
  if (header.pilot_count != 0 && !view.PlacePerfectParts())
    return Damaged("its index is impossible");
  if (shape != nullptr && view.shape() != *shape) {
    return FailedPreconditionError("the rows were written with another layout: ", header.layout,
                                   ", expected ", shape->layout);
  }
  if (verify && header.index_check != static_cast<uint32_t>(Hash64(view.index())))
    return Damaged("its index's check does not hold");
  return view;
}

bool SegmentView::PlacePerfectParts() {
  // Numbers of rows are 32 bits, so no product below wraps.
  if (!header_.packed.is_packed() || header_.row_count > UINT32_MAX || header_.key_count == 0 ||
      header_.key_count > header_.row_count || header_.place_count < header_.key_count ||
      header_.row_count * place_unit_ != header_.size - header_.rows_offset) {
    return false;
  }
  const PerfectParts parts = PerfectParts::Of(header_);
  if (parts.end > header_.rows_offset) return false;
  perfect_.pilots = data_ + parts.pilots;
  perfect_.detours = data_ + parts.detours;
  perfect_.seed = header_.pilot_seed;
  perfect_.bucket_count = header_.pilot_count;
  perfect_.place_count = header_.place_count;
  perfect_.key_count = static_cast<uint32_t>(header_.key_count);
  perfect_.depth = header_.depth;
  tags_ = data_ + parts.tags;
  chains_ = data_ + parts.chains;
  return true;
}

SegmentView::Hit SegmentView::FindInSlots(uint64_t hash, std::string_view key) const {
  const uint32_t tag = TagOf(hash);
  uint32_t bucket = BucketFor(hash);
  bool saw_other = false;
  for (uint32_t probe = 0; probe < header_.probe_max; ++probe) {
    const char* slots = BucketAt(bucket);
    for (uint32_t matches = Matches(slots, tag); matches != 0; matches &= matches - 1) {
      const auto i = static_cast<uint32_t>(__builtin_ctz(matches));
      const char* row = RowAt(LoadAs<uint32_t>(slots + 4 * i));
      if (row != nullptr && HasKey(row, key)) {
        return {row, static_cast<uint32_t>(bucket * kSlotsPerBucket + i), false};
      }
      saw_other = true;
    }
    if (LoadAs<uint32_t>(slots + 60) == 0) break;  // buckets are filled from their front
    bucket = bucket + 1 == header_.bucket_count ? 0 : bucket + 1;
  }
  return {nullptr, 0, saw_other};
}

const char* SegmentView::OlderByNumber(const char* row) const {
  const auto keys = static_cast<uint32_t>(header_.key_count);
  auto number = static_cast<uint32_t>(static_cast<std::size_t>(row - rows_) / place_unit_);
  if (number >= keys) {
    ++number;
  } else {
    // Chains are by the place of their newest row. Of damaged ones any row may come out, but one behind all newest.
    uint32_t low = 0;
    uint32_t high = header_.chained_count;
    while (low < high) {
      const uint32_t middle = low + (high - low) / 2;
      if (LoadAs<uint32_t>(chains_ + std::size_t{8} * middle) < number) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == header_.chained_count) return nullptr;
    const char* const chain = chains_ + std::size_t{8} * low;
    if (LoadAs<uint32_t>(chain) != number) return nullptr;
    number = LoadAs<uint32_t>(chain + 4);
    if (number < keys) return nullptr;
  }
  return number < header_.row_count ? rows_ + number * place_unit_ : nullptr;
}

absl::Status SegmentView::CheckRow(const char* row, uint64_t key_hash) const {
  const std::string_view bytes = RowBytes(row);
  if (bytes.size() >= kPackedHeaderSize && LoadAs<uint32_t>(row) == RowCheck(bytes, key_hash)) {
    return absl::OkStatus();
  }
  return WithKind(
      DataLossError("a row of view ", header_.view_id, " is damaged: its check does not hold"),
      ErrorKind::kCorrupt);
}

std::string SegmentView::KeyOf(const char* row) const {
  if (header_.packed.is_packed()) return header_.packed.KeyOf(row);
  return std::string(KeyOfLooseRow(RowBytes(row), header_.trailer_offset));
}

std::string_view SegmentView::LooseRow(const char* row, RowArena* arena) const {
  if (!header_.packed.is_packed()) return RowBytes(row);
  const std::size_t size = header_.packed.loose_size();
  char* const loose = arena->Allocate(size);
  header_.packed.Unpack(row, loose);
  return {loose, size};
}

absl::StatusOr<RowView> SegmentView::Parse(const char* row, const RowLayout& layout) const {
  const PackedForm& form = header_.packed;
  if (!form.is_packed()) return RowView::Parse(RowBytes(row), layout, header_.commit_seq);
  RowView view;
  view.bytes_ = RowBytes(row);
  view.layout_ = &layout;
  // The parts are as the header says; of a damaged row only what it holds can differ.
  view.flags_ = static_cast<uint16_t>((FlagsOfRow(row) & ~kRowPartFlags) | form.flags);
  view.event_time_ = form.EventTimeOf(row);
  view.payload_ = row + layout.payload_offset() - (sizeof(RowHeader) - kPackedHeaderSize);
  view.validity_ = layout.has_bitmap_words() ? view.payload_ : row + offsetof(RowHeader, validity);
  if (OptionalSize(form.flags, layout) != form.row_size - form.words_offset() ||
      layout.trailer_offset() != header_.trailer_offset) {
    return Damaged("its rows' parts do not fit");
  }
  view.TakeWords(row + form.words_offset(), header_.commit_seq);
  return view;
}

absl::Status SegmentView::CheckNear(uint64_t hash, uint64_t hash_seed) const {
  if (is_perfect()) {
    const Hit hit = Guess(hash);
    if (hit.row == nullptr) return Damaged("its index leads out of it");
    return CheckRow(hit.row, Hash64(KeyOf(hit.row), hash_seed));
  }
  uint32_t bucket = BucketFor(hash);
  for (uint32_t probe = 0; probe < header_.probe_max; ++probe) {
    const char* slots = BucketAt(bucket);
    for (uint32_t matches = Matches(slots, TagOf(hash)); matches != 0; matches &= matches - 1) {
      const char* row =
          RowAt(LoadAs<uint32_t>(slots + 4 * static_cast<uint32_t>(__builtin_ctz(matches))));
      if (row == nullptr) return Damaged("a slot leads out of it");
      LARDER_RETURN_IF_ERROR(CheckRow(row, Hash64(KeyOf(row), hash_seed)));
    }
    bucket = bucket + 1 == header_.bucket_count ? 0 : bucket + 1;
  }
  return absl::OkStatus();
}

absl::Status SegmentView::ForEachKey(const std::function<absl::Status(const char* row)>& visit) const {
  for (uint64_t i = 0; is_perfect() && i < header_.key_count; ++i)
    LARDER_RETURN_IF_ERROR(visit(rows_ + i * place_unit_));
  if (is_perfect()) return absl::OkStatus();
  const char* row = rows_;
  const char* end = data_ + header_.size;
  bool is_newest = true;
  for (uint64_t i = 0; i < header_.row_count; ++i) {
    if (row + row_size_min_ > end) return Damaged("its rows do not fit");
    const std::size_t size = RowBytes(row).size();
    if (size < row_size_min_) return Damaged("its rows do not fit");
    const bool has_older = (FlagsOfRow(row) & kRowHasOlder) != 0;
    if (is_newest) LARDER_RETURN_IF_ERROR(visit(row));
    is_newest = !has_older;
    row += UnitsUp(size);
  }
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
