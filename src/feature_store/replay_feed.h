// The events of a replay in the order in which they became known.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "feature_store/replay_sides.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store.h"

namespace larder::inline LARDER_ABI {

// Memory: all events. Threads: thread-bound.
class ReplayFeed {
 public:
  static absl::StatusOr<ReplayFeed> Read(std::span<const ReplaySides::Stream> streams,
                                         const std::string& base_path, const ReplayOptions& options);

  // Pushes what is known by `time` and was not pushed yet. `set_clock` is called before each push.
  absl::Status PushUntil(Timestamp time, const std::string& project, FeatureStore* store,
                         const std::function<void(Timestamp)>& set_clock);

  // When the first event is known that is known at all, or the time given.
  [[nodiscard]] Timestamp FirstKnown(Timestamp otherwise) const;
  [[nodiscard]] std::size_t pushed_count() const { return next_; }
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  [[nodiscard]] std::size_t push_count() const { return push_count_; }
  // One for each stream, as of now.
  [[nodiscard]] std::vector<ReplayedSource> Report() const;

 private:
  struct Event {
    int64_t known_us = 0;
    int64_t time_us = 0;
    uint32_t stream = 0;
    uint32_t row = 0;
  };
  struct Stream {
    std::string source;
    bool keeps_order = false;
    Batch events;
    ReplayedSource report;
  };
  ReplayFeed() = default;
  absl::Status Add(const ReplaySides::Stream& stream, const std::string& base_path);
  void CountLate();
  absl::Status Push(std::size_t end, const std::string& project, FeatureStore* store);

  std::vector<Stream> streams_;
  std::vector<Event> order_;
  std::size_t next_ = 0;
  std::size_t push_count_ = 0;
  std::size_t batch_size_ = 1;
  bool shuffles_ = false;
  std::mt19937_64 random_;
};

}  // namespace larder::inline LARDER_ABI
