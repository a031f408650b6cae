// How one view's events are laid out while a join holds them: one fixed-size record each, with what varies in length in
// a text beside it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/bytes.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"
#include "larder/column/validity.h"
#include "larder/training/event_reader.h"
#include "larder/training/point_in_time_join.h"
#include "training/join_key.h"

namespace larder::inline LARDER_ABI {

// A record and the text its places point into.
struct EventRef {
  const char* record = nullptr;
  const char* text = nullptr;
};

// A place in the text.
struct TextPlace {
  uint64_t offset = 0;
  uint64_t size = 0;
};

enum EventFlag : uint64_t {
  kEventDelete = 1U << 0U,
  kEventHasSequence = 1U << 1U,
  kEventHasArrival = 1U << 2U,
  kEventHasKnown = 1U << 3U,
  kEventHasEnd = 1U << 4U,
  kEventHasId = 1U << 5U,
};

enum class KnownSource : uint8_t { kNone, kArrival, kAvailableAfter, kKnownTime };

struct FeatureSlot {
  DataType type;
  uint32_t offset = 0;  // of the value, or of its TextPlace
  uint32_t width = 0;
  bool in_text = false;  // string and bytes as they are; lists and maps in canonical bytes
};

class EventLayout {
 public:
  // The layout is the first batch's; later ones must have the same columns.
  static absl::StatusOr<EventLayout> Make(const JoinView& view, const EventBatch& batch, bool audit);
  // Errors: kInvalidArgument when a batch has other columns than the layout, or columns of other lengths or types.
  absl::Status Check(const JoinView& view, const EventBatch& batch) const;

  static constexpr uint32_t kKeyWord = 0;
  static constexpr uint32_t kEventTime = 8;
  static constexpr uint32_t kFlags = 16;

  // Offsets; 0 where the layout has no such part.
  uint32_t sequence = 0;
  uint32_t arrival = 0;
  uint32_t known = 0;
  uint32_t end = 0;
  uint32_t commit = 0;    // commit_seq, then the event's place in the stream
  uint32_t presence = 0;  // one bit per feature
  uint32_t validity = 0;  // one bit per feature
  uint32_t key_text = 0;
  uint32_t id_text = 0;
  uint32_t first_text =
      0;  // TextPlaces of key, id and features stand together up to the record's end
  uint32_t record_size = 0;
  std::vector<FeatureSlot> features;
  KeyForm key_form = KeyForm::kWord;
  KnownSource known_source = KnownSource::kNone;
  int64_t available_after_us = 0;
  bool timeless = false;
  bool has_text = false;

  [[nodiscard]] static uint64_t KeyWordOf(EventRef e) {
    return LoadAs<uint64_t>(e.record + kKeyWord);
  }
  [[nodiscard]] static int64_t EventTimeOf(EventRef e) {
    return LoadAs<int64_t>(e.record + kEventTime);
  }
  [[nodiscard]] static uint64_t FlagsOf(EventRef e) { return LoadAs<uint64_t>(e.record + kFlags); }
  [[nodiscard]] static bool IsDelete(EventRef e) { return (FlagsOf(e) & kEventDelete) != 0; }
  // When the event could be known; nullopt: at no time. Without any known time: always.
  [[nodiscard]] std::optional<int64_t> KnownTimeOf(EventRef e) const;
  [[nodiscard]] std::optional<int64_t> EndOf(EventRef e) const {
    if (end == 0 || (FlagsOf(e) & kEventHasEnd) == 0) return std::nullopt;
    return LoadAs<int64_t>(e.record + end);
  }
  [[nodiscard]] bool Carries(EventRef e, std::size_t feature) const {
    return presence == 0 || IsDelete(e) || BitAt(e, presence, feature);
  }
  [[nodiscard]] bool IsValid(EventRef e, std::size_t feature) const {
    return BitAt(e, validity, feature);
  }
  [[nodiscard]] static std::string_view TextAt(EventRef e, uint32_t place_offset) {
    const auto place = LoadAs<TextPlace>(e.record + place_offset);
    return {e.text + place.offset, place.size};
  }
  [[nodiscard]] std::string_view KeyTextOf(EventRef e) const {
    return key_text == 0 ? std::string_view() : TextAt(e, key_text);
  }
  // The event's id in key bytes; empty when there is none.
  [[nodiscard]] std::string_view IdOf(EventRef e) const {
    return id_text == 0 ? std::string_view() : TextAt(e, id_text);
  }

  struct Comparison {
    int order = 0;            // below 0: the first event loses
    bool same_group = false;  // same event time and sequence
    bool same_row = false;    // only known where same_group
  };
  // SEMANTICS 3, event ids last so that every outcome is one.
  [[nodiscard]] Comparison Compare(EventRef a, EventRef b) const {
    return Compare(a, EventTimeOf(a), b, EventTimeOf(b));
  }
  // For who has their event times at hand: records are read only where these are equal.
  [[nodiscard]] Comparison Compare(EventRef a, int64_t a_time, EventRef b, int64_t b_time) const {
    if (a_time != b_time) return {a_time < b_time ? -1 : 1, false, false};
    return CompareTied(a, b);
  }

  // Whether two events give one feature the same value, null included.
  [[nodiscard]] bool SameValue(EventRef a, EventRef b, std::size_t feature) const;
  // Appends the feature of a text-borne type. Requires: valid.
  void AppendText(EventRef e, std::size_t feature, Column* column) const;

 private:
  [[nodiscard]] static bool BitAt(EventRef e, uint32_t offset, std::size_t bit) {
    return ((LoadAs<uint64_t>(e.record + offset + 8 * (bit / 64)) >> (bit % 64)) & 1U) != 0;
  }
  [[nodiscard]] Comparison CompareTied(EventRef a, EventRef b) const;
  [[nodiscard]] int CompareRows(EventRef a, EventRef b) const;
  [[nodiscard]] int CompareValues(EventRef a, EventRef b, std::size_t feature) const;
};

}  // namespace larder::inline LARDER_ABI
