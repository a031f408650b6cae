#include "cli/explain_output.h"

#include <optional>
#include <vector>

#include "cli/console.h"
#include "cli/json_writer.h"
#include "cli/table.h"
#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

std::string InstantText(const std::optional<Timestamp>& instant) {
  return instant ? FormatTimestamp(*instant) : std::string();
}

// Versions and events hold several values, everything else is one.
std::string ValueText(const ExplanationStep& step) {
  if (step.details.empty()) {
    const bool has_value =
        step.kind != ExplanationStep::Kind::kVersion && step.kind != ExplanationStep::Kind::kRow;
    return has_value ? FormatValue(step.value) : std::string();
  }
  std::vector<std::string> parts;
  for (const auto& [name, value] : step.details)
    parts.push_back(Concat(name, "=", FormatValue(value)));
  return Join(parts, ", ");
}

std::string NumbersText(const std::vector<std::size_t>& steps) {
  std::vector<std::string> numbers;
  for (const std::size_t step : steps) numbers.push_back(Concat(step + 1));
  return Join(numbers, ", ");
}

std::string StepsText(const std::vector<ExplanationStep>& steps) {
  Table table(
      {"", "step", "", "value", "status", "event time", "known at", "commit", "made of", "note"});
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const ExplanationStep& step = steps[i];
    table.AddRow({Concat(i + 1), std::string(StepKindName(step.kind)), step.name, ValueText(step),
                  step.status ? std::string(FeatureStatusName(*step.status)) : std::string(),
                  InstantText(step.event_time), InstantText(step.known_time),
                  step.commit_seq ? Concat(*step.commit_seq) : std::string(),
                  NumbersText(step.inputs), step.note});
  }
  return table.ToText();
}

void WriteRow(const Row& row, JsonWriter& json) {
  json.BeginObject(JsonWriter::Layout::kInline);
  for (const auto& [name, value] : row) json.Member(name, value);
  json.EndObject();
}

void WriteStep(const ExplanationStep& step, std::size_t number, JsonWriter& json) {
  json.BeginObject(JsonWriter::Layout::kInline);
  json.Member("step", static_cast<uint64_t>(number));
  json.Member("kind", StepKindName(step.kind));
  json.Member("name", step.name);
  json.Key("made_of");
  json.BeginArray(JsonWriter::Layout::kInline);
  for (const std::size_t input : step.inputs) json.Number(static_cast<uint64_t>(input + 1));
  json.EndArray();
  if (step.kind == ExplanationStep::Kind::kVersion) {
    json.Key("details");
    WriteRow(step.details, json);
  } else if (step.kind != ExplanationStep::Kind::kRow) {
    json.Member("value", step.value);
  }
  if (step.status) json.Member("status", FeatureStatusName(*step.status));
  if (step.event_time) json.Member("event_time", *step.event_time);
  if (step.known_time) json.Member("known_time", *step.known_time);
  if (step.commit_seq) json.Member("commit_seq", *step.commit_seq);
  if (!step.note.empty()) json.Member("note", step.note);
  json.EndObject();
}

}  // namespace

std::string ExplanationText(const Explanation& explanation) {
  std::string out =
      Concat(Printable(explanation.feature), " = ", Printable(FormatValue(explanation.value)), "  ",
             FeatureStatusName(explanation.status));
  if (explanation.stale_value)
    out += Concat(", was ", Printable(FormatValue(*explanation.stale_value)));
  if (explanation.event_time)
    out += Concat("  event time ", FormatTimestamp(*explanation.event_time));
  out += Concat("\n", explanation.definition, ": ", explanation.type.ToString());
  if (!explanation.expression.empty()) out += Concat(" = ", Printable(explanation.expression));
  out += Concat("\n", explanation.service, explanation.service.empty() ? "" : "  ", "as of ",
                FormatTimestamp(explanation.as_of));
  if (explanation.known_at) out += Concat("  known at ", FormatTimestamp(*explanation.known_at));
  if (!explanation.is_training) out += Concat("  commit ", explanation.commit_seq);
  out += "\n";
  for (const std::string& limit : explanation.limits)
    out += Concat("note: ", Printable(limit), "\n");
  out += Concat("\n", StepsText(explanation.steps));
  if (!explanation.receipt.empty()) out += Concat("\nreceipt  ", explanation.receipt, "\n");
  return out;
}

