// The files and the format that a training set is written in.
#pragma once

#include <string>

#include "cli/commands.h"
#include "cli/console.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/training_set.h"
#include "larder/io/dense_writer.h"
#include "larder/io/rows_writer.h"
#include "larder/training/manifest.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// What can be said before the join. Errors: wrong usage; kAlreadyExists.
absl::Status CheckOutput(const OutputArguments& arguments);

// How rows of the columns of `rows` stand in a file of `format`, as its writer and as its manifest are told. The matrix
// has the features of `set`; a .npz keeps those that are no numbers as arrays of their own.
absl::StatusOr<DenseOptions> DenseOptionsFor(const OutputArguments& arguments, RowsFormat format,
                                             const TrainingSet& set, const Batch& rows,
                                             DatasetManifest::Output* output);

// Removes what an earlier run left of numbered parts of `file` behind the first `kept`.
absl::Status RemoveLeftovers(const std::string& file, std::size_t kept);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
