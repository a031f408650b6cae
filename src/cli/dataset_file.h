// A file of training rows and the manifest beside it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/training/manifest.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// nullopt when there is none. Errors: kInvalidArgument naming the file when it is no manifest.
absl::StatusOr<std::optional<DatasetManifest>> FindManifest(const std::string& dataset);

// All rows, with the types that `columns` say; without them inferred ones.
// Errors: kFailedPrecondition for a format that is not read back, or NDJSON without columns; as the reader.
absl::StatusOr<Batch> ReadDataset(const std::string& path,
                                  const std::vector<ColumnContent>* columns);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
