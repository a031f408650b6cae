#include "feature_store/window_key_edit.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <limits>
#include <set>

#include "feature_store/window_events.h"
#include "larder/aggregate/tree_tail.h"

namespace larder::inline LARDER_ABI {
namespace {

// The row of an event in a tree: without an id, what orders it among events alike; then the trailer.
std::string RowInTree(const WindowKey::Version& version) {
  std::string row;
  if (version.id.empty()) {
    std::string input;
    AppendInputBytes(version.In(0).event.input, &input);
    AppendEscaped(input, &row);
  }
  AppendTrailer(TrailerFor(version), &row);
  return row;
}

WindowKey::Part PartOf(const AggregateEvent& event, std::string_view category) {
  WindowKey::Part part;
  part.counts = true;
  part.category = category;
  part.is_null = event.input.is_null;
  part.word = event.input.word;
  part.is_word = event.input.bytes.data() == nullptr;
  part.bytes = event.input.bytes;
  return part;
}

// A page is good until the next call.
struct OwnedEvent {
  explicit OwnedEvent(const AggregateEvent& borrowed)
      : event(borrowed),
        id(borrowed.order.event_id),
        row(borrowed.order.row),
        bytes(borrowed.input.bytes) {
    event.order.event_id = id;
    event.order.row = row;
    if (borrowed.input.bytes.data() != nullptr) event.input.bytes = bytes;
  }
  OwnedEvent(const OwnedEvent&) = delete;
  OwnedEvent& operator=(const OwnedEvent&) = delete;

  AggregateEvent event;

