#include "online/view_rows.h"

#include <sys/mman.h>

#include <algorithm>
#include <utility>

#include "online/environment_impl.h"
#include "online/lmdb_status.h"
#include "online/page_advice.h"
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

absl::StatusOr<std::optional<std::string_view>> ReadSegment(const SegmentSource& source,
                                                            uint64_t id) {
  char key[8];
  StoreBigEndian(id, key);
  MDB_val at = ToVal({key, sizeof(key)});
  MDB_val value{};
  const int code = mdb_get(source.txn, source.segments, &at, &value);
  if (code == MDB_NOTFOUND) return std::optional<std::string_view>();
  if (code != 0) return LmdbError(code, "reading a segment");
  return std::optional<std::string_view>(FromVal(value));
}

std::shared_ptr<SegmentTouches> TouchRegistry::Of(uint64_t segment_id, std::size_t slots) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<SegmentTouches>& known = touches_[segment_id];
  std::shared_ptr<SegmentTouches> touches = known.lock();
  if (touches != nullptr) return touches;
  touches = std::make_shared<SegmentTouches>(slots);
  known = touches;
  constexpr std::size_t kPurgeEvery = 4096;
  if (touches_.size() % kPurgeEvery == 0) {
    std::erase_if(touches_, [](const auto& entry) { return entry.second.expired(); });
  }
  return touches;
}

void TouchRegistry::Keep(uint64_t segment_id, std::shared_ptr<SegmentTouches> touches) {
  constexpr std::size_t kKeptMax = 4096;
  const std::lock_guard lock(mutex_);
  kept_[segment_id] = std::move(touches);
  if (kept_.size() > kKeptMax) kept_.erase(kept_.begin());
}

void TouchRegistry::Forget(uint64_t segment_id) {
  const std::lock_guard lock(mutex_);
  kept_.erase(segment_id);
}

void TouchRegistry::Clear() {
  const std::lock_guard lock(mutex_);
  touches_.clear();
  kept_.clear();
}

