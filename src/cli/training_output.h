// Writing a training set in the format that the output's name asks for.
#pragma once

#include "cli/commands.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/training_set.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// What can be said before the join. Errors: wrong usage; kAlreadyExists.
absl::Status CheckOutput(const OutputArguments& arguments);

absl::Status WriteTrainingSet(const OutputArguments& arguments, const TrainingSet& set);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
