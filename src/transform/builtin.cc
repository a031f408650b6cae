#include "transform/builtin.h"

#include <algorithm>

namespace larder::inline LARDER_ABI {
namespace transform {

const BuiltinTable& BuiltinTable::Get() {
  static const BuiltinTable* const kTable = [] {
    auto* table = new BuiltinTable;
    AddLogic(table);
    AddArithmetic(table);
    AddComparisons(table);
    AddMath(table);
    AddDurations(table);
    AddTime(table);
    AddText(table);
    AddTextSearch(table);
    AddNested(table);
    AddFeatureMaking(table);
    table->Sort();
    return table;
  }();
  return *kTable;
}

void BuiltinTable::Sort() {
  std::stable_sort(builtins_.begin(), builtins_.end(),
                   [](const Builtin& a, const Builtin& b) { return a.name < b.name; });
  for (const Builtin& builtin : builtins_) {
    if (names_.empty() || names_.back() != builtin.name) names_.emplace_back(builtin.name);
  }
}

std::span<const Builtin> BuiltinTable::Find(std::string_view name) const {
  const auto less = [](const Builtin& builtin, std::string_view wanted) {
    return builtin.name < wanted;
  };
  const auto first = std::lower_bound(builtins_.begin(), builtins_.end(), name, less);
  auto last = first;
  while (last != builtins_.end() && last->name == name) ++last;
  return {first, last};
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
