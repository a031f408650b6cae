#include "feature_store/window_key_edit.h"

#include <algorithm>
#include <limits>
#include <set>

#include "feature_store/window_events.h"

namespace larder::inline LARDER_ABI {
namespace {

// The row of an event in a tree: without an id, what orders it among events alike; then the trailer.
std::string RowInTree(const WindowKey::Version& version) {
  std::string row;
  if (version.id.empty()) {
    AppendInputBytes(version.In(0).event.input, &row);
    EscapeRow(&row);
  }
  AppendTrailer({version.known_us, version.rank, version.from_batch, version.source}, &row);
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

constexpr TimeRange kAllTime = {std::numeric_limits<int64_t>::min(),
                                std::numeric_limits<int64_t>::max()};

}  // namespace

absl::StatusOr<std::optional<WindowId>> WindowKeyEdit::FindId(std::string_view id) const {
  LARDER_ASSIGN_OR_RETURN(
      const std::optional<std::string_view> bytes,
      edit_.transaction->GetRecord(kWindowIdTable, WindowIdName(edit_.data_id, entity_key_, id)));
  if (!bytes) return std::optional<WindowId>();
  LARDER_ASSIGN_OR_RETURN(WindowId found, WindowId::Parse(*bytes));
  return std::optional<WindowId>(std::move(found));
}

absl::Status WindowKeyEdit::PutId(std::string_view id, const WindowId& value) {
  return edit_.transaction->PutRecord(kWindowIdTable, WindowIdName(edit_.data_id, entity_key_, id),
                                      value.Serialize());
}

absl::StatusOr<WindowKeyEdit::Outcome> WindowKeyEdit::Add(WindowKey::Version version) {
  state_.oldest_us = std::min(state_.oldest_us, version.time_us);
  if (version.id.empty()) {
    AddToTrees(std::move(version));
    return Outcome::kWritten;
  }
  LARDER_ASSIGN_OR_RETURN(std::optional<WindowId> known, FindId(version.id));
  if (known && known->state == WindowId::State::kListed) return AddListed(std::move(version));
  if (known && known->IsSame(version)) {
    if (version.from_batch && !known->from_batch) {
      known->from_batch = true;
      LARDER_RETURN_IF_ERROR(PutId(version.id, *known));
    }
    return Outcome::kDuplicate;
  }
  if (known && known->from_batch && !version.from_batch) return Outcome::kOlder;
  if (known && known->state == WindowId::State::kInTrees) {
    LARDER_ASSIGN_OR_RETURN(WindowKey::Version old, Lift(version.id, *known));
    if (known->from_batch == version.from_batch) {
      state_.versions.push_back(std::move(old));
      LARDER_RETURN_IF_ERROR(PutId(version.id, WindowId::Of(version, WindowId::State::kListed)));
      state_.versions.push_back(std::move(version));
      return Outcome::kWritten;
    }
    // What was pushed gives way to the batch's copy as if it had never been.
  } else if (known && known->from_batch == version.from_batch) {
    const WindowId place = WindowId::Of(version, WindowId::State::kInTrees);
    if (!GivesWayTo(known->Place(), place.Place())) return Outcome::kOlder;
  }
  if (version.is_delete) {
    LARDER_RETURN_IF_ERROR(PutId(version.id, WindowId::Of(version, WindowId::State::kListed)));
    state_.versions.push_back(std::move(version));
  } else {
    LARDER_RETURN_IF_ERROR(PutId(version.id, WindowId::Of(version, WindowId::State::kInTrees)));
    AddToTrees(std::move(version));
  }
  return Outcome::kWritten;
}

WindowKeyEdit::Outcome WindowKeyEdit::AddListed(WindowKey::Version version) {
  const auto is_it = [&](const WindowKey::Version& other) { return other.id == version.id; };
  const bool has_batch = std::any_of(
      state_.versions.begin(), state_.versions.end(),
      [&](const WindowKey::Version& other) { return is_it(other) && other.from_batch; });
  const auto told = std::find_if(
      state_.versions.begin(), state_.versions.end(),
      [&](const WindowKey::Version& other) { return is_it(other) && other.IsSame(version); });
  const bool is_told = told != state_.versions.end();
  if (is_told) told->from_batch |= version.from_batch;
  if (version.from_batch && !has_batch) {
    // What was pushed of it gives way to the batch's copies.
    std::erase_if(state_.versions, [&](const WindowKey::Version& other) {
      return is_it(other) && !other.from_batch;
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

WindowKey::Tree& WindowKeyEdit::TreeOf(std::size_t stream, std::string_view category) {
  std::vector<WindowKey::Tree>& trees = state_.streams[stream];
  const auto at = std::lower_bound(
      trees.begin(), trees.end(), category,
      [](const WindowKey::Tree& tree, std::string_view wanted) { return tree.category < wanted; });
  if (at != trees.end() && at->category == category) return *at;
  return *trees.insert(at, {std::string(category), {}});
}

absl::Status WindowKeyEdit::Flush() {
  TransactionPages pages(*edit_.transaction, edit_.data_id, edit_.record);
  for (auto& [place, versions] : pending_) {
    WindowKey::Tree& kept = TreeOf(place.first, place.second);
    AggregateTree tree(edit_.sets[place.first], &pages, kept.root);
    for (WindowKey::Version& version : versions) version.row = RowInTree(version);
    std::vector<AggregateEvent> events;
    for (const WindowKey::Version& version : versions) {
      events.push_back(version.In(0).event);
      events.back().order.event_id = version.id;
    }
    LARDER_RETURN_IF_ERROR(tree.Insert(events).status());
    kept.root = tree.root();
  }
  pending_.clear();
  return absl::OkStatus();
}

absl::Status WindowKeyEdit::RemoveFrom(
    std::size_t stream, WindowKey::Tree* kept, const TimeRange& range,
    const std::function<bool(const AggregateEvent& event)>& is_gone) {
  TransactionPages pages(*edit_.transaction, edit_.data_id, edit_.record);
  AggregateTree tree(edit_.sets[stream], &pages, kept->root);
  struct Owned {
    AggregateEvent event;
    std::string id;
    std::string row;
    std::string bytes;
  };
  std::vector<Owned> gone;
  LARDER_RETURN_IF_ERROR(tree.Visit(range, [&](const AggregateEvent& event) {
    if (!is_gone(event)) return;
    gone.push_back({event, std::string(event.order.event_id), std::string(event.order.row),
                    std::string(event.input.bytes)});
  }));
  if (gone.empty()) return absl::OkStatus();
  std::vector<AggregateEvent> events;
  for (const Owned& owned : gone) {
    AggregateEvent& event = events.emplace_back(owned.event);
    event.order.event_id = owned.id;
    event.order.row = owned.row;
    if (event.input.bytes.data() != nullptr) event.input.bytes = owned.bytes;
  }
  LARDER_RETURN_IF_ERROR(tree.Remove(events).status());
  kept->root = tree.root();
  return absl::OkStatus();
}

absl::StatusOr<WindowKey::Version> WindowKeyEdit::Lift(std::string_view id, const WindowId& known) {
  LARDER_RETURN_IF_ERROR(Flush());
  WindowKey::Version version;
  static_cast<EventVersion&>(version) = known;
  version.id = id;
  version.parts.resize(state_.streams.size());
  const TimeRange instant = {known.time_us, known.time_us + 1};
  for (std::size_t s = 0; s < state_.streams.size(); ++s) {
    for (WindowKey::Tree& tree : state_.streams[s]) {
      const auto is_it = [&](const AggregateEvent& event) {
        if (event.order.event_id != id) return false;
        version.parts[s] = PartOf(event, tree.category);
        return true;
      };
      LARDER_RETURN_IF_ERROR(RemoveFrom(s, &tree, instant, is_it));
    }
  }
  return version;
}

absl::Status WindowKeyEdit::Remove(const IsGone& is_gone) {
  LARDER_RETURN_IF_ERROR(Flush());
  std::set<std::string> ids;
  for (std::size_t s = 0; s < state_.streams.size(); ++s) {
    for (WindowKey::Tree& tree : state_.streams[s]) {
      LARDER_RETURN_IF_ERROR(RemoveFrom(s, &tree, kAllTime, [&](const AggregateEvent& event) {
        const bool has_id = !event.order.event_id.empty();
        const bool gone = is_gone(has_id, event.order.time_us, TrailerOf(event.order.row));
        if (gone && has_id) ids.emplace(event.order.event_id);
        return gone;
      }));
    }
  }
  std::set<std::string> left;
  std::erase_if(state_.versions, [&](const WindowKey::Version& version) {
    const bool gone = is_gone(true, version.time_us,
                              {version.known_us, version.rank, version.from_batch, version.source});
    (gone ? ids : left).insert(version.id);
    return gone;
  });
  for (const std::string& id : ids) {
    if (left.count(id) == 0) LARDER_RETURN_IF_ERROR(DeleteId(id));
  }
  return absl::OkStatus();
}

absl::Status WindowKeyEdit::Retract(const WindowRetraction& retraction, RetractedRows* retracted) {
  LARDER_RETURN_IF_ERROR(Flush());
  std::set<uint64_t> ranks;  // of the events that go: one may be in several trees
  std::map<std::string, bool, std::less<>> ids;  // of events in trees: whether they go
  bool is_unsure = false;
  absl::Status status;
  const auto is_gone = [&](const AggregateEvent& event) {
    const WindowTrailer trailer = TrailerOf(event.order.row);
    if (!retraction.Covers(trailer.source, trailer.rank) || trailer.from_batch) return false;
    const std::string_view id = event.order.event_id;
    if (!id.empty()) {
      auto known = ids.find(id);
      if (known == ids.end()) {
        const absl::StatusOr<std::optional<WindowId>> found = FindId(id);
        if (!found.ok()) status = found.status();
        // What a batch has told again is the batch's, though the trailer is as it was.
        const bool goes = found.ok() && (!*found || !(*found)->from_batch);
        known = ids.emplace(id, goes).first;
      }
      if (!known->second) return false;
      // An earlier version may have been dropped for it.
      is_unsure |= event.order.time_us < edit_.record->as_of_floor_us;
    }
    ranks.insert(trailer.rank);
    return true;
  };
  for (std::size_t s = 0; s < state_.streams.size(); ++s) {
    for (WindowKey::Tree& tree : state_.streams[s]) {
      LARDER_RETURN_IF_ERROR(RemoveFrom(s, &tree, kAllTime, is_gone));
      if (!status.ok()) return status;
    }
  }
  std::set<std::string> left;
  std::erase_if(state_.versions, [&](const WindowKey::Version& version) {
    const bool goes = !version.from_batch && retraction.Covers(version.source, version.rank);
    if (goes) {
      ranks.insert(version.rank);
      ids.insert_or_assign(version.id, true);
    } else {
      left.insert(version.id);
    }
    return goes;
  });
  for (const auto& [id, goes] : ids) {
    if (goes && left.count(id) == 0) LARDER_RETURN_IF_ERROR(DeleteId(id));
  }
  retracted->rows += ranks.size();
  retracted->keys += ranks.empty() ? 0 : 1;
  retracted->keys_unsure += is_unsure ? 1 : 0;
  return absl::OkStatus();
}

absl::Status WindowKeyEdit::DeleteId(std::string_view id) {
  return edit_.transaction
      ->DeleteRecord(kWindowIdTable, WindowIdName(edit_.data_id, entity_key_, id))
      .status();
}

absl::Status WindowKeyEdit::DropBefore(int64_t cutoff_us) {
  if (state_.oldest_us >= cutoff_us) return absl::OkStatus();
  LARDER_RETURN_IF_ERROR(Flush());
  std::set<std::string> ids;
  for (std::size_t s = 0; s < state_.streams.size(); ++s) {
    for (WindowKey::Tree& tree : state_.streams[s]) {
      const TimeRange old = {kAllTime.from_us, cutoff_us};
      LARDER_RETURN_IF_ERROR(RemoveFrom(s, &tree, old, [&](const AggregateEvent& event) {
        if (!event.order.event_id.empty()) ids.emplace(event.order.event_id);
        return true;
      }));
    }
  }
  for (const std::string& id : ids) {
    LARDER_RETURN_IF_ERROR(DeleteId(id));
  }
  state_.oldest_us = cutoff_us;
  return absl::OkStatus();
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
    LARDER_RETURN_IF_ERROR(PutId(id, WindowId::Of(version, state)));
    if (!version.is_delete) AddToTrees(version);
  }
  std::erase_if(state_.versions,
                [&](const WindowKey::Version& version) { return settled.count(version.id) > 0; });
  return absl::OkStatus();
}

absl::Status WindowKeyEdit::Finish(int64_t settled_us) {
  LARDER_RETURN_IF_ERROR(Settle(settled_us));
  LARDER_RETURN_IF_ERROR(Flush());
  for (std::vector<WindowKey::Tree>& trees : state_.streams)
    std::erase_if(trees, [](const WindowKey::Tree& tree) { return tree.root.id == 0; });
  return edit_.transaction->PutRecord(kWindowKeyTable, WindowKeyName(edit_.data_id, entity_key_),
                                      state_.Serialize());
}

}  // namespace larder::inline LARDER_ABI
