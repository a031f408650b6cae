#include "feature_store/input_rows.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "feature_store/widen.h"

namespace larder::inline LARDER_ABI {
namespace {

std::string_view WhatIs(const BoundService& service, std::size_t input) {
  return input < service.key_count ? "join key" : "request field";
}

// Names everything that is missing at once.
absl::Status CheckNames(const BoundService& service, std::span<const std::string> names,
                        bool ignore_unknown) {
  std::vector<std::string> missing;
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < service.inputs.size(); ++i) {
    const std::string& name = service.inputs[i].name;
    expected.push_back(name);
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    missing.push_back(Concat(WhatIs(service, i), " ", name, DidYouMean(name, names)));
  }
  if (!missing.empty()) return InvalidArgumentError("missing ", Join(missing, ", "));
  if (ignore_unknown) return absl::OkStatus();
  for (const std::string& name : names) {
    if (std::find(expected.begin(), expected.end(), name) != expected.end()) continue;
    return InvalidArgumentError("unknown column: ", name, DidYouMean(name, expected), "; expected ",
                                Join(expected, ", "));
  }
  return absl::OkStatus();
}

std::vector<std::string> NamesOf(const Row& row) {
  std::vector<std::string> names;
  for (const auto& [name, value] : row) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<Value> ConvertInput(const Value& value, const DataType& type) {
  if (type.id() == TypeId::kString && !value.is_null() && value.type().is_integer()) {
    return Value(FormatValue(value));  // SEMANTICS 12, B1: 5 for a string key is "5"
  }
  return ConvertValue(value, type, /*from_text=*/true);
}

}  // namespace

absl::StatusOr<Batch> InputsFromRows(const BoundService& service, std::span<const Row> rows,
                                     bool ignore_unknown_columns) {
  std::vector<std::string> names;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::vector<std::string> own = NamesOf(rows[r]);
    if (const auto twice = std::adjacent_find(own.begin(), own.end()); twice != own.end()) {
      return InvalidArgumentError("row ", r, " has column ", *twice, " twice");
    }
    if (r > 0 && own != names) {
      return InvalidArgumentError("row ", r, " has columns ", Join(own, ", "), "; row 0 has ",
                                  Join(names, ", "), ": all rows need the same columns");
    }
    if (r == 0) names = std::move(own);
  }
  if (!rows.empty()) LARDER_RETURN_IF_ERROR(CheckNames(service, names, ignore_unknown_columns));

  Batch batch;
  for (std::size_t i = 0; i < service.inputs.size(); ++i) {
    const Field& field = service.inputs[i];
    Column column(field.type);
    column.Reserve(rows.size());
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const auto given = std::find_if(rows[r].begin(), rows[r].end(),
                                      [&](const auto& entry) { return entry.first == field.name; });
      absl::StatusOr<Value> value = ConvertInput(given->second, field.type);
      if (!value.ok())
        return Annotate(value.status(), Concat(WhatIs(service, i), " ", field.name, ", row ", r));
      LARDER_RETURN_IF_ERROR(column.Append(*value));
    }
    LARDER_RETURN_IF_ERROR(batch.AddColumn(field.name, std::move(column)));
  }
  return batch;
}

absl::StatusOr<Batch> InputsFromSpine(const BoundService& service, const Batch& spine) {
  LARDER_RETURN_IF_ERROR(
      Annotate(CheckNames(service, spine.names(), /*ignore_unknown=*/true), "spine"));
  Batch batch;
  for (std::size_t i = 0; i < service.inputs.size(); ++i) {
    const Field& field = service.inputs[i];
    LARDER_ASSIGN_OR_RETURN(
        Column column,
        WidenColumn(*spine.Find(field.name), field.type,
                    Concat("spine, ", WhatIs(service, i), " ", field.name), /*from_text=*/true));
    LARDER_RETURN_IF_ERROR(batch.AddColumn(field.name, std::move(column)));
  }
  return batch;
}

}  // namespace larder::inline LARDER_ABI
