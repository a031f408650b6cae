#include "larder/feature_store/dataset_row.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "larder/base/text.h"
#include "larder/feature_store.h"
#include "larder/schema/reference.h"

namespace larder::inline LARDER_ABI {
namespace {

using Kind = ExplanationStep::Kind;

bool IsNan(const Value& value) {
  const auto* wide = value.As<double>();
  const auto* narrow = value.As<float>();
  return (wide != nullptr && std::isnan(*wide)) || (narrow != nullptr && std::isnan(*narrow));
}

bool SameInFiles(const Value& a, const Value& b) { return a == b || (IsNan(a) && IsNan(b)); }

// What both sides have, whatever they read: not versions, events and tiles.
bool IsShared(Kind kind) {
  return kind != Kind::kVersion && kind != Kind::kEvent && kind != Kind::kTile;
}

std::vector<std::size_t> SharedSteps(const Explanation& explanation) {
  std::vector<std::size_t> shared;
  for (std::size_t i = 0; i < explanation.steps.size(); ++i) {
    if (IsShared(explanation.steps[i].kind)) shared.push_back(i);
  }
  return shared;
}

// Whether there is a row, and one in time, is all that a row's status says.
bool Differ(const ExplanationStep& a, const ExplanationStep& b) {
  if (a.kind != b.kind || a.name != b.name || !(a.value == b.value)) return true;
  return a.kind == Kind::kRow && (a.event_time != b.event_time || a.status != b.status);
}

// Single features may be called `view__feature`.
bool HasFullNames(const DatasetManifest& manifest) {
  return std::any_of(
      manifest.features.begin(), manifest.features.end(), [&](const std::string& feature) {
        const absl::StatusOr<FeatureReference> reference = ParseFeatureReference(feature);
        if (!reference.ok()) return false;
        const std::string full = Concat(reference->view.name, "__", reference->feature);
        return std::any_of(manifest.content.columns.begin(), manifest.content.columns.end(),
                           [&full](const ColumnContent& column) { return column.name == full; });
      });
}

// The request that made a set, for one of its rows.
absl::StatusOr<HistoricalRequest> RequestAgain(const DatasetManifest& manifest, const Batch& row,
                                               const std::vector<std::string>& features) {
  HistoricalRequest request;
  request.what.project = manifest.project;
  request.what.service = manifest.service;
  if (manifest.service.empty()) {
    request.what.features = manifest.features;
    request.what.full_feature_names = HasFullNames(manifest);
  }
  request.time_column = manifest.time_column;
  request.spine_sources = manifest.spine_sources;
  const auto& views = manifest.views;
  const auto all_are = [&views](std::string_view known_at) {
    return !views.empty() && std::all_of(views.begin(), views.end(), [&](const auto& view) {
      return view.known_at == known_at;
    });
  };
  // Otherwise each view has the rule of its source, as without an option.
  if (all_are("any")) request.known_at = KnownAt::kAny;
  if (all_are("spine")) request.known_at = KnownAt::kSpine;
  for (std::size_t c = 0; c < row.column_count(); ++c) {
    if (std::find(features.begin(), features.end(), row.name(c)) != features.end()) continue;
    LARDER_RETURN_IF_ERROR(request.spine.AddColumn(row.name(c), row.column(c)));
  }
  return request;
}

// The columns that the set's service gives; of single features those that are called as their outputs would be.
absl::StatusOr<std::vector<std::string>> FeaturesOf(const FeatureStore& store,
                                                    const DatasetManifest& manifest) {
  std::vector<std::string> names;
  if (manifest.service.empty()) {
    for (const std::string& feature : manifest.features) {
      LARDER_ASSIGN_OR_RETURN(const FeatureReference reference, ParseFeatureReference(feature));
      names.push_back(HasFullNames(manifest) ? Concat(reference.view.name, "__", reference.feature)
                                             : reference.feature);
    }
    return names;
  }
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const ServiceVersion* const service,
                          catalog.GetService(manifest.project, manifest.service));
  for (const ServiceOutput& output : service->outputs) names.push_back(output.name);
  return names;
}

// What the set was made from, compared with what its row is made from now.
std::vector<std::string> ChangesSince(DatasetManifest then, const DatasetManifest& now) {
  then.spine_sha256 = now.spine_sha256;
  then.selection = now.selection;
  then.features = now.features;
  return CompareManifests(then, now);
}

}  // namespace

