#include "examples/recommendation/serving.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <random>
#include <thread>
#include <utility>

#include "examples/recommendation/training.h"

namespace recommendation {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Ranker::Ranker(larder::ServingSession session, const larder::ServingPlan& plan, const Model& model,
               std::span<const std::string> candidates)
    : session_(std::move(session)),
      model_(model),
      candidates_(candidates.begin(), candidates.end()),
      tensor_(candidates.size() * plan.width()),
      scores_(candidates.size()),
      order_(candidates.size()) {}

absl::StatusOr<Ranker> Ranker::Make(const larder::FeatureStore& store,
                                    const larder::ServingPlan& plan, const Model& model,
                                    std::span<const std::string> candidates) {
  LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
  return Ranker(std::move(session), plan, model, candidates);
}

absl::StatusOr<std::span<const std::size_t>> Ranker::Rank(int64_t household,
                                                          larder::Timestamp as_of) {
  // The newest commit of any process; then one call for all candidates of the household.
  LARDER_RETURN_IF_ERROR(session_.Refresh());
  const larder::InputColumn inputs[] = {
      larder::InputColumn::Broadcast(household),
      larder::InputColumn::Of(std::span<const std::string_view>(candidates_))};
  LARDER_RETURN_IF_ERROR(
      session_.Fill(inputs, as_of, larder::Tensor<float>{tensor_.data(), candidates_.size(), 0}));
  model_.Score(tensor_, scores_);
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  const std::size_t best = std::min(kRecommended, order_.size());
  std::partial_sort(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(best), order_.end(),
                    [this](std::size_t a, std::size_t b) { return scores_[a] > scores_[b]; });
  return std::span<const std::size_t>(order_).first(best);
}

absl::StatusOr<Served> Serve(const larder::FeatureStore& store, const Model& model,
                             std::span<const int64_t> households,
                             std::span<const std::string> candidates, const Load& load) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(kService));
  std::vector<Ranker> rankers;
  for (std::size_t i = 0; i < load.threads; ++i) {
    LARDER_ASSIGN_OR_RETURN(Ranker ranker, Ranker::Make(store, plan, model, candidates));
    rankers.push_back(std::move(ranker));
  }
  std::vector<Served> parts(load.threads);
  std::vector<absl::Status> statuses(load.threads);
  std::atomic<bool> over{false};
  const auto work = [&](std::size_t i) {
    std::mt19937_64 random(i);
    while (!over.load(std::memory_order_relaxed)) {
      const int64_t household = households[random() % households.size()];
      const Clock::time_point begun = Clock::now();
      const absl::Status status = rankers[i].Rank(household, load.as_of).status();
      parts[i].latency.Record(
          std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun).count());
      if (!status.ok()) {
        statuses[i] = status;
        return;
      }
      const uint64_t commit = rankers[i].commit_seq();
      if (parts[i].commits_first == 0) parts[i].commits_first = commit;
      parts[i].commits_last = commit;
    }
  };
  const Clock::time_point started = Clock::now();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < load.threads; ++i) threads.emplace_back(work, i);
  std::this_thread::sleep_for(std::chrono::duration<double>(load.seconds));
  over = true;
  for (std::thread& thread : threads) thread.join();

  Served served;
  served.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  served.commits_first = parts[0].commits_first;
  for (std::size_t i = 0; i < load.threads; ++i) {
    if (!statuses[i].ok()) return statuses[i];
    served.latency.Add(parts[i].latency);
    served.commits_first = std::min(served.commits_first, parts[i].commits_first);
    served.commits_last = std::max(served.commits_last, parts[i].commits_last);
  }
  return served;
}

}  // namespace recommendation
