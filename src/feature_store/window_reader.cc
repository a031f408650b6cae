#include "feature_store/window_reader.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "feature_store/store_impl.h"
#include "feature_store/window_ids.h"

namespace larder::inline LARDER_ABI {
namespace {

// What was folded for each of the ranges, which may overlap.
std::vector<std::vector<FoldedPart>> PartsOf(std::span<const TimeRange> ranges,
                                             std::span<const FoldedPart> folded) {
  std::vector<std::vector<FoldedPart>> parts(ranges.size());
  for (std::size_t w = 0; w < ranges.size(); ++w) {
    for (const FoldedPart& part : folded) {
      if (part.first_us >= ranges[w].from_us && part.last_us < ranges[w].to_us)
        parts[w].push_back(part);
    }
  }
  return parts;
}

}  // namespace

// The versions that a read has beside the trees, by the category of one stream that they bear on: where one version of
// an event counts, all of them do bear. Those whose event is in a tree, whichever that is, bear on every category.
struct WindowReader::Beside {
  std::vector<const WindowKey::Version*> everywhere;
  std::map<std::string_view, std::vector<const WindowKey::Version*>> by_category;

  Beside(const Asked& asked, std::size_t stream) {
    std::map<std::string_view, std::vector<const WindowKey::Version*>> by_id;
    for (const WindowKey::Version* version : asked.versions) {
      const WindowKey::Part& part = version->parts[stream];
      if (asked.staged_known.count(version->id) > 0) {
        everywhere.push_back(version);
      } else if (!version->id.empty()) {
        by_id[version->id].push_back(version);
      } else if (part.counts) {
        by_category[part.category].push_back(version);
      }
    }
    for (const auto& [id, versions] : by_id) {
      std::set<std::string_view> categories;
      for (const WindowKey::Version* version : versions) {
        if (version->parts[stream].counts) categories.insert(version->parts[stream].category);
      }
      for (const std::string_view category : categories) {
        auto& there = by_category[category];
        there.insert(there.end(), versions.begin(), versions.end());
      }
    }
  }
  // Those that events of the stream have, in its trees or outside them.
  [[nodiscard]] std::set<std::string_view> Categories(const Asked& asked, std::size_t stream) const {
    std::set<std::string_view> categories;
    for (const WindowKey::Tree& tree : asked.key.streams[stream]) categories.insert(tree.category);
    for (const auto& [category, versions] : by_category) categories.insert(category);
    for (const WindowKey::Version* version : everywhere) {
      if (version->parts[stream].counts) categories.insert(version->parts[stream].category);
    }
    return categories;
  }
  [[nodiscard]] std::vector<const WindowKey::Version*> Of(std::string_view category) const {
    std::vector<const WindowKey::Version*> versions = everywhere;
    if (const auto at = by_category.find(category); at != by_category.end())
      versions.insert(versions.end(), at->second.begin(), at->second.end());
    return versions;
  }
};

absl::StatusOr<WindowReader> WindowReader::Make(const ViewVersion& view, const WindowPlan& plan) {
  WindowReader reader(view, plan);
  for (const WindowStream& stream : plan.streams()) {
    LARDER_ASSIGN_OR_RETURN(AccumulatorSet set, AccumulatorSet::Make(stream.specs));
    TreeFolder folder(set);
    reader.streams_.push_back({std::move(set), {}, {}, {}, false, std::move(folder), {}, {}});
  }
  for (std::size_t f = 0; f < plan.features().size(); ++f) {
    const WindowFeature& feature = plan.features()[f];
    Stream& stream = reader.streams_[feature.stream];
    const auto window = std::find(stream.windows.begin(), stream.windows.end(), feature.window);
    stream.features.push_back(f);
    stream.window_of.push_back(static_cast<std::size_t>(window - stream.windows.begin()));
    if (window == stream.windows.end()) stream.windows.push_back(feature.window);
    stream.has_rows |= feature.window.rows.has_value();
  }
  reader.values_.resize(plan.features().size());
  reader.statuses_.resize(plan.features().size());
  return reader;
}

absl::Status WindowReader::Begin(const ReadSession& session, Timestamp as_of,
                                 std::optional<Timestamp> known_at,
                                 std::optional<uint64_t> commit_max) {
  as_of_ = as_of;
  known_at_ = known_at;
  commit_max_ = commit_max;
  std::vector<TimeRange> ranges;
  for (Stream& stream : streams_) {
    ranges.clear();
    for (const AggregateWindow& window : stream.windows)
      ranges.push_back(window.rows ? TimeRange{} : window.RangeAt(as_of));
    stream.folder.SetRanges(ranges);
  }
  complete_from_us_ = std::numeric_limits<int64_t>::min();
  LARDER_ASSIGN_OR_RETURN(record_, ReadWindowRecord(session, view_.data_id));
  LARDER_ASSIGN_OR_RETURN(const LoadRecord load, LoadRecordIn(session, view_.data_id));
  const bool push_only = view_.source.kind == SourceKind::kPush && !view_.batch;
  if (load.loaded) {
    complete_from_us_ = load.from.us;
  } else if (!push_only) {
    complete_from_us_ = record_.first_write_us;
  }
  bool is_gone =
      as_of.us < record_.as_of_floor_us || (known_at && known_at->us < record_.known_floor_us);
  is_partial_.clear();
  for (const WindowFeature& feature : plan_.features()) {
    const int64_t from_us = feature.window.length ? feature.window.RangeAt(as_of).from_us
                                                  : std::numeric_limits<int64_t>::min();
    is_gone |= feature.window.length && from_us < record_.dropped_before_us;
    is_partial_.push_back(from_us < complete_from_us_ ? 1 : 0);
  }
  if (!is_gone) return absl::OkStatus();
  return WithKind(OutOfRangeError("feature view ", view_.ToString(), ": events that counted at ",
                                  FormatTimestamp(as_of), " are no longer kept"),
                  ErrorKind::kOutsideHistory);
}

absl::Status WindowReader::Read(const ReadSession& session, std::string_view key,
                                std::span<const WindowKey::Version> staged) {
  refused_ = 0;
  if (key.data() == nullptr) {
    SetNotFound();
    return absl::OkStatus();
  }
  Asked asked{session, std::move(key_), {}, {}, {}};
  LARDER_RETURN_IF_ERROR(Ask(key, staged, &asked));
  LARDER_RETURN_IF_ERROR(ReadStreams(asked));
  key_ = std::move(asked.key);
  return absl::OkStatus();
}

void WindowReader::SetNotFound() {
  std::fill(values_.begin(), values_.end(), Value());
  std::fill(statuses_.begin(), statuses_.end(), FeatureStatus::kNotFound);
}

absl::Status WindowReader::ReadStreams(const Asked& asked) {
  for (std::size_t s = 0; s < streams_.size(); ++s) LARDER_RETURN_IF_ERROR(ReadStream(asked, s));
  return absl::OkStatus();
}

absl::Status WindowReader::Ask(std::string_view key, std::span<const WindowKey::Version> staged,
                               Asked* asked) const {
  const ReadSession& session = asked->session;
  LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> bytes,
                          session.GetRecord(kWindowKeyTable, WindowKeyName(view_.data_id, key)));
  if (bytes) {
    LARDER_RETURN_IF_ERROR(asked->key.Read(*bytes, streams_.size(), !staged.empty()));
  } else {
    asked->key.Clear(streams_.size());
  }
  for (const WindowKey::Version& version : asked->key.versions) asked->versions.push_back(&version);
  for (const WindowKey::Version& version : staged) {
    if (!version.id.empty()) {
      LARDER_ASSIGN_OR_RETURN(FoundWindowId known, FindWindowId(session, view_.data_id, record_,
                                                                key, asked->key.ids, version.id));
      if (known.id) {
        WindowId& id = *known.id;
        // The batch's copy wins, and what is told again changes nothing.
        if (id.from_batch || (id.state != WindowId::State::kListed && id.IsSame(version))) continue;
        if (id.state != WindowId::State::kListed)
          asked->staged_known.emplace(version.id, std::move(id));
      }
    }
    asked->versions.push_back(&version);
  }
  return absl::OkStatus();
}

