// The rows an online request asks for, from options or from a file.
#pragma once

#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// `keys` and `request` are `name=value`. The n-th value of a name belongs to row n; a name with one value counts for
// every row. Values stay text: the store knows their types. Errors: usage, for names with different numbers of values.
[[nodiscard]] absl::StatusOr<std::vector<Row>> RowsFromOptions(
    const std::vector<std::string>& keys, const std::vector<std::string>& request);

// CSV with a header; an empty field is null. `path` as ReadText.
[[nodiscard]] absl::StatusOr<std::vector<Row>> RowsFromFile(const std::string& path);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
