// get-historical-features.
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/arguments.h"
#include "cli/audit_output.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/json_writer.h"
#include "cli/percent.h"
#include "cli/progress_line.h"
#include "cli/table.h"
#include "cli/training_output.h"
#include "cli/training_writer.h"
#include "larder/io/record_reader.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

std::string_view KnownAtName(KnownAt known_at) {
  return known_at == KnownAt::kSpine ? "spine" : "any";
}

absl::StatusOr<LeakageAudit> ParseAudit(std::string_view text) {
  if (text.empty()) return LeakageAudit::kNone;
  if (text == "fail") return LeakageAudit::kFail;
  if (text == "report") return LeakageAudit::kReport;
  return UsageError("--audit: expected fail or report, found ", Quoted(text));
}

int64_t NullsOf(const DatasetContent& made, const std::string& name) {
  for (const ColumnContent& column : made.columns) {
    if (column.name == name) return column.nulls;
  }
  return 0;
}

// `512M`: bytes, or so many kibi-, mebi- or gibibytes. Empty: 0.
absl::StatusOr<uint64_t> ParseMemory(std::string_view text) {
  if (text.empty()) return 0;
  std::string_view digits = text;
  unsigned shift = 0;
  for (const char unit : {'K', 'M', 'G'}) {
    shift += 10;
    if (!text.ends_with(unit)) continue;
    digits.remove_suffix(1);
    break;
  }
  if (digits.size() == text.size()) shift = 0;
  const std::optional<uint64_t> number = ParseNumber(digits);
  if (!number || *number == 0 || *number > (uint64_t{1} << 50U >> shift))
    return UsageError("--memory: expected a size such as 512M or 2G, found ", Quoted(text));
  return *number << shift;
}

std::string LabelText(const WrittenPart& part) {
  std::vector<std::string> texts;
  for (const auto& [value, rows] : part.label_counts) {
    const std::string share =
        PercentText(static_cast<std::size_t>(rows), static_cast<std::size_t>(part.content.rows));
    texts.push_back(Concat(value, " ", rows, " (", share, ")"));
  }
  return texts.empty() ? "" : Concat("  label ", Join(texts, ", "));
}

void PrintTable(const TrainingWriter& written, Console& console) {
  const TrainingSet& set = written.set();
  const DatasetContent& made = written.made();
  for (const WrittenPart& part : written.parts()) {
    console.out << part.content.rows << " rows, " << part.content.columns.size()
                << " columns: " << Printable(part.path) << Printable(LabelText(part)) << '\n';
  }
  console.out << (set.service.empty() ? "" : Concat(Printable(set.service), "  ")) << "revision "
              << set.revision << "  time column " << Printable(set.time_column) << '\n'
              << "sha256 " << made.sha256 << " of the " << made.rows << " rows made\n";
  if (written.resumed_rows() > 0) {
    console.out << "resumed behind " << written.resumed_rows()
                << " rows; the counts of views are of those that were missing\n";
  }
  console.out << '\n';
  Table views({"view", "known at", "found", "outside max age", "not found", "null keys", "ties",
               "other known_at changes"});
  for (const TrainingViewReport& view : set.views) {
    const JoinCounts& counts = view.counts;
    views.AddRow({view.alias.empty() || view.view.starts_with(Concat(view.alias, "@"))
                      ? view.view
                      : Concat(view.view, " as ", view.alias),
                  std::string(KnownAtName(view.known_at)), Concat(counts.rows_found),
                  Concat(counts.rows_outside_max_age), Concat(counts.rows_not_found),
                  Concat(counts.rows_null_key), Concat(counts.rows_ambiguous),
                  counts.cells_changed_by_other_known_at
                      ? Concat(*counts.cells_changed_by_other_known_at, " cells")
                  : view.from_store ? "not counted"
                                    : "event time only"});
  }
  if (!set.views.empty()) console.out << views.ToText() << '\n';
  Table features({"feature", "nulls", "null rate"});
  for (const TrainingFeature& feature : set.features) {
    const int64_t nulls = NullsOf(made, feature.name);
    features.AddRow(
        {feature.name, Concat(nulls),
         PercentText(static_cast<std::size_t>(nulls), static_cast<std::size_t>(made.rows))});
  }
  if (!set.features.empty()) console.out << features.ToText();
  for (const TrainingViewReport& view : set.views) {
    if (view.counts.cells_refused > 0) {
      console.out << Printable(view.view) << ": " << view.counts.cells_refused
                  << " window values are null, their exact answer out of bounds\n";
    }
    if (!view.timeless) continue;
    console.out << "warning: " << Printable(view.view)
                << " is timeless: its values may come from after a row's time\n";
  }
}

void PrintParts(const std::vector<WrittenPart>& parts, JsonWriter* json) {
  json->Key("parts");
  json->BeginArray();
  for (const WrittenPart& part : parts) {
    json->BeginObject();
    json->Member("name", part.name);
    json->Member("output", part.path);
    json->Member("manifest", ManifestPath(part.path));
    json->Member("rows", part.content.rows);
    json->Member("sha256", part.content.sha256);
    json->Key("labels");
    json->BeginArray();
    for (const auto& [value, rows] : part.label_counts) {
      json->BeginObject(JsonWriter::Layout::kInline);
      json->Member("value", value);
      json->Member("rows", rows);
      json->EndObject();
    }
    json->EndArray();
    json->EndObject();
  }
  json->EndArray();
}