absl::Status WindowReader::ReadStream(const Asked& asked, std::size_t s) {
  const Stream& stream = streams_[s];
  if (plan_.streams()[s].group < 0 && Folds(asked, s, "", asked.versions))
    return FoldValues(asked, s);
  const Beside beside(asked, s);
  const auto answer = [&](std::string_view category) {
    const std::vector<const WindowKey::Version*> versions = beside.Of(category);
    return Folds(asked, s, category, versions) ? Fold(asked, s, category)
                                               : Evaluate(asked, s, category, versions);
  };
  std::set<std::string_view> categories;
  if (plan_.streams()[s].group < 0) {
    categories.insert("");
  } else {
    bool has_maps = false;
    for (const std::size_t f : stream.features) {
      has_maps |= plan_.features()[f].is_map;
      if (!plan_.features()[f].is_map) categories.insert(plan_.features()[f].category);
    }
    if (has_maps) categories.merge(beside.Categories(asked, s));
  }
  std::vector<MapValue> maps(stream.features.size());
  for (const std::string_view category : categories) {
    LARDER_ASSIGN_OR_RETURN(Answer of, answer(category));
    for (std::size_t i = 0; i < stream.features.size(); ++i) {
      const WindowFeature& feature = plan_.features()[stream.features[i]];
      if (feature.is_map || feature.category == category) refused_ += of.refused[i] ? 1 : 0;
      if (feature.is_map) {
        if (of.events[i] > 0) maps[i].items.emplace_back(category, std::move(of.values[i]));
      } else if (feature.category == category) {
        values_[stream.features[i]] = std::move(of.values[i]);
      }
    }
  }
  for (std::size_t i = 0; i < stream.features.size(); ++i) {
    const std::size_t f = stream.features[i];
    if (plan_.features()[f].is_map) {
      maps[i].value = view_.features[f].type.element();
      const bool is_refused = maps[i].items.size() > kCategoriesMax;
      refused_ += is_refused ? 1 : 0;
      values_[f] = is_refused ? Value() : Value(std::move(maps[i]));
    }
    statuses_[f] = StatusOf(f, values_[f]);
  }
  return absl::OkStatus();
}

