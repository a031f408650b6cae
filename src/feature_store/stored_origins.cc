#include "feature_store/stored_origins.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "feature_store/window_reader.h"
#include "larder/online/earlier_commit.h"

namespace larder::inline LARDER_ABI {
namespace {

// What a version holds of the columns asked for.
Row DetailsOf(const RowView& row, const BoundUse& use, std::span<const int> columns) {
  Row details;
  if (row.is_delete()) return details;
  for (const int column : columns) {
    const auto i = static_cast<std::size_t>(column);
    const StoredColumn& stored = use.view->stored[i];
    if (row.IsPresent(i))
      details.emplace_back(stored.field.empty() ? stored.name : stored.field, row.ValueAt(i));
  }
  return details;
}

}  // namespace

// Why a version cannot answer; empty when it can. The rules are those of Answers in online/visible.h.
std::string StoredOrigins::NoteOf(const RowView& row, Timestamp last_visible) const {
  if (row.event_time() > last_visible)
    return row.event_time() == as_of_ ? "at as_of itself, and the view's boundary is before"
                                      : "after as_of";
  const std::optional<Timestamp> valid_to = row.valid_to();
  if (valid_to && *valid_to <= last_visible) return Concat("ended at ", FormatTimestamp(*valid_to));
  if (commit_max_ && row.commit_seq() > *commit_max_) return "a later commit brought it";
  if (known_at_ && (row.flags() & kRowArrivalNull) != 0) return "has no arrival time";
  if (known_at_ && row.known_time() > *known_at_) return "not known at known_at";
  return {};
}

absl::StatusOr<std::vector<const char*>> StoredOrigins::Winners(const BoundUse& use,
                                                                std::string_view key,
                                                                std::span<const int> columns) const {
  const uint32_t data_id = use.view->data_id;
  const Timestamp last_visible = use.LastVisible(as_of_);
  std::vector<const char*> winners;
  if (use.view->definition.partial_updates) {
    PartialRow partial;
    LARDER_RETURN_IF_ERROR(
        commit_max_
            ? FindPartialRowOfCommit(session_, data_id, use.layout, key, last_visible, known_at_,
                                     *commit_max_, &partial)
            : session_.FindPartialRow(data_id, use.layout, key, last_visible, known_at_, &partial));
    for (const int column : columns) {
      const std::optional<RowView>& row = partial.RowOf(static_cast<std::size_t>(column));
      winners.push_back(row ? row->bytes().data() : nullptr);
    }
    return winners;
  }
  LARDER_ASSIGN_OR_RETURN(
      const std::optional<RowView> row,
      commit_max_ ? FindRowOfCommit(session_, data_id, use.layout, key, last_visible, known_at_,
                                    *commit_max_)
                  : session_.FindRow(data_id, use.layout, key, last_visible, known_at_));
  winners.push_back(row ? row->bytes().data() : nullptr);
  return winners;
}

absl::StatusOr<ValueOrigins::Versions> StoredOrigins::VersionsOf(const BoundUse& use,
                                                                 std::string_view key,
                                                                 std::span<const int> columns) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<const char*> winners, Winners(use, key, columns));
  const Timestamp last_visible = use.LastVisible(as_of_);
  Versions versions;
  versions.chosen.resize(winners.size());
  bool answered = false;
  const auto visit = [&](const RowView& row) {
    const bool counts =
        std::find(winners.begin(), winners.end(), row.bytes().data()) != winners.end();
    ExplanationStep step;
    step.kind = ExplanationStep::Kind::kVersion;
    step.note = NoteOf(row, last_visible);
    const bool answers = step.note.empty();
    if (!counts && versions.steps.size() >= items_max_) {
      ++versions.left_out;
      return true;
    }
    for (std::size_t i = 0; i < winners.size(); ++i) {
      if (winners[i] == row.bytes().data()) versions.chosen[i] = versions.steps.size();
    }
    // A delete that wins leaves no row.
    if (answers) step.note = counts || (row.is_delete() && !answered) ? "counts" : "gave way";
    if (row.is_delete()) step.note = Concat("a delete, ", step.note);
    answered |= answers;
    step.name = use.view->ToString();
    if (!row.is_timeless()) step.event_time = row.event_time();
    if ((row.flags() & kRowArrivalNull) == 0 && !row.is_timeless())
      step.known_time = row.known_time();
    // Rows that a load builds say no commit.
    if (row.commit_seq() != 0) step.commit_seq = row.commit_seq();
    step.details = DetailsOf(row, use, columns);
    versions.steps.push_back(std::move(step));
    return true;
  };
  LARDER_RETURN_IF_ERROR(session_.ForEachVersionOf(use.view->data_id, use.layout, key, visit));
  return versions;
}

absl::StatusOr<WindowSteps> StoredOrigins::WindowOf(const BoundUse& use, std::string_view key,
                                                    std::size_t feature) {
  LARDER_ASSIGN_OR_RETURN(WindowReader reader, WindowReader::Make(*use.view, *use.windows));
  LARDER_RETURN_IF_ERROR(reader.Begin(session_, as_of_, known_at_, commit_max_));
  LARDER_ASSIGN_OR_RETURN(const WindowTrace trace, reader.Trace(session_, key, feature));
  return StepsOfWindow(use, feature, trace, false, items_max_);
}

}  // namespace larder::inline LARDER_ABI