 private:
  std::string id;
  std::string row;
  std::string bytes;
};

// A record stays small beside a page of the file: it is read and written with all its tails.
constexpr std::size_t kTailEventsMax = 8;
constexpr std::size_t kTailSizeMax = 1024;
constexpr std::size_t kTailsSizeMax = 4096;  // of a key

constexpr TimeRange kAllTime = {std::numeric_limits<int64_t>::min(),
                                std::numeric_limits<int64_t>::max()};

}  // namespace

absl::StatusOr<WindowKeyEdit::Outcome> WindowKeyEdit::Add(WindowKey::Version version) {
  state_.oldest_us = std::min(state_.oldest_us, version.time_us);
  if (version.id.empty()) {
    AddToTrees(std::move(version));
    return Outcome::kWritten;
  }
  LARDER_ASSIGN_OR_RETURN(FoundWindowId found, FindId(version.id));
  std::optional<WindowId>& known = found.id;
  const auto put_id = [&](const WindowId& value) {
    return PutId(version.id, value, found.has_record);
  };
  if (known && known->state == WindowId::State::kListed) return AddListed(std::move(version));
  if (known && known->IsSame(version)) {
    if (version.from_batch && !known->from_batch) {
      known->from_batch = true;
      known->rank = version.rank;
      LARDER_RETURN_IF_ERROR(put_id(*known));
    }
    return Outcome::kDuplicate;
  }
  if (known && known->from_batch && !version.from_batch) return Outcome::kOlder;
  if (known && known->state == WindowId::State::kInTrees) {
    LARDER_ASSIGN_OR_RETURN(WindowKey::Version old, Lift(version.id, *known));
    if (known->from_batch == version.from_batch) {
      state_.versions.push_back(std::move(old));
      LARDER_RETURN_IF_ERROR(put_id(WindowId::Of(version, WindowId::State::kListed)));
      state_.versions.push_back(std::move(version));
      return Outcome::kWritten;
    }
    // What was pushed gives way to the batch's copy as if it had never been.
  } else if (known && known->from_batch == version.from_batch) {
    const WindowId place = WindowId::Of(version, WindowId::State::kInTrees);
    if (!GivesWayTo(known->Place(), place.Place())) return Outcome::kOlder;
  }
  if (version.is_delete) {
    LARDER_RETURN_IF_ERROR(put_id(WindowId::Of(version, WindowId::State::kListed)));
    state_.versions.push_back(std::move(version));
  } else {
    LARDER_RETURN_IF_ERROR(put_id(WindowId::Of(version, WindowId::State::kInTrees)));
    AddToTrees(std::move(version));
  }
  return Outcome::kWritten;
}

WindowKeyEdit::Outcome WindowKeyEdit::AddListed(WindowKey::Version version) {
  bool has_batch = false;
  WindowKey::Version* last = nullptr;
  WindowKey::Version* told = nullptr;  // the last that is the same
  const auto is_later = [](const WindowKey::Version* before, const WindowKey::Version& other) {
    return before == nullptr || GivesWayTo(before->Place(), other.Place());
  };
  for (WindowKey::Version& other : state_.versions) {
    if (other.id != version.id) continue;
    has_batch |= other.from_batch;
    if (is_later(last, other)) last = &other;
    if (other.IsSame(version) && is_later(told, other)) told = &other;
  }
  // In order, what is told again after something else is a version anew; a batch tells all of them, and so their order.
  const bool is_anew = version.in_order && !version.from_batch && told != last;
  const bool is_told = told != nullptr && !(is_anew && !told->from_batch);
  if (is_told && version.from_batch) {
    told->from_batch = true;
    told->rank = version.rank;
  }
  if (version.from_batch && !has_batch) {
    // What was pushed of it gives way to the batch's copies.
    std::erase_if(state_.versions, [&](const WindowKey::Version& other) {
      return other.id == version.id && !other.from_batch;
    });
  }
  if (is_told) return Outcome::kDuplicate;
  if (has_batch && !version.from_batch) return Outcome::kOlder;
  state_.versions.push_back(std::move(version));
  return Outcome::kWritten;
}

void WindowKeyEdit::AddToTrees(WindowKey::Version version) {
  const std::vector<WindowKey::Part> parts = std::exchange(version.parts, {});
  for (std::size_t s = 0; s < parts.size(); ++s) {
    if (!parts[s].counts) continue;
    WindowKey::Version& alone = pending_[{s, parts[s].category}].emplace_back(version);
    alone.parts.push_back(parts[s]);
  }
}

void WindowKeyEdit::MakeTrees() {
  const auto is_before = [](const WindowKey::Tree& a, const WindowKey::Tree& b) {
    return a.category < b.category;
  };
  std::vector<std::vector<WindowKey::Tree>> made(state_.streams.size());
  for (const auto& [place, versions] : pending_) {
    if (state_.Find(place.first, place.second) == nullptr)
      made[place.first].push_back({place.second, {}, {}});
  }
  for (std::size_t s = 0; s < made.size(); ++s) {
    std::vector<WindowKey::Tree>& trees = state_.streams[s];
    const std::ptrdiff_t before = std::ssize(trees);
    std::move(made[s].begin(), made[s].end(), std::back_inserter(trees));
    std::inplace_merge(trees.begin(), trees.begin() + before, trees.end(), is_before);
  }
}

absl::Status WindowKeyEdit::Flush(bool may_wait) {
  if (pending_.empty()) return absl::OkStatus();
  MakeTrees();
  TransactionPages pages(*edit_.transaction, edit_.data_id, edit_.record);
  std::size_t tails_size = 0;
  for (const std::vector<WindowKey::Tree>& trees : state_.streams) {
    for (const WindowKey::Tree& tree : trees) tails_size += tree.tail.size();
  }
  for (auto& [place, versions] : pending_) {
    const AccumulatorSet& set = edit_.sets[place.first];
    WindowKey::Tree& kept = *state_.Find(place.first, place.second);
    for (WindowKey::Version& version : versions) version.row = RowInTree(version);
    LARDER_ASSIGN_OR_RETURN(std::vector<AggregateEvent> events, EventsOfTail(set, kept.tail));
    for (const WindowKey::Version& version : versions) {
      events.push_back(version.In(0).event);
      events.back().order.event_id = version.id;
    }
    tails_size -= kept.tail.size();
    if (may_wait && edit_.may_wait[place.first] != 0 && events.size() <= kTailEventsMax) {
      std::string tail = MakeTail(set, events);
      if (tail.size() <= kTailSizeMax && tails_size + tail.size() <= kTailsSizeMax) {
        kept.tail = std::move(tail);
        tails_size += kept.tail.size();
        continue;
      }
    }
    AggregateTree tree(set, &pages, kept.root);
    LARDER_RETURN_IF_ERROR(tree.Insert(events).status());
    kept.root = tree.root();
    kept.tail.clear();
  }
  pending_.clear();
  return absl::OkStatus();
}

absl::Status WindowKeyEdit::RemoveFromTail(std::size_t stream, const TimeRange& range,
                                           const IsGoneFrom& is_gone, WindowKey::Tree* kept) {
  const AccumulatorSet& set = edit_.sets[stream];
  LARDER_ASSIGN_OR_RETURN(const std::vector<AggregateEvent> events, EventsOfTail(set, kept->tail));
  std::vector<AggregateEvent> left;
  for (const AggregateEvent& event : events) {
    bool goes = event.order.time_us >= range.from_us && event.order.time_us < range.to_us;
    if (goes) {
      LARDER_ASSIGN_OR_RETURN(goes, is_gone({stream, kept->category, event}));
    }
    if (!goes) left.push_back(event);
  }
  if (left.size() == events.size()) return absl::OkStatus();
  std::string tail = MakeTail(set, std::move(left));
  kept->tail = std::move(tail);
  return absl::OkStatus();
}

absl::Status WindowKeyEdit::RemoveFromTrees(const TimeRange& range, const IsGoneFrom& is_gone) {
  LARDER_RETURN_IF_ERROR(Flush(false));
  TransactionPages pages(*edit_.transaction, edit_.data_id, edit_.record);
  for (std::size_t s = 0; s < state_.streams.size(); ++s) {
    for (WindowKey::Tree& kept : state_.streams[s]) {
      LARDER_RETURN_IF_ERROR(RemoveFromTail(s, range, is_gone, &kept));
      AggregateTree tree(edit_.sets[s], &pages, kept.root);
      std::deque<OwnedEvent> gone;
      absl::Status status;
      LARDER_RETURN_IF_ERROR(tree.Visit(range, [&](const AggregateEvent& event) {
        if (!status.ok()) return;
        const absl::StatusOr<bool> goes = is_gone({s, kept.category, event});
        status = goes.status();
        if (goes.ok() && *goes) gone.emplace_back(event);
      }));
      if (!status.ok()) return status;
      if (gone.empty()) continue;
      std::vector<AggregateEvent> events;
      for (const OwnedEvent& owned : gone) events.push_back(owned.event);
      LARDER_RETURN_IF_ERROR(tree.Remove(events).status());
      kept.root = tree.root();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> WindowKeyEdit::Told::IsFromBatch() const {
  if (trailer.from_batch || is_listed || id.empty()) return trailer.from_batch;
  LARDER_ASSIGN_OR_RETURN(const FoundWindowId known, of.FindId(id));
  return known.id && known.id->from_batch;
}

absl::StatusOr<bool> WindowKeyEdit::RemoveEvents(const TimeRange& range, const IsGone& is_gone) {
  bool is_any_gone = false;
  std::set<std::string, std::less<>> ids;  // of what went
  const auto is_gone_from_tree = [&](const TreeEvent& in) -> absl::StatusOr<bool> {
    const EventOrder& order = in.event.order;
    LARDER_ASSIGN_OR_RETURN(const bool goes, is_gone({*this, order.event_id, order.time_us,
                                                      TrailerOf(order.row), false}));
    if (goes && !order.event_id.empty()) ids.emplace(order.event_id);
    is_any_gone |= goes;
    return goes;
  };
  LARDER_RETURN_IF_ERROR(RemoveFromTrees(range, is_gone_from_tree));
  std::vector<WindowKey::Version> left;
  for (WindowKey::Version& version : state_.versions) {
    LARDER_ASSIGN_OR_RETURN(
        const bool goes, is_gone({*this, version.id, version.time_us, TrailerFor(version), true}));
    is_any_gone |= goes;
    if (goes) {
      ids.insert(std::move(version.id));
    } else {
      left.push_back(std::move(version));
    }
  }
  state_.versions = std::move(left);
  for (const WindowKey::Version& version : state_.versions) ids.erase(version.id);
  for (const std::string& id : ids) LARDER_RETURN_IF_ERROR(EraseId(id));
  return is_any_gone;
}

absl::StatusOr<WindowKey::Version> WindowKeyEdit::Lift(std::string_view id, const WindowId& known) {
  WindowKey::Version version;
  static_cast<EventVersion&>(version) = known;
  version.id = id;
  version.parts.resize(state_.streams.size());
  LARDER_RETURN_IF_ERROR(
      RemoveFromTrees({known.time_us, known.time_us + 1}, [&](const TreeEvent& in) {
        if (in.event.order.event_id != id) return false;
        version.parts[in.stream] = PartOf(in.event, in.category);
        return true;
      }));
  return version;
}

absl::StatusOr<bool> WindowKeyEdit::Remove(const TimeRange& range, const IsGone& is_gone) {
  return RemoveEvents(range, is_gone);
}

absl::StatusOr<bool> WindowKeyEdit::Retract(const WindowRetraction& retraction,
                                            RetractedRows* retracted) {
  std::set<uint64_t> ranks;  // of what goes: one event may be in several trees
  bool is_unsure = false;
  const auto is_gone = [&](const Told& told) -> absl::StatusOr<bool> {
    if (!retraction.Covers(told.trailer.source, told.trailer.rank)) return false;
    LARDER_ASSIGN_OR_RETURN(const bool is_from_batch, told.IsFromBatch());
    if (is_from_batch) return false;
    // An earlier version may have been dropped for it.
    is_unsure |= !told.is_listed && !told.id.empty() && told.time_us < edit_.record->as_of_floor_us;
    ranks.insert(told.trailer.rank);
    return true;
  };
  LARDER_ASSIGN_OR_RETURN(const bool is_any_gone, RemoveEvents(kAllTime, is_gone));
  retracted->rows += ranks.size();
  retracted->keys += is_any_gone ? 1 : 0;
  retracted->keys_unsure += is_unsure ? 1 : 0;
  return is_any_gone;
}

absl::Status WindowKeyEdit::DropBefore(int64_t cutoff_us) {
  if (state_.oldest_us >= cutoff_us) return absl::OkStatus();
  state_.oldest_us = cutoff_us;
  return RemoveEvents({kAllTime.from_us, cutoff_us},
                      [](const Told& told) { return !told.is_listed; })
      .status();
}

absl::Status WindowKeyEdit::Settle(int64_t settled_us) {
  std::map<std::string, std::vector<std::size_t>> by_id;
  for (std::size_t i = 0; i < state_.versions.size(); ++i)
    by_id[state_.versions[i].id].push_back(i);
  std::set<std::string> settled;
  for (const auto& [id, places] : by_id) {
    const bool is_old = std::all_of(places.begin(), places.end(), [&](std::size_t i) {
      const WindowKey::Version& version = state_.versions[i];
      return version.time_us < settled_us && version.known_us < settled_us;
    });
    if (!is_old) continue;
    settled.insert(id);
    const auto last =
        *std::max_element(places.begin(), places.end(), [&](std::size_t a, std::size_t b) {
          return GivesWayTo(state_.versions[a].In(0), state_.versions[b].In(0));
        });
    // Before it took over, others counted.
    WindowRecord& record = *edit_.record;
    record.as_of_floor_us = std::max(record.as_of_floor_us, state_.versions[last].time_us + 1);
    record.known_floor_us = std::max(record.known_floor_us, state_.versions[last].known_us);
    const WindowKey::Version& version = state_.versions[last];
    const auto state = version.is_delete ? WindowId::State::kDeleted : WindowId::State::kInTrees;
    LARDER_ASSIGN_OR_RETURN(const FoundWindowId found, FindId(id));
    LARDER_RETURN_IF_ERROR(PutId(id, WindowId::Of(version, state), found.has_record));
    if (!version.is_delete) AddToTrees(version);
  }
  std::erase_if(state_.versions,
                [&](const WindowKey::Version& version) { return settled.count(version.id) > 0; });
  return absl::OkStatus();
}

absl::Status WindowKeyEdit::Finish(int64_t settled_us) {
  LARDER_RETURN_IF_ERROR(Settle(settled_us));
  LARDER_RETURN_IF_ERROR(Flush(true));
  for (std::vector<WindowKey::Tree>& trees : state_.streams)
    std::erase_if(trees, [](const WindowKey::Tree& tree) { return tree.is_empty(); });
  return edit_.transaction->PutRecord(kWindowKeyTable, WindowKeyName(edit_.data_id, entity_key_),
                                      state_.Serialize());
}

}  // namespace larder::inline LARDER_ABI