void PrintJson(const TrainingWriter& written, const std::string& path, Console& console) {
  const TrainingSet& set = written.set();
  const DatasetContent& made = written.made();
  JsonWriter json;
  json.BeginObject();
  json.Member("output", path);
  json.Member("rows", made.rows);
  json.Member("rows_resumed", written.resumed_rows());
  json.Member("columns", set.rows.column_count());
  json.Member("service", set.service);
  json.Member("revision", set.revision);
  json.Member("time_column", set.time_column);
  json.Member("sha256", made.sha256);
  PrintParts(written.parts(), &json);
  json.Key("views");
  json.BeginArray();
  for (const TrainingViewReport& view : set.views) {
    const JoinCounts& counts = view.counts;
    json.BeginObject();
    json.Member("view", view.view);
    json.Member("alias", view.alias);
    json.Member("known_at", KnownAtName(view.known_at));
    json.Member("timeless", view.timeless);
    json.Member("events", counts.events);
    json.Member("rows_found", counts.rows_found);
    json.Member("rows_outside_max_age", counts.rows_outside_max_age);
    json.Member("rows_not_found", counts.rows_not_found);
    json.Member("rows_null_key", counts.rows_null_key);
    json.Member("rows_ambiguous", counts.rows_ambiguous);
    json.Member("cells_refused", counts.cells_refused);
    json.Key("cells_changed_by_other_known_at");
    if (counts.cells_changed_by_other_known_at) {
      json.Number(*counts.cells_changed_by_other_known_at);
    } else {
      json.Null();
    }
    json.EndObject();
  }
  json.EndArray();
  json.Key("features");
  json.BeginArray();
  for (const TrainingFeature& feature : set.features) {
    const int64_t nulls = NullsOf(made, feature.name);
    json.BeginObject(JsonWriter::Layout::kInline);
    json.Member("name", feature.name);
    json.Member("nulls", nulls);
    json.Member("null_rate",
                made.rows == 0 ? 0.0 : static_cast<double>(nulls) / static_cast<double>(made.rows));
    json.EndObject();
  }
  json.EndArray();
  if (set.leakage) PrintAuditJson(*set.leakage, AuditPath(path), &json);
  json.EndObject();
  console.out << std::move(json).Finish();
}

// Shows how far it is, and stops at Ctrl-C.
absl::Status Build(const FeatureStore& store, HistoricalRequest request, RecordReader& spine,
                   TrainingWriter& writer, Console& console) {
  const InterruptGuard interrupt;
  ProgressLine line(console);
  request.progress = [&](const TrainingProgress& now) {
    if (line.is_shown() && now.view.empty()) {
      line.Show(Concat(now.rows, " of ", now.all_rows, " rows"));
    } else if (line.is_shown()) {
      line.Show(Concat(now.view, ": ", now.events, " events read, ", now.rows, " of ", now.all_rows,
                       " rows joined"));
    }
    return interrupt.Check();
  };
  const absl::Status made = store.StreamHistoricalFeatures(request, spine, writer);
  LARDER_RETURN_IF_ERROR(interrupt.Check());  // without what was at work then
  return made.ok() ? writer.Finish() : made;
}

}  // namespace

absl::Status GetHistoricalFeatures(const HistoricalArguments& arguments, Console& console) {
  if (arguments.service.empty() == arguments.features.empty())
    return UsageError("give either --service or --feature");
  if (arguments.full_feature_names && arguments.features.empty()) {
    return UsageError(
        "--full-feature-names goes with --feature; a service says itself how its outputs are "
        "named");
  }
  HistoricalRequest request;
  LARDER_ASSIGN_OR_RETURN(request.known_at, ParseKnownAt(arguments.known_at));
  LARDER_ASSIGN_OR_RETURN(request.memory_budget, ParseMemory(arguments.memory));
  LARDER_ASSIGN_OR_RETURN(request.leakage, ParseAudit(arguments.audit));
  if (request.leakage != LeakageAudit::kNone &&
      (request.memory_budget > 0 || arguments.output.resume))
    return UsageError("--audit needs all rows at once: it goes without --memory and --resume");
  LARDER_RETURN_IF_ERROR(CheckOutput(arguments.output, request.leakage != LeakageAudit::kNone));
  const std::filesystem::path folder = std::filesystem::path(arguments.output.file).parent_path();
  request.temporary_folder = folder.empty() ? "." : folder.string();
  request.what.project = arguments.target.project;
  request.what.service = arguments.service;
  request.what.features = arguments.features;
  request.what.full_feature_names = arguments.full_feature_names;
  request.time_column = arguments.time_column;
  request.thread_count = arguments.thread_count;
  request.manifest = true;
  if (!arguments.output.label.empty()) request.labels.push_back(arguments.output.label);

  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  TrainingWriter writer(arguments.output, console);
  if (arguments.output.resume) {
    LARDER_ASSIGN_OR_RETURN(request.first_row, writer.Resume());
  }
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> spine,
                          store.OpenSpine(arguments.spine_file, &request));
  LARDER_RETURN_IF_ERROR(Build(store, request, *spine, writer, console));
  if (arguments.format == Format::kJson) {
    PrintJson(writer, arguments.output.file, console);
  } else {
    PrintTable(writer, console);
    if (writer.set().leakage)
      PrintAuditTable(*writer.set().leakage, AuditPath(arguments.output.file), console);
  }
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
