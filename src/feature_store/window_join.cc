#include "feature_store/window_join.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kReportEvery = 32'768;  // events and rows

// The windows of a stream that are asked for one list of functions, so that a walk gives no more than is wanted.
struct Asked {
  std::vector<std::size_t> specs;  // of the stream
  std::vector<AggregateWindow> windows;
  std::vector<std::pair<std::size_t, std::size_t>> places;  // a window and a place in `specs`, ...
  std::vector<std::size_t> features;                        // ... and the feature it is
};

// Everything asked of a stream, or of one category of it.
std::vector<Asked> AskedOf(const WindowPlan& plan, std::size_t stream) {
  struct Line {
    AggregateWindow window;
    std::vector<std::size_t> specs;
    std::vector<std::size_t> features;
  };
  std::vector<Line> lines;
  const auto add = [&](const WindowFeature& feature, std::size_t spec, std::size_t f) {
    auto line = std::find_if(lines.begin(), lines.end(),
                             [&](const Line& other) { return other.window == feature.window; });
    if (line == lines.end()) line = lines.insert(lines.end(), {feature.window, {}, {}});
    line->specs.push_back(spec);
    line->features.push_back(f);
  };
  for (std::size_t f = 0; f < plan.features().size(); ++f) {
    const WindowFeature& feature = plan.features()[f];
    if (feature.stream == stream) add(feature, feature.spec, f);
  }
  std::vector<Asked> asked;
  for (const Line& line : lines) {
    std::vector<std::size_t> specs = line.specs;
    for (const std::size_t f : line.features) {
      if (plan.features()[f].is_map) specs.push_back(plan.features()[f].events);
    }
    std::sort(specs.begin(), specs.end());
    specs.erase(std::unique(specs.begin(), specs.end()), specs.end());
    auto group = std::find_if(asked.begin(), asked.end(),
                              [&](const Asked& other) { return other.specs == specs; });
    if (group == asked.end()) group = asked.insert(asked.end(), Asked{specs, {}, {}, {}});
    for (std::size_t i = 0; i < line.features.size(); ++i) {
      const auto spec = std::lower_bound(specs.begin(), specs.end(), line.specs[i]);
      group->places.emplace_back(group->windows.size(),
                                 static_cast<std::size_t>(spec - specs.begin()));
      group->features.push_back(line.features[i]);
    }
    group->windows.push_back(line.window);
  }
  return asked;
}

Timestamp InstantAt(const Column& times, uint32_t row) { return {times.Values<int64_t>()[row]}; }

}  // namespace

// All keys under one known_at, a key at a time.
class WindowJoin::Evaluation {
 public:
  Evaluation(const WindowJoin& join, KnownAt known_at) : join_(join), known_at_(known_at) {
    for (std::size_t s = 0; s < join.plan_.streams().size(); ++s)
      asked_.push_back(AskedOf(join.plan_, s));
    for (const FeatureColumn& feature : join.view_.features) {
      columns_.emplace_back(feature.type);
      columns_.back().Reserve(join.times_.size());
    }
  }

  absl::Status Add(const KeyHistory& key) {
    arena_.Clear();
    SetInstants(key);
    SetVersions(key);
    for (std::size_t s = 0; s < asked_.size(); ++s) {
      if (join_.plan_.streams()[s].group < 0) {
        events_.clear();
        for (std::size_t i = 0; i < key.events.size(); ++i) {
          const EventPlace& place = key.events[i];
          AddEvent(key, s, i, join_.batches_[place.batch].windows.IsOf(place.row, s));
        }
        LARDER_RETURN_IF_ERROR(Evaluate(s, nullptr));
      } else {
        LARDER_RETURN_IF_ERROR(AddByCategory(key, s));
      }
    }
    return absl::OkStatus();
  }

  // One for each feature, key after key.
  [[nodiscard]] const std::vector<Column>& columns() const LARDER_LIFETIME_BOUND {
    return columns_;
  }
  [[nodiscard]] int64_t refused() const { return refused_; }

 private:
  // What each category gives a map, one entry an instant.
  struct CategoryValues {
    std::vector<Column> values;  // of features
    std::vector<Column> events;
  };

