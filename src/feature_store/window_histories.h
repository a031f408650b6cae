// What the windows of a view are at the rows of a spine, key by key, from the events of each key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "feature_store/byte_arena.h"
#include "feature_store/window_events.h"
#include "feature_store/window_plan.h"
#include "feature_store/window_spine.h"
#include "larder/aggregate/history_evaluation.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/training/point_in_time_join.h"

namespace larder::inline LARDER_ABI {

// Events of one batch, and the columns they borrow from.
struct WindowEventBatch {
  MappedBatch mapped;
  WindowEvents windows;
};

// Of some keys of a spine under one known_at. Threads: thread-bound.
class WindowHistories {
 public:
  struct EventPlace {
    uint32_t batch = 0;
    uint32_t row = 0;
  };
  // Borrowed by all histories of a join.
  struct Question {
    const ViewVersion& view;
    const WindowPlan& plan;
    const WindowSpine& spine;
    const JoinView& join;
    const std::deque<WindowEventBatch>& batches;
  };

  // `rows`: how many there will be, for memory.
  static absl::StatusOr<WindowHistories> Make(const Question& question, KnownAt known_at,
                                              std::size_t rows);

  // Appends to each column the key's rows, by instant. The order of `events` does not matter.
  absl::Status Add(std::size_t key, std::span<const EventPlace> events);

  // Of a feature of the view.
  [[nodiscard]] const Column& ColumnOf(std::size_t feature) const LARDER_LIFETIME_BOUND;
  // How many entries are null for want of an exact answer, categories of maps by themselves.
  [[nodiscard]] int64_t refused() const;

 private:
  // The windows of a stream that are asked for one list of functions, so that a walk gives no more than is wanted.
  struct Asked {
    std::vector<std::size_t> specs;  // of the stream
    std::vector<AggregateWindow> windows;
    std::vector<std::pair<std::size_t, std::size_t>> places;  // a window and a place in `specs`,
    std::vector<std::size_t> features;                        // and the feature it is

    // Of the results of all windows and functions, the one of `features[i]`.
    [[nodiscard]] std::size_t ResultOf(std::size_t i) const {
      return places[i].first * specs.size() + places[i].second;
    }
  };
  // With one list of events, of a stream or of one category of it at a time.
  struct Evaluation {
    Asked asked;
    HistoryEvaluator evaluator;
    WindowResults results;  // of a stream without group: of all keys so far
  };
  // Where a feature's column is: of a stream without group in what was evaluated, else in columns_.
  struct ColumnPlace {
    std::size_t stream = 0;
    std::size_t evaluation = 0;
    std::size_t result = 0;
  };
  // What each category gives a map, one entry an instant.
  struct CategoryValues {
    std::vector<Column> values;  // of features
    std::vector<Column> events;
  };
  // Events by the category they count in, and with them all versions of these events.
  struct Category {
    std::vector<std::size_t> counting;
    std::vector<std::size_t> others;
  };
  using Categories = std::map<std::string, Category>;
  using Events = std::span<const EventPlace>;

  WindowHistories(const Question& question, KnownAt known_at)
      : question_(question), known_at_(known_at) {}
  static std::vector<Asked> AskedOf(const WindowPlan& plan, std::size_t stream);
  [[nodiscard]] bool IsGrouped(std::size_t stream) const {
    return question_.plan.streams()[stream].group >= 0;
  }
  [[nodiscard]] const WindowEvents& BatchOf(const EventPlace& place) const {
    return question_.batches[place.batch].windows;
  }
  void SetInstants(std::size_t key);
  // The events' ids, and how often each is there.
  void SetVersions(Events events);
  [[nodiscard]] bool HasVersions(std::size_t i) const {
    return !ids_[i].empty() && versions_.at(ids_[i]) > 1;
  }
  // Event `i` of the key, as one that counts or as a version that may take the place of one.
  void AddEvent(Events events, std::size_t stream, std::size_t i, bool counts);
  absl::Status AddByCategory(Events events, std::size_t stream);
  // Appends the columns of one category's features; those of maps to `maps`.
  absl::Status AddCategory(std::size_t stream, const std::string& category,
                           std::map<std::size_t, CategoryValues>* maps);
  // Those that have events, if a map is asked for, and those listed.
  [[nodiscard]] Categories CategoriesOf(Events events, std::size_t stream) const;
  // Categories without an event in the window are not in the map.
  [[nodiscard]] Value MapAt(const CategoryValues& of, const std::vector<std::string>& names,
                            std::size_t feature, std::size_t instant);

  const Question question_;
  const KnownAt known_at_;
  std::vector<std::vector<Evaluation>> evaluations_;  // by stream
  std::vector<ColumnPlace> places_;                   // of features
  std::vector<Column> columns_;                       // of features of streams with a group
  int64_t refused_ = 0;                               // of those

  // Of the key at hand.
  ByteArena arena_;
  std::string id_;
  std::vector<HistoryInstant> instants_;
  std::vector<std::string_view> ids_;  // of its events
  absl::flat_hash_map<std::string_view, int> versions_;
  std::vector<HistoryEvent> events_;
};

}  // namespace larder::inline LARDER_ABI
