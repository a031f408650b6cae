#include "online/partition_merge.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "online/stored_row.h"

namespace larder::inline LARDER_ABI {
namespace {

SegmentEntry& AppendEntry(const NewRow& row, std::vector<SegmentEntry>* merged) {
  SegmentEntry& entry = merged->emplace_back();
  entry.hash = row.hash;
  entry.key = row.key();
  return entry;
}

}  // namespace

ViewFloors PartitionMerge::floors() const {
  ViewFloors floors = chain_.floors();
  floors.as_of = std::max(floors.as_of, plain_floor_);
  floors.known_at = std::max(floors.known_at, plain_floor_);
  return floors;
}

absl::Status PartitionMerge::Merge(std::span<const NewRow> rows, std::vector<SegmentEntry> stored,
                                   const PushedRows& pushed, std::vector<SegmentEntry>* merged) {
  arena_.Clear();
  merged->clear();
  merged->reserve(stored.size() + rows.size());
  auto kept = stored.begin();
  for (std::size_t i = 0, fetched = 0; i < rows.size();) {
    // Only what several rows say of a key is looked at.
    constexpr std::size_t kAhead = 16;
    for (; fetched + 1 < rows.size() && fetched < i + kAhead; ++fetched) {
      if (rows[fetched].hash != rows[fetched + 1].hash) continue;
      __builtin_prefetch(rows[fetched].data);
      __builtin_prefetch(rows[fetched].data + 64);
      __builtin_prefetch(rows[fetched + 1].data);
      __builtin_prefetch(rows[fetched + 1].data + 64);
    }
    const NewRow& first = rows[i];
    std::size_t end = i + 1;
    while (end < rows.size() && rows[end].HasKeyOf(first)) ++end;
    const std::span<const NewRow> same = rows.subspan(i, end - i);
    i = end;

    versions_.clear();
    if (kept != stored.end()) {
      const std::string_view key = first.key();
      while (kept != stored.end() && std::tie(kept->hash, kept->key) < std::tie(first.hash, key))
        merged->push_back(std::move(*kept++));
      if (kept != stored.end() && kept->hash == first.hash && kept->key == key) {
        for (const std::string_view row : kept->rows) {
          LARDER_ASSIGN_OR_RETURN(const RowView view, RowView::Parse(row, layout_));
          versions_.push_back(view);
        }
        ++kept;
      }
    }
    pushed_.clear();
    if (pushed.rows != nullptr) LARDER_RETURN_IF_ERROR(FindPushed(pushed, first));
    if (versions_.empty() && pushed_.empty() && AddPlain(same, merged)) continue;
    LARDER_RETURN_IF_ERROR(AddAny(same, merged));
  }
  merged->insert(merged->end(), std::make_move_iterator(kept),
                 std::make_move_iterator(stored.end()));
  return absl::OkStatus();
}

absl::Status PartitionMerge::FindPushed(const PushedRows& pushed, const NewRow& row) {
  ViewRows::Chain found;
  LARDER_RETURN_IF_ERROR(
      pushed.rows->Find(*pushed.source, Layer::kPushed, row.hash, row.key(), &found));
  for (const char* at = found.row; at != nullptr; at = found.segment->Older(at)) {
    LARDER_ASSIGN_OR_RETURN(const RowView view, found.segment->Parse(at, layout_));
    pushed_.push_back(view);
  }
  return absl::OkStatus();
}

bool PartitionMerge::AddPlain(std::span<const NewRow> rows, std::vector<SegmentEntry>* merged) {
  if (rows.size() == 1) {
    // Nothing to compare it with, as for most keys of a first load.
    AppendEntry(rows.front(), merged).rows.push_back(rows.front().bytes());
    ++result_.written;
    ++added_;
    return true;
  }
  plain_.clear();  // the greatest event time first
  std::size_t older = 0;
  std::size_t dropped = 0;
  Timestamp floor = plain_floor_;
  for (const NewRow& row : rows) {
    if (FlagsOfRow(row.data) != 0) return false;
    const Version version{EventTimeOfRow(row.data), &row};
    const auto first_until = [this](int64_t time) {
      return std::find_if(plain_.begin(), plain_.end(),
                          [time](const Version& other) { return other.event_time <= time; });
    };
    const auto place = first_until(version.event_time);
    if (place != plain_.end() && place->event_time == version.event_time) return false;  // a tie
    // A later row loses to nothing before its time, and hides nothing until then.
    const bool is_older = first_until(std::max(version.event_time, rules_.commit_time.us)) < place;
    older += is_older ? 1 : 0;
    plain_.insert(place, version);
    // Of what happened by the cutoff one answers; how far back answers reach is then its time.
    const auto settled = first_until(rules_.cutoff.us);
    if (plain_.end() - settled < 2) continue;
    dropped += static_cast<std::size_t>(plain_.end() - settled - 1);
    floor = std::max(floor, Timestamp{settled->event_time});
    plain_.erase(settled + 1, plain_.end());
  }
  plain_floor_ = floor;
  result_.written += rows.size() - older;
  result_.older += older;
  result_.dropped += dropped;
  SegmentEntry& entry = AppendEntry(rows.front(), merged);
  for (const Version& version : plain_) entry.rows.push_back(version.row->bytes());
  added_ += static_cast<int64_t>(plain_.size());
  return true;
}

absl::Status PartitionMerge::AddAny(std::span<const NewRow> rows,
                                    std::vector<SegmentEntry>* merged) {
  const auto before = static_cast<int64_t>(versions_.size());
  chain_.Reset(&versions_, pushed_);
  for (const NewRow& row : rows) {
    LARDER_ASSIGN_OR_RETURN(const VersionChain::Outcome outcome, chain_.Insert(row.bytes()));
    outcome.CountIn(&result_);
  }
  added_ += static_cast<int64_t>(versions_.size()) - before;
  if (versions_.empty()) return absl::OkStatus();  // pushed rows hold all of it
  SegmentEntry& entry = AppendEntry(rows.front(), merged);
  for (const RowView& version : versions_) entry.rows.push_back(version.bytes());
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
