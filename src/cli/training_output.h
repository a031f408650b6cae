// The files and the format that a training set is written in.
#pragma once

#include <cstddef>
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

// What can be said before the join. Errors: wrong usage; kAlreadyExists, of the audit's file too where there is one.
absl::Status CheckOutput(const OutputArguments& arguments, bool with_audit);

// How rows of the columns of `rows` stand in a file of `format`, as its writer and as its manifest are told. The matrix
// has the features of `set`; a .npz keeps those that are no numbers as arrays of their own.
absl::StatusOr<DenseOptions> DenseOptionsFor(const OutputArguments& arguments, RowsFormat format,
                                             const TrainingSet& set, const Batch& rows,
                                             DatasetManifest::Output* output);

// Numbered parts of `file` are counted from 0. A name with more digits than the first part's is taken for a part by
// nobody but the run that comes so far: `events.20240101.csv` is no part of `events.csv`.

// Errors: kAlreadyExists naming the first part there is from `begin` on.
absl::Status CheckNoParts(const std::string& file, std::size_t begin);

// How many there are without a gap.
[[nodiscard]] std::size_t CountParts(const std::string& file);

// Removes the parts from `begin` to before `end`, their manifests, and what was never finished of them.
absl::Status RemoveParts(const std::string& file, std::size_t begin, std::size_t end);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
