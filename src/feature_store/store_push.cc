#include <algorithm>
#include <map>
#include <utility>

#include "feature_store/event_mapper.h"
#include "feature_store/row_writing.h"
#include "feature_store/store_impl.h"
#include "feature_store/tables.h"
#include "feature_store/widen.h"

namespace larder::inline LARDER_ABI {
namespace {

// The pushed columns as the source's fields: known names only, of the declared types.
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

struct PreparedView {
  const ViewVersion* view = nullptr;
  std::vector<MappedEvents> batches;
};

// With the version's own source: it means the same as long as it lives.
absl::StatusOr<PreparedView> MapView(const ViewVersion& view, std::span<const Batch> batches,
                                     const CompileOptions& options) {
  PreparedView mapped{&view, {}};
  LARDER_ASSIGN_OR_RETURN(const EventMapper mapper, EventMapper::Make(view, view.source, options));
  for (const Batch& batch : batches) {
    LARDER_ASSIGN_OR_RETURN(MappedEvents events, mapper.Map(batch, nullptr));
    mapped.batches.push_back(std::move(events));
  }
  return mapped;
}

absl::StatusOr<PushResult> PushOnce(const FeatureStore::Impl& impl, std::string_view source_name,
                                    std::span<const Batch> batches, const PushOptions& options) {
  LARDER_RETURN_IF_ERROR(impl.CheckWritable());
  LARDER_ASSIGN_OR_RETURN(ReadSession session, ReadSession::Open(impl.environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl.CatalogIn(session));
  session.Release();
  LARDER_ASSIGN_OR_RETURN(const Source* source, catalog.GetSource(options.project, source_name));
  if (source->kind != SourceKind::kPush) {
    return FailedPreconditionError("source ", source->name,
                                   " is loaded from files: declare a push source with ",
                                   "batch_source ", source->name, " and push to that");
  }
  PushResult result;
  std::vector<Batch> typed;
  for (const Batch& batch : batches) {
    LARDER_ASSIGN_OR_RETURN(Batch fields, AsFields(*source, batch));
    result.rows += fields.row_count();
    typed.push_back(std::move(fields));
  }
  std::vector<PreparedView> prepared;
  for (const ViewVersion* view :
       catalog.ViewsOfSource(options.project, source_name, impl.options.clock())) {
    // Only what is computed from rows; aggregates will read the event history.
    if (view->is_aggregate() || view->base_view.has_value()) continue;
    absl::StatusOr<PreparedView> mapped = MapView(*view, typed, impl.compile);
    if (mapped.ok()) {
      prepared.push_back(*std::move(mapped));
      continue;
    }
    // An old version that today's rows no longer feed must not stop the current one.
    const absl::StatusOr<const ViewVersion*> current = catalog.GetView(view->project, view->name);
    if (current.ok() && (*current)->id == view->id) return mapped.status();
    result.not_fed.push_back(std::string(MessageOf(mapped.status())));
  }
  if (prepared.empty()) {
    return FailedPreconditionError("no feature view stores rows of source ", source_name);
  }

  const auto change = [&](WriteTransaction& transaction) -> absl::Status {
    result.views.clear();
    result.skipped = 0;
    result.first_reasons.clear();
    LARDER_RETURN_IF_ERROR(CheckUnchanged(transaction, catalog));
    if (!options.batch_id.empty()) {
      LARDER_ASSIGN_OR_RETURN(const std::optional<uint64_t> before,
                              transaction.FindBatch(options.batch_id));
      if (before.has_value()) {
        result.repeated = true;
        result.commit_seq = *before;
        return AbortedError("repeated batch");
      }
      LARDER_RETURN_IF_ERROR(transaction.RememberBatch(options.batch_id));
    }
    for (const PreparedView& view : prepared) {
      LARDER_ASSIGN_OR_RETURN(const RowWriter writer,
                              RowWriter::Make(*view.view, view.view->source));
      PushResult::PerView report{view.view->ToString(), {}};
      for (const MappedEvents& events : view.batches) {
        LARDER_ASSIGN_OR_RETURN(const RowsResult rows, writer.Push(transaction, events));
        report.rows += rows;
      }
      if (!options.skip_bad) {
        LARDER_RETURN_IF_ERROR(
            RowWriter::RefuseRejected(Concat("feature view ", report.view), report.rows));
      }
      result.skipped += report.rows.rejected_count();
      for (const RowsResult::Rejected& rejected : report.rows.first_rejected) {
        result.first_reasons.push_back(
            Concat(report.view, ", row ", rejected.row, ": ", RowRejectionName(rejected.reason)));
      }
      LARDER_ASSIGN_OR_RETURN(LoadRecord record, LoadRecordIn(transaction, view.view->data_id));
      record.pushed_rows += report.rows.written + report.rows.older;
      if (report.rows.written + report.rows.older > 0) record.pushed_at = transaction.commit_time();
      LARDER_RETURN_IF_ERROR(
          transaction.PutRecord(kLoadTable, BigEndianKey(view.view->data_id), record.Serialize()));
      result.views.push_back(std::move(report));
    }
    return absl::OkStatus();
  };
  const absl::StatusOr<uint64_t> committed = RunWriteTransaction(impl.environment, change);
  if (result.repeated) return result;
  if (!committed.ok()) return committed.status();
  result.commit_seq = *committed;
  return result;
}

constexpr int kPushTries = 5;

// An apply between mapping and writing is rare and costs one more mapping.
absl::StatusOr<PushResult> PushBatches(const FeatureStore::Impl& impl, std::string_view source_name,
                                       std::span<const Batch> batches, const PushOptions& options) {
  absl::StatusOr<PushResult> result = PushOnce(impl, source_name, batches, options);
  for (int i = 1; i < kPushTries && KindOf(result.status()) == ErrorKind::kConflict; ++i) {
    result = PushOnce(impl, source_name, batches, options);
  }
  return result;
}

}  // namespace

absl::StatusOr<PushResult> FeatureStore::Push(std::string_view source, const Batch& events,
                                              const PushOptions& options) {
  return PushBatches(*impl_, source, {&events, 1}, options);
}

absl::StatusOr<PushResult> FeatureStore::Push(std::string_view source, std::span<const Row> events,
                                              const PushOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const Source* known, catalog.GetSource(options.project, source));
  // A name a row lacks is "untouched" to views with partial updates, so rows are grouped by the names they have.
  std::map<std::vector<std::string>, std::vector<Row>> groups;
  for (const Row& row : events) {
    std::vector<std::string> names;
    for (const auto& [name, value] : row) names.push_back(name);
    std::sort(names.begin(), names.end());
    groups[std::move(names)].push_back(row);
  }
  std::vector<Batch> batches;
  for (const auto& [names, rows] : groups) {
    std::vector<Field> fields;
    for (const Field& field : known->fields) {
      if (std::binary_search(names.begin(), names.end(), field.name)) fields.push_back(field);
    }
    absl::StatusOr<Batch> batch = Batch::FromRows(rows, fields);
    if (!batch.ok()) return Annotate(batch.status(), Concat("source ", source));
    batches.push_back(*std::move(batch));
  }
  return PushBatches(*impl_, source, batches, options);
}

}  // namespace larder::inline LARDER_ABI
