#include "feature_store/historical_read.h"

#include <algorithm>
#include <utility>

#include "feature_store/input_rows.h"
#include "feature_store/source_join.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::StatusOr<FetchedUse> JoinUse(const FeatureStore::Impl& store, const BoundService& service,
                                   const BoundUse& use, const HistoricalRequest& request,
                                   const Spine& spine, std::span<const Column* const> key_columns,
                                   std::vector<TrainingViewReport>* reports) {
  LARDER_ASSIGN_OR_RETURN(JoinView join, MakeHistoricalJoin(use, request, spine, key_columns));
  JoinOptions options;
  options.thread_count = request.thread_count;
  options.audit = request.audit;
  if (request.progress) {
    options.progress = [&](const JoinProgress& now) {
      return request.progress({use.view->ToString(), now.events, now.rows,
                               static_cast<int64_t>(spine.row_count())});
    };
  }
  TrainingViewReport report{use.view->ToString(),
                            use.alias,
                            join.known_at,
                            use.view->offline_source().event_time.empty(),
                            {}};
  FetchedUse fetched;
  LARDER_ASSIGN_OR_RETURN(
      fetched.rows, JoinSource(*use.view, service.catalog.DefinitionsOf(use.view->project).base_path,
                               store.compile, spine.times(), std::move(join), options));
  report.counts = fetched.rows.counts;
  reports->push_back(std::move(report));
  return fetched;
}

}  // namespace

absl::StatusOr<JoinView> MakeHistoricalJoin(const BoundUse& use, const HistoricalRequest& request,
                                            const Spine& spine,
                                            std::span<const Column* const> key_columns) {
  const ViewVersion& view = *use.view;
  const Source& source = view.offline_source();
  JoinView join = MakeJoinView(view, source, key_columns);
  // Without known times events count as known when they happen, beside others that have them.
  const std::vector<const Source*> sources = view.offline_sources();
  const auto lacks_known_time = [](const Source* from) { return !from->has_known_time(); };
  const auto lacking = std::find_if(sources.begin(), sources.end(), lacks_known_time);
  const bool none_has = std::all_of(sources.begin(), sources.end(), lacks_known_time);
  join.known_at = request.known_at.value_or(none_has ? KnownAt::kAny : KnownAt::kSpine);
  if (request.known_at == KnownAt::kSpine && lacking != sources.end()) {
    return InvalidArgumentError("known_at spine was asked for, but source ", (*lacking)->name,
                                " of feature view ", view.ToString(),
                                " declares neither arrival_time nor available_after");
  }
  const auto drawn_from = [&](const Source& from) {
    return std::find(request.spine_sources.begin(), request.spine_sources.end(), from.name) !=
           request.spine_sources.end();
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
                            spine.FindColumn(sources[join.exclude_source]->event_id,
                                             Concat("exclude_self of ", view.ToString())));
  }
  return join;
}

absl::StatusOr<HistoricalRead> ReadHistorical(const FeatureStore::Impl& store,
                                              const BoundService& service,
                                              const HistoricalRequest& request) {
  LARDER_ASSIGN_OR_RETURN(Spine spine, Spine::Make(request.spine, request.time_column));
  LARDER_ASSIGN_OR_RETURN(Batch inputs, InputsFromSpine(service, spine.rows()));
  for (const ServiceOutput& output : service.service->outputs) {
    if (!spine.rows().IndexOf(output.name)) continue;
    return InvalidArgumentError("feature ", output.name,
                                " has the name of a spine column: rename the column or use",
                                " full_feature_names");
  }
  std::vector<Timestamp> as_of;
  as_of.reserve(spine.row_count());
  for (const int64_t us : spine.times().Values<int64_t>()) as_of.push_back({us});

  std::vector<TrainingViewReport> reports;
  const auto fetch = [&](std::size_t use, std::span<const Column* const> keys) {
    return JoinUse(store, service, service.uses[use], request, spine, keys, &reports);
  };
  LARDER_ASSIGN_OR_RETURN(ComputedService computed,
                          ComputeService(service, inputs, spine.row_count(), as_of, fetch));
  return HistoricalRead{std::move(spine), std::move(inputs), std::move(as_of), std::move(computed),
                        std::move(reports)};
}

}  // namespace larder::inline LARDER_ABI
