#include "larder/feature_store/leakage.h"

#include <numeric>

#include "larder/base/status.h"
#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {

std::string_view LeakKindName(LeakKind kind) {
  switch (kind) {
    case LeakKind::kFutureEvent:
      return "future_event";
    case LeakKind::kBoundary:
      return "boundary";
    case LeakKind::kLateArrival:
      return "late_arrival";
    case LeakKind::kBackfill:
      return "backfill";
    case LeakKind::kTtl:
      return "ttl";
    case LeakKind::kOwnEvent:
      return "own_event";
    case LeakKind::kUntraced:
      return "untraced";
  }
  return "";
}

std::string Leak::ToString() const {
  const auto shown = [](const std::optional<Timestamp>& time) {
    return time ? FormatTimestamp(*time) : std::string("none");
  };
  return Concat(LeakKindName(kind), " in row ", row, " (", entity, entity.empty() ? "" : " ", "at ",
                FormatTimestamp(spine_time), ")", feature.empty() ? "" : Concat(", ", feature),
                ": event ", shown(event_time), ", known ", shown(known_time));
}

std::string LabelLeak::ToString() const {
  return Concat("feature ", feature, ": ", why, " label ", label);
}

int64_t LeakageReport::leak_count() const {
  auto count = static_cast<int64_t>(labels.size());
  for (const AuditedView& view : views)
    count += std::accumulate(view.leaks.begin(), view.leaks.end(), int64_t{0});
  return count;
}

std::vector<std::string> LeakageReport::ToLines() const {
  std::vector<std::string> lines;
  for (const AuditedView& view : views) {
    std::array<bool, kLeakKinds> told = {};
    for (const Leak& leak : view.examples) {
      const auto kind = static_cast<std::size_t>(leak.kind);
      if (told[kind]) continue;
      told[kind] = true;
      lines.push_back(Concat(view.view, ": ", view.leaks[kind], " of ", view.rows_checked,
                             " rows; ", leak.ToString()));
    }
  }
  for (const LabelLeak& leak : labels) lines.push_back(leak.ToString());
  return lines;
}

}  // namespace larder::inline LARDER_ABI
