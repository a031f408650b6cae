#include <algorithm>
#include <filesystem>
#include <utility>

#include "feature_store/compute.h"
#include "feature_store/historical_read.h"
#include "feature_store/store_impl.h"
#include "feature_store/training_manifest.h"
#include "larder/io/csv_reader.h"
#include "larder/io/infer.h"
#include "larder/io/source_reader.h"

namespace larder::inline LARDER_ABI {
namespace {

TrainingFeature Describe(const BoundService& service, const ServiceOutput& output,
                         FeatureValues* values, const ComputedService& computed, bool audit) {
  TrainingFeature feature;
  feature.name = values->name;
  feature.statuses = std::move(values->statuses);
  feature.input_statuses = std::move(values->input_statuses);
  feature.event_times = std::move(values->event_times);
  if (!audit || output.on_demand) return feature;
  const auto use = static_cast<std::size_t>(output.use);
  const int stored =
      service.uses[use].view->features[static_cast<std::size_t>(output.feature)].stored;
  if (stored < 0) return feature;
  const JoinOutcome& outcome = computed.uses[use].rows.OutcomeOf(static_cast<std::size_t>(stored));
  feature.event_ids = outcome.event_id;
  feature.known_times = outcome.known_time;
  return feature;
}

}  // namespace

const TrainingFeature* TrainingSet::Find(std::string_view name) const& {
  for (const TrainingFeature& feature : features) {
    if (feature.name == name) return &feature;
  }
  return nullptr;
}

absl::StatusOr<TrainingSet> FeatureStore::GetHistoricalFeatures(
    const HistoricalRequest& request) const {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BoundService> service,
                          impl_->Resolve(catalog, request.what));
  HistoryFiles files;
  if (request.manifest) {
    LARDER_ASSIGN_OR_RETURN(files, HistoryFiles::Look(*service));
  }
  LARDER_ASSIGN_OR_RETURN(HistoricalRead read, ReadHistorical(*impl_, *service, request));
  TrainingSet set;
  set.service = service->name;
  set.revision = catalog.revision();
  set.time_column = read.spine.time_column();
  set.views = std::move(read.reports);
  set.rows = std::move(read.spine).TakeRows();
  for (std::size_t o = 0; o < read.computed.outputs.size(); ++o) {
    FeatureValues& values = read.computed.outputs[o];
    set.features.push_back(
        Describe(*service, service->service->outputs[o], &values, read.computed, request.audit));
    LARDER_RETURN_IF_ERROR(set.rows.AddColumn(set.features.back().name, std::move(values.values)));
  }
  if (request.manifest) {
    LARDER_ASSIGN_OR_RETURN(set.manifest, DescribeTrainingSet(*service, request, set, files));
  }
  return set;
}

absl::Status FeatureStore::LoadSpine(const std::string& path, HistoricalRequest* request) const {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BoundService> service,
                          impl_->Resolve(catalog, request->what));
  LARDER_ASSIGN_OR_RETURN(Source source, InferSource(path));
  source.format.strict = true;
  for (Field& field : source.fields) {
    const auto needed = std::find_if(service->inputs.begin(), service->inputs.end(),
                                     [&](const Field& input) { return input.name == field.name; });
    if (needed != service->inputs.end()) field.type = needed->type;
    if (field.name == request->time_column) field.type = TypeId::kTimestamp;
  }
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader, OpenSource(source));
  LARDER_ASSIGN_OR_RETURN(request->spine, ReadAll(*reader));

  // A spine that is a file of a source is drawn from that source, said or not; several may read one file.
  namespace fs = std::filesystem;
  std::error_code ignored;
  for (const Source* known : catalog.Sources(service->service->project)) {
    if (known->path.empty()) continue;
    const absl::StatusOr<std::vector<std::string>> files =
        ExpandPath(known->path, catalog.DefinitionsOf(service->service->project).base_path);
    if (!files.ok()) continue;  // not there: then it is not the spine's file either
    const bool same = std::any_of(files->begin(), files->end(), [&](const std::string& file) {
      return fs::equivalent(file, path, ignored);
    });
    if (same) request->spine_sources.push_back(known->name);
  }
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
