#include "feature_store/sample_rows.h"

#include <algorithm>
#include <optional>

#include "feature_store/key_encoding.h"
#include "feature_store/source_join.h"
#include "feature_store/stored_rows.h"
#include "feature_store/widen.h"
#include "feature_store/window_fetch.h"
#include "larder/base/hash.h"

namespace larder::inline LARDER_ABI {
namespace {

// The keys' bytes, each with its length.
std::string KeyBytes(std::span<const Column* const> keys, std::size_t rows) {
  const EncodedKeys encoded(keys, rows);
  std::string bytes;
  for (const std::string_view key : encoded.views()) {
    bytes += key.data() == nullptr ? std::string("null") : Concat(key.size());
    bytes += ':';
    bytes += key;
  }
  return bytes;
}

Column Repeated(Timestamp time, std::size_t rows) {
  Column column(TypeId::kTimestamp);
  for (std::size_t row = 0; row < rows; ++row) column.AppendFixed(time.us);
  return column;
}

Column AllNull(const DataType& type, std::size_t rows) {
  Column column(type);
  for (std::size_t row = 0; row < rows; ++row) column.AppendNull();
  return column;
}

absl::StatusOr<BoundUse> UseOf(const ViewVersion& view) {
  std::vector<DataType> types;
  for (const StoredColumn& column : view.stored) types.push_back(column.type);
  LARDER_ASSIGN_OR_RETURN(RowLayout layout, RowLayout::Make(types));
  return BoundUse{&view, view.name, std::move(layout), {}, std::nullopt, {}, {}, {}, nullptr};
}

// The source fields that a version's rows keep unchanged: copied ones, keys, and the event time.
absl::StatusOr<Batch> FieldsKept(const ViewVersion& view, const FetchedUse& rows,
                                 std::span<const Column* const> keys) {
  Batch fields;
  const auto add = [&](const std::string& name, const DataType& type,
                       const Column& column) -> absl::Status {
    if (fields.IndexOf(name)) return absl::OkStatus();
    absl::StatusOr<Column> as_field = WidenColumn(column, type, name);
    if (!as_field.ok()) return absl::OkStatus();  // widened when it was written, and not back
    return fields.AddColumn(name, *std::move(as_field));
  };
  for (std::size_t i = 0; i < view.stored.size(); ++i) {
    const StoredColumn& stored = view.stored[i];
    if (!stored.expr.empty()) continue;
    LARDER_RETURN_IF_ERROR(add(stored.field, stored.source_type, rows.rows.features[i]));
  }
  for (std::size_t k = 0; k < view.keys.size(); ++k) {
    LARDER_RETURN_IF_ERROR(add(view.keys[k].name, view.keys[k].type, *keys[k]));
  }
  if (!view.source.event_time.empty()) {
    LARDER_RETURN_IF_ERROR(
        add(view.source.event_time, TypeId::kTimestamp, rows.rows.outcomes[0].event_time));
  }
  return fields;
}

// One stored column out of the fields there are; the reason when they do not suffice.
absl::StatusOr<Column> DeriveColumn(const StoredColumn& stored, const Source& source,
                                    const Batch& fields, std::size_t rows,
                                    const CompileOptions& compile) {
  const auto lacking = [&](std::string_view field) {
    return FailedPreconditionError("source ", source.name, " has no file to read, and field ",
                                   field, " is not among what is stored");
  };
  if (stored.expr.empty()) {
    const Column* field = fields.Find(stored.field);
    if (field == nullptr) return lacking(stored.field);
    return WidenColumn(*field, stored.type, stored.name);
  }
  const NamedExpression expression{stored.name, stored.expr};
  LARDER_ASSIGN_OR_RETURN(const Program program,
                          Program::Compile({&expression, 1}, source.fields, compile));
  std::vector<const Column*> inputs;
  for (const Field& input : program.inputs()) {
    const Column* field = fields.Find(input.name);
    if (field == nullptr || field->type() != input.type) return lacking(input.name);
    inputs.push_back(field);
  }
  LARDER_ASSIGN_OR_RETURN(const std::vector<Column> columns,
                          program.EvaluateBatch(inputs, rows, {}));
  return WidenColumn(columns[0], stored.type, stored.name);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> SampleStoredKeys(const ReadSession& session,
                                                          uint32_t data_id, std::size_t count) {
  using Entry = std::pair<uint64_t, std::string>;
  std::vector<Entry> heap;  // the greatest hash on top
  if (count == 0) return std::vector<std::string>();
  LARDER_RETURN_IF_ERROR(session.ForEachKey(data_id, [&](std::string_view key) {
    const uint64_t hash = Hash64(key);
    if (heap.size() == count) {
      if (Entry(hash, key) >= heap.front()) return true;
      std::pop_heap(heap.begin(), heap.end());
      heap.pop_back();
    }
    heap.emplace_back(hash, key);
    std::push_heap(heap.begin(), heap.end());
    return true;
  }));
  std::sort_heap(heap.begin(), heap.end());
  std::vector<std::string> keys;
  keys.reserve(heap.size());
  for (Entry& entry : heap) keys.push_back(std::move(entry.second));
  return keys;
}

absl::StatusOr<SampleSource> SampleSource::Make(const FeatureStore::Impl& impl,
                                                const ReadSession& session, const Catalog& before,
                                                const ChangePlan& plan, Timestamp as_of) {
  SampleSource source(impl, session, before, as_of);
  source.project_ = plan.project;
  const Catalog after(plan.outcome);
  for (const Change& change : plan.changes) {
    if (change.kind != ObjectKind::kFeatureView || change.version_before == change.version_after)
      continue;
    const ViewVersion* view = after.FindView(change.view_id);
    if (view == nullptr || view->offline_source().kind == SourceKind::kPush) continue;
    LARDER_ASSIGN_OR_RETURN(const bool has_data, source.HasData(view->data_id));
    if (!has_data) source.read_again_.insert(view->name);
  }
  return source;
}

absl::StatusOr<bool> SampleSource::HasData(uint32_t data_id) const {
  LARDER_ASSIGN_OR_RETURN(const LoadRecord record, LoadRecordIn(session_, data_id));
  return record.loaded || record.pushed_rows > 0;
}

absl::StatusOr<uint32_t> SampleSource::StoredKeysOf(const ViewVersion& view) const {
  LARDER_ASSIGN_OR_RETURN(const bool own, HasData(view.data_id));
  if (own) return view.data_id;
  const absl::StatusOr<const ViewVersion*> current = before_.GetView(view.project, view.name);
  if (!current.ok() || (*current)->keys != view.keys) return 0;
  LARDER_ASSIGN_OR_RETURN(const bool stored, HasData((*current)->data_id));
  return stored ? (*current)->data_id : 0;
}

absl::StatusOr<SampledRows> SampleSource::Fetch(const Catalog& catalog, const BoundUse& use,
                                                std::span<const Column* const> keys,
                                                std::size_t rows) {
  const std::pair<uint32_t, std::string> place(use.view->id, KeyBytes(keys, rows));
  if (const auto found = known_.find(place); found != known_.end()) return found->second;
  absl::StatusOr<SampledRows> read = Read(catalog, use, keys, rows);
  if (!read.ok()) return read;
  return known_.emplace(place, *std::move(read)).first->second;
}

absl::StatusOr<SampledRows> SampleSource::Read(const Catalog& catalog, const BoundUse& use,
                                               std::span<const Column* const> keys,
                                               std::size_t rows) const {
  const ViewVersion& view = *use.view;
  LARDER_ASSIGN_OR_RETURN(const bool stored, HasData(view.data_id));
  if (use.windows != nullptr) {
    if (!stored) return ReadSource(catalog, use, keys, rows);
    SampledRows windows;
    LARDER_ASSIGN_OR_RETURN(windows.fetched, FetchWindows(session_, use, as_of_, std::nullopt,
                                                          PartialPolicy::kValue, keys, rows));
    return windows;
  }
  if (view.project == project_ && read_again_.count(view.name) > 0) {
    absl::StatusOr<SampledRows> read = ReadSource(catalog, use, keys, rows);
    // The file may have become what only the new version understands.
    if (read.ok() || !stored) return read;
  }
  if (!stored) return Derive(use, keys, rows);
  SampledRows result;
  LARDER_ASSIGN_OR_RETURN(result.fetched,
                          FetchStored(session_, use, as_of_, std::nullopt, keys, rows));
  if (read_again_.count(view.name) > 0) result.from = "what is stored";
  return result;
}

absl::StatusOr<SampledRows> SampleSource::ReadSource(const Catalog& catalog, const BoundUse& use,
                                                     std::span<const Column* const> keys,
                                                     std::size_t rows) const {
  const ViewVersion& view = *use.view;
  const Source& source = view.offline_source();
  JoinView join = MakeJoinView(view, source, keys);
  join.count_other_known_at = false;
  const Column times = Repeated(as_of_, rows);
  SampledRows result;
  LARDER_ASSIGN_OR_RETURN(result.fetched.rows,
                          JoinSource(view, {catalog.DefinitionsOf(view.project).base_path, {}},
                                     impl_.compile, times, std::move(join), {}));
  result.from = Concat("source ", source.name);
  return result;
}

absl::StatusOr<SampledRows> SampleSource::Derive(const BoundUse& use,
                                                 std::span<const Column* const> keys,
                                                 std::size_t rows) const {
  const ViewVersion& view = *use.view;
  const absl::StatusOr<const ViewVersion*> current = before_.GetView(view.project, view.name);
  if (!current.ok() || (*current)->keys != view.keys || (*current)->definition.partial_updates ||
      view.definition.partial_updates) {
    return FailedPreconditionError("nothing is stored of ", view.ToString());
  }
  // Which row counts is the new version's affair.
  ViewVersion old = **current;
  old.definition.ttl = view.definition.ttl;
  old.boundary = view.boundary;
  LARDER_ASSIGN_OR_RETURN(const BoundUse old_use, UseOf(old));
  LARDER_ASSIGN_OR_RETURN(const FetchedUse kept,
                          FetchStored(session_, old_use, as_of_, std::nullopt, keys, rows));
  LARDER_ASSIGN_OR_RETURN(const Batch fields, FieldsKept(old, kept, keys));
  SampledRows result;
  result.from = Concat("rows of ", old.ToString());
  result.fetched.rows.outcomes = kept.rows.outcomes;
  const std::vector<FeatureStatus>& status = kept.rows.outcomes[0].status;
  for (std::size_t i = 0; i < view.stored.size(); ++i) {
    const absl::StatusOr<Column> derived =
        DeriveColumn(view.stored[i], view.source, fields, rows, impl_.compile);
    if (!derived.ok()) {
      result.missing[static_cast<int>(i)] = std::string(MessageOf(derived.status()));
      result.fetched.rows.features.push_back(AllNull(view.stored[i].type, rows));
      continue;
    }
    // A key without a row has no value, whatever the expression makes of nulls.
    Column column(derived->type());
    for (std::size_t row = 0; row < rows; ++row) {
      if (status[row] == FeatureStatus::kPresent) {
        column.AppendFrom(*derived, row);
      } else {
        column.AppendNull();
      }
    }
    result.fetched.rows.features.push_back(std::move(column));
  }
  return result;
}

}  // namespace larder::inline LARDER_ABI
