// What a service computes on demand, a chunk of rows at a time: column by column, with the kernels of every other driver.
#include <algorithm>
#include <limits>

#include "feature_store/service_cast.h"
#include "feature_store/serving_cells.h"
#include "feature_store/serving_state.h"

namespace larder::inline LARDER_ABI {

bool ServingSession::State::CanChunkOnDemand() const {
  for (const OnDemandState& state : on_demand_) {
    for (const BoundOnDemand::Input& input : state.use->inputs) {
      if (input.use < 0) continue;
      const ViewVersion& view = *uses_[Index(input.use)].use->view;
      if (view.definition.partial_updates || view.features[Index(input.feature)].stored < 0)
        return false;
    }
  }
  return !on_demand_.empty() &&
         std::all_of(outputs_.begin(), outputs_.end(), [](const Output& output) {
           return output.in_run || output.output->on_demand;
         });
}

Datum ServingSession::State::ChunkOutput(const OnDemandState& state, std::size_t output,
                                         std::size_t row) {
  const auto feature = Index(state.use->features[output]);
  return WidenDatum(state.chunk->Output(output, row), state.chunk->program().outputs()[output].type,
                    state.use->view->features[feature].type);
}

void ServingSession::State::LoadChunkInput(OnDemandState& state, std::size_t input,
                                           std::span<const InputColumn> inputs, std::size_t first,
                                           std::size_t count) {
  ChunkEvaluator& chunk = *state.chunk;
  const BoundOnDemand::Input& from = state.use->inputs[input];
  if (from.on_demand >= 0) {
    const OnDemandState& other = on_demand_[Index(from.on_demand)];
    const auto output = Index(other.use->output_of[Index(from.feature)]);
    for (std::size_t i = 0; i < count; ++i) chunk.SetInput(input, i, ChunkOutput(other, output, i));
    return;
  }
  if (from.input >= 0) {
    const InputColumn& column = inputs[Index(from.input)];
    const DataType& type = bound_->inputs[Index(from.input)].type;
    // One value for all: set for every chunk with the first.
    if (column.is_broadcast() && first > 0) return;
    const std::size_t rows = column.is_broadcast() ? kChunk : count;
    for (std::size_t i = 0; i < rows; ++i)
      chunk.SetInput(input, i, DatumOfInput(column, type, first + i));
    return;
  }
  const UseState& use = uses_[Index(from.use)];
  if (use.key_is_constant && first > 0) return;
  const RowLayout& layout = use.use->layout;
  const auto column = Index(use.use->view->features[Index(from.feature)].stored);
  const auto is_valid = [&](const FoundRow& found) {
    return RowStatus(use, found) == FeatureStatus::kPresent && IsValid(found, column);
  };
  const ChunkEvaluator::Words words = chunk.InputWords(input);
  if (words.values == nullptr || use.key_is_constant) {
    const std::size_t rows = use.key_is_constant ? kChunk : count;
    for (std::size_t i = 0; i < rows; ++i) {
      const FoundRow& found = use.found[PlaceOf(use, i)];
      chunk.SetInput(input, i,
                     is_valid(found) ? DatumOfFound(found, layout, column) : Datum::Null());
    }
    return;
  }
  static_assert(kChunk <= 64, "the bits of a chunk are one word");
  const std::size_t offset = layout.offset(column);
  uint64_t valid = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const FoundRow& found = use.found[i];
    const bool is_there = is_valid(found);
    valid |= uint64_t{is_there} << i;
    words.values[i] = is_there ? LoadAs<uint64_t>(found.payload + offset) : 0;
  }
  words.valid[0] = valid;
}

void ServingSession::State::EvaluateChunk(OnDemandState& state, std::span<const InputColumn> inputs,
                                          std::size_t first, std::size_t count, Timestamp as_of) {
  if (!state.chunk.has_value()) return;
  for (std::size_t i = 0; i < state.use->inputs.size(); ++i)
    LoadChunkInput(state, i, inputs, first, count);
  state.chunk->Evaluate(count, as_of);
}

