#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "feature_store/event_mapper.h"
#include "feature_store/generation_history.h"
#include "feature_store/key_encoding.h"
#include "feature_store/load_checks.h"
#include "feature_store/load_columns.h"
#include "feature_store/row_writing.h"
#include "feature_store/source_batches.h"
#include "feature_store/store_impl.h"
#include "feature_store/tables.h"
#include "feature_store/window_writer.h"
#include "larder/column/take_rows.h"
#include "larder/io/source_reader.h"
#include "larder/online/generation.h"
#include "larder/registry/rollback.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr Duration kArrivalSlackDefault = Duration::Minutes(10);

// One view's part of a load, read and mapped before the write lock is taken.
struct PreparedLoad {
  const ViewVersion* view = nullptr;
  LoadRange range;
  ViewLoad report;
  std::vector<MappedBatch> batches;
  std::shared_ptr<const WindowPlan> windows;  // of a view with aggregates: then nothing is built
  std::vector<std::size_t> source_numbers;    // beside `batches`: WindowEvents
  std::optional<RowWriter> writer;
  std::optional<GenerationBuilder> generation;  // built from them
  bool held = false;                            // built and checked, not published
  bool required = true;                         // else it is left out when it fails
};

class ViewReader {
 public:
  ViewReader(const Catalog& catalog, const MaterializeOptions& options,
             const CompileOptions& compile)
      : catalog_(catalog), options_(options), compile_(compile) {}

  // Reads and checks everything; writes nothing.
  absl::StatusOr<PreparedLoad> Read(const ViewVersion& view, const LoadRange& range) const {
    PreparedLoad load;
    load.view = &view;
    load.range = range;
    load.report.view = view.ToString();
    load.report.start = range.start;
    load.report.end = range.end;
    if (!view.is_aggregate()) {
      LARDER_RETURN_IF_ERROR(ReadSource(view, 0, &load));
      return load;
    }
    LARDER_ASSIGN_OR_RETURN(WindowPlan plan, WindowPlan::Make(view, compile_));
    load.windows = std::make_shared<const WindowPlan>(std::move(plan));
    for (std::size_t number = 0; number <= view.union_sources.size(); ++number) {
      // Pushed ones have no rows to read.
      if (WindowSource(view, number, true).kind == SourceKind::kPush) continue;
      LARDER_RETURN_IF_ERROR(ReadSource(load.windows->rows(), number, &load));
    }
    return load;
  }

  void Report(const PreparedLoad& load, bool done) const {
    if (!options_.progress) return;
    options_.progress({load.report.view, load.report.rows_read,
                       static_cast<int64_t>(load.report.rows.written), done});
  }

 private:
  // `rows`: the view, or what its windows read.
  absl::Status ReadSource(const ViewVersion& rows, std::size_t number, PreparedLoad* load) const {
    const Source& source = WindowSource(rows, number, true);
    LARDER_ASSIGN_OR_RETURN(const EventMapper mapper, EventMapper::Make(rows, source, compile_));
    const SourcePlaces places{catalog_.DefinitionsOf(rows.project).base_path, options_.sources};
    LARDER_ASSIGN_OR_RETURN(SourceBatches reader,
                            SourceBatches::Open(source, places, options_.strict));
    const bool strict = options_.strict.value_or(source.format.strict);
    while (true) {
      LARDER_ASSIGN_OR_RETURN(std::shared_ptr<const Batch> batch, reader.Next());
      if (batch == nullptr) break;
      LARDER_RETURN_IF_ERROR(Take(mapper, reader, strict, std::move(batch), load));
      load->source_numbers.resize(load->batches.size(), number);
      Report(*load, false);
    }
    const ReadCounts& counts = reader.counts();
    load->report.rows_bad += counts.bad_rows;
    load->report.first_reasons.insert(load->report.first_reasons.end(),
                                      counts.first_reasons.begin(), counts.first_reasons.end());
    load->report.floored_timestamps += counts.floored_timestamps;
    load->report.integral_decimals += counts.integral_decimals;
    return absl::OkStatus();
  }

  absl::Status Take(const EventMapper& mapper, const SourceBatches& reader, bool strict,
                    std::shared_ptr<const Batch> batch, PreparedLoad* load) const {
    load->report.rows_read += static_cast<int64_t>(batch->row_count());
    LARDER_ASSIGN_OR_RETURN(const LoadColumns columns,
                            LoadColumns::Find(*load->view, mapper, *batch));
    if (!columns.AllAreIn(load->range)) {
      LARDER_ASSIGN_OR_RETURN(batch, Choose(columns, reader, strict, std::move(batch), load));
      if (batch == nullptr) return absl::OkStatus();
    }
    EvalCounts counts;
    MappedBatch& loaded = load->batches.emplace_back();
    loaded.batch = std::move(batch);
    LARDER_ASSIGN_OR_RETURN(loaded.events, mapper.Map(*loaded.batch, &counts));
    load->report.expressions_nulled += counts.total();
    return absl::OkStatus();
  }

