// The one table of what a definition can say: each struct's keys in order, what they mean, and whether changing them
// changes meaning. Reading, printing, comparing, storing and the JSON Schema are visitors of it.
//
// A visitor has
//   void Member(const Key&, T& member)                     for every kind of member
//   void Default(const Key&, optional<Value>&, const optional<DataType>&)   a value written in the feature's type
//   void OneOrMany(const Key& one, const Key& many, vector<string>&)        `function: f` or `functions: [f, g]`
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "larder/base/config.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

struct Key {
  const char* name;
  const char* text;  // for the JSON Schema
  bool required = false;
  bool meaning = true;  // false: no reader of values can notice a change
};

template <class T, class U>
concept Is = std::same_as<std::remove_const_t<T>, U>;

template <class E>
struct EnumName {
  E value;
  const char* name;
};
template <class E>
struct EnumNames;  // kAll: every value with its name; kWhat: for messages
template <>
struct EnumNames<SourceKind> {
  static constexpr const char* kWhat = "a source kind";
  static constexpr EnumName<SourceKind> kAll[] = {
      {SourceKind::kCsv, "csv"}, {SourceKind::kNdjson, "ndjson"}, {SourceKind::kParquet, "parquet"},
      {SourceKind::kSql, "sql"}, {SourceKind::kPush, "push"},     {SourceKind::kView, "view"}};
};
template <>
struct EnumNames<SourceOrder> {
  static constexpr const char* kWhat = "an order";
  static constexpr EnumName<SourceOrder> kAll[] = {{SourceOrder::kNone, "none"},
                                                   {SourceOrder::kSequence, "sequence"},
                                                   {SourceOrder::kCommit, "commit"}};
};
template <>
struct EnumNames<Boundary> {
  static constexpr const char* kWhat = "a boundary";
  static constexpr EnumName<Boundary> kAll[] = {{Boundary::kAt, "at"},
                                                {Boundary::kBefore, "before"}};
};
template <>
struct EnumNames<MissingPolicy> {
  static constexpr const char* kWhat = "a missing policy";
  static constexpr EnumName<MissingPolicy> kAll[] = {{MissingPolicy::kNull, "null"},
                                                     {MissingPolicy::kDefault, "default"},
                                                     {MissingPolicy::kError, "error"}};
};
template <>
struct EnumNames<PartialPolicy> {
  static constexpr const char* kWhat = "a partial policy";
  static constexpr EnumName<PartialPolicy> kAll[] = {{PartialPolicy::kValue, "value"},
                                                     {PartialPolicy::kNull, "null"}};
};
// Of a service's dtype only; types elsewhere are DataType.
template <>
struct EnumNames<TypeId> {
  static constexpr const char* kWhat = "a dtype";
  static constexpr EnumName<TypeId> kAll[] = {{TypeId::kFloat32, "float32"},
                                              {TypeId::kFloat64, "float64"}};
};
template <class E>
const char* NameOfEnum(E value) {
  for (const auto& entry : EnumNames<E>::kAll) {
    if (entry.value == value) return entry.name;
  }
  return "unknown";
}

template <class V, Is<Metadata> T>
void DescribeMetadata(V& v, T& d) {
  v.Member(Key{"description", "What it is, for people", false, false}, d.description);
  v.Member(Key{"owner", "Who answers for it", false, false}, d.owner);
  v.Member(Key{"tags", "Free labels, for search", false, false}, d.tags);
}

template <class V, Is<Field> T>
void Describe(V& v, T& d) {
  v.Member(Key{"name", "The column's name", true}, d.name);
  v.Member(Key{"type", "float64, string, timestamp, vector<float32, 768>, ...", true}, d.type);
  v.Member(Key{"from", "The column in the data, when it has another name"}, d.from);
  v.Member(Key{"unit", "Of numbers read as timestamp or duration: s, ms, us or ns"}, d.unit);
}

template <class V, Is<Entity> T>
void Describe(V& v, T& d) {
  v.Member(Key{"name", "The entity's name", true}, d.name);
  v.Member(Key{"join_keys", "The columns that identify one, with types", true}, d.join_keys);
  DescribeMetadata(v, d.metadata);
}