template <class T>
absl::Status ServingSession::State::WriteOutputCell(std::size_t output, Cell cell, std::size_t row,
                                                    T* out, FeatureStatus* statuses) const {
  const MissingPolicy policy = bound_->service->definition.missing;
  const Output& place = outputs_[output];
  if (place.output->cast.has_value() && cell.value.valid) {
    cell.value = CastDatum(cell.value, place.output->type, *place.output->cast);
    if (!cell.value.valid) cell.status = FeatureStatus::kNullValue;
  }
  if (statuses != nullptr) statuses[output] = cell.status;
  if (!cell.value.valid && policy == MissingPolicy::kDefault) cell.value = place.default_value;
  if (!cell.value.valid && policy == MissingPolicy::kError)
    return MissingError(output, row, cell.status);
  WriteCell(cell.value, place.output->served_type(), out + place.offset);
  return absl::OkStatus();
}

template <class T>
absl::Status ServingSession::State::WriteChunkOutputs(std::size_t first, std::size_t count,
                                                      const Tensor<T>& out, std::size_t stride,
                                                      std::span<FeatureStatus> statuses) const {
  const auto write_cell = [&](std::size_t o, std::size_t i) {
    const ServiceOutput& output = *outputs_[o].output;
    const OnDemandState& state = on_demand_[Index(output.use)];
    Cell cell;
    cell.value = ChunkOutput(state, Index(state.use->output_of[Index(output.feature)]), i);
    cell.status = cell.value.valid ? FeatureStatus::kPresent : FeatureStatus::kNullValue;
    return WriteOutputCell(
        o, cell, first + i, out.data + (first + i) * stride,
        statuses.empty() ? nullptr : statuses.data() + (first + i) * outputs_.size());
  };
  const MissingPolicy policy = bound_->service->definition.missing;
  if (policy == MissingPolicy::kError) {
    // An error names the first row that misses something: row by row.
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t o = 0; o < outputs_.size(); ++o) {
        if (!outputs_[o].in_run) LARDER_RETURN_IF_ERROR(write_cell(o, i));
      }
    }
    return absl::OkStatus();
  }
  constexpr T kMissing = std::numeric_limits<T>::quiet_NaN();
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    const Output& place = outputs_[o];
    if (place.in_run) continue;
    const OnDemandState& state = on_demand_[Index(place.output->use)];
    const auto output = Index(state.use->output_of[Index(place.output->feature)]);
    const ChunkEvaluator::Doubles doubles = state.chunk->OutputDoubles(output);
    if (doubles.values == nullptr || place.output->cast.has_value() ||
        policy == MissingPolicy::kDefault) {
      for (std::size_t i = 0; i < count; ++i) LARDER_RETURN_IF_ERROR(write_cell(o, i));
      continue;
    }
    const uint64_t valid = doubles.valid == nullptr ? ~uint64_t{0} : doubles.valid[0];
    T* to = out.data + first * stride + place.offset;
    for (std::size_t i = 0; i < count; ++i, to += stride) {
      const double value = doubles.values[i];
      // Every computed NaN leaves as one.
      *to = ((valid >> i) & 1U) != 0 && value == value ? static_cast<T>(value) : kMissing;
    }
    for (std::size_t i = 0; i < count && !statuses.empty(); ++i) {
      statuses[(first + i) * outputs_.size() + o] =
          ((valid >> i) & 1U) != 0 ? FeatureStatus::kPresent : FeatureStatus::kNullValue;
    }
  }
  return absl::OkStatus();
}

template absl::Status ServingSession::State::WriteOutputCell(std::size_t, Cell, std::size_t, float*,
                                                             FeatureStatus*) const;
template absl::Status ServingSession::State::WriteOutputCell(std::size_t, Cell, std::size_t,
                                                             double*, FeatureStatus*) const;
template absl::Status ServingSession::State::WriteChunkOutputs(std::size_t, std::size_t,
                                                               const Tensor<float>&, std::size_t,
                                                               std::span<FeatureStatus>) const;
template absl::Status ServingSession::State::WriteChunkOutputs(std::size_t, std::size_t,
                                                               const Tensor<double>&, std::size_t,
                                                               std::span<FeatureStatus>) const;

}  // namespace larder::inline LARDER_ABI
