// What is served value by value: rows with partial updates, what is computed on read, and on demand row by row.
#include <algorithm>

#include "feature_store/serving_cells.h"
#include "feature_store/serving_state.h"

namespace larder::inline LARDER_ABI {

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
  const std::size_t keys = state.same_keys_as >= 0
                               ? Index(state.same_keys_as)
                               : static_cast<std::size_t>(&state - uses_.data());
  if (state.windows.has_value()) return SetWindowCells(state, uses_[keys].keys[i], i);
  if (state.partial_updates) {
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

absl::Status ServingSession::State::SetWindowCells(UseState& state, const KeyRef& key,
                                                   std::size_t i) {
  const auto staged = staged_.WindowsOf(state.data_id, key.key);
  LARDER_RETURN_IF_ERROR(staged.empty() ? state.windows->ReadAhead(session_, i)
                                        : state.windows->Read(session_, key.key, staged));
  const bool hides = bound_->service->definition.partial == PartialPolicy::kNull;
  for (std::size_t f = 0; f < state.features.size(); ++f) {
    Cell& cell = state.features[f];
    cell.status = state.windows->statuses()[f];
    const Value& value = state.windows->values()[f];
    const bool is_null = value.is_null() || (hides && cell.status == FeatureStatus::kPartialWindow);
    // Maps are no inputs of expressions and stand in no tensor.
    cell.value = is_null || value.As<MapValue>() != nullptr ? Datum::Null() : DatumOf(value);
  }
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
absl::Status ServingSession::State::WriteCells(std::size_t row, T* out,
                                               FeatureStatus* statuses) const {
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    if (outputs_[o].in_run) continue;
    LARDER_RETURN_IF_ERROR(WriteOutputCell(o, OutputCell(*outputs_[o].output), row, out, statuses));
  }
  return absl::OkStatus();
}

template absl::Status ServingSession::State::WriteCells(std::size_t, float*, FeatureStatus*) const;
template absl::Status ServingSession::State::WriteCells(std::size_t, double*, FeatureStatus*) const;

}  // namespace larder::inline LARDER_ABI
