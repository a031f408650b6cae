// Resolved definitions: what a view, on-demand view or service means at one version, with every
// name looked up.
//
// These are values inside a Catalog (catalog.h). They do not change once made, except that the
// metadata, paths and operational settings (retention, lateness) of the versions in use follow what
// was applied last.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/hash.h"
#include "larder/schema/data_type.h"
#include "larder/schema/definitions.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

// A column of a view's stored row. Rows hold these, in this order (sorted by name), and nothing
// else.
struct StoredColumn {
  std::string name;  // the feature's, or `$field` for a field kept only because features computed
                     // on read need it
  DataType type;
  std::string field;     // the source field it copies; empty when computed
  std::string expr;      // over source fields, evaluated when a row is written; empty when copied
  DataType source_type;  // before widening to `type`: the field's, or the expression's
  friend bool operator==(const StoredColumn&, const StoredColumn&) = default;
};

// One aggregate of a view, written out: exactly one function, at most one window.
struct AggregateColumn {
  std::string function;
  std::string input;               // source field or expression; empty only for count_all
  std::optional<Duration> window;  // absent: lifetime, or `rows`
  std::optional<int64_t> rows;
  std::string where;
  std::string group_by;
  std::string category;  // with group_by: this column's category; empty: the whole map
  Duration delay;
  bool include_nulls = false;
  std::map<std::string, std::string> parameters;
  friend bool operator==(const AggregateColumn&, const AggregateColumn&) = default;
};

// A feature as a caller sees it.
struct FeatureColumn {
  std::string name;
  DataType type;
  std::string expr;      // empty: the source field of the same name, or an aggregate
  bool on_read = false;  // the expression reads the clock: evaluated at as_of over `inputs`
  std::optional<Value> default_value;  // converted to `type`
  int stored = -1;  // index into ViewVersion::stored; -1 when on_read or an aggregate
  // on_read only: what the expression reads. `name` as in the expression, `stored` as above.
  struct Input {
    std::string name;
    int stored = -1;
    friend bool operator==(const Input&, const Input&) = default;
  };
  std::vector<Input> inputs;
  std::optional<AggregateColumn> aggregate;
  Metadata metadata;
  friend bool operator==(const FeatureColumn&, const FeatureColumn&) = default;
};

struct ViewVersion {
  uint32_t id = 0;  // unique in the store, never reused
  uint32_t data_id =
      0;  // names the stored rows: the id of the first version of this view with the same data_hash
  std::string project;
  std::string name;
  int version = 0;  // from 1
  FeatureView definition;
  // Resolved: a push source has inherited what it lacks from its batch source. Of the fields, those this view reads.
  Source source;
  std::optional<Source> batch;  // of a push source with batch_source: where loads and training read
  std::vector<Source> union_sources;  // resolved
  std::optional<uint32_t> base_view;  // of a derived view: the id of the view version it reads
  Boundary boundary = Boundary::kAt;  // resolved default
  std::vector<Field> keys;            // join keys in entity order: name and type
  std::vector<StoredColumn> stored;
  std::vector<FeatureColumn> features;  // in definition order; aggregates written out
  Hash128 meaning_hash;
  Hash128 data_hash;
  Hash128 inputs_hash;    // of every text it was resolved from; equal ones need no second check
  uint64_t revision = 0;  // the history number that made it

  [[nodiscard]] bool is_aggregate() const { return !definition.aggregates.empty(); }
  // The source loads and training read: `batch` where there is one; a push source alone has no file
  // to read.
  [[nodiscard]] const Source& offline_source() const LARDER_LIFETIME_BOUND {
    return batch ? *batch : source;
  }
  // That and the union's, by the numbers that their events have: the view's own is 0.
  [[nodiscard]] std::vector<const Source*> offline_sources() const LARDER_LIFETIME_BOUND {
    std::vector<const Source*> sources = {&offline_source()};
    for (const Source& united : union_sources) sources.push_back(&united);
    return sources;
  }
  // Whether loads or pushes of the source reach it.
  [[nodiscard]] bool IsFedBy(std::string_view source_name) const;
  // Index into `features`, or -1.
  [[nodiscard]] int FindFeature(std::string_view feature_name) const;
  // `name@version`.
  [[nodiscard]] std::string ToString() const;
};

