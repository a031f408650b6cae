#include "larder/io/duckdb_reader.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/duckdb_cells.h"
#include "io/duckdb_connection.h"
#include "io/duckdb_projection.h"
#include "io/field_names.h"
#include "larder/base/text.h"
#include "larder/column/take_rows.h"
#include "larder/io/remote_path.h"

namespace larder::inline LARDER_ABI {
namespace {

// What one FROM clause gives: a file, or the query.
struct Relation {
  std::string from;
  std::string place;  // in messages
};

class DuckDbReader : public RecordReader {
 public:
  DuckDbReader(const Source& source, const TextReadOptions& options)
      : options_(options),
        source_name_(source.name),
        fields_(source.fields),
        strict_(options.strict.value_or(source.format.strict)) {}

  absl::Status Start(const std::string& time_zone, std::vector<Relation> relations,
                     std::shared_ptr<DuckDbConnection> connection) {
    if (fields_.empty()) return InvalidArgumentError("source ", source_name_, " has no fields");
    options_.batch_rows = std::clamp<std::size_t>(options_.batch_rows, 1, kBatchRowsMax);
    has_zone_ = !time_zone.empty();
    if (has_zone_) {
      LARDER_ASSIGN_OR_RETURN(zone_, TimeZone::Load(time_zone));
      has_zone_ = zone_.name() != "UTC";
    }
    connection_ = std::move(connection);
    relations_ = std::move(relations);
    return OpenNext();
  }

  std::span<const Field> fields() const override { return fields_; }
  const ReadCounts& counts() const override { return counts_; }
  std::string PlaceOf(std::size_t row) const override {
    return row < row_numbers_.size() ? Concat(batch_place_, ":", row_numbers_[row]) : batch_place_;
  }

  absl::StatusOr<bool> Next(Batch* out) override {
    *out = Batch();
    if (!failed_.ok()) return failed_;
    absl::StatusOr<bool> more = ReadBatch(out);
    if (!more.ok()) {
      failed_ = more.status();
      *out = Batch();
    }
    return more;
  }