  // The rows that the load takes; null: none.
  static absl::StatusOr<std::shared_ptr<const Batch>> Choose(const LoadColumns& columns,
                                                             const SourceBatches& reader,
                                                             bool strict,
                                                             std::shared_ptr<const Batch> batch,
                                                             PreparedLoad* load) {
    std::vector<std::size_t> kept;
    kept.reserve(batch->row_count());
    for (std::size_t row = 0; row < batch->row_count(); ++row) {
      const std::string problem = columns.ProblemOf(row);
      if (!problem.empty()) {
        if (strict) return InvalidArgumentError(reader.PlaceOf(row), ": ", problem);
        ++load->report.rows_bad;
        if (load->report.first_reasons.size() < kReasonsMax) {
          load->report.first_reasons.push_back(Concat(reader.PlaceOf(row), ": ", problem));
        }
        continue;
      }
      if (columns.IsIn(load->range, row)) {
        kept.push_back(row);
      } else {
        ++load->report.rows_outside;
      }
    }
    if (kept.empty()) return std::shared_ptr<const Batch>();
    if (kept.size() == batch->row_count()) return batch;
    return std::make_shared<const Batch>(TakeRows(*batch, kept));
  }

  const Catalog& catalog_;
  const MaterializeOptions& options_;
  const CompileOptions& compile_;
};

// Builds the generation that a load leads to.
absl::Status Build(const LoadLease& lease, const MaterializeOptions& options, PreparedLoad* load) {
  const ViewVersion& view = *load->view;
  if (load->windows != nullptr) return absl::OkStatus();  // events join those there are
  LARDER_ASSIGN_OR_RETURN(RowWriter made, RowWriter::Make(view, view.offline_source()));
  const RowWriter& writer = load->writer.emplace(std::move(made));
  GenerationOptions generation;
  generation.view_id = view.data_id;
  generation.layout = &writer.layout();
  generation.thread_count = options.thread_count;
  // A file without event times says what holds now: it replaces what the last one said, row for row.
  generation.replace =
      options.full || (view.source.kind != SourceKind::kPush && view.source.event_time.empty());
  LARDER_ASSIGN_OR_RETURN(GenerationBuilder builder, GenerationBuilder::Begin(lease, generation));
  for (const MappedBatch& loaded : load->batches)
    LARDER_RETURN_IF_ERROR(writer.Load(builder, loaded.events, load->range.end));
  load->batches.clear();
  if (options.strict.value_or(view.offline_source().format.strict))
    LARDER_RETURN_IF_ERROR(RowWriter::RefuseRejected(load->report.view, builder.rejected()));
  LARDER_ASSIGN_OR_RETURN(load->report.rows, builder.Build());
  load->generation.emplace(std::move(builder));
  return absl::OkStatus();
}

// What a load of a view with aggregates tells: events with an id by their id, others in place of all those it covers.
absl::Status WriteWindows(WriteTransaction& transaction, bool full, PreparedLoad* load) {
  const ViewVersion& view = *load->view;
  LARDER_ASSIGN_OR_RETURN(WindowWriter writer,
                          WindowWriter::Open(view, *load->windows, transaction));
  const LoadRange& range = load->range;
  const auto is_pushed_only = [&](std::size_t source) {
    return WindowSource(view, source, true).kind == SourceKind::kPush;
  };
  const auto is_told = [&](const WindowKeyEdit::Told& told) -> absl::StatusOr<bool> {
    const auto& [known_us, rank, from_batch, source] = told.trailer;
    const bool is_outside =
        told.time_us > range.end.us || (range.start && told.time_us < range.start->us);
    if (is_pushed_only(source)) return false;
    if (full) {
      LARDER_ASSIGN_OR_RETURN(const bool is_from_batch, told.IsFromBatch());
      if (is_from_batch) return true;
    }
    if (!told.id.empty() || is_outside) return false;
    return !from_batch || !range.arrived_since || told.time_us > range.loaded_to.us ||
           known_us >= range.arrived_since->us;
  };
  TimeRange told_again = {INT64_MIN, INT64_MAX};
  if (!full) {
    if (range.start) told_again.from_us = range.start->us;
    told_again.to_us = range.end.Plus(Duration{1}).us;
  }
  LARDER_RETURN_IF_ERROR(writer.Remove(told_again, is_told));
  if (full) {
    LARDER_RETURN_IF_ERROR(writer
                               .RemoveIds([&](const WindowId& id) {
                                 return id.from_batch && !is_pushed_only(id.source);
                               })
                               .status());
  }
  load->report.rows = {};
  const WindowWriter::Terms terms{true, range.end, true};
  for (std::size_t i = 0; i < load->batches.size(); ++i) {
    const std::size_t number = load->source_numbers[i];
    LARDER_ASSIGN_OR_RETURN(
        const RowsResult rows,
        writer.Add(load->batches[i].events, WindowSource(view, number, true), number, terms));
    load->report.rows += rows;
  }
  return writer.Finish();
}

