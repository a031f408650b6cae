#include "larder/online/earlier_commit.h"

#include <functional>

#include "online/visible.h"

namespace larder::inline LARDER_ABI {
namespace {

// Calls `visit` for the versions that answer, those that win first, until it returns false.
absl::Status VisitAnswers(const ReadSession& session, uint32_t view_id, const RowLayout& layout,
                          std::string_view key, Timestamp as_of,
                          const std::optional<Timestamp>& known_at, uint64_t commit_max,
                          const std::function<bool(const RowView& row)>& visit) {
  // Says so when the instants are before what is kept.
  LARDER_RETURN_IF_ERROR(session.FindRow(view_id, layout, key, as_of, known_at).status());
  return session.ForEachVersionOf(view_id, layout, key, [&](const RowView& row) {
    return row.commit_seq() > commit_max || !Answers(row, as_of, known_at) || visit(row);
  });
}

}  // namespace

absl::StatusOr<std::optional<RowView>> FindRowOfCommit(const ReadSession& session, uint32_t view_id,
                                                       const RowLayout& layout,
                                                       std::string_view key, Timestamp as_of,
                                                       std::optional<Timestamp> known_at,
                                                       uint64_t commit_max) {
  std::optional<RowView> winner;
  LARDER_RETURN_IF_ERROR(VisitAnswers(session, view_id, layout, key, as_of, known_at, commit_max,
                                      [&winner](const RowView& row) {
                                        if (!row.is_delete()) winner = row;
                                        return false;
                                      }));
  return winner;
}

absl::Status FindPartialRowOfCommit(const ReadSession& session, uint32_t view_id,
                                    const RowLayout& layout, std::string_view key, Timestamp as_of,
                                    std::optional<Timestamp> known_at, uint64_t commit_max,
                                    PartialRow* out) {
  out->Clear(layout.size());
  return VisitAnswers(session, view_id, layout, key, as_of, known_at, commit_max,
                      [out](const RowView& row) {
                        if (row.is_delete()) return false;
                        out->Take(row);
                        return true;
                      });
}

}  // namespace larder::inline LARDER_ABI
