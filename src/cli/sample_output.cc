#include "cli/sample_output.h"

#include <utility>
#include <vector>

#include "cli/console.h"
#include "cli/json_writer.h"
#include "cli/percent.h"
#include "cli/table.h"
#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

double Share(std::size_t part, std::size_t rows) {
  return rows == 0 ? 0 : static_cast<double>(part) / static_cast<double>(rows);
}

std::string Title(const SampledObject& object) {
  return Concat(ObjectKindName(object.kind), " ", object.name, "@", object.version_before, " -> @",
                object.version_after);
}

std::string TypeText(const SampledFeature& feature) {
  if (feature.type_before.empty()) return Concat(feature.type_after, ", new");
  if (feature.type_after.empty()) return Concat(feature.type_before, ", gone");
  if (feature.type_before == feature.type_after) return feature.type_after;
  return Concat(feature.type_before, " -> ", feature.type_after);
}

std::string ObjectText(const SampledObject& object) {
  std::string out = Concat("  ", Printable(Title(object)));
  if (!object.not_sampled.empty())
    return Concat(out, ": not sampled: ", Printable(object.not_sampled), "\n");
  out += Concat(", ", object.rows, " rows\n");
  for (const std::string& from : object.rows_from) {
    out += Concat("    ", Printable(from), "\n");
  }
  Table table(
      {"feature", "type", "changed", "largest change", "null before", "null after", "services"});
  std::vector<std::string> reasons;
  for (const SampledFeature& feature : object.features) {
    if (!feature.not_sampled.empty()) {
      reasons.push_back(Concat(feature.name, " not sampled: ", feature.not_sampled));
      continue;
    }
    const bool in_both = !feature.type_before.empty() && !feature.type_after.empty();
    table.AddRow(
        {feature.name, TypeText(feature), in_both ? PercentText(feature.changed, feature.rows) : "",
         feature.largest_change ? FormatValue(Value(*feature.largest_change)) : "",
         feature.type_before.empty() ? "" : PercentText(feature.nulls_before, feature.rows),
         feature.type_after.empty() ? "" : PercentText(feature.nulls_after, feature.rows),
         Join(feature.services, ", ")});
  }
  if (!table.empty()) out += table.ToText("    ");
  for (const std::string& reason : reasons) out += Concat("    ", Printable(reason), "\n");
  return out;
}

void WriteTexts(std::string_view key, const std::vector<std::string>& texts, JsonWriter& json) {
  json.Key(key);
  json.BeginArray(JsonWriter::Layout::kInline);
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
}

void WriteFeature(const SampledFeature& feature, JsonWriter& json) {
  json.BeginObject();
  json.Member("name", feature.name);
  if (!feature.type_before.empty()) json.Member("type_before", feature.type_before);
  if (!feature.type_after.empty()) json.Member("type_after", feature.type_after);
  if (!feature.not_sampled.empty()) {
    json.Member("not_sampled", feature.not_sampled);
  } else {
    json.Member("rows", feature.rows);
    if (!feature.type_before.empty() && !feature.type_after.empty()) {
      json.Member("changed", feature.changed);
      json.Member("share_changed", Share(feature.changed, feature.rows));
    }
    if (feature.largest_change) json.Member("largest_change", *feature.largest_change);
    if (!feature.type_before.empty())
      json.Member("null_rate_before", Share(feature.nulls_before, feature.rows));
    if (!feature.type_after.empty())
      json.Member("null_rate_after", Share(feature.nulls_after, feature.rows));
  }
  WriteTexts("services", feature.services, json);
  json.EndObject();
}

}  // namespace

std::string SampleText(const PlanSample& sample) {
  std::string out = Concat("sample of up to ", sample.keys, " keys of each view at ",
                           FormatTimestamp(sample.as_of), ", commit ", sample.commit_seq, ":\n");
  if (sample.objects.empty()) out += "  nothing gets another version\n";
  for (const SampledObject& object : sample.objects) out += ObjectText(object);
  return out;
}

std::string PlanJson(const ChangePlan& plan, const PlanSample& sample) {
  JsonWriter json;
  json.BeginObject();
  json.Key("plan");
  json.Raw(TrimAscii(plan.ToJson()));
  json.Key("sample");
  json.BeginObject();
  json.Member("as_of", sample.as_of);
  json.Member("commit_seq", sample.commit_seq);
  json.Member("keys", sample.keys);
  json.Key("objects");
  json.BeginArray();
  for (const SampledObject& object : sample.objects) {
    json.BeginObject();
    json.Member("kind", ObjectKindName(object.kind));
    json.Member("name", object.name);
    json.Member("version_before", object.version_before);
    json.Member("version_after", object.version_after);
    if (!object.not_sampled.empty()) {
      json.Member("not_sampled", object.not_sampled);
    } else {
      json.Member("rows", object.rows);
      WriteTexts("rows_from", object.rows_from, json);
      json.Key("features");
      json.BeginArray();
      for (const SampledFeature& feature : object.features) WriteFeature(feature, json);
      json.EndArray();
    }
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  json.EndObject();
  return std::move(json).Finish();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
