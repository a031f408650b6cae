#include "larder/io/duckdb_reader.h"

#include <cstdlib>
#include <string>

#include "io/folder.h"
#include "io/text_source.h"
#include "larder/io/source_reader.h"
#include "support/catch.h"

namespace {

using larder::DataType;
using larder::TypeId;
using larder_test::ContainsSubstring;
using larder_test::Folder;
using larder_test::MakeField;
using larder_test::MakeSource;

larder::Source Sql(std::string query, std::vector<larder::Field> fields) {
  larder::Source source = MakeSource(std::move(fields));
  source.kind = larder::SourceKind::kSql;
  source.query = std::move(query);
  return source;
}

absl::StatusOr<larder::Batch> Read(const larder::Source& source) {
  larder::TextReadOptions options;
  options.show_values = true;
  LARDER_ASSIGN_OR_RETURN(const auto reader, larder::OpenSource(source, options));
  return larder::ReadAll(*reader);
}

std::string DumpSource(const larder::Source& source) {
  const auto batch = Read(source);
  return batch.ok() ? larder_test::Dump(*batch)
                    : "error: " + std::string(larder::MessageOf(batch.status()));
}

std::string DumpSql(std::string query, std::vector<larder::Field> fields) {
  return DumpSource(Sql(std::move(query), std::move(fields)));
}

// DuckDB is an optional component: without it these tests have nothing to read with.
bool HasDuckDb() {
  const bool has = Read(Sql("SELECT 1 AS a", {MakeField("a", TypeId::kInt32)})).ok();
  if (!has) WARN("DuckDB is not installed: not tested");
  return has;
}

larder::Source WrittenParquet(const Folder& folder, const std::string& name,
                              const std::string& query, std::vector<larder::Field> fields) {
  const std::string path = folder.Path(name);
  CHECK(DumpSql("COPY (" + query + ") TO '" + path + "' (FORMAT parquet); SELECT 1 AS a;\n-- done",
                {MakeField("a", TypeId::kInt32)}) == "1");
  larder::Source source = MakeSource(std::move(fields));
  source.kind = larder::SourceKind::kParquet;
  source.path = path;
  return source;
}

TEST_CASE("without DuckDB a Parquet source says what to install", "[io][duckdb]") {
  const char* before = std::getenv("LARDER_DUCKDB");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("LARDER_DUCKDB", "/nowhere/libduckdb.so", 1);
  const auto read = Read(Sql("SELECT 1 AS a", {MakeField("a", TypeId::kInt32)}));
  if (kept.empty()) {
    ::unsetenv("LARDER_DUCKDB");
  } else {
    ::setenv("LARDER_DUCKDB", kept.c_str(), 1);
  }
  CHECK(read.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK_THAT(std::string(larder::MessageOf(read.status())),
             ContainsSubstring("install libduckdb") && ContainsSubstring("/nowhere/libduckdb.so"));
}

TEST_CASE("every type of a query becomes the declared one", "[io][duckdb]") {
  if (!HasDuckDb()) return;
  CHECK(DumpSql("SELECT * FROM (VALUES (true, 1::TINYINT, 70000::UINTEGER, "
                "18446744073709551615::UBIGINT, 1.5::FLOAT,"
                " 0.1::DOUBLE), (NULL, NULL, NULL, NULL, NULL, 'nan'::DOUBLE)) t(b, i, l, u, f, d)",
                {MakeField("b", TypeId::kBool), MakeField("i", TypeId::kInt32),
                 MakeField("l", TypeId::kInt64), MakeField("u", TypeId::kUint64),
                 MakeField("f", TypeId::kFloat64), MakeField("d", TypeId::kFloat64)}) ==
        "true 1 70000 18446744073709551615 1.5 0.1; null null null null null NaN");
  CHECK(DumpSql("SELECT 'é' || chr(0) AS s, 'twelve bytes and more' AS l, '\\xFF'::BLOB AS b, "
                "''::VARCHAR AS e,"
                " 'ab'::ENUM('ab') AS w",
                {MakeField("s", TypeId::kString), MakeField("l", TypeId::kString),
                 MakeField("b", TypeId::kBytes), MakeField("e", TypeId::kString),
                 MakeField("w", TypeId::kString)}) ==
        std::string("'é\0' 'twelve bytes and more' '\xff' '' 'ab'", 41));
  CHECK(DumpSql("SELECT TIMESTAMP '2025-01-01 00:00:00.000001' AS t, TIMESTAMPTZ '2025-01-01 "
                "00:00:00+01' AS z,"
                " '2025-01-01 00:00:00.123456789'::TIMESTAMP_NS AS n, DATE '2024-02-29' AS d,"
                " INTERVAL '1 day 5 seconds' AS i, 1672531481.5::DECIMAL(18,1) AS s",
                {MakeField("t", TypeId::kTimestamp), MakeField("z", TypeId::kTimestamp),
                 MakeField("n", TypeId::kTimestamp), MakeField("d", TypeId::kDate),
                 MakeField("i", TypeId::kDuration), MakeField("s", TypeId::kTimestamp, "s")}) ==
        "2025-01-01T00:00:00.000001Z 2024-12-31T23:00:00Z 2025-01-01T00:00:00.123456Z 2024-02-29 "
        "1d5s 2023-01-01T00:04:41.5Z");
  CHECK(DumpSql("SELECT [1, NULL, 3]::INTEGER[] AS l, [1.5, 2]::DOUBLE[2] AS v, MAP {'b': 2, 'a': "
                "1} AS m,"
                " []::VARCHAR[] AS e UNION ALL SELECT NULL, NULL, NULL, ['x']",
                {MakeField("l", DataType::List(TypeId::kInt64)),
                 MakeField("v", DataType::Vector(TypeId::kFloat32, 2)),
                 MakeField("m", DataType::Map(TypeId::kInt64)),
                 MakeField("e", DataType::List(TypeId::kString))}) ==
        "[1,null,3] [1.5,2] {\"a\":1,\"b\":2} []; null null null [\"x\"]");
}

TEST_CASE("a time without an offset is of the source's zone", "[io][duckdb]") {
  if (!HasDuckDb()) return;
  larder::Source source =
      Sql("SELECT TIMESTAMP '2025-07-01 12:00:00' AS t", {MakeField("t", TypeId::kTimestamp)});
  source.time_zone = "Europe/Lisbon";
  CHECK(DumpSource(source) == "2025-07-01T11:00:00Z");
}

TEST_CASE("numbers are read without loss, or their row is bad", "[io][duckdb]") {
  if (!HasDuckDb()) return;
  CHECK(DumpSql("SELECT 12345.0::DOUBLE AS i, 7::BIGINT AS n, 1.25::DECIMAL(5,2) AS d",
                {MakeField("i", TypeId::kInt64), MakeField("n", TypeId::kInt32),
                 MakeField("d", TypeId::kFloat64)}) == "12345 7 1.25");
  larder::Source source =
      Sql("SELECT unnest([1, 3000000000, 3])::BIGINT AS n", {MakeField("n", TypeId::kInt32)});
  CHECK(DumpSource(source) ==
        "error: source rows:2: column n: found \"3000000000\", expected int32");
  source.format.strict = false;
  larder::TextReadOptions options;
  const auto reader = larder::OpenSource(source, options);
  REQUIRE(reader.ok());
  larder::Batch batch;
  CHECK((*reader)->Next(&batch).value());
  CHECK(larder_test::Dump(batch) == "1; 3");
  CHECK((*reader)->PlaceOf(1) == "source rows:3");
  CHECK((*reader)->counts().bad_rows == 1);
  CHECK_THAT((*reader)->counts().first_reasons.at(0), !ContainsSubstring("3000000000"));
  CHECK(!(*reader)->Next(&batch).value());
}

TEST_CASE("a column that cannot be the declared type is refused before any row", "[io][duckdb]") {
  if (!HasDuckDb()) return;
  CHECK_THAT(DumpSql("SELECT 1 AS a", {MakeField("a", TypeId::kString)}),
             ContainsSubstring("column a is INTEGER, which cannot be read as string of field a"));
  CHECK_THAT(DumpSql("SELECT {'x': 1} AS a", {MakeField("a", TypeId::kInt64)}),
             ContainsSubstring("column a is STRUCT"));
  CHECK_THAT(DumpSql("SELECT 1 AS amount", {MakeField("amonut", TypeId::kInt64)}),
             ContainsSubstring("needs column amonut") && ContainsSubstring("amount"));
  CHECK_THAT(DumpSql("SELEC 1", {MakeField("a", TypeId::kInt64)}),
             ContainsSubstring("source rows: DuckDB: Parser Error"));
}

TEST_CASE("statements before the last one prepare for it, whatever their texts hold",
          "[io][duckdb]") {
  if (!HasDuckDb()) return;
  CHECK(DumpSql("CREATE TABLE t AS SELECT ';' AS a, 1 AS \"b;c\"; /* ; */ -- ;\n"
                "INSERT INTO t VALUES ('it''s;', 2); SELECT a, \"b;c\" AS b FROM t ORDER BY b DESC "
                "; -- end ;",
                {MakeField("a", TypeId::kString), MakeField("b", TypeId::kInt32)}) ==
        "'it's;' 2; ';' 1");
}

TEST_CASE("Parquet files are read one after another, their hive folders as columns",
          "[io][duckdb]") {
  if (!HasDuckDb()) return;
  const Folder folder;
  const std::vector<larder::Field> fields = {MakeField("id", TypeId::kInt64),
                                             MakeField("day", TypeId::kDate)};
  std::filesystem::create_directories(folder.Path("day=2025-01-02"));
  std::filesystem::create_directories(folder.Path("day=2025-01-01"));
  larder::Source source =
      WrittenParquet(folder, "day=2025-01-02/a.parquet", "SELECT 3 AS id", fields);
  WrittenParquet(folder, "day=2025-01-01/a.parquet", "SELECT unnest(range(1, 3)) AS id", fields);
  source.path = folder.Path("day=*/*.parquet");
  CHECK(DumpSource(source) == "1 2025-01-01; 2 2025-01-01; 3 2025-01-02");
  source.path = folder.Path("*/b.parquet");
  CHECK(Read(source).status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("a large Parquet file comes in batches, every row once and in order", "[io][duckdb]") {
  if (!HasDuckDb()) return;
  const Folder folder;
  constexpr int64_t kRows = 150'000;
  const larder::Source source = WrittenParquet(
      folder, "big.parquet",
      larder::Concat("SELECT i AS id, CASE WHEN i % 3 > 0 THEN i * 0.5 END AS x, 'row ' ||"
                     " i AS s FROM range(",
                     kRows, ") t(i)"),
      {MakeField("id", TypeId::kInt64), MakeField("x", TypeId::kFloat64),
       MakeField("s", TypeId::kString)});
  const auto reader = larder::OpenSource(source);
  REQUIRE(reader.ok());
  larder::Batch batch;
  int64_t next = 0;
  bool same = true;
  while ((*reader)->Next(&batch).value()) {
    CHECK(batch.row_count() <= larder::kBatchRowsMax);
    for (std::size_t row = 0; row < batch.row_count(); ++row, ++next) {
      same = same && batch.column(0).Values<int64_t>()[row] == next &&
             batch.column(1).IsValid(row) == (next % 3 > 0) &&
             batch.column(2).Text(row) == larder::Concat("row ", next);
    }
    CHECK((*reader)->PlaceOf(0) ==
          larder::Concat(source.path, ":", next - static_cast<int64_t>(batch.row_count()) + 1));
  }
  CHECK(same);
  CHECK(next == kRows);
}

TEST_CASE("a damaged Parquet file is refused by name", "[io][duckdb]") {
  if (!HasDuckDb()) return;
  const Folder folder;
  larder::Source source =
      WrittenParquet(folder, "cut.parquet", "SELECT 1 AS id", {MakeField("id", TypeId::kInt64)});
  std::filesystem::resize_file(source.path, std::filesystem::file_size(source.path) / 2);
  CHECK_THAT(DumpSource(source), ContainsSubstring("cut.parquet: DuckDB: "));
}

}  // namespace
