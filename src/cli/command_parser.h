// How the commands are put together for the parsing library.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cli/command_line.h"
#include "cli/commands.h"

namespace larder::inline LARDER_ABI {
namespace cli {

inline constexpr char kStarting[] = "Start here";
inline constexpr char kDefinitions[] = "Definitions";
inline constexpr char kData[] = "Data in";
inline constexpr char kFeatures[] = "Features out";
inline constexpr char kLooking[] = "Looking around";
inline constexpr char kKeeping[] = "Keeping the store";

inline constexpr char kTimeForm[] = "TIME";

// The only command that holds others.
inline constexpr char kFeature[] = "feature";

// Builds the commands. Each one's arguments live as long as the command that runs with them.
class Parser {
 public:
  Parser();

  CommandLine Parse(std::span<const std::string> arguments);

 private:
  // The command's own, else what stood before the command.
  void TargetFromFront(Target& target) const {
    if (target.store.empty()) target.store = front_.store;
    if (target.project.empty()) target.project = front_.project;
  }

  template <class Arguments>
  CLI::App* Add(const char* group, const char* name, const char* description, const char* footer,
                std::shared_ptr<Arguments> arguments,
                absl::Status (*command)(const Arguments&, Console&)) {
    CLI::App* sub = app_.add_subcommand(name, description);
    sub->group(group);
    names_.push_back(name);
    Complete(sub, footer, std::move(arguments), command);
    return sub;
  }

  // What all commands have, those inside others too.
  template <class Arguments>
  void Complete(CLI::App* sub, const char* footer, std::shared_ptr<Arguments> arguments,
                absl::Status (*command)(const Arguments&, Console&)) {
    sub->footer(footer);
    sub->callback([this, arguments, command] {
      if constexpr (requires { arguments->target; }) TargetFromFront(arguments->target);
      command_ = [arguments, command](Console& console) { return command(*arguments, console); };
    });
  }

  static void AddTarget(CLI::App* sub, Target& target, bool with_project = true) {
    sub->add_option("--store", target.store,
                    "the store's directory (default: $LARDER_STORE, else ./store)")
        ->type_name("DIR");
    if (!with_project) return;
    sub->add_option("--project", target.project, "only needed when several projects know a name")
        ->type_name("NAME");
  }

  static void AddNote(CLI::App* sub, ChangeNote& note) {
    sub->add_option("--author", note.author, "who, for the history (default: $USER)")
        ->type_name("NAME");
    sub->add_option("-m,--message", note.message, "why, for the history")->type_name("TEXT");
  }

  static void AddFormat(CLI::App* sub, Format& format, bool with_csv = false) {
    const std::string expected = with_csv ? "table, json or csv" : "table or json";
    sub->add_option_function<std::string>(
           "--format",
           [&format](const std::string& name) {
             format = name == "json"  ? Format::kJson
                      : name == "csv" ? Format::kCsv
                                      : Format::kTable;
           },
           Concat("how to print: ", expected, " (default: table)"))
        ->type_name("FORMAT")
        ->check(CLI::Validator(
            [with_csv, expected](std::string& name) {
              if (name == "table" || name == "json" || (with_csv && name == "csv"))
                return std::string();
              return Concat("expected ", expected, ", found ", Quoted(name));
            },
            ""));
  }

  // An option that may be given several times, each with one value.
  static CLI::Option* AddRepeated(CLI::App* sub, const char* name, std::vector<std::string>& values,
                                  const char* description, const char* form) {
    return sub->add_option(name, values, description)->type_name(form)->allow_extra_args(false);
  }

  // command_line_definitions.cc
  void AddDefinitions();
  void AddGoingBack();
  void AddFeatureEdits();
  void AddHeader();

  // command_line_data.cc
  void AddStarting();
  void AddData();

  // command_line_features.cc
  void AddFeatures();
  void AddDatasets();
  void AddExplain();
  void AddReplay();
  void AddFit();

  // command_line_store.cc
  void AddLooking();
  void AddKeeping();
  void AddBench();

  // command_line.cc
  std::string CommandName() const;
  std::string UnknownCommand(std::span<const std::string> arguments) const;

  CLI::App app_;
  std::vector<std::string> names_;
  std::vector<std::string> feature_names_;  // of the commands inside `feature`
  Target front_;
  std::function<absl::Status(Console&)> command_;
};

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