namespace {

void WriteExplanation(const Explanation& explanation, JsonWriter& json) {
  json.BeginObject();
  json.Member("feature", explanation.feature);
  json.Member("definition", explanation.definition);
  json.Member("expression", explanation.expression);
  json.Member("type", explanation.type.ToString());
  json.Member("value", explanation.value);
  json.Member("status", FeatureStatusName(explanation.status));
  json.Member("event_time", explanation.event_time);
  if (explanation.stale_value) json.Member("stale_value", *explanation.stale_value);
  json.Member("service", explanation.service);
  json.Member("as_of", explanation.as_of);
  json.Member("known_at", explanation.known_at);
  if (!explanation.is_training) {
    json.Member("commit_seq", explanation.commit_seq);
    json.Member("receipt", explanation.receipt);
  }
  json.Key("limits");
  json.BeginArray();
  for (const std::string& limit : explanation.limits) json.String(limit);
  json.EndArray();
  json.Key("steps");
  json.BeginArray();
  for (std::size_t i = 0; i < explanation.steps.size(); ++i)
    WriteStep(explanation.steps[i], i + 1, json);
  json.EndArray();
  json.EndObject();
}

std::string VerdictOf(const DatasetCell& cell) {
  std::vector<std::string> parts;
  if (cell.is_stale()) parts.emplace_back("the file's is another one");
  if (cell.is_parted()) parts.emplace_back("served otherwise");
  if (!parts.empty()) return Join(parts, ", ");
  return cell.served ? "agree" : "not served";
}

std::string SideText(const std::optional<Value>& value, FeatureStatus status) {
  return value ? Concat(FormatValue(*value), " ", FeatureStatusName(status)) : std::string("-");
}

}  // namespace

std::string ExplanationJson(const Explanation& explanation) {
  JsonWriter json;
  WriteExplanation(explanation, json);
  return std::move(json).Finish();
}

std::string DatasetRowText(const DatasetRowExplanation& row, std::string_view place) {
  std::string out = Concat(Printable(place), "  as of ", FormatTimestamp(row.as_of));
  if (row.known_at) out += Concat("  known at ", FormatTimestamp(*row.known_at));
  out += "\n\n";
  Table cells({"feature", "in the file", "trained now", "served now", ""});
  for (const DatasetCell& cell : row.cells) {
    cells.AddRow({cell.feature, cell.in_dataset ? FormatValue(*cell.in_dataset) : "-",
                  SideText(cell.trained, cell.trained_status),
                  SideText(cell.served, cell.served_status), VerdictOf(cell)});
  }
  out += cells.ToText();
  if (!row.why_not_served.empty())
    out += Concat("\nnot served: ", Printable(row.why_not_served), "\n");
  if (!row.changes.empty()) out += "\nwhat it was made from has changed:\n";
  for (const std::string& line : row.changes) out += Concat("  ", Printable(line), "\n");
  if (row.trained) out += Concat("\ntrained\n", ExplanationText(*row.trained));
  if (row.served) out += Concat("\nserved\n", ExplanationText(*row.served));
  if (row.parting) {
    const ExplanationStep& step = row.trained->steps[row.parting->first];
    return out + Concat("\nthe two part in step ", row.parting->first + 1, " of training, step ",
                        row.parting->second + 1, " of serving: ", StepKindName(step.kind), " ",
                        Printable(step.name), "\n");
  }
  if (row.trained && row.served) out += "\ntraining and serving agree, step by step\n";
  return out;
}

std::string DatasetRowJson(const DatasetRowExplanation& row) {
  JsonWriter json;
  json.BeginObject();
  json.Member("as_of", row.as_of);
  json.Member("known_at", row.known_at);
  json.Key("cells");
  json.BeginArray();
  for (const DatasetCell& cell : row.cells) {
    json.BeginObject(JsonWriter::Layout::kInline);
    json.Member("feature", cell.feature);
    if (cell.in_dataset) json.Member("in_dataset", *cell.in_dataset);
    json.Member("trained", cell.trained);
    json.Member("trained_status", FeatureStatusName(cell.trained_status));
    if (cell.served) {
      json.Member("served", *cell.served);
      json.Member("served_status", FeatureStatusName(cell.served_status));
    }
    json.Member("stale", cell.is_stale());
    json.Member("parted", cell.is_parted());
    json.EndObject();
  }
  json.EndArray();
  if (!row.why_not_served.empty()) json.Member("why_not_served", row.why_not_served);
  json.Key("changes");
  json.BeginArray();
  for (const std::string& line : row.changes) json.String(line);
  json.EndArray();
  if (row.trained) {
    json.Key("trained");
    WriteExplanation(*row.trained, json);
  }
  if (row.served) {
    json.Key("served");
    WriteExplanation(*row.served, json);
  }
  if (row.parting) {
    json.Key("parting");
    json.BeginObject(JsonWriter::Layout::kInline);
    json.Member("trained_step", static_cast<uint64_t>(row.parting->first + 1));
    json.Member("served_step", static_cast<uint64_t>(row.parting->second + 1));
    json.EndObject();
  }
  json.EndObject();
  return std::move(json).Finish();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
