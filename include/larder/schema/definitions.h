// The definitions a team writes: plain values, one to one with the JSON file form
// (docs/reference/definitions.md). Building one does no checking; registry/ resolves and validates.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/time.h"
#include "larder/schema/data_type.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

// What people read; never part of a definition's meaning.
struct Metadata {
  std::string description;
  std::string owner;
  std::map<std::string, std::string> tags;
  friend bool operator==(const Metadata&, const Metadata&) = default;
};

// A named, typed column.
struct Field {
  std::string name;
  DataType type = TypeId::kInt64;
  std::string from;  // column in the data; empty means `name`
  std::string unit;  // of numeric text read as timestamp or duration: s, ms, us, ns; empty: ISO
  friend bool operator==(const Field&, const Field&) = default;
};

struct Entity {
  std::string name;
  std::vector<Field> join_keys;  // only name and type are used
  Metadata metadata;
  friend bool operator==(const Entity&, const Entity&) = default;
};

enum class SourceKind : uint8_t { kCsv, kNdjson, kParquet, kSql, kPush, kView };
enum class SourceOrder : uint8_t { kNone, kSequence, kCommit };  // what settles equal event times

struct TextFormat {
  std::string delimiter = ",";
  std::vector<std::string> null_values = {""};
  std::string compression = "auto";  // auto: by file name; none; gzip
  bool strict = true;                // a bad row refuses the load; false: skipped and counted
  friend bool operator==(const TextFormat&, const TextFormat&) = default;
};

inline constexpr Duration kMaxFutureDefault = Duration::Minutes(10);
inline constexpr Duration kVersionHorizonDefault = Duration::Hours(1);

struct Source {
  std::string name;
  SourceKind kind = SourceKind::kCsv;
  std::string path;   // csv, ndjson, parquet: file or glob, relative to the definitions file
  std::string query;  // sql
  std::string view;   // view: a derived view reads another view's rows
  TextFormat format;
  std::vector<Field> fields;
  std::string event_time;  // empty: timeless, valid at every as_of
  std::string arrival_time;
  std::string sequence;
  std::string event_id;
  std::string operation;  // column holding insert / update / delete
  std::string valid_to;
  std::string time_zone;  // IANA name for times without offset; empty: UTC
  std::optional<SourceOrder> order;
  std::optional<Duration> available_after;
  std::optional<Duration> late_by;
  std::optional<Duration> retention;
  std::optional<Duration> max_future;       // absent: kMaxFutureDefault
  std::optional<Duration> version_horizon;  // absent: kVersionHorizonDefault
  std::optional<Duration> arrival_slack;    // default 10m
  std::string batch_source;                 // push: inherits its fields, event_time and event_id
  Metadata metadata;

  // Whether its events say when they became known.
  [[nodiscard]] bool has_known_time() const {
    return !arrival_time.empty() || available_after.has_value();
  }
  friend bool operator==(const Source&, const Source&) = default;
};

struct Feature {
  std::string name;
  std::optional<DataType> type;  // absent: the source field's, or the expression's
  std::string expr;              // empty: the source field of the same name
  std::optional<Value> default_value;
  Metadata metadata;
  friend bool operator==(const Feature&, const Feature&) = default;
};

// One line of an `aggregates` list. Several functions and windows make features
// `{function}_{input}_{window}`.
struct Aggregate {
  std::string name;  // only with exactly one function and at most one window
  std::string input;
  std::vector<std::string> functions;
  std::vector<std::string> windows;  // durations; empty: lifetime
  std::optional<int64_t> rows;       // last N events instead of a time window
  std::string where;
  std::string group_by;
  std::vector<std::string> categories;
  std::optional<Duration> delay;
  bool include_nulls = false;
  std::map<std::string, std::string> parameters;  // k of top_k, half_life, ...
  Metadata metadata;
  friend bool operator==(const Aggregate&, const Aggregate&) = default;
};

enum class Boundary : uint8_t { kAt, kBefore };  // an event at the very instant counts, or not

struct FeatureView {
  std::string name;
  std::vector<std::string> entities;  // empty: a global view with one row
  std::string source;
  std::vector<std::string> union_sources;  // further sources of the same shape
  std::optional<Duration> ttl;             // absent or 0: forever
  std::vector<Feature> features;           // either these
  std::vector<Aggregate> aggregates;       // or these
  std::optional<Boundary> boundary;        // default: at for features, before for aggregates
  bool exclude_self = false;
  bool partial_updates = false;
  std::vector<std::string> validators;  // expressions a generation must satisfy to be published
  std::string colocate;                 // row group shared with other views
  // How long a version that the name has left is still loaded and pushed to, so that a rollback finds it up to date.
  // Absent: 7d; 0: not at all.
  std::optional<Duration> rollback_window;
  Metadata metadata;
  friend bool operator==(const FeatureView&, const FeatureView&) = default;
};

// Computed on read from request fields and other features.
struct OnDemandView {
  std::string name;
  std::vector<Field> request;                 // used as `request.x`
  std::map<std::string, std::string> inputs;  // local name -> `view:feature`
  std::vector<Feature> features;              // each with an expr
  Metadata metadata;
  friend bool operator==(const OnDemandView&, const OnDemandView&) = default;
};

struct Label {
  std::string name;
  std::string view;
  std::string feature;                 // either this
  std::optional<Aggregate> aggregate;  // or this
  Duration from;
  Duration to;
  Metadata metadata;
  friend bool operator==(const Label&, const Label&) = default;
};

// One entry of a service: `view:feature` as a short form of {view, features: [feature]}.
struct FeatureSelection {
  std::string view;                              // may carry a version: `view@3`
  std::string alias;                             // `as`; empty: the view's name
  std::vector<std::string> features;             // empty: all
  std::map<std::string, std::string> join_keys;  // key -> request column or `view:feature`
  friend bool operator==(const FeatureSelection&, const FeatureSelection&) = default;
};

enum class MissingPolicy : uint8_t { kNull, kDefault, kError };
enum class PartialPolicy : uint8_t { kValue, kNull };

struct FeatureService {
  std::string name;
  std::vector<FeatureSelection> features;
  std::optional<TypeId> dtype;  // of the tensor: float32 or float64; absent: float64
  MissingPolicy missing = MissingPolicy::kNull;
  PartialPolicy partial = PartialPolicy::kValue;
  bool full_feature_names = false;
  std::map<std::string, std::string> casts;  // output name -> type, for what does not fit the dtype
  Metadata metadata;
  friend bool operator==(const FeatureService&, const FeatureService&) = default;
};

// Everything one project defines.
struct Definitions {
  std::string project = "default";
  std::string base_path;  // the folder relative paths start from; not part of the meaning
  // Where objects of a folder of files were read, for messages: `/feature_views/3` -> `cards.json: /feature_views/0`.
  std::map<std::string, std::string> origins;
  Metadata metadata;
  std::vector<Entity> entities;
  std::vector<Source> sources;
  std::vector<FeatureView> feature_views;
  std::vector<OnDemandView> on_demand_views;
  std::vector<Label> labels;
  std::vector<FeatureService> feature_services;
  friend bool operator==(const Definitions&, const Definitions&) = default;
};

}  // namespace larder::inline LARDER_ABI
