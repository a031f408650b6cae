// history.
#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_writer.h"
#include "cli/table.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

std::string VersionText(int version) { return version == 0 ? "" : Concat("@", version); }

std::string ChangeText(const ObjectChange& change) {
  const bool added = change.object_before == 0;
  const bool removed = change.object_after == 0;
  const std::string what = Concat(ObjectKindName(change.kind), " ", change.name);
  if (removed) return Concat("- ", what, VersionText(change.version_before));
  if (added || change.version_before == change.version_after) {
    return Concat(added ? "+ " : "~ ", what, VersionText(change.version_after));
  }
  return Concat("~ ", what, VersionText(change.version_before), " -> ",
                VersionText(change.version_after));
}

void PrintJson(const std::vector<HistoryEntry>& entries, Console& console) {
  JsonWriter json;
  json.BeginArray();
  for (const HistoryEntry& entry : entries) {
    json.BeginObject();
    json.Member("number", entry.number);
    json.Member("time", entry.time);
    json.Member("kind", HistoryKindName(entry.kind));
    json.Member("author", entry.author);
    json.Member("message", entry.message);
    if (!entry.detail.empty()) json.Member("detail", entry.detail);
    json.Key("changes");
    json.BeginArray();
    for (const ObjectChange& change : entry.changes) {
      json.BeginObject(JsonWriter::Layout::kInline);
      json.Member("kind", ObjectKindName(change.kind));
      json.Member("project", change.project);
      json.Member("name", change.name);
      json.Member("version_before", change.version_before);
      json.Member("version_after", change.version_after);
      json.Member("removed", change.object_after == 0);
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  console.out << std::move(json).Finish();
}

}  // namespace

absl::Status History(const HistoryArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(std::vector<HistoryEntry> entries, store.History());
  if (arguments.last > 0 && entries.size() > arguments.last) {
    entries.erase(entries.begin(), entries.end() - static_cast<std::ptrdiff_t>(arguments.last));
  }
  if (arguments.format == Format::kJson) {
    PrintJson(entries, console);
    return absl::OkStatus();
  }
  if (entries.empty()) console.out << "nothing has happened yet\n";
  for (const HistoryEntry& entry : entries) {
    console.out << entry.number << "  " << FormatTimestamp(entry.time) << "  "
                << HistoryKindName(entry.kind)
                << (entry.author.empty() ? "" : Concat("  by ", Printable(entry.author)))
                << (entry.message.empty() ? "" : Concat("  ", Printable(entry.message))) << '\n';
    if (!entry.detail.empty()) console.out << "    " << Printable(entry.detail) << '\n';
    for (const ObjectChange& change : entry.changes)
      console.out << "    " << Printable(ChangeText(change)) << '\n';
  }
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
