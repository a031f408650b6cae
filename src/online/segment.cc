#include "online/segment.h"

#include <algorithm>

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kKeysPerBucket = 12;  // of 16 places, on average
constexpr uint32_t kProbesWanted = 4;
constexpr std::size_t kPlaces = (std::size_t{1} << kPlaceBits) - 2;  // a slot can say

uint32_t HeaderCheck(const SegmentHeader& header) {
  constexpr std::size_t kFrom = offsetof(SegmentHeader, slots_check);
  return static_cast<uint32_t>(
      Hash64({reinterpret_cast<const char*>(&header) + kFrom, sizeof(header) - kFrom}));
}

absl::Status Damaged(std::string_view what) {
  return WithKind(DataLossError("a segment is damaged: ", what), ErrorKind::kCorrupt);
}

// Fills `slots` from their buckets' fronts; returns how many buckets a look-up may have to look at.
uint32_t PlaceSlots(const std::vector<SegmentEntry>& entries, const std::vector<uint32_t>& places,
                    uint8_t depth, std::vector<uint32_t>* slots) {
  const auto buckets = static_cast<uint32_t>(slots->size() / kSlotsPerBucket);
  std::vector<uint8_t> used(buckets, 0);
  uint32_t probe_max = 1;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    uint32_t bucket = BucketOf(entries[i].hash, depth, buckets);
    uint32_t probes = 1;
    while (used[bucket] == kSlotsPerBucket) {
      bucket = bucket + 1 == buckets ? 0 : bucket + 1;
      ++probes;
    }
    (*slots)[bucket * kSlotsPerBucket + used[bucket]++] =
        (TagOf(entries[i].hash) << kPlaceBits) | places[i];
    probe_max = std::max(probe_max, probes);
  }
  return probe_max;
}

}  // namespace

