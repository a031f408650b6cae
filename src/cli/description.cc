#include "cli/description.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "cli/console.h"
#include "cli/definition_text.h"
#include "cli/json_writer.h"
#include "cli/table.h"
#include "larder/registry/aggregate_text.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

// Name and value, line by line; empty values are left out.
class Facts {
 public:
  explicit Facts(std::string title) : title_(std::move(title)) {}
  void Add(std::string name, std::string value) {
    if (!value.empty()) table_.AddRow({std::move(name), std::move(value)});
  }
  void Add(const Metadata& metadata) {
    Add("description", metadata.description);
    Add("owner", metadata.owner);
    Add("tags", TagsText(metadata.tags));
  }
  [[nodiscard]] std::string ToText() const {
    return Concat(Printable(title_), "\n", table_.ToText("  "));
  }

 private:
  std::string title_;
  Table table_{{}};
};

std::string MaybeDuration(const std::optional<Duration>& span) {
  return span ? FormatDuration(*span) : "";
}

// `score@2#0f2a...(x)` as people read it: score@2(x).
std::string WithoutHashes(const std::string& expr) {
  std::string text;
  for (std::size_t i = 0; i < expr.size(); ++i) {
    const bool pinned = expr[i] == '#' && i > 0 && expr[i - 1] >= '0' && expr[i - 1] <= '9';
    if (!pinned) {
      text.push_back(expr[i]);
      continue;
    }
    while (i + 1 < expr.size() && std::isxdigit(static_cast<unsigned char>(expr[i + 1])) != 0) ++i;
  }
  return text;
}

std::string HowText(const FeatureColumn& feature) {
  if (feature.aggregate) return AggregateText(*feature.aggregate);
  if (feature.expr.empty()) return "";
  return Concat(WithoutHashes(feature.expr), feature.on_read ? "  (when read)" : "");
}

std::string FeatureTable(const std::vector<FeatureColumn>& features) {
  Table table({"feature", "type", "computed as", "default", "owner", "description"});
  for (const FeatureColumn& feature : features) {
    table.AddRow({feature.name, feature.type.ToString(), HowText(feature),
                  feature.default_value ? FormatValue(*feature.default_value) : "",
                  feature.metadata.owner, feature.metadata.description});
  }
  return Concat("\n", table.ToText("  "));
}

// Nothing for what a bare name means: that it is loaded and pushed to goes without saying.
std::string UpkeepText(const ViewUpkeep& upkeep) {
  if (upkeep.current) return "";
  if (!upkeep.kept) return Concat("no: its name left it at ", FormatTimestamp(*upkeep.left_at));
  if (upkeep.until)
    return Concat("until ", FormatTimestamp(*upkeep.until), ", its rollback_window");
  return upkeep.left_at ? "yes, others use it" : "yes, staged";
}

std::string UsersText(const std::vector<std::string>& names) { return Join(names, ", "); }

}  // namespace

std::string DescribeEntity(const Entity& entity, const Catalog& catalog,
                           const std::string& project) {
  Facts facts(Concat("entity ", entity.name));
  facts.Add("join keys", FieldsText(entity.join_keys));
  facts.Add(entity.metadata);
  std::vector<std::string> views;
  for (const ViewVersion* view : catalog.Views(project)) {
    const std::vector<std::string>& entities = view->definition.entities;
    if (std::find(entities.begin(), entities.end(), entity.name) != entities.end())
      views.push_back(view->ToString());
  }
  facts.Add("used by", UsersText(views));
  return facts.ToText();
}

