// explain: where one value comes from.
#include "larder/feature_store/explain.h"

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/dataset_file.h"
#include "cli/explain_output.h"
#include "cli/online_rows.h"
#include "larder/column/take_rows.h"
#include "larder/feature_store/dataset_row.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

bool NamesService(std::string_view receipt) {
  return receipt.substr(0, receipt.find(' ')).find('@') != std::string_view::npos;
}

absl::StatusOr<ExplainRequest> RequestFor(const ExplainArguments& arguments) {
  ExplainRequest request;
  request.what.project = arguments.target.project;
  request.receipt = arguments.receipt;
  const bool has_service = !arguments.service.empty() || NamesService(arguments.receipt);
  if (!has_service && arguments.feature.empty())
    return UsageError("say what to explain: --service and --feature, or --feature VIEW:FEATURE");
  if (!has_service) {
    request.what.features = {arguments.feature};
  } else {
    request.what.service = arguments.service;
    request.feature = arguments.feature;
  }
  LARDER_ASSIGN_OR_RETURN(request.as_of, ParseInstant(arguments.as_of, "--as-of"));
  LARDER_ASSIGN_OR_RETURN(request.known_at, ParseInstant(arguments.known_at, "--known-at"));
  LARDER_ASSIGN_OR_RETURN(std::vector<Row> rows, RowsFromOptions(arguments.keys, arguments.request));
  if (rows.size() != 1)
    return UsageError("one value is explained at a time: give every --key and --request once");
  request.row = std::move(rows[0]);
  request.items_max = arguments.limit;
  return request;
}

absl::Status ExplainDataset(const ExplainArguments& arguments, Console& console) {
  if (!arguments.keys.empty() || !arguments.request.empty())
    return UsageError("--key and --request: the dataset's row says them itself");
  LARDER_ASSIGN_OR_RETURN(const std::optional<DatasetManifest> manifest,
                          FindManifest(arguments.dataset));
  if (!manifest) {
    return NotFoundError("no manifest beside ", arguments.dataset, ": ",
                         ManifestPath(arguments.dataset));
  }
  LARDER_ASSIGN_OR_RETURN(const Batch rows,
                          ReadDataset(arguments.dataset, &manifest->content.columns));
  if (arguments.row < 1 || arguments.row > rows.row_count()) {
    return UsageError("--row: expected 1 to ", rows.row_count(), ", the rows of ",
                      arguments.dataset, "; found ", arguments.row);
  }
  DatasetRowRequest request;
  request.manifest = *manifest;
  request.feature = arguments.feature;
  request.items_max = arguments.limit;
  const std::vector<std::size_t> one = {static_cast<std::size_t>(arguments.row - 1)};
  request.row = TakeRows(rows, one);
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const DatasetRowExplanation explanation,
                          ExplainDatasetRow(store, request));
  console.out << (arguments.format == Format::kJson
                      ? DatasetRowJson(explanation)
                      : DatasetRowText(explanation,
                                       Concat("row ", arguments.row, " of ", arguments.dataset)));
  return absl::OkStatus();
}

}  // namespace

absl::Status Explain(const ExplainArguments& arguments, Console& console) {
  if (!arguments.dataset.empty()) return ExplainDataset(arguments, console);
  LARDER_ASSIGN_OR_RETURN(const ExplainRequest request, RequestFor(arguments));
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const Explanation explanation, store.Explain(request));
  console.out << (arguments.format == Format::kJson ? ExplanationJson(explanation)
                                                    : ExplanationText(explanation));
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
