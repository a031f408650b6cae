// The rows and columns of a training set that are written, in one part or several.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"
#include "cli/console.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/feature_store/training_set.h"
#include "larder/training/manifest.h"

namespace larder::inline LARDER_ABI {
namespace cli {

struct TrainingPart {
  std::string name;  // empty: the set is not split
  Batch rows;
};

// What can be said before the join. Errors: wrong usage.
absl::Status CheckSelection(const SelectionArguments& arguments);

// The names of the parts; one empty name when the set is not split. Requires: CheckSelection is OK.
[[nodiscard]] std::vector<std::string> PartNames(const SelectionArguments& arguments);

// In this order: rows where the expression is true, a sample of them, the parts, the columns. For rows that come piece by
// piece `kept` counts those where the expression was true, from piece to piece. Numbered parts are not looked at.
absl::StatusOr<std::vector<TrainingPart>> SelectParts(const SelectionArguments& arguments,
                                                      const Batch& piece,
                                                      const std::string& time_column,
                                                      const Console& console, int64_t* kept);

// nullopt when everything is written. `part` is a name of PartNames.
[[nodiscard]] std::optional<DatasetManifest::Selection> DescribeSelection(
    const SelectionArguments& arguments, const std::string& part);

// `00001`: the part number `number` from 0 when parts are numbered.
[[nodiscard]] std::string NumberedPart(std::size_t number);

// `training.train.csv.gz` for the part `train` of `training.csv.gz`.
[[nodiscard]] std::string PartPath(const std::string& file, std::string_view part);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
