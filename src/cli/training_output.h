// Writing a training set in the format that the output's name asks for.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/console.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/training_set.h"
#include "larder/training/dataset_content.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// What can be said before the join. Errors: wrong usage; kAlreadyExists.
absl::Status CheckOutput(const OutputArguments& arguments);

// A file that was written, with its manifest beside it.
struct WrittenPart {
  std::string name;  // empty: the set was not split
  std::string path;
  DatasetContent content;
  // With a label: how many rows have each value, in the order of the text of values; empty when there are more than
  // kLabelValuesMax of them.
  std::vector<std::pair<std::string, int64_t>> label_counts;
};

inline constexpr std::size_t kLabelValuesMax = 20;

// Requires: the set has a manifest.
absl::StatusOr<std::vector<WrittenPart>> WriteTrainingSet(const OutputArguments& arguments,
                                                          const TrainingSet& set,
                                                          const Console& console);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
