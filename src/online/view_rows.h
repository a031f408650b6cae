// A view's rows as one transaction sees them: both layers, with the segments looked up so far.
#pragma once

#include <lmdb.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/environment.h"
#include "larder/online/read_session.h"
#include "larder/online/row_layout.h"
#include "larder/online/row_view.h"
#include "online/segment.h"
#include "online/view_directory.h"

namespace larder::inline LARDER_ABI {

// Which rows of a segment this process has compared with their checks. Segments never change, so once is enough until
// the memory is read anew.
class SegmentTouches {
 public:
  explicit SegmentTouches(std::size_t slots) : words_((slots + 63) / 64) {}
  [[nodiscard]] bool Has(uint32_t slot) const {
    return all_.load(std::memory_order_relaxed) ||
           ((words_[slot / 64].load(std::memory_order_relaxed) >> (slot % 64)) & 1U) != 0;
  }
  // For what Has reads.
  void Fetch(uint32_t slot) const {
    if (!all_.load(std::memory_order_relaxed)) __builtin_prefetch(&words_[slot / 64]);
  }
  void Set(uint32_t slot) {
    words_[slot / 64].fetch_or(uint64_t{1} << (slot % 64), std::memory_order_relaxed);
  }
  // Nothing is left to compare.
  void SetAll() {
    all_.store(true, std::memory_order_relaxed);
    SetIndexChecked();
  }
  // Whether somebody has compared the index with its check, and found that it holds.
  [[nodiscard]] bool index_checked() const {
    return index_checked_.load(std::memory_order_acquire);
  }
  void SetIndexChecked() { index_checked_.store(true, std::memory_order_release); }

 private:
  std::atomic<bool> index_checked_{false};
  std::atomic<bool> all_{false};
  std::vector<std::atomic<uint64_t>> words_;
};

// Shared by all sessions of an environment. Threads: thread-safe.
class TouchRegistry {
 public:
  std::shared_ptr<SegmentTouches> Of(uint64_t segment_id, std::size_t slots);
  // Keeps what is known of a segment although no session looks at it, until it is forgotten or many newer ones are kept.
  void Keep(uint64_t segment_id, std::shared_ptr<SegmentTouches> touches);
  void Forget(uint64_t segment_id);
  // What was checked in another file says nothing of this one.
  void Clear();

 private:
  std::mutex mutex_;
  std::unordered_map<uint64_t, std::weak_ptr<SegmentTouches>> touches_;
  std::map<uint64_t, std::shared_ptr<SegmentTouches>> kept_;  // the oldest first: numbers only grow
};

// Where segments and directories are read from: a transaction that outlives what is read.
struct SegmentSource {
  MDB_txn* txn = nullptr;
  MDB_dbi records = 0;
  MDB_dbi segments = 0;
  VerifyPolicy verify = VerifyPolicy::kAlways;
  TouchRegistry* touches = nullptr;  // only with kFirstTouch
  uint64_t hash_seed = 0;
};

// A segment's bytes, with what LMDB may have padded them by; nullopt when there is none of this number.
absl::StatusOr<std::optional<std::string_view>> ReadSegment(const SegmentSource& source,
                                                            uint64_t id);

// Threads: thread-bound.
class ViewRows {
 public:
  // A key's newest version in one layer.
  struct Chain {
    const SegmentView* segment = nullptr;
    const char* row = nullptr;  // null: the layer has none
  };

  // Without a shape: for what does not look into rows.
  ViewRows(uint32_t view_id, std::optional<SegmentShape> shape)
      : view_id_(view_id), shape_(shape) {}

  [[nodiscard]] uint32_t view_id() const { return view_id_; }
  [[nodiscard]] const std::optional<SegmentShape>& shape() const { return shape_; }
  // The commit whose directories were read last; the caller's to keep.
  uint64_t seen_commit = 0;

  // Reads the directories as they are in `source`. Segments that are still listed stay looked up: a committed one never
  // moves in the map. `all` forgets them.
  absl::Status Refresh(const SegmentSource& source, bool all = false);
  [[nodiscard]] bool has_layer(Layer layer) const { return !Of(layer).directory.empty(); }
  [[nodiscard]] const ViewDirectory& directory(Layer layer) const { return Of(layer).directory; }

  // Errors: kCorrupt; LMDB's. Cost: no allocation once the partition's segments have been looked up.
  absl::Status Find(const SegmentSource& source, Layer layer, uint64_t hash, std::string_view key,
                    Chain* chain);

  // The segments of a partition, oldest first.
  absl::StatusOr<std::span<const SegmentView>> SegmentsOf(const SegmentSource& source, Layer layer,
                                                          std::size_t partition);

  // Looks up every partition and brings its pages into this process. Errors: kCorrupt; LMDB's.
  absl::Status Prefault(const SegmentSource& source);

  // For batches: bring what Find would look at nearer, in this order. FetchRows says where that is.
  void FetchIndex(std::span<const KeyRef> keys) const;
  void FetchRows(std::span<const KeyRef> keys, std::span<RowGuess> guesses) const;
  // Whether the policy asks for the row of a guess to be compared with its check; and comparing it, once it is known to be
  // the key's. Errors: kCorrupt.
  static bool NeedsCheck(VerifyPolicy verify, const RowGuess& guess) {
    return verify == VerifyPolicy::kAlways ||
           (guess.touches != nullptr && !guess.touches->Has(guess.slot));
  }
  static absl::Status Check(const RowGuess& guess, uint64_t hash);
  // The same for a guess with another key: it must be what it says, and not the damaged row of the key looked for.
  static absl::Status CheckOther(const RowGuess& guess, uint64_t hash, uint64_t hash_seed);

 private:
  struct Resolved {
    std::vector<SegmentRef> refs;
    std::vector<SegmentView> views;
    std::vector<std::shared_ptr<SegmentTouches>> touches;
    bool done = false;
  };
  // A partition's segments as batches see them, the newest last; none until it is looked up.
  struct Shortcut {
    const SegmentView* segments = nullptr;
    const std::shared_ptr<SegmentTouches>* touches = nullptr;
    uint32_t count = 0;
    bool known = false;
  };
  struct LayerState {
    ViewDirectory directory;
    std::vector<Resolved> resolved;   // per partition
    std::vector<Shortcut> shortcuts;  // by the hash's leading bits, ViewDirectory::PlaceOf
  };
  void Connect(LayerState& state, std::size_t partition);
  // `filtered`: when few of the keys looked for are in the layer, so that rows are better not looked at in vain.
  static RowGuess GuessIn(const Shortcut& shortcut, uint64_t hash, bool filtered);
  // False: GuessIn says kAbsent.
  static bool MayHave(const LayerState& state, uint64_t hash) {
    const Shortcut& shortcut = state.shortcuts[state.directory.PlaceOf(hash)];
    if (!shortcut.known) return true;
    for (uint32_t i = 0; i < shortcut.count; ++i) {
      if (shortcut.segments[i].MayHave(hash)) return true;
    }
    return false;
  }
  LayerState& Of(Layer layer) { return layers_[static_cast<std::size_t>(layer)]; }
  [[nodiscard]] const LayerState& Of(Layer layer) const {
    return layers_[static_cast<std::size_t>(layer)];
  }
  absl::Status Resolve(const SegmentSource& source, LayerState& state, std::size_t partition);

  uint32_t view_id_;
  std::optional<SegmentShape> shape_;
  std::array<LayerState, kLayerCount> layers_;
};

// The record key of a directory.
std::string DirectoryKey(uint32_t view_id, Layer layer);

}  // namespace larder::inline LARDER_ABI
