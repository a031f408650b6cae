// Decisions inside the request: the transaction goes into the store, and the score is made of what the store then says.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "examples/fraud/transactions.h"
#include "examples/parts/logistic_regression.h"
#include "larder/base/latency_histogram.h"
#include "larder/base/status.h"
#include "larder/feature_store.h"

namespace fraud {

inline constexpr char kService[] = "fraud_score";
inline constexpr char kStream[] = "transactions_live";

struct DecidingOptions {
  // The first so many are pushed one by one, each durable before it is decided; the others are staged.
  std::size_t pushed = 200;
  // How many staged transactions become durable in one commit.
  std::size_t commit_every = 64;
};

struct Decisions {
  std::size_t width = 0;
  std::vector<float> features;  // row-major: what each decision was made from
  std::vector<float> scores;
  larder::LatencyHistogram pushed;     // push, refresh, features, score
  larder::LatencyHistogram staged;     // stage, features, score
  larder::LatencyHistogram committed;  // a commit of staged transactions
};

// Decides on the transactions in order. Those of one instant enter the store together, so that what a decision sees does
// not depend on the order of what has none. `set_clock` is told each transaction's time before it happens.
[[nodiscard]] absl::StatusOr<Decisions> Decide(
    larder::FeatureStore& store, const examples::Model& model,
    std::span<const Transaction> transactions, const DecidingOptions& options,
    const std::function<void(larder::Timestamp)>& set_clock);

}  // namespace fraud
