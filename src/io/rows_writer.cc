#include "larder/io/rows_writer.h"

#include <cstddef>
#include <utility>

#include "larder/base/text.h"
#include "larder/io/csv_writer.h"
#include "larder/io/ndjson_writer.h"
#include "larder/io/parquet_writer.h"

namespace larder::inline LARDER_ABI {
namespace {

std::string_view WithoutGzip(std::string_view path) {
  return path.ends_with(".gz") ? path.substr(0, path.size() - 3) : path;
}

}  // namespace

absl::StatusOr<RowsFormat> FormatOfPath(std::string_view path) {
  const std::string_view name = WithoutGzip(path);
  if (name.ends_with(".csv") || name.ends_with(".tsv")) return RowsFormat::kCsv;
  if (name.ends_with(".ndjson") || name.ends_with(".jsonl")) return RowsFormat::kNdjson;
  if (name.ends_with(".libsvm") || name.ends_with(".svm")) return RowsFormat::kLibsvm;
  if (path.ends_with(".npy")) return RowsFormat::kNpy;
  if (path.ends_with(".npz")) return RowsFormat::kNpz;
  if (path.ends_with(".parquet")) return RowsFormat::kParquet;
  return InvalidArgumentError("the name of an output says its format: ", path,
                              " ends in none of .csv, .tsv, .ndjson, .jsonl, .libsvm, .svm (each"
                              " perhaps with .gz), .npy, .npz, .parquet");
}

absl::StatusOr<std::unique_ptr<RecordWriter>> CreateRows(const std::string& path,
                                                         std::span<const Field> fields,
                                                         const DenseOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const RowsFormat format, FormatOfPath(path));
  switch (format) {
    case RowsFormat::kNdjson:
      return CreateNdjson(path, fields, {options.durable});
    case RowsFormat::kNpy:
      return CreateNpy(path, fields, options);
    case RowsFormat::kNpz:
      return CreateNpz(path, fields, options);
    case RowsFormat::kLibsvm:
      return CreateLibsvm(path, fields, options);
    case RowsFormat::kParquet: {
      ParquetWriteOptions parquet;
      parquet.durable = options.durable;
      return CreateParquet(path, fields, parquet);
    }
    case RowsFormat::kCsv:
      break;
  }
  CsvWriteOptions csv;
  if (WithoutGzip(path).ends_with(".tsv")) csv.delimiter = '\t';
  csv.durable = options.durable;
  return CreateCsv(path, fields, csv);
}

std::vector<Field> FieldsOf(const Batch& batch) {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < batch.column_count(); ++i) {
    Field field;
    field.name = batch.name(i);
    field.type = batch.column(i).type();
    fields.push_back(std::move(field));
  }
  return fields;
}

}  // namespace larder::inline LARDER_ABI
