#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "feature_store/serving_state.h"
#include "larder/schema/entity_key.h"

namespace larder::inline LARDER_ABI {
namespace {

std::size_t Index(int i) { return static_cast<std::size_t>(i); }

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

// Requires: KindFits.
Datum DatumOfInput(const InputColumn& input, const DataType& type, std::size_t row) {
  switch (type.id()) {
    case TypeId::kBool:
      return Datum::Bool(input.integer(row) != 0);
    case TypeId::kInt32:
    case TypeId::kDate:
      return Datum::Int32(static_cast<int32_t>(input.integer(row)));
    case TypeId::kUint64:
      return Datum::Uint64(static_cast<uint64_t>(input.integer(row)));
    case TypeId::kFloat32:
      return Datum::Float32(static_cast<float>(input.number(row)));
    case TypeId::kFloat64:
      return Datum::Float64(input.number(row));
    case TypeId::kString:
    case TypeId::kBytes:
      return Datum::Text(input.text(row));
    default:
      return Datum::Int64(input.integer(row));
  }
}

Datum DatumOfRow(const RowView& row, std::size_t i, const DataType& type) {
  switch (type.id()) {
    case TypeId::kBool:
      return Datum::Bool(row.Get<uint8_t>(i) != 0);
    case TypeId::kInt32:
    case TypeId::kDate:
      return Datum::Int32(row.Get<int32_t>(i));
    case TypeId::kUint64:
      return Datum::Uint64(row.Get<uint64_t>(i));
    case TypeId::kFloat32:
      return Datum::Float32(row.Get<float>(i));
    case TypeId::kFloat64:
      return Datum::Float64(row.Get<double>(i));
    case TypeId::kString:
    case TypeId::kBytes:
      return Datum::Text(row.Text(i));
    case TypeId::kVector:
      return Datum::Fixed(row.payload() + row.layout().offset(i));
    case TypeId::kList:
    case TypeId::kMap:
      return Datum::Null();  // not in a tensor, and Bind refuses expressions over stored lists
    default:
      return Datum::Int64(row.Get<int64_t>(i));
  }
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

// The declared type of a computed feature may be wider than its expression's: as WidenColumn has it.
Datum WidenDatum(const Datum& value, const DataType& from, const DataType& to) {
  if (from == to || !value.valid) return value;
  if (from.id() == TypeId::kInt32) {
    if (to.id() == TypeId::kFloat64) return Datum::Float64(static_cast<double>(value.i32));
    if (to.id() == TypeId::kInt64) return Datum::Int64(value.i32);
  }
  if (from.id() == TypeId::kFloat32 && to.id() == TypeId::kFloat64) {
    return Datum::Float64(static_cast<double>(value.f32));
  }
  return value;
}

template <class T>
T NumberOf(const Datum& value, const DataType& type) {
  switch (type.id()) {
    case TypeId::kBool:
      return value.b ? T{1} : T{0};
    case TypeId::kInt32:
    case TypeId::kDate:
      return static_cast<T>(value.i32);
    case TypeId::kUint64:
      return static_cast<T>(value.u64);
    case TypeId::kFloat32:
      return static_cast<T>(value.f32);
    case TypeId::kFloat64:
      return static_cast<T>(value.f64);
    default:
      return static_cast<T>(value.i64);
  }
}

template <class T>
void WriteCell(const Datum& value, const DataType& type, T* out) {
  const std::size_t width = type.id() == TypeId::kVector ? type.length() : 1;
  if (!value.valid) {
    std::fill_n(out, width, std::numeric_limits<T>::quiet_NaN());
  } else if (type.id() != TypeId::kVector) {
    *out = NumberOf<T>(value, type);
  } else if (type.element() == TypeId::kInt8) {
    const auto* elements = static_cast<const int8_t*>(value.fixed);
    for (std::size_t i = 0; i < width; ++i) out[i] = static_cast<T>(elements[i]);
  } else {
    const auto* elements = static_cast<const char*>(value.fixed);
    for (std::size_t i = 0; i < width; ++i)
      out[i] = static_cast<T>(LoadAs<float>(elements + 4 * i));
  }
}

}  // namespace

ServingSession::State::State(std::shared_ptr<const BoundService> bound, ReadSession session)
    : bound_(std::move(bound)), session_(std::move(session)) {
  for (const BoundUse& use : bound_->uses) {
    UseState& state = uses_.emplace_back();
    state.use = &use;
    state.key.reserve(kEntityKeySizeMax);
    state.stored.resize(use.view->stored.size());
    state.features.resize(use.view->features.size());
    if (use.on_read.has_value()) {
      state.on_read.emplace(*use.on_read);
      state.on_read_inputs.resize(use.on_read_inputs.size());
      state.on_read_outputs.resize(use.on_read_features.size());
    }
  }
  for (const BoundOnDemand& use : bound_->on_demand) {
    OnDemandState& state = on_demand_.emplace_back();
    state.use = &use;
    if (!use.program.has_value()) continue;
    state.evaluator.emplace(*use.program);
    state.inputs.resize(use.inputs.size());
    state.outputs.resize(use.features.size());
  }
  for (std::size_t i = 0; i < bound_->tensor_outputs.size(); ++i) {
    Output& output = outputs_.emplace_back();
    output.output = &bound_->service->outputs[Index(bound_->tensor_outputs[i])];
    output.offset = bound_->tensor_offsets[i];
    if (output.output->default_value.has_value())
      output.default_value = DatumOf(*output.output->default_value);
  }
}

absl::Status ServingSession::State::Refresh() { return session_.Renew(); }

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

void ServingSession::State::SetStored(UseState& state, std::size_t i,
                                      const std::optional<RowView>& found, Timestamp as_of) {
  Cell& cell = state.stored[i];
  cell.value = Datum::Null();
  if (!found.has_value()) {
    cell.status = FeatureStatus::kNotFound;
    return;
  }
  const Duration ttl = state.use->view->definition.ttl.value_or(Duration{});
  if (ttl.us > 0 && !found->is_timeless() && found->event_time() < as_of.Minus(ttl)) {
    cell.status = FeatureStatus::kOutsideMaxAge;
  } else if (!found->IsValid(i)) {
    cell.status = FeatureStatus::kNullValue;
  } else {
    cell.status = FeatureStatus::kPresent;
    cell.value = DatumOfRow(*found, i, state.use->view->stored[i].type);
  }
}

absl::Status ServingSession::State::FindUse(UseState& state, std::span<const InputColumn> inputs,
                                            std::size_t row, Timestamp as_of) {
  const BoundUse& use = *state.use;
  LARDER_ASSIGN_OR_RETURN(const bool has_key, EncodeKey(state, inputs, row, &state.key));
  if (use.view->definition.partial_updates) {
    if (has_key) {
      LARDER_RETURN_IF_ERROR(session_.FindPartialRow(use.view->data_id, use.layout, state.key,
                                                     use.LastVisible(as_of), std::nullopt,
                                                     &state.partial));
    }
    for (std::size_t i = 0; i < state.stored.size(); ++i) {
      SetStored(state, i, has_key ? state.partial.RowOf(i) : std::optional<RowView>(), as_of);
    }
  } else {
    std::optional<RowView> found;
    if (has_key) {
      LARDER_ASSIGN_OR_RETURN(found, session_.FindRow(use.view->data_id, use.layout, state.key,
                                                      use.LastVisible(as_of)));
    }
    for (std::size_t i = 0; i < state.stored.size(); ++i) SetStored(state, i, found, as_of);
    const Duration ttl = use.view->definition.ttl.value_or(Duration{});
    const bool expired = found.has_value() && ttl.us > 0 && !found->is_timeless() &&
                         found->event_time() < as_of.Minus(ttl);
    state.row_status = !found.has_value() ? FeatureStatus::kNotFound
                       : expired          ? FeatureStatus::kOutsideMaxAge
                                          : FeatureStatus::kPresent;
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

absl::Status ServingSession::State::ServeRow(std::span<const InputColumn> inputs, std::size_t row,
                                             Timestamp as_of) {
  for (UseState& state : uses_) {
    if (row > 0 && state.key_is_constant) continue;
    LARDER_RETURN_IF_ERROR(FindUse(state, inputs, row, as_of));
  }
  for (OnDemandState& state : on_demand_) EvaluateOnDemand(state, inputs, row, as_of);
  return absl::OkStatus();
}

ServingSession::State::Cell ServingSession::State::OutputCell(const ServiceOutput& output) const {
  if (!output.on_demand) return uses_[Index(output.use)].features[Index(output.feature)];
  const OnDemandState& state = on_demand_[Index(output.use)];
  Cell cell;
  cell.value = state.outputs[Index(state.use->output_of[Index(output.feature)])];
  cell.status = cell.value.valid ? FeatureStatus::kPresent : FeatureStatus::kNullValue;
  return cell;
}

template <class T>
absl::Status ServingSession::State::WriteRow(std::size_t row, T* out,
                                             FeatureStatus* statuses) const {
  const MissingPolicy policy = bound_->service->definition.missing;
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    const Output& output = outputs_[o];
    Cell cell = OutputCell(*output.output);
    if (statuses != nullptr) statuses[o] = cell.status;
    if (!cell.value.valid && policy == MissingPolicy::kDefault) cell.value = output.default_value;
    if (!cell.value.valid && policy == MissingPolicy::kError) {
      return FailedPreconditionError(
          "feature ", output.output->name, " of service ", bound_->name, " is missing in row ", row,
          " (", FeatureStatusName(cell.status), "), and the service says missing: error");
    }
    WriteCell(cell.value, output.output->type, out + output.offset);
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
  for (std::size_t row = 0; row < out.rows; ++row) {
    LARDER_RETURN_IF_ERROR(ServeRow(inputs, row, as_of));
    LARDER_RETURN_IF_ERROR(
        WriteRow(row, out.data + row * stride,
                 statuses.empty() ? nullptr : statuses.data() + row * outputs_.size()));
  }
  return absl::OkStatus();
}

template absl::Status ServingSession::State::Fill(std::span<const InputColumn>, Timestamp,
                                                  const Tensor<float>&, std::span<FeatureStatus>);
template absl::Status ServingSession::State::Fill(std::span<const InputColumn>, Timestamp,
                                                  const Tensor<double>&, std::span<FeatureStatus>);

}  // namespace larder::inline LARDER_ABI
