// The inference service: threads that rank candidate products for households.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "examples/parts/logistic_regression.h"
#include "larder/base/latency_histogram.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/feature_store.h"

namespace recommendation {

using examples::Model;

inline constexpr std::size_t kRecommended = 10;

// What one thread keeps between requests.
class Ranker {
 public:
  static absl::StatusOr<Ranker> Make(const larder::FeatureStore& store,
                                     const larder::ServingPlan& plan, const Model& model,
                                     std::span<const std::string> candidates);

  // The best candidates for a household, as indices into the candidates, best first. Lifetime: until the next call.
  absl::StatusOr<std::span<const std::size_t>> Rank(int64_t household, larder::Timestamp as_of);
  [[nodiscard]] uint64_t commit_seq() const { return session_.commit_seq(); }

 private:
  Ranker(larder::ServingSession session, const larder::ServingPlan& plan, const Model& model,
         std::span<const std::string> candidates);
  larder::ServingSession session_;
  const Model& model_;
  std::vector<std::string_view> candidates_;
  std::vector<float> tensor_;
  std::vector<float> scores_;
  std::vector<std::size_t> order_;
};

struct Load {
  std::size_t threads = 2;
  double seconds = 2;
  larder::Timestamp as_of;
};

struct Served {
  larder::LatencyHistogram latency;  // a whole request: snapshot, features, scores, the best ten
  double seconds = 0;
  uint64_t commits_first = 0;
  uint64_t commits_last = 0;
};

// Ranks `candidates` for the households in turn, in several threads.
[[nodiscard]] absl::StatusOr<Served> Serve(const larder::FeatureStore& store, const Model& model,
                                           std::span<const int64_t> households,
                                           std::span<const std::string> candidates,
                                           const Load& load);

}  // namespace recommendation