bool WindowReader::Folds(const Asked& asked, std::size_t s, std::string_view category,
                         Versions versions) const {
  if (!versions.empty() || known_at_ || commit_max_) return false;
  // Which events are the last, a tree can only tell of those that are in it.
  if (!streams_[s].has_rows) return true;
  const WindowKey::Tree* kept = asked.key.Find(s, category);
  return kept == nullptr || kept->tail.empty();
}

absl::Status WindowReader::FoldWindows(const Asked& asked, std::size_t s, std::string_view category,
                                       std::vector<std::vector<FoldedPart>>* parts) const {
  const Stream& stream = streams_[s];
  SnapshotPages pages(asked.session, view_.data_id, asked.pages);
  const WindowKey::Tree* kept = asked.key.Find(s, category);
  const TreeRoot root = kept != nullptr ? kept->root : TreeRoot{};
  const std::string_view tail = kept != nullptr ? kept->tail : std::string_view();
  std::vector<FoldedPart> folded;
  LARDER_RETURN_IF_ERROR(
      stream.folder.Fold(pages, root, tail, parts != nullptr ? &folded : nullptr));
  if (parts != nullptr) *parts = PartsOf(stream.folder.ranges(), folded);
  stream.last_rows.clear();
  stream.sums.clear();
  for (std::size_t w = 0; w < stream.windows.size(); ++w) {
    const AggregateWindow& window = stream.windows[w];
    stream.sums.push_back(&stream.folder.sum(w));
    if (!window.rows) continue;
    const AggregateTree tree(stream.set, &pages, root);
    LARDER_ASSIGN_OR_RETURN(AccumulatorSet last,
                            tree.FoldLast(window.RangeAt(as_of_).to_us, *window.rows,
                                          parts != nullptr ? &(*parts)[w] : nullptr));
    stream.sums.back() = &stream.last_rows.emplace_back(std::move(last));
  }
  return absl::OkStatus();
}

absl::Status WindowReader::FoldValues(const Asked& asked, std::size_t s) {
  const Stream& stream = streams_[s];
  LARDER_RETURN_IF_ERROR(FoldWindows(asked, s, "", nullptr));
  for (std::size_t i = 0; i < stream.features.size(); ++i) {
    const std::size_t f = stream.features[i];
    AggregateResult result =
        stream.sums[stream.window_of[i]]->Result(plan_.features()[f].spec, as_of_);
    refused_ += result.refused ? 1 : 0;
    values_[f] = std::move(result.value);
    statuses_[f] = StatusOf(f, values_[f]);
  }
  return absl::OkStatus();
}

