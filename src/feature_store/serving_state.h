// The twin of compute.h for serving: the same outputs, into a tensor, without allocating.
//
// Rows are found a chunk at a time, so that memory can be fetched ahead, and features that are stored as they are go
// straight into the tensor. What is computed on demand is computed a chunk at a time where it reads stored features only,
// everything else row by row.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feature_store/bound_service.h"
#include "feature_store/staged_events.h"
#include "feature_store/window_reader.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/serving.h"
#include "larder/online/read_session.h"
#include "larder/schema/key_bytes.h"
#include "larder/transform/chunk_evaluator.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {

struct ServingSession::State {
 public:
  static constexpr std::size_t kChunk = 64;  // rows found together, at most

  State(std::shared_ptr<const FeatureStore::Impl> impl, std::shared_ptr<const BoundService> bound,
        ReadSession session);

  absl::Status Refresh();
  absl::Status Prefault();
  [[nodiscard]] uint64_t commit_seq() const { return session_.commit_seq(); }
  [[nodiscard]] Receipt receipt() const { return receipt_; }

  void SetKnownAt(std::optional<Timestamp> known_at) { known_at_ = known_at; }
  absl::Status Stage(std::string_view source, std::span<const Row> events);
  absl::Status Stage(std::string_view source, const Batch& events);
  absl::StatusOr<Timestamp> For(std::string_view source, const Row& event);
  [[nodiscard]] std::size_t staged_count() const { return staged_.count(); }
  absl::StatusOr<PushResult> Commit(const PushOptions& options);
  void Drop();

  template <class T>
  absl::Status Fill(std::span<const InputColumn> inputs, Timestamp as_of, const Tensor<T>& out,
                    std::span<FeatureStatus> statuses);

 private:
  // One value of the row being served.
  struct Cell {
    Datum value;
    FeatureStatus status = FeatureStatus::kNotFound;
  };
  // Outputs that stand side by side in rows and tensor, of one type, their bits in one word.
  struct Run {
    DataType type;
    std::size_t stored = 0;  // the first's index in the view's stored columns
    std::size_t count = 0;
    std::size_t offset = 0;  // the first's place in the tensor's row
    std::size_t output = 0;  // and its index in outputs_
    std::size_t payload_offset = 0;
    // From the row's bytes to the tensor: `count` elements.
    void (*to_float)(const char* from, std::size_t count, float* out) = nullptr;
    void (*to_double)(const char* from, std::size_t count, double* out) = nullptr;

    // Elements of the tensor's row.
    [[nodiscard]] std::size_t width() const {
      return type.id() == TypeId::kVector ? type.length() : count;
    }
  };
  struct UseState {
    const BoundUse* use = nullptr;
    uint32_t data_id = 0;  // of the view, with what else of it every Fill asks
    bool partial_updates = false;
    Duration ttl;              // 0: none
    RowsHint hint;             // ReadSession::RowsOfView's
    ViewRows* rows = nullptr;  // of the Fill under way; null for views with partial updates
    const StagedRows* staged = nullptr;  // of the Fill under way; null: none
    bool keys_from_features = false;
    int same_keys_as = -1;               // an earlier use with the same keys
    bool key_is_constant = false;        // all key inputs are broadcast: found once per Fill
    bool needs_cells = false;            // some feature is computed from, or is a key
    int integer_input = -1;              // the input that is the whole key, an integer
    std::vector<std::string> key_bytes;  // per row of the chunk
    std::vector<std::array<char, kKeyIntegerSize>> integer_keys;
    std::vector<KeyRef> keys;
    std::vector<RowGuess> guesses;
    std::vector<FoundRow> found;
    Timestamp last_visible;  // of the Fill under way, and of rows within the view's max age
    int64_t event_time_min = 0;
    std::vector<Run> runs;       // outputs written from `found`
    std::vector<Cell> stored;    // per stored column
    std::vector<Cell> features;  // per feature of the view; only needed ones are set
    FeatureStatus row_status = FeatureStatus::kNotFound;
    PartialRow partial;
    std::optional<WindowReader> windows;  // of a view with aggregates: cells come from here
    std::optional<RowEvaluator> on_read;
    std::vector<Datum> on_read_inputs;
    std::vector<Datum> on_read_outputs;
  };
  struct OnDemandState {
    const BoundOnDemand* use = nullptr;
    std::optional<RowEvaluator> evaluator;
    std::vector<Datum> inputs;
    std::vector<Datum> outputs;
    std::optional<ChunkEvaluator> chunk;  // instead, where chunks_on_demand_
  };
  struct Output {
    const ServiceOutput* output = nullptr;
    std::size_t offset = 0;
    Datum default_value;
    bool in_run = false;
  };

