#include "cli/definition_text.h"

#include <vector>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace cli {

std::string FieldsText(std::span<const Field> fields) {
  std::vector<std::string> parts;
  for (const Field& field : fields) parts.push_back(Concat(field.name, " ", field.type.ToString()));
  return Join(parts, ", ");
}

std::string FieldNames(std::span<const Field> fields) {
  std::vector<std::string> names;
  for (const Field& field : fields) names.push_back(field.name);
  return names.empty() ? "no key" : Join(names, ", ");
}

std::string TagsText(const std::map<std::string, std::string>& tags) {
  std::vector<std::string> parts;
  parts.reserve(tags.size());
  for (const auto& [key, value] : tags) parts.push_back(Concat(key, "=", value));
  return Join(parts, ", ");
}

std::string_view SourceKindName(SourceKind kind) {
  switch (kind) {
    case SourceKind::kCsv:
      return "csv";
    case SourceKind::kNdjson:
      return "ndjson";
    case SourceKind::kParquet:
      return "parquet";
    case SourceKind::kSql:
      return "sql";
    case SourceKind::kPush:
      return "push";
    case SourceKind::kView:
      return "view";
  }
  return "unknown";
}

std::string SourceText(const Source& source) {
  std::string text(SourceKindName(source.kind));
  if (!source.path.empty()) text.append(" ").append(source.path);
  if (!source.view.empty()) text.append(" ").append(source.view);
  if (!source.batch_source.empty()) text.append(" beside ").append(source.batch_source);
  return text.append(source.event_time.empty() ? ", timeless" : ", event time ")
      .append(source.event_time);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
