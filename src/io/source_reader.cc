#include "larder/io/source_reader.h"

#include "larder/io/duckdb_reader.h"
#include "larder/io/ndjson_reader.h"

namespace larder::inline LARDER_ABI {

SourceKind KindOfFile(std::string_view path) {
  if (path.ends_with(".parquet")) return SourceKind::kParquet;
  if (path.ends_with(".gz")) path.remove_suffix(3);
  const bool is_ndjson = path.ends_with(".ndjson") || path.ends_with(".jsonl");
  return is_ndjson ? SourceKind::kNdjson : SourceKind::kCsv;
}

std::string WhyUnreadable(const Source& source) {
  switch (source.kind) {
    case SourceKind::kCsv:
    case SourceKind::kNdjson:
    case SourceKind::kParquet:
    case SourceKind::kSql:
      return {};
    case SourceKind::kPush:
      return Concat("source ", source.name,
                    " is push only and keeps no history to read: give it a batch_source");
    case SourceKind::kView:
      return Concat(
          "source ", source.name,
          ": resolved before views over views could be read; apply the definitions again");
  }
  return Concat("source ", source.name, " is of no known kind");
}

absl::StatusOr<std::unique_ptr<RecordReader>> OpenSource(const Source& source,
                                                         const TextReadOptions& options) {
  if (source.kind == SourceKind::kCsv) return OpenCsv(source, options);
  if (source.kind == SourceKind::kNdjson) return OpenNdjson(source, options);
  if (source.kind == SourceKind::kParquet) return OpenParquet(source, options);
  if (source.kind == SourceKind::kSql) return OpenSql(source, options);
  if (source.kind == SourceKind::kPush) return FailedPreconditionError(WhyUnreadable(source));
  return UnimplementedError(WhyUnreadable(source));
}

}  // namespace larder::inline LARDER_ABI