  void PlanRuns();
  // Rows found together by the Fill under way.
  [[nodiscard]] std::size_t ChunkSize() const;
  // Whether what is computed on demand needs nothing that is computed row by row.
  [[nodiscard]] bool CanChunkOnDemand() const;
  absl::Status CheckInputs(std::span<const InputColumn> inputs, std::size_t rows) const;
  // The keys of rows `first` to `first + count`; and asking for the memory they lead to.
  absl::Status EncodeKeys(UseState& state, std::span<const InputColumn> inputs, std::size_t first,
                          std::size_t count, Timestamp as_of);
  absl::Status EncodeChunk(UseState& state, std::span<const InputColumn> inputs, std::size_t first,
                           std::size_t count, Timestamp as_of);
  // Finds those rows.
  absl::Status FindChunk(UseState& state, std::span<const InputColumn> inputs, std::size_t first,
                         std::size_t count, Timestamp as_of);
  [[nodiscard]] std::span<const KeyRef> KeysOf(const UseState& state, std::size_t count) const;
  // The row of the chunk for a use; chunks of uses with constant keys have one.
  [[nodiscard]] static std::size_t PlaceOf(const UseState& state, std::size_t i) {
    return state.key_is_constant ? 0 : i;
  }
  [[nodiscard]] static FeatureStatus RowStatus(const UseState& state, const FoundRow& found) {
    if (found.payload == nullptr) return FeatureStatus::kNotFound;
    return found.event_time < state.event_time_min && !found.timeless
               ? FeatureStatus::kOutsideMaxAge
               : FeatureStatus::kPresent;
  }
  // Sets the cells of what was found `i`th.
  absl::Status SetCells(UseState& state, std::size_t i, Timestamp as_of);
  // False for a null key.
  absl::StatusOr<bool> EncodeKey(const UseState& state, std::span<const InputColumn> inputs,
                                 std::size_t row, std::string* out) const;
  absl::Status SetWindowCells(UseState& state, const KeyRef& key, std::size_t i);
  void SetStored(UseState& state, std::size_t column, const FoundRow& found,
                 FeatureStatus row_status);
  void EvaluateOnRead(UseState& state, Timestamp as_of);
  void EvaluateOnDemand(OnDemandState& state, std::span<const InputColumn> inputs, std::size_t row,
                        Timestamp as_of);
  [[nodiscard]] Cell OutputCell(const ServiceOutput& output) const;
  [[nodiscard]] absl::Status MissingError(std::size_t output, std::size_t row,
                                          FeatureStatus status) const;
  template <class T>
  absl::Status WriteRuns(const UseState& state, std::size_t first, std::size_t count,
                         const Tensor<T>& out, std::size_t stride,
                         std::span<FeatureStatus> statuses) const;
  // Copies what WriteRuns wrote into the first row of the tensor: a use with constant keys.
  template <class T>
  void RepeatRuns(const UseState& state, std::size_t first, std::size_t count, const Tensor<T>& out,
                  std::size_t stride, std::span<FeatureStatus> statuses) const;
  // What is computed on demand of rows `first` to `first + count`, where chunks_on_demand_: serving_on_demand.cc.
  void EvaluateChunk(OnDemandState& state, std::span<const InputColumn> inputs, std::size_t first,
                     std::size_t count, Timestamp as_of);
  void LoadChunkInput(OnDemandState& state, std::size_t input, std::span<const InputColumn> inputs,
                      std::size_t first, std::size_t count);
  [[nodiscard]] static Datum ChunkOutput(const OnDemandState& state, std::size_t output,
                                         std::size_t row);
  template <class T>
  absl::Status WriteChunkOutputs(std::size_t first, std::size_t count, const Tensor<T>& out,
                                 std::size_t stride, std::span<FeatureStatus> statuses) const;
  template <class T>
  absl::Status WriteOutputCell(std::size_t output, Cell cell, std::size_t row, T* out,
                               FeatureStatus* statuses) const;
  // The outputs of a row that are in no run.
  template <class T>
  absl::Status WriteCells(std::size_t row, T* out, FeatureStatus* statuses) const;

  std::shared_ptr<const BoundService> bound_;
  ReadSession session_;
  std::vector<UseState> uses_;
  std::vector<OnDemandState> on_demand_;
  std::vector<Output> outputs_;
  bool has_cells_ = false;         // some output is in no run and no chunk
  bool chunks_on_demand_ = false;  // what is computed on demand is computed a chunk at a time
  Receipt receipt_;                // of the last Fill
  std::optional<Timestamp> known_at_;
  StagedEvents staged_;
};

}  // namespace larder::inline LARDER_ABI
