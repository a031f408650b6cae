// Reading a key's events one by one: what a fold cannot say.
#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "feature_store/window_events.h"
#include "feature_store/window_reader.h"
#include "larder/aggregate/tree_tail.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<WindowReader::Answer> WindowReader::Evaluate(const Asked& asked, std::size_t s,
                                                            std::string_view category,
                                                            Versions versions) const {
  const Stream& stream = streams_[s];
  TimeRange range = {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()};
  for (const AggregateWindow& window : stream.windows) {
    const TimeRange of = window.RangeAt(as_of_);
    range.from_us =
        window.rows ? std::numeric_limits<int64_t>::min() : std::min(range.from_us, of.from_us);
    range.to_us = std::max(range.to_us, of.to_us);
  }
  Gathered gathered;
  LARDER_RETURN_IF_ERROR(Gather(asked, s, category, versions, range, &gathered));
  const HistoryInstant instant{as_of_, known_at_.value_or(Timestamp::Max()), {}};
  const std::vector<AggregateSpec>& specs = stream.set.specs();
  LARDER_ASSIGN_OR_RETURN(const WindowResults results,
                          EvaluateHistory(gathered.events, {&instant, 1}, stream.windows, specs));
  Answer answer;
  for (std::size_t i = 0; i < stream.features.size(); ++i) {
    const WindowFeature& feature = plan_.features()[stream.features[i]];
    const std::size_t first = stream.window_of[i] * specs.size();
    answer.values.push_back(results.columns[first + feature.spec].ValueAt(0));
    answer.refused.push_back(results.refused[first + feature.spec] > 0);
    answer.events.push_back(
        feature.is_map ? results.columns[first + feature.events].Values<int64_t>()[0] : 0);
  }
  return answer;
}

absl::Status WindowReader::Gather(const Asked& asked, std::size_t s, std::string_view category,
                                  Versions versions, const TimeRange& range,
                                  Gathered* gathered) const {
  std::deque<Collected>& collected = gathered->collected;
  std::vector<HistoryEvent>& events = gathered->events;
  std::vector<uint64_t>& ranks = gathered->ranks;
  std::set<std::string_view> seen;
  if (const WindowKey::Tree* kept = asked.key.Find(s, category)) {
    const auto collect = [&](const AggregateEvent& event) {
      Collected& kept_event = collected.emplace_back();
      kept_event.id = event.order.event_id;
      kept_event.row = event.order.row;
      kept_event.bytes = event.input.bytes;
      HistoryEvent& made = kept_event.event;
      made.event = event;
      const WindowTrailer trailer = TrailerOf(event.order.row);
      made.known_us = trailer.known_us;
      ranks.push_back(trailer.rank);
      made.event.order.event_id = kept_event.id;
      made.event.order.row = kept_event.row;
      if (event.input.bytes.data() != nullptr) made.event.input.bytes = kept_event.bytes;
      const auto known = asked.staged_known.find(kept_event.id);
      if (known == asked.staged_known.end()) return;
      const HistoryEvent place = known->second.Place();
      made.arrival_us = place.arrival_us;
      made.rank = place.rank;
      made.event.order.row = known->second.row;
      seen.insert(known->first);
    };
    SnapshotPages pages(asked.session, view_.data_id);
    const AggregateTree tree(streams_[s].set, &pages, kept->root);
    LARDER_RETURN_IF_ERROR(tree.Visit(range, collect));
    LARDER_ASSIGN_OR_RETURN(const std::vector<AggregateEvent> tail,
                            EventsOfTail(streams_[s].set, kept->tail));
    for (const AggregateEvent& event : tail) {
      if (event.order.time_us >= range.from_us && event.order.time_us < range.to_us) collect(event);
    }
  }
  for (const Collected& one : collected) events.push_back(one.event);
  for (const WindowKey::Version* version : versions) {
    HistoryEvent event = version->In(s);
    event.counts = event.counts && version->parts[s].category == category;
    std::string& row = collected.emplace_back().row;
    if (version->id.empty()) {
      if (!event.counts) continue;
      std::string input;
      AppendInputBytes(event.event.input, &input);
      AppendEscaped(input, &row);
      event.event.order.row = row;
    }
    events.push_back(event);
    ranks.push_back(version->rank);
  }
  for (const auto& [id, known] : asked.staged_known) {
    if (seen.count(id) > 0) continue;
    HistoryEvent& event = events.emplace_back(known.Place());
    event.event.order.event_id = id;
    event.counts = false;
    ranks.push_back(known.rank);
  }
  if (commit_max_) gathered->SetAsideAfter(*commit_max_);
  return absl::OkStatus();
}

void WindowReader::Gathered::SetAsideAfter(uint64_t commit_max) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (CommitOfRank(ranks[i]) > commit_max) {
      later.push_back(events[i]);
      later_ranks.push_back(ranks[i]);
    } else {
      events[kept] = events[i];
      ranks[kept++] = ranks[i];
    }
  }
  events.resize(kept);
  ranks.resize(kept);
}

}  // namespace larder::inline LARDER_ABI
