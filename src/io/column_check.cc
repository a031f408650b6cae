#include "io/column_check.h"

#include <cstddef>
#include <set>
#include <string_view>

namespace larder::inline LARDER_ABI {

absl::Status CheckColumns(std::span<const Field> fields, const Batch& batch) {
  if (batch.column_count() != fields.size()) {
    return InvalidArgumentError("cannot write a batch of ", batch.column_count(),
                                " columns, expected ", fields.size());
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (batch.name(i) != fields[i].name || batch.column(i).type() != fields[i].type) {
      return InvalidArgumentError("cannot write column ", i, ": found ", batch.name(i), " of type ",
                                  batch.column(i).type().ToString(), ", expected ", fields[i].name,
                                  " of type ", fields[i].type.ToString());
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNames(std::span<const Field> fields) {
  if (fields.empty()) return InvalidArgumentError("a file of rows needs at least one column");
  std::set<std::string_view> names;
  for (const Field& field : fields) {
    if (field.name.empty()) return InvalidArgumentError("a column of a file needs a name");
    if (!names.insert(field.name).second) {
      return InvalidArgumentError("column ", field.name,
                                  " occurs twice; a file names each column once");
    }
  }
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
