#include "cli/dataset_file.h"

#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "cli/arguments.h"
#include "larder/io/infer.h"
#include "larder/io/rows_writer.h"
#include "larder/io/source_reader.h"

namespace larder::inline LARDER_ABI {
namespace cli {

absl::StatusOr<std::optional<DatasetManifest>> FindManifest(const std::string& dataset) {
  const std::string path = ManifestPath(dataset);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::optional<DatasetManifest>();
  LARDER_ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  absl::StatusOr<DatasetManifest> manifest = DatasetManifest::Parse(text);
  if (!manifest.ok()) return Annotate(manifest.status(), path);
  return std::optional<DatasetManifest>(*std::move(manifest));
}

absl::StatusOr<Batch> ReadDataset(const std::string& path,
                                  const std::vector<ColumnContent>* columns) {
  LARDER_ASSIGN_OR_RETURN(const RowsFormat format, FormatOfPath(path));
  if (IsDense(format)) {
    return FailedPreconditionError(
        path, ": rows are read back from .csv, .tsv, .ndjson, .jsonl and .parquet only");
  }
  Source source;
  source.name = "dataset";
  source.path = path;
  if (columns != nullptr) {
    for (const ColumnContent& column : *columns) {
      Field& field = source.fields.emplace_back();
      field.name = column.name;
      field.type = column.type;
      if (format == RowsFormat::kParquet && column.type.id() == TypeId::kDuration)
        field.unit = "us";
    }
    source.kind = KindOfFile(path);
    if (path.ends_with(".tsv") || path.ends_with(".tsv.gz")) source.format.delimiter = "\t";
  } else {
    LARDER_ASSIGN_OR_RETURN(source, InferSource(path));
  }
  source.format.strict = true;
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader, OpenSource(source));
  return ReadAll(*reader);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
