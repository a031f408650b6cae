// The store that the online bars serve from: views of six float64 each, the rows that the yardstick holds too.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/time.h"
#include "larder/column/batch.h"
#include "larder/feature_store.h"
#include "lmdb_yardstick.h"

namespace larder_bench {

inline constexpr larder::Timestamp kEventTime{1'700'000'000'000'000};
inline constexpr larder::Timestamp kNow{1'700'000'060'000'000};

struct StoreSpec {
  uint64_t entities = 1'000'000;
  KeyKind keys = KeyKind::kInteger;
  int views = kYardstickViews;
};

// View k is fed by push source `live<k>`, whose batch source is a CSV file, and has features `v<k>_f0` to `v<k>_f5`.
// Service `one_view` is view 0 as float64, `five_views` all views as float32, `five_features` five of view 0. Files are written into `folder`.
[[nodiscard]] std::string DefinitionsOf(const StoreSpec& spec, const std::string& folder);

// One event. Those of one entity differ by generation: what they hold (RowVariant), and the greater one is later.
struct EventRow {
  uint64_t entity = 0;
  int generation = 0;
};
// RowOf's view for rows of a generation.
[[nodiscard]] inline int RowVariant(int view, int generation) { return view + 10 * generation; }
// A second per generation; the last one before kNow is 59.
[[nodiscard]] inline larder::Timestamp EventTime(int generation) {
  return kEventTime.Plus(larder::Duration::Seconds(generation));
}
// Entities 0, 1, 2, ..., each once.
[[nodiscard]] std::vector<EventRow> OneRowEach(uint64_t entities);

// The file of one view, rows in the order given; and those of all views, OneRowEach.
absl::Status WriteSourceFile(const StoreSpec& spec, const std::string& folder, int view,
                             std::span<const EventRow> rows);
absl::Status WriteSourceFiles(const StoreSpec& spec, const std::string& folder);
// The same rows for Push to `live<view>`.
absl::StatusOr<larder::Batch> RowsToPush(const StoreSpec& spec, int view,
                                         std::span<const EventRow> rows);

// A store whose clock stands at kNow.
absl::StatusOr<larder::FeatureStore> OpenStore(
    const std::string& path, larder::Durability durability = larder::Durability::kRelaxed);
// Makes the store, applies the definitions and materializes every view; leaves it closed. How it is loaded does not
// matter to what is measured on it, so it is not synced. The source files stay in `path`-sources.
absl::Status MakeStore(const StoreSpec& spec, const std::string& path);
// Opens a new store at `path` with the definitions for sources in `sources`, nothing loaded.
absl::StatusOr<larder::FeatureStore> MakeEmptyStore(
    const StoreSpec& spec, const std::string& path, const std::string& sources,
    larder::Durability durability = larder::Durability::kRelaxed);
// A new generation from the file, nothing of the one before.
absl::Status MaterializeView(larder::FeatureStore& store, int view);
// Copies a closed store.
absl::Status CopyStore(const std::string& from, const std::string& to);

// Uniformly random entities of a store, as a request gives them.
class RandomKeys {
 public:
  // Entities in [first, first + count). The seed is fixed: every run asks the same.
  RandomKeys(const StoreSpec& spec, uint64_t first, uint64_t count);

  [[nodiscard]] std::size_t size() const { return entities_.size(); }
  [[nodiscard]] uint64_t entity(std::size_t i) const { return entities_[i]; }
  [[nodiscard]] std::string_view text(std::size_t i) const { return texts_[i]; }
  // Entities first to first + count, as an input column.
  [[nodiscard]] larder::InputColumn Column(std::size_t first, std::size_t count) const;

 private:
  KeyKind kind_;
  std::vector<uint64_t> entities_;
  std::vector<int64_t> integers_;
  std::string bytes_;
  std::vector<std::string_view> texts_;
};

}  // namespace larder_bench
