// Names for fields and sources, made from whatever files call their columns and themselves.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/schema/data_type.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

class FieldNamer {
 public:
  // Names that need no change keep it, whatever stands before them: call for every column first.
  void Reserve(std::string_view column);
  // The field of the next column: its name where that is a valid one, else a name made from it, and Field::from.
  [[nodiscard]] Field MakeField(std::string_view column, const DataType& type);

 private:
  std::set<std::string> taken_;
  std::size_t number_ = 0;
};

// From a file's path: `data/cards.csv.gz` is `cards`.
[[nodiscard]] std::string SourceNameOf(std::string_view path);

}  // namespace larder::inline LARDER_ABI