absl::StatusOr<SegmentView> SegmentView::Open(std::string_view bytes, const SegmentShape* shape,
                                              bool verify) {
  if (bytes.size() < sizeof(SegmentHeader)) return Damaged("it is shorter than its header");
  SegmentView view;
  view.data_ = bytes.data();
  view.header_ = LoadAs<SegmentHeader>(bytes.data());
  const SegmentHeader& header = view.header_;
  if (header.magic != SegmentHeader::kMagic || header.check != HeaderCheck(header)) {
    return Damaged("its header's check does not hold");
  }
  const std::size_t slots_size = std::size_t{64} * header.bucket_count;
  if (header.size > bytes.size() || header.bucket_count == 0 ||
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
  if (header.packed.is_packed()) {
    view.place_unit_ = view.row_size_min_ = header.packed.row_size;
  } else {
    view.place_unit_ = uint64_t{8} << header.unit_shift;
    view.row_size_min_ = sizeof(RowHeader) + kRowTrailerSize;
  }
  if (shape != nullptr && view.shape() != *shape) {
    return FailedPreconditionError("the rows were written with another layout: ", header.layout,
                                   ", expected ", shape->layout);
  }
  if (verify && header.slots_check !=
                    static_cast<uint32_t>(Hash64(bytes.substr(sizeof(SegmentHeader), slots_size)))) {
    return Damaged("its slots' check does not hold");
  }
  return view;
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
  uint32_t bucket = BucketOf(hash, header_.depth, header_.bucket_count);
  for (uint32_t probe = 0; probe < header_.probe_max; ++probe) {
    const char* slots = data_ + sizeof(SegmentHeader) + std::size_t{64} * bucket;
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
  const char* row = data_ + header_.rows_offset;
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

std::string BuildSegment(const SegmentPlace& place, const std::vector<SegmentEntry>& entries) {
  SegmentHeader header;
  header.view_id = place.view_id;
  header.layout = place.shape.layout;
  header.trailer_offset = place.shape.trailer_offset;
  header.has_tail = place.shape.has_tail ? 1 : 0;
  header.depth = place.depth;
  header.prefix = place.prefix;
  header.commit_seq = place.commit_seq;
  header.key_count = entries.size();
  PackedFormFinder finder(place.shape.trailer_offset, place.shape.has_tail);
  for (const SegmentEntry& entry : entries) {
    for (const std::string_view row : entry.rows) finder.Add(row, entry.key);
    header.row_count += entry.rows.size();
  }
  if (header.row_count < kPlaces) header.packed = finder.Form();
  const PackedForm& packed = header.packed;
  // What a row takes.
  const auto stored_size = [&packed, &header](std::string_view row) -> std::size_t {
    if (packed.is_packed()) return packed.row_size;
    const std::size_t unit = std::size_t{8} << header.unit_shift;
    return (row.size() + unit - 1) & ~(unit - 1);
  };
  const auto rows_size = [&] {
    std::size_t size = 0;
    for (const SegmentEntry& entry : entries) {
      for (const std::string_view row : entry.rows) size += stored_size(row);
    }
    return size;
  };
  std::size_t size = rows_size();
  while (!packed.is_packed() && (size >> (3 + header.unit_shift)) >= kPlaces) {
    ++header.unit_shift;
    size = rows_size();
  }
  const std::size_t unit =
      packed.is_packed() ? packed.row_size : std::size_t{8} << header.unit_shift;

  std::vector<uint32_t> places(entries.size());
  std::size_t at = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    places[i] = static_cast<uint32_t>(at / unit + 1);
    for (const std::string_view row : entries[i].rows) at += stored_size(row);
  }
  std::vector<uint32_t> slots;
  for (std::size_t buckets =
           std::max<std::size_t>(1, (entries.size() + kKeysPerBucket - 1) / kKeysPerBucket);
       ; buckets += buckets / 8 + 1) {
    slots.assign(buckets * kSlotsPerBucket, 0);
    if (entries.size() > slots.size()) continue;
    header.bucket_count = static_cast<uint32_t>(buckets);
    header.probe_max = PlaceSlots(entries, places, place.depth, &slots);
    // Keys whose hashes agree in all bits that choose the bucket cannot be spread.
    if (header.probe_max <= kProbesWanted || buckets > 4 * entries.size() + 16) break;
  }

  const std::size_t slots_size = slots.size() * sizeof(uint32_t);
  header.rows_offset = static_cast<uint32_t>(sizeof(SegmentHeader) + slots_size);
  header.size = header.rows_offset + size;
  const std::string_view slot_bytes(reinterpret_cast<const char*>(slots.data()), slots_size);
  header.slots_check = static_cast<uint32_t>(Hash64(slot_bytes));
  header.check = HeaderCheck(header);

  std::string out;
  out.reserve(std::max(PadTo8(header.size), kSegmentSizeMin));
  out.append(reinterpret_cast<const char*>(&header), sizeof(header));
  out.append(slot_bytes);
  for (const SegmentEntry& entry : entries) {
    for (std::size_t i = 0; i < entry.rows.size(); ++i) {
      const std::string_view loose = entry.rows[i];
      const std::size_t row = out.size();
      if (packed.is_packed()) {
        out.resize(row + packed.row_size);
        packed.Pack(loose, out.data() + row);
      } else {
        out.append(loose);
      }
      uint16_t flags = FlagsOfRow(out.data() + row);
      flags = static_cast<uint16_t>(i + 1 < entry.rows.size() ? flags | kRowHasOlder
                                                              : flags & ~kRowHasOlder);
      std::memcpy(out.data() + row + offsetof(RowHeader, flags), &flags, sizeof(flags));
      const uint32_t check = RowCheck(std::string_view(out).substr(row), entry.hash);
      std::memcpy(out.data() + row, &check, sizeof(check));
      out.resize(row + stored_size(loose));
    }
  }
  out.resize(std::max(PadTo8(out.size()), kSegmentSizeMin));
  return out;
}

}  // namespace larder::inline LARDER_ABI
