// Fields by name.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/text.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// Null: there is none.
[[nodiscard]] inline const Field* FindField(std::span<const Field> fields LARDER_LIFETIME_BOUND,
                                            std::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

[[nodiscard]] inline std::vector<std::string> FieldNames(std::span<const Field> fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) names.push_back(field.name);
  return names;
}

// As an expression that is nothing but the field.
[[nodiscard]] inline std::string QuotedName(std::string_view name) {
  return Concat("\"", name, "\"");
}

}  // namespace larder::inline LARDER_ABI
