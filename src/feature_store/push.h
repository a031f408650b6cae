// Pushes of one or several sources, in one transaction: what FeatureStore::Push and staged events have in common.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feature_store/store_impl.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/feature_store/loading.h"

namespace larder::inline LARDER_ABI {

// Rows of one source that carry the same fields.
struct PushedBatch {
  std::string_view source;
  const Batch* batch = nullptr;
  // The caller's number of each row, for messages; empty: rows are numbered as they stand.
  std::vector<std::size_t> numbers;
};

// The columns of `events` as the source's fields: known names only, of the declared types.
[[nodiscard]] absl::StatusOr<Batch> AsFields(const Source& source, const Batch& events);

// Rows as batches: those that carry the same fields together. `numbers` gets which rows stand in each.
[[nodiscard]] absl::StatusOr<std::vector<Batch>> BatchesOf(
    const Source& source, std::span<const Row> rows, std::vector<std::vector<std::size_t>>* numbers);

// The source, when rows may be pushed to it.
[[nodiscard]] absl::StatusOr<const Source*> PushSource(const Catalog& catalog,
                                                       std::string_view project,
                                                       std::string_view name);

// All or none, whatever their sources. Requires: at least one batch; the calling thread holds no snapshot.
[[nodiscard]] absl::StatusOr<PushResult> PushBatches(const FeatureStore::Impl& impl,
                                                     std::span<const PushedBatch> batches,
                                                     const PushOptions& options);

}  // namespace larder::inline LARDER_ABI