// Whether it may become live.
absl::Status Check(const PreparedLoad& load, const MaterializeOptions& options,
                   const CompileOptions& compile, Timestamp now) {
  const ViewVersion& view = *load.view;
  const bool has_none = view.definition.validators.empty() && !options.validate;
  if (has_none || load.windows != nullptr) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(GenerationSummary generation, load.generation->Summarize());
  const LoadSummary summary = SummaryOf(view, std::move(generation));
  LARDER_RETURN_IF_ERROR(CheckValidators(view, summary, compile, now));
  if (!options.validate) return absl::OkStatus();
  const absl::Status status = options.validate(summary);
  return status.ok() ? status : Annotate(status, Concat("feature view ", view.ToString()));
}

// Why a view cannot be loaded; empty when it can.
std::string WhyNot(const ViewVersion& view) {
  const Source& source = view.offline_source();
  if (source.kind == SourceKind::kPush)
    return Concat("source ", source.name, " is push only: nothing to load from");
  return WhyUnreadable(source);
}

// A version to load. Older versions that are kept up are loaded too, but cannot stop the rest.
struct ChosenView {
  const ViewVersion* view = nullptr;
  bool required = true;
};

// A bare name means its current version and all others that are kept up; `name@3` that version alone.
absl::StatusOr<std::vector<ChosenView>> ChooseViews(const Catalog& catalog,
                                                    const MaterializeOptions& options, Timestamp now,
                                                    std::vector<std::string>* skipped) {
  std::vector<ChosenView> chosen;
  std::set<uint32_t> data_ids;  // versions that share rows are loaded once
  const auto choose = [&](const ViewVersion* view, bool required) {
    if (data_ids.insert(view->data_id).second) chosen.push_back({view, required});
  };
  std::set<std::pair<std::string, std::string>> bare;  // project and name; none given: all
  for (const std::string& name : options.views) {
    LARDER_ASSIGN_OR_RETURN(const ViewVersion* view, catalog.GetView(options.project, name));
    if (const std::string why = WhyNot(*view); !why.empty()) {
      return UnimplementedError("feature view ", view->ToString(), ": ", why);
    }
    choose(view, true);
    if (name.find('@') == std::string::npos) bare.emplace(view->project, view->name);
  }
  if (options.views.empty()) {
    for (const ViewVersion* view : catalog.Views(options.project)) {
      if (const std::string why = WhyNot(*view); !why.empty()) {
        skipped->push_back(Concat(view->ToString(), ": ", why));
      } else {
        choose(view, true);
      }
    }
  }
  for (const ViewVersion* view : catalog.MaintainedViews(options.project, now)) {
    const bool asked = options.views.empty() || bare.count({view->project, view->name}) > 0;
    if (asked && WhyNot(*view).empty()) choose(view, false);
  }
  return chosen;
}

}  // namespace