  void SetInstants(const KeyHistory& key) {
    instants_.clear();
    for (const uint32_t row : key.rows) {
      HistoryInstant instant{InstantAt(join_.times_, row)};
      if (known_at_ == KnownAt::kSpine) instant.known_at = instant.as_of;
      if (const Column* own = join_.join_.exclude_event_id; own != nullptr && own->IsValid(row)) {
        id_.clear();
        AppendEventId(*own, row, static_cast<char>(join_.join_.exclude_source), &id_);
        instant.excluded_id = arena_.Keep(id_);
      }
      instants_.push_back(instant);
    }
  }

  // The events' ids, and how often each is there.
  void SetVersions(const KeyHistory& key) {
    ids_.clear();
    versions_.clear();
    for (const EventPlace& place : key.events) {
      id_.clear();
      join_.batches_[place.batch].windows.AppendId(place.row, &id_);
      ids_.push_back(id_.empty() ? std::string_view() : arena_.Keep(id_));
      if (!id_.empty()) ++versions_[ids_.back()];
    }
  }

  [[nodiscard]] bool HasVersions(std::size_t i) const {
    return !ids_[i].empty() && versions_.at(ids_[i]) > 1;
  }

  // Event `i` of the key, as one that counts or as a version that may take the place of one.
  void AddEvent(const KeyHistory& key, std::size_t stream, std::size_t i, bool counts) {
    if (!counts && !HasVersions(i)) return;
    const EventPlace& place = key.events[i];
    const WindowEvents& from = join_.batches_[place.batch].windows;
    HistoryEvent& event =
        events_.emplace_back(from.At(place.row, stream, ids_[i], HasVersions(i), &arena_));
    event.counts = counts;
  }

  // Appends the columns of a stream's features; those of maps to `maps`, if given.
  absl::Status Evaluate(std::size_t stream, const std::string* category,
                        std::map<std::size_t, CategoryValues>* maps = nullptr) {
    const std::vector<AggregateSpec>& specs = join_.plan_.streams()[stream].specs;
    for (const Asked& asked : asked_[stream]) {
      std::vector<AggregateSpec> wanted;
      for (const std::size_t spec : asked.specs) wanted.push_back(specs[spec]);
      LARDER_ASSIGN_OR_RETURN(WindowResults results,
                              EvaluateHistory(events_, instants_, asked.windows, wanted));
      for (std::size_t i = 0; i < asked.features.size(); ++i) {
        const std::size_t f = asked.features[i];
        const WindowFeature& feature = join_.plan_.features()[f];
        const std::size_t first = asked.places[i].first * wanted.size();
        const Column& values = results.columns[first + asked.places[i].second];
        const int64_t refused = results.refused[first + asked.places[i].second];
        if (feature.is_map) {
          if (maps == nullptr) continue;
          refused_ += refused;
          const auto events =
              std::lower_bound(asked.specs.begin(), asked.specs.end(), feature.events);
          CategoryValues& of = (*maps)[f];
          of.values.push_back(values);
          of.events.push_back(
              results.columns[first + static_cast<std::size_t>(events - asked.specs.begin())]);
        } else if (category == nullptr || feature.category == *category) {
          refused_ += refused;
          for (std::size_t k = 0; k < values.size(); ++k) columns_[f].AppendFrom(values, k);
        }
      }
    }
    return absl::OkStatus();
  }

  // Events by the category they count in, and with them all versions of these events.
  struct Category {
    std::vector<std::size_t> counting;
    std::vector<std::size_t> others;
  };
  using Categories = std::map<std::string, Category>;

