// What an audit of one use of a view has found so far.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "feature_store/bound_service.h"
#include "larder/base/config.h"
#include "larder/column/column.h"
#include "larder/feature_store/leakage.h"
#include "larder/training/point_in_time_join.h"

namespace larder::inline LARDER_ABI {

// The part of a training set that a use of a view gave, and what is checked of it.
struct AuditedUse {
  const BoundUse& use;
  const Column& times;               // of the spine
  std::vector<const Column*> keys;   // of the declared types
  const JoinedView& claims;          // what the join says
  KnownAt known_at = KnownAt::kAny;  // by which the join chose
  const Column* own_ids =
      nullptr;  // the spine's column of event ids, of the source's type; null: it has none

  [[nodiscard]] Timestamp TimeOf(std::size_t row) const { return {times.Values<int64_t>()[row]}; }
};

// The events that contributed to a row: the newest, and the latest that one became known.
struct Contribution {
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::min();
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();  // known_us: one has none
  int64_t event_us = kNone;  // kNone: no event, or timeless
  int64_t known_us = kNone;  // kNone: the source does not say

  void Add(const Contribution& other) {
    event_us = std::max(event_us, other.event_us);
    known_us = std::max(known_us, other.known_us);
  }
};

class AuditRecord {
 public:
  explicit AuditRecord(const AuditedUse& of);

  void Contribute(std::size_t row, const Contribution& what) { rows_[row].Add(what); }
  // A row counts once for each kind.
  void Note(LeakKind kind, std::size_t row, const Contribution& what, const std::string& feature);
  // Checks the instants of what contributed: `boundary` as the view has it. `replaced_known`: an event of the same time or
  // id was known by the row's instant.
  void CheckTimes(std::size_t row, const Contribution& what, bool is_own, bool replaced_known,
                  const std::string& feature);
  [[nodiscard]] AuditedView Take(int64_t rows_checked) &&;

 private:
  [[nodiscard]] std::string EntityOf(std::size_t row) const;
  const AuditedUse& of_;
  std::vector<Contribution> rows_;
  std::vector<uint8_t> kinds_;  // of each row, a bit each
  std::array<int64_t, kLeakKinds> leaks_ = {};
  std::array<std::vector<Leak>, kLeakKinds> examples_;  // by row
};

// What contributed to each row as columns; the rest of the view is left to be filled.
void FillContributions(std::span<const Contribution> rows, AuditedView* view);

}  // namespace larder::inline LARDER_ABI
