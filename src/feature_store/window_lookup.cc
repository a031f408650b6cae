// Keys of a request whose records and pages are looked up together.
#include <algorithm>
#include <utility>

#include "feature_store/window_reader.h"

namespace larder::inline LARDER_ABI {

absl::Status WindowReader::GetNamed(const ReadSession& session, uint32_t table) {
  asked_names_.assign(names_.begin(), names_.end());
  records_.assign(names_.size(), std::nullopt);
  return session.GetRecords(table, asked_names_, records_);
}

absl::Status WindowReader::LookUp(const ReadSession& session, std::span<const KeyRef> keys) {
  if (ahead_.size() < keys.size()) ahead_.resize(keys.size());
  names_.clear();
  for (const KeyRef& key : keys) names_.push_back(WindowKeyName(view_.data_id, key.key));
  LARDER_RETURN_IF_ERROR(GetNamed(session, kWindowKeyTable));
  places_.clear();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Ahead& ahead = ahead_[i];
    ahead.pages.clear();
    ahead.is_null = keys[i].key.data() == nullptr;
    if (ahead.is_null || !records_[i]) {
      ahead.key.Clear(streams_.size());
      continue;
    }
    LARDER_RETURN_IF_ERROR(ahead.key.Read(*records_[i], streams_.size(), false));
    // Events that have versions are read one by one.
    if (known_at_ || commit_max_ || !ahead.key.versions.empty()) continue;
    for (std::size_t s = 0; s < streams_.size(); ++s) {
      if (plan_.streams()[s].group >= 0 || ahead.key.streams[s].empty()) continue;
      const TreeRoot& root = ahead.key.streams[s].front().root;
      if (root.id != 0) places_.push_back({i, s, root.height, root.id});
    }
  }
  while (!places_.empty()) LARDER_RETURN_IF_ERROR(LookUpPages(session));
  return absl::OkStatus();
}

absl::Status WindowReader::LookUpPages(const ReadSession& session) {
  names_.clear();
  for (const Place& place : places_) names_.push_back(WindowPageName(view_.data_id, place.page));
  LARDER_RETURN_IF_ERROR(GetNamed(session, kWindowPageTable));
  std::vector<NodeId> below;
  std::vector<Place> next;
  for (std::size_t p = 0; p < places_.size(); ++p) {
    const Place& place = places_[p];
    if (!records_[p]) continue;  // the walk says so
    ahead_[place.key].pages.push_back({place.page, *records_[p]});
    below.clear();
    LARDER_RETURN_IF_ERROR(
        streams_[place.stream].folder.PagesBelow(*records_[p], place.height, &below));
    for (const NodeId id : below) next.push_back({place.key, place.stream, place.height - 1, id});
  }
  places_ = std::move(next);
  return absl::OkStatus();
}

absl::Status WindowReader::ReadAhead(const ReadSession& session, std::size_t i) {
  refused_ = 0;
  Ahead& ahead = ahead_[i];
  if (ahead.is_null) {
    SetNotFound();
    return absl::OkStatus();
  }
  Asked asked{session, std::move(ahead.key), ahead.pages, {}, {}};
  for (const WindowKey::Version& version : asked.key.versions) asked.versions.push_back(&version);
  LARDER_RETURN_IF_ERROR(ReadStreams(asked));
  ahead.key = std::move(asked.key);
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
