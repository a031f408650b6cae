// The row-at-a-time twin of compute.h: the same outputs, one tensor row after the other, without allocating.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feature_store/bound_service.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/serving.h"
#include "larder/online/read_session.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {

struct ServingSession::State {
 public:
  State(std::shared_ptr<const BoundService> bound, ReadSession session);

  absl::Status Refresh();
  [[nodiscard]] uint64_t commit_seq() const { return session_.commit_seq(); }

  template <class T>
  absl::Status Fill(std::span<const InputColumn> inputs, Timestamp as_of, const Tensor<T>& out,
                    std::span<FeatureStatus> statuses);

 private:
  // One value of the row being served.
  struct Cell {
    Datum value;
    FeatureStatus status = FeatureStatus::kNotFound;
  };
  struct UseState {
    const BoundUse* use = nullptr;
    bool key_is_constant = false;  // all key inputs are broadcast: found once per Fill
    std::string key;
    std::vector<Cell> stored;    // per stored column
    std::vector<Cell> features;  // per feature of the view; only needed ones are set
    FeatureStatus row_status = FeatureStatus::kNotFound;
    PartialRow partial;
    std::optional<RowEvaluator> on_read;
    std::vector<Datum> on_read_inputs;
    std::vector<Datum> on_read_outputs;
  };
  struct OnDemandState {
    const BoundOnDemand* use = nullptr;
    std::optional<RowEvaluator> evaluator;
    std::vector<Datum> inputs;
    std::vector<Datum> outputs;
  };
  struct Output {
    const ServiceOutput* output = nullptr;
    std::size_t offset = 0;
    Datum default_value;
  };

  absl::Status CheckInputs(std::span<const InputColumn> inputs, std::size_t rows) const;
  absl::Status ServeRow(std::span<const InputColumn> inputs, std::size_t row, Timestamp as_of);
  absl::Status FindUse(UseState& state, std::span<const InputColumn> inputs, std::size_t row,
                       Timestamp as_of);
  // False for a null key.
  absl::StatusOr<bool> EncodeKey(const UseState& state, std::span<const InputColumn> inputs,
                                 std::size_t row, std::string* out) const;
  void SetStored(UseState& state, std::size_t i, const std::optional<RowView>& found,
                 Timestamp as_of);
  void EvaluateOnRead(UseState& state, Timestamp as_of);
  void EvaluateOnDemand(OnDemandState& state, std::span<const InputColumn> inputs, std::size_t row,
                        Timestamp as_of);
  [[nodiscard]] Cell OutputCell(const ServiceOutput& output) const;
  template <class T>
  absl::Status WriteRow(std::size_t row, T* out, FeatureStatus* statuses) const;

  std::shared_ptr<const BoundService> bound_;
  ReadSession session_;
  std::vector<UseState> uses_;
  std::vector<OnDemandState> on_demand_;
  std::vector<Output> outputs_;
};

}  // namespace larder::inline LARDER_ABI