std::string DescribeSource(const Source& source, const Catalog& catalog, const std::string& project,
                           Timestamp now) {
  Facts facts(Concat("source ", source.name));
  facts.Add("kind", std::string(SourceKindName(source.kind)));
  facts.Add("path", source.path);
  facts.Add("query", source.query);
  facts.Add("view", source.view);
  facts.Add("batch source", source.batch_source);
  facts.Add("event time", source.event_time.empty() ? "none: timeless" : source.event_time);
  facts.Add("arrival time", source.arrival_time);
  facts.Add("event id", source.event_id);
  facts.Add("sequence", source.sequence);
  facts.Add("operation", source.operation);
  facts.Add("valid to", source.valid_to);
  facts.Add("time zone", source.time_zone);
  facts.Add("available after", MaybeDuration(source.available_after));
  facts.Add("late by", MaybeDuration(source.late_by));
  facts.Add("retention", MaybeDuration(source.retention));
  facts.Add(source.metadata);
  std::vector<std::string> views;
  for (const ViewVersion* view : catalog.ViewsOfSource(project, source.name, now))
    views.push_back(view->ToString());
  facts.Add("read by", UsersText(views));
  Table fields({"field", "type", "column", "unit"});
  for (const Field& field : source.fields) {
    fields.AddRow({field.name, field.type.ToString(), field.from, field.unit});
  }
  return Concat(facts.ToText(), "\n", fields.ToText("  "));
}

std::string DescribeView(const ViewVersion& view, const ViewState& state, const ViewUpkeep& upkeep) {
  const FeatureView& definition = view.definition;
  Facts facts(Concat("feature view ", view.ToString()));
  facts.Add("project", Concat(view.project, ", revision ", view.revision));
  facts.Add("entities", definition.entities.empty() ? "none: one row for all"
                                                    : Join(definition.entities, ", "));
  facts.Add("keys", FieldsText(view.keys));
  const std::string through = view.base_view ? Concat(", through ", definition.source) : "";
  facts.Add("source", Concat(view.source.name, ": ", SourceText(view.source), through));
  facts.Add("ttl", definition.ttl && definition.ttl->us != 0 ? FormatDuration(*definition.ttl)
                                                             : "forever");
  facts.Add("boundary", view.boundary == Boundary::kAt ? "at" : "before");
  facts.Add("excludes self", definition.exclude_self ? "yes" : "");
  facts.Add("partial updates", definition.partial_updates ? "yes" : "");
  facts.Add(definition.metadata);
  facts.Add("meaning", ToHex(view.meaning_hash));
  facts.Add("data", ToHex(view.data_hash));
  const bool push_only = view.offline_source().kind == SourceKind::kPush;
  if (!state.has_data) {
    facts.Add("rows", push_only
                          ? Concat("none yet: larder push --source ", view.source.name, " FILE")
                          : Concat("none yet: larder materialize --view ",
                                   upkeep.current ? view.name : view.ToString()));
  } else {
    facts.Add("rows",
              Concat(state.keys, " keys",
                     state.pushed_rows > 0 ? Concat(", ", state.pushed_rows, " pushed") : ""));
    if (state.loaded_to) facts.Add("loaded to", FormatTimestamp(*state.loaded_to));
    if (state.loaded_at) facts.Add("loaded at", FormatTimestamp(*state.loaded_at));
  }
  facts.Add("kept up", UpkeepText(upkeep));
  if (upkeep.held_by)
    facts.Add("on hold", Concat("by entry ", *upkeep.held_by, ", until larder release ", view.name));
  return facts.ToText() + FeatureTable(view.features);
}

std::string DescribeOnDemandView(const OnDemandVersion& view, const Catalog& catalog) {
  Facts facts(Concat("on-demand view ", view.ToString()));
  facts.Add("project", Concat(view.project, ", revision ", view.revision));
  facts.Add(view.definition.metadata);
  facts.Add("meaning", ToHex(view.meaning_hash));
  Table inputs({"input", "type", "from"});
  for (const OnDemandInput& input : view.inputs) {
    std::string from = "the request";
    if (const auto* below =
            input.request || !input.on_demand ? nullptr : catalog.FindOnDemandView(input.view_id)) {
      from = Concat(below->ToString(), ":",
                    below->features[static_cast<std::size_t>(input.feature)].name);
    } else if (const auto* read =
                   input.request || input.on_demand ? nullptr : catalog.FindView(input.view_id)) {
      from = Concat(read->ToString(), ":",
                    read->features[static_cast<std::size_t>(input.feature)].name);
    }
    inputs.AddRow({input.name, input.type.ToString(), from});
  }
  return Concat(facts.ToText(), "\n", inputs.ToText("  "), FeatureTable(view.features));
}

