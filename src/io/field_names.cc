#include "io/field_names.h"

#include <cstddef>

#include "larder/base/text.h"
#include "larder/schema/reference.h"

namespace larder::inline LARDER_ABI {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string NameFrom(std::string_view text, std::size_t number, std::set<std::string>* taken) {
  std::string name;
  for (const char c : text) {
    const bool fits = IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    if (fits) {
      name.push_back(c);
    } else if (!name.empty() && name.back() != '_') {
      name.push_back('_');
    }
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  if (name.empty()) name = Concat("column_", number);
  if (IsDigit(name[0])) name.insert(0, "_");
  if (name.size() > 55) name.resize(55);
  std::string unique = name;
  for (int i = 2; !taken->insert(unique).second; ++i) unique = Concat(name, "_", i);
  return unique;
}

}  // namespace

void FieldNamer::Reserve(std::string_view column) {
  if (IsValidName(column)) taken_.emplace(column);
}

Field FieldNamer::MakeField(std::string_view column, const DataType& type) {
  ++number_;
  Field field;
  field.type = type;
  if (IsValidName(column)) {
    field.name = column;
  } else {
    field.name = NameFrom(column, number_, &taken_);
    field.from = column;
  }
  return field;
}

std::string SourceNameOf(std::string_view path) {
  std::string_view name = path;
  if (const std::size_t slash = name.rfind('/'); slash != std::string_view::npos)
    name.remove_prefix(slash + 1);
  if (const std::size_t dot = name.find('.'); dot != std::string_view::npos && dot > 0)
    name = name.substr(0, dot);
  std::set<std::string> taken;
  const std::string made = NameFrom(name, 0, &taken);
  return made == "column_0" ? "source" : made;
}

}  // namespace larder::inline LARDER_ABI
