// Reading CSV and writing Parquet against DuckDB on the same rows, one thread each.
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "larder/base/text.h"
#include "larder/io/csv_reader.h"
#include "larder/io/csv_writer.h"
#include "larder/io/parquet_writer.h"
#include "larder/io/rows_writer.h"
#include "training_bars.h"

#ifdef LARDER_HAVE_DUCKDB
#include "support/duckdb_database.h"
#endif

namespace larder_bench {

#ifdef LARDER_HAVE_DUCKDB

namespace {

using larder::Batch;
using larder::Column;
using larder::Concat;
using larder::TypeId;
using larder_test::DuckDbDatabase;

constexpr std::size_t kRows = 1'000'000;

// Columns as events have them: two integers, an instant, three amounts with nulls, a word.
absl::StatusOr<Batch> MakeRows() {
  static constexpr std::string_view kWords[] = {"grocery", "fuel", "travel, abroad", "online",
                                                "café"};
  std::mt19937_64 random(5);
  Batch rows;
  const auto add = [&](const char* name, TypeId type, const auto& append) {
    Column column(type);
    column.Reserve(kRows);
    for (std::size_t i = 0; i < kRows; ++i) append(column);
    return rows.AddColumn(name, std::move(column));
  };
  const auto below = [&](uint64_t n) { return static_cast<int64_t>(random() % n); };
  LARDER_RETURN_IF_ERROR(
      add("id", TypeId::kInt64, [&](Column& c) { c.AppendFixed(below(100'000)); }));
  LARDER_RETURN_IF_ERROR(add("at", TypeId::kTimestamp, [&](Column& c) {
    c.AppendFixed(1'700'000'000'000'000 + below(31'536'000) * 1'000'000);
  }));
  for (const char* name : {"amount", "balance", "score"}) {
    LARDER_RETURN_IF_ERROR(add(name, TypeId::kFloat64, [&](Column& c) {
      if (below(20) == 0) {
        c.AppendNull();
      } else {
        c.AppendFixed(static_cast<double>(below(10'000'000)) / 100.0);
      }
    }));
  }
  LARDER_RETURN_IF_ERROR(add("items", TypeId::kInt64, [&](Column& c) { c.AppendFixed(below(50)); }));
  LARDER_RETURN_IF_ERROR(
      add("kind", TypeId::kString, [&](Column& c) { c.AppendText(kWords[below(5)]); }));
  return rows;
}

absl::Status WriteCsv(const std::string& path, const Batch& rows) {
  larder::CsvWriteOptions options;
  options.durable = false;
  const std::vector<larder::Field> fields = larder::FieldsOf(rows);
  LARDER_ASSIGN_OR_RETURN(const auto writer, larder::CreateCsv(path, fields, options));
  LARDER_RETURN_IF_ERROR(writer->Write(rows));
  return writer->Finish();
}

// All batches kept, as a table would be.
absl::StatusOr<std::vector<Batch>> ReadCsv(const larder::Source& source) {
  LARDER_ASSIGN_OR_RETURN(const auto reader, larder::OpenCsv(source));
  std::vector<Batch> batches;
  for (;;) {
    Batch batch;
    LARDER_ASSIGN_OR_RETURN(const bool more, reader->Next(&batch));
    if (!more) return batches;
    batches.push_back(std::move(batch));
  }
}

absl::Status SameRows(const std::vector<Batch>& ours, const Batch& theirs) {
  std::size_t row = 0;
  for (const Batch& batch : ours) {
    for (std::size_t i = 0; i < batch.row_count(); ++i, ++row) {
      for (std::size_t c = 0; c < batch.column_count(); ++c) {
        if (batch.column(c).ValueAt(i) == theirs.column(c).ValueAt(row)) continue;
        return larder::InternalError("row ", row, ", column ", batch.name(c), ": found ",
                                     larder::FormatValue(batch.column(c).ValueAt(i)), " and ",
                                     larder::FormatValue(theirs.column(c).ValueAt(row)));
      }
    }
  }
  if (row == theirs.row_count()) return absl::OkStatus();
  return larder::InternalError("found ", row, " and ", theirs.row_count(), " rows");
}

absl::Status MeasureCsv(BarRun& run, const Batch& rows, const std::string& path,
                        DuckDbDatabase& database, const std::string& detail) {
  if (!run.Wants("P5")) return absl::OkStatus();
  LARDER_RETURN_IF_ERROR(WriteCsv(path, rows));
  larder::Source source;
  source.name = "rows";
  source.path = path;
  source.fields = larder::FieldsOf(rows);
  const std::string sql = Concat(
      "CREATE OR REPLACE TABLE read AS SELECT * FROM read_csv('", path,
      "', header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', columns = {"
      "'id': 'BIGINT', 'at': 'TIMESTAMP', 'amount': 'DOUBLE', 'balance': 'DOUBLE', 'score': "
      "'DOUBLE',"
      " 'items': 'BIGINT', 'kind': 'VARCHAR'})");
  absl::Status failed;
  const Side ours = [&](benchmark::State& state) {
    for (auto _ : state) {
      auto read = ReadCsv(source);
      failed.Update(read.status());
      benchmark::DoNotOptimize(read);
    }
  };
  const Side theirs = [&](benchmark::State& state) {
    for (auto _ : state) failed.Update(database.Run(sql));
  };
  const auto compare = [&]() -> absl::Status {
    LARDER_ASSIGN_OR_RETURN(const std::vector<Batch> read, ReadCsv(source));
    LARDER_RETURN_IF_ERROR(database.Run(sql));
    LARDER_ASSIGN_OR_RETURN(const Batch table, database.Query("SELECT * FROM read"));
    return SameRows(read, table);
  };
  const auto size = std::filesystem::file_size(path);
  LARDER_RETURN_IF_ERROR(run.Measure("P5", ours, theirs, compare,
                                     Concat(detail, ", ", size / 1'000'000, " MB, 7 columns")));
  return failed;
}

absl::Status MeasureParquet(BarRun& run, const Batch& rows, const std::string& folder,
                            DuckDbDatabase& database, const std::string& detail) {
  if (!run.Wants("P6")) return absl::OkStatus();
  LARDER_RETURN_IF_ERROR(database.PutTable("held", rows));
  const std::string ours_path = folder + "/ours.parquet";
  const std::string theirs_path = folder + "/theirs.parquet";
  const std::string sql = Concat("COPY held TO '", theirs_path,
                                 "' (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)");
  const std::vector<larder::Field> fields = larder::FieldsOf(rows);
  const auto write = [&]() -> absl::Status {
    larder::ParquetWriteOptions options;
    options.durable = false;
    LARDER_ASSIGN_OR_RETURN(const auto writer, larder::CreateParquet(ours_path, fields, options));
    LARDER_RETURN_IF_ERROR(writer->Write(rows));
    return writer->Finish();
  };
  absl::Status failed;
  const Side ours = [&](benchmark::State& state) {
    for (auto _ : state) failed.Update(write());
  };
  const Side theirs = [&](benchmark::State& state) {
    for (auto _ : state) failed.Update(database.Run(sql));
  };
  LARDER_RETURN_IF_ERROR(write());
  LARDER_RETURN_IF_ERROR(database.Run(sql));
  LARDER_ASSIGN_OR_RETURN(
      const Batch differing,
      database.Query(Concat("SELECT count(*) AS n FROM ((SELECT * REPLACE (CAST(\"at\" AS "
                            "TIMESTAMP) AS \"at\") FROM '",
                            ours_path, "') EXCEPT ALL (FROM '", theirs_path, "'))")));
  if (differing.column(0).Values<int64_t>()[0] != 0)
    return larder::InternalError("the Parquet files differ");
  // The bar is on what our hand-over adds.
  const PairStats stats = MeasurePairs(ours, theirs, Sense::kAtMost, run.pair_options());
  run.Record("P6", stats.median - 1, stats.bound - 1,
             Concat(Short(stats.candidate_ns / 1e6), " ms against ",
                    Short(stats.yardstick_ns / 1e6), " ms, ", stats.pairs, " pairs; ", detail));
  return failed;
}

}  // namespace

absl::Status RunFileBars(BarRun& run) {
  if (!run.Wants("P5") && !run.Wants("P6")) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(const Batch rows, MakeRows());
  LARDER_ASSIGN_OR_RETURN(DuckDbDatabase database, DuckDbDatabase::Open());
  LARDER_RETURN_IF_ERROR(database.Run("SET threads = 1"));
  LARDER_ASSIGN_OR_RETURN(const Batch version, database.Query("SELECT version() AS v"));
  const std::string detail = Concat("DuckDB ", version.column(0).Text(0), ", one thread each");
  const std::string& folder = run.options().scratch;
  LARDER_RETURN_IF_ERROR(MeasureCsv(run, rows, folder + "/rows.csv", database, detail));
  return MeasureParquet(run, rows, folder, database, detail);
}

#else

absl::Status RunFileBars(BarRun& run) {
  for (const char* id : {"P5", "P6"}) {
    if (run.Wants(id)) run.RecordNotRun(id, "built without DuckDB: scripts/fetch_duckdb.sh");
  }
  return absl::OkStatus();
}

#endif

}  // namespace larder_bench
