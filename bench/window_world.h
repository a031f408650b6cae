// Events that the window bars count, and plain LMDB with the same events.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store.h"
#include "online_store.h"

namespace larder_bench {

struct WindowEvent {
  uint64_t card = 0;
  int64_t time_us = 0;
  uint64_t number = 0;  // among all: orders events of one instant, and is the event id
  double amount = 0;    // a multiple of 1/8, so that sums are the same in any order
};

// The next event of a card: `number` decides the amount.
[[nodiscard]] WindowEvent EventOf(uint64_t card, larder::Timestamp time, uint64_t number);

// Cards 0 to cards - 1 with `each` events, evenly over the 30 days before kNow but not younger than a minute.
[[nodiscard]] std::vector<WindowEvent> EvenEvents(uint64_t cards, uint64_t each);
// Half of them within one minute.
[[nodiscard]] std::vector<WindowEvent> HotEvents(uint64_t card, uint64_t count,
                                                 uint64_t first_number);

// Source `live` feeds view `spend` (key `card`), whose aggregates are `aggregates`; service `model` has all of it as float64.
struct WindowStoreSpec {
  std::string aggregates;
  bool has_ids = false;
};
[[nodiscard]] absl::StatusOr<larder::FeatureStore> MakeWindowStore(const WindowStoreSpec& spec,
                                                                   const std::string& path,
                                                                   larder::Durability durability);
[[nodiscard]] larder::Batch EventsToPush(const WindowStoreSpec& spec,
                                         std::span<const WindowEvent> events);
// In pushes of many events.
absl::Status PushAll(const WindowStoreSpec& spec, std::span<const WindowEvent> events,
                     larder::FeatureStore* store);

// One named database of amounts keyed (card, time, number), big-endian. Threads: thread-bound.
class RawEvents {
 public:
  static absl::StatusOr<std::unique_ptr<RawEvents>> Make(const std::string& path);
  ~RawEvents();
  RawEvents(const RawEvents&) = delete;
  RawEvents& operator=(const RawEvents&) = delete;

  // In one commit.
  absl::Status Put(std::span<const WindowEvent> events);
  // Commits are synced from here on, as are all before.
  absl::Status BecomeDurable();

  struct Totals {
    double sum = 0;
    double max = 0;
    int64_t count = 0;
  };
  // Goes through a card's events from `from_us` on with a cursor.
  absl::StatusOr<Totals> Fold(uint64_t card, int64_t from_us);

 private:
  RawEvents() = default;
  MDB_env* env_ = nullptr;
  MDB_dbi events_ = 0;
  MDB_txn* read_ = nullptr;
};

}  // namespace larder_bench
