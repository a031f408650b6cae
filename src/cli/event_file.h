// Events of a source in a file of the caller's.
#pragma once

#include <memory>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/io/record_reader.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// CSV, or NDJSON by the file's name or when `ndjson` says so; .gz too. `-`: standard input. `source` says what the fields
// are.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> OpenEvents(const std::string& file,
                                                                       bool ndjson, bool strict,
                                                                       const Source& source);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
