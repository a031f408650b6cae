#include "feature_store/window_steps.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "larder/base/text.h"
#include "larder/online/write_transaction.h"
#include "larder/schema/entity_key.h"

namespace larder::inline LARDER_ABI {
namespace {

using Kind = ExplanationStep::Kind;

std::string WindowText(const AggregateWindow& window, const TimeRange& range) {
  // Bounds as the definition has them: an instant `at` is the last that counts.
  const int64_t shift = window.at ? 1 : 0;
  const std::string end =
      Concat(window.at ? "until " : "before ", FormatTimestamp(Timestamp{range.to_us - shift}));
  if (window.rows) return Concat("the last ", *window.rows, " ", end);
  if (!window.length) return Concat("all ", end);
  return Concat(window.at ? "after " : "from ", FormatTimestamp(Timestamp{range.from_us - shift}),
                ", ", end);
}

// The inverse of AppendEscaped.
std::string WithoutEscapes(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '\0') {
      out.push_back(bytes[i]);
    } else if (i + 1 < bytes.size() && bytes[i + 1] == '\1') {
      out.push_back('\0');
      ++i;
    } else {
      break;
    }
  }
  return out;
}

// The id as the source has it, out of AppendEventId's bytes. Null: none.
absl::StatusOr<Value> EventId(const BoundUse& use, std::string_view id, bool offline) {
  if (id.empty()) return Value();
  const Source& source = WindowSource(*use.view, static_cast<unsigned char>(id.back()), offline);
  id.remove_suffix(1);
  for (const Field& field : source.fields) {
    if (field.name != source.event_id) continue;
    if (field.type.id() == TypeId::kString) return Value(WithoutEscapes(id));
    if (field.type.id() == TypeId::kBytes) return Value(Bytes{WithoutEscapes(id)});
    LARDER_ASSIGN_OR_RETURN(std::vector<Value> parts, DecodeEntityKey(id, {&field.type, 1}));
    return std::move(parts[0]);
  }
  return Value();
}

absl::StatusOr<ExplanationStep> EventStep(const BoundUse& use, const WindowTrace::Event& event,
                                          bool offline) {
  ExplanationStep step;
  step.kind = Kind::kEvent;
  LARDER_ASSIGN_OR_RETURN(Value id, EventId(use, event.id, offline));
  if (!id.is_null()) step.details.emplace_back("event_id", std::move(id));
  if (!event.category.empty()) step.details.emplace_back("category", event.category);
  step.value = event.input;
  step.event_time = Timestamp{event.time_us};
  if (event.known_us != HistoryEvent::kNeverKnown) step.known_time = Timestamp{event.known_us};
  if (event.rank != 0) step.commit_seq = CommitOfRank(event.rank);
  step.note = event.why_not;
  return step;
}

ExplanationStep TileStep(const WindowTrace::Tile& tile) {
  ExplanationStep step;
  step.kind = Kind::kTile;
  step.name = Concat(FormatTimestamp(Timestamp{tile.part.first_us}), " to ",
                     FormatTimestamp(Timestamp{tile.part.last_us}));
  if (!tile.category.empty()) step.details.emplace_back("category", tile.category);
  step.value = static_cast<int64_t>(tile.part.events);
  step.note = Concat("page ", tile.part.page, ", height ", tile.part.height);
  return step;
}

}  // namespace

absl::StatusOr<WindowSteps> StepsOfWindow(const BoundUse& use, std::size_t feature,
                                          const WindowTrace& trace, bool offline,
                                          std::size_t items_max) {
  std::vector<const WindowTrace::Event*> events;
  int64_t counting = 0;
  for (const WindowTrace::Event& event : trace.events) {
    counting += event.counts ? 1 : 0;
    const bool is_near = event.time_us >= trace.range.from_us && event.time_us < trace.range.to_us;
    if (is_near) events.push_back(&event);
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const auto* a, const auto* b) { return a->time_us > b->time_us; });
  WindowSteps steps;
  for (const WindowTrace::Event* event : events) {
    if (steps.parts.size() == items_max) break;
    LARDER_ASSIGN_OR_RETURN(ExplanationStep step, EventStep(use, *event, offline));
    steps.parts.push_back(std::move(step));
  }
  std::vector<std::string> notes;
  if (events.size() > steps.parts.size())
    notes.push_back(Concat(events.size() - steps.parts.size(), " events are not shown"));
  uint64_t in_tiles = 0;
  for (const WindowTrace::Tile& tile : trace.tiles) {
    in_tiles += tile.part.events;
    steps.parts.push_back(TileStep(tile));
  }
  if (!trace.tiles.empty())
    notes.push_back(Concat(in_tiles, " events in ", trace.tiles.size(), " tiles"));
  if (trace.complete_from_us > trace.range.from_us &&
      trace.complete_from_us != std::numeric_limits<int64_t>::max())
    notes.push_back(
        Concat("the source is complete from ", FormatTimestamp(Timestamp{trace.complete_from_us})));
  steps.window.kind = Kind::kWindow;
  steps.window.name = WindowText(use.windows->features()[feature].window, trace.range);
  steps.window.value = counting;
  steps.window.note = Join(notes, "; ");
  return steps;
}

}  // namespace larder::inline LARDER_ABI
