#include "feature_store/audit_record.h"

#include <algorithm>
#include <utility>

#include "larder/base/text.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

std::optional<Timestamp> InstantOf(int64_t us) {
  if (us == Contribution::kNone || us == Contribution::kNever) return std::nullopt;
  return Timestamp{us};
}

}  // namespace

AuditRecord::AuditRecord(const AuditedUse& of)
    : of_(of), rows_(of.times.size()), kinds_(of.times.size()) {}

std::string AuditRecord::EntityOf(std::size_t row) const {
  std::vector<std::string> parts;
  for (std::size_t k = 0; k < of_.keys.size(); ++k) {
    parts.push_back(Concat(of_.use.view->keys[k].name, "=", FormatValue(of_.keys[k]->ValueAt(row))));
  }
  return Join(parts, " ");
}

void AuditRecord::Note(LeakKind kind, std::size_t row, const Contribution& what,
                       const std::string& feature) {
  const auto number = static_cast<std::size_t>(kind);
  const auto bit = static_cast<uint8_t>(1U << number);
  if ((kinds_[row] & bit) != 0) return;
  kinds_[row] = static_cast<uint8_t>(kinds_[row] | bit);
  ++leaks_[number];
  std::vector<Leak>& kept = examples_[number];
  if (kept.size() == kLeakExamplesMax && kept.back().row < row) return;
  Leak leak{kind,
            row,
            EntityOf(row),
            feature,
            of_.TimeOf(row),
            InstantOf(what.event_us),
            InstantOf(what.known_us)};
  const auto place =
      std::find_if(kept.begin(), kept.end(), [row](const Leak& other) { return other.row > row; });
  kept.insert(place, std::move(leak));
  if (kept.size() > kLeakExamplesMax) kept.pop_back();
}

void AuditRecord::CheckTimes(std::size_t row, const Contribution& what, bool is_own,
                             bool replaced_known, const std::string& feature) {
  const int64_t at = of_.TimeOf(row).us;
  const bool is_before = of_.use.view->boundary == Boundary::kBefore;
  if (what.event_us > at) {
    Note(LeakKind::kFutureEvent, row, what, feature);
  } else if (what.event_us == at && (is_before || is_own)) {
    Note(LeakKind::kBoundary, row, what, feature);
  }
  if (is_own && of_.use.view->definition.exclude_self)
    Note(LeakKind::kOwnEvent, row, what, feature);
  if (what.known_us > at)
    Note(replaced_known ? LeakKind::kBackfill : LeakKind::kLateArrival, row, what, feature);
}

void FillContributions(std::span<const Contribution> rows, AuditedView* view) {
  const auto append = [](const std::optional<Timestamp>& time, Column* column) {
    if (time) {
      column->AppendFixed(time->us);
    } else {
      column->AppendNull();
    }
  };
  for (const Contribution& row : rows) {
    append(InstantOf(row.event_us), &view->newest_event_time);
    append(InstantOf(row.known_us), &view->newest_known_time);
  }
}

AuditedView AuditRecord::Take(int64_t rows_checked) && {
  AuditedView view;
  view.view = of_.use.view->ToString();
  view.alias = of_.use.alias;
  view.timeless = of_.use.view->offline_source().event_time.empty();
  view.rows_checked = rows_checked;
  view.leaks = leaks_;
  for (std::vector<Leak>& kept : examples_)
    std::move(kept.begin(), kept.end(), std::back_inserter(view.examples));
  FillContributions(rows_, &view);
  return view;
}

}  // namespace larder::inline LARDER_ABI
