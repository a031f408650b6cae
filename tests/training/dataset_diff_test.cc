#include "larder/training/dataset_diff.h"

#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"

using larder::Batch;
using larder::DatasetDiff;
using larder::TypeId;
using larder::Value;

namespace {

Batch Rows(const std::vector<std::pair<std::string, std::vector<Value>>>& columns) {
  Batch batch;
  for (const auto& [name, values] : columns) {
    larder::DataType type = TypeId::kInt64;
    for (const Value& value : values) {
      if (!value.is_null()) type = value.type();
    }
    larder::Column column(type);
    for (const Value& value : values) REQUIRE(column.Append(value).ok());
    REQUIRE(batch.AddColumn(name, std::move(column)).ok());
  }
  return batch;
}

DatasetDiff Diff(const Batch& before, const Batch& after, larder::DatasetDiffOptions options = {}) {
  auto diff = larder::CompareDatasets(before, after, options);
  INFO(diff.status().ToString());
  REQUIRE(diff.ok());
  return *std::move(diff);
}

const Value kOne = int64_t{1};
const Value kTwo = int64_t{2};
const Value kThree = int64_t{3};

}  // namespace

TEST_CASE("equal data sets have no difference", "[training][diff]") {
  const Batch rows = Rows({{"id", {kOne, kTwo}}, {"x", {0.5, Value()}}});
  CHECK(Diff(rows, rows).empty());
}

TEST_CASE("columns that come, go, move or change type are told", "[training][diff]") {
  const DatasetDiff diff = Diff(Rows({{"a", {kOne}}, {"b", {kOne}}, {"c", {kOne}}, {"d", {kOne}}}),
                                Rows({{"b", {kOne}}, {"a", {kOne}}, {"c", {"x"}}, {"e", {kOne}}}));
  CHECK(diff.removed_columns == std::vector<std::string>{"d"});
  CHECK(diff.added_columns == std::vector<std::string>{"e"});
  CHECK(diff.columns_moved);
  REQUIRE(diff.changed_types.size() == 1);
  CHECK(diff.changed_types[0].column == "c");
  CHECK(diff.changed_types[0].after == TypeId::kString);
  CHECK(diff.changed_columns.empty());
  CHECK_FALSE(diff.empty());
}

TEST_CASE("values are counted, with examples", "[training][diff]") {
  larder::DatasetDiffOptions options;
  options.examples = 1;
  const DatasetDiff diff =
      Diff(Rows({{"x", {0.0, 0.5, Value()}}}), Rows({{"x", {-0.0, 0.5, 1.0}}}), options);
  REQUIRE(diff.changed_columns.size() == 1);
  CHECK(diff.changed_columns[0].column == "x");
  CHECK(diff.changed_columns[0].values == 2);
  REQUIRE(diff.changed_columns[0].examples.size() == 1);
  CHECK(diff.changed_columns[0].examples[0].row_before == 1);
  CHECK(diff.changed_columns[0].examples[0].after == Value(-0.0));
}

TEST_CASE("rows without a key are matched by place", "[training][diff]") {
  const DatasetDiff diff = Diff(Rows({{"x", {kOne, kTwo, kThree}}}), Rows({{"x", {kTwo}}}));
  CHECK(diff.removed_rows == 2);
  CHECK(diff.removed_examples == std::vector<std::size_t>{2, 3});
  CHECK(diff.changed_columns[0].values == 1);
}

TEST_CASE("rows with a key are matched wherever they stand, repeated keys in order",
          "[training][diff]") {
  larder::DatasetDiffOptions options;
  options.keys = {"id"};
  const Batch before = Rows({{"id", {kOne, kOne, kTwo, Value()}}, {"x", {"a", "b", "c", "d"}}});
  const Batch after = Rows({{"id", {Value(), kOne, kThree, kOne}}, {"x", {"d", "a", "n", "B"}}});
  const DatasetDiff diff = Diff(before, after, options);
  CHECK(diff.removed_rows == 1);
  CHECK(diff.removed_examples == std::vector<std::size_t>{3});
  CHECK(diff.added_rows == 1);
  CHECK(diff.added_examples == std::vector<std::size_t>{3});
  CHECK(diff.rows_moved);
  REQUIRE(diff.changed_columns.size() == 1);
  CHECK(diff.changed_columns[0].values == 1);
  CHECK(diff.changed_columns[0].examples[0].row_before == 2);
  CHECK(diff.changed_columns[0].examples[0].row_after == 4);
  options.keys = {"idd"};
  CHECK_FALSE(larder::CompareDatasets(before, after, options).ok());
}
