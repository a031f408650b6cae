#include "examples/fraud/deciding.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "larder/base/text.h"

namespace fraud {
namespace {

using larder::InputColumn;
using larder::Row;
using larder::Timestamp;
using Clock = std::chrono::steady_clock;

int64_t NanosecondsSince(Clock::time_point begun) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begun).count();
}

// One request's inputs, in the plan's order.
class Inputs {
 public:
  static absl::StatusOr<Inputs> For(const larder::ServingPlan& plan) {
    Inputs inputs;
    for (const larder::Field& field : plan.inputs()) {
      if (field.name != "cc_num" && field.name != "merchant" && field.name != "category" &&
          field.name != "amt")
        return larder::InvalidArgumentError("no transaction has a ", field.name);
      inputs.names_.push_back(field.name);
    }
    return inputs;
  }
  // Lifetime: until the next call; borrows from the transaction.
  [[nodiscard]] std::span<const InputColumn> Of(const Transaction& transaction) {
    columns_.clear();
    for (const std::string& name : names_) {
      columns_.push_back(
          name == "cc_num"     ? InputColumn::Broadcast(transaction.card)
          : name == "merchant" ? InputColumn::Broadcast(std::string_view(transaction.merchant))
          : name == "category" ? InputColumn::Broadcast(std::string_view(transaction.category))
                               : InputColumn::Broadcast(transaction.amount));
    }
    return columns_;
  }

 private:
  std::vector<std::string> names_;
  std::vector<InputColumn> columns_;
};

class Desk {
 public:
  Desk(larder::FeatureStore& store, larder::ServingSession session, Inputs inputs,
       const examples::Model& model, const DecidingOptions& options, Decisions* decisions)
      : store_(store),
        session_(std::move(session)),
        inputs_(std::move(inputs)),
        model_(model),
        options_(options),
        decisions_(*decisions) {}

  // Transactions of one instant.
  absl::Status Decide(std::span<const Transaction> together) {
    const bool push = decisions_.scores.size() < options_.pushed;
    const Clock::time_point begun = Clock::now();
    LARDER_RETURN_IF_ERROR(push ? Push(together) : Stage(together));
    for (const Transaction& transaction : together) LARDER_RETURN_IF_ERROR(Score(transaction));
    // A decision among several of one instant took as long as all of them.
    const int64_t took = NanosecondsSince(begun);
    for (std::size_t i = 0; i < together.size(); ++i)
      (push ? decisions_.pushed : decisions_.staged).Record(took);
    return session_.staged_count() >= options_.commit_every ? Commit() : absl::OkStatus();
  }

  absl::Status Commit() {
    if (session_.staged_count() == 0) return absl::OkStatus();
    const Clock::time_point begun = Clock::now();
    LARDER_RETURN_IF_ERROR(session_.Commit().status());
    decisions_.committed.Record(NanosecondsSince(begun));
    return absl::OkStatus();
  }

 private:
  // On disk, and then read back from the newest commit: any other process sees the transaction too.
  absl::Status Push(std::span<const Transaction> together) {
    LARDER_RETURN_IF_ERROR(store_.Push(kStream, EventsOf(together)).status());
    return session_.Refresh();
  }
  // In this session's own picture: a decision does not wait for the disk. What a crash loses is what was not committed,
  // and the stream tells it again: a transaction has an id, and counts once however often it comes.
  absl::Status Stage(std::span<const Transaction> together) {
    return session_.Stage(kStream, EventsOf(together));
  }

  std::span<const Row> EventsOf(std::span<const Transaction> together) {
    events_.clear();
    for (const Transaction& transaction : together) events_.push_back(EventOf(transaction));
    return events_;
  }

  absl::Status Score(const Transaction& transaction) {
    const std::size_t row = decisions_.scores.size();
    decisions_.features.resize((row + 1) * decisions_.width);
    decisions_.scores.emplace_back();
    float* features = decisions_.features.data() + row * decisions_.width;
    LARDER_RETURN_IF_ERROR(session_.Fill(inputs_.Of(transaction), transaction.at,
                                         larder::Tensor<float>{features, 1, 0}));
    model_.Score({features, decisions_.width}, {&decisions_.scores.back(), 1});
    return absl::OkStatus();
  }

  larder::FeatureStore& store_;
  larder::ServingSession session_;
  Inputs inputs_;
  const examples::Model& model_;
  const DecidingOptions& options_;
  Decisions& decisions_;
  std::vector<Row> events_;
};

}  // namespace

absl::StatusOr<Decisions> Decide(larder::FeatureStore& store, const examples::Model& model,
                                 std::span<const Transaction> transactions,
                                 const DecidingOptions& options,
                                 const std::function<void(Timestamp)>& set_clock) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(kService));
  LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
  LARDER_ASSIGN_OR_RETURN(Inputs inputs, Inputs::For(plan));
  Decisions decisions;
  decisions.width = plan.width();
  decisions.features.reserve(transactions.size() * plan.width());
  Desk desk(store, std::move(session), std::move(inputs), model, options, &decisions);
  for (std::size_t first = 0; first < transactions.size();) {
    std::size_t end = first;
    while (end < transactions.size() && transactions[end].at == transactions[first].at) ++end;
    set_clock(transactions[first].at);
    LARDER_RETURN_IF_ERROR(desk.Decide(transactions.subspan(first, end - first)));
    first = end;
  }
  LARDER_RETURN_IF_ERROR(desk.Commit());
  return decisions;
}

}  // namespace fraud
