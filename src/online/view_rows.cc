#include "online/view_rows.h"

#include <algorithm>
#include <utility>

#include "online/environment_impl.h"
#include "online/lmdb_status.h"
#include "online/record_key.h"
#include "online/row_codec.h"

namespace larder::inline LARDER_ABI {
namespace {

// nullopt when there is no such record.
absl::StatusOr<std::optional<std::string_view>> ReadRecord(const SegmentSource& source,
                                                           uint32_t table, std::string_view key) {
  const RecordKey wanted(table, key);
  MDB_val at = ToVal(wanted.full());
  MDB_val value{};
  const int code = mdb_get(source.txn, source.records, &at, &value);
  if (code == MDB_NOTFOUND) return std::optional<std::string_view>();
  if (code != 0) return LmdbError(code, "reading a view's list of segments");
  LARDER_ASSIGN_OR_RETURN(
      const std::string_view bytes,
      DecodeRecord(wanted.full(), FromVal(value), source.verify != VerifyPolicy::kNever));
  return std::optional<std::string_view>(bytes);
}

}  // namespace

std::string DirectoryKey(uint32_t view_id, Layer layer) {
  std::string key(8, '\0');
  StoreBigEndian((uint64_t{view_id} << 32) | static_cast<uint64_t>(layer), key.data());
  return key;
}

std::shared_ptr<SegmentTouches> TouchRegistry::Of(uint64_t segment_id, std::size_t slots,
                                                  bool* is_new) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<SegmentTouches>& known = touches_[segment_id];
  std::shared_ptr<SegmentTouches> touches = known.lock();
  *is_new = touches == nullptr;
  if (touches == nullptr) {
    touches = std::make_shared<SegmentTouches>(slots);
    known = touches;
  }
  constexpr std::size_t kPurgeEvery = 4096;
  if (*is_new && touches_.size() % kPurgeEvery == 0) {
    std::erase_if(touches_, [](const auto& entry) { return entry.second.expired(); });
  }
  return touches;
}

absl::Status ViewRows::Refresh(const SegmentSource& source, bool all) {
  for (const Layer layer : {Layer::kLoaded, Layer::kPushed}) {
    LayerState& state = Of(layer);
    LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> stored,
                            ReadRecord(source, kDirectoryTable, DirectoryKey(view_id_, layer)));
    if (!stored) {
      if (!state.directory.empty() || state.resolved.empty()) {
        state.directory = ViewDirectory();
        state.resolved.assign(1, {});
      }
      continue;
    }
    // The second word of the record: cheaper to look at than to parse it all.
    constexpr std::size_t kChangedAt = 8;
    if (!all && !state.resolved.empty() && stored->size() >= kChangedAt + 8 &&
        LoadAs<uint64_t>(stored->data() + kChangedAt) == state.directory.changed_at) {
      continue;
    }
    LARDER_ASSIGN_OR_RETURN(ViewDirectory directory, ViewDirectory::Parse(*stored));
    std::vector<Resolved> resolved(directory.partitions().size());
    if (!all && resolved.size() == state.resolved.size()) resolved = std::move(state.resolved);
    for (Resolved& partition : resolved) {
      partition.done = false;
      if (all) partition = {};
    }
    state.directory = std::move(directory);
    state.resolved = std::move(resolved);
  }
  return absl::OkStatus();
}

