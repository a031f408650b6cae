// list.
#include <algorithm>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/definition_text.h"
#include "cli/json_writer.h"
#include "cli/listing.h"
#include "cli/table.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

absl::StatusOr<std::string> KindOf(const std::string& typed) {
  if (typed.empty()) return std::string();
  std::vector<std::string> names;
  for (const ListableKind& kind : ListableKinds()) {
    if (typed == kind.typed || typed == kind.kind) return std::string(kind.kind);
    names.emplace_back(kind.typed);
  }
  return UsageError("unknown kind: ", typed, DidYouMean(typed, names), "; expected ",
                    Join(names, ", "));
}

void PrintJson(const std::vector<ListedObject>& objects, Console& console) {
  JsonWriter json;
  json.BeginArray();
  for (const ListedObject& object : objects) {
    json.BeginObject(JsonWriter::Layout::kInline);
    json.Member("kind", object.kind);
    json.Member("project", object.project);
    json.Member("name", object.name);
    json.Member("detail", object.detail);
    json.Key("entities");
    json.BeginArray();
    for (const std::string& entity : object.entities) json.String(entity);
    json.EndArray();
    json.Member("owner", object.metadata.owner);
    json.Key("tags");
    json.BeginObject();
    for (const auto& [key, value] : object.metadata.tags) json.Member(key, value);
    json.EndObject();
    json.Member("description", object.metadata.description);
    json.EndObject();
  }
  json.EndArray();
  console.out << std::move(json).Finish();
}

}  // namespace

absl::Status List(const ListArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(std::string kind, KindOf(arguments.kind));
  ListArguments filters = arguments;
  if (!arguments.type.empty()) {
    const absl::StatusOr<DataType> type = DataType::Parse(arguments.type);
    if (!type.ok()) return AsUsageError(Annotate(type.status(), "--type"));
    if (kind.empty()) kind = "feature";
    if (kind != "feature") return UsageError("--type is about features: larder list features");
    filters.type = type->ToString();
  }
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  const std::vector<std::string> projects = catalog.Projects();
  const std::string& project = arguments.target.project;
  if (!project.empty() && std::find(projects.begin(), projects.end(), project) == projects.end()) {
    return NotFoundError("unknown project: ", project, DidYouMean(project, projects));
  }
  const std::vector<ListedObject> objects = ListObjects(catalog, kind, filters);
  if (arguments.format == Format::kJson) {
    PrintJson(objects, console);
    return absl::OkStatus();
  }
  const bool several = project.empty() && projects.size() > 1;
  Table table({"kind", "project", "name", "detail", "entities", "owner", "tags", "description"});
  for (const ListedObject& object : objects) {
    const bool plain = arguments.format == Format::kTable;
    table.AddRow({plain && !kind.empty() ? "" : object.kind,
                  plain && !several ? "" : object.project, object.name, object.detail,
                  object.kind == "entity" && plain ? "" : Join(object.entities, ", "),
                  object.metadata.owner, TagsText(object.metadata.tags),
                  object.metadata.description});
  }
  if (arguments.format == Format::kCsv) {
    const std::string csv = table.ToCsv();
    console.out << (console.out_is_terminal ? Printable(csv, true) : csv);
  } else if (objects.empty()) {
    console.out << "nothing found\n";
  } else {
    console.out << table.ToText();
  }
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