struct OnDemandInput {
  std::string name;  // as expressions write it: the local name, or `request.x`
  DataType type;
  bool request = false;    // else a feature:
  bool on_demand = false;  // ... of an on-demand view version
  uint32_t view_id = 0;
  int feature = -1;
  friend bool operator==(const OnDemandInput&, const OnDemandInput&) = default;
};

struct OnDemandVersion {
  uint32_t id = 0;
  std::string project;
  std::string name;
  int version = 0;
  OnDemandView definition;
  std::vector<OnDemandInput> inputs;  // request fields first, in definition order; then inputs by name
  std::vector<FeatureColumn> features;  // every one has an expr; `stored` and `inputs` are not used
  Hash128 meaning_hash;
  Hash128 inputs_hash;
  uint64_t revision = 0;
  [[nodiscard]] int FindFeature(std::string_view feature_name) const;
  [[nodiscard]] std::string ToString() const;
};

// Where one join key of a used view comes from.
struct KeyBinding {
  std::string column;  // the caller's column (spine or request); empty when taken from a feature
  int use = -1;        // else: an earlier entry of ServiceVersion::views, and a feature of it
  int feature = -1;
  friend bool operator==(const KeyBinding&, const KeyBinding&) = default;
};

// A view as a service reads it. The same view under two mappings is two uses.
struct ViewUse {
  uint32_t view_id = 0;
  std::string alias;             // names the features when full_feature_names
  std::vector<KeyBinding> keys;  // one for each of the view's keys, in their order
  friend bool operator==(const ViewUse&, const ViewUse&) = default;
};

struct OnDemandUse {
  uint32_t view_id = 0;  // an OnDemandVersion
  std::string alias;
  // One for each of the version's inputs: an index into views or (when on_demand) an earlier
  // on-demand use; -1 for request fields.
  std::vector<int> input_uses;
  friend bool operator==(const OnDemandUse&, const OnDemandUse&) = default;
};

struct ServiceOutput {
  std::string name;  // `feature`, or `alias__feature` with full_feature_names; unique in the service
  DataType type;     // the feature's own
  bool on_demand = false;
  int use = -1;                        // into ServiceVersion::views or ::on_demand
  int feature = -1;                    // into the version's features
  std::optional<DataType> cast;        // schema/cast.h, before `missing` is applied
  std::optional<Value> default_value;  // for missing: default
  bool in_tensor = true;  // false: text, bytes, lists and maps, which only typed reads give
  // What a caller gets, serving and in training sets.
  [[nodiscard]] const DataType& served_type() const LARDER_LIFETIME_BOUND {
    return cast ? *cast : type;
  }
  friend bool operator==(const ServiceOutput&, const ServiceOutput&) = default;
};

struct ServiceVersion {
  uint32_t id = 0;
  std::string project;
  std::string name;
  int version = 0;
  FeatureService definition;
  std::vector<ServiceOutput> outputs;  // in the order written
  std::vector<ViewUse> views;  // the closure: also those only on-demand views or key bindings need.
                               // A use stands after the uses its keys come from
  std::vector<OnDemandUse> on_demand;  // inputs before those that read them
  std::vector<Field> keys;  // columns a caller must give to find rows: name and type, sorted by name
  std::vector<Field> request;  // request fields a caller must give, sorted by name
  Hash128 meaning_hash;        // covers the closure
  uint64_t revision = 0;
  [[nodiscard]] int FindOutput(std::string_view output_name) const;
  [[nodiscard]] std::string ToString() const;
  // Of names, types and order of outputs, keys and request fields: what a caller compiled against.
  [[nodiscard]] Hash128 schema_hash() const;
};

struct LabelVersion {
  std::string project;
  std::string name;
  Label definition;
  uint32_t view_id = 0;
  int feature = -1;                          // of the view; -1 with an aggregate
  std::optional<AggregateColumn> aggregate;  // its window is (t + from, t + to]
  DataType type;
  Hash128 meaning_hash;
};

}  // namespace larder::inline LARDER_ABI