absl::StatusOr<WindowReader::Answer> WindowReader::Fold(
    const Asked& asked, std::size_t s, std::string_view category,
    std::vector<std::vector<FoldedPart>>* parts) const {
  const Stream& stream = streams_[s];
  LARDER_RETURN_IF_ERROR(FoldWindows(asked, s, category, parts));
  Answer answer;
  for (std::size_t i = 0; i < stream.features.size(); ++i) {
    const WindowFeature& feature = plan_.features()[stream.features[i]];
    const AccumulatorSet& of = *stream.sums[stream.window_of[i]];
    AggregateResult result = of.Result(feature.spec, as_of_);
    answer.values.push_back(std::move(result.value));
    answer.refused.push_back(result.refused);
    answer.events.push_back(feature.is_map ? *of.Result(feature.events, as_of_).value.As<int64_t>()
                                           : 0);
  }
  return answer;
}

absl::StatusOr<WindowTrace> WindowReader::Trace(const ReadSession& session, std::string_view key,
                                                std::size_t f) const {
  const WindowFeature& feature = plan_.features()[f];
  Asked asked{session, {}, {}, {}, {}};
  LARDER_RETURN_IF_ERROR(Ask(key, {}, &asked));
  const Beside beside(asked, feature.stream);
  WindowTrace trace;
  trace.range = feature.window.RangeAt(as_of_);
  if (feature.window.rows) trace.range.from_us = std::numeric_limits<int64_t>::min();
  trace.complete_from_us = complete_from_us_;
  std::set<std::string_view> categories = {feature.category};
  if (feature.is_map) categories = beside.Categories(asked, feature.stream);
  for (const std::string_view category : categories)
    LARDER_RETURN_IF_ERROR(TraceCategory(asked, f, category, beside.Of(category), &trace));
  return trace;
}

absl::Status WindowReader::TraceCategory(const Asked& asked, std::size_t f,
                                         std::string_view category, Versions versions,
                                         WindowTrace* trace) const {
  const WindowFeature& feature = plan_.features()[f];
  const Stream& stream = streams_[feature.stream];
  const auto place = static_cast<std::size_t>(
      std::find(stream.features.begin(), stream.features.end(), f) - stream.features.begin());
  std::vector<std::vector<FoldedPart>> parts(stream.windows.size());
  const absl::StatusOr<Answer> answer = Folds(asked, feature.stream, category, versions)
                                            ? Fold(asked, feature.stream, category, &parts)
                                            : Evaluate(asked, feature.stream, category, versions);
  if (!answer.ok()) return answer.status();
  for (const FoldedPart& part : parts[stream.window_of[place]])
    trace->tiles.push_back({part, std::string(category)});
  Gathered gathered;
  LARDER_RETURN_IF_ERROR(Gather(asked, feature.stream, category, versions, trace->range, &gathered));
  const TracedWindow of{Concat(view_.ToString(), ":", view_.features[f].name),
                        stream.set,
                        feature.spec,
                        feature.window,
                        plan_.streams()[feature.stream].input_type,
                        {as_of_, known_at_.value_or(Timestamp::Max()), {}},
                        category};
  std::vector<TracedEvent> events;
  for (std::size_t i = 0; i < gathered.events.size(); ++i)
    events.push_back({gathered.events[i], gathered.ranks[i]});
  LARDER_RETURN_IF_ERROR(TraceEvents(of, events, answer->values[place], trace));
  for (std::size_t i = 0; i < gathered.later.size(); ++i) {
    LARDER_RETURN_IF_ERROR(TraceOther(of, {gathered.later[i], gathered.later_ranks[i]},
                                      "a later commit brought it", trace));
  }
  return absl::OkStatus();
}

FeatureStatus WindowReader::StatusOf(std::size_t feature, const Value& value) const {
  if (is_partial_[feature] != 0) return FeatureStatus::kPartialWindow;
  return value.is_null() ? FeatureStatus::kNullValue : FeatureStatus::kPresent;
}

}  // namespace larder::inline LARDER_ABI