template <class V, Is<TextFormat> T>
void Describe(V& v, T& d) {
  v.Member(Key{"delimiter", "One character between fields", false, false}, d.delimiter);
  v.Member(Key{"null_values", "Field texts that mean null"}, d.null_values);
  v.Member(Key{"compression", "auto (by file name), none or gzip", false, false}, d.compression);
  v.Member(
      Key{"strict", "A bad row refuses the load; false: it is skipped and counted", false, false},
      d.strict);
}

template <class V, Is<Source> T>
void Describe(V& v, T& d) {
  v.Member(Key{"name", "The source's name", true}, d.name);
  v.Member(Key{"kind", "csv, ndjson, parquet, sql, push or view", true}, d.kind);
  v.Member(Key{"path", "File or glob, relative to the definitions file", false, false}, d.path);
  v.Member(Key{"query", "Of sql: the query"}, d.query);
  v.Member(Key{"view", "Of a derived view's source: the view whose rows it reads"}, d.view);
  v.Member(Key{"batch_source", "Of push: the source it inherits fields and times from"},
           d.batch_source);
  v.Member(Key{"format", "How the text is written"}, d.format);
  v.Member(Key{"fields", "The columns"}, d.fields);
  v.Member(Key{"event_time", "Column: when it happened; absent: valid at every time"}, d.event_time);
  v.Member(Key{"arrival_time", "Column: when it became known"}, d.arrival_time);
  v.Member(Key{"sequence", "Column that settles equal event times, such as a log offset"},
           d.sequence);
  v.Member(Key{"event_id", "Column that identifies an event; equal ones count once"}, d.event_id);
  v.Member(Key{"operation", "Column holding insert, update or delete"}, d.operation);
  v.Member(Key{"valid_to", "Column: when the row stops being true"}, d.valid_to);
  v.Member(Key{"time_zone", "IANA zone of times without an offset; UTC when absent"}, d.time_zone);
  v.Member(Key{"order", "What settles equal event times: sequence, commit or none"}, d.order);
  v.Member(Key{"available_after", "Without arrival_time: known this long after the event"},
           d.available_after);
  v.Member(Key{"late_by", "How late rows may come", false, false}, d.late_by);
  v.Member(Key{"retention", "How long raw events are kept", false, false}, d.retention);
  v.Member(Key{"max_future", "Events later than now plus this are refused; 10m"}, d.max_future);
  v.Member(Key{"version_horizon", "How long superseded rows are kept; 1h", false, false},
           d.version_horizon);
  v.Member(Key{"arrival_slack", "How far back a load re-reads arrivals; 10m", false, false},
           d.arrival_slack);
  DescribeMetadata(v, d.metadata);
}

template <class V, Is<Feature> T>
void Describe(V& v, T& d) {
  v.Member(Key{"name", "The feature's name", true}, d.name);
  v.Member(Key{"type", "Its type; absent: the field's or the expression's"}, d.type);
  v.Member(Key{"expr", "How it is computed; absent: the field of the same name"}, d.expr);
  v.Default(Key{"default", "What replaces null where a service says missing: default"},
            d.default_value, d.type);
  DescribeMetadata(v, d.metadata);
}

template <class V, Is<Aggregate> T>
void Describe(V& v, T& d) {
  v.Member(Key{"name", "Of a single function and window; else {function}_{input}_{window}"}, d.name);
  v.Member(Key{"input", "The field or expression aggregated"}, d.input);
  v.OneOrMany(Key{"function", "One function"}, Key{"functions", "Several functions"}, d.functions);
  v.OneOrMany(Key{"window", "One window, such as 30d"},
              Key{"windows", "Several windows; absent: lifetime"}, d.windows);
  v.Member(Key{"rows", "The last N events instead of a window"}, d.rows);
  v.Member(Key{"where", "Only events for which this holds"}, d.where);
  v.Member(Key{"group_by", "Field that splits the result by category"}, d.group_by);
  v.Member(Key{"categories", "With group_by: a feature for each of these"}, d.categories);
  v.Member(Key{"delay", "The window ends this long before the asked time"}, d.delay);
  v.Member(Key{"include_nulls", "first, last and their kin see nulls"}, d.include_nulls);
  v.Member(Key{"parameters", "Of the function: k, p, half_life"}, d.parameters);
  DescribeMetadata(v, d.metadata);
}