std::string DescribeLabel(const LabelVersion& label) {
  Facts facts(Concat("label ", label.name));
  facts.Add("project", label.project);
  facts.Add("type", label.type.ToString());
  facts.Add("of", label.aggregate
                      ? Concat(label.definition.view, ", ", AggregateText(*label.aggregate))
                      : Concat(label.definition.view, ":", label.definition.feature));
  facts.Add("window", Concat("after ", FormatDuration(label.definition.from), ", up to ",
                             FormatDuration(label.definition.to), " from the row's time"));
  facts.Add(label.definition.metadata);
  return facts.ToText();
}

std::string DescribeService(const ServiceVersion& service, const Catalog& catalog) {
  Facts facts(Concat("feature service ", service.ToString()));
  facts.Add("project", Concat(service.project, ", revision ", service.revision));
  facts.Add("keys", FieldsText(service.keys));
  facts.Add("request", FieldsText(service.request));
  facts.Add("dtype", std::string(TypeName(service.definition.dtype.value_or(TypeId::kFloat64))));
  facts.Add("missing", service.definition.missing == MissingPolicy::kNull      ? "null"
                       : service.definition.missing == MissingPolicy::kDefault ? "default"
                                                                               : "error");
  facts.Add("partial", service.definition.partial == PartialPolicy::kValue ? "value" : "null");
  facts.Add(service.definition.metadata);
  facts.Add("meaning", ToHex(service.meaning_hash));
  facts.Add("schema", ToHex(service.schema_hash()));
  Table outputs({"feature", "type", "from", "cast", "default", "in tensor"});
  for (const ServiceOutput& output : service.outputs) {
    const auto use = static_cast<std::size_t>(output.use);
    const auto feature = static_cast<std::size_t>(output.feature);
    std::string from;
    if (output.on_demand) {
      const OnDemandVersion* view = catalog.FindOnDemandView(service.on_demand[use].view_id);
      if (view != nullptr) from = Concat(view->ToString(), ":", view->features[feature].name);
    } else {
      const ViewVersion* view = catalog.FindView(service.views[use].view_id);
      if (view != nullptr) from = Concat(view->ToString(), ":", view->features[feature].name);
    }
    outputs.AddRow({output.name, output.type.ToString(), from,
                    output.cast ? output.cast->ToString() : "",
                    output.default_value ? FormatValue(*output.default_value) : "",
                    output.in_tensor ? "yes" : "no"});
  }
  return Concat(facts.ToText(), "\n", outputs.ToText("  "));
}

std::string DescribeFeature(const FeatureColumn& feature, const std::string& view) {
  Facts facts(Concat("feature ", view, ":", feature.name));
  facts.Add("type", feature.type.ToString());
  facts.Add("computed as",
            feature.expr.empty() && !feature.aggregate ? "the source field" : HowText(feature));
  if (feature.default_value) facts.Add("default", FormatValue(*feature.default_value));
  facts.Add(feature.metadata);
  return facts.ToText();
}

std::string FeatureJson(const FeatureColumn& feature, const std::string& view) {
  JsonWriter json;
  json.BeginObject();
  json.Member("view", view);
  json.Member("name", feature.name);
  json.Member("type", feature.type.ToString());
  if (!feature.expr.empty()) json.Member("expr", feature.expr);
  if (feature.aggregate) json.Member("aggregate", AggregateText(*feature.aggregate));
  json.Member("on_read", feature.on_read);
  if (feature.default_value) json.Member("default", *feature.default_value);
  json.Member("owner", feature.metadata.owner);
  json.Member("description", feature.metadata.description);
  json.EndObject();
  return std::move(json).Finish();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
