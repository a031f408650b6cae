#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "feature_store/event_mapper.h"
#include "feature_store/push.h"
#include "feature_store/row_writing.h"
#include "feature_store/store_impl.h"
#include "feature_store/tables.h"
#include "feature_store/widen.h"
#include "feature_store/window_writer.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<Batch> AsFields(const Source& source, const Batch& events) {
  std::vector<std::string> known;
  for (const Field& field : source.fields) known.push_back(field.name);
  Batch batch;
  for (std::size_t i = 0; i < events.column_count(); ++i) {
    const auto field = std::find_if(source.fields.begin(), source.fields.end(),
                                    [&](const Field& f) { return f.name == events.name(i); });
    if (field == source.fields.end()) {
      return InvalidArgumentError("source ", source.name, " has no field ", events.name(i),
                                  DidYouMean(events.name(i), known));
    }
    LARDER_ASSIGN_OR_RETURN(Column column,
                            WidenColumn(events.column(i), field->type,
                                        Concat("source ", source.name, ", field ", field->name)));
    LARDER_RETURN_IF_ERROR(batch.AddColumn(field->name, std::move(column)));
  }
  return batch;
}

absl::StatusOr<std::vector<Batch>> BatchesOf(const Source& source, std::span<const Row> rows,
                                             std::vector<std::vector<std::size_t>>* numbers) {
  // A name a row lacks is "untouched" to views with partial updates, so rows are grouped by the names they have.
  std::map<std::vector<std::string>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string> names;
    for (const auto& [name, value] : rows[i]) names.push_back(name);
    std::sort(names.begin(), names.end());
    groups[std::move(names)].push_back(i);
  }
  std::vector<Batch> batches;
  if (rows.empty()) {
    LARDER_ASSIGN_OR_RETURN(Batch empty, Batch::FromRows(rows, source.fields));
    batches.push_back(std::move(empty));
    numbers->emplace_back();
  }
  for (auto& [names, members] : groups) {
    std::vector<Field> fields;
    for (const Field& field : source.fields) {
      if (std::binary_search(names.begin(), names.end(), field.name)) fields.push_back(field);
    }
    std::vector<Row> alike;
    for (const std::size_t i : members) alike.push_back(rows[i]);
    absl::StatusOr<Batch> batch = Batch::FromRows(alike, fields);
    if (!batch.ok()) return Annotate(batch.status(), Concat("source ", source.name));
    batches.push_back(*std::move(batch));
    numbers->push_back(std::move(members));
  }
  return batches;
}

absl::StatusOr<const Source*> PushSource(const Catalog& catalog, std::string_view project,
                                         std::string_view name) {
  LARDER_ASSIGN_OR_RETURN(const Source* source, catalog.GetSource(project, name));
  if (source->kind != SourceKind::kPush) {
    return FailedPreconditionError("source ", source->name,
                                   " is loaded from files: declare a push source with ",
                                   "batch_source ", source->name, " and push to that");
  }
  return source;
}

