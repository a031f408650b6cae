// get-historical-features.
#include <optional>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/json_writer.h"
#include "cli/percent.h"
#include "cli/progress_line.h"
#include "cli/table.h"
#include "cli/training_output.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

std::string_view KnownAtName(KnownAt known_at) {
  return known_at == KnownAt::kSpine ? "spine" : "any";
}

absl::StatusOr<std::optional<KnownAt>> ParseKnownAt(std::string_view text) {
  if (text.empty()) return std::optional<KnownAt>();
  if (text == "spine") return std::optional(KnownAt::kSpine);
  if (text == "any") return std::optional(KnownAt::kAny);
  return UsageError("--known-at: expected spine or any, found ", Quoted(text));
}

std::size_t NullsOf(const TrainingSet& set, const std::string& name) {
  const Column* column = set.rows.Find(name);
  return column == nullptr ? 0 : column->CountNulls();
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

void PrintTable(const TrainingSet& set, const std::vector<WrittenPart>& parts, Console& console) {
  for (const WrittenPart& part : parts) {
    console.out << part.content.rows << " rows, " << part.content.columns.size()
                << " columns: " << Printable(part.path) << Printable(LabelText(part)) << '\n';
  }
  console.out << (set.service.empty() ? "" : Concat(Printable(set.service), "  ")) << "revision "
              << set.revision << "  time column " << Printable(set.time_column) << '\n'
              << "sha256 " << set.manifest->content.sha256 << " of the " << set.rows.row_count()
              << " rows made\n\n";
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
                      : "event time only"});
  }
  if (!set.views.empty()) console.out << views.ToText() << '\n';
  Table features({"feature", "nulls", "null rate"});
  for (const TrainingFeature& feature : set.features) {
    const std::size_t nulls = NullsOf(set, feature.name);
    features.AddRow({feature.name, Concat(nulls), PercentText(nulls, set.rows.row_count())});
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

void PrintJson(const TrainingSet& set, const std::string& path,
               const std::vector<WrittenPart>& parts, Console& console) {
  JsonWriter json;
  json.BeginObject();
  json.Member("output", path);
  json.Member("rows", set.rows.row_count());
  json.Member("columns", set.rows.column_count());
  json.Member("service", set.service);
  json.Member("revision", set.revision);
  json.Member("time_column", set.time_column);
  json.Member("sha256", set.manifest->content.sha256);
  PrintParts(parts, &json);
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
    const std::size_t nulls = NullsOf(set, feature.name);
    const std::size_t rows = set.rows.row_count();
    json.BeginObject(JsonWriter::Layout::kInline);
    json.Member("name", feature.name);
    json.Member("nulls", nulls);
    json.Member("null_rate",
                rows == 0 ? 0.0 : static_cast<double>(nulls) / static_cast<double>(rows));
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  console.out << std::move(json).Finish();
}

// Shows how far it is, and stops at Ctrl-C.
absl::StatusOr<TrainingSet> Build(const FeatureStore& store, HistoricalRequest* request,
                                  Console& console) {
  const InterruptGuard interrupt;
  ProgressLine line(console);
  request->progress = [&](const TrainingProgress& now) {
    if (line.is_shown()) {
      line.Show(Concat(now.view, ": ", now.events, " events read, ", now.rows, " of ", now.all_rows,
                       " rows joined"));
    }
    return interrupt.Check();
  };
  absl::StatusOr<TrainingSet> set = store.GetHistoricalFeatures(*request);
  request->progress = nullptr;
  return set;
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
  LARDER_RETURN_IF_ERROR(CheckOutput(arguments.output));
  request.what.project = arguments.target.project;
  request.what.service = arguments.service;
  request.what.features = arguments.features;
  request.what.full_feature_names = arguments.full_feature_names;
  request.time_column = arguments.time_column;
  request.thread_count = arguments.thread_count;
  request.manifest = true;

  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_RETURN_IF_ERROR(store.LoadSpine(arguments.spine_file, &request));
  LARDER_ASSIGN_OR_RETURN(const TrainingSet set, Build(store, &request, console));
  LARDER_ASSIGN_OR_RETURN(const std::vector<WrittenPart> parts,
                          WriteTrainingSet(arguments.output, set, console));
  if (arguments.format == Format::kJson) {
    PrintJson(set, arguments.output.file, parts, console);
  } else {
    PrintTable(set, parts, console);
  }
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
