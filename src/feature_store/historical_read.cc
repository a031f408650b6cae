#include "feature_store/historical_read.h"

#include <algorithm>
#include <utility>

#include "feature_store/input_rows.h"
#include "feature_store/source_join.h"
#include "feature_store/stored_history.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::StatusOr<FetchedUse> JoinUse(const FeatureStore::Impl& store, const BoundService& service,
                                   const BoundUse& use, const HistoricalRequest& request,
                                   const Spine& spine, std::span<const Column* const> key_columns,
                                   std::optional<ReadSession>* session,
                                   std::vector<TrainingViewReport>* reports) {
  LARDER_ASSIGN_OR_RETURN(JoinView join, MakeHistoricalJoin(use, request, spine, key_columns));
  JoinOptions options;
  options.thread_count = request.thread_count;
  options.audit = request.audit;
  if (request.progress) {
    options.progress = [&](const JoinProgress& now) {
      return request.progress(
          {use.view->ToString(), now.events, now.rows, static_cast<int64_t>(spine.row_count())});
    };
  }
  TrainingViewReport report{use.view->ToString(),
                            use.alias,
                            join.known_at,
                            use.view->offline_source().event_time.empty(),
                            IsFromStore(*use.view, request),
                            {}};
  FetchedUse fetched;
  if (report.from_store) {
    if (!session->has_value()) {
      LARDER_ASSIGN_OR_RETURN(*session, ReadSession::Open(store.environment));
    }
    LARDER_ASSIGN_OR_RETURN(fetched,
                            FetchHistory(**session, use, join, spine.times(),
                                         service.service->definition.partial, options.progress));
  } else {
    LARDER_ASSIGN_OR_RETURN(
        fetched.rows, JoinSource(*use.view, PlacesOf(service, *use.view, request), store.compile,
                                 spine.times(), std::move(join), options));
  }
  report.counts = fetched.rows.counts;
  reports->push_back(std::move(report));
  return fetched;
}

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

SourcePlaces PlacesOf(const BoundService& service, const ViewVersion& view,
                      const HistoricalRequest& request) {
  return {service.catalog.DefinitionsOf(view.project).base_path, request.sources};
}

absl::Status CheckSources(const BoundService& service, const HistoricalRequest& request) {
  std::vector<const Source*> read;
  for (const BoundUse& use : service.uses) {
    const std::vector<const Source*> sources = use.view->offline_sources();
    read.insert(read.end(), sources.begin(), sources.end());
  }
  LARDER_RETURN_IF_ERROR(CheckGiven(request.sources, read));
  for (const BoundUse& use : service.uses) {
    const ViewVersion& view = *use.view;
    if (!IsFromStore(view, request)) continue;
    const std::string what = Concat("feature view ", view.ToString(), ": what the store keeps of ",
                                    view.offline_source().name);
    if (request.memory_budget > 0) {
      return InvalidArgumentError(what, " is read for all rows at once: it does not go with a",
                                  " memory_budget, unless the source's history is given as rows");
    }
    if (request.leakage == LeakageAudit::kFail) {
      return InvalidArgumentError(what, " cannot be audited, so that no leak could be refused:",
                                  " give the source's history as rows, or ask for a report");
    }
  }
  return absl::OkStatus();
}

KnownAt KnownAtOf(const ViewVersion& view, std::optional<KnownAt> asked) {
  const std::vector<const Source*> sources = view.offline_sources();
  const bool some_has = std::any_of(sources.begin(), sources.end(),
                                    [](const Source* source) { return source->has_known_time(); });
  return asked.value_or(some_has ? KnownAt::kSpine : KnownAt::kAny);
}

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
  join.known_at = KnownAtOf(view, request.known_at);
  // Of what it was pushed the store knows the commit's time.
  if (request.known_at == KnownAt::kSpine && lacking != sources.end() &&
      !IsFromStore(view, request)) {
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

absl::StatusOr<AskedRows> AskedRows::Make(const BoundService& service, Batch rows,
                                          const std::string& time_column) {
  LARDER_ASSIGN_OR_RETURN(Spine spine, Spine::Make(std::move(rows), time_column));
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
  return AskedRows{std::move(spine), std::move(inputs), std::move(as_of)};
}

absl::StatusOr<HistoricalRead> ReadHistorical(const FeatureStore::Impl& store,
                                              const BoundService& service,
                                              const HistoricalRequest& request) {
  LARDER_ASSIGN_OR_RETURN(AskedRows asked,
                          AskedRows::Make(service, request.spine, request.time_column));
  std::vector<TrainingViewReport> reports;
  std::optional<ReadSession> session;  // one commit, for all that is read from the store
  const auto fetch = [&](std::size_t use, std::span<const Column* const> keys) {
    return JoinUse(store, service, service.uses[use], request, asked.spine, keys, &session,
                   &reports);
  };
  LARDER_ASSIGN_OR_RETURN(
      ComputedService computed,
      ComputeService(service, asked.inputs, asked.spine.row_count(), asked.as_of, fetch));
  std::optional<uint64_t> commit_seq;
  if (session) commit_seq = session->commit_seq();
  return HistoricalRead{std::move(asked), std::move(computed), std::move(reports), commit_seq};
}

absl::StatusOr<TrainingSet> ToTrainingSet(const BoundService& service, HistoricalRead read,
                                          bool audit) {
  TrainingSet set;
  set.service = service.name;
  set.time_column = read.spine.time_column();
  set.views = std::move(read.reports);
  set.commit_seq = read.commit_seq;
  set.rows = std::move(read.spine).TakeRows();
  for (std::size_t o = 0; o < read.computed.outputs.size(); ++o) {
    FeatureValues& values = read.computed.outputs[o];
    set.features.push_back(
        Describe(service, service.service->outputs[o], &values, read.computed, audit));
    LARDER_RETURN_IF_ERROR(set.rows.AddColumn(set.features.back().name, std::move(values.values)));
  }
  return set;
}

}  // namespace larder::inline LARDER_ABI
