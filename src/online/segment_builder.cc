// Making the bytes of a segment, as docs/internals/store_file.md has them.
#include <algorithm>
#include <optional>
#include <utility>

#include "online/segment.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kKeysPerBucket = 12;  // of 16 slots, on average
constexpr uint32_t kProbesWanted = 4;
constexpr std::size_t kPlaces = (std::size_t{1} << kPlaceBits) - 2;  // a slot can say

// Fills `slots` from their buckets' fronts; returns how many buckets a look-up may have to look at.
uint32_t PlaceSlots(std::span<const SegmentEntry> entries, const std::vector<uint32_t>& places,
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

class SegmentBuilder {
 public:
  SegmentBuilder(const SegmentPlace& place, std::span<const SegmentEntry> entries)
      : entries_(entries) {
    header_.view_id = place.view_id;
    header_.layout = place.shape.layout;
    header_.trailer_offset = place.shape.trailer_offset;
    header_.has_tail = place.shape.has_tail ? 1 : 0;
    header_.depth = place.depth;
    header_.prefix = place.prefix;
    header_.commit_seq = place.commit_seq;
    header_.key_count = entries.size();
    PackedFormFinder finder(place.shape.trailer_offset, place.shape.has_tail);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (i + kRowsAhead < entries.size()) FetchRow(entries[i + kRowsAhead]);
      const SegmentEntry& entry = entries[i];
      for (const std::string_view row : entry.rows) finder.Add(row, entry.key);
      header_.row_count += entry.rows.size();
    }
    if (header_.row_count < kPlaces) header_.packed = finder.Form();
  }

  std::string Build() && {
    std::optional<BuiltPerfectHash> perfect;
    if (header_.packed.is_packed()) perfect = FindPerfectHash();
    if (perfect) {
      BuildPerfect(*perfect);
    } else {
      BuildWithSlots();
    }
    out_.resize(std::max(PadTo8(out_.size()), kSegmentSizeMin));
    return std::move(out_);
  }

 private:
  // Rows came in any order, so that each is somewhere else in memory.
  static constexpr uint32_t kRowsAhead = 16;
  static void FetchRow(const SegmentEntry& entry) {
    const char* const row = entry.rows.front().data();
    __builtin_prefetch(row);
    __builtin_prefetch(row + 64);
  }

  [[nodiscard]] std::optional<BuiltPerfectHash> FindPerfectHash() const {
    std::vector<uint64_t> hashes(entries_.size());
    std::transform(entries_.begin(), entries_.end(), hashes.begin(),
                   [](const SegmentEntry& entry) { return entry.hash; });
    return BuildPerfectHash(hashes, header_.depth);
  }

  void BuildPerfect(const BuiltPerfectHash& perfect) {
    const auto keys = static_cast<uint32_t>(entries_.size());
    std::string tags(keys, '\0');
    // By place: how many older versions the key has, and then the number of the first of them.
    std::vector<uint32_t> older(keys);
    for (uint32_t i = 0; i < keys; ++i) {
      tags[perfect.places[i]] = static_cast<char>(entries_[i].hash);
      older[perfect.places[i]] = static_cast<uint32_t>(entries_[i].rows.size()) - 1;
    }
    std::vector<uint32_t> chains;
    uint32_t behind = keys;
    for (uint32_t place = 0; place < keys; ++place) {
      if (older[place] == 0) continue;
      chains.insert(chains.end(), {place, behind});
      behind += std::exchange(older[place], behind);
    }

    header_.pilot_count = static_cast<uint32_t>(perfect.pilots.size());
    header_.place_count = keys + static_cast<uint32_t>(perfect.detours.size());
    header_.pilot_seed = perfect.seed;
    header_.chained_count = static_cast<uint32_t>(chains.size() / 2);
    const PerfectParts parts = PerfectParts::Of(header_);
    // Rows of 64 bytes keep to one cache line: see SegmentHeader.
    constexpr std::size_t kBefore = 16;
    header_.rows_offset = static_cast<uint32_t>(((parts.end + kBefore + 63) & ~63U) - kBefore);
    header_.size = header_.rows_offset + header_.row_count * header_.packed.row_size;
    out_.assign(header_.size, '\0');
    const auto put = [this](uint64_t at, const void* bytes, std::size_t size) {
      if (size > 0) std::memcpy(out_.data() + at, bytes, size);
    };
    put(parts.pilots, perfect.pilots.data(), perfect.pilots.size());
    put(parts.tags, tags.data(), tags.size());
    put(parts.detours, perfect.detours.data(), 4 * perfect.detours.size());
    put(parts.chains, chains.data(), 4 * chains.size());
    PutHeader();

    const auto row_at = [this](uint64_t number) {
      return out_.data() + header_.rows_offset + number * header_.packed.row_size;
    };
    // In the order in which entries stand: only their rows, and where these go, are anywhere in memory.
    for (uint32_t i = 0; i < keys; ++i) {
      if (i + kRowsAhead < keys) {
        FetchRow(entries_[i + kRowsAhead]);
        __builtin_prefetch(row_at(perfect.places[i + kRowsAhead]), 1);
      }
      const SegmentEntry& entry = entries_[i];
      uint64_t next = perfect.places[i];
      for (std::size_t version = 0; version < entry.rows.size(); ++version) {
        char* const row = row_at(next);
        header_.packed.Pack(entry.rows[version], row);
        Seal(entry, version, {row, header_.packed.row_size}, row);
        next = version == 0 ? older[perfect.places[i]] : next + 1;
      }
    }
  }

  void BuildWithSlots() {
    std::size_t size = RowsSize();
    while (!header_.packed.is_packed() && (size >> (3 + header_.unit_shift)) >= kPlaces) {
      ++header_.unit_shift;
      size = RowsSize();
    }
    const std::size_t unit =
        header_.packed.is_packed() ? header_.packed.row_size : std::size_t{8} << header_.unit_shift;
    std::vector<uint32_t> places(entries_.size());
    std::size_t at = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      places[i] = static_cast<uint32_t>(at / unit + 1);
      for (const std::string_view row : entries_[i].rows) at += StoredSize(row);
    }
    std::vector<uint32_t> slots;
    for (std::size_t buckets =
             std::max<std::size_t>(1, (entries_.size() + kKeysPerBucket - 1) / kKeysPerBucket);
         ; buckets += buckets / 8 + 1) {
      slots.assign(buckets * kSlotsPerBucket, 0);
      if (entries_.size() > slots.size()) continue;
      header_.bucket_count = static_cast<uint32_t>(buckets);
      header_.probe_max = PlaceSlots(entries_, places, header_.depth, &slots);
      // Keys whose hashes agree in all bits that choose the bucket cannot be spread.
      if (header_.probe_max <= kProbesWanted || buckets > 4 * entries_.size() + 16) break;
    }

    const std::size_t slots_size = slots.size() * sizeof(uint32_t);
    header_.rows_offset = static_cast<uint32_t>(sizeof(SegmentHeader) + slots_size);
    header_.size = header_.rows_offset + size;
    out_.reserve(std::max(PadTo8(header_.size), kSegmentSizeMin));
    out_.resize(sizeof(SegmentHeader));
    out_.append(reinterpret_cast<const char*>(slots.data()), slots_size);
    PutHeader();
    for (const SegmentEntry& entry : entries_) {
      for (std::size_t i = 0; i < entry.rows.size(); ++i) {
        const std::string_view loose = entry.rows[i];
        const std::size_t row = out_.size();
        if (header_.packed.is_packed()) {
          out_.resize(row + header_.packed.row_size);
          header_.packed.Pack(loose, out_.data() + row);
        } else {
          out_.append(loose);
        }
        Seal(entry, i, std::string_view(out_).substr(row), out_.data() + row);
        out_.resize(row + StoredSize(loose));
      }
    }
  }

  // With the check of the index, which must be in its place.
  void PutHeader() {
    header_.index_check = static_cast<uint32_t>(Hash64(
        std::string_view(out_).substr(sizeof(header_), header_.rows_offset - sizeof(header_))));
    header_.check = header_.CheckOf();
    std::memcpy(out_.data(), &header_, sizeof(header_));
  }
  // Says in the `i`th row of an entry whether an older one follows, and sets its check.
  static void Seal(const SegmentEntry& entry, std::size_t i, std::string_view bytes, char* row) {
    uint16_t flags = FlagsOfRow(row);
    flags = static_cast<uint16_t>(i + 1 < entry.rows.size() ? flags | kRowHasOlder
                                                            : flags & ~kRowHasOlder);
    std::memcpy(row + offsetof(RowHeader, flags), &flags, sizeof(flags));
    const uint32_t check = RowCheck(bytes, entry.hash);
    std::memcpy(row, &check, sizeof(check));
  }
  // What a row takes where there are slots.
  [[nodiscard]] std::size_t StoredSize(std::string_view row) const {
    if (header_.packed.is_packed()) return header_.packed.row_size;
    const std::size_t unit = std::size_t{8} << header_.unit_shift;
    return (row.size() + unit - 1) & ~(unit - 1);
  }
  [[nodiscard]] std::size_t RowsSize() const {
    std::size_t size = 0;
    for (const SegmentEntry& entry : entries_) {
      for (const std::string_view row : entry.rows) size += StoredSize(row);
    }
    return size;
  }

  std::span<const SegmentEntry> entries_;
  SegmentHeader header_;
  std::string out_;
};

}  // namespace

std::string BuildSegment(const SegmentPlace& place, std::span<const SegmentEntry> entries) {
  return SegmentBuilder(place, entries).Build();
}

}  // namespace larder::inline LARDER_ABI
