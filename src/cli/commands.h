// One function per command: parsed arguments in, an answer on console.out, an error as a status.
//
// A command that fails has changed nothing. Texts are as typed; each command reads them and says what is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/console.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {
namespace cli {

enum class Format { kTable, kJson, kCsv };

// Which store and project; empty: $LARDER_STORE or `store`, and the only project that knows a name.
struct Target {
  std::string store;
  std::string project;
};

// ---- starting

struct InitArguments {
  std::string folder;
};
absl::Status Init(const InitArguments& arguments, Console& console);

struct InferArguments {
  std::string file;
  uint64_t rows = 100'000;
};
absl::Status Infer(const InferArguments& arguments, Console& console);

struct EvalArguments {
  std::string expression;
  std::vector<std::string> row;  // `k=v`, `k:type=v`, several parted by commas
  std::string as_of;
  Format format = Format::kTable;
};
absl::Status Eval(const EvalArguments& arguments, Console& console);

// ---- definitions

struct ChangeArguments {
  Target target;
  std::string definitions;             // file or folder
  std::vector<std::string> variables;  // `VAR=VALUE` for ${VAR}
  bool prune = false;
  bool stage = false;
  std::string plan_file;  // plan: to write; apply: to read
  std::string author;
  std::string message;
  Format format = Format::kTable;
};
absl::Status Plan(const ChangeArguments& arguments, Console& console);
absl::Status Apply(const ChangeArguments& arguments, Console& console);

struct HistoryArguments {
  Target target;
  uint64_t last = 0;  // entries; 0: all
  Format format = Format::kTable;
};
absl::Status History(const HistoryArguments& arguments, Console& console);

struct ListArguments {
  Target target;
  std::string kind;               // `entities`, ...; empty: everything
  std::vector<std::string> tags;  // `k=v` or `k`; all must hold
  std::string owner;
  std::string entity;
  std::string name;  // with `*` and `?`, or a part of the name
  bool all_versions = false;
  Format format = Format::kTable;
};
absl::Status List(const ListArguments& arguments, Console& console);

struct DescribeArguments {
  Target target;
  std::string name;  // `name`, `name@N`, `view:feature`; empty: the whole project
  std::string kind;  // where several kinds share a name
  Format format = Format::kTable;
};
absl::Status Describe(const DescribeArguments& arguments, Console& console);

// ---- data in

struct MaterializeArguments {
  Target target;
  std::vector<std::string> views;
  bool incremental = false;
  bool skip_bad = false;
  std::string start;
  std::string end;
  Format format = Format::kTable;
};
absl::Status Materialize(const MaterializeArguments& arguments, Console& console);

struct PushArguments {
  Target target;
  std::string source;
  std::string file;  // `-`: standard input
  std::string batch_id;
  bool skip_bad = false;
  Format format = Format::kTable;
};
absl::Status Push(const PushArguments& arguments, Console& console);

// ---- features out

struct OnlineArguments {
  Target target;
  std::string service;
  std::vector<std::string> features;  // `view:feature`
  std::vector<std::string> keys;      // `name=value`
  std::vector<std::string> request;   // `name=value`
  std::string rows_file;              // instead of keys and request; `-`: standard input
  std::string as_of;
  std::string known_at;
  bool full_feature_names = false;
  bool ignore_unknown = false;  // columns nothing needs
  Format format = Format::kTable;
};
absl::Status GetOnlineFeatures(const OnlineArguments& arguments, Console& console);

struct HistoricalArguments {
  Target target;
  std::string service;
  std::vector<std::string> features;
  std::string spine_file;
  std::string output_file;
  std::string time_column;
  std::string known_at;  // `spine`, `any` or empty
  bool full_feature_names = false;
  bool force = false;  // replaces an output that exists
  int thread_count = 1;
  Format format = Format::kTable;
};
absl::Status GetHistoricalFeatures(const HistoricalArguments& arguments, Console& console);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
