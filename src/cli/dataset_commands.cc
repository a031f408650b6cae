// verify-dataset and diff-datasets.
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/dataset_file.h"
#include "cli/json_writer.h"
#include "larder/base/text.h"
#include "larder/schema/value.h"
#include "larder/training/dataset_content.h"
#include "larder/training/dataset_diff.h"
#include "larder/training/file_identity.h"
#include "larder/training/manifest.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

// ---- verify-dataset

// Why the rows are not those of the manifest; empty when they are, written differently.
std::vector<std::string> CompareContent(const DatasetContent& expected,
                                        const DatasetContent& found) {
  std::vector<std::string> lines;
  if (found.rows != expected.rows)
    lines.push_back(Concat(found.rows, " rows, expected ", expected.rows));
  for (std::size_t c = 0; c < expected.columns.size(); ++c) {
    const ColumnContent& column = expected.columns[c];
    if (found.columns[c] == column || found.rows != expected.rows) continue;
    const int64_t nulls = found.columns[c].nulls;
    lines.push_back(Concat(
        "column ", column.name, ": values differ",
        nulls == column.nulls ? "" : Concat(", ", nulls, " nulls, expected ", column.nulls)));
  }
  return lines;
}

// Differences of the file from its manifest. Empty: it is whole.
std::vector<std::string> CheckFile(const std::string& path, const DatasetManifest& manifest,
                                   const FileIdentity& file) {
  if (manifest.output && manifest.output->file.sha256 == file.sha256) return {};
  const absl::StatusOr<Batch> rows = ReadDataset(path, &manifest.content.columns);
  if (!rows.ok()) return {Concat("its bytes differ; ", MessageOf(rows.status()))};
  std::vector<std::string> lines = CompareContent(manifest.content, ContentOf(*rows));
  if (lines.empty()) lines.emplace_back("its bytes differ, its rows and values do not");
  return lines;
}

// The same of the audit beside it.
std::vector<std::string> CheckAudit(const std::string& path, const DatasetManifest& manifest) {
  if (!manifest.audit || !manifest.audit->file) return {};
  const std::string audit =
      (std::filesystem::path(path).parent_path() / manifest.audit->file->path).string();
  const absl::StatusOr<FileIdentity> found = IdentifyFile(audit);
  if (!found.ok()) return {Concat("its audit: ", MessageOf(found.status()))};
  if (found->sha256 == manifest.audit->file->sha256) return {};
  return {Concat("its audit ", audit, " has other bytes")};
}

// Files the set was made from that are not what they were. They do not make the set wrong: making it again would.
std::vector<std::string> ChangedSources(const DatasetManifest& manifest) {
  std::vector<std::string> lines;
  for (const auto& source : manifest.sources) {
    for (const FileIdentity& file : source.files) {
      if (file.sha256.empty()) continue;
      const absl::StatusOr<FileIdentity> now = IdentifyFile(file.path);
      if (!now.ok()) {
        lines.push_back(Concat("source ", source.name, ": ", MessageOf(now.status())));
      } else if (now->sha256 != file.sha256) {
        lines.push_back(Concat("source ", source.name, ": ", file.path, " has changed since"));
      }
    }
  }
  return lines;
}

// ---- diff-datasets

void PrintStrings(std::string_view name, const std::vector<std::string>& texts, JsonWriter* json) {
  json->Key(name);
  json->BeginArray();
  for (const std::string& text : texts) json->String(text);
  json->EndArray();
}

void PrintDiffJson(const DatasetDiff& diff, const std::vector<std::string>& origins,
                   Console& console) {
  JsonWriter json;
  json.BeginObject();
  json.Member("same", diff.empty());
  PrintStrings("origins", origins, &json);
  json.Member("rows_before", diff.rows_before);
  json.Member("rows_after", diff.rows_after);
  json.Member("removed_rows", diff.removed_rows);
  json.Member("added_rows", diff.added_rows);
  json.Member("rows_moved", diff.rows_moved);
  PrintStrings("removed_columns", diff.removed_columns, &json);
  PrintStrings("added_columns", diff.added_columns, &json);
  json.Member("columns_moved", diff.columns_moved);
  json.Key("changed_types");
  json.BeginArray();
  for (const DatasetDiff::TypeChange& change : diff.changed_types) {
    json.BeginObject(JsonWriter::Layout::kInline);
    json.Member("column", change.column);
    json.Member("before", change.before.ToString());
    json.Member("after", change.after.ToString());
    json.EndObject();
  }
  json.EndArray();
  json.Key("changed_columns");
  json.BeginArray();
  for (const DatasetDiff::ColumnChange& change : diff.changed_columns) {
    json.BeginObject();
    json.Member("column", change.column);
    json.Member("values", change.values);
    json.Key("examples");
    json.BeginArray();
    for (const DatasetDiff::ValueChange& example : change.examples) {
      json.BeginObject(JsonWriter::Layout::kInline);
      json.Member("row_before", example.row_before);
      json.Member("row_after", example.row_after);
      json.Member("before", example.before);
      json.Member("after", example.after);
      json.EndObject();
    }
    json.EndArray();
    json.EndObject();
  }
  json.EndArray();
  json.EndObject();
  console.out << std::move(json).Finish();
}

