// Columns of one type as columns of another that can hold every value.
#pragma once

#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"

namespace larder::inline LARDER_ABI {

// Nulls stay null. Integers may also narrow, where every value fits; a date becomes its midnight UTC as a timestamp.
// With `from_text`, text is read as ParseValue has it, and integers become text for a string column (SEMANTICS 12, B1).
// Errors: kInvalidArgument naming `what`, the row, and both types.
[[nodiscard]] absl::StatusOr<Column> WidenColumn(const Column& column, const DataType& type,
                                                 std::string_view what, bool from_text = false);

}  // namespace larder::inline LARDER_ABI