namespace {

// A batch as one view's events.
struct PreparedEvents {
  MappedEvents events;
  std::size_t source_number = 0;  // among those the view reads: WindowEvents
  const PushedBatch* from = nullptr;
};

struct PreparedView {
  const ViewVersion* view = nullptr;
  std::shared_ptr<const WindowPlan> windows;  // of a view with aggregates
  std::vector<PreparedEvents> batches;
};

// Everything about a push but writing it: repeated whenever definitions changed meanwhile.
class PreparedPush {
 public:
  static absl::StatusOr<PreparedPush> Make(const FeatureStore::Impl& impl,
                                           std::span<const PushedBatch> batches,
                                           const PushOptions& options) {
    PreparedPush push;
    {
      LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl.environment));
      LARDER_ASSIGN_OR_RETURN(push.catalog_, impl.CatalogIn(session));
    }
    for (const PushedBatch& batch : batches) LARDER_RETURN_IF_ERROR(push.Add(impl, batch, options));
    // A version is fed all of a push or nothing.
    std::erase_if(push.views_, [&](const PreparedView& view) {
      return push.IsUnfed(*view.view) || view.batches.empty();
    });
    if (push.views_.empty()) return NoView(batches.front().source);
    return push;
  }

  // As a transaction's change.
  absl::Status Write(WriteTransaction& transaction, const PushOptions& options,
                     PushResult* result) const {
    *result = {};
    result->rows = rows_;
    result->not_fed = not_fed_;
    LARDER_RETURN_IF_ERROR(CheckUnchanged(transaction, catalog_));
    if (!options.batch_id.empty()) {
      LARDER_ASSIGN_OR_RETURN(const std::optional<uint64_t> before,
                              transaction.FindBatch(options.batch_id));
      if (before.has_value()) {
        result->repeated = true;
        result->commit_seq = *before;
        return absl::OkStatus();
      }
    }
    for (const PreparedView& view : views_)
      LARDER_RETURN_IF_ERROR(WriteView(transaction, view, options, result));
    // Last: what is refused before has left no trace, and so does not hold up the rest of its group.
    return options.batch_id.empty() ? absl::OkStatus() : transaction.RememberBatch(options.batch_id);
  }

 private:
  absl::Status Add(const FeatureStore::Impl& impl, const PushedBatch& batch,
                   const PushOptions& options) {
    LARDER_ASSIGN_OR_RETURN(const Source* source,
                            PushSource(catalog_, options.project, batch.source));
    LARDER_ASSIGN_OR_RETURN(Batch as_fields, AsFields(*source, *batch.batch));
    const Batch& fields = batches_.emplace_back(std::move(as_fields));
    rows_ += fields.row_count();
    bool is_stored = false;
    for (const ViewVersion* view :
         catalog_.ViewsOfSource(options.project, batch.source, impl.options.clock())) {
      if (IsUnfed(*view)) continue;
      PreparedEvents prepared;
      prepared.from = &batch;
      const absl::Status events = Map(impl, *view, fields, &prepared);
      if (events.ok()) {
        PreparedView& fed = ViewOf(*view);
        fed.batches.push_back(std::move(prepared));
        is_stored = true;
        continue;
      }
      // An old version that today's rows no longer feed must not stop the current one.
      const absl::StatusOr<const ViewVersion*> current = catalog_.GetView(view->project, view->name);
      if (current.ok() && (*current)->id == view->id) return events;
      unfed_.push_back(view->id);
      not_fed_.emplace_back(MessageOf(events));
    }
    return is_stored ? absl::OkStatus() : NoView(batch.source);
  }

  // With the version's own source: it means the same as long as it lives.
  absl::Status Map(const FeatureStore::Impl& impl, const ViewVersion& view, const Batch& fields,
                   PreparedEvents* out) {
    const ViewVersion* stored = &view;
    if (view.is_aggregate()) {
      std::shared_ptr<const WindowPlan>& windows = ViewOf(view).windows;
      if (windows == nullptr) {
        LARDER_ASSIGN_OR_RETURN(WindowPlan plan, WindowPlan::Make(view, impl.compile));
        windows = std::make_shared<const WindowPlan>(std::move(plan));
      }
      stored = &windows->rows();
      out->source_number = NumberOfSource(view, out->from->source);
    }
    const Source& source = WindowSource(*stored, out->source_number);
    LARDER_ASSIGN_OR_RETURN(const EventMapper mapper,
                            EventMapper::Make(*stored, source, impl.compile));
    LARDER_ASSIGN_OR_RETURN(out->events, mapper.Map(fields, nullptr));
    return absl::OkStatus();
  }

  static absl::Status NoView(std::string_view source) {
    return FailedPreconditionError("no feature view stores rows of source ", source);
  }

  [[nodiscard]] bool IsUnfed(const ViewVersion& view) const {
    return std::find(unfed_.begin(), unfed_.end(), view.id) != unfed_.end();
  }

  PreparedView& ViewOf(const ViewVersion& view) {
    const auto known = std::find_if(views_.begin(), views_.end(),
                                    [&](const PreparedView& v) { return v.view == &view; });
    return known != views_.end() ? *known : views_.emplace_back(PreparedView{&view, {}, {}});
  }

  static absl::Status WriteView(WriteTransaction& transaction, const PreparedView& view,
                                const PushOptions& options, PushResult* result) {
    std::optional<RowWriter> writer;
    std::optional<WindowWriter> windows;
    if (view.windows != nullptr) {
      LARDER_ASSIGN_OR_RETURN(WindowWriter opened,
                              WindowWriter::Open(*view.view, *view.windows, transaction));
      windows.emplace(std::move(opened));
    } else {
      LARDER_ASSIGN_OR_RETURN(RowWriter made, RowWriter::Make(*view.view, view.view->source));
      writer.emplace(std::move(made));
    }
    const WindowWriter::Terms terms{false, transaction.commit_time(), options.skip_bad};
    PushResult::PerView report{view.view->ToString(), {}};
    for (const PreparedEvents& batch : view.batches) {
      LARDER_ASSIGN_OR_RETURN(
          RowsResult rows,
          windows ? windows->Add(batch.events, WindowSource(*view.view, batch.source_number),
                                 batch.source_number, terms)
                  : writer->Push(transaction, batch.events, options.skip_bad));
      for (RowsResult::Rejected& rejected : rows.first_rejected) {
        if (!batch.from->numbers.empty()) rejected.row = batch.from->numbers[rejected.row];
      }
      report.rows += rows;
    }
    if (!options.skip_bad) {
      LARDER_RETURN_IF_ERROR(
          RowWriter::RefuseRejected(Concat("feature view ", report.view), report.rows));
    }
    if (windows) LARDER_RETURN_IF_ERROR(windows->Finish());
    result->skipped += report.rows.rejected_count();
    for (const RowsResult::Rejected& rejected : report.rows.first_rejected) {
      result->first_reasons.push_back(
          Concat(report.view, ", row ", rejected.row, ": ", RowRejectionName(rejected.reason)));
    }
    LARDER_ASSIGN_OR_RETURN(LoadRecord record, LoadRecordIn(transaction, view.view->data_id));
    record.pushed_rows += report.rows.written + report.rows.older;
    if (report.rows.written + report.rows.older > 0) record.pushed_at = transaction.commit_time();
    LARDER_RETURN_IF_ERROR(
        transaction.PutRecord(kLoadTable, BigEndianKey(view.view->data_id), record.Serialize()));
    result->views.push_back(std::move(report));
    return absl::OkStatus();
  }

  Catalog catalog_;
  std::deque<Batch> batches_;  // as the sources' fields; mapped events borrow from them
  std::size_t rows_ = 0;
  std::vector<PreparedView> views_;
  std::vector<uint32_t> unfed_;  // views that some batch does not fit
  std::vector<std::string> not_fed_;
};

