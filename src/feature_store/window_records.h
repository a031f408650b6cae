// What the store keeps of a view's window aggregates. Normative: docs/internals/window_state.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "feature_store/window_id_filter.h"
#include "feature_store/window_plan.h"
#include "larder/aggregate/aggregate_tree.h"
#include "larder/aggregate/history_evaluation.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// Of a data id, beside its LoadRecord.
struct WindowRecord {
  uint64_t next_page = 1;
  int64_t first_write_us = INT64_MAX;     // commit time of the first push or load
  int64_t dropped_before_us = INT64_MIN;  // events before this may be gone
  // Instants before these are no longer answered: a version that had counted then is gone.
  int64_t as_of_floor_us = INT64_MIN;
  int64_t known_floor_us = INT64_MIN;
  bool ids_by_key = true;  // names of ids begin with their key: false in records of forms 3 and 4

  [[nodiscard]] std::string Serialize() const;
  static absl::StatusOr<WindowRecord> Parse(std::string_view bytes);
};

// What tells the versions of one event apart, and which of them wins.
struct EventVersion {
  int64_t time_us = 0;
  bool has_sequence = false;
  uint64_t sequence = 0;
  int64_t known_us = 0;
  int64_t arrival_us = 0;
  bool is_delete = false;
  bool from_batch = false;
  bool in_order =
      false;  // its source is ordered by commits: of versions alike in time the greatest rank wins
  uint8_t source = 0;  // number, below 128
  uint64_t rank = 0;   // of what was pushed, or is in order: WriteTransaction::NextRank; else 0
  std::string row;

  // The same event told again, whenever and by whomever.
  [[nodiscard]] bool IsSame(const EventVersion& other) const;
  // To compare with other versions only. Lifetime: borrows.
  [[nodiscard]] HistoryEvent Place() const LARDER_LIFETIME_BOUND;
};

// Of an event with an id: where its versions are, and which one it is when there is one.
struct WindowId : EventVersion {
  enum class State : uint8_t { kInTrees = 0, kListed = 1, kDeleted = 2 };
  State state = State::kInTrees;

  static WindowId Of(const EventVersion& version, State state) { return {version, state}; }
  [[nodiscard]] std::string Serialize() const;
  static absl::StatusOr<WindowId> Parse(std::string_view bytes);
};

// The ids of a key's events: those that have no record of their own yet, and which have one.
struct WindowKeyIds {
  struct Waiting {
    std::string id;
    WindowId value;
  };
  std::vector<Waiting> waiting;
  WindowIdFilter recorded;

  // Null: it does not wait.
  [[nodiscard]] const WindowId* Find(std::string_view id) const LARDER_LIFETIME_BOUND;
  [[nodiscard]] WindowId* Find(std::string_view id) LARDER_LIFETIME_BOUND {
    return const_cast<WindowId*>(std::as_const(*this).Find(id));
  }
};

// Of a key: where its trees are, and the events that have several versions still.
struct WindowKey {
  struct Tree {
    std::string category;  // empty where the stream has no group
    TreeRoot root;
    std::string tail;  // events not in the tree yet (aggregate/tree_tail.h)

    [[nodiscard]] bool is_empty() const { return root.id == 0 && tail.empty(); }
  };
  // What a version is to one stream.
  struct Part {
    bool counts = false;
    std::string category;
    bool is_null = true;
    bool is_word = true;
    uint64_t word = 0;
    std::string bytes;
  };
  struct Version : EventVersion {
    std::string id;
    std::vector<Part> parts;  // one for each stream

    // As EvaluateHistory takes it. Lifetime: borrows.
    [[nodiscard]] HistoryEvent In(std::size_t stream) const LARDER_LIFETIME_BOUND;
  };
  int64_t oldest_us = INT64_MAX;
  std::vector<std::vector<Tree>> streams;  // by stream, in the order of their categories
  std::vector<Version> versions;
  WindowKeyIds ids;

  // Null: no such category.
  [[nodiscard]] const Tree* Find(std::size_t stream, std::string_view category) const;
  [[nodiscard]] Tree* Find(std::size_t stream, std::string_view category) {
    return const_cast<Tree*>(std::as_const(*this).Find(stream, category));
  }
  [[nodiscard]] std::string Serialize() const;
  static absl::StatusOr<WindowKey> Parse(std::string_view bytes, std::size_t streams);
  // The same, in memory that is there. Without `wants_ids`, `ids` is good for nothing.
  absl::Status Read(std::string_view bytes, std::size_t stream_count, bool wants_ids);
  // As a key without events.
  void Clear(std::size_t stream_count);
};

// Record keys: they begin with the data id.
[[nodiscard]] std::string WindowPrefix(uint32_t data_id);
[[nodiscard]] std::string WindowKeyName(uint32_t data_id, std::string_view entity_key);
[[nodiscard]] std::string WindowPageName(uint32_t data_id, NodeId page);

// Escapes zeros and ends the bytes, so that none begin with others and their order stays.
void AppendEscaped(std::string_view bytes, std::string* out);

// Events in trees say behind their row when they became known and where they are from.
struct WindowTrailer {
  int64_t known_us = 0;
  uint64_t rank = 0;
  bool from_batch = false;
  uint8_t source = 0;  // number, below 128
};
[[nodiscard]] WindowTrailer TrailerFor(const EventVersion& version);
void AppendTrailer(const WindowTrailer& trailer, std::string* row);
[[nodiscard]] WindowTrailer TrailerOf(std::string_view row);

}  // namespace larder::inline LARDER_ABI
