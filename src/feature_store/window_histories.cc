#include "feature_store/window_histories.h"

#include <algorithm>
#include <utility>

namespace larder::inline LARDER_ABI {

// Everything asked of a stream, or of one category of it.
std::vector<WindowHistories::Asked> WindowHistories::AskedOf(const WindowPlan& plan,
                                                             std::size_t stream) {
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

absl::StatusOr<WindowHistories> WindowHistories::Make(const Question& question, KnownAt known_at,
                                                      std::size_t rows) {
  WindowHistories made(question, known_at);
  made.places_.resize(question.plan.features().size());
  for (std::size_t s = 0; s < question.plan.streams().size(); ++s) {
    std::vector<Evaluation>& evaluations = made.evaluations_.emplace_back();
    for (Asked& asked : AskedOf(question.plan, s)) {
      std::vector<AggregateSpec> specs;
      for (const std::size_t spec : asked.specs)
        specs.push_back(question.plan.streams()[s].specs[spec]);
      LARDER_ASSIGN_OR_RETURN(HistoryEvaluator evaluator,
                              HistoryEvaluator::Make(asked.windows, specs));
      LARDER_ASSIGN_OR_RETURN(WindowResults results,
                              evaluator.NoResults(made.IsGrouped(s) ? 0 : rows));
      for (std::size_t i = 0; i < asked.features.size(); ++i)
        made.places_[asked.features[i]] = {s, evaluations.size(), asked.ResultOf(i)};
      evaluations.push_back({std::move(asked), std::move(evaluator), std::move(results)});
    }
  }
  for (std::size_t f = 0; f < made.places_.size(); ++f) {
    Column& column = made.columns_.emplace_back(question.view.features[f].type);
    if (made.IsGrouped(made.places_[f].stream)) column.Reserve(rows);
  }
  return made;
}

const Column& WindowHistories::ColumnOf(std::size_t feature) const {
  const ColumnPlace& place = places_[feature];
  if (IsGrouped(place.stream)) return columns_[feature];
  return evaluations_[place.stream][place.evaluation].results.columns[place.result];
}

int64_t WindowHistories::refused() const {
  int64_t refused = refused_;
  for (const ColumnPlace& place : places_) {
    if (!IsGrouped(place.stream))
      refused += evaluations_[place.stream][place.evaluation].results.refused[place.result];
  }
  return refused;
}

absl::Status WindowHistories::Add(std::size_t key, Events events) {
  arena_.Clear();
  SetInstants(key);
  SetVersions(events);
  for (std::size_t s = 0; s < evaluations_.size(); ++s) {
    if (IsGrouped(s)) {
      LARDER_RETURN_IF_ERROR(AddByCategory(events, s));
      continue;
    }
    events_.clear();
    for (std::size_t i = 0; i < events.size(); ++i)
      AddEvent(events, s, i, BatchOf(events[i]).IsOf(events[i].row, s));
    for (Evaluation& evaluation : evaluations_[s])
      LARDER_RETURN_IF_ERROR(evaluation.evaluator.Append(events_, instants_, &evaluation.results));
  }
  return absl::OkStatus();
}

void WindowHistories::SetInstants(std::size_t key) {
  instants_.clear();
  const JoinView& join = question_.join;
  for (const uint32_t row : question_.spine.RowsOf(key)) {
    HistoryInstant instant{question_.spine.InstantOf(row)};
    if (known_at_ == KnownAt::kSpine) instant.known_at = instant.as_of;
    if (const Column* own = join.exclude_event_id; own != nullptr && own->IsValid(row)) {
      id_.clear();
      AppendEventId(*own, row, static_cast<char>(join.exclude_source), &id_);
      instant.excluded_id = arena_.Keep(id_);
    }
    instants_.push_back(instant);
  }
}

void WindowHistories::SetVersions(Events events) {
  ids_.clear();
  versions_.clear();
  for (const EventPlace& place : events) {
    id_.clear();
    BatchOf(place).AppendId(place.row, &id_);
    ids_.push_back(id_.empty() ? std::string_view() : arena_.Keep(id_));
    if (!id_.empty()) ++versions_[ids_.back()];
  }
}

void WindowHistories::AddEvent(Events events, std::size_t stream, std::size_t i, bool counts) {
  if (!counts && !HasVersions(i)) return;
  HistoryEvent& event = events_.emplace_back(
      BatchOf(events[i]).At(events[i].row, stream, ids_[i], HasVersions(i), &arena_));
  event.counts = counts;
}

absl::Status WindowHistories::AddCategory(std::size_t stream, const std::string& category,
                                          std::map<std::size_t, CategoryValues>* maps) {
  for (Evaluation& evaluation : evaluations_[stream]) {
    const Asked& asked = evaluation.asked;
    LARDER_ASSIGN_OR_RETURN(WindowResults results, evaluation.evaluator.NoResults(instants_.size()));
    LARDER_RETURN_IF_ERROR(evaluation.evaluator.Append(events_, instants_, &results));
    for (std::size_t i = 0; i < asked.features.size(); ++i) {
      const std::size_t f = asked.features[i];
      const WindowFeature& feature = question_.plan.features()[f];
      const Column& values = results.columns[asked.ResultOf(i)];
      if (feature.is_map) {
        const auto events = std::lower_bound(asked.specs.begin(), asked.specs.end(), feature.events);
        CategoryValues& of = (*maps)[f];
        of.values.push_back(values);
        of.events.push_back(results.columns[asked.places[i].first * asked.specs.size() +
                                            static_cast<std::size_t>(events - asked.specs.begin())]);
      } else if (feature.category == category) {
        for (std::size_t k = 0; k < values.size(); ++k) columns_[f].AppendFrom(values, k);
      } else {
        continue;
      }
      refused_ += results.refused[asked.ResultOf(i)];
    }
  }
  return absl::OkStatus();
}

WindowHistories::Categories WindowHistories::CategoriesOf(Events events, std::size_t stream) const {
  Categories categories;
  bool has_maps = false;
  for (const WindowFeature& feature : question_.plan.features()) {
    if (feature.stream != stream) continue;
    has_maps |= feature.is_map;
    if (!feature.is_map) categories[feature.category];
  }
  absl::flat_hash_map<std::string_view, std::vector<std::size_t>> versions;
  std::vector<Category*> category_of(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (HasVersions(i)) versions[ids_[i]].push_back(i);
    const WindowEvents& from = BatchOf(events[i]);
    if (!from.IsOf(events[i].row, stream)) continue;
    std::string name = from.Category(events[i].row, stream);
    const auto at = has_maps ? categories.try_emplace(std::move(name)).first : categories.find(name);
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

absl::Status WindowHistories::AddByCategory(Events events, std::size_t stream) {
  std::map<std::size_t, CategoryValues> maps;
  std::vector<std::string> names;
  for (const auto& [name, category] : CategoriesOf(events, stream)) {
    events_.clear();
    for (const std::size_t i : category.counting) AddEvent(events, stream, i, true);
    for (const std::size_t i : category.others) AddEvent(events, stream, i, false);
    LARDER_RETURN_IF_ERROR(AddCategory(stream, name, &maps));
    names.push_back(name);
  }
  for (std::size_t f = 0; f < columns_.size(); ++f) {
    const WindowFeature& feature = question_.plan.features()[f];
    if (feature.stream != stream || !feature.is_map) continue;
    for (std::size_t k = 0; k < instants_.size(); ++k)
      LARDER_RETURN_IF_ERROR(columns_[f].Append(MapAt(maps[f], names, f, k)));
  }
  return absl::OkStatus();
}

Value WindowHistories::MapAt(const CategoryValues& of, const std::vector<std::string>& names,
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

}  // namespace larder::inline LARDER_ABI