  // Those that have events, if a map is asked for, and those listed.
  [[nodiscard]] Categories CategoriesOf(const KeyHistory& key, std::size_t stream) const {
    Categories categories;
    bool has_maps = false;
    for (const WindowFeature& feature : join_.plan_.features()) {
      if (feature.stream != stream) continue;
      has_maps |= feature.is_map;
      if (!feature.is_map) categories[feature.category];
    }
    absl::flat_hash_map<std::string_view, std::vector<std::size_t>> versions;
    std::vector<Category*> category_of(key.events.size());
    for (std::size_t i = 0; i < key.events.size(); ++i) {
      if (HasVersions(i)) versions[ids_[i]].push_back(i);
      const EventPlace& place = key.events[i];
      const WindowEvents& from = join_.batches_[place.batch].windows;
      if (!from.IsOf(place.row, stream)) continue;
      std::string name = from.Category(place.row, stream);
      const auto at =
          has_maps ? categories.try_emplace(std::move(name)).first : categories.find(name);
      if (at == categories.end()) continue;
      at->second.counting.push_back(i);
      category_of[i] = &at->second;
    }
    for (const auto& [id, places] : versions) {
      std::vector<Category*> met;
      for (const std::size_t i : places) {
        if (category_of[i] != nullptr) met.push_back(category_of[i]);
      }
      std::sort(met.begin(), met.end());
      met.erase(std::unique(met.begin(), met.end()), met.end());
      for (Category* const category : met) {
        for (const std::size_t i : places) {
          if (category_of[i] != category) category->others.push_back(i);
        }
      }
    }
    return categories;
  }

  absl::Status AddByCategory(const KeyHistory& key, std::size_t stream) {
    std::map<std::size_t, CategoryValues> maps;
    std::vector<std::string> names;
    for (const auto& [name, category] : CategoriesOf(key, stream)) {
      events_.clear();
      for (const std::size_t i : category.counting) AddEvent(key, stream, i, true);
      for (const std::size_t i : category.others) AddEvent(key, stream, i, false);
      LARDER_RETURN_IF_ERROR(Evaluate(stream, &name, &maps));
      names.push_back(name);
    }
    for (std::size_t f = 0; f < columns_.size(); ++f) {
      const WindowFeature& feature = join_.plan_.features()[f];
      if (feature.stream != stream || !feature.is_map) continue;
      for (std::size_t k = 0; k < instants_.size(); ++k)
        LARDER_RETURN_IF_ERROR(columns_[f].Append(MapAt(maps[f], names, f, k)));
    }
    return absl::OkStatus();
  }

  // Categories without an event in the window are not in the map.
  [[nodiscard]] Value MapAt(const CategoryValues& of, const std::vector<std::string>& names,
                            std::size_t feature, std::size_t instant) {
    MapValue map;
    map.value = columns_[feature].type().element();
    for (std::size_t c = 0; c < of.values.size(); ++c) {
      if (of.events[c].Values<int64_t>()[instant] > 0)
        map.items.emplace_back(names[c], of.values[c].ValueAt(instant));
    }
    if (map.items.size() <= kCategoriesMax) return map;
    ++refused_;
    return {};
  }

  const WindowJoin& join_;
  const KnownAt known_at_;
  std::vector<std::vector<Asked>> asked_;  // by stream
  std::vector<Column> columns_;
  int64_t refused_ = 0;

  // Of the key at hand.
  ByteArena arena_;
  std::string id_;
  std::vector<HistoryInstant> instants_;
  std::vector<std::string_view> ids_;  // of its events
  absl::flat_hash_map<std::string_view, int> versions_;
  std::vector<HistoryEvent> events_;
};

WindowJoin::WindowJoin(const ViewVersion& view, const WindowPlan& plan, const Column& times,
                       JoinView join)
    : view_(view),
      plan_(plan),
      times_(times),
      join_(std::move(join)),
      spine_keys_(join_.spine_keys, times.size()) {
  for (std::size_t row = 0; row < times.size(); ++row) {
    const std::string_view key = spine_keys_.views()[row];
    if (key.data() == nullptr) {
      ++counts_.rows_null_key;
      ++counts_.rows_not_found;
      continue;
    }
    ++counts_.rows_found;
    const auto [at, is_new] = key_numbers_.try_emplace(key, static_cast<uint32_t>(keys_.size()));
    if (is_new) keys_.emplace_back();
    keys_[at->second].rows.push_back(static_cast<uint32_t>(row));
  }
}

