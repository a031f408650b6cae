#include "online/segment.h"

#include <algorithm>

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kKeysPerBucket = 12;  // of 16 places, on average
constexpr uint32_t kProbesWanted = 4;

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
      header.trailer_offset > 2 * kRowSizeMax) {
    return Damaged("its header is impossible");
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
  if (bytes.size() >= sizeof(RowHeader) && LoadAs<uint32_t>(row) == RowCheck(bytes, key_hash)) {
    return absl::OkStatus();
  }
  return WithKind(
      DataLossError("a row of view ", header_.view_id, " is damaged: its check does not hold"),
      ErrorKind::kCorrupt);
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
    if (row + sizeof(RowHeader) + kRowTrailerSize > end) return Damaged("its rows do not fit");
    const std::size_t size = RowBytes(row).size();
    if (size < sizeof(RowHeader) + kRowTrailerSize) return Damaged("its rows do not fit");
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
  header.depth = place.depth;
  header.prefix = place.prefix;
  header.commit_seq = place.commit_seq;
  header.key_count = entries.size();
  const auto rows_size = [&entries](uint8_t shift) {
    const std::size_t unit = std::size_t{8} << shift;
    std::size_t size = 0;
    for (const SegmentEntry& entry : entries) {
      for (const std::string_view row : entry.rows) size += (row.size() + unit - 1) & ~(unit - 1);
    }
    return size;
  };
  std::size_t size = rows_size(0);
  while ((size >> (3 + header.unit_shift)) + 2 >= (std::size_t{1} << kPlaceBits)) {
    size = rows_size(++header.unit_shift);
  }
  const std::size_t unit = std::size_t{8} << header.unit_shift;

  std::vector<uint32_t> places(entries.size());
  std::size_t at = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    places[i] = static_cast<uint32_t>((at >> (3 + header.unit_shift)) + 1);
    for (const std::string_view row : entries[i].rows) at += (row.size() + unit - 1) & ~(unit - 1);
    header.row_count += entries[i].rows.size();
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
      const std::size_t row = out.size();
      out.append(entry.rows[i]);
      uint16_t flags = FlagsOfRow(out.data() + row);
      flags = static_cast<uint16_t>(i + 1 < entry.rows.size() ? flags | kRowHasOlder
                                                              : flags & ~kRowHasOlder);
      std::memcpy(out.data() + row + offsetof(RowHeader, flags), &flags, sizeof(flags));
      const uint32_t check = RowCheck(std::string_view(out).substr(row), entry.hash);
      std::memcpy(out.data() + row, &check, sizeof(check));
      out.resize(row + ((entry.rows[i].size() + unit - 1) & ~(unit - 1)));
    }
  }
  out.resize(std::max(PadTo8(out.size()), kSegmentSizeMin));
  return out;
}

}  // namespace larder::inline LARDER_ABI
