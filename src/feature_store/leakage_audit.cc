#include "feature_store/leakage_audit.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "feature_store/audit_record.h"
#include "feature_store/label_audit.h"
#include "feature_store/row_audit.h"
#include "feature_store/source_events.h"
#include "feature_store/widen.h"
#include "feature_store/window_audit.h"
#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

class Audit {
 public:
  Audit(const FeatureStore::Impl& store, const BoundService& service,
        const HistoricalRequest& request, const HistoricalRead& read)
      : store_(store), service_(service), request_(request), read_(read) {}

  absl::StatusOr<LeakageReport> Run() {
    LeakageReport report;
    report.spine_times = read_.spine.times();
    for (std::size_t use = 0; use < service_.uses.size(); ++use) {
      LARDER_ASSIGN_OR_RETURN(AuditedView view, AuditUse(use));
      report.views.push_back(std::move(view));
    }
    for (std::size_t use = 0; use < service_.on_demand.size(); ++use)
      report.views.push_back(OnDemandView(use, report.views));
    LARDER_ASSIGN_OR_RETURN(report.labels, FindLabels(service_, request_, read_));
    return report;
  }

 private:
  absl::StatusOr<AuditedView> AuditUse(std::size_t number) {
    const BoundUse& use = service_.uses[number];
    const ViewVersion& view = *use.view;
    const std::vector<const Source*> sources = view.offline_sources();
    std::deque<Column> converted;
    AuditedUse of{use,
                  read_.spine.times(),
                  {},
                  read_.computed.uses[number].rows,
                  read_.reports[number].known_at,
                  nullptr};
    for (std::size_t k = 0; k < use.keys.size(); ++k) {
      LARDER_ASSIGN_OR_RETURN(const Column* key, KeyColumn(use, k, &converted));
      of.keys.push_back(key);
    }
    std::size_t source_of_ids = 0;
    LARDER_ASSIGN_OR_RETURN(of.own_ids, OwnIds(sources, &source_of_ids, &converted));
    const SourcePlaces places = PlacesOf(service_, view, request_);
    AuditedView audited;
    int64_t events = 0;
    if (read_.reports[number].from_store) {
      audited = CheckTimesOnly(of);
    } else if (use.windows == nullptr) {
      RowAudit audit(of);
      const auto add = [&](const MappedBatch& batch) {
        audit.Add(batch.events);
        events += static_cast<int64_t>(batch.events.row_count);
        return Report(view, events, 0);
      };
      LARDER_RETURN_IF_ERROR(VisitEvents(view, view.offline_source(), places, store_.compile, add));
      audited = std::move(audit).Finish();
    } else {
      WindowAudit audit(of, source_of_ids);
      for (std::size_t source = 0; source < sources.size(); ++source) {
        const auto add = [&](MappedBatch& batch) {
          events += static_cast<int64_t>(batch.events.row_count);
          audit.Add(std::move(batch), *sources[source], source);
          return Report(view, events, 0);
        };
        LARDER_RETURN_IF_ERROR(
            VisitEvents(use.windows->rows(), *sources[source], places, store_.compile, add));
      }
      const auto report = [&](int64_t rows) { return Report(view, events, rows); };
      LARDER_ASSIGN_OR_RETURN(audited, std::move(audit).Finish(report));
    }
    CompareOutputs(number, &audited);
    return audited;
  }

  [[nodiscard]] absl::Status Report(const ViewVersion& view, int64_t events, int64_t rows) const {
    if (!request_.progress) return absl::OkStatus();
    return request_.progress(
        {view.ToString(), events, rows, static_cast<int64_t>(read_.spine.row_count())});
  }

  // Of what the store itself gave: where a row has an event time, it is compared with the row's.
  static AuditedView CheckTimesOnly(const AuditedUse& of) {
    AuditRecord record(of);
    int64_t checked = 0;
    for (std::size_t row = 0; row < of.times.size(); ++row) {
      bool has_time = false;
      for (const JoinOutcome& outcome : of.claims.outcomes) {
        if (outcome.status[row] != FeatureStatus::kPresent || !outcome.event_time.IsValid(row))
          continue;
        const Contribution what{outcome.event_time.Values<int64_t>()[row], Contribution::kNone};
        record.Contribute(row, what);
        record.CheckTimes(row, what, false, false, "");
        has_time = true;
      }
      checked += has_time ? 1 : 0;
    }
    return std::move(record).Take(checked);
  }

  absl::StatusOr<const Column*> KeyColumn(const BoundUse& use, std::size_t k,
                                          std::deque<Column>* converted) const {
    const BoundKey& key = use.keys[k];
    const Column& column =
        key.use >= 0
            ? read_.computed
                  .features[static_cast<std::size_t>(key.use)][static_cast<std::size_t>(key.feature)]
                  .values
            : read_.inputs.column(static_cast<std::size_t>(key.input));
    const Field& declared = use.view->keys[k];
    if (column.type() == declared.type) return &column;
    LARDER_ASSIGN_OR_RETURN(Column made, WidenColumn(column, declared.type, declared.name));
    return &converted->emplace_back(std::move(made));
  }

