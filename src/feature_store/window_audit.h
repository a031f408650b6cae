// Whether window features are what the events before the spine's instants give, and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "feature_store/audit_record.h"
#include "feature_store/event_mapper.h"
#include "feature_store/key_encoding.h"
#include "feature_store/window_events.h"
#include "feature_store/window_plan.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// Independent of the join: it adds up the events of every window of every row one by one, and compares. What it shares with
// it is how a row becomes an event, and the sums themselves.
//
// Memory: the events of the spine's keys. Cost: the events of all windows of all rows together.
// Threads: thread-bound.
class WindowAudit {
 public:
  // Borrows all it is given until Finish. `source_of_ids`: of AuditedUse::own_ids, as WindowEvents numbers sources.
  WindowAudit(const AuditedUse& of, std::size_t source_of_ids);

  void Add(MappedBatch mapped, const Source& source, std::size_t source_number);
  // `report` is told, every some hundred values, how many rows are checked. Errors: what it returns.
  using Report = std::function<absl::Status(int64_t rows)>;
  [[nodiscard]] absl::StatusOr<AuditedView> Finish(const Report& report = nullptr) &&;

 private:
  struct Events {
    MappedBatch mapped;
    WindowEvents windows;
    bool has_known_time = false;
  };
  struct KeyHistory {
    std::vector<uint32_t> rows;                         // of the spine
    std::vector<std::pair<uint32_t, uint32_t>> events;  // a batch and a row of it
  };
  class Key;

  const AuditedUse& of_;
  const std::size_t source_of_ids_;
  const WindowPlan& plan_;
  const EncodedKeys spine_keys_;
  absl::flat_hash_map<std::string_view, uint32_t> key_numbers_;
  std::vector<KeyHistory> keys_;
  std::deque<Events> batches_;
  uint64_t rows_read_ = 0;
};

}  // namespace larder::inline LARDER_ABI
