// The columns of WindowResults, filled an instant at a time.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "larder/aggregate/accumulator.h"
#include "larder/aggregate/tree_folder.h"
#include "larder/aggregate/window_evaluation.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

// Some of the functions, and where their results go among all.
struct SpecPart {
  std::vector<AggregateSpec> specs;
  std::vector<std::size_t> columns;
};

// The functions whose state is subtractable, and the others.
// Errors: as MakeAccumulator.
struct SpecParts {
  SpecPart sliding;
  SpecPart others;
};
[[nodiscard]] absl::StatusOr<SpecParts> SplitSpecs(std::span<const AggregateSpec> specs);

// One empty column for each window and function.
[[nodiscard]] absl::StatusOr<WindowResults> EmptyResults(std::size_t windows,
                                                         std::span<const AggregateSpec> specs,
                                                         std::size_t instants);

// What `sums` says of each function of `part`, in the columns from `first_column` on.
absl::Status AppendResults(const AccumulatorSet& sums, const SpecPart& part,
                           std::size_t first_column, Timestamp as_of, WindowResults* out);

// The events of one key in a tree, and the windows that are asked of it.
struct TreeWindows {
  const NodeStore& store;
  const AggregateTree& tree;
  TreeFolder& folder;
  std::span<const AggregateWindow> windows;
  std::size_t spec_count = 0;  // of each window
};
// AppendResults for some of the windows, by number.
absl::Status AppendFromTree(const TreeWindows& of, std::span<const std::size_t> asked,
                            const SpecPart& part, Timestamp as_of, WindowResults* out);

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
