#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "feature_store/service_cast.h"
#include "feature_store/serving_cells.h"
#include "feature_store/serving_state.h"
#include "larder/schema/entity_key.h"

namespace larder::inline LARDER_ABI {
namespace {

// Enough for memory to be fetched ahead, few enough to stay in the nearest cache.
constexpr std::size_t kFetchedTogether = 96;  // rows of all views
constexpr std::size_t kKeyReserve = 64;       // longer keys grow their buffers once

InputColumn::Kind KindOf(const DataType& type) {
  if (type.id() == TypeId::kUint64) return InputColumn::Kind::kUnsigned;
  if (type.is_float()) return InputColumn::Kind::kDouble;
  return type.is_text() ? InputColumn::Kind::kText : InputColumn::Kind::kInteger;
}

bool KindFits(const InputColumn& input, const DataType& type) {
  const InputColumn::Kind wanted = KindOf(type);
  return input.kind() == wanted ||
         (wanted == InputColumn::Kind::kUnsigned && input.kind() == InputColumn::Kind::kInteger);
}

// Bits `first` to `first + count` of the bitmap. Requires: all in one word (see PlanRuns).
uint64_t BitsOf(const FoundRow& row, const RowLayout& layout, std::size_t first, std::size_t count) {
  const uint64_t word = layout.has_bitmap_words()
                            ? LoadAs<uint64_t>(row.validity + 8 * (first / 64)) >> (first % 64)
                            : uint64_t{LoadAs<uint16_t>(row.validity)} >> first;
  return count == 64 ? word : word & ((uint64_t{1} << count) - 1);
}

// Whether whatever an input of the right kind holds is a value of `type`.
bool HoldsOnlyValuesOf(const DataType& type) {
  return type.id() == TypeId::kInt64 || type.id() == TypeId::kTimestamp ||
         type.id() == TypeId::kDuration || type.id() == TypeId::kFloat64 ||
         type.id() == TypeId::kBytes;
}

bool AppendKeyDatum(const Datum& value, const DataType& type, std::string* out) {
  if (!value.valid) return false;
  switch (type.id()) {
    case TypeId::kBool:
      AppendKeyBool(value.b, out);
      return true;
    case TypeId::kInt32:
      AppendKeyInteger(value.i32, out);
      return true;
    case TypeId::kDate:
      AppendKeyDate({value.i32}, out);
      return true;
    case TypeId::kUint64:
      AppendKeyUnsigned(value.u64, out);
      return true;
    case TypeId::kTimestamp:
      AppendKeyTimestamp({value.i64}, out);
      return true;
    case TypeId::kString:
      AppendKeyText(value.view(), out);
      return true;
    case TypeId::kBytes:
      AppendKeyBytes(value.view(), out);
      return true;
    default:
      AppendKeyInteger(value.i64, out);
      return true;
  }
}

// Whether what was given for a key or field is one of its type's values: the checks ConvertValue makes.
bool IsValueOf(const InputColumn& input, const DataType& type, std::size_t row) {
  switch (type.id()) {
    case TypeId::kInt32:
    case TypeId::kDate:
      return input.integer(row) >= std::numeric_limits<int32_t>::min() &&
             input.integer(row) <= std::numeric_limits<int32_t>::max();
    case TypeId::kUint64:
      return input.kind() == InputColumn::Kind::kUnsigned || input.integer(row) >= 0;
    case TypeId::kBool:
      return input.integer(row) == 0 || input.integer(row) == 1;
    case TypeId::kFloat32:
      return !std::isfinite(input.number(row)) ||
             std::abs(input.number(row)) <= std::numeric_limits<float>::max();
    case TypeId::kString:
      return IsValidUtf8(input.text(row));
    default:
      return true;
  }
}

template <class From, class T>
void ConvertRun(const char* from, std::size_t count, T* out) {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<T>(LoadAs<From>(from + i * sizeof(From)));
}

template <class T>
void WriteRun(const DataType& type, const char* from, std::size_t count, T* out) {
  switch (type.id()) {
    case TypeId::kBool:
      for (std::size_t i = 0; i < count; ++i) out[i] = from[i] != 0 ? T{1} : T{0};
      return;
    case TypeId::kInt32:
    case TypeId::kDate:
      return ConvertRun<int32_t>(from, count, out);
    case TypeId::kUint64:
      return ConvertRun<uint64_t>(from, count, out);
    case TypeId::kFloat32:
      return ConvertRun<float>(from, count, out);
    case TypeId::kFloat64:
      return ConvertRun<double>(from, count, out);
    case TypeId::kVector:
      if (type.element() == TypeId::kInt8) return ConvertRun<int8_t>(from, type.length(), out);
      return ConvertRun<float>(from, type.length(), out);
    default:
      return ConvertRun<int64_t>(from, count, out);
  }
}

}  // namespace

ServingSession::State::State(std::shared_ptr<const FeatureStore::Impl> impl,
                             std::shared_ptr<const BoundService> bound, ReadSession session)
    : bound_(std::move(bound)), session_(std::move(session)), staged_(std::move(impl), bound_) {
  for (const BoundUse& use : bound_->uses) {
    UseState& state = uses_.emplace_back();
    state.use = &use;
    state.key_bytes.resize(kChunk);
    state.keys.resize(kChunk);
    state.guesses.resize(kChunk);
    state.found.resize(kChunk);
    if (use.keys.size() == 1 && use.keys.front().use < 0) {
      const TypeId type = bound_->inputs[Index(use.keys.front().input)].type.id();
      if (type == TypeId::kInt64 || type == TypeId::kInt32)
        state.integer_input = use.keys.front().input;
      state.integer_keys.resize(kChunk);
    }
    for (std::string& key : state.key_bytes) key.reserve(kKeyReserve);
    state.stored.resize(use.view->stored.size());
    state.features.resize(use.view->features.size());
    state.needs_cells = use.view->definition.partial_updates || use.on_read.has_value();
    for (const BoundKey& key : use.keys) {
      if (key.use < 0) continue;
      uses_[Index(key.use)].needs_cells = true;
      state.keys_from_features = true;
    }
    for (std::size_t other = 0; other + 1 < uses_.size() && state.same_keys_as < 0; ++other) {
      if (bound_->uses[other].keys == use.keys) state.same_keys_as = static_cast<int>(other);
    }
    if (use.on_read.has_value()) {
      state.on_read.emplace(*use.on_read);
      state.on_read_inputs.resize(use.on_read_inputs.size());
      state.on_read_outputs.resize(use.on_read_features.size());
    }
  }
  for (const BoundOnDemand& use : bound_->on_demand) {
    OnDemandState& state = on_demand_.emplace_back();
    state.use = &use;
    for (const BoundOnDemand::Input& input : use.inputs) {
      if (input.use >= 0) uses_[Index(input.use)].needs_cells = true;
    }
    if (!use.program.has_value()) continue;
    state.evaluator.emplace(*use.program);
    state.inputs.resize(use.inputs.size());
    state.outputs.resize(use.features.size());
  }
  for (std::size_t i = 0; i < bound_->tensor_outputs.size(); ++i) {
    Output& output = outputs_.emplace_back();
    output.output = &bound_->service->outputs[Index(bound_->tensor_outputs[i])];
    output.offset = bound_->tensor_offsets[i];
    if (output.output->default_value.has_value()) {
      output.default_value = CastDatum(DatumOf(*output.output->default_value), output.output->type,
                                       output.output->served_type());
    }
  }
  PlanRuns();
}

void ServingSession::State::PlanRuns() {
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    Output& output = outputs_[o];
    if (output.output->on_demand) continue;
    UseState& state = uses_[Index(output.output->use)];
    const int column = state.use->view->features[Index(output.output->feature)].stored;
    if (output.output->cast.has_value()) state.needs_cells = true;
    if (column < 0 || state.use->view->definition.partial_updates || output.output->cast) continue;
    output.in_run = true;
    const std::size_t stored = Index(column);
    const RowLayout& layout = state.use->layout;
    const std::size_t word = layout.has_bitmap_words() ? 64 : RowLayout::kHeaderBits;
    if (!state.runs.empty()) {
      Run& last = state.runs.back();
      const std::size_t behind = last.count;
      if (last.type == layout.type(stored) && last.type.id() != TypeId::kVector &&
          last.stored + behind == stored && last.output + behind == o &&
          last.offset + behind == output.offset && last.stored / word == stored / word &&
          layout.offset(last.stored) + behind * layout.width(stored) == layout.offset(stored)) {
        ++last.count;
        continue;
      }
    }
    state.runs.push_back({layout.type(stored), stored, 1, output.offset, o, layout.offset(stored)});
  }
  chunks_on_demand_ = CanChunkOnDemand();
  has_cells_ =
      !chunks_on_demand_ && std::any_of(outputs_.begin(), outputs_.end(),
                                        [](const Output& output) { return !output.in_run; });
  for (OnDemandState& state : on_demand_) {
    if (chunks_on_demand_ && state.use->program.has_value())
      state.chunk.emplace(*state.use->program, kChunk);
  }
}