absl::Status ViewRows::Refresh(const SegmentSource& source, bool all) {
  for (const Layer layer : {Layer::kLoaded, Layer::kPushed}) {
    LayerState& state = Of(layer);
    LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> stored,
                            ReadRecord(source, kDirectoryTable, DirectoryKey(view_id_, layer)));
    if (!stored) {
      // One without rows has a commit too, by which loads know it.
      if (state.directory.changed_at != 0 || state.resolved.empty()) {
        state.directory = ViewDirectory();
        state.resolved.assign(1, {});
        state.shortcuts.assign(1, {});
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
    state.directory = std::move(directory);
    state.resolved = std::move(resolved);
    state.shortcuts.assign(state.directory.place_count(), {});
    for (std::size_t i = 0; i < state.resolved.size(); ++i) {
      Resolved& partition = state.resolved[i];
      if (all) partition = {};
      // Most commits change few partitions: the others stay looked up.
      partition.done = partition.done && partition.refs == state.directory.partitions()[i].segments;
      if (partition.done) Connect(state, i);
    }
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
    LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> stored,
                            ReadSegment(source, ref.id));
    if (!stored) {
      return WithKind(DataLossError("segment ", ref.id, " of view ", view_id_, " is missing"),
                      ErrorKind::kCorrupt);
    }
    const std::string_view bytes = *stored;
    const SegmentShape* shape = shape_ ? &*shape_ : nullptr;
    LARDER_ASSIGN_OR_RETURN(const SegmentView view,
                            SegmentView::Open(bytes, shape, source.verify == VerifyPolicy::kAlways));
    std::shared_ptr<SegmentTouches> touches;
    if (source.verify == VerifyPolicy::kFirstTouch && source.touches != nullptr) {
      touches = source.touches->Of(ref.id, view.slot_count());
      // Two sessions may do this at once; neither goes on before it is done.
      if (!touches->index_checked()) {
        AskForPages(view.index(), MADV_WILLNEED);  // one read instead of a fault per page
        LARDER_RETURN_IF_ERROR(SegmentView::Open(bytes, shape, true).status());
        touches->SetIndexChecked();
      }
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
  Connect(state, partition);
  return absl::OkStatus();
}

void ViewRows::Connect(LayerState& state, std::size_t partition) {
  const Resolved& resolved = state.resolved[partition];
  const Shortcut shortcut{resolved.views.data(), resolved.touches.data(),
                          static_cast<uint32_t>(resolved.views.size()), true};
  const auto first = state.shortcuts.begin() +
                     static_cast<std::ptrdiff_t>(state.directory.FirstPlaceOf(partition));
  std::fill_n(first, state.directory.PlacesOf(partition), shortcut);
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
    // Where most keys are elsewhere, looking at rows in vain is what costs.
    if ((i > 0 || layer == Layer::kPushed) && !segment.MayHave(hash)) continue;
    const SegmentView::Hit hit = segment.Find(hash, key);
    SegmentTouches* touches = resolved.touches[i].get();
    const bool check =
        source.verify == VerifyPolicy::kAlways || (touches != nullptr && !touches->Has(hit.slot));
    if (hit.row == nullptr) {
      if (!hit.saw_other || (segment.is_perfect() ? !check : source.verify == VerifyPolicy::kNever))
        continue;
      LARDER_RETURN_IF_ERROR(segment.CheckNear(hash, source.hash_seed));
      if (segment.is_perfect() && touches != nullptr) touches->Set(hit.slot);
      continue;
    }
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

absl::Status ViewRows::Prefault(const SegmentSource& source) {
  for (const Layer layer : {Layer::kLoaded, Layer::kPushed}) {
    if (!has_layer(layer)) continue;
    for (std::size_t i = 0; i < Of(layer).resolved.size(); ++i) {
      LARDER_ASSIGN_OR_RETURN(const std::span<const SegmentView> segments,
                              SegmentsOf(source, layer, i));
      for (const SegmentView& segment : segments) BringPages(segment.bytes());
    }
  }
  return absl::OkStatus();
}

void ViewRows::FetchIndex(std::span<const KeyRef> keys) const {
  for (const LayerState& state : layers_) {
    // The slots of few keys stay in the nearest caches by themselves.
    constexpr uint64_t kKeysNear = 1U << 14;
    if (state.directory.row_count < kKeysNear) continue;
    for (const KeyRef& key : keys) {
      const Shortcut& shortcut = state.shortcuts[state.directory.PlaceOf(key.hash)];
      for (uint32_t i = 0; i < shortcut.count; ++i) shortcut.segments[i].PrefetchIndex(key.hash);
    }
  }
}

RowGuess ViewRows::GuessIn(const Shortcut& shortcut, uint64_t hash, bool filtered) {
  RowGuess guess;
  if (!shortcut.known) guess.state = RowGuess::kUnknown;
  for (uint32_t i = shortcut.count; i-- > 0;) {
    if ((i > 0 || filtered) && !shortcut.segments[i].MayHave(hash)) continue;
    const SegmentView::Hit hit = shortcut.segments[i].Guess(hash);
    if (hit.row == nullptr && !hit.saw_other) continue;
    guess.segment = &shortcut.segments[i];
    guess.touches = shortcut.touches[i].get();
    guess.row = hit.row;
    guess.slot = hit.slot;
    guess.state = hit.saw_other                                 ? RowGuess::kUnknown
                  : i == 0 && shortcut.segments[i].is_perfect() ? RowGuess::kOnly
                                                                : RowGuess::kLikely;
    break;
  }
  return guess;
}

void ViewRows::FetchRows(std::span<const KeyRef> keys, std::span<RowGuess> guesses) const {
  const LayerState& loaded = Of(Layer::kLoaded);
  const LayerState& pushed = Of(Layer::kPushed);
  if (loaded.directory.empty() && pushed.directory.empty()) {
    std::fill_n(guesses.begin(), keys.size(), RowGuess());
    return;
  }
  const bool one_layer = loaded.directory.empty() || pushed.directory.empty();
  const LayerState& first = loaded.directory.empty() ? pushed : loaded;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const uint64_t hash = keys[i].hash;
    const Shortcut& shortcut = first.shortcuts[first.directory.PlaceOf(hash)];
    RowGuess& guess = guesses[i];
    if (shortcut.count != 1 || !shortcut.segments->is_perfect()) {
      guess = GuessIn(shortcut, hash, false);
      continue;
    }
    // What GuessIn says, for the usual case.
    const SegmentView::Hit hit = shortcut.segments->Guess(hash);
    guess.segment = shortcut.segments;
    guess.touches = shortcut.touches->get();
    guess.row = hit.row;
    guess.slot = hit.slot;
    guess.state = hit.saw_other ? RowGuess::kUnknown : RowGuess::kOnly;
  }
  // A loop of nothing else, so that many requests, for pages' places too, are on their way together.
  for (std::size_t i = 0; i < keys.size(); ++i) __builtin_prefetch(guesses[i].row);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const RowGuess& guess = guesses[i];
    if (guess.row == nullptr) continue;
    __builtin_prefetch(guess.row + 63);  // it may begin in the middle of a cache line
    if (guess.touches != nullptr) guess.touches->Fetch(guess.slot);
  }
  if (one_layer) return;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const uint64_t hash = keys[i].hash;
    if (!MayHave(pushed, hash)) continue;  // nearly all
    const RowGuess other = GuessIn(pushed.shortcuts[pushed.directory.PlaceOf(hash)], hash, true);
    if (other.row != nullptr) __builtin_prefetch(other.row);
    // Which of two rows wins is not to be guessed.
    if (guesses[i].state == RowGuess::kAbsent) {
      guesses[i] = other;
    } else {
      guesses[i].state = RowGuess::kUnknown;
    }
  }
}

absl::Status ViewRows::CheckOther(const RowGuess& guess, uint64_t hash, uint64_t hash_seed) {
  LARDER_RETURN_IF_ERROR(guess.segment->CheckNear(hash, hash_seed));
  if (guess.touches != nullptr) guess.touches->Set(guess.slot);
  return absl::OkStatus();
}

absl::Status ViewRows::Check(const RowGuess& guess, uint64_t hash) {
  LARDER_RETURN_IF_ERROR(guess.segment->CheckRow(guess.row, hash));
  if (guess.touches != nullptr) guess.touches->Set(guess.slot);
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