absl::StatusOr<PushResult> PushOnce(const FeatureStore::Impl& impl,
                                    std::span<const PushedBatch> batches,
                                    const PushOptions& options) {
  LARDER_RETURN_IF_ERROR(impl.CheckWritable());
  LARDER_ASSIGN_OR_RETURN(const PreparedPush push, PreparedPush::Make(impl, batches, options));
  PushResult result;
  const absl::StatusOr<uint64_t> committed = RunGroupedWrite(
      impl.environment,
      [&](WriteTransaction& transaction) { return push.Write(transaction, options, &result); });
  if (!committed.ok()) return committed.status();
  if (!result.repeated) result.commit_seq = *committed;
  return result;
}

constexpr int kPushTries = 5;

}  // namespace

absl::StatusOr<PushResult> PushBatches(const FeatureStore::Impl& impl,
                                       std::span<const PushedBatch> batches,
                                       const PushOptions& options) {
  // An apply between mapping and writing is rare and costs one more mapping.
  absl::StatusOr<PushResult> result = PushOnce(impl, batches, options);
  for (int i = 1; i < kPushTries && KindOf(result.status()) == ErrorKind::kConflict; ++i) {
    result = PushOnce(impl, batches, options);
  }
  return result;
}

absl::StatusOr<PushResult> FeatureStore::Push(std::string_view source, const Batch& events,
                                              const PushOptions& options) {
  const PushedBatch batch{source, &events, {}};
  return PushBatches(*impl_, {&batch, 1}, options);
}

absl::StatusOr<PushResult> FeatureStore::Push(std::string_view source, std::span<const Row> events,
                                              const PushOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const Source* known, catalog.GetSource(options.project, source));
  std::vector<std::vector<std::size_t>> numbers;
  LARDER_ASSIGN_OR_RETURN(const std::vector<Batch> batches, BatchesOf(*known, events, &numbers));
  std::vector<PushedBatch> pushed;
  for (std::size_t i = 0; i < batches.size(); ++i)
    pushed.push_back({source, &batches[i], std::move(numbers[i])});
  return PushBatches(*impl_, pushed, options);
}

}  // namespace larder::inline LARDER_ABI