absl::StatusOr<MaterializeResult> FeatureStore::Materialize(const MaterializeOptions& options) {
  LARDER_RETURN_IF_ERROR(impl_->CheckWritable());
  const Timestamp now = Now();
  MaterializeResult result;
  const Timestamp end = std::min(options.end.value_or(now), now);
  result.end_clamped = options.end.has_value() && *options.end > now;
  if (options.start && *options.start > end) {
    return InvalidArgumentError("start ", FormatTimestamp(*options.start), " is after end ",
                                FormatTimestamp(end));
  }
  std::vector<PreparedLoad> loads;
  Catalog catalog;
  {
    LARDER_ASSIGN_OR_RETURN(ReadSession session, ReadSession::Open(impl_->environment));
    LARDER_ASSIGN_OR_RETURN(catalog, impl_->CatalogIn(session));
    LARDER_ASSIGN_OR_RETURN(const std::vector<ChosenView> views,
                            ChooseViews(catalog, options, now, &result.skipped));
    std::vector<std::pair<ChosenView, LoadRange>> work;
    for (const ChosenView& choice : views) {
      const ViewVersion* view = choice.view;
      LoadRange range;
      range.start = options.start;
      range.end = end;
      LARDER_ASSIGN_OR_RETURN(const LoadRecord record, LoadRecordIn(session, view->data_id));
      if (options.incremental && record.loaded) {
        const Source& source = view->offline_source();
        if (source.arrival_time.empty()) {
          range.start = record.to.Minus(source.late_by.value_or(Duration{}));
        } else {
          range.loaded_to = record.to;
          range.arrived_since = record.to.Minus(source.arrival_slack.value_or(kArrivalSlackDefault));
        }
      }
      work.emplace_back(choice, range);
    }
    std::vector<const Source*> read;
    for (const ChosenView& choice : views) {
      const std::vector<const Source*> sources = choice.view->offline_sources();
      read.insert(read.end(), sources.begin(), sources.end());
    }
    LARDER_RETURN_IF_ERROR(CheckGiven(options.sources, read));
    session.Release();  // reading sources takes long; a held snapshot would keep pages from reuse
    const ViewReader reader(catalog, options, impl_->compile);
    for (const auto& [choice, range] : work) {
      const ViewVersion* view = choice.view;
      absl::StatusOr<PreparedLoad> load = reader.Read(*view, range);
      if (!load.ok() && !choice.required) {
        result.skipped.push_back(Concat(view->ToString(), ": ", MessageOf(load.status())));
        continue;
      }
      if (!load.ok()) return Annotate(load.status(), Concat("feature view ", view->ToString()));
      load->required = choice.required;
      load->held = IsHeld(catalog, view->project, view->name);
      if (load->held) {
        result.held.push_back(view->ToString());
        if (view->definition.validators.empty() && !options.validate) continue;
      }
      loads.push_back(*std::move(load));
    }
  }
  if (loads.empty()) return result;

  // Everything is read and good. The new generations are built beside the live ones and published together.
  LARDER_ASSIGN_OR_RETURN(const LoadLease lease, LoadLease::Acquire(impl_->environment));
  const auto build = [&]() -> absl::Status {
    for (PreparedLoad& load : loads) {
      absl::Status status = Build(lease, options, &load);
      if (status.ok()) status = Check(load, options, impl_->compile, now);
      if (status.ok()) continue;
      if (load.required) return status;
      result.skipped.push_back(Concat(load.view->ToString(), ": ", MessageOf(status)));
      load.held = true;
    }
    return absl::OkStatus();
  };
  if (absl::Status status = build(); !status.ok()) {
    // What cannot be freed now is freed by the next load.
    static_cast<void>(lease.FreeUnfinished());
    return status;
  }
  const auto held =
      std::count_if(loads.begin(), loads.end(), [](const PreparedLoad& load) { return load.held; });
  if (held == std::ssize(loads)) {
    LARDER_RETURN_IF_ERROR(lease.FreeUnfinished());
    return result;
  }

  const auto change = [&](WriteTransaction& transaction) -> absl::Status {
    LARDER_RETURN_IF_ERROR(CheckUnchanged(transaction, catalog));
    LARDER_ASSIGN_OR_RETURN(const uint64_t number, NextHistoryNumber(transaction));
    std::string detail;
    for (PreparedLoad& load : loads) {
      if (load.held) continue;
      if (load.windows != nullptr) {
        LARDER_RETURN_IF_ERROR(WriteWindows(transaction, options.full, &load));
      } else {
        LARDER_ASSIGN_OR_RETURN(const LiveBefore before, LiveNow(transaction, load.view->data_id));
        LARDER_RETURN_IF_ERROR(load.generation->Publish(transaction));
        LARDER_RETURN_IF_ERROR(NoteGeneration(transaction, number, load.view->data_id, before));
      }
      LARDER_ASSIGN_OR_RETURN(LoadRecord record, LoadRecordIn(transaction, load.view->data_id));
      record.from = record.loaded
                        ? std::min(record.from, load.range.start.value_or(Timestamp::Min()))
                        : load.range.start.value_or(Timestamp::Min());
      record.to = std::max(record.to, load.range.end);
      record.at = transaction.commit_time();
      record.loaded = true;
      record.rows_read = static_cast<uint64_t>(load.report.rows_read);
      LARDER_RETURN_IF_ERROR(
          transaction.PutRecord(kLoadTable, BigEndianKey(load.view->data_id), record.Serialize()));
      detail += Concat(detail.empty() ? "" : ", ", load.report.view, " ", load.report.rows.written,
                       " rows");
    }
    HistoryEntry entry;
    entry.number = number;
    entry.time = transaction.commit_time();
    entry.kind = HistoryKind::kPublish;
    entry.detail = detail;
    return PutHistory(transaction, entry);
  };
  LARDER_ASSIGN_OR_RETURN(result.commit_seq, RunWriteTransaction(impl_->environment, change));
  // The load stands; what cannot be freed now is freed by the next one.
  if (held > 0) static_cast<void>(lease.FreeUnfinished());
  const ViewReader reader(catalog, options, impl_->compile);
  for (PreparedLoad& load : loads) {
    if (load.held) continue;
    reader.Report(load, true);
    result.views.push_back(std::move(load.report));
  }
  return result;
}

}  // namespace larder::inline LARDER_ABI