template <class V, Is<FeatureView> T>
void Describe(V& v, T& d) {
  v.Member(Key{"name", "The view's name", true}, d.name);
  v.Member(Key{"entities", "What it is keyed by; none: one row for all"}, d.entities);
  v.Member(Key{"source", "Where its rows come from", true}, d.source);
  v.Member(Key{"union", "Further sources of the same shape"}, d.union_sources);
  v.Member(Key{"ttl", "How old a row may be; absent or 0: for ever"}, d.ttl);
  v.Member(Key{"features", "Row features: either these"}, d.features);
  v.Member(Key{"aggregates", "Window aggregates: or these"}, d.aggregates);
  v.Member(Key{"boundary", "at: an event at the asked instant counts; before: it does not"},
           d.boundary);
  v.Member(Key{"exclude_self", "Leaves out the asking row's own event_id"}, d.exclude_self);
  v.Member(Key{"partial_updates", "Rows carry some features; the others stay"}, d.partial_updates);
  v.Member(Key{"validators", "Expressions that must hold before a load is published"}, d.validators);
  v.Member(Key{"colocate", "Row group shared with other views", false, false}, d.colocate);
  v.Member(Key{"rollback_window", "How long a version is kept up after it was replaced; absent: 7d",
               false, false},
           d.rollback_window);
  DescribeMetadata(v, d.metadata);
}

template <class V, Is<OnDemandView> T>
void Describe(V& v, T& d) {
  v.Member(Key{"name", "The view's name", true}, d.name);
  v.Member(Key{"request", "Fields the caller gives, read as request.x"}, d.request);
  v.Member(Key{"inputs", "Local name to view:feature"}, d.inputs);
  v.Member(Key{"features", "Each with an expr", true}, d.features);
  DescribeMetadata(v, d.metadata);
}

template <class V, Is<Label> T>
void Describe(V& v, T& d) {
  v.Member(Key{"name", "The label's name", true}, d.name);
  v.Member(Key{"view", "The view it reads", true}, d.view);
  v.Member(Key{"feature", "Either a feature of it"}, d.feature);
  v.Member(Key{"aggregate", "Or an aggregate over its source's events"}, d.aggregate);
  v.Member(Key{"from", "Start of the period, after the row's time; excluded"}, d.from);
  v.Member(Key{"to", "End of the period, after the row's time; included", true}, d.to);
  DescribeMetadata(v, d.metadata);
}

template <class V, Is<FeatureSelection> T>
void Describe(V& v, T& d) {
  v.Member(Key{"view", "A view, or view@N", true}, d.view);
  v.Member(Key{"as", "Another name for it here"}, d.alias);
  v.Member(Key{"features", "Which of its features; absent: all"}, d.features);
  v.Member(Key{"join_keys", "The view's key to the caller's column, or to view:feature"},
           d.join_keys);
}

template <class V, Is<FeatureService> T>
void Describe(V& v, T& d) {
  v.Member(Key{"name", "The service's name", true}, d.name);
  v.Member(Key{"dtype", "Of the tensor: float32 or float64"}, d.dtype);
  v.Member(Key{"missing", "What stands for null: null, default or error"}, d.missing);
  v.Member(Key{"partial", "A window without all its history gives: value or null"}, d.partial);
  v.Member(Key{"full_feature_names", "Name outputs view__feature"}, d.full_feature_names);
  v.Member(Key{"features", "view:feature, or an object with view and features", true}, d.features);
  v.Member(Key{"casts", "Output name to type, for what does not fit the dtype"}, d.casts);
  DescribeMetadata(v, d.metadata);
}

template <class V, Is<Definitions> T>
void Describe(V& v, T& d) {
  v.Member(Key{"project", "Names the project; objects of other projects are not touched"},
           d.project);
  DescribeMetadata(v, d.metadata);
  v.Member(Key{"entities", "What features describe, and how it is identified"}, d.entities);
  v.Member(Key{"sources", "Where rows come from"}, d.sources);
  v.Member(Key{"feature_views", "Features stored per key"}, d.feature_views);
  v.Member(Key{"on_demand_views", "Features computed when asked for"}, d.on_demand_views);
  v.Member(Key{"labels", "What a model learns to predict"}, d.labels);
  v.Member(Key{"feature_services", "What a model reads"}, d.feature_services);
}

template <class T>
concept Described = requires(T& d) {
  d.name;
  requires !std::same_as<std::remove_const_t<T>, Key>;
}
|| Is<T, TextFormat> || Is<T, FeatureSelection> || Is<T, Definitions>;

}  // namespace larder::inline LARDER_ABI
