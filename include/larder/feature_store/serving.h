// The serving path: a service bound once, then requests that fill the model's input tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store/loading.h"
#include "larder/feature_store/receipt.h"
#include "larder/schema/definitions.h"
#include "larder/schema/feature_status.h"

namespace larder::inline LARDER_ABI {

struct BoundService;  // src/feature_store/bound_service.h

// A feature service with every name, version, offset and program resolved. Never changes meaning: apply and rollback
// move only what a bare name means at the next Bind. Copies share. Threads: thread-compatible.
class ServingPlan {
 public:
  [[nodiscard]] std::string service() const;  // `fraud_model@2`
  [[nodiscard]] uint64_t revision() const;
  // What a request must give: a column per join key, then one per request field that is not a join key, in this order.
  [[nodiscard]] std::span<const Field> inputs() const& LARDER_LIFETIME_BOUND;
  std::span<const Field> inputs() const&& = delete;  // Would dangle, as the others below.
  // The features in the tensor, in order: numbers, booleans and vectors (one column per element). Text, bytes, lists and
  // maps are left out; read those through GetOnlineFeatures.
  [[nodiscard]] std::span<const std::string> outputs() const& LARDER_LIFETIME_BOUND;
  std::span<const std::string> outputs() const&& = delete;
  // Columns of the tensor, and the index in it of each output's first.
  [[nodiscard]] std::size_t width() const;
  [[nodiscard]] std::span<const std::size_t> offsets() const& LARDER_LIFETIME_BOUND;
  std::span<const std::size_t> offsets() const&& = delete;
  [[nodiscard]] TypeId dtype() const;  // float32 or float64

 private:
  friend class FeatureStore;
  friend class ServingSession;
  explicit ServingPlan(std::shared_ptr<const BoundService> bound);
  std::shared_ptr<const BoundService> bound_;
};

// One input column of a request. Borrows what it is given.
class InputColumn {
 public:
  // One value for every row.
  static InputColumn Broadcast(int64_t value);
  static InputColumn Broadcast(uint64_t value);
  static InputColumn Broadcast(double value);
  static InputColumn Broadcast(std::string_view value);
  // One value per row. Integers serve integer, timestamp and duration (microseconds), date (days) and bool inputs;
  // doubles serve float64 and float32; text serves string and bytes.
  static InputColumn Of(std::span<const int64_t> values LARDER_LIFETIME_BOUND);
  static InputColumn Of(std::span<const uint64_t> values LARDER_LIFETIME_BOUND);
  static InputColumn Of(std::span<const double> values LARDER_LIFETIME_BOUND);
  static InputColumn Of(std::span<const std::string_view> values LARDER_LIFETIME_BOUND);
  template <class T>
  static InputColumn Of(const std::vector<T>&&) = delete;  // Would dangle.

  enum class Kind : uint8_t { kInteger, kUnsigned, kDouble, kText };
  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_broadcast() const { return broadcast_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  // Of kUnsigned: the same bits.
  [[nodiscard]] int64_t integer(std::size_t row) const {
    return broadcast_ ? integer_ : integers_[row];
  }
  [[nodiscard]] double number(std::size_t row) const {
    return broadcast_ ? double_ : doubles_[row];
  }
  [[nodiscard]] std::string_view text(std::size_t row) const {
    return broadcast_ ? text_ : texts_[row];
  }

 private:
  Kind kind_ = Kind::kInteger;
  bool broadcast_ = false;
  std::size_t size_ = 0;
  int64_t integer_ = 0;
  double double_ = 0;
  std::string_view text_;
  const int64_t* integers_ = nullptr;
  const double* doubles_ = nullptr;
  const std::string_view* texts_ = nullptr;
};

// Where the features of a request go. Row r, column c is data[r * stride + c].
template <class T>
struct Tensor {
  T* data = nullptr;
  std::size_t rows = 0;
  std::size_t stride = 0;  // 0: the plan's width
};

// One thread's state for serving a plan: a snapshot and the scratch that programs need. Keep it between requests.
//
// After its first requests Fill does not allocate, lock or enter the system.
//
// A request caused by an event is answered with that event in it, before it is pushed:
//   LARDER_ASSIGN_OR_RETURN(const Timestamp as_of, session.For("transactions_live", event));
//   LARDER_RETURN_IF_ERROR(session.Fill(inputs, as_of, tensor));
//   LARDER_RETURN_IF_ERROR(session.Commit().status());
// Threads: thread-bound; may be handed from thread to thread.
class ServingSession {
 public:
  ServingSession(ServingSession&&) noexcept;
  ServingSession& operator=(ServingSession&&) noexcept;
  ~ServingSession();

  // Moves to the newest commit; every Fill until the next Refresh reads that one picture.
  absl::Status Refresh();
  [[nodiscard]] uint64_t commit_seq() const;
  // Brings everything the service reads into memory and maps it, so that the first requests after a publish are as fast
  // as later ones; for a thread that may wait. Cost: the size of the service's views, less what is in memory already.
  absl::Status Prefault();
  // Of the last Fill that succeeded. Lifetime: borrows from the session. Cost: none; only ToString allocates.
  [[nodiscard]] Receipt receipt() const LARDER_LIFETIME_BOUND;

  // Fills one tensor row per request row, null as NaN (or as the service's missing policy says), in input order.
  // `inputs` are in ServingPlan::inputs() order; the tensor's type must be the plan's dtype. `statuses`, when not empty,
  // gets rows x outputs().size() entries, row-major.
  // Errors: kInvalidArgument for inputs of another number, kind or length, or an integer outside a key's type;
  //   kFailedPrecondition under `missing: error`; kOutsideHistory.
  absl::Status Fill(std::span<const InputColumn> inputs, Timestamp as_of, Tensor<float> out,
                    std::span<FeatureStatus> statuses = {});
  absl::Status Fill(std::span<const InputColumn> inputs, Timestamp as_of, Tensor<double> out,
                    std::span<FeatureStatus> statuses = {});

  // From now on Fill reads what was known by then, where that is kept; absent: all that is in the snapshot, or staged.
  void SetKnownAt(std::optional<Timestamp> known_at);

  // Makes events visible to this session's own Fill, and to nobody else, as a push would: what wins, what partial rows
  // leave alone and what deletes hide is what it will be after Commit. They stay staged over Refresh.
  // Errors: as FeatureStore::Push, and then none of the events is staged.
  absl::Status Stage(std::string_view source, std::span<const Row> events);
  absl::Status Stage(std::string_view source, const Batch& events);
  // Stages the event that causes a request and returns its time, the as_of to serve the request at: so the answer is the
  // same before the event is pushed and after. Errors: kFailedPrecondition for a source without event time.
  absl::StatusOr<Timestamp> For(std::string_view source, const Row& event);
  [[nodiscard]] std::size_t staged_count() const;  // events
  // Pushes all that is staged in one commit, shared with pushes of other threads, and moves on to it.
  // Errors: as FeatureStore::Push; the events then stay staged. After kInDoubt repeat with the same batch id.
  absl::StatusOr<PushResult> Commit(const PushOptions& options = {});
  // Forgets what is staged.
  void Drop();

 private:
  friend class FeatureStore;
  struct State;
  explicit ServingSession(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace larder::inline LARDER_ABI
