#include "feature_store/change_points.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "feature_store/key_encoding.h"

namespace larder::inline LARDER_ABI {
namespace {

std::optional<Timestamp> InstantAt(const Column* column, std::size_t row) {
  if (column == nullptr || !column->IsValid(row)) return std::nullopt;
  return Timestamp{column->Values<int64_t>()[row]};
}

}  // namespace

ChangePoints::ChangePoints(const ViewVersion& view, const WindowPlan* plan, KnownAt known_at,
                           Timestamp start, Timestamp end)
    : view_(view), known_at_(known_at), start_(start), end_(end) {
  for (const Field& key : view.keys) keys_.emplace_back(key.type);
  if (plan == nullptr) {
    const int64_t first = view.boundary == Boundary::kBefore ? 1 : 0;
    AddShift(first);
    // At exactly the TTL a row still counts.
    if (const Duration ttl = view.definition.ttl.value_or(Duration{}); ttl.us > 0)
      AddShift(ttl.us + 1);
    return;
  }
  for (const WindowFeature& feature : plan->features()) {
    const int64_t first = feature.window.delay.us + (feature.window.at ? 0 : 1);
    AddShift(first);
    if (feature.window.length) AddShift(first + feature.window.length->us);
  }
}

void ChangePoints::AddShift(int64_t us) {
  if (std::find(shifts_.begin(), shifts_.end(), us) == shifts_.end()) shifts_.push_back(us);
}

void ChangePoints::AddPoint(std::size_t key, Timestamp at) {
  if (at > start_ && at < end_) points_[key].push_back(at.us);
}

void ChangePoints::Add(const MappedEvents& events, const Source& source) {
  const EncodedKeys keys(events.keys, events.row_count);
  for (std::size_t row = 0; row < events.row_count; ++row) {
    const std::string_view key = keys.views()[row];
    if (key.data() == nullptr) continue;
    if (events.event_time != nullptr && !events.event_time->IsValid(row)) continue;
    const auto [at, is_new] = numbers_.try_emplace(std::string(key), points_.size());
    if (is_new) {
      for (std::size_t k = 0; k < keys_.size(); ++k) keys_[k].AppendFrom(*events.keys[k], row);
      points_.emplace_back();
    }
    const std::optional<Timestamp> time = InstantAt(events.event_time, row);
    std::optional<Timestamp> known;
    if (known_at_ == KnownAt::kSpine) {
      known = InstantAt(events.arrival_time, row);
      if (source.arrival_time.empty() && source.available_after && time)
        known = time->Plus(*source.available_after);
    }
    if (known) AddPoint(at->second, *known);
    for (const int64_t shift : shifts_) {
      if (time) AddPoint(at->second, time->Plus(Duration{shift}));
    }
    if (const std::optional<Timestamp> end = InstantAt(events.valid_to, row)) {
      const bool is_before = view_.boundary == Boundary::kBefore;
      AddPoint(at->second, end->Plus(Duration{is_before ? 1 : 0}));
    }
  }
}

absl::StatusOr<Batch> ChangePoints::ToSpine(const std::string& time_column) && {
  std::vector<Column> columns;
  for (const Column& key : keys_) columns.emplace_back(key.type());
  Column times(TypeId::kTimestamp);
  for (std::size_t number = 0; number < points_.size(); ++number) {
    std::vector<int64_t>& points = points_[number];
    points.push_back(start_.us);
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());
    for (const int64_t us : points) {
      for (std::size_t k = 0; k < columns.size(); ++k) columns[k].AppendFrom(keys_[k], number);
      times.AppendFixed(us);
    }
    points = {};
  }
  Batch spine;
  for (std::size_t k = 0; k < columns.size(); ++k)
    LARDER_RETURN_IF_ERROR(spine.AddColumn(view_.keys[k].name, std::move(columns[k])));
  LARDER_RETURN_IF_ERROR(spine.AddColumn(time_column, std::move(times)));
  return spine;
}

}  // namespace larder::inline LARDER_ABI
