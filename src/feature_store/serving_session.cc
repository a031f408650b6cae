#include <algorithm>
#include <utility>

#include "feature_store/service_cast.h"
#include "feature_store/serving_cells.h"
#include "feature_store/serving_state.h"

namespace larder::inline LARDER_ABI {
namespace {

// Enough for memory to be fetched ahead, few enough to stay in the nearest cache.
constexpr std::size_t kFetchedTogether = 96;  // rows of all views
constexpr std::size_t kFetchedMin = 8;        // rows of one view
constexpr std::size_t kFetchedMax = 32;
constexpr std::size_t kKeyReserve = 64;  // longer keys grow their buffers once

}  // namespace

ServingSession::State::State(std::shared_ptr<const FeatureStore::Impl> impl,
                             std::shared_ptr<const BoundService> bound, ReadSession session)
    : bound_(std::move(bound)), session_(std::move(session)), staged_(std::move(impl), bound_) {
  for (const BoundUse& use : bound_->uses) {
    UseState& state = uses_.emplace_back();
    state.use = &use;
    state.data_id = use.view->data_id;
    state.partial_updates = use.view->definition.partial_updates;
    state.ttl = std::max(use.view->definition.ttl.value_or(Duration{}), Duration{});
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
    state.needs_cells = state.partial_updates || use.on_read.has_value() || use.windows != nullptr;
    if (use.windows != nullptr) {
      absl::StatusOr<WindowReader> windows = WindowReader::Make(*use.view, *use.windows);
      LARDER_DCHECK(windows.ok());  // the plan was made of the same
      state.windows.emplace(*std::move(windows));
    }
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

absl::Status ServingSession::State::Refresh() {
  absl::Status status = session_.Renew();
  if (staged_.count() == 0) return status;
  if (status.ok()) return staged_.Rebase(session_);
  staged_.Break(status);  // what is staged was merged into a snapshot that is gone
  return status;
}

absl::Status ServingSession::State::Prefault() {
  for (UseState& state : uses_) {
    if (state.windows.has_value()) continue;
    LARDER_ASSIGN_OR_RETURN(ViewRows* const rows,
                            session_.RowsOfView(state.data_id, state.use->layout, &state.hint));
    LARDER_RETURN_IF_ERROR(session_.Prefault(*rows));
  }
  return absl::OkStatus();
}

std::span<const KeyRef> ServingSession::State::KeysOf(const UseState& state,
                                                      std::size_t count) const {
  const UseState& owner = state.same_keys_as >= 0 ? uses_[Index(state.same_keys_as)] : state;
  return {owner.keys.data(), state.key_is_constant ? std::size_t{1} : count};
}

absl::Status ServingSession::State::EncodeChunk(UseState& state, std::span<const InputColumn> inputs,
                                                std::size_t first, std::size_t count,
                                                Timestamp as_of) {
  if (state.same_keys_as < 0) {
    LARDER_RETURN_IF_ERROR(
        EncodeKeys(state, inputs, first, state.key_is_constant ? 1 : count, as_of));
  }
  if (state.rows != nullptr) session_.FetchIndex(*state.rows, KeysOf(state, count));
  return absl::OkStatus();
}

absl::Status ServingSession::State::FindChunk(UseState& state, std::span<const InputColumn> inputs,
                                              std::size_t first, std::size_t count,
                                              Timestamp as_of) {
  // Keys that are features of other rows are known only now.
  if (state.keys_from_features)
    LARDER_RETURN_IF_ERROR(EncodeChunk(state, inputs, first, count, as_of));
  const std::span<const KeyRef> keys = KeysOf(state, count);
  if (state.windows.has_value()) return state.windows->LookUp(session_, keys);
  if (state.rows == nullptr) return absl::OkStatus();
  const Timestamp last_visible = state.last_visible;
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
      LARDER_ASSIGN_OR_RETURN(
          const std::optional<RowView> row,
          session_.FindRow(state.data_id, state.use->layout, keys[i].key, last_visible, known_at_));
      found = row ? FoundRow::Of(*row) : FoundRow();
    }
    if (state.staged != nullptr)
      LARDER_RETURN_IF_ERROR(state.staged->Find(keys[i], last_visible, known_at_, &found).status());
  }
  return absl::OkStatus();
}

std::size_t ServingSession::State::ChunkSize() const {
  // Every step of an expression costs once per chunk what a few of its rows cost.
  if (chunks_on_demand_) return kChunk;
  const auto found = std::count_if(uses_.begin(), uses_.end(),
                                   [](const UseState& state) { return !state.key_is_constant; });
  return std::clamp(kFetchedTogether / static_cast<std::size_t>(std::max<std::ptrdiff_t>(1, found)),
                    kFetchedMin, kFetchedMax);
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
  LARDER_RETURN_IF_ERROR(staged_.status());
  for (UseState& state : uses_) {
    state.last_visible = state.use->LastVisible(as_of);
    state.event_time_min = state.ttl.us > 0 ? as_of.Minus(state.ttl).us : Timestamp::Min().us;
    state.staged = staged_.count() == 0 ? nullptr : staged_.RowsOf(state.data_id);
    state.rows = nullptr;
    if (state.partial_updates) continue;
    if (state.windows.has_value()) {
      LARDER_RETURN_IF_ERROR(state.windows->Begin(session_, as_of, known_at_));
      continue;
    }
    LARDER_ASSIGN_OR_RETURN(state.rows,
                            session_.RowsOfView(state.data_id, state.use->layout, &state.hint));
  }
  // What was found of constant keys is found once.
  const auto is_done = [](const UseState& state, std::size_t first) {
    return state.key_is_constant && first > 0;
  };
  const std::size_t chunk = ChunkSize();
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
  return staged_.Add(session_, source, events);
}

absl::Status ServingSession::State::Stage(std::string_view source, const Batch& events) {
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

void ServingSession::State::Drop() { staged_.Clear(); }

template absl::Status ServingSession::State::Fill(std::span<const InputColumn>, Timestamp,
                                                  const Tensor<float>&, std::span<FeatureStatus>);
template absl::Status ServingSession::State::Fill(std::span<const InputColumn>, Timestamp,
                                                  const Tensor<double>&, std::span<FeatureStatus>);

}  // namespace larder::inline LARDER_ABI
