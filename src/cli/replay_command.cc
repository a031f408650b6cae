// replay: whether what is served as events come in is what training says.
#include "larder/feature_store/replay.h"

#include <unistd.h>

#include <filesystem>
#include <utility>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/progress_line.h"
#include "cli/replay_output.h"
#include "larder/registry/definitions_json.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

absl::StatusOr<Definitions> DefinitionsFor(const ReplayArguments& arguments,
                                           const Console& console) {
  if (!arguments.definitions.empty()) {
    LARDER_ASSIGN_OR_RETURN(Definitions definitions, LoadDefinitions(arguments.definitions));
    definitions.base_path = AbsolutePath(definitions.base_path);
    LARDER_RETURN_IF_ERROR(ExpandVariables(console.variable, &definitions));
    return definitions;
  }
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::string project, ProjectOf(arguments.target, catalog));
  return catalog.DefinitionsOf(project);
}

absl::StatusOr<std::string> ServiceFor(const ReplayArguments& arguments,
                                       const Definitions& definitions) {
  if (arguments.service.find('@') != std::string::npos) {
    return UsageError("--service: definitions are replayed as they are now: name the service ",
                      "without a version, found ", Quoted(arguments.service));
  }
  if (!arguments.service.empty()) return arguments.service;
  if (definitions.feature_services.size() == 1) return definitions.feature_services[0].name;
  std::vector<std::string> names;
  for (const FeatureService& service : definitions.feature_services) names.push_back(service.name);
  return UsageError("--service: there are ", names.size(),
                    " services to choose from: ", Join(names, ", "));
}

// `SOURCE=FILE`, or a file alone.
ReplayFile EventsOf(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || !IsValidName(std::string_view(text).substr(0, equals)))
    return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

std::string ScratchFolder(const ReplayArguments& arguments) {
  const std::filesystem::path parent = arguments.scratch.empty()
                                           ? std::filesystem::temp_directory_path()
                                           : std::filesystem::path(arguments.scratch);
  return (parent / Concat("larder-replay-", getpid())).string();
}

}  // namespace

absl::Status Replay(const ReplayArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const Definitions definitions, DefinitionsFor(arguments, console));
  LARDER_ASSIGN_OR_RETURN(const std::string service, ServiceFor(arguments, definitions));
  ReplayOptions options;
  options.folder = ScratchFolder(arguments);
  for (const std::string& text : arguments.events) options.events.push_back(EventsOf(text));
  options.batch_size = arguments.batch_size;
  options.shuffle_seed = arguments.shuffle_seed;
  options.time_column = arguments.time_column;
  options.mismatches_max = arguments.examples;
  options.functions = console.functions;
  absl::StatusOr<ReplayReport> report;
  {
    ProgressLine line(console);
    if (line.is_shown()) {
      options.progress = [&line](const ReplayProgress& now) {
        line.Show(Concat(FormatTimestamp(now.now), ": ", now.events, " of ", now.events_all,
                         " events pushed, ", now.requests, " of ", now.requests_all,
                         " requests served"));
      };
    }
    report = larder::Replay(definitions, service, arguments.requests_file, options);
  }
  if (!report.ok()) return report.status();
  console.out << (arguments.format == Format::kJson ? ReplayJson(*report) : ReplayText(*report));
  if (report->mismatches() == 0) return absl::OkStatus();
  return InternalError(report->mismatches(), " of ", report->checked(),
                       " values were served otherwise than trained");
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
