// Features that stand side by side in row and tensor, converted together.
#include <algorithm>
#include <type_traits>

#include "feature_store/serving_cells.h"
#include "feature_store/serving_state.h"

namespace larder::inline LARDER_ABI {
namespace {

// Bits `first` to `first + count` of the bitmap. Requires: all in one word (see PlanRuns).
uint64_t BitsOf(const FoundRow& row, const RowLayout& layout, std::size_t first, std::size_t count) {
  const uint64_t word = layout.has_bitmap_words()
                            ? LoadAs<uint64_t>(row.validity + 8 * (first / 64)) >> (first % 64)
                            : uint64_t{LoadAs<uint16_t>(row.validity)} >> first;
  return count == 64 ? word : word & ((uint64_t{1} << count) - 1);
}

template <class From, class T>
void ConvertRun(const char* __restrict from, std::size_t count, T* __restrict out) {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<T>(LoadAs<From>(from + i * sizeof(From)));
}

template <class T>
void ConvertBools(const char* __restrict from, std::size_t count, T* __restrict out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = from[i] != 0 ? T{1} : T{0};
}

template <class T>
auto ConverterOf(const DataType& type) -> void (*)(const char*, std::size_t, T*) {
  switch (type.id()) {
    case TypeId::kBool:
      return ConvertBools<T>;
    case TypeId::kInt32:
    case TypeId::kDate:
      return ConvertRun<int32_t, T>;
    case TypeId::kUint64:
      return ConvertRun<uint64_t, T>;
    case TypeId::kFloat32:
      return ConvertRun<float, T>;
    case TypeId::kFloat64:
      return ConvertRun<double, T>;
    case TypeId::kVector:
      return type.element() == TypeId::kInt8 ? ConvertRun<int8_t, T> : ConvertRun<float, T>;
    default:
      return ConvertRun<int64_t, T>;
  }
}

}  // namespace

void ServingSession::State::PlanRuns() {
  for (std::size_t o = 0; o < outputs_.size(); ++o) {
    Output& output = outputs_[o];
    if (output.output->on_demand) continue;
    UseState& state = uses_[Index(output.output->use)];
    const int column = state.use->view->features[Index(output.output->feature)].stored;
    if (output.output->cast.has_value()) state.needs_cells = true;
    if (column < 0 || state.partial_updates || output.output->cast) continue;
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
    Run& run = state.runs.emplace_back();
    run.type = layout.type(stored);
    run.stored = stored;
    run.count = 1;
    run.offset = output.offset;
    run.output = o;
    run.payload_offset = layout.offset(stored);
    run.to_float = ConverterOf<float>(run.type);
    run.to_double = ConverterOf<double>(run.type);
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

template <class T>
absl::Status ServingSession::State::WriteRuns(const UseState& state, std::size_t first,
                                              std::size_t count, const Tensor<T>& out,
                                              std::size_t stride,
                                              std::span<FeatureStatus> statuses) const {
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
      if (valid != 0) {
        const char* const from = found.payload + run.payload_offset;
        if constexpr (std::is_same_v<T, float>) {
          run.to_float(from, run.width(), to + run.offset);
        } else {
          run.to_double(from, run.width(), to + run.offset);
        }
      }
      if (status != nullptr) {
        for (std::size_t f = 0; f < run.count; ++f) {
          const bool is_null = present && ((valid >> f) & 1U) == 0;
          status[run.output + f] = is_null ? FeatureStatus::kNullValue : row_status;
        }
      }
      if (valid == all) continue;
      const MissingPolicy policy = bound_->service->definition.missing;
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
      std::copy_n(out.data + run.offset, run.width(), out.data + row * stride + run.offset);
      if (statuses.empty()) continue;
      const auto at = statuses.begin() + static_cast<std::ptrdiff_t>(run.output);
      std::copy_n(at, run.count, at + static_cast<std::ptrdiff_t>(row * outputs_.size()));
    }
  }
}

template absl::Status ServingSession::State::WriteRuns(const UseState&, std::size_t, std::size_t,
                                                       const Tensor<float>&, std::size_t,
                                                       std::span<FeatureStatus>) const;
template absl::Status ServingSession::State::WriteRuns(const UseState&, std::size_t, std::size_t,
                                                       const Tensor<double>&, std::size_t,
                                                       std::span<FeatureStatus>) const;
template void ServingSession::State::RepeatRuns(const UseState&, std::size_t, std::size_t,
                                                const Tensor<float>&, std::size_t,
                                                std::span<FeatureStatus>) const;
template void ServingSession::State::RepeatRuns(const UseState&, std::size_t, std::size_t,
                                                const Tensor<double>&, std::size_t,
                                                std::span<FeatureStatus>) const;

}  // namespace larder::inline LARDER_ABI
