#include "larder/feature_store/explain.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "feature_store/explained_output.h"
#include "feature_store/explanation_steps.h"
#include "feature_store/online_read.h"
#include "feature_store/single_output.h"
#include "feature_store/store_impl.h"
#include "feature_store/stored_origins.h"
#include "feature_store/tables.h"
#include "feature_store/training_explanation.h"
#include "feature_store/window_ids.h"
#include "feature_store/window_records.h"
#include "larder/base/text.h"
#include "larder/feature_store/receipt.h"

namespace larder::inline LARDER_ABI {
namespace {

// What a receipt says instead of the request. Lifetime: borrows the request's text.
absl::StatusOr<Receipt> TakeReceipt(const ExplainRequest& request, OnlineRequest* online) {
  LARDER_ASSIGN_OR_RETURN(const Receipt receipt, Receipt::Parse(request.receipt));
  if (!request.what.service.empty() || request.as_of || request.known_at)
    return InvalidArgumentError("a receipt says service, as_of and known_at itself");
  const bool names_service = receipt.service.find('@') != std::string_view::npos;
  if (names_service && !request.what.features.empty()) {
    return InvalidArgumentError("the receipt is of service ", receipt.service,
                                ": name one of its outputs, not a feature of a view");
  }
  if (!names_service && request.what.features.empty())
    return InvalidArgumentError(
        "the receipt is of single features: say which one, as view:feature");
  if (names_service) online->what.service = receipt.service;
  online->as_of = receipt.as_of;
  online->known_at = receipt.known_at;
  return receipt;
}

// nullopt: nothing was committed since.
absl::StatusOr<std::optional<uint64_t>> CommitToReplay(const Receipt& receipt,
                                                       const OnlineRead& read) {
  const uint64_t now = read.session.commit_seq();
  if (receipt.commit_seq > now || receipt.revision > read.revision) {
    return InvalidArgumentError("the receipt is of commit ", receipt.commit_seq, ", revision ",
                                receipt.revision, "; the store is at commit ", now, ", revision ",
                                read.revision, ": it is another one, or was restored");
  }
  if (receipt.commit_seq == now) return std::optional<uint64_t>();
  return std::optional(receipt.commit_seq);
}

// What the store no longer knows of a receipt's commit.
absl::StatusOr<std::vector<std::string>> LimitsOf(const Receipt& receipt, const OnlineRead& read) {
  std::vector<std::string> limits;
  if (receipt.staged > 0)
    limits.push_back(
        Concat("staged events are not kept: ", receipt.staged, " that only that session saw"));
  if (read.service->name.empty() && receipt.revision != read.revision)
    limits.push_back(Concat("names are those of revision ", read.revision,
                            ", the receipt's were of ", receipt.revision));
  if (receipt.commit_seq == read.session.commit_seq()) return limits;
  for (const BoundUse& use : read.service->uses) {
    const uint32_t data_id = use.view->data_id;
    const std::string view = use.view->ToString();
    LARDER_ASSIGN_OR_RETURN(ViewFloors floors, read.session.FloorsOf(data_id));
    LARDER_ASSIGN_OR_RETURN(const WindowRecord windows, ReadWindowRecord(read.session, data_id));
    floors.known_at = std::max(floors.known_at, Timestamp{windows.known_floor_us});
    if (floors.known_at > Timestamp::Min()) {
      limits.push_back(Concat(view, ": versions were dropped that later ones had replaced by ",
                              FormatTimestamp(floors.known_at)));
    }
    LARDER_ASSIGN_OR_RETURN(const LoadRecord load, LoadRecordIn(read.session, data_id));
    if (load.loaded) {
      limits.push_back(Concat(view, ": what loads bring says no commit, and the last load was at ",
                              FormatTimestamp(load.at)));
    }
  }
  return limits;
}

bool HasInput(const BoundService& service, std::string_view name) {
  return std::any_of(service.inputs.begin(), service.inputs.end(),
                     [name](const Field& input) { return input.name == name; });
}

}  // namespace

absl::StatusOr<Explanation> FeatureStore::Explain(const ExplainRequest& request) const {
  if (request.training) {
    LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
    return ExplainTraining(*impl_, catalog, request);
  }
  OnlineRequest online;
  online.what = request.what;
  online.as_of = request.as_of;
  online.known_at = request.known_at;
  online.ignore_unknown_columns = request.ignore_unknown_columns;
  std::optional<Receipt> receipt;
  if (!request.receipt.empty()) {
    LARDER_ASSIGN_OR_RETURN(receipt, TakeReceipt(request, &online));
  }
  LARDER_ASSIGN_OR_RETURN(OnlineRead read, BeginRead(*impl_, online.what));
  LARDER_ASSIGN_OR_RETURN(const std::size_t number, FindOutput(*read.service, request.feature));
  // Columns that other outputs need are no unknown ones.
  const std::shared_ptr<const BoundService> whole = read.service;
  LARDER_ASSIGN_OR_RETURN(read.service, SingleOutput(*whole, number, impl_->compile));
  const auto is_of_others = [&](const auto& column) {
    return HasInput(*whole, column.first) && !HasInput(*read.service, column.first);
  };
  online.rows = {request.row};
  std::erase_if(online.rows[0], is_of_others);
  ReadBounds bounds;
  Explanation explanation;
  if (receipt) {
    LARDER_ASSIGN_OR_RETURN(bounds.commit_max, CommitToReplay(*receipt, read));
    LARDER_ASSIGN_OR_RETURN(explanation.limits, LimitsOf(*receipt, read));
  }
  LARDER_RETURN_IF_ERROR(FinishRead(*impl_, online, bounds, &read));

  const BoundService& service = *read.service;
  DescribeOutput(service, read.computed.outputs[0], &explanation);
  explanation.revision = read.revision;
  explanation.commit_seq = bounds.commit_max.value_or(read.session.commit_seq());
  explanation.as_of = read.as_of;
  explanation.known_at = online.known_at;
  explanation.receipt = receipt ? request.receipt : read.ReceiptText(online.known_at);

  StoredOrigins origins(read.session, read.as_of, online.known_at, bounds.commit_max,
                        request.items_max);
  const ExplainedRead explained{service, read.inputs, read.computed, read.as_of, impl_->compile};
  LARDER_ASSIGN_OR_RETURN(explanation.steps, ExplainOutput(explained, 0, origins));
  return explanation;
}

}  // namespace larder::inline LARDER_ABI
