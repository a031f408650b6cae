// What the bars of the point-in-time join join: events of entities over a year, and a spine that asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/training/point_in_time_join.h"

namespace larder_bench {

inline constexpr int kJoinThreads = 2;
inline constexpr int kJoinFeatures = 4;
inline constexpr std::size_t kJoinEvents = 10'000'000;
inline constexpr std::size_t kJoinSpineRows = 1'000'000;

// entity, at, f0 to f3.
absl::StatusOr<larder::Batch> MakeJoinEvents(std::size_t rows);
// id, entity, at.
absl::StatusOr<larder::Batch> MakeJoinSpine();

// Events as the join takes them, borrowed.
class JoinEvents {
 public:
  explicit JoinEvents(const larder::Batch& events);
  [[nodiscard]] larder::EventBatch Take() const;

 private:
  const larder::Batch* batch_;
  std::vector<const larder::Column*> keys_;
  std::vector<const larder::Column*> features_;
};

[[nodiscard]] larder::JoinView MakeJoinView(const larder::Batch& spine,
                                            std::optional<larder::Duration> ttl);

// One view for all events, once.
absl::StatusOr<std::vector<larder::JoinedView>> JoinOnce(const larder::Batch& spine,
                                                         const JoinEvents& events, int views,
                                                         std::optional<larder::Duration> ttl);

}  // namespace larder_bench
