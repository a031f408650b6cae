#include "feature_store/event_mapper.h"

#include <algorithm>
#include <utility>

#include "feature_store/widen.h"

namespace larder::inline LARDER_ABI {
namespace {

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

absl::StatusOr<EventMapper> EventMapper::Make(const ViewVersion& view, const Source& source,
                                              const CompileOptions& options) {
  if (view.is_aggregate()) {
    return UnimplementedError("feature view ", view.ToString(),
                              ": aggregates are mapped by the rows of their window plan");
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

absl::Status EventMapper::MissingColumn(const Batch& batch, const std::string& name) const {
  return InvalidArgumentError("feature view ", view_name_, ": column ", name, " of source ",
                              source_.name, " is missing", DidYouMean(name, batch.names()));
}

absl::StatusOr<const Column*> EventMapper::Take(const Batch& batch, Place place,
                                                const std::string& field, const DataType& type,
                                                std::string_view what, MappedEvents* events) const {
  if (!place) return MissingColumn(batch, field);
  const Column& column = batch.column(*place);
  if (column.type() == type) return &column;
  LARDER_ASSIGN_OR_RETURN(
      Column widened, WidenColumn(column, type, Concat("source ", source_.name, ", ", what, field)));
  return &events->made.emplace_back(std::move(widened));
}

absl::StatusOr<std::optional<Column>> EventMapper::ConvertedEventTimes(const Batch& batch) const {
  if (source_.event_time.empty()) return std::optional<Column>();
  const Column* const column = batch.Find(source_.event_time);
  if (column == nullptr) return MissingColumn(batch, source_.event_time);
  if (column->type() == TypeId::kTimestamp) return std::optional<Column>();
  LARDER_ASSIGN_OR_RETURN(Column instants,
                          WidenColumn(*column, TypeId::kTimestamp,
                                      Concat("source ", source_.name, ", ", source_.event_time)));
  return std::optional<Column>(std::move(instants));
}

absl::StatusOr<std::optional<Column>> EventMapper::Deletes(const Batch& batch, Place place) const {
  if (!place) return std::optional<Column>();  // not declared, or a batch of plain rows
  const Column& operations = batch.column(*place);
  Column deletes(TypeId::kBool);
  deletes.Reserve(operations.size());
  for (std::size_t row = 0; row < operations.size(); ++row) {
    if (!operations.IsValid(row)) {
      deletes.AppendFixed(uint8_t{0});
      continue;
    }
    const std::optional<bool> is_delete = IsDelete(operations.Text(row));
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
      if (!partial_) return MissingColumn(batch, field.name);
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

EventMapper::Places EventMapper::PlacesIn(const Batch& batch) const {
  const auto place = [&batch](const std::string& field) {
    return field.empty() ? Place() : batch.IndexOf(field);
  };
  Places places;
  for (const Field& key : keys_) places.keys.push_back(place(key.name));
  std::size_t next_computed = 0;
  for (const StoredColumn& stored : stored_) {
    places.stored.push_back(stored.expr.empty() ? place(stored.field) : Place());
    bool carried = !partial_ || places.stored.back().has_value();
    if (!stored.expr.empty()) {
      const std::vector<std::string>& fields = computed_[next_computed++].fields;
      carried = std::all_of(fields.begin(), fields.end(),
                            [&](const std::string& field) { return batch.Find(field) != nullptr; });
    }
    places.carried.push_back(carried);
  }
  places.event_time = place(source_.event_time);
  places.sequence = place(source_.sequence);
  places.arrival_time = place(source_.arrival_time);
  places.event_id = place(source_.event_id);
  places.valid_to = place(source_.valid_to);
  places.operation = place(source_.operation);
  return places;
}

absl::StatusOr<MappedEvents> EventMapper::Map(const Batch& batch, EvalCounts* counts) const {
  MappedEvents events;
  LARDER_RETURN_IF_ERROR(Map(batch, PlacesIn(batch), counts, &events));
  return events;
}

absl::Status EventMapper::Map(const Batch& batch, const Places& places, EvalCounts* counts,
                              MappedEvents* events) const {
  events->made.clear();
  events->keys.clear();
  events->stored.clear();
  events->row_count = batch.row_count();
  for (std::size_t k = 0; k < keys_.size(); ++k) {
    LARDER_ASSIGN_OR_RETURN(const Column* const column, Take(batch, places.keys[k], keys_[k].name,
                                                             keys_[k].type, "key ", events));
    events->keys.push_back(column);
  }
  const auto take_instants = [&](Place place, const std::string& field,
                                 const Column** out) -> absl::Status {
    *out = nullptr;
    if (field.empty()) return absl::OkStatus();
    LARDER_ASSIGN_OR_RETURN(*out, Take(batch, place, field, TypeId::kTimestamp, "", events));
    return absl::OkStatus();
  };
  LARDER_RETURN_IF_ERROR(take_instants(places.event_time, source_.event_time, &events->event_time));
  LARDER_RETURN_IF_ERROR(
      take_instants(places.arrival_time, source_.arrival_time, &events->arrival_time));
  LARDER_RETURN_IF_ERROR(take_instants(places.valid_to, source_.valid_to, &events->valid_to));
  LARDER_ASSIGN_OR_RETURN(std::optional<Column> deletes, Deletes(batch, places.operation));
  events->is_delete = deletes ? &events->made.emplace_back(*std::move(deletes)) : nullptr;
  const auto take_as_it_is = [&](Place place, const std::string& field,
                                 const Column** out) -> absl::Status {
    if (!field.empty() && !place) return MissingColumn(batch, field);
    *out = field.empty() ? nullptr : &batch.column(*place);
    return absl::OkStatus();
  };
  LARDER_RETURN_IF_ERROR(take_as_it_is(places.sequence, source_.sequence, &events->sequence));
  LARDER_RETURN_IF_ERROR(take_as_it_is(places.event_id, source_.event_id, &events->event_id));

  std::vector<Column> computed;
  if (program_.has_value()) {
    LARDER_ASSIGN_OR_RETURN(computed, Compute(batch, counts));
  }
  std::size_t next_computed = 0;
  for (std::size_t i = 0; i < stored_.size(); ++i) {
    const StoredColumn& stored = stored_[i];
    const Column* column = nullptr;
    if (!stored.expr.empty()) {
      column = &events->made.emplace_back(std::move(computed[next_computed++]));
    } else if (places.stored[i]) {
      column = &batch.column(*places.stored[i]);
    } else if (partial_) {
      column = &events->made.emplace_back(AllNull(stored.type, events->row_count));
    } else {
      return MissingColumn(batch, stored.field);
    }
    if (column->type() != stored.type) {
      LARDER_ASSIGN_OR_RETURN(
          Column widened,
          WidenColumn(*column, stored.type, Concat("feature ", view_name_, ":", stored.name)));
      column = &events->made.emplace_back(std::move(widened));
    }
    events->stored.push_back(column);
  }
  events->carried = places.carried;
  return absl::OkStatus();
}

bool IsOperation(std::string_view text) { return IsDelete(text).has_value(); }

}  // namespace larder::inline LARDER_ABI
