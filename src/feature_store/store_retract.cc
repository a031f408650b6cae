// Taking back what a stream should not have pushed.
#include <algorithm>
#include <utility>
#include <vector>

#include "feature_store/push.h"
#include "feature_store/store_impl.h"
#include "feature_store/window_writer.h"

namespace larder::inline LARDER_ABI {
namespace {

// Of the versions that share rows the newest, of those that store events of `source`. Versions that are no longer
// maintained too: a rollback may bring them back.
std::vector<const ViewVersion*> ViewsFed(const Catalog& catalog, std::string_view project,
                                         std::string_view source) {
  std::vector<const ViewVersion*> views;
  for (const ViewVersion* view : catalog.Views(project, true)) {
    if (!view->IsFedBy(source)) continue;
    const auto shared = std::find_if(views.begin(), views.end(), [&](const ViewVersion* other) {
      return other->data_id == view->data_id;
    });
    if (shared == views.end()) {
      views.push_back(view);
    } else if ((*shared)->version < view->version) {
      *shared = view;
    }
  }
  return views;
}

absl::StatusOr<RetractedRows> RetractFrom(const FeatureStore::Impl& impl, const ViewVersion& view,
                                          const RetractOptions& options,
                                          WriteTransaction& transaction) {
  if (!view.is_aggregate())
    return transaction.RetractRows(view.data_id, options.first_commit, options.last_commit);
  LARDER_ASSIGN_OR_RETURN(const WindowPlan plan, WindowPlan::Make(view, impl.compile));
  LARDER_ASSIGN_OR_RETURN(WindowWriter writer, WindowWriter::Open(view, plan, transaction));
  LARDER_ASSIGN_OR_RETURN(const RetractedRows retracted,
                          writer.Retract({NumberOfSource(view, options.source),
                                          options.first_commit, options.last_commit}));
  if (retracted.rows > 0) LARDER_RETURN_IF_ERROR(writer.Finish());
  return retracted;
}

}  // namespace

absl::StatusOr<RetractResult> FeatureStore::Retract(const RetractOptions& options,
                                                    const ApplyInfo& info) {
  LARDER_RETURN_IF_ERROR(impl_->CheckWritable());
  if (options.first_commit == 0 || options.first_commit > options.last_commit) {
    return InvalidArgumentError("commits ", options.first_commit, " to ", options.last_commit,
                                ": expected a range from 1 on, its end not before its begin");
  }
  RetractResult result;
  const auto change = [&](WriteTransaction& transaction) -> absl::Status {
    result = {};
    if (options.last_commit >= transaction.commit_seq()) {
      return InvalidArgumentError("commits ", options.first_commit, " to ", options.last_commit,
                                  ": the store's last one is ", transaction.commit_seq() - 1);
    }
    LARDER_ASSIGN_OR_RETURN(const Catalog catalog, CatalogIn(transaction));
    LARDER_ASSIGN_OR_RETURN(const std::string project,
                            Impl::ProjectOrOnly(catalog, options.project));
    LARDER_ASSIGN_OR_RETURN(const Source* source, PushSource(catalog, project, options.source));
    std::string detail;
    for (const ViewVersion* view : ViewsFed(catalog, project, source->name)) {
      LARDER_ASSIGN_OR_RETURN(const RetractedRows rows,
                              RetractFrom(*impl_, *view, options, transaction));
      if (rows.rows == 0) continue;
      detail += Concat(detail.empty() ? "" : ", ", view->ToString(), " ", rows.rows, " rows");
      result.views.push_back({view->ToString(), rows});
    }
    if (result.views.empty()) return absl::OkStatus();
    HistoryEntry entry;
    LARDER_ASSIGN_OR_RETURN(entry.number, NextHistoryNumber(transaction));
    entry.time = transaction.commit_time();
    entry.kind = HistoryKind::kRetract;
    entry.author = info.author;
    entry.message = info.message;
    entry.detail = Concat("source ", source->name, ", commits ", options.first_commit, " to ",
                          options.last_commit, ": ", detail);
    result.number = entry.number;
    return PutHistory(transaction, entry);
  };
  LARDER_ASSIGN_OR_RETURN(const uint64_t commit, RunGroupedWrite(impl_->environment, change));
  result.commit_seq = commit;
  return result;
}

}  // namespace larder::inline LARDER_ABI
