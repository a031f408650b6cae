// Rows of a source that the caller has, in place of what its definition names.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/io/record_reader.h"

namespace larder::inline LARDER_ABI {

// Of one source, for one call. Columns are named as the source's fields and of their types, or of types that widen to them
// (Push's rule); others are not looked at.
//
// Example:
//   options.sources.push_back({"limits", std::make_shared<const Batch>(std::move(limits))});
//   // Borrowed: the caller keeps `limits` until the call returns.
//   options.sources.push_back({"limits", std::shared_ptr<const Batch>(std::shared_ptr<void>(), &limits)});
//   // From any Arrow producer, all of it.
//   LARDER_ASSIGN_OR_RETURN(auto reader, ImportArrowStream(&stream));
//   LARDER_ASSIGN_OR_RETURN(Batch rows, ReadAll(*reader));
struct SourceRows {
  std::string source;
  // Either these: read in place, as often as it takes. Only a batch with a column of another type than declared is copied.
  // Lifetime: until the call returns.
  std::shared_ptr<const Batch> rows;
  // Or what this opens, once for every reading: each view that reads the source is one, and the leakage audit another.
  std::function<absl::StatusOr<std::unique_ptr<RecordReader>>()> open;
};

}  // namespace larder::inline LARDER_ABI
