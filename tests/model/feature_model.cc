#include "model/feature_model.h"

#include <tuple>

namespace larder_test {
namespace {

using larder::Boundary;
using larder::Duration;
using larder::FeatureStatus;
using larder::Timestamp;

bool IsUsable(const ModelView& view, const ModelEvent& event) {
  return event.key.has_value() && (view.is_timeless || event.event_time.has_value());
}

bool IsVisible(const ModelView& view, const ModelEvent& event, Timestamp as_of) {
  const bool before = view.boundary == Boundary::kBefore;
  if (!view.is_timeless) {
    if (before ? *event.event_time >= as_of : *event.event_time > as_of) return false;
  }
  if (!event.valid_to) return true;
  return before ? *event.valid_to >= as_of : *event.valid_to > as_of;
}

bool IsKnown(const ModelView& view, const ModelEvent& event, const ModelKnownAt& known_at) {
  if (known_at.commit && event.commit_seq > *known_at.commit) return false;
  if (!known_at.time) return true;
  const std::optional<Timestamp> known = KnownTimeOf(view, event);
  return known.has_value() && *known <= *known_at.time;
}

bool Carries(const ModelView& view, const ModelEvent& event, std::size_t feature) {
  return !view.partial_updates || event.is_delete || event.carries.empty() || event.carries[feature];
}

// optional's own order has the absent value first, as nulls come here.
auto GroupOf(const ModelEvent& event) { return std::tuple(event.event_time, event.sequence); }

// Whether `a` (at place i of the vector) loses to `b` (at place j).
bool Loses(const ModelView& view, const ModelEvent& a, std::size_t i, const ModelEvent& b,
           std::size_t j) {
  if (GroupOf(a) != GroupOf(b)) return GroupOf(a) < GroupOf(b);
  if (a.arrival_time != b.arrival_time) return a.arrival_time < b.arrival_time;
  if (view.ordered_by_commit) return std::tuple(a.commit_seq, i) < std::tuple(b.commit_seq, j);
  return CanonicalRowOf(view, a) < CanonicalRowOf(view, b);
}

}  // namespace

std::optional<Timestamp> KnownTimeOf(const ModelView& view, const ModelEvent& event) {
  if (view.has_arrival_time) return event.arrival_time;
  if (view.available_after) return event.event_time->Plus(*view.available_after);
  if (view.is_push) return event.commit_time;
  return event.event_time.value_or(Timestamp::Min());
}

std::string CanonicalRowOf(const ModelView& view, const ModelEvent& event) {
  std::string out(1, event.is_delete ? '\1' : '\0');
  for (std::size_t i = 0; i < view.feature_count && !event.is_delete; ++i) {
    out.push_back(Carries(view, event, i) ? '\1' : '\0');
    if (Carries(view, event, i)) larder::AppendCanonicalBytes(event.features[i], &out);
  }
  out.push_back(event.valid_to ? '\1' : '\0');
  if (event.valid_to) larder::AppendCanonicalBytes(larder::Value(*event.valid_to), &out);
  return out;
}

std::vector<ModelAnswer> AskModel(const ModelView& view, const std::vector<ModelEvent>& events,
                                  const std::optional<std::string>& key, Timestamp as_of,
                                  const ModelKnownAt& known_at,
                                  const std::optional<std::string>& exclude_event_id) {
  std::vector<ModelAnswer> answers(view.feature_count);
  if (!key) return answers;
  for (std::size_t feature = 0; feature < view.feature_count; ++feature) {
    const auto counts = [&](const ModelEvent& event) {
      if (!IsUsable(view, event) || event.key != key || !Carries(view, event, feature))
        return false;
      if (exclude_event_id && event.event_id == exclude_event_id) return false;
      return IsVisible(view, event, as_of) && IsKnown(view, event, known_at);
    };
    std::optional<std::size_t> winner;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (!counts(events[i])) continue;
      if (!winner || Loses(view, events[*winner], *winner, events[i], i)) winner = i;
    }
    if (!winner) continue;

    ModelAnswer& answer = answers[feature];
    const ModelEvent& event = events[*winner];
    answer.event = &event;
    for (const ModelEvent& other : events) {
      if (counts(other) && GroupOf(other) == GroupOf(event) &&
          CanonicalRowOf(view, other) != CanonicalRowOf(view, event)) {
        answer.is_ambiguous = true;
      }
    }
    if (event.is_delete) continue;
    if (!view.is_timeless) answer.event_time = event.event_time;
    const larder::Value& value = event.features[feature];
    const bool expires = !view.is_timeless && view.ttl && view.ttl->us > 0;
    if (expires && *event.event_time < as_of.Minus(*view.ttl)) {
      answer.status = FeatureStatus::kOutsideMaxAge;
      answer.stale_value = value;
    } else {
      answer.status = value.is_null() ? FeatureStatus::kNullValue : FeatureStatus::kPresent;
      answer.value = value;
    }
  }
  return answers;
}

}  // namespace larder_test