std::string RowExamples(const std::vector<std::size_t>& rows) {
  return rows.empty() ? std::string() : Concat(", such as row ", Join(rows, ", "));
}

void PrintDiffText(const DatasetDiff& diff, const std::vector<std::string>& origins,
                   Console& console) {
  for (const std::string& line : origins) console.out << "made: " << Printable(line) << '\n';
  for (const std::string& name : diff.removed_columns)
    console.out << "- column " << Printable(name) << '\n';
  for (const std::string& name : diff.added_columns)
    console.out << "+ column " << Printable(name) << '\n';
  for (const DatasetDiff::TypeChange& change : diff.changed_types) {
    console.out << "~ column " << Printable(change.column) << ": " << change.before.ToString()
                << ", now " << change.after.ToString() << "; values not compared\n";
  }
  if (diff.columns_moved) console.out << "~ columns stand in another order\n";
  if (diff.removed_rows > 0)
    console.out << "- rows: " << diff.removed_rows << RowExamples(diff.removed_examples) << '\n';
  if (diff.added_rows > 0)
    console.out << "+ rows: " << diff.added_rows << RowExamples(diff.added_examples) << '\n';
  if (diff.rows_moved) console.out << "~ rows stand in another order\n";
  for (const DatasetDiff::ColumnChange& change : diff.changed_columns) {
    console.out << "~ values of " << Printable(change.column) << ": " << change.values
                << " differ\n";
    for (const DatasetDiff::ValueChange& example : change.examples) {
      console.out << "    row " << example.row_before;
      if (example.row_after != example.row_before)
        console.out << " (now " << example.row_after << ')';
      console.out << ": " << Printable(FormatValue(example.before)) << ", now "
                  << Printable(FormatValue(example.after)) << '\n';
    }
  }
  if (diff.empty()) console.out << "the same columns, rows and values\n";
}

absl::StatusOr<Batch> ReadWithManifest(const std::string& path,
                                       const std::optional<DatasetManifest>& manifest) {
  return ReadDataset(path, manifest ? &manifest->content.columns : nullptr);
}

}  // namespace

absl::Status VerifyDataset(const VerifyDatasetArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const FileIdentity file, IdentifyFile(arguments.file));
  LARDER_ASSIGN_OR_RETURN(const std::optional<DatasetManifest> manifest,
                          FindManifest(arguments.file));
  if (!manifest)
    return NotFoundError("no manifest beside ", arguments.file, ": ", ManifestPath(arguments.file));
  std::vector<std::string> differences = CheckFile(arguments.file, *manifest, file);
  for (std::string& line : CheckAudit(arguments.file, *manifest))
    differences.push_back(std::move(line));
  const std::vector<std::string> sources = ChangedSources(*manifest);
  if (arguments.format == Format::kJson) {
    JsonWriter json;
    json.BeginObject();
    json.Member("file", arguments.file);
    json.Member("ok", differences.empty());
    json.Member("sha256", manifest->content.sha256);
    json.Member("rows", manifest->content.rows);
    PrintStrings("differences", differences, &json);
    PrintStrings("changed_sources", sources, &json);
    json.EndObject();
    console.out << std::move(json).Finish();
  }
  if (!differences.empty()) {
    return DataLossError(arguments.file, " is not what its manifest says:\n  ",
                         Join(differences, "\n  "));
  }
  if (arguments.format != Format::kJson) {
    console.out << Printable(arguments.file)
                << " is what its manifest says: " << manifest->content.rows << " rows, "
                << manifest->content.columns.size() << " columns, sha256 "
                << manifest->content.sha256 << '\n';
    for (const std::string& line : sources) console.out << "note: " << Printable(line) << '\n';
  }
  return absl::OkStatus();
}

absl::Status DiffDatasets(const DiffDatasetsArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const auto manifest_before, FindManifest(arguments.before));
  LARDER_ASSIGN_OR_RETURN(const auto manifest_after, FindManifest(arguments.after));
  std::vector<std::string> origins;
  if (manifest_before && manifest_after)
    origins = CompareManifests(*manifest_before, *manifest_after);
  LARDER_ASSIGN_OR_RETURN(const Batch before, ReadWithManifest(arguments.before, manifest_before));
  LARDER_ASSIGN_OR_RETURN(const Batch after, ReadWithManifest(arguments.after, manifest_after));
  DatasetDiffOptions options;
  options.keys = arguments.keys;
  options.examples = arguments.examples;
  LARDER_ASSIGN_OR_RETURN(const DatasetDiff diff, CompareDatasets(before, after, options));
  if (arguments.format == Format::kJson) {
    PrintDiffJson(diff, origins, console);
  } else {
    PrintDiffText(diff, origins, console);
  }
  if (!diff.empty())
    return FailedPreconditionError(arguments.before, " and ", arguments.after, " differ");
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
