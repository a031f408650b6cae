// The two sides of a serving bar: a bound plan filling a float32 tensor, and gets from plain LMDB that fill another.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "bar.h"
#include "larder/base/status.h"
#include "larder/feature_store.h"
#include "larder/online/read_session.h"
#include "lmdb_yardstick.h"
#include "online_store.h"

namespace larder_bench {

// What a request is: how many entities of a float32 service, and whether each request must take a new snapshot. Refresh
// looks for a newer commit and moves on only when there is one, so another session is then released and renewed too.
struct RequestShape {
  std::string_view service = "five_views";
  std::size_t rows = 1'000;
  bool renewed = false;
};

inline constexpr RequestShape kManyEntities{"five_views", 1'000, false};

// Threads: thread-bound.
class LarderSide {
 public:
  static absl::StatusOr<std::unique_ptr<LarderSide>> Make(const larder::FeatureStore& store,
                                                          const RandomKeys& keys,
                                                          const RequestShape& shape);

  // Refresh, then Fill for the keys from `first` on.
  absl::Status Request(std::size_t first);
  // Moves to the newest commit and brings it into memory.
  absl::Status Prefault();
  void Run(benchmark::State& state);
  // `count` requests, each with other keys than the one before.
  absl::Status RunRequests(int64_t count);

  [[nodiscard]] std::span<const float> tensor() const { return tensor_; }

 private:
  LarderSide(const RandomKeys& keys, const RequestShape& shape, larder::ServingSession session)
      : keys_(keys), shape_(shape), session_(std::move(session)) {}

  const RandomKeys& keys_;
  RequestShape shape_;
  larder::ServingSession session_;
  std::optional<larder::ReadSession> renewed_;
  std::vector<float> tensor_;
  std::size_t next_ = 0;
};

class YardstickSide {
 public:
  YardstickSide(LmdbYardstick& yardstick, const RandomKeys& keys, KeyKind kind, int views,
                const RequestShape& shape);

  // Entity-major, in request order. False when a row is missing.
  bool Request(std::size_t first);
  void Run(benchmark::State& state);

  [[nodiscard]] std::span<const float> tensor() const { return tensor_; }

 private:
  LmdbYardstick& yardstick_;
  const RandomKeys& keys_;
  KeyKind kind_;
  int views_;
  RequestShape shape_;
  std::vector<float> tensor_;
  std::size_t next_ = 0;
};

// Whether both fill the same tensors for all keys, or for 10,000 requests of one entity. Afterwards what they read is in
// the page cache, mapped, and has been checked.
absl::Status CompareSides(LarderSide& candidate, YardstickSide& yardstick, const RandomKeys& keys,
                          std::size_t rows);

// Lifetime: the sides must outlive what is returned.
[[nodiscard]] inline Side SideOf(LarderSide& side) {
  return [&side](benchmark::State& state) { side.Run(state); };
}
[[nodiscard]] inline Side SideOf(YardstickSide& side) {
  return [&side](benchmark::State& state) { side.Run(state); };
}

// Measures bar `id`, if wanted: requests of this shape on both sides, compared first.
absl::Status RunAgainstYardstick(BarRun& run, std::string_view id,
                                 const larder::FeatureStore& store, LmdbYardstick& yardstick,
                                 const StoreSpec& spec, const RandomKeys& keys,
                                 const RequestShape& shape, std::string_view detail = {});

}  // namespace larder_bench