bool DatasetCell::is_stale() const { return in_dataset && !SameInFiles(*in_dataset, trained); }
bool DatasetCell::is_parted() const { return served && !(*served == trained); }

std::optional<std::pair<std::size_t, std::size_t>> FirstDifference(const Explanation& a,
                                                                   const Explanation& b) {
  const std::vector<std::size_t> of_a = SharedSteps(a);
  const std::vector<std::size_t> of_b = SharedSteps(b);
  for (std::size_t i = 0; i < std::min(of_a.size(), of_b.size()); ++i) {
    if (Differ(a.steps[of_a[i]], b.steps[of_b[i]])) return std::pair(of_a[i], of_b[i]);
  }
  if (of_a.size() == of_b.size()) return std::nullopt;
  return std::pair(a.steps.size() - 1, b.steps.size() - 1);
}

absl::StatusOr<DatasetRowExplanation> ExplainDatasetRow(const FeatureStore& store,
                                                        const DatasetRowRequest& request) {
  if (request.row.row_count() != 1)
    return InvalidArgumentError("one row is explained at a time, found ", request.row.row_count());
  LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> features,
                          FeaturesOf(store, request.manifest));
  LARDER_ASSIGN_OR_RETURN(HistoricalRequest training,
                          RequestAgain(request.manifest, request.row, features));
  training.manifest = true;
  LARDER_ASSIGN_OR_RETURN(const TrainingSet set, store.GetHistoricalFeatures(training));
  DatasetRowExplanation result;
  result.as_of = Timestamp{set.rows.Find(set.time_column)->Values<int64_t>()[0]};
  const bool knows = std::any_of(set.views.begin(), set.views.end(),
                                 [](const auto& view) { return view.known_at == KnownAt::kSpine; });
  if (knows) result.known_at = result.as_of;
  result.changes = ChangesSince(request.manifest, *set.manifest);

  OnlineRequest online;
  online.what = training.what;
  online.rows = {training.spine.RowAt(0)};
  online.as_of = result.as_of;
  online.known_at = result.known_at;
  online.ignore_unknown_columns = true;
  const absl::StatusOr<OnlineResponse> response = store.GetOnlineFeatures(online);
  if (!response.ok()) result.why_not_served = MessageOf(response.status());
  for (const TrainingFeature& feature : set.features) {
    DatasetCell& cell = result.cells.emplace_back();
    cell.feature = feature.name;
    if (const Column* column = request.row.Find(feature.name)) cell.in_dataset = column->ValueAt(0);
    cell.trained = set.rows.Find(feature.name)->ValueAt(0);
    cell.trained_status = feature.statuses[0];
    if (!response.ok()) continue;
    const FeatureValues* const values = response->Find(feature.name);
    if (values == nullptr) continue;
    cell.served = values->values.ValueAt(0);
    cell.served_status = values->statuses[0];
  }

  std::string feature = request.feature;
  const auto differs = [](const DatasetCell& cell) { return cell.is_parted() || cell.is_stale(); };
  if (feature.empty()) {
    auto cell = std::find_if(result.cells.begin(), result.cells.end(),
                             [](const DatasetCell& one) { return one.is_parted(); });
    if (cell == result.cells.end())
      cell = std::find_if(result.cells.begin(), result.cells.end(), differs);
    if (cell == result.cells.end()) return result;
    feature = cell->feature;
  }
  ExplainRequest explain;
  explain.what = training.what;
  explain.feature = feature;
  explain.items_max = request.items_max;
  training.manifest = false;
  explain.training = training;
  LARDER_ASSIGN_OR_RETURN(result.trained, store.Explain(explain));
  explain.training.reset();
  explain.row = online.rows[0];
  explain.as_of = online.as_of;
  explain.known_at = online.known_at;
  explain.ignore_unknown_columns = true;
  absl::StatusOr<Explanation> served = store.Explain(explain);
  if (served.ok()) {
    result.served = *std::move(served);
    result.parting = FirstDifference(*result.trained, *result.served);
  } else if (result.why_not_served.empty()) {
    result.why_not_served = MessageOf(served.status());
  }
  return result;
}

}  // namespace larder::inline LARDER_ABI
