#include <algorithm>
#include <filesystem>
#include <utility>

#include "feature_store/compute.h"
#include "feature_store/input_rows.h"
#include "feature_store/source_join.h"
#include "feature_store/store_impl.h"
#include "feature_store/training_manifest.h"
#include "larder/io/csv_reader.h"
#include "larder/io/infer.h"
#include "larder/io/source_reader.h"
#include "larder/training/spine.h"

namespace larder::inline LARDER_ABI {
namespace {

// Joins the uses of one service against one spine.
class HistoricalFetch {
 public:
  HistoricalFetch(const FeatureStore::Impl& impl, const BoundService& service,
                  const HistoricalRequest& request, const Spine& spine)
      : impl_(impl), service_(service), request_(request), spine_(spine) {}

  absl::StatusOr<FetchedUse> Run(std::size_t u, std::span<const Column* const> key_columns) {
    const BoundUse& use = service_.uses[u];
    const Source& source = use.view->offline_source();
    LARDER_ASSIGN_OR_RETURN(JoinView join, MakeJoin(use, source, key_columns));
    JoinOptions options;
    options.thread_count = request_.thread_count;
    options.audit = request_.audit;
    TrainingViewReport report{
        use.view->ToString(), use.alias, join.known_at, source.event_time.empty(), {}};
    absl::StatusOr<JoinedView> joined =
        JoinSource(*use.view, service_.catalog.DefinitionsOf(use.view->project).base_path,
                   impl_.compile, spine_.times(), std::move(join), options);
    if (!joined.ok()) return joined.status();
    report.counts = joined->counts;
    reports.push_back(std::move(report));
    FetchedUse fetched;
    fetched.rows = *std::move(joined);
    return fetched;
  }

  std::vector<TrainingViewReport> reports;

 private:
  absl::StatusOr<JoinView> MakeJoin(const BoundUse& use, const Source& source,
                                    std::span<const Column* const> key_columns) const {
    const ViewVersion& view = *use.view;
    JoinView join = MakeJoinView(view, source, key_columns);
    // Without known times events count as known when they happen, beside others that have them.
    const std::vector<const Source*> sources = view.offline_sources();
    const auto lacks_known_time = [](const Source* from) { return !from->has_known_time(); };
    const auto lacking = std::find_if(sources.begin(), sources.end(), lacks_known_time);
    const bool none_has = std::all_of(sources.begin(), sources.end(), lacks_known_time);
    join.known_at = request_.known_at.value_or(none_has ? KnownAt::kAny : KnownAt::kSpine);
    if (request_.known_at == KnownAt::kSpine && lacking != sources.end()) {
      return InvalidArgumentError("known_at spine was asked for, but source ", (*lacking)->name,
                                  " of feature view ", view.ToString(),
                                  " declares neither arrival_time nor available_after");
    }
    const auto drawn_from = [&](const Source& from) {
      return std::find(request_.spine_sources.begin(), request_.spine_sources.end(), from.name) !=
             request_.spine_sources.end();
    };
    std::vector<std::size_t> own;  // of `sources`
    for (std::size_t i = 0; i < sources.size(); ++i) {
      if (drawn_from(*sources[i]) || (i == 0 && drawn_from(view.source))) own.push_back(i);
    }
    if (!own.empty() && view.boundary == Boundary::kAt && !view.definition.exclude_self) {
      return InvalidArgumentError("the spine is drawn from source ", sources[own[0]]->name,
                                  ", which feature view ", view.ToString(),
                                  " reads with boundary at: every row would see its own event; use",
                                  " exclude_self or boundary before");
    }
    if (view.definition.exclude_self) {
      if (sources.size() > 1 && own.size() != 1) {
        return InvalidArgumentError("exclude_self of ", view.ToString(),
                                    ", which reads several sources: say with spine_sources from",
                                    " which one of them the spine is drawn");
      }
      join.exclude_source = own.empty() ? 0 : own[0];
      LARDER_ASSIGN_OR_RETURN(join.exclude_event_id,
                              spine_.FindColumn(sources[join.exclude_source]->event_id,
                                                Concat("exclude_self of ", view.ToString())));
    }
    return join;
  }

  const FeatureStore::Impl& impl_;
  const BoundService& service_;
  const HistoricalRequest& request_;
  const Spine& spine_;
};

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
  LARDER_ASSIGN_OR_RETURN(Spine spine, Spine::Make(request.spine, request.time_column));
  LARDER_ASSIGN_OR_RETURN(const Batch inputs, InputsFromSpine(*service, spine.rows()));
  for (const ServiceOutput& output : service->service->outputs) {
    if (!spine.rows().IndexOf(output.name)) continue;
    return InvalidArgumentError("feature ", output.name,
                                " has the name of a spine column: rename the column or use",
                                " full_feature_names");
  }
  std::vector<Timestamp> as_of;
  as_of.reserve(spine.row_count());
  for (const int64_t us : spine.times().Values<int64_t>()) as_of.push_back({us});

  HistoryFiles files;
  if (request.manifest) {
    LARDER_ASSIGN_OR_RETURN(files, HistoryFiles::Look(*service));
  }
  HistoricalFetch fetch(*impl_, *service, request, spine);
  const auto fetch_use = [&](std::size_t use, std::span<const Column* const> keys) {
    return fetch.Run(use, keys);
  };
  LARDER_ASSIGN_OR_RETURN(ComputedService computed,
                          ComputeService(*service, inputs, spine.row_count(), as_of, fetch_use));
  TrainingSet set;
  set.service = service->name;
  set.revision = catalog.revision();
  set.time_column = spine.time_column();
  set.views = std::move(fetch.reports);
  set.rows = std::move(spine).TakeRows();
  for (std::size_t o = 0; o < computed.outputs.size(); ++o) {
    FeatureValues& values = computed.outputs[o];
    set.features.push_back(
        Describe(*service, service->service->outputs[o], &values, computed, request.audit));
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
