// The aggregate functions' names, what they accept and what they give.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/registry/versions.h"
#include "larder/schema/data_type.h"
#include "larder/schema/definitions.h"
#include "registry/problems.h"

namespace larder::inline LARDER_ABI {

struct NamedAggregate {
  std::string name;
  AggregateColumn column;
  std::string path;  // below the aggregate's own
};

// Writes one line of an `aggregates` list out: a column for each function, window and category, named
// `{function}_{input}_{window}`, `{function}_{input}_last{N}` with rows, plus `_{category}`. Form is checked; types are
// not. Problems go to `problems` below `path`.
[[nodiscard]] std::vector<NamedAggregate> ExpandAggregate(const Aggregate& aggregate,
                                                          const std::string& path,
                                                          Problems* problems);

// The type a function gives over an input of `input` type (null: no input).
// Errors: kInvalidArgument for an unknown function (with suggestion) or an input it cannot take.
[[nodiscard]] absl::StatusOr<DataType> AggregateType(const AggregateColumn& column,
                                                     const DataType* input);

// Whether a lifetime aggregate of this function needs events kept for ever once one may be deleted.
[[nodiscard]] bool NeedsAllEvents(std::string_view function);

}  // namespace larder::inline LARDER_ABI
