#include "larder/io/parquet_writer.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "io/duckdb_library.h"
#include "io/folder.h"
#include "io/rows_of_every_type.h"
#include "larder/io/rows_writer.h"
#include "larder/io/source_reader.h"
#include "support/catch.h"
#include "support/random_value.h"

namespace {

using larder::Batch;
using larder::Column;
using larder::DataType;
using larder::TypeId;
using larder_test::ContainsSubstring;
using larder_test::Folder;

bool HasDuckDb() {
  const bool has = larder::DuckDbLibrary::Load().ok();
  if (!has) WARN("DuckDB is not installed: not tested");
  return has;
}

absl::StatusOr<Batch> ReadBack(const std::string& path, const Batch& like) {
  larder::Source source;
  source.name = "written";
  source.kind = larder::SourceKind::kParquet;
  source.path = path;
  source.fields = larder::FieldsOf(like);
  for (larder::Field& field : source.fields) {
    if (field.type.id() == TypeId::kDuration) field.unit = "us";
  }
  LARDER_ASSIGN_OR_RETURN(const auto reader, larder::OpenSource(source));
  return larder::ReadAll(*reader);
}

TEST_CASE("a Parquet file of every type is read back to the same values", "[io][parquet]") {
  if (!HasDuckDb()) return;
  const Folder folder;
  const Batch rows = larder_test::RowsOfEveryType();
  const std::string path = folder.Path("rows.parquet");
  const auto writer = larder::CreateRows(path, larder::FieldsOf(rows), {});
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(rows).ok());
  CHECK(folder.CountFiles() == 1);  // and it has not its name yet
  CHECK(!std::filesystem::exists(path));
  REQUIRE((*writer)->Finish().ok());
  CHECK((*writer)->rows_written() == 3);
  CHECK(folder.CountFiles() == 1);
  const auto back = ReadBack(path, rows);
  INFO(back.status().ToString());
  REQUIRE(back.ok());
  for (std::size_t c = 0; c < rows.column_count(); ++c) {
    INFO(rows.name(c));
    CHECK(back->column(c) == rows.column(c));
  }
}

// DuckDB's infinite times are the ends of the integers, which no reader of ours takes for an instant.
bool IsInfiniteTime(const larder::Value& value) {
  constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
  constexpr int32_t kEndDay = std::numeric_limits<int32_t>::max();
  if (const auto* time = value.As<larder::Timestamp>())
    return time->us == kEnd || time->us == -kEnd;
  if (const auto* date = value.As<larder::Date>())
    return date->days == kEndDay || date->days == -kEndDay;
  return false;
}

TEST_CASE("random columns of any length and batching come back from Parquet",
          "[io][parquet][random]") {
  if (!HasDuckDb()) return;
  larder_test::Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  constexpr int kRounds = 12;
#else
  constexpr int kRounds = 3;
#endif
  for (int round = 0; round < kRounds; ++round) {
    std::vector<DataType> types;
    while (types.size() < 5) {
      const DataType type = larder_test::RandomType(random);
      // Parquet has no durations of its own: lists of them do not come back as such.
      if (type.id() != TypeId::kList || type.element() != TypeId::kDuration) types.push_back(type);
    }
    const Folder folder;
    std::vector<Batch> batches;
    Batch all;
    for (std::size_t c = 0; c < types.size(); ++c)
      REQUIRE(all.AddColumn(larder::Concat("c", c), Column(types[c])).ok());
    const std::vector<larder::Field> fields = larder::FieldsOf(all);
    const std::string path = folder.Path("rows.parquet");
    larder::ParquetWriteOptions options;
    options.durable = false;
    options.row_group_rows = static_cast<std::size_t>(random.Between(1, 3)) * 2048;
    const auto writer = larder::CreateParquet(path, fields, options);
    REQUIRE(writer.ok());
    const int64_t count = random.Between(0, 3);
    for (int64_t b = 0; b < count; ++b) {
      const int64_t rows = random.OneIn(3) ? random.Between(2000, 5000) : random.Between(0, 100);
      Batch batch;
      for (std::size_t c = 0; c < types.size(); ++c) {
        Column column(types[c]);
        for (int64_t i = 0; i < rows; ++i) {
          larder::Value value =
              random.OneIn(4) ? larder::Value() : larder_test::RandomValue(random, types[c]);
          if (IsInfiniteTime(value)) value = larder::Value();
          REQUIRE(column.Append(value).ok());
        }
        for (std::size_t i = 0; i < column.size(); ++i) all.mutable_column(c).AppendFrom(column, i);
        REQUIRE(batch.AddColumn(larder::Concat("c", c), std::move(column)).ok());
      }
      REQUIRE((*writer)->Write(batch).ok());
    }
    REQUIRE((*writer)->Finish().ok());
    const auto back = ReadBack(path, all);
    INFO(back.status().ToString());
    REQUIRE(back.ok());
    for (std::size_t c = 0; c < types.size(); ++c) {
      INFO(types[c].ToString());
      CHECK(back->column(c) == all.column(c));
    }
  }
}

TEST_CASE("a Parquet writer that is not finished leaves nothing, and keeps what was there",
          "[io][parquet]") {
  if (!HasDuckDb()) return;
  const Folder folder;
  const Batch rows = larder_test::RowsOfEveryType();
  const std::string path = folder.Path("rows.parquet");
  {
    const auto writer = larder::CreateRows(path, larder::FieldsOf(rows), {});
    REQUIRE(writer.ok());
    REQUIRE((*writer)->Write(rows).ok());
  }
  CHECK(folder.CountFiles() == 0);
  const auto writer = larder::CreateRows(path, larder::FieldsOf(rows), {});
  REQUIRE(writer.ok());
  CHECK((*writer)->Write(Batch()).code() == absl::StatusCode::kInvalidArgument);
  CHECK(
      larder::CreateRows(folder.Path("no/rows.parquet"), larder::FieldsOf(rows), {}).status().code() ==
      absl::StatusCode::kNotFound);
}

}  // namespace