  // The spine's column of event ids, if it has one that can be: a row is then known to be an event.
  absl::StatusOr<const Column*> OwnIds(const std::vector<const Source*>& sources,
                                       std::size_t* number, std::deque<Column>* converted) const {
    const auto drawn_from = [this](const Source* source) {
      return std::find(request_.spine_sources.begin(), request_.spine_sources.end(),
                       source->name) != request_.spine_sources.end();
    };
    const auto drawn = std::find_if(sources.begin(), sources.end(), drawn_from);
    if (drawn != sources.end()) *number = static_cast<std::size_t>(drawn - sources.begin());
    const Source& source = *sources[*number];
    const Column* const ids =
        source.event_id.empty() ? nullptr : read_.spine.rows().Find(source.event_id);
    if (ids == nullptr) return nullptr;
    const auto field = std::find_if(source.fields.begin(), source.fields.end(),
                                    [&](const Field& f) { return f.name == source.event_id; });
    if (field == source.fields.end() || ids->type() == field->type) return ids;
    absl::StatusOr<Column> made = WidenColumn(*ids, field->type, field->name, true);
    if (!made.ok()) return nullptr;  // another thing of the same name
    return &converted->emplace_back(*std::move(made));
  }

  // What is in the set is what was audited: a stored feature's value where the join says there is one.
  void CompareOutputs(std::size_t number, AuditedView* view) const {
    const BoundUse& use = service_.uses[number];
    const JoinedView& claims = read_.computed.uses[number].rows;
    std::vector<bool> is_told(read_.spine.row_count());
    for (std::size_t o = 0; o < service_.service->outputs.size(); ++o) {
      const ServiceOutput& output = service_.service->outputs[o];
      if (output.on_demand || static_cast<std::size_t>(output.use) != number) continue;
      const int place = use.ColumnOf(static_cast<std::size_t>(output.feature));
      const Column* const found = &read_.computed.outputs[o].values;
      if (place < 0) continue;
      const Column& claimed = claims.features[static_cast<std::size_t>(place)];
      if (claimed.type() != found->type()) continue;  // cast: not the value itself
      for (std::size_t row = 0; row < found->size(); ++row) {
        const bool is_same = !claimed.IsValid(row) || found->ValueAt(row) == claimed.ValueAt(row);
        if (is_same || is_told[row]) continue;
        is_told[row] = true;
        ++view->leaks[static_cast<std::size_t>(LeakKind::kUntraced)];
        if (view->examples.size() >= kLeakExamplesMax * kLeakKinds) continue;
        const Column& times = read_.spine.times();
        view->examples.push_back({LeakKind::kUntraced,
                                  row,
                                  "",
                                  output.name,
                                  {times.Values<int64_t>()[row]},
                                  std::nullopt,
                                  std::nullopt});
      }
    }
  }

  [[nodiscard]] AuditedView OnDemandView(std::size_t number,
                                         const std::vector<AuditedView>& audited) const {
    const BoundOnDemand& use = service_.on_demand[number];
    const std::size_t row_count = read_.spine.row_count();
    AuditedView view;
    view.view = use.view->ToString();
    view.is_on_demand = true;
    view.rows_checked = static_cast<int64_t>(row_count);
    std::vector<Contribution> rows(row_count);
    const auto us_of = [](const Column& column, std::size_t row) {
      return column.IsValid(row) ? column.Values<int64_t>()[row] : Contribution::kNone;
    };
    for (const BoundOnDemand::Input& input : use.inputs) {
      if (input.input >= 0) continue;
      const std::size_t from =
          input.use >= 0 ? static_cast<std::size_t>(input.use)
                         : service_.uses.size() + static_cast<std::size_t>(input.on_demand);
      view.timeless |= audited[from].timeless;
      for (std::size_t row = 0; row < row_count; ++row) {
        rows[row].Add({us_of(audited[from].newest_event_time, row),
                       us_of(audited[from].newest_known_time, row)});
      }
    }
    FillContributions(rows, &view);
    return view;
  }

  const FeatureStore::Impl& store_;
  const BoundService& service_;
  const HistoricalRequest& request_;
  const HistoricalRead& read_;
};

}  // namespace

absl::StatusOr<std::optional<LeakageReport>> AuditLeakage(const FeatureStore::Impl& store,
                                                          const BoundService& service,
                                                          const HistoricalRequest& request,
                                                          const HistoricalRead& read) {
  if (request.leakage == LeakageAudit::kNone) return std::optional<LeakageReport>();
  LARDER_ASSIGN_OR_RETURN(LeakageReport report, Audit(store, service, request, read).Run());
  const int64_t leaks = report.leak_count();
  if (request.leakage == LeakageAudit::kFail && leaks > 0) {
    return FailedPreconditionError("the leakage audit found ", leaks,
                                   leaks == 1 ? " leak" : " leaks", ":\n  ",
                                   Join(report.ToLines(), "\n  "));
  }
  return std::optional(std::move(report));
}

}  // namespace larder::inline LARDER_ABI
