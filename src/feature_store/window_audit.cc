#include "feature_store/window_audit.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "feature_store/byte_arena.h"
#include "larder/aggregate/accumulator.h"

namespace larder::inline LARDER_ABI {
namespace {

// An event of one stream, and all that have its id.
struct Told {
  HistoryEvent event;
  std::string category;
  bool has_known_time = false;
  const std::vector<std::size_t>* versions =
      nullptr;  // their places and its own; null: it is the only one
};

// Values between two reports: each may be the sum of very many events.
constexpr int64_t kValuesPerReport = 256;

// What counts in a window.
struct Rule {
  TimeRange range;
  std::optional<int64_t> rows;
  int64_t known_at = 0;
  std::string_view excluded_id;
};

}  // namespace

// One key's events against its rows.
class WindowAudit::Key {
 public:
  Key(const WindowAudit& audit, const KeyHistory& key, AuditRecord* record)
      : audit_(audit), key_(key), record_(*record) {}

  // Counts what it checks in `values`.
  absl::Status Check(const std::function<absl::Status()>& report, int64_t* values) {
    const std::vector<WindowStream>& streams = audit_.plan_.streams();
    for (std::size_t s = 0; s < streams.size(); ++s) {
      Gather(s);
      LARDER_ASSIGN_OR_RETURN(const AccumulatorSet sums, AccumulatorSet::Make(streams[s].specs));
      for (std::size_t f = 0; f < audit_.plan_.features().size(); ++f) {
        const bool is_needed = audit_.of_.use.needed.empty() || audit_.of_.use.needed[f];
        if (audit_.plan_.features()[f].stream != s || !is_needed) continue;
        for (const uint32_t row : key_.rows) {
          CheckRow(sums, f, row);
          if (++*values % kValuesPerReport == 0) LARDER_RETURN_IF_ERROR(report());
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  void Gather(std::size_t stream) {
    told_.clear();
    arena_.Clear();
    by_id_.clear();
    for (const auto& [batch, row] : key_.events) {
      const Events& from = audit_.batches_[batch];
      std::string id;
      from.windows.AppendId(row, &id);
      const std::string_view kept = id.empty() ? std::string_view() : arena_.Keep(id);
      Told one;
      one.event = from.windows.At(row, stream, kept, !kept.empty(), &arena_);
      one.event.counts = from.windows.IsOf(row, stream);
      one.has_known_time = from.has_known_time;
      if (one.event.counts && audit_.plan_.streams()[stream].group >= 0)
        one.category = from.windows.Category(row, stream);
      told_.push_back(std::move(one));
    }
    std::stable_sort(told_.begin(), told_.end(), [](const Told& a, const Told& b) {
      return a.event.event.order < b.event.event.order;
    });
    for (std::size_t i = 0; i < told_.size(); ++i) {
      const std::string_view id = told_[i].event.event.order.event_id;
      if (!id.empty()) by_id_[id].push_back(i);
    }
    for (const auto& [id, places] : by_id_) {
      if (places.size() == 1) continue;
      for (const std::size_t i : places) told_[i].versions = &places;
    }
  }

  [[nodiscard]] static bool IsSeen(const Told& one, const Rule& rule) {
    const std::string_view id = one.event.event.order.event_id;
    return one.event.event.order.time_us < rule.range.to_us &&
           one.event.known_us <= rule.known_at &&
           (rule.excluded_id.empty() || id != rule.excluded_id);
  }

  // Which version of an event counts; of versions alike one does.
  [[nodiscard]] bool IsLater(std::size_t version, std::size_t than) const {
    const HistoryEvent& a = told_[version].event;
    const HistoryEvent& b = told_[than].event;
    return GivesWayTo(b, a) || (!GivesWayTo(a, b) && version < than);
  }

  // The places of what counts, oldest first.
  [[nodiscard]] std::vector<std::size_t> Counting(const Rule& rule,
                                                  const std::string* category) const {
    const auto time_of = [](const Told& one) { return one.event.event.order.time_us; };
    const auto before = [&](const Told& one, int64_t us) { return time_of(one) < us; };
    const auto first =
        rule.rows ? told_.begin()
                  : std::lower_bound(told_.begin(), told_.end(), rule.range.from_us, before);
    auto at = std::lower_bound(told_.begin(), told_.end(), rule.range.to_us, before);
    std::vector<std::size_t> places;
    while (at > first) {
      --at;
      if (at->event.is_delete || !at->event.counts || !IsSeen(*at, rule)) continue;
      if (category != nullptr && at->category != *category) continue;
      const auto place = static_cast<std::size_t>(at - told_.begin());
      const auto is_later = [&](std::size_t other) {
        return other != place && IsSeen(told_[other], rule) && IsLater(other, place);
      };
      const bool gives_way = at->versions != nullptr &&
                             std::any_of(at->versions->begin(), at->versions->end(), is_later);
      if (gives_way) continue;
      if (rule.rows && std::ssize(places) >= *rule.rows) break;
      places.push_back(place);
    }
    std::reverse(places.begin(), places.end());
    return places;
  }

  [[nodiscard]] Value Add(const AccumulatorSet& sums, std::size_t f, Timestamp as_of,
                          const Rule& rule) const {
    const WindowFeature& feature = audit_.plan_.features()[f];
    const bool is_grouped = audit_.plan_.streams()[feature.stream].group >= 0;
    const auto add = [&](const std::vector<std::size_t>& places) {
      AccumulatorSet made = sums.NewEmpty();
      for (const std::size_t place : places) made.Add(told_[place].event.event);
      return made;
    };
    if (!feature.is_map) {
      const auto places = Counting(rule, is_grouped ? &feature.category : nullptr);
      return add(places).Result(feature.spec, as_of).value;
    }
    Rule all = rule;
    std::map<std::string, std::vector<std::size_t>> categories;
    if (rule.rows) {  // the last N of each category
      for (const Told& one : told_) categories[one.category];
      for (auto& [name, places] : categories) places = Counting(all, &name);
    } else {
      for (const std::size_t place : Counting(all, nullptr))
        categories[told_[place].category].push_back(place);
    }
    MapValue map;
    map.value = audit_.of_.claims.features[f].type().element();
    for (const auto& [name, places] : categories) {
      const AccumulatorSet made = add(places);
      const Value events = made.Result(feature.events, as_of).value;
      if (const int64_t* count = events.As<int64_t>(); count != nullptr && *count > 0)
        map.items.emplace_back(name, made.Result(feature.spec, as_of).value);
    }
    if (map.items.size() > kCategoriesMax) return {};
    return map;
  }

  void CheckRow(const AccumulatorSet& sums, std::size_t f, uint32_t row) {
    const AuditedUse& of = audit_.of_;
    const WindowFeature& feature = audit_.plan_.features()[f];
    const Timestamp at = of.TimeOf(row);
    const std::string& name = of.use.view->features[f].name;
    const std::string own = OwnId(row);
    Rule rule;
    rule.range = feature.window.RangeAt(at);
    rule.rows = feature.window.rows;
    rule.known_at = of.known_at == KnownAt::kSpine ? at.us : Timestamp::Max().us;
    if (of.use.view->definition.exclude_self) rule.excluded_id = own;
    const Value claimed = of.claims.features[f].ValueAt(row);
    Contribution all;
    bool is_own = false;
    bool replaced_known = false;
    const bool is_grouped = audit_.plan_.streams()[feature.stream].group >= 0;
    for (const std::size_t place :
         Counting(rule, is_grouped && !feature.is_map ? &feature.category : nullptr)) {
      const Told& one = told_[place];
      const int64_t time_us = one.event.event.order.time_us;
      all.Add({time_us, one.has_known_time ? one.event.known_us : Contribution::kNone});
      is_own |= time_us == at.us && !own.empty() && own == one.event.event.order.event_id;
      const auto was_known = [&](std::size_t v) { return told_[v].event.known_us <= at.us; };
      replaced_known |= one.event.known_us > at.us && one.versions != nullptr &&
                        std::any_of(one.versions->begin(), one.versions->end(), was_known);
    }
    record_.Contribute(row, all);
    if (Add(sums, f, at, rule) == claimed) {
      record_.CheckTimes(row, all, is_own, replaced_known, name);
    } else {
      record_.Note(KindOf(sums, f, at, rule, claimed), row, all, name);
    }
  }

  // What would make the claimed value right.
  [[nodiscard]] LeakKind KindOf(const AccumulatorSet& sums, std::size_t f, Timestamp at,
                                const Rule& rule, const Value& claimed) const {
    Rule wider = rule;
    wider.known_at = Timestamp::Max().us;
    if (Add(sums, f, at, wider) == claimed) return LeakKind::kLateArrival;
    wider = rule;
    wider.excluded_id = {};
    if (Add(sums, f, at, wider) == claimed) return LeakKind::kOwnEvent;
    wider = rule;
    wider.range.to_us += 1;
    if (Add(sums, f, at, wider) == claimed) return LeakKind::kBoundary;
    return LeakKind::kUntraced;
  }

  [[nodiscard]] std::string OwnId(uint32_t row) const {
    std::string id;
    if (const Column* const ids = audit_.of_.own_ids; ids != nullptr && ids->IsValid(row))
      AppendEventId(*ids, row, static_cast<char>(audit_.source_of_ids_), &id);
    return id;
  }

  const WindowAudit& audit_;
  const KeyHistory& key_;
  AuditRecord& record_;
  ByteArena arena_;
  std::vector<Told> told_;  // of the stream at hand, in the order of events
  std::map<std::string_view, std::vector<std::size_t>> by_id_;  // their places
};

WindowAudit::WindowAudit(const AuditedUse& of, std::size_t source_of_ids)
    : of_(of),
      source_of_ids_(source_of_ids),
      plan_(*of.use.windows),
      spine_keys_(of.keys, of.times.size()) {
  for (std::size_t row = 0; row < of.times.size(); ++row) {
    const std::string_view key = spine_keys_.views()[row];
    if (key.data() == nullptr) continue;
    const auto [at, is_new] = key_numbers_.try_emplace(key, static_cast<uint32_t>(keys_.size()));
    if (is_new) keys_.emplace_back();
    keys_[at->second].rows.push_back(static_cast<uint32_t>(row));
  }
}

void WindowAudit::Add(MappedBatch mapped, const Source& source, std::size_t source_number) {
  const auto number = static_cast<uint32_t>(batches_.size());
  Events& batch =
      batches_.emplace_back(Events{std::move(mapped), WindowEvents(), source.has_known_time()});
  const MappedEvents& events = batch.mapped.events;
  batch.windows = WindowEvents(plan_, events, source, source_number, rows_read_);
  rows_read_ += events.row_count;
  const EncodedKeys keys(events.keys, events.row_count);
  bool is_used = false;
  for (std::size_t row = 0; row < events.row_count; ++row) {
    const std::string_view key = keys.views()[row];
    if (key.data() == nullptr || !events.event_time->IsValid(row)) continue;
    const auto at = key_numbers_.find(key);
    if (at == key_numbers_.end()) continue;
    keys_[at->second].events.emplace_back(number, static_cast<uint32_t>(row));
    is_used = true;
  }
  if (!is_used) batches_.pop_back();
}

absl::StatusOr<AuditedView> WindowAudit::Finish(const Report& report) && {
  AuditRecord record(of_);
  int64_t checked = 0;
  int64_t values = 0;
  const auto tell = [&] { return report ? report(checked) : absl::OkStatus(); };
  for (const KeyHistory& key : keys_) {
    LARDER_RETURN_IF_ERROR(Key(*this, key, &record).Check(tell, &values));
    checked += std::ssize(key.rows);
  }
  LARDER_RETURN_IF_ERROR(tell());
  return std::move(record).Take(checked);
}

}  // namespace larder::inline LARDER_ABI