absl::Status WindowJoin::Add(MappedBatch mapped, const Source& source, std::size_t source_number) {
  has_known_time_ |= source.has_known_time();
  const auto number = static_cast<uint32_t>(batches_.size());
  // Its own columns are what it borrows: it stays where it is.
  Batch& batch = batches_.emplace_back(Batch{std::move(mapped), WindowEvents()});
  const MappedEvents& events = batch.mapped.events;
  batch.windows =
      WindowEvents(plan_, events, source, source_number, static_cast<uint64_t>(counts_.events));
  counts_.events += static_cast<int64_t>(events.row_count);
  const EncodedKeys keys(events.keys, events.row_count);
  bool used = false;
  for (std::size_t row = 0; row < events.row_count; ++row) {
    const std::string_view key = keys.views()[row];
    if (key.data() == nullptr) {
      ++counts_.events_null_key;
      continue;
    }
    if (!events.event_time->IsValid(row)) {
      ++counts_.events_null_time;
      continue;
    }
    if (events.arrival_time != nullptr && !events.arrival_time->IsValid(row))
      ++counts_.events_null_arrival;
    const auto at = key_numbers_.find(key);
    if (at == key_numbers_.end()) continue;
    if (batch.windows.IsDelete(row) && !batch.windows.HasId(row)) {
      return InvalidArgumentError("source ", source.name, ": a delete at ",
                                  FormatTimestamp({batch.windows.TimeOf(row)}), " has no ",
                                  source.event_id, " to say which event is deleted");
    }
    keys_[at->second].events.push_back({number, static_cast<uint32_t>(row)});
    used = true;
  }
  if (!used) batches_.pop_back();
  return absl::OkStatus();
}

absl::StatusOr<JoinedView> WindowJoin::Finish(const JoinOptions& options) && {
  for (KeyHistory& key : keys_) {
    std::stable_sort(key.rows.begin(), key.rows.end(), [&](uint32_t a, uint32_t b) {
      return InstantAt(times_, a) < InstantAt(times_, b);
    });
  }
  Evaluation asked(*this, join_.known_at);
  std::optional<Evaluation> other;
  if (has_known_time_ && join_.count_other_known_at)
    other.emplace(*this, join_.known_at == KnownAt::kSpine ? KnownAt::kAny : KnownAt::kSpine);
  std::vector<std::size_t> place_of(times_.size(), times_.size());
  std::size_t next = 0;
  std::size_t unreported = kReportEvery;
  for (KeyHistory& key : keys_) {
    unreported += key.events.size() + key.rows.size();
    if (options.progress && unreported >= kReportEvery) {
      LARDER_RETURN_IF_ERROR(options.progress({0, counts_.events, static_cast<int64_t>(next)}));
      unreported = 0;
    }
    LARDER_RETURN_IF_ERROR(asked.Add(key));
    if (other) LARDER_RETURN_IF_ERROR(other->Add(key));
    for (const uint32_t row : key.rows) place_of[row] = next++;
  }
  counts_.cells_refused = asked.refused();
  JoinedView joined;
  if (other) counts_.cells_changed_by_other_known_at = 0;
  for (std::size_t f = 0; f < view_.features.size(); ++f) {
    const Column& from = asked.columns()[f];
    Column& to = joined.features.emplace_back(view_.features[f].type);
    to.Reserve(times_.size());
    for (const std::size_t place : place_of) {
      if (place == times_.size()) {
        to.AppendNull();
      } else {
        to.AppendFrom(from, place);
      }
    }
    for (std::size_t place = 0; other && place < next; ++place) {
      if (!(from.ValueAt(place) == other->columns()[f].ValueAt(place)))
        ++*counts_.cells_changed_by_other_known_at;
    }
  }
  JoinOutcome& outcome = joined.outcomes.emplace_back();
  for (const std::size_t place : place_of) {
    outcome.status.push_back(place == times_.size() ? FeatureStatus::kNotFound
                                                    : FeatureStatus::kPresent);
    outcome.event_time.AppendNull();
    if (options.audit) {
      outcome.known_time.AppendNull();
      outcome.event_id.AppendNull();
    }
  }
  joined.counts = counts_;
  return joined;
}

}  // namespace larder::inline LARDER_ABI