 private:
  absl::Status OpenNext() {
    const Relation& relation = relations_[next_relation_++];
    rows_.reset();
    LARDER_ASSIGN_OR_RETURN(std::unique_ptr<DuckDbRows> all, Query("*", relation));
    const std::vector<DuckDbColumn> columns = all->columns();
    std::vector<std::string> names;
    for (const DuckDbColumn& column : columns) names.push_back(column.name);
    std::vector<std::string> wanted_sql;
    cells_.clear();
    for (const Field& field : fields_) {
      const std::string& wanted = field.from.empty() ? field.name : field.from;
      const auto at = std::find(names.begin(), names.end(), wanted);
      if (at == names.end()) {
        return InvalidArgumentError(relation.place, ": source ", source_name_, " needs column ",
                                    wanted, ", which is not there", DidYouMean(wanted, names));
      }
      absl::StatusOr<DuckDbProjection> projection =
          ProjectColumn(columns[static_cast<std::size_t>(at - names.begin())], field, has_zone_);
      if (!projection.ok()) return Annotate(projection.status(), relation.place);
      LARDER_ASSIGN_OR_RETURN(DuckDbCells cells, DuckDbCells::Make(*projection, zone_, &nulls_,
                                                                   &notes_, &connection_->api()));
      cells_.push_back(std::move(cells));
      wanted_sql.push_back(std::move(projection->sql));
    }
    all.reset();
    LARDER_ASSIGN_OR_RETURN(rows_, Query(Join(wanted_sql, ", "), relation));
    place_ = relation.place;
    next_number_ = 1;
    ++counts_.files;
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<DuckDbRows>> Query(const std::string& select,
                                                    const Relation& relation) {
    auto rows = connection_->Query(Concat("SELECT ", select, " FROM ", relation.from));
    if (!rows.ok()) return Annotate(rows.status(), relation.place);
    return rows;
  }

  // A batch holds rows of one relation.
  absl::StatusOr<bool> ReadBatch(Batch* out) {
    for (;;) {
      row_numbers_.clear();
      bad_.clear();
      batch_place_ = place_;
      bool ended = false;
      while (row_numbers_.size() + kChunkRows <= std::max(options_.batch_rows, kChunkRows)) {
        absl::StatusOr<std::optional<DuckDbChunk>> chunk = rows_->Next();
        if (!chunk.ok()) return Annotate(chunk.status(), place_);
        ended = !chunk->has_value();
        if (ended) break;
        LARDER_RETURN_IF_ERROR(TakeChunk(**chunk));
      }
      const bool some = !row_numbers_.empty();
      if (some) LARDER_RETURN_IF_ERROR(MakeBatch(out));
      if (!row_numbers_.empty()) return true;
      if (!ended) continue;  // every row was bad
      if (next_relation_ >= relations_.size()) return false;
      LARDER_RETURN_IF_ERROR(OpenNext());
    }
  }

  absl::Status TakeChunk(const DuckDbChunk& chunk) {
    const std::size_t rows = chunk.row_count();
    const std::size_t before = row_numbers_.size();
    for (std::size_t i = 0; i < rows; ++i) row_numbers_.push_back(next_number_++);
    bad_.resize(before + rows, false);
    for (std::size_t c = 0; c < cells_.size(); ++c) {
      const auto refuse = [&](std::size_t row, std::string_view found) {
        if (!bad_[before + row]) Note(c, row_numbers_[before + row], found);
        bad_[before + row] = true;
      };
      cells_[c].Take(chunk.vector(c), rows, refuse);
    }
    return failure_;
  }

  void Note(std::size_t field, int64_t number, std::string_view found) {
    const std::string& name =
        fields_[field].from.empty() ? fields_[field].name : fields_[field].from;
    const std::string shown = options_.show_values
                                  ? Quoted(found.substr(0, 80))
                                  : Concat("text of ", found.size(), " bytes (hidden)");
    std::string reason = Concat(place_, ":", number, ": column ", name, ": found ", shown,
                                ", expected ", cells_[field].Expected());
    if (strict_ && failure_.ok()) failure_ = InvalidArgumentError(reason);
    counts_.AddBadRow(std::move(reason));
  }

  absl::Status MakeBatch(Batch* out) {
    Batch batch;
    for (std::size_t i = 0; i < fields_.size(); ++i)
      LARDER_RETURN_IF_ERROR(batch.AddColumn(fields_[i].name, cells_[i].Finish()));
    std::vector<std::size_t> kept;
    for (std::size_t i = 0; i < bad_.size(); ++i) {
      if (!bad_[i]) kept.push_back(i);
    }
    if (kept.size() < bad_.size()) {
      batch = TakeRows(batch, kept);
      for (std::size_t i = 0; i < kept.size(); ++i) row_numbers_[i] = row_numbers_[kept[i]];
      row_numbers_.resize(kept.size());
    }
    *out = std::move(batch);
    counts_.rows += static_cast<int64_t>(kept.size());
    counts_.floored_timestamps = notes_.floored_timestamps;
    counts_.integral_decimals = notes_.integral_decimals;
    return absl::OkStatus();
  }

  static constexpr std::size_t kChunkRows = 2048;  // DuckDB's own

  TextReadOptions options_;
  std::string source_name_;
  std::vector<Field> fields_;
  bool strict_;
  TimeZone zone_;
  bool has_zone_ = false;
  NullTokens nulls_;
  TextNotes notes_;
  ReadCounts counts_;
  absl::Status failed_;
  absl::Status failure_;  // of a strict reader, in the chunk at hand

  std::vector<Relation> relations_;
  std::size_t next_relation_ = 0;
  std::shared_ptr<DuckDbConnection> connection_;
  std::unique_ptr<DuckDbRows> rows_;
  std::string place_;
  int64_t next_number_ = 1;

  std::vector<DuckDbCells> cells_;
  std::string batch_place_;
  std::vector<int64_t> row_numbers_;
  std::vector<bool> bad_;
};

absl::StatusOr<std::vector<std::string>> ParquetPaths(const std::string& path,
                                                      const std::string& base_path) {
  if (IsRemotePath(path)) return std::vector<std::string>{path};
  return ExpandPath(path, base_path);
}

std::string ReadParquetSql(const std::string& path) {
  return Concat("read_parquet(", SqlText(path), ", hive_partitioning = true)");
}

}  // namespace

absl::StatusOr<Source> InferParquet(const std::string& path, const std::string& base_path) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> paths, ParquetPaths(path, base_path));
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<DuckDbConnection> connection,
                          DuckDbConnection::Open());
  auto rows = connection->Query(Concat("SELECT * FROM ", ReadParquetSql(paths[0])));
  if (!rows.ok()) return Annotate(rows.status(), paths[0]);
  Source source;
  source.kind = SourceKind::kParquet;
  source.path = path;
  FieldNamer namer;
  for (const DuckDbColumn& column : (*rows)->columns()) namer.Reserve(column.name);
  std::vector<std::string> times;
  for (const DuckDbColumn& column : (*rows)->columns()) {
    const absl::StatusOr<DataType> type = NaturalType(column);
    if (!type.ok()) continue;
    Field field = namer.MakeField(column.name, *type);
    if (type->id() == TypeId::kTimestamp) times.push_back(field.name);
    source.fields.push_back(std::move(field));
  }
  source.name = SourceNameOf(path);
  if (times.size() == 1) source.event_time = times[0];
  return source;
}

absl::StatusOr<std::unique_ptr<RecordReader>> OpenParquet(const Source& source,
                                                          const TextReadOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                          ParquetPaths(source.path, options.base_path));
  absl::StatusOr<std::shared_ptr<DuckDbConnection>> connection = DuckDbConnection::Open();
  if (!connection.ok()) return Annotate(connection.status(), Concat("source ", source.name));
  std::vector<Relation> relations;
  for (const std::string& path : paths) relations.push_back({ReadParquetSql(path), path});
  auto reader = std::make_unique<DuckDbReader>(source, options);
  LARDER_RETURN_IF_ERROR(
      reader->Start(source.time_zone, std::move(relations), *std::move(connection)));
  return reader;
}

absl::StatusOr<std::unique_ptr<RecordReader>> OpenSql(const Source& source,
                                                      const TextReadOptions& options) {
  DuckDbOptions database;
  database.file_search_path = options.base_path;
  absl::StatusOr<std::shared_ptr<DuckDbConnection>> connection = DuckDbConnection::Open(database);
  const std::string place = Concat("source ", source.name);
  if (!connection.ok()) return Annotate(connection.status(), place);
  const auto [before, query] = PartLastStatement(source.query);
  if (!before.empty()) LARDER_RETURN_IF_ERROR(Annotate((*connection)->Run(before), place));
  auto reader = std::make_unique<DuckDbReader>(source, options);
  // A line end, should the query close with a comment.
  LARDER_RETURN_IF_ERROR(reader->Start(source.time_zone, {{Concat("(", query, "\n)"), place}},
                                       *std::move(connection)));
  return reader;
}

}  // namespace larder::inline LARDER_ABI
