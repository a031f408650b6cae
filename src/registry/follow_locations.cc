// Where data lies and how it is kept is no meaning: versions take over what their sources say of it today.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "registry/resolve.h"

namespace larder::inline LARDER_ABI {
namespace {

// Takes over what is not meaning: where the data lies and how it is kept. Whether that changed anything.
bool FollowSource(const Source& now, Source* source) {
  Source moved = *source;
  const auto is_file = [](SourceKind kind) {
    return kind == SourceKind::kCsv || kind == SourceKind::kNdjson || kind == SourceKind::kParquet;
  };
  if (is_file(now.kind) && is_file(moved.kind)) moved.kind = now.kind;
  moved.path = now.path;
  moved.format.delimiter = now.format.delimiter;
  moved.format.compression = now.format.compression;
  moved.format.strict = now.format.strict;
  moved.late_by = now.late_by;
  moved.retention = now.retention;
  moved.version_horizon = now.version_horizon;
  moved.arrival_slack = now.arrival_slack;
  moved.metadata = now.metadata;
  if (moved == *source) return false;
  *source = std::move(moved);
  return true;
}

}  // namespace

// Older versions that services pin read their data where it lies today.
void Resolver::FollowLocations() {
  for (auto& version : state_.views) {
    if (version->project != target_.project) continue;
    const auto current = [&](const Source& source) -> const Source* {
      const auto found = sources_.find(source.name);
      return found == sources_.end() ? nullptr : out_.sources[found->second].get();
    };
    bool changed = false;
    const auto followed = [&](Source source) {
      if (const Source* now = current(source)) changed = FollowSource(*now, &source) || changed;
      return source;
    };
    Source source = followed(version->source);
    std::optional<Source> batch = version->batch;
    if (batch) batch = followed(*batch);
    std::vector<Source> unions;
    for (const Source& other : version->union_sources) unions.push_back(followed(other));
    if (!changed) continue;
    auto moved = std::make_shared<ViewVersion>(*version);
    moved->source = std::move(source);
    moved->batch = std::move(batch);
    moved->union_sources = std::move(unions);
    version = std::move(moved);
  }
}

}  // namespace larder::inline LARDER_ABI
