#include "larder/training/spine.h"

#include <string>
#include <utility>
#include <vector>

#include "larder/base/text.h"
#include "larder/column/column.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::StatusOr<std::size_t> FindTime(const Batch& rows, std::string_view name) {
  if (!name.empty()) {
    const auto index = rows.IndexOf(name);
    if (!index) {
      return InvalidArgumentError("the spine has no time column ", name,
                                  DidYouMean(name, rows.names()));
    }
    if (rows.column(*index).type().id() != TypeId::kTimestamp) {
      return InvalidArgumentError("the spine's time column ", name, " has type ",
                                  rows.column(*index).type().ToString(), ", expected timestamp");
    }
    return *index;
  }
  std::vector<std::string> candidates;
  std::size_t found = 0;
  for (std::size_t i = 0; i < rows.column_count(); ++i) {
    if (rows.column(i).type().id() != TypeId::kTimestamp) continue;
    candidates.push_back(rows.name(i));
    found = i;
  }
  if (candidates.empty()) {
    return InvalidArgumentError(
        "the spine has no column of type timestamp, expected one with the instant of each row");
  }
  if (candidates.size() > 1) {
    return InvalidArgumentError(
        "the spine has several columns of type timestamp: name the one that counts, ",
        Join(candidates, " or "));
  }
  return found;
}

}  // namespace

absl::StatusOr<Spine> Spine::Make(Batch rows, std::string_view time_column) {
  LARDER_ASSIGN_OR_RETURN(const std::size_t index, FindTime(rows, time_column));
  const Column& times = rows.column(index);
  if (const std::size_t nulls = times.CountNulls(); nulls > 0) {
    std::size_t first = 0;
    while (times.IsValid(first)) ++first;
    return InvalidArgumentError("the spine's time column ", rows.name(index), " is null in ", nulls,
                                nulls == 1 ? " row" : " rows", ", the first being row ", first);
  }
  return Spine(std::move(rows), index);
}

absl::StatusOr<const Column*> Spine::FindColumn(std::string_view name,
                                                std::string_view needed_by) const {
  if (const Column* column = rows_.Find(name)) return column;
  return InvalidArgumentError("the spine has no column ", name, ", which ", needed_by, " needs",
                              DidYouMean(name, rows_.names()));
}

}  // namespace larder::inline LARDER_ABI
