#include "larder/aggregate/history_evaluation.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "aggregate/event_bytes.h"
#include "aggregate/window_columns.h"
#include "larder/aggregate/aggregate_tree.h"

namespace larder::inline LARDER_ABI {
namespace {

using aggregate::SpecPart;

bool Precedes(const AggregateEvent& a, const AggregateEvent& b) {
  return aggregate::CompareEvents(a, b) < 0;
}

// The instants at which an event counts, its window's left edge aside: [begin, end).
struct Life {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The places of events in the order in which they come and go, instant after instant.
class Passage {
 public:
  explicit Passage(const std::vector<Life>& lives)
      : lives_(lives), coming_(Living(lives)), going_(coming_) {
    std::stable_sort(coming_.begin(), coming_.end(),
                     [&](std::size_t a, std::size_t b) { return lives[a].begin < lives[b].begin; });
    std::stable_sort(going_.begin(), going_.end(),
                     [&](std::size_t a, std::size_t b) { return lives[a].end < lives[b].end; });
  }
  // Those that begin by `instant` and have not been given yet.
  template <class Each>
  void Come(std::size_t instant, Each each) {
    for (; come_ < coming_.size() && lives_[coming_[come_]].begin <= instant; ++come_)
      each(coming_[come_]);
  }
  // Those that end.
  template <class Each>
  void Go(std::size_t instant, Each each) {
    for (; go_ < going_.size() && lives_[going_[go_]].end <= instant; ++go_) each(going_[go_]);
  }

 private:
  static std::vector<std::size_t> Living(const std::vector<Life>& lives) {
    std::vector<std::size_t> places;
    places.reserve(lives.size());
    for (std::size_t i = 0; i < lives.size(); ++i) {
      if (lives[i].begin < lives[i].end) places.push_back(i);
    }
    return places;
  }
  const std::vector<Life>& lives_;
  std::vector<std::size_t> coming_;
  std::vector<std::size_t> going_;
  std::size_t come_ = 0;
  std::size_t go_ = 0;
};

// Windows that end at the same instants.
struct WindowGroup {
  std::vector<std::size_t> windows;
  std::vector<TimeRange> ranges;  // of the first of them, for each instant
};

// What is asked of every history alike.
struct HistoryQuestion {
  std::vector<AggregateWindow> windows;
  std::vector<AggregateSpec> specs;
  aggregate::SpecParts parts;
  SpecPart all;
};

// A history in which versions take the place of others, or are known late.
class HistoryEvaluation {
 public:
  // `events`: in the order of a tree.
  HistoryEvaluation(const HistoryQuestion& question, std::span<const HistoryEvent* const> events,
                    std::span<const HistoryInstant> instants)
      : instants_(instants),
        windows_(question.windows),
        specs_(question.specs),
        question_(question),
        events_(events) {
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const std::string_view id = events_[i]->event.order.event_id;
      if (!id.empty()) versions_[id].push_back(i);
    }
  }

  absl::Status Run(WindowResults* results) {
    const aggregate::SpecParts& parts = question_.parts;
    for (const WindowGroup& group : Groups()) {
      const std::vector<Life> lives = LivesIn(group);
      std::vector<std::size_t> spans;
      std::vector<std::size_t> last_rows;
      for (const std::size_t w : group.windows) (windows_[w].rows ? last_rows : spans).push_back(w);
      if (!parts.sliding.specs.empty()) {
        for (const std::size_t w : spans)
          LARDER_RETURN_IF_ERROR(Slide(w, lives, parts.sliding, results));
      }
      if (!parts.others.specs.empty() && !spans.empty())
        LARDER_RETURN_IF_ERROR(WalkTree(spans, lives, parts.others, results));
      if (!last_rows.empty())
        LARDER_RETURN_IF_ERROR(WalkTree(last_rows, lives, question_.all, results));
    }
    return absl::OkStatus();
  }

 private:
  [[nodiscard]] std::vector<WindowGroup> Groups() const {
    std::map<std::pair<int64_t, bool>, WindowGroup> groups;
    for (std::size_t w = 0; w < windows_.size(); ++w) {
      WindowGroup& group = groups[{windows_[w].delay.us, windows_[w].at}];
      group.windows.push_back(w);
      if (group.windows.size() > 1) continue;
      for (const HistoryInstant& instant : instants_)
        group.ranges.push_back(windows_[w].RangeAt(instant.as_of));
    }
    std::vector<WindowGroup> out;
    for (auto& [end, group] : groups) out.push_back(std::move(group));
    return out;
  }

