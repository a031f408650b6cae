// retract.
#include <optional>
#include <utility>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_writer.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

// `A..B`, or `A`.
absl::Status ParseCommits(std::string_view text, RetractOptions* options) {
  const std::size_t dots = text.find("..");
  const bool is_one = dots == std::string_view::npos;
  const std::optional<uint64_t> first = ParseNumber(text.substr(0, dots));
  const std::optional<uint64_t> last = is_one ? first : ParseNumber(text.substr(dots + 2));
  if (!first || !last) {
    return InvalidArgumentError("--commits: expected two numbers as in 1040..1052, or one, found ",
                                Quoted(text));
  }
  options->first_commit = *first;
  options->last_commit = *last;
  return absl::OkStatus();
}

}  // namespace

absl::Status Retract(const RetractArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kWrite, console));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  RetractOptions options;
  LARDER_ASSIGN_OR_RETURN(options.project, ProjectOf(arguments.target, catalog));
  options.source = arguments.source;
  LARDER_RETURN_IF_ERROR(ParseCommits(arguments.commits, &options));
  LARDER_ASSIGN_OR_RETURN(const RetractResult result,
                          store.Retract(options, MakeInfo(arguments.note, console)));
  if (arguments.format == Format::kJson) {
    JsonWriter json;
    json.BeginObject();
    json.Member("changed", !result.views.empty());
    json.Member("number", result.number);
    json.Member("commit_seq", result.commit_seq);
    json.Key("views");
    json.BeginArray();
    for (const RetractResult::PerView& view : result.views) {
      json.BeginObject(JsonWriter::Layout::kInline);
      json.Member("view", view.view);
      json.Member("rows", view.rows.rows);
      json.Member("keys", view.rows.keys);
      json.Member("keys_unsure", view.rows.keys_unsure);
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
    console.out << std::move(json).Finish();
    return absl::OkStatus();
  }
  if (result.views.empty()) {
    console.out << "nothing to take back: these commits pushed nothing of "
                << Printable(arguments.source) << " that is still there\n";
    return absl::OkStatus();
  }
  console.out << "taken back: entry " << result.number << ", commit " << result.commit_seq << '\n';
  for (const RetractResult::PerView& view : result.views) {
    console.out << "  " << Printable(view.view) << ": " << view.rows.rows
                << (view.rows.rows == 1 ? " row of " : " rows of ") << view.rows.keys
                << (view.rows.keys == 1 ? " key" : " keys");
    if (view.rows.keys_unsure > 0) {
      console.out << "; of " << view.rows.keys_unsure
                  << " the row before may be gone already: load or push it again";
    }
    console.out << '\n';
  }
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
