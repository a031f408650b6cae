// One function per command: parsed arguments in, an answer on console.out, an error as a status.
//
// A command that fails has changed nothing. Texts are as typed; each command reads them and says what is wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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

// For the history; an empty author is $USER.
struct ChangeNote {
  std::string author;
  std::string message;
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
  std::string plan_file;              // plan: to write; apply: to read
  std::optional<std::size_t> sample;  // plan: on how many keys of each view
  std::vector<std::string> request;   // `name=value` of request fields, for the sample
  ChangeNote note;
  Format format = Format::kTable;
};
absl::Status Plan(const ChangeArguments& arguments, Console& console);
absl::Status Apply(const ChangeArguments& arguments, Console& console);

// Moments of the history are the number of an entry, or a time: the last entry not after it.
struct DiffArguments {
  Target target;
  std::string from;
  std::string to;
  Format format = Format::kTable;
};
absl::Status Diff(const DiffArguments& arguments, Console& console);

struct RollbackArguments {
  Target target;
  std::string moment;
  std::string view;  // empty: the whole project
  bool definitions_only = false;
  bool data_only = false;
  bool dry_run = false;
  ChangeNote note;
  Format format = Format::kTable;
};
absl::Status Rollback(const RollbackArguments& arguments, Console& console);

struct HoldArguments {
  Target target;
  std::string view;
  ChangeNote note;
  Format format = Format::kTable;
};
absl::Status Hold(const HoldArguments& arguments, Console& console);
absl::Status Release(const HoldArguments& arguments, Console& console);

struct FeatureArguments {
  Target target;
  std::string view;        // delete: `view:feature`
  std::string definition;  // JSON, a file of it, or `-`
  std::string source;      // these three: of a view that create makes
  std::vector<std::string> entities;
  std::string ttl;
  bool force = false;  // delete
  ChangeNote note;
  Format format = Format::kTable;
};
absl::Status CreateFeature(const FeatureArguments& arguments, Console& console);
absl::Status UpdateFeature(const FeatureArguments& arguments, Console& console);
absl::Status DeleteFeature(const FeatureArguments& arguments, Console& console);

struct HeaderArguments {
  Target target;
  std::string service;
  std::string definitions;  // file or folder, instead of a store
  std::string output_file;  // empty: standard output
  std::string name_space = "features";
};
absl::Status WriteHeader(const HeaderArguments& arguments, Console& console);

struct ContractArguments {
  Target target;
  std::string service;
  std::string output_file;  // empty: standard output
  std::string check_file;   // instead of a service
  bool any_version = false;
};
absl::Status Contract(const ContractArguments& arguments, Console& console);

// ---- looking around

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
  std::string text;  // a part of the name or the description
  std::string type;  // of a feature; lists features only
  bool all_versions = false;
  Format format = Format::kTable;
};
absl::Status List(const ListArguments& arguments, Console& console);

struct DescribeArguments {
  Target target;
  std::string name;  // `name`, `name@N`, `view:feature`; empty: the whole project
  std::string kind;  // where several kinds share a name
  std::string at;    // a moment of the history; empty: now
  Format format = Format::kTable;
};
absl::Status Describe(const DescribeArguments& arguments, Console& console);

struct LineageArguments {
  Target target;
  std::string name;
  Format format = Format::kTable;
};
absl::Status ShowLineage(const LineageArguments& arguments, Console& console);

// ---- data in

struct MaterializeArguments {
  Target target;
  std::vector<std::string> views;
  bool full = false;
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
  bool ndjson = false;  // whatever the file's name says
  bool skip_bad = false;
  Format format = Format::kTable;
};
absl::Status Push(const PushArguments& arguments, Console& console);

struct RetractArguments {
  Target target;
  std::string source;
  std::string commits;  // `A..B`, or one number
  ChangeNote note;
  Format format = Format::kTable;
};
absl::Status Retract(const RetractArguments& arguments, Console& console);

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

// Which rows and columns are written, and in which parts. Empty: not given.
struct SelectionArguments {
  std::string where;
  std::string sample;
  std::vector<std::string> columns;
  std::vector<std::string> split_at;
  std::string embargo;
  std::vector<std::string> split_by;
  std::vector<std::string> parts;
  uint64_t part_rows = 0;  // of the spine in each of the numbered parts; 0: they are not numbered
  uint64_t seed = 0;
};