  // From the first instant at which it is visible and known, to that of a version it gives way to.
  [[nodiscard]] std::vector<Life> LivesIn(const WindowGroup& group) const {
    std::vector<Life> lives(events_.size());
    for (std::size_t i = 0; i < events_.size(); ++i) {
      const HistoryEvent& event = *events_[i];
      const auto visible = std::partition_point(
          group.ranges.begin(), group.ranges.end(),
          [&](const TimeRange& range) { return range.to_us <= event.event.order.time_us; });
      const auto known = std::partition_point(
          instants_.begin(), instants_.end(),
          [&](const HistoryInstant& instant) { return instant.known_at.us < event.known_us; });
      lives[i].begin = static_cast<std::size_t>(
          std::max(visible - group.ranges.begin(), known - instants_.begin()));
      lives[i].end = instants_.size();
    }
    for (const auto& [id, versions] : versions_) {
      std::vector<std::size_t> newest_first(versions);
      std::sort(newest_first.begin(), newest_first.end(),
                [&](std::size_t a, std::size_t b) { return GivesWayTo(*events_[b], *events_[a]); });
      std::size_t end = instants_.size();
      for (const std::size_t i : newest_first) {
        lives[i].end = end;
        end = std::min(end, lives[i].begin);
        if (events_[i]->is_delete || !events_[i]->counts) lives[i].end = 0;
      }
    }
    return lives;
  }

  // The version of `id`'s event that counts at an instant; null: none.
  [[nodiscard]] const AggregateEvent* Counting(std::string_view id, std::size_t instant,
                                               const std::vector<Life>& lives) const {
    const auto versions = versions_.find(id);
    if (versions == versions_.end()) return nullptr;
    for (const std::size_t i : versions->second) {
      if (lives[i].begin <= instant && instant < lives[i].end) return &events_[i]->event;
    }
    return nullptr;
  }

  absl::Status Slide(std::size_t window, std::vector<Life> lives, const SpecPart& part,
                     WindowResults* out) const {
    std::vector<int64_t> left_edges;
    left_edges.reserve(instants_.size());
    for (const HistoryInstant& instant : instants_)
      left_edges.push_back(windows_[window].RangeAt(instant.as_of).from_us);
    for (std::size_t i = 0; i < lives.size(); ++i) {
      const auto left =
          std::upper_bound(left_edges.begin(), left_edges.end(), events_[i]->event.order.time_us);
      lives[i].end = std::min(lives[i].end, static_cast<std::size_t>(left - left_edges.begin()));
    }
    LARDER_ASSIGN_OR_RETURN(AccumulatorSet sums, AccumulatorSet::Make(part.specs));
    Passage passage(lives);
    for (std::size_t i = 0; i < instants_.size(); ++i) {
      passage.Come(i, [&](std::size_t e) { sums.Add(events_[e]->event); });
      passage.Go(i, [&](std::size_t e) { sums.Remove(events_[e]->event); });
      const AggregateEvent* excluded = Counting(instants_[i].excluded_id, i, lives);
      if (excluded != nullptr) sums.Remove(*excluded);
      LARDER_RETURN_IF_ERROR(
          aggregate::AppendResults(sums, part, window * specs_.size(), instants_[i].as_of, out));
      if (excluded != nullptr) sums.Add(*excluded);
    }
    return {};
  }

  absl::Status WalkTree(const std::vector<std::size_t>& windows, const std::vector<Life>& lives,
                        const SpecPart& part, WindowResults* out) const {
    LARDER_ASSIGN_OR_RETURN(const AccumulatorSet set, AccumulatorSet::Make(part.specs));
    MemoryNodeStore store;
    AggregateTree tree(set, &store);
    TreeFolder folder(set);
    Passage passage(lives);
    std::vector<AggregateEvent> batch;
    for (std::size_t i = 0; i < instants_.size(); ++i) {
      // First those that go: a version may stand where the one it gives way to stood.
      batch.clear();
      passage.Go(i, [&](std::size_t e) { batch.push_back(events_[e]->event); });
      LARDER_RETURN_IF_ERROR(tree.Remove(batch).status());
      batch.clear();
      passage.Come(i, [&](std::size_t e) { batch.push_back(events_[e]->event); });
      LARDER_RETURN_IF_ERROR(tree.Insert(batch).status());
      const AggregateEvent* excluded = Counting(instants_[i].excluded_id, i, lives);
      const std::span<const AggregateEvent> without(excluded, excluded != nullptr ? 1 : 0);
      LARDER_RETURN_IF_ERROR(tree.Remove(without).status());
      LARDER_RETURN_IF_ERROR(aggregate::AppendFromTree(
          {store, tree, folder, windows_, specs_.size()}, windows, part, instants_[i].as_of, out));
      LARDER_RETURN_IF_ERROR(tree.Insert(without).status());
    }
    return {};
  }

  const std::span<const HistoryInstant> instants_;
  const std::span<const AggregateWindow> windows_;
  const std::span<const AggregateSpec> specs_;
  const HistoryQuestion& question_;
  const std::span<const HistoryEvent* const> events_;
  absl::flat_hash_map<std::string_view, std::vector<std::size_t>> versions_;  // by id: of events_
};

}  // namespace

bool GivesWayTo(const HistoryEvent& a, const HistoryEvent& b) {
  const auto place = [](const HistoryEvent& version) {
    const EventOrder& order = version.event.order;
    return std::tuple(order.time_us, order.has_sequence, order.sequence, version.arrival_us,
                      version.rank, version.is_delete);
  };
  if (place(a) != place(b)) return place(a) < place(b);
  return Precedes(a.event, b.event);
}

struct HistoryEvaluator::State {
  State(HistoryQuestion asked, WindowEvaluator evaluator)
      : question(std::move(asked)), plain(std::move(evaluator)) {}

