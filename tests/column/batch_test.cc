#include "larder/column/batch.h"

#include "support/catch.h"
#include "support/random_value.h"

namespace larder {
namespace {

Field MakeField(std::string name, DataType type) {
  Field field;
  field.name = std::move(name);
  field.type = type;
  return field;
}

const std::vector<Field>& DriverFields() {
  static const std::vector<Field> kFields = {MakeField("driver_id", TypeId::kInt64),
                                             MakeField("conv_rate", TypeId::kFloat32),
                                             MakeField("city", TypeId::kString)};
  return kFields;
}

TEST_CASE("rows become columns in the fields' order, whatever theirs is", "[column][batch]") {
  const std::vector<Row> rows = {
      {{"driver_id", 1001}, {"conv_rate", 0.5F}, {"city", "Graz"}},
      {{"city", "Linz"}, {"driver_id", int64_t{1002}}},
      {},
      {{"conv_rate", Value()}, {"driver_id", 1004}},
  };
  const auto batch = Batch::FromRows(rows, DriverFields());
  REQUIRE(batch.ok());
  CHECK(batch->row_count() == 4);
  CHECK(batch->column_count() == 3);
  CHECK(batch->name(0) == "driver_id");
  CHECK(batch->RowAt(0) == Row{{"driver_id", int64_t{1001}}, {"conv_rate", 0.5F}, {"city", "Graz"}});
  CHECK(batch->RowAt(1) == Row{{"driver_id", int64_t{1002}}, {"conv_rate", {}}, {"city", "Linz"}});
  CHECK(batch->RowAt(2) == Row{{"driver_id", {}}, {"conv_rate", {}}, {"city", {}}});
  CHECK(batch->column(1).CountNulls() == 3);
}

TEST_CASE("no rows give empty columns, no fields give no columns", "[column][batch]") {
  const auto empty = Batch::FromRows({}, DriverFields());
  REQUIRE(empty.ok());
  CHECK(empty->row_count() == 0);
  CHECK(empty->column_count() == 3);
  const auto none = Batch::FromRows({}, {});
  REQUIRE(none.ok());
  CHECK(none->row_count() == 0);
  CHECK(none->column_count() == 0);
}

TEST_CASE("a bad row is named with its column, what was found and what was expected",
          "[column][batch]") {
  struct Case {
    Row row;
    std::string message;
  };
  const std::vector<Case> cases = {
      {{{"driver_id", "7"}}, "row 1, column \"driver_id\": cannot convert string to int64"},
      {{{"conv_rate", 0.1}}, "row 1, column \"conv_rate\": cannot convert float64 0.1 to float32"},
      {{{"city", "\xFF"}}, "row 1, column \"city\": cannot convert string to string: not UTF-8"},
      {{{"conv_rat", 0.1F}}, "row 1: unknown column \"conv_rat\" (did you mean \"conv_rate\"?)"},
      {{{"city", "a"}, {"city", "b"}}, "row 1: column \"city\" appears twice"},
      {{{"city", {}}, {"city", "b"}}, "row 1: column \"city\" appears twice"},
  };
  for (const Case& c : cases) {
    const auto batch = Batch::FromRows(std::vector<Row>{{{"driver_id", 1}}, c.row}, DriverFields());
    CHECK(batch.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(MessageOf(batch.status()) == c.message);
  }
}

TEST_CASE("columns are found by name and added only when they fit", "[column][batch]") {
  Batch batch;
  Column two(TypeId::kInt64);
  two.AppendFixed(int64_t{1});
  two.AppendNull();
  REQUIRE(batch.AddColumn("a", two).ok());
  REQUIRE(batch.AddColumn("b", two).ok());
  CHECK(batch.IndexOf("b") == 1);
  CHECK_FALSE(batch.IndexOf("c").has_value());
  CHECK(batch.Find("a") == &batch.column(0));
  CHECK(batch.Find("c") == nullptr);
  CHECK(batch.AddColumn("a", two).code() == absl::StatusCode::kAlreadyExists);
  const absl::Status status = batch.AddColumn("c", Column(TypeId::kInt64));
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK(MessageOf(status) == "column \"c\": found 0 rows, expected 2");
  CHECK(batch.column_count() == 2);
}

TEST_CASE("a field named twice is refused", "[column][batch]") {
  const std::vector<Field> fields = {MakeField("a", TypeId::kInt64), MakeField("a", TypeId::kInt64)};
  CHECK(Batch::FromRows({}, fields).status().code() == absl::StatusCode::kAlreadyExists);
}

TEST_CASE("random rows come back from their batch", "[column][batch][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int round = 0; round < 100; ++round) {
    std::vector<Field> fields;
    for (int64_t n = random.Between(1, 6); n > 0; --n) {
      fields.push_back(MakeField("f" + std::to_string(n), larder_test::RandomType(random)));
    }
    std::vector<Row> rows(static_cast<std::size_t>(random.Between(0, 40)));
    std::vector<Row> expected;
    for (Row& row : rows) {
      Row full;
      for (const Field& field : fields) {
        const Value value = random.OneIn(4) ? Value() : larder_test::RandomValue(random, field.type);
        full.emplace_back(field.name, value);
        if (!value.is_null() || random.OneIn(2)) row.emplace_back(field.name, value);
      }
      std::shuffle(row.begin(), row.end(), random.engine());
      expected.push_back(std::move(full));
    }
    const auto batch = Batch::FromRows(rows, fields);
    REQUIRE(batch.ok());
    REQUIRE(batch->row_count() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) REQUIRE(batch->RowAt(i) == expected[i]);
  }
}

TEST_CASE("a batch cut short and filled again holds what a new one would",
          "[column][batch][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int round = 0; round < 50; ++round) {
    std::vector<Field> fields;
    for (int64_t n = random.Between(1, 6); n > 0; --n) {
      fields.push_back(MakeField("f" + std::to_string(n), larder_test::RandomType(random)));
    }
    const auto random_rows = [&] {
      std::vector<Row> rows(static_cast<std::size_t>(random.Between(0, 80)));
      for (Row& row : rows) {
        for (const Field& field : fields) {
          row.emplace_back(
              field.name, random.OneIn(4) ? Value() : larder_test::RandomValue(random, field.type));
        }
      }
      return rows;
    };
    std::vector<Row> rows = random_rows();
    const std::vector<Row> more = random_rows();
    auto batch = Batch::FromRows(rows, fields);
    const auto behind = Batch::FromRows(more, fields);
    REQUIRE(batch.ok());
    REQUIRE(behind.ok());
    const auto kept = static_cast<std::size_t>(random.Between(0, std::ssize(rows)));
    batch->Truncate(kept);
    batch->AppendRows(*behind);
    rows.resize(kept);
    rows.insert(rows.end(), more.begin(), more.end());
    const auto expected = Batch::FromRows(rows, fields);
    REQUIRE(expected.ok());
    REQUIRE(batch->HasShapeOf(*expected));
    for (std::size_t c = 0; c < fields.size(); ++c)
      REQUIRE(batch->column(c) == expected->column(c));
  }
}

}  // namespace
}  // namespace larder
