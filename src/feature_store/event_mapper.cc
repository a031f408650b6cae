#include "feature_store/event_mapper.h"

#include <utility>

#include "feature_store/widen.h"

namespace larder::inline LARDER_ABI {
namespace {

std::vector<const Column*> Pointers(const std::vector<Column>& columns) {
  std::vector<const Column*> pointers;
  pointers.reserve(columns.size());
  for (const Column& column : columns) pointers.push_back(&column);
  return pointers;
}

Column AllNull(const DataType& type, std::size_t rows) {
  Column column(type);
  for (std::size_t i = 0; i < rows; ++i) column.AppendNull();
  return column;
}

// `insert`, `update`, `upsert`, `delete`, and the letters change-data-capture tools write (c, r, u, d).
std::optional<bool> IsDelete(std::string_view operation) {
  const std::string text = ToLowerAscii(operation);
  if (text == "delete" || text == "d") return true;
  for (const std::string_view known : {"insert", "update", "upsert", "i", "u", "c", "r"}) {
    if (text == known) return false;
  }
  return std::nullopt;
}

}  // namespace

std::vector<const Column*> MappedEvents::KeyPointers() const { return Pointers(keys); }
std::vector<const Column*> MappedEvents::StoredPointers() const { return Pointers(stored); }

absl::StatusOr<EventMapper> EventMapper::Make(const ViewVersion& view, const Source& source,
                                              const CompileOptions& options) {
  if (view.is_aggregate()) {
    return UnimplementedError("feature view ", view.ToString(),
                              ": aggregates are mapped by the rows of their window plan");
  }
  if (view.base_view.has_value()) {
    return UnimplementedError("feature view ", view.ToString(),
                              ": views over other views are not computed yet");
  }
  EventMapper mapper;
  mapper.view_name_ = view.ToString();
  mapper.source_ = source;
  mapper.partial_ = view.definition.partial_updates;
  mapper.keys_ = view.keys;
  mapper.stored_ = view.stored;

  std::vector<NamedExpression> expressions;
  for (std::size_t i = 0; i < view.stored.size(); ++i) {
    if (view.stored[i].expr.empty()) continue;
    expressions.push_back({view.stored[i].name, view.stored[i].expr});
    Computed computed{i, {}};
    if (mapper.partial_) {
      LARDER_ASSIGN_OR_RETURN(const Program alone,
                              Program::Compile({&expressions.back(), 1}, source.fields, options));
      for (const Field& field : alone.inputs()) computed.fields.push_back(field.name);
    }
    mapper.computed_.push_back(std::move(computed));
  }
  if (!expressions.empty()) {
    absl::StatusOr<Program> program = Program::Compile(expressions, source.fields, options);
    if (!program.ok()) return Annotate(program.status(), Concat("feature view ", view.ToString()));
    mapper.program_ = *std::move(program);
  }
  return mapper;
}

absl::StatusOr<const Column*> EventMapper::FieldColumn(const Batch& batch,
                                                       const std::string& name) const {
  if (const Column* column = batch.Find(name)) return column;
  return InvalidArgumentError("feature view ", view_name_, ": column ", name, " of source ",
                              source_.name, " is missing", DidYouMean(name, batch.names()));
}

absl::StatusOr<std::optional<Column>> EventMapper::Instants(const Batch& batch,
                                                            const std::string& field) const {
  if (field.empty()) return std::optional<Column>();
  LARDER_ASSIGN_OR_RETURN(const Column* column, FieldColumn(batch, field));
  LARDER_ASSIGN_OR_RETURN(
      Column instants,
      WidenColumn(*column, TypeId::kTimestamp, Concat("source ", source_.name, ", ", field)));
  return std::optional<Column>(std::move(instants));
}

absl::StatusOr<std::optional<Column>> EventMapper::EventTimes(const Batch& batch) const {
  return Instants(batch, source_.event_time);
}

absl::StatusOr<std::optional<Column>> EventMapper::Deletes(const Batch& batch) const {
  if (source_.operation.empty()) return std::optional<Column>();
  const Column* operations = batch.Find(source_.operation);
  if (operations == nullptr) return std::optional<Column>();  // a batch of plain rows
  Column deletes(TypeId::kBool);
  deletes.Reserve(operations->size());
  for (std::size_t row = 0; row < operations->size(); ++row) {
    if (!operations->IsValid(row)) {
      deletes.AppendFixed(uint8_t{0});
      continue;
    }
    const std::optional<bool> is_delete = IsDelete(operations->Text(row));
    if (!is_delete.has_value()) {
      return InvalidArgumentError("source ", source_.name, ", column ", source_.operation, ", row ",
                                  row, ": expected insert, update, upsert or delete");
    }
    deletes.AppendFixed(static_cast<uint8_t>(*is_delete));
  }
  return std::optional<Column>(std::move(deletes));
}

absl::StatusOr<std::vector<Column>> EventMapper::Compute(const Batch& batch,
                                                         EvalCounts* counts) const {
  std::vector<Column> stand_ins;
  stand_ins.reserve(program_->inputs().size());
  std::vector<const Column*> inputs;
  for (const Field& field : program_->inputs()) {
    const Column* column = batch.Find(field.name);
    if (column == nullptr) {
      if (!partial_) return FieldColumn(batch, field.name).status();
      stand_ins.push_back(AllNull(field.type, batch.row_count()));
      column = &stand_ins.back();
    }
    inputs.push_back(column);
  }
  absl::StatusOr<std::vector<Column>> columns =
      program_->EvaluateBatch(inputs, batch.row_count(), {}, counts);
  if (!columns.ok()) return Annotate(columns.status(), Concat("feature view ", view_name_));
  return columns;
}

absl::StatusOr<MappedEvents> EventMapper::Map(const Batch& batch, EvalCounts* counts) const {
  MappedEvents events;
  events.row_count = batch.row_count();
  for (const Field& key : keys_) {
    LARDER_ASSIGN_OR_RETURN(const Column* column, FieldColumn(batch, key.name));
    LARDER_ASSIGN_OR_RETURN(
        Column widened,
        WidenColumn(*column, key.type, Concat("source ", source_.name, ", key ", key.name)));
    events.keys.push_back(std::move(widened));
  }
  LARDER_ASSIGN_OR_RETURN(events.event_time, Instants(batch, source_.event_time));
  LARDER_ASSIGN_OR_RETURN(events.arrival_time, Instants(batch, source_.arrival_time));
  LARDER_ASSIGN_OR_RETURN(events.valid_to, Instants(batch, source_.valid_to));
  LARDER_ASSIGN_OR_RETURN(events.is_delete, Deletes(batch));
  if (!source_.sequence.empty()) {
    LARDER_ASSIGN_OR_RETURN(const Column* column, FieldColumn(batch, source_.sequence));
    events.sequence = *column;
  }
  if (!source_.event_id.empty()) {
    LARDER_ASSIGN_OR_RETURN(const Column* column, FieldColumn(batch, source_.event_id));
    events.event_id = *column;
  }

  std::vector<Column> computed;
  if (program_.has_value()) {
    LARDER_ASSIGN_OR_RETURN(computed, Compute(batch, counts));
  }
  std::size_t next_computed = 0;
  for (const StoredColumn& stored : stored_) {
    const std::string what = Concat("feature ", view_name_, ":", stored.name);
    if (!stored.expr.empty()) {
      bool carried = true;
      for (const std::string& field : computed_[next_computed].fields)
        carried &= batch.Find(field) != nullptr;
      LARDER_ASSIGN_OR_RETURN(Column column,
                              WidenColumn(computed[next_computed], stored.type, what));
      ++next_computed;
      events.stored.push_back(std::move(column));
      events.carried.push_back(carried);
      continue;
    }
    const Column* column = batch.Find(stored.field);
    if (column == nullptr && partial_) {
      events.stored.push_back(AllNull(stored.type, events.row_count));
      events.carried.push_back(false);
      continue;
    }
    if (column == nullptr) return FieldColumn(batch, stored.field).status();
    LARDER_ASSIGN_OR_RETURN(Column widened, WidenColumn(*column, stored.type, what));
    events.stored.push_back(std::move(widened));
    events.carried.push_back(true);
  }
  return events;
}

bool IsOperation(std::string_view text) { return IsDelete(text).has_value(); }

}  // namespace larder::inline LARDER_ABI