absl::Status ViewRows::Resolve(const SegmentSource& source, LayerState& state,
                               std::size_t partition) {
  Resolved& resolved = state.resolved[partition];
  const std::vector<SegmentRef>& refs = state.directory.partitions()[partition].segments;
  Resolved fresh;
  fresh.refs = refs;
  for (const SegmentRef& ref : refs) {
    const auto known = std::find(resolved.refs.begin(), resolved.refs.end(), ref);
    if (known != resolved.refs.end()) {
      const auto i = static_cast<std::size_t>(known - resolved.refs.begin());
      fresh.views.push_back(resolved.views[i]);
      fresh.touches.push_back(resolved.touches[i]);
      continue;
    }
    char id[8];
    StoreBigEndian(ref.id, id);
    MDB_val at = ToVal({id, sizeof(id)});
    MDB_val value{};
    const int code = mdb_get(source.txn, source.segments, &at, &value);
    if (code == MDB_NOTFOUND) {
      return WithKind(DataLossError("segment ", ref.id, " of view ", view_id_, " is missing"),
                      ErrorKind::kCorrupt);
    }
    if (code != 0) return LmdbError(code, "reading a segment");
    const std::string_view bytes = FromVal(value);
    const SegmentShape* shape = shape_ ? &*shape_ : nullptr;
    LARDER_ASSIGN_OR_RETURN(const SegmentView view,
                            SegmentView::Open(bytes, shape, source.verify == VerifyPolicy::kAlways));
    std::shared_ptr<SegmentTouches> touches;
    if (source.verify == VerifyPolicy::kFirstTouch && source.touches != nullptr) {
      bool is_new = false;
      touches = source.touches->Of(ref.id, view.slot_count(), &is_new);
      if (is_new) LARDER_RETURN_IF_ERROR(SegmentView::Open(bytes, shape, true).status());
    }
    if (view.header().view_id != view_id_) {
      return WithKind(DataLossError("segment ", ref.id, " is of view ", view.header().view_id,
                                    ", expected ", view_id_),
                      ErrorKind::kCorrupt);
    }
    fresh.views.push_back(view);
    fresh.touches.push_back(std::move(touches));
  }
  fresh.done = true;
  resolved = std::move(fresh);
  return absl::OkStatus();
}

absl::Status ViewRows::Find(const SegmentSource& source, Layer layer, uint64_t hash,
                            std::string_view key, Chain* chain) {
  *chain = {};
  LayerState& state = Of(layer);
  if (state.directory.empty()) return absl::OkStatus();
  const std::size_t partition = state.directory.PartitionOf(hash);
  if (!state.resolved[partition].done) LARDER_RETURN_IF_ERROR(Resolve(source, state, partition));
  const Resolved& resolved = state.resolved[partition];
  for (std::size_t i = resolved.views.size(); i-- > 0;) {
    const SegmentView& segment = resolved.views[i];
    const SegmentView::Hit hit = segment.Find(hash, key);
    if (hit.row == nullptr) {
      if (hit.saw_other && source.verify != VerifyPolicy::kNever)
        LARDER_RETURN_IF_ERROR(segment.CheckNear(hash, source.hash_seed));
      continue;
    }
    SegmentTouches* touches = resolved.touches[i].get();
    const bool check =
        source.verify == VerifyPolicy::kAlways || (touches != nullptr && !touches->Has(hit.slot));
    if (check) {
      LARDER_RETURN_IF_ERROR(segment.CheckRow(hit.row, hash));
      if (touches != nullptr) touches->Set(hit.slot);
    }
    *chain = {&segment, hit.row};
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::span<const SegmentView>> ViewRows::SegmentsOf(const SegmentSource& source,
                                                                  Layer layer,
                                                                  std::size_t partition) {
  LayerState& state = Of(layer);
  if (!state.resolved[partition].done) LARDER_RETURN_IF_ERROR(Resolve(source, state, partition));
  return std::span<const SegmentView>(state.resolved[partition].views);
}

void ViewRows::PrefetchSlots(Layer layer, uint64_t hash) const {
  const LayerState& state = Of(layer);
  if (state.directory.empty()) return;
  const Resolved& resolved = state.resolved[state.directory.PartitionOf(hash)];
  if (!resolved.done) return;
  for (const SegmentView& segment : resolved.views) segment.PrefetchSlots(hash);
}

void ViewRows::PrefetchRow(Layer layer, uint64_t hash) const {
  const LayerState& state = Of(layer);
  if (state.directory.empty()) return;
  const Resolved& resolved = state.resolved[state.directory.PartitionOf(hash)];
  if (!resolved.done) return;
  for (const SegmentView& segment : resolved.views) segment.PrefetchRow(hash);
}

}  // namespace larder::inline LARDER_ABI