absl::Status ServingSession::State::Refresh() {
  absl::Status status = session_.Renew();
  if (status.ok() && staged_.count() > 0) status = staged_.Rebase(session_);
  // What is staged was merged into a snapshot that is gone.
  staged_status_ = staged_.count() > 0 ? status : absl::OkStatus();
  return status;
}

absl::Status ServingSession::State::Prefault() {
  for (UseState& state : uses_) {
    LARDER_ASSIGN_OR_RETURN(
        ViewRows* const rows,
        session_.RowsOfView(state.use->view->data_id, state.use->layout, &state.hint));
    LARDER_RETURN_IF_ERROR(session_.Prefault(*rows));
  }
  return absl::OkStatus();
}

absl::Status ServingSession::State::CheckInputs(std::span<const InputColumn> inputs,
                                                std::size_t rows) const {
  if (inputs.size() != bound_->inputs.size()) {
    return InvalidArgumentError("service ", bound_->name, " takes ", bound_->inputs.size(),
                                " input columns, found ", inputs.size());
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Field& field = bound_->inputs[i];
    if (!KindFits(inputs[i], field.type)) {
      return InvalidArgumentError("input ", field.name, " of service ", bound_->name, " is ",
                                  field.type.ToString(), "; the column given holds another kind");
    }
    if (!inputs[i].is_broadcast() && inputs[i].size() != rows) {
      return InvalidArgumentError("input ", field.name, " has ", inputs[i].size(), " values for ",
                                  rows, " rows");
    }
    if (HoldsOnlyValuesOf(field.type)) continue;
    const std::size_t given = inputs[i].is_broadcast() ? 1 : rows;
    for (std::size_t row = 0; row < given; ++row) {
      if (IsValueOf(inputs[i], field.type, row)) continue;
      return InvalidArgumentError("input ", field.name, ", row ", row, ": no value of type ",
                                  field.type.ToString());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> ServingSession::State::EncodeKey(const UseState& state,
                                                      std::span<const InputColumn> inputs,
                                                      std::size_t row, std::string* out) const {
  out->clear();
  for (std::size_t k = 0; k < state.use->keys.size(); ++k) {
    const BoundKey& key = state.use->keys[k];
    // A column or feature may be wider or narrower than the key it serves; equal integers meet whatever their width.
    if (key.use >= 0) {
      const auto feature = Index(key.feature);
      const UseState& from = uses_[Index(key.use)];
      const DataType& type = from.use->view->features[feature].type;
      if (!AppendKeyDatum(from.features[feature].value, type, out)) return false;
    } else {
      const auto input = Index(key.input);
      const DataType& type = bound_->inputs[input].type;
      if (!AppendKeyDatum(DatumOfInput(inputs[input], type, row), type, out)) return false;
    }
  }
  if (out->size() > kEntityKeySizeMax) {
    return WithKind(
        InvalidArgumentError("a key of feature view ", state.use->view->ToString(), " takes ",
                             out->size(), " bytes; at most ", kEntityKeySizeMax, " are allowed"),
        ErrorKind::kTooLarge);
  }
  return true;
}

std::span<const KeyRef> ServingSession::State::KeysOf(const UseState& state,
                                                      std::size_t count) const {
  const UseState& owner = state.same_keys_as >= 0 ? uses_[Index(state.same_keys_as)] : state;
  return {owner.keys.data(), state.key_is_constant ? std::size_t{1} : count};
}

absl::Status ServingSession::State::EncodeKeys(UseState& state, std::span<const InputColumn> inputs,
                                               std::size_t first, std::size_t count,
                                               Timestamp as_of) {
  if (state.integer_input >= 0) {
    const InputColumn& input = inputs[Index(state.integer_input)];
    for (std::size_t i = 0; i < count; ++i) {
      char* const key = state.integer_keys[i].data();
      WriteKeyInteger(input.integer(first + i), key);
      state.keys[i].key = {key, kKeyIntegerSize};
      state.keys[i].hash = session_.HashOfKey(state.keys[i].key);
    }
    return absl::OkStatus();
  }
  for (std::size_t i = 0; i < count; ++i) {
    for (UseState& earlier : uses_) {
      if (!state.keys_from_features || &earlier == &state) break;
      if (earlier.needs_cells)
        LARDER_RETURN_IF_ERROR(SetCells(earlier, PlaceOf(earlier, i), as_of));
    }
    LARDER_ASSIGN_OR_RETURN(const bool has_key,
                            EncodeKey(state, inputs, first + i, &state.key_bytes[i]));
    state.keys[i] = {};
    if (!has_key) continue;
    state.keys[i].key = state.key_bytes[i];
    state.keys[i].hash = session_.HashOfKey(state.key_bytes[i]);
  }
  return absl::OkStatus();
}

absl::Status ServingSession::State::EncodeChunk(UseState& state, std::span<const InputColumn> inputs,
                                                std::size_t first, std::size_t count,
                                                Timestamp as_of) {
  if (state.same_keys_as < 0) {
    LARDER_RETURN_IF_ERROR(
        EncodeKeys(state, inputs, first, state.key_is_constant ? 1 : count, as_of));
  }
  if (state.rows != nullptr) session_.FetchSlots(*state.rows, KeysOf(state, count));
  return absl::OkStatus();
}

absl::Status ServingSession::State::FindChunk(UseState& state, std::span<const InputColumn> inputs,
                                              std::size_t first, std::size_t count,
                                              Timestamp as_of) {
  // Keys that are features of other rows are known only now.
  if (state.keys_from_features)
    LARDER_RETURN_IF_ERROR(EncodeChunk(state, inputs, first, count, as_of));
  if (state.rows == nullptr) return absl::OkStatus();
  const std::span<const KeyRef> keys = KeysOf(state, count);
  const Timestamp last_visible = state.use->LastVisible(as_of);
  if (!known_at_) {
    if (state.keys_from_features) session_.FetchRows(*state.rows, keys, state.guesses);
    LARDER_RETURN_IF_ERROR(session_.FindMany(*state.rows, state.use->layout, keys,
                                             {state.guesses.data(), keys.size()}, last_visible,
                                             {state.found.data(), keys.size()}));
    if (state.staged == nullptr) return absl::OkStatus();
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    FoundRow& found = state.found[i];
    if (keys[i].key.data() == nullptr) {
      found = {};
      continue;
    }
    if (known_at_) {
      LARDER_ASSIGN_OR_RETURN(const std::optional<RowView> row,
                              session_.FindRow(state.use->view->data_id, state.use->layout,
                                               keys[i].key, last_visible, known_at_));
      found = row ? FoundRow::Of(*row) : FoundRow();
    }
    if (state.staged != nullptr)
      LARDER_RETURN_IF_ERROR(state.staged->Find(keys[i], last_visible, known_at_, &found).status());
  }
  return absl::OkStatus();
}

void ServingSession::State::SetStored(UseState& state, std::size_t column, const FoundRow& found,
                                      FeatureStatus row_status) {
  Cell& cell = state.stored[column];
  cell.value = Datum::Null();
  cell.status = row_status;
  if (row_status != FeatureStatus::kPresent) return;
  if (IsValid(found, column)) {
    cell.value = DatumOfFound(found, state.use->layout, column);
  } else {
    cell.status = FeatureStatus::kNullValue;
  }
}

absl::Status ServingSession::State::SetCells(UseState& state, std::size_t i, Timestamp as_of) {
  const BoundUse& use = *state.use;
  if (use.view->definition.partial_updates) {
    const std::size_t keys = state.same_keys_as >= 0
                                 ? Index(state.same_keys_as)
                                 : static_cast<std::size_t>(&state - uses_.data());
    const KeyRef& key = uses_[keys].keys[i];
    const bool has_key = key.key.data() != nullptr;
    if (has_key) {
      LARDER_RETURN_IF_ERROR(session_.FindPartialRow(use.view->data_id, use.layout, key.key,
                                                     use.LastVisible(as_of), known_at_,
                                                     &state.partial));
      if (state.staged != nullptr) {
        LARDER_RETURN_IF_ERROR(
            state.staged
                ->FindPartial(key, use.layout, use.LastVisible(as_of), known_at_, &state.partial)
                .status());
      }
    }
    for (std::size_t column = 0; column < state.stored.size(); ++column) {
      FoundRow found;
      if (has_key && state.partial.RowOf(column))
        found = FoundRow::Of(*state.partial.RowOf(column));
      SetStored(state, column, found, RowStatus(state, found));
    }
  } else {
    const FoundRow& found = state.found[i];
    state.row_status = RowStatus(state, found);
    for (std::size_t column = 0; column < state.stored.size(); ++column)
      SetStored(state, column, found, state.row_status);
  }
  for (std::size_t f = 0; f < state.features.size(); ++f) {
    const int stored = use.view->features[f].stored;
    if (use.needed[f] && stored >= 0) state.features[f] = state.stored[Index(stored)];
  }
  if (state.on_read.has_value()) EvaluateOnRead(state, as_of);
  return absl::OkStatus();
}

void ServingSession::State::EvaluateOnRead(UseState& state, Timestamp as_of) {
  const BoundUse& use = *state.use;
  for (std::size_t i = 0; i < use.on_read_inputs.size(); ++i) {
    state.on_read_inputs[i] = state.stored[Index(use.on_read_inputs[i])].value;
  }
  state.on_read->Evaluate(state.on_read_inputs, as_of, state.on_read_outputs);
  for (std::size_t i = 0; i < use.on_read_features.size(); ++i) {
    const auto f = Index(use.on_read_features[i]);
    FeatureStatus seen = state.row_status;
    if (!use.view->features[f].inputs.empty()) {
      seen = FeatureStatus::kNotFound;
      for (const FeatureColumn::Input& input : use.view->features[f].inputs) {
        seen = std::min(seen, state.stored[Index(input.stored)].status);
      }
    }
    Cell& cell = state.features[f];
    if (seen == FeatureStatus::kNotFound || seen == FeatureStatus::kOutsideMaxAge) {
      cell.value = Datum::Null();
      cell.status = seen;
      continue;
    }
    cell.value = WidenDatum(state.on_read_outputs[i], state.on_read->program().outputs()[i].type,
                            use.view->features[f].type);
    cell.status = cell.value.valid ? FeatureStatus::kPresent : FeatureStatus::kNullValue;
  }
}

void ServingSession::State::EvaluateOnDemand(OnDemandState& state,
                                             std::span<const InputColumn> inputs, std::size_t row,
                                             Timestamp as_of) {
  if (!state.evaluator.has_value()) return;
  for (std::size_t i = 0; i < state.inputs.size(); ++i) {
    const BoundOnDemand::Input& from = state.use->inputs[i];
    if (from.input >= 0) {
      state.inputs[i] =
          DatumOfInput(inputs[Index(from.input)], bound_->inputs[Index(from.input)].type, row);
    } else if (from.use >= 0) {
      state.inputs[i] = uses_[Index(from.use)].features[Index(from.feature)].value;
    } else {
      const OnDemandState& other = on_demand_[Index(from.on_demand)];
      state.inputs[i] = other.outputs[Index(other.use->output_of[Index(from.feature)])];
    }
  }
  state.evaluator->Evaluate(state.inputs, as_of, state.outputs);
  const std::span<const Field> computed = state.evaluator->program().outputs();
  for (std::size_t i = 0; i < state.outputs.size(); ++i) {
    const auto feature = Index(state.use->features[i]);
    state.outputs[i] =
        WidenDatum(state.outputs[i], computed[i].type, state.use->view->features[feature].type);
  }
}

ServingSession::State::Cell ServingSession::State::OutputCell(const ServiceOutput& output) const {
  if (!output.on_demand) return uses_[Index(output.use)].features[Index(output.feature)];
  const OnDemandState& state = on_demand_[Index(output.use)];
  Cell cell;
  cell.value = state.outputs[Index(state.use->output_of[Index(output.feature)])];
  cell.status = cell.value.valid ? FeatureStatus::kPresent : FeatureStatus::kNullValue;
  return cell;
}

absl::Status ServingSession::State::MissingError(std::size_t output, std::size_t row,
                                                 FeatureStatus status) const {
  return FailedPreconditionError("feature ", outputs_[output].output->name, " of service ",
                                 bound_->name, " is missing in row ", row, " (",
                                 FeatureStatusName(status),
                                 "), and the service says missing: error");
}

template <class T>
absl::Status ServingSession::State::WriteRuns(const UseState& state, std::size_t first,
                                              std::size_t count, const Tensor<T>& out,
                                              std::size_t stride,
                                              std::span<FeatureStatus> statuses) const {
  const MissingPolicy policy = bound_->service->definition.missing;
  const RowLayout& layout = state.use->layout;
  for (std::size_t i = 0; i < count; ++i) {
    const FoundRow& found = state.found[PlaceOf(state, i)];
    const FeatureStatus row_status = RowStatus(state, found);
    const bool present = row_status == FeatureStatus::kPresent;
    T* const to = out.data + (first + i) * stride;
    FeatureStatus* const status =
        statuses.empty() ? nullptr : statuses.data() + (first + i) * outputs_.size();
    for (const Run& run : state.runs) {
      const uint64_t all = run.count == 64 ? ~uint64_t{0} : (uint64_t{1} << run.count) - 1;
      const uint64_t valid = present ? BitsOf(found, layout, run.stored, run.count) : 0;
      if (valid != 0)
        WriteRun(run.type, found.payload + run.payload_offset, run.count, to + run.offset);
      if (status != nullptr) {
        for (std::size_t f = 0; f < run.count; ++f) {
          const bool is_null = present && ((valid >> f) & 1U) == 0;
          status[run.output + f] = is_null ? FeatureStatus::kNullValue : row_status;
        }
      }
      if (valid == all) continue;
      for (std::size_t f = 0; f < run.count; ++f) {
        if (((valid >> f) & 1U) != 0) continue;
        const Output& output = outputs_[run.output + f];
        if (policy == MissingPolicy::kError) {
          return MissingError(run.output + f, first + i,
                              present ? FeatureStatus::kNullValue : row_status);
        }
        const Datum value = policy == MissingPolicy::kDefault ? output.default_value : Datum::Null();
        WriteCell(value, output.output->type, to + output.offset);
      }
    }
  }
  return absl::OkStatus();
}

template <class T>
void ServingSession::State::RepeatRuns(const UseState& state, std::size_t first, std::size_t count,
                                       const Tensor<T>& out, std::size_t stride,
                                       std::span<FeatureStatus> statuses) const {
  for (std::size_t row = first; row < first + count; ++row) {
    for (const Run& run : state.runs) {
      const DataType& type = run.type;
      const std::size_t width = type.id() == TypeId::kVector ? type.length() : run.count;
      std::copy_n(out.data + run.offset, width, out.data + row * stride + run.offset);
      if (statuses.empty()) continue;
      const auto at = statuses.begin() + static_cast<std::ptrdiff_t>(run.output);
      std::copy_n(at, run.count, at + static_cast<std::ptrdiff_t>(row * outputs_.size()));
    }
  }
}

template <class T>
absl::Status ServingSession::State::WriteCells(std::size_t row, T* out,
                                               FeatureStatus* statuses) const {
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    if (outputs_[o].in_run) continue;
    LARDER_RETURN_IF_ERROR(WriteOutputCell(o, OutputCell(*outputs_[o].output), row, out, statuses));
  }
  return absl::OkStatus();
}

template <class T>
absl::Status ServingSession::State::Fill(std::span<const InputColumn> inputs, Timestamp as_of,
                                         const Tensor<T>& out, std::span<FeatureStatus> statuses) {
  const TypeId given = sizeof(T) == sizeof(float) ? TypeId::kFloat32 : TypeId::kFloat64;
  if (given != bound_->dtype) {
    return InvalidArgumentError("service ", bound_->name, " fills ", TypeName(bound_->dtype),
                                " tensors, found ", TypeName(given));
  }
  const std::size_t stride = out.stride == 0 ? bound_->tensor_width : out.stride;
  if (stride < bound_->tensor_width) {
    return InvalidArgumentError("service ", bound_->name, " has ", bound_->tensor_width,
                                " columns; the stride is ", stride);
  }
  if (!statuses.empty() && statuses.size() != out.rows * outputs_.size()) {
    return InvalidArgumentError("expected ", out.rows * outputs_.size(),
                                " statuses, found room for ", statuses.size());
  }
  LARDER_RETURN_IF_ERROR(CheckInputs(inputs, out.rows));
  for (UseState& state : uses_) {
    state.key_is_constant =
        std::all_of(state.use->keys.begin(), state.use->keys.end(), [&](const BoundKey& key) {
          return key.use >= 0 ? uses_[Index(key.use)].key_is_constant
                              : inputs[Index(key.input)].is_broadcast();
        });
  }
  LARDER_RETURN_IF_ERROR(staged_status_);
  for (UseState& state : uses_) {
    const Duration ttl = state.use->view->definition.ttl.value_or(Duration{});
    state.event_time_min = ttl.us > 0 ? as_of.Minus(ttl).us : Timestamp::Min().us;
    state.staged = staged_.count() == 0 ? nullptr : staged_.RowsOf(state.use->view->data_id);
    state.rows = nullptr;
    if (state.use->view->definition.partial_updates) continue;
    LARDER_ASSIGN_OR_RETURN(
        state.rows, session_.RowsOfView(state.use->view->data_id, state.use->layout, &state.hint));
  }
  // What was found of constant keys is found once.
  const auto is_done = [](const UseState& state, std::size_t first) {
    return state.key_is_constant && first > 0;
  };
  const std::size_t chunk =
      std::clamp(kFetchedTogether / std::max<std::size_t>(1, uses_.size()), kChunk / 4, kChunk);
  for (std::size_t first = 0; first < out.rows; first += chunk) {
    const std::size_t count = std::min(chunk, out.rows - first);
    for (UseState& state : uses_) {
      if (!is_done(state, first) && !state.keys_from_features)
        LARDER_RETURN_IF_ERROR(EncodeChunk(state, inputs, first, count, as_of));
    }
    for (UseState& state : uses_) {
      if (!is_done(state, first) && !state.keys_from_features && state.rows != nullptr)
        session_.FetchRows(*state.rows, KeysOf(state, count), state.guesses);
    }
    for (UseState& state : uses_) {
      if (!is_done(state, first))
        LARDER_RETURN_IF_ERROR(FindChunk(state, inputs, first, count, as_of));
    }
    for (const UseState& state : uses_) {
      if (state.runs.empty()) continue;
      if (is_done(state, first)) {
        RepeatRuns(state, first, count, out, stride, statuses);
        continue;
      }
      LARDER_RETURN_IF_ERROR(
          WriteRuns(state, first, state.key_is_constant ? 1 : count, out, stride, statuses));
      if (state.key_is_constant) RepeatRuns(state, 1, count - 1, out, stride, statuses);
    }
    if (chunks_on_demand_) {
      for (OnDemandState& state : on_demand_) EvaluateChunk(state, inputs, first, count, as_of);
      LARDER_RETURN_IF_ERROR(WriteChunkOutputs(first, count, out, stride, statuses));
    }
    for (std::size_t i = 0; has_cells_ && i < count; ++i) {
      const std::size_t row = first + i;
      for (UseState& state : uses_) {
        if (!state.needs_cells || (row > 0 && state.key_is_constant)) continue;
        LARDER_RETURN_IF_ERROR(SetCells(state, PlaceOf(state, i), as_of));
      }
      for (OnDemandState& state : on_demand_) EvaluateOnDemand(state, inputs, row, as_of);
      LARDER_RETURN_IF_ERROR(
          WriteCells(row, out.data + row * stride,
                     statuses.empty() ? nullptr : statuses.data() + row * outputs_.size()));
    }
  }
  receipt_ = {bound_->receipt_name(), bound_->catalog.revision(), commit_seq(), as_of, known_at_,
              staged_.count()};
  return absl::OkStatus();
}

absl::Status ServingSession::State::Stage(std::string_view source, std::span<const Row> events) {
  LARDER_RETURN_IF_ERROR(staged_status_);
  return staged_.Add(session_, source, events);
}

absl::Status ServingSession::State::Stage(std::string_view source, const Batch& events) {
  LARDER_RETURN_IF_ERROR(staged_status_);
  return staged_.Add(session_, source, {&events, 1});
}

absl::StatusOr<Timestamp> ServingSession::State::For(std::string_view source, const Row& event) {
  LARDER_ASSIGN_OR_RETURN(const Timestamp event_time, staged_.TimeOf(session_, source, event));
  LARDER_RETURN_IF_ERROR(Stage(source, {&event, 1}));
  return event_time;
}

absl::StatusOr<PushResult> ServingSession::State::Commit(const PushOptions& options) {
  if (staged_.count() == 0) return FailedPreconditionError("no events are staged");
  // A push may have to enlarge the map, and waits for snapshots then.
  session_.Release();
  absl::StatusOr<PushResult> pushed = staged_.Push(options);
  if (pushed.ok()) Drop();
  // Should this fail, Fill says so until a Refresh succeeds; what was pushed is pushed.
  static_cast<void>(Refresh());
  return pushed;
}

void ServingSession::State::Drop() {
  staged_.Clear();
  staged_status_ = absl::OkStatus();
}

template absl::Status ServingSession::State::Fill(std::span<const InputColumn>, Timestamp,
                                                  const Tensor<float>&, std::span<FeatureStatus>);
template absl::Status ServingSession::State::Fill(std::span<const InputColumn>, Timestamp,
                                                  const Tensor<double>&, std::span<FeatureStatus>);

}  // namespace larder::inline LARDER_ABI
