#include "cli/replay_output.h"

#include <vector>

#include "cli/console.h"
#include "cli/json_writer.h"
#include "cli/percent.h"
#include "cli/table.h"
#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

std::string KeysText(const ReplayMismatch& found) {
  std::vector<std::string> parts;
  for (const auto& [name, value] : found.keys)
    parts.push_back(Concat(name, "=", FormatValue(value)));
  return Join(parts, ", ");
}

std::string SideText(const Value& value, FeatureStatus status) {
  return Concat(FormatValue(value), " ", FeatureStatusName(status));
}

void WriteMismatch(const ReplayMismatch& found, JsonWriter& json) {
  json.BeginObject(JsonWriter::Layout::kInline);
  json.Member("request", found.request);
  json.Member("time", found.time);
  json.Key("inputs");
  json.BeginObject(JsonWriter::Layout::kInline);
  for (const auto& [name, value] : found.keys) json.Member(name, value);
  json.EndObject();
  json.Member("served", found.served);
  json.Member("served_status", FeatureStatusName(found.served_status));
  json.Member("trained", found.trained);
  json.Member("trained_status", FeatureStatusName(found.trained_status));
  json.EndObject();
}

}  // namespace

std::string ReplayText(const ReplayReport& report) {
  std::string out = Concat(Printable(report.service), ": ", report.requests, " requests at ",
                           report.instants, " instants, ", report.pushes, " pushes\n");
  Table sources({"source", "pushed", "late", "rejected", "bad rows", "never known",
                 "after the last request"});
  for (const ReplayedSource& source : report.sources) {
    sources.AddRow({source.name, Concat(source.events), Concat(source.late), Concat(source.rejected),
                    Concat(source.bad_rows), Concat(source.never_known), Concat(source.after)});
  }
  out += Concat(sources.ToText(), "\n");
  Table features({"feature", "checked", "null", "mismatches"});
  Table mismatches({"mismatch", "time", "inputs", "served", "trained"});
  for (const ReplayedFeature& feature : report.features) {
    features.AddRow({feature.name, Concat(feature.checked),
                     PercentText(feature.nulls, feature.checked), Concat(feature.mismatches)});
    for (const ReplayMismatch& found : feature.first_mismatches) {
      mismatches.AddRow({feature.name, FormatTimestamp(found.time), KeysText(found),
                         SideText(found.served, found.served_status),
                         SideText(found.trained, found.trained_status)});
    }
  }
  out += features.ToText();
  if (!mismatches.empty()) out += Concat("\n", mismatches.ToText());
  out += Concat("\n", report.mismatches(), " mismatches in ", report.checked(), " values\n");
  return out;
}

std::string ReplayJson(const ReplayReport& report) {
  JsonWriter json;
  json.BeginObject();
  json.Member("service", report.service);
  json.Member("requests", report.requests);
  json.Member("instants", report.instants);
  json.Member("pushes", report.pushes);
  json.Member("checked", report.checked());
  json.Member("mismatches", report.mismatches());
  json.Key("sources");
  json.BeginArray();
  for (const ReplayedSource& source : report.sources) {
    json.BeginObject(JsonWriter::Layout::kInline);
    json.Member("source", source.name);
    json.Member("pushed", source.events);
    json.Member("late", source.late);
    json.Member("rejected", source.rejected);
    json.Member("bad_rows", source.bad_rows);
    json.Member("never_known", source.never_known);
    json.Member("after_last_request", source.after);
    json.EndObject();
  }
  json.EndArray();
  json.Key("features");
  json.BeginArray();
  for (const ReplayedFeature& feature : report.features) {
    json.BeginObject();
    json.Member("name", feature.name);
    json.Member("checked", feature.checked);
    json.Member("nulls", feature.nulls);
    json.Member("mismatches", feature.mismatches);
    json.Key("first_mismatches");
    json.BeginArray();
    for (const ReplayMismatch& found : feature.first_mismatches) WriteMismatch(found, json);
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  return std::move(json).Finish();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
