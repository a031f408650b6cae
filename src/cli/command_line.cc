#include "cli/command_line.h"

#include <algorithm>

#include "cli/command_parser.h"

namespace larder::inline LARDER_ABI {
namespace cli {

Parser::Parser() : app_("larder: a feature store in a directory", "larder") {
  app_.set_version_flag("--version", std::string("larder ") + LARDER_VERSION);
  app_.require_subcommand(0, 1);
  app_.get_formatter()->column_width(36);
  app_.get_formatter()->label("REQUIRED", "(required)");
  app_.get_formatter()->label("OPTIONS", "options");
  app_.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app_.footer(
      "larder COMMAND --help explains a command, with examples.\n"
      "The store is --store DIR, else $LARDER_STORE, else ./store.\n"
      "Exit codes: 0 done, 1 failed (nothing was changed), 2 wrong usage.");
  app_.add_option("--store", front_.store, "as in the commands")->type_name("DIR")->group("");
  app_.add_option("--project", front_.project, "as in the commands")->type_name("NAME")->group("");
  AddStarting();
  AddDefinitions();
  AddData();
  AddFeatures();
  AddDatasets();
  AddExplain();
  AddReplay();
  AddFit();
  AddLooking();
  AddKeeping();
  AddBench();
}

// `list`, `feature create`; empty before any command.
std::string Parser::CommandName() const {
  std::vector<std::string> words;
  for (std::vector<CLI::App*> chosen = app_.get_subcommands(); !chosen.empty();
       chosen = chosen[0]->get_subcommands()) {
    words.push_back(chosen[0]->get_name());
  }
  return Join(words, " ");
}

std::string Parser::UnknownCommand(std::span<const std::string> arguments) const {
  const auto unknown = [](const std::string& typed, const std::vector<std::string>& names,
                          const std::string& parent) -> std::string {
    if (std::find(names.begin(), names.end(), typed) != names.end()) return {};
    return Concat("unknown command: ", parent, typed, DidYouMean(typed, names), "\nlarder ", parent,
                  "--help lists the commands");
  };
  if (arguments.empty() || arguments[0].empty() || arguments[0][0] == '-') return {};
  std::string problem = unknown(arguments[0], names_, "");
  if (!problem.empty() || arguments[0] != kFeature) return problem;
  if (arguments.size() < 2) {
    return Concat("feature: say which: ", Join(feature_names_, ", "),
                  "\nlarder feature --help lists the commands");
  }
  if (arguments[1].substr(0, 1) == "-") return {};
  return unknown(arguments[1], feature_names_, "feature ");
}

CommandLine Parser::Parse(std::span<const std::string> arguments) {
  CommandLine result;
  if (arguments.empty()) {
    result.usage_error = Concat("no command given\n\n", app_.help());
    return result;
  }
  result.usage_error = UnknownCommand(arguments);
  if (!result.usage_error.empty()) return result;
  try {
    app_.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    result.command = std::move(command_);
    result.name = CommandName();
    if (!result.command) result.usage_error = "no command given";
  } catch (const CLI::CallForHelp&) {
    const std::vector<CLI::App*> chosen = app_.get_subcommands();
    result.text = chosen.empty() ? app_.help() : chosen[0]->help("larder");
  } catch (const CLI::CallForVersion& version) {
    result.text = Concat(version.what(), "\n");
  } catch (const CLI::ParseError& error) {
    const std::string name = CommandName();
    result.usage_error = Concat(name, name.empty() ? "" : ": ", error.what(), "\nlarder ", name,
                                name.empty() ? "" : " ", "--help shows how it is used");
  }
  return result;
}

CommandLine ParseCommandLine(std::span<const std::string> arguments) {
  return Parser().Parse(arguments);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
