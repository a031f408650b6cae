// A request's inputs: whether they are what the service takes, and the keys they make.
#include <cmath>
#include <cstdlib>
#include <limits>

#include "feature_store/serving_cells.h"
#include "feature_store/serving_state.h"
#include "larder/schema/entity_key.h"

namespace larder::inline LARDER_ABI {
namespace {

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

}  // namespace

absl::Status ServingSession::State::CheckInputs(std::span<const InputColumn> inputs,
                                                std::size_t rows) const {
  if (inputs.size() != bound_->inputs.size()) {
    std::vector<std::string> names;
    for (const Field& field : bound_->inputs) names.push_back(field.name);
    return InvalidArgumentError("service ", bound_->name, " takes ", names.size(),
                                " input columns (", Join(names, ", "), "), found ", inputs.size());
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

}  // namespace larder::inline LARDER_ABI
