// The leakage audit: whether a training set holds what could not have been known at its rows' instants (SEMANTICS 6).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/time.h"
#include "larder/column/column.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {

enum class LeakageAudit : uint8_t {
  kNone,
  kReport,  // TrainingSet::leakage says what was found
  kFail,    // and a leak is an error
};

// What is wrong with the value of a view in one row.
enum class LeakKind : uint8_t {
  kFutureEvent,  // its event lies after the row's instant
  kBoundary,  // at the very instant, where the view's boundary is `before` or the event is the row's own
  kLateArrival,  // its event became known only after the instant
  kBackfill,  // the same, of an event written over one of the same time, or the same id, that was known
  kTtl,       // its event was older than the view's TTL, or had ended
  kOwnEvent,  // its event is the row's own, where exclude_self leaves that out
  kUntraced,  // no event of the source gives it: what it was made of cannot be told
};
inline constexpr std::size_t kLeakKinds = 7;
[[nodiscard]] std::string_view LeakKindName(LeakKind kind);  // `late_arrival`

struct Leak {
  LeakKind kind = LeakKind::kUntraced;
  std::size_t row = 0;  // of the spine, from 0
  std::string entity;   // `cc_num=4242`
  std::string feature;  // empty: the whole row of the view
  Timestamp spine_time;
  std::optional<Timestamp>
      event_time;  // of the newest event that contributed; absent: none, or the source is timeless
  std::optional<Timestamp>
      known_time;  // the latest that one of them became known; absent: not recorded, or never

  // `late_arrival in row 17 (cc_num=4242 at 2025-01-02T00:00:00Z): event 2025-01-01T23:00:00Z, known ...`
  [[nodiscard]] std::string ToString() const;
};

// One use of a view, or of an on-demand view: that has what its inputs have, and no leaks of its own.
struct AuditedView {
  std::string view;  // `card_profile@2`
  std::string alias;
  bool is_on_demand = false;
  // Its source has no event time: nothing can be said about when its values were true.
  bool timeless = false;
  int64_t rows_checked = 0;                    // with a value of the view
  std::array<int64_t, kLeakKinds> leaks = {};  // rows, by kind
  std::vector<Leak> examples;                  // the first kLeakExamplesMax of each kind
  // For every row of the spine, what contributed to it: the newest event time, and the latest time one of the events became
  // known. Null: no event did, or the source does not say.
  Column newest_event_time{TypeId::kTimestamp};
  Column newest_known_time{TypeId::kTimestamp};

  [[nodiscard]] int64_t LeaksOf(LeakKind kind) const {
    return leaks[static_cast<std::size_t>(kind)];
  }
};
inline constexpr std::size_t kLeakExamplesMax = 3;

// A feature that is, or is made of, what is to be predicted.
struct LabelLeak {
  std::string feature;
  std::string label;  // a column of the spine
  std::string why;

  // `feature x: is made of label y`
  [[nodiscard]] std::string ToString() const;
};

struct LeakageReport {
  Column spine_times{TypeId::kTimestamp};  // the rows' instants
  std::vector<AuditedView> views;          // in the service's order, then its on-demand views
  std::vector<LabelLeak> labels;

  // Rows of all views and kinds, and features that are labels.
  [[nodiscard]] int64_t leak_count() const;
  // A line for each view and kind, its first example with it.
  [[nodiscard]] std::vector<std::string> ToLines() const;
};

}  // namespace larder::inline LARDER_ABI
