// Parting training rows into files for training and for judging what was trained.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/take_rows.h"

namespace larder::inline LARDER_ABI {

struct RowSplit {
  std::string name;               // `train`, `validation`, `test`
  std::vector<std::size_t> rows;  // in input order
};

// Rows before at[0] are `train`, those from at[0] on `test`; with two instants those between are `validation`.
// The last `embargo` before each instant belongs to no part, so that a label that looks so far ahead does not look
// into the next one.
// Errors: kInvalidArgument for no or more than two instants, instants that do not rise, a negative embargo, or a null time.
[[nodiscard]] absl::StatusOr<std::vector<RowSplit>> SplitByTime(const Column& times,
                                                                std::span<const Timestamp> at,
                                                                Duration embargo = {});

// Each row goes where the hash of its keys says, so that all rows of an entity are in one part, the same one for every
// spine, machine and release; equal keys of different integer types hash alike. `parts` are names and shares; what is
// missing to 1 is left out. A larger first share only adds rows to it. Rows with a null key are one entity.
// Errors: kInvalidArgument for no keys, a share outside (0, 1], shares over 1 together, a name twice; a key that is no
//   key type.
[[nodiscard]] absl::StatusOr<std::vector<RowSplit>> SplitByEntity(
    std::span<const Column* const> keys, std::span<const std::pair<std::string, double>> parts,
    uint64_t seed = 0);

// The rows of a random `share` of all, in order; the same for the same count, share and seed, and a larger share only
// adds rows. `first_row`: the number of the first one, for who draws from rows piece by piece.
// Errors: kInvalidArgument for a share outside (0, 1].
[[nodiscard]] absl::StatusOr<std::vector<std::size_t>> SampleRows(std::size_t row_count,
                                                                  double share, uint64_t seed = 0,
                                                                  uint64_t first_row = 0);

}  // namespace larder::inline LARDER_ABI