// Where rows go and in what form. Empty: not given.
struct OutputArguments {
  SelectionArguments selection;
  std::string file;
  std::string label;
  std::string query;
  std::string dtype;
  std::string nulls;
  bool compress = false;
  bool force = false;   // replaces a file that exists
  bool resume = false;  // goes on behind the numbered parts that are finished
};

struct HistoricalArguments {
  Target target;
  std::string service;
  std::vector<std::string> features;
  std::string spine_file;
  OutputArguments output;
  std::string time_column;
  std::string known_at;  // `spine`, `any` or empty
  std::string audit;     // `fail`, `report` or empty: none
  bool full_feature_names = false;
  int thread_count = 1;
  std::string memory;  // `512M`; empty: no bound
  Format format = Format::kTable;
};
absl::Status GetHistoricalFeatures(const HistoricalArguments& arguments, Console& console);

struct ValidityArguments {
  Target target;
  std::string feature;
  std::string start;
  std::string end;
  std::string known_at;  // `spine`, `any` or empty
  std::string output;
  bool force = false;
  int thread_count = 1;
};
absl::Status GetValidityIntervals(const ValidityArguments& arguments, Console& console);

struct VerifyDatasetArguments {
  std::string file;
  Format format = Format::kTable;
};
absl::Status VerifyDataset(const VerifyDatasetArguments& arguments, Console& console);

struct DiffDatasetsArguments {
  std::string before;
  std::string after;
  std::vector<std::string> keys;
  uint64_t examples = 3;
  Format format = Format::kTable;
};
absl::Status DiffDatasets(const DiffDatasetsArguments& arguments, Console& console);

struct FitArguments {
  Target target;
  std::string name;  // empty: list what is fitted
  std::string file;  // CSV of training rows
  std::string column;
  std::string type;  // of the column; empty: guessed
  uint64_t buckets = 10;
  uint64_t vocabulary = 1000;
  ChangeNote note;
  Format format = Format::kTable;
};
absl::Status Fit(const FitArguments& arguments, Console& console);

struct ReplayArguments {
  Target target;
  std::string definitions;          // file or folder, instead of a store
  std::string service;              // empty: the only one
  std::vector<std::string> events;  // `SOURCE=FILE`, or a file of the only source
  std::string requests_file;
  std::string time_column;
  uint64_t batch_size = 1000;
  std::optional<uint64_t> shuffle_seed;
  uint64_t examples = 3;  // mismatches shown of each feature
  std::string scratch;    // where the stores of the replay are made; empty: the system's place
  Format format = Format::kTable;
};
absl::Status Replay(const ReplayArguments& arguments, Console& console);

struct ExplainArguments {
  Target target;
  std::string service;
  std::string feature;  // an output of the service, or `view:feature`
  std::vector<std::string> keys;
  std::vector<std::string> request;
  std::string as_of;
  std::string known_at;
  std::string receipt;  // instead of a service and instants
  std::string dataset;  // instead of all of that: a row of a training set
  uint64_t row = 0;     // of it, from 1
  uint64_t limit = 20;
  Format format = Format::kTable;
};
absl::Status Explain(const ExplainArguments& arguments, Console& console);

// ---- keeping the store

struct VerifyArguments {
  Target target;
  Format format = Format::kTable;
};
absl::Status Verify(const VerifyArguments& arguments, Console& console);

struct BenchArguments {
  Target target;
  std::string service;
  std::size_t threads = 1;
  std::size_t batch = 100;  // entities of a request
  std::string duration = "10s";
  std::string warm_up = "1s";
  double rate = 0;  // requests a second; 0: as fast as it goes
  std::size_t keys = 1'000'000;
  double zipf = 0;  // 0: uniform
  uint64_t seed = 1;
  std::vector<std::string> request;  // `name=value`
  std::string as_of;
  double writes = 0;  // rows a second
  std::size_t write_batch = 10;
  std::string write_source;
  std::string write_file;
  bool thread_writer = false;  // else a process
  Format format = Format::kTable;
};
absl::Status Bench(const BenchArguments& arguments, Console& console);

struct BackupArguments {
  Target target;
  std::string folder;  // made
  Format format = Format::kTable;
};
absl::Status Backup(const BackupArguments& arguments, Console& console);

struct CompactArguments {
  Target target;
  std::vector<std::string> views;
  Format format = Format::kTable;
};
absl::Status Compact(const CompactArguments& arguments, Console& console);

struct VacuumArguments {
  Target target;
  Format format = Format::kTable;
};
absl::Status Vacuum(const VacuumArguments& arguments, Console& console);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