  HistoryQuestion question;
  WindowEvaluator plain;

  // Of the key at hand.
  std::vector<const HistoryEvent*> events;  // in the order of a tree
  absl::flat_hash_set<std::string_view> ids;
  std::vector<AggregateEvent> plain_events;
  std::vector<Timestamp> plain_instants;

  void SetEvents(std::span<const HistoryEvent> given) {
    events.clear();
    for (const HistoryEvent& event : given) events.push_back(&event);
    std::sort(events.begin(), events.end(), [](const HistoryEvent* a, const HistoryEvent* b) {
      return Precedes(a->event, b->event);
    });
  }

  // Whether every event counts from its event time on, for ever and everywhere.
  [[nodiscard]] bool IsPlain(std::span<const HistoryInstant> instants) {
    const bool all_instants =
        std::all_of(instants.begin(), instants.end(), [](const HistoryInstant& instant) {
          return instant.known_at >= instant.as_of && instant.excluded_id.empty();
        });
    if (!all_instants) return false;
    ids.clear();
    return std::all_of(events.begin(), events.end(), [&](const HistoryEvent* event) {
      const EventOrder& order = event->event.order;
      const bool known =
          event->known_us <= order.time_us || event->known_us <= instants.front().known_at.us;
      const bool alone = order.event_id.empty() || ids.insert(order.event_id).second;
      return known && alone && !event->is_delete && event->counts;
    });
  }

  absl::Status RunPlain(std::span<const HistoryInstant> instants, WindowResults* results) {
    plain_events.clear();
    for (const HistoryEvent* event : events) plain_events.push_back(event->event);
    plain_instants.clear();
    for (const HistoryInstant& instant : instants) plain_instants.push_back(instant.as_of);
    return plain.Append(plain_events, plain_instants, results);
  }
};

HistoryEvaluator::HistoryEvaluator(std::unique_ptr<State> state) : state_(std::move(state)) {}
HistoryEvaluator::HistoryEvaluator(HistoryEvaluator&&) noexcept = default;
HistoryEvaluator& HistoryEvaluator::operator=(HistoryEvaluator&&) noexcept = default;
HistoryEvaluator::~HistoryEvaluator() = default;

absl::StatusOr<HistoryEvaluator> HistoryEvaluator::Make(std::span<const AggregateWindow> windows,
                                                        std::span<const AggregateSpec> specs) {
  HistoryQuestion question;
  question.windows.assign(windows.begin(), windows.end());
  question.specs.assign(specs.begin(), specs.end());
  LARDER_ASSIGN_OR_RETURN(question.parts, aggregate::SplitSpecs(specs));
  question.all.specs = question.specs;
  for (std::size_t i = 0; i < specs.size(); ++i) question.all.columns.push_back(i);
  LARDER_ASSIGN_OR_RETURN(WindowEvaluator plain, WindowEvaluator::Make(windows, specs));
  return HistoryEvaluator(std::make_unique<State>(std::move(question), std::move(plain)));
}

absl::StatusOr<WindowResults> HistoryEvaluator::NoResults(std::size_t instants) const {
  return state_->plain.NoResults(instants);
}

absl::Status HistoryEvaluator::Append(std::span<const HistoryEvent> events,
                                      std::span<const HistoryInstant> instants,
                                      WindowResults* results) {
  const bool ordered = std::is_sorted(instants.begin(), instants.end(),
                                      [](const HistoryInstant& a, const HistoryInstant& b) {
                                        return a.as_of < b.as_of || a.known_at < b.known_at;
                                      });
  if (!ordered) return InvalidArgumentError("instants of windows must be in order");
  if (instants.empty()) return absl::OkStatus();
  state_->SetEvents(events);
  if (state_->IsPlain(instants)) return state_->RunPlain(instants, results);
  return HistoryEvaluation(state_->question, state_->events, instants).Run(results);
}

absl::StatusOr<WindowResults> EvaluateHistory(std::span<const HistoryEvent> events,
                                              std::span<const HistoryInstant> instants,
                                              std::span<const AggregateWindow> windows,
                                              std::span<const AggregateSpec> specs) {
  LARDER_ASSIGN_OR_RETURN(HistoryEvaluator evaluator, HistoryEvaluator::Make(windows, specs));
  LARDER_ASSIGN_OR_RETURN(WindowResults results, evaluator.NoResults(instants.size()));
  LARDER_RETURN_IF_ERROR(evaluator.Append(events, instants, &results));
  return results;
}

}  // namespace larder::inline LARDER_ABI
