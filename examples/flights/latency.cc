#include "examples/flights/latency.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#include "examples/flights/check.h"

namespace flights {
namespace {

constexpr std::size_t kRequests = 50'000;
constexpr std::size_t kBatches = 300;
constexpr std::size_t kBatchRows = 1'000;

class Stopwatch {
 public:
  void Start() { started_ = std::chrono::steady_clock::now(); }
  void Stop() {
    const std::chrono::duration<double, std::micro> spent =
        std::chrono::steady_clock::now() - started_;
    spent_us_.push_back(spent.count());
  }
  [[nodiscard]] Percentiles Take() {
    std::sort(spent_us_.begin(), spent_us_.end());
    const auto at = [this](double share) {
      return spent_us_[static_cast<std::size_t>(share * static_cast<double>(spent_us_.size() - 1))];
    };
    return {at(0.5), at(0.99), at(0.999), spent_us_.size()};
  }

 private:
  std::chrono::steady_clock::time_point started_;
  std::vector<double> spent_us_;
};

}  // namespace

absl::StatusOr<Latency> MeasureLatency(const larder::FeatureStore& store, const std::string& service,
                                       const larder::Batch& rows, larder::Timestamp as_of) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(service));
  LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));

  // 1,000 rows spread over the whole of `rows`.
  std::vector<std::size_t> indices(kBatchRows);
  for (std::size_t i = 0; i < kBatchRows; ++i) indices[i] = i * rows.row_count() / kBatchRows;
  LARDER_ASSIGN_OR_RETURN(const RequestColumns batch, RequestColumns::Make(plan, rows, indices));
  std::vector<std::vector<larder::InputColumn>> singles;
  for (std::size_t i = 0; i < kBatchRows; ++i) singles.push_back(batch.Row(i));
  std::vector<float> tensor(kBatchRows * plan.width());

  Latency latency;
  latency.features = plan.outputs().size();
  Stopwatch requests;
  for (std::size_t i = 0; i < kRequests; ++i) {
    requests.Start();
    LARDER_RETURN_IF_ERROR(session.Refresh());
    LARDER_RETURN_IF_ERROR(
        session.Fill(singles[i % kBatchRows], as_of, larder::Tensor<float>{tensor.data(), 1, 0}));
    requests.Stop();
  }
  latency.request = requests.Take();

  Stopwatch batches;
  for (std::size_t i = 0; i < kBatches; ++i) {
    batches.Start();
    LARDER_RETURN_IF_ERROR(session.Refresh());
    LARDER_RETURN_IF_ERROR(
        session.Fill(batch.columns(), as_of, larder::Tensor<float>{tensor.data(), kBatchRows, 0}));
    batches.Stop();
  }
  latency.thousand = batches.Take();
  return latency;
}

}  // namespace flights
