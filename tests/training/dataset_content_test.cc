#include "larder/training/dataset_content.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "larder/column/take_rows.h"
#include "support/catch.h"

using larder::Batch;
using larder::Column;
using larder::ContentOf;
using larder::TypeId;
using larder::Value;

namespace {

Batch OneColumn(const std::string& name, larder::DataType type, const std::vector<Value>& values) {
  Column column(type);
  for (const Value& value : values) REQUIRE(column.Append(value).ok());
  Batch batch;
  REQUIRE(batch.AddColumn(name, std::move(column)).ok());
  return batch;
}

}  // namespace

TEST_CASE("a data set's hash is the one written down", "[training][manifest]") {
  // What was kept beside a file years ago must still match it: this may change only with the format's number.
  const larder::DatasetContent content =
      ContentOf(OneColumn("x", TypeId::kInt64, {int64_t{1}, Value(), int64_t{-1}}));
  // printf '\x01\x01\0\0\0\0\0\0\0\0\x01\xff\xff\xff\xff\xff\xff\xff\xff' | sha256sum
  CHECK(content.columns[0].sha256 ==
        "9e67733a0d6f38e08a6520950dd8a4aa16650e5106e53bc9978bd39a204fda3b");
  // printf 'larder dataset 1\n3\n1 x int64 1 <the column>\n' | sha256sum
  CHECK(content.sha256 == "435ea7a6dfcd94070b066213e31c428d9c500e170750624231210ab229f9ae1a");
  CHECK(content.rows == 3);
  CHECK(content.columns[0].nulls == 1);
}

TEST_CASE("the hash is of rows, however they are cut into batches", "[training][manifest]") {
  Column numbers(TypeId::kFloat64);
  Column texts(TypeId::kString);
  for (int i = 0; i < 3000; ++i) {
    numbers.AppendFixed(0.5 * i);
    texts.AppendText(std::string(static_cast<std::size_t>(i % 50), 'x'));
  }
  Batch all;
  REQUIRE(all.AddColumn("n", numbers).ok());
  REQUIRE(all.AddColumn("t", texts).ok());
  for (const std::size_t step : {1, 7, 2999}) {
    larder::DatasetHasher hasher;
    for (std::size_t begin = 0; begin < all.row_count(); begin += step) {
      Batch part;
      for (std::size_t c = 0; c < 2; ++c) {
        Column column(all.column(c).type());
        for (std::size_t i = begin; i < std::min(begin + step, all.row_count()); ++i)
          column.AppendFrom(all.column(c), i);
        REQUIRE(part.AddColumn(all.name(c), std::move(column)).ok());
      }
      hasher.Add(part);
    }
    CHECK(std::move(hasher).Finish() == ContentOf(all));
  }
}

TEST_CASE("whatever differs in rows differs in the hash", "[training][manifest]") {
  const std::vector<Batch> batches = {
      OneColumn("a", TypeId::kString, {"x", "yz"}),
      OneColumn("b", TypeId::kString, {"x", "yz"}),
      OneColumn("a", TypeId::kString, {"xy", "z"}),
      OneColumn("a", TypeId::kString, {"yz", "x"}),
      OneColumn("a", TypeId::kString, {"x", Value()}),
      OneColumn("a", TypeId::kString, {"x", ""}),
      OneColumn("a", TypeId::kBytes, {larder::Bytes{"x"}, larder::Bytes{"yz"}}),
      OneColumn("a", TypeId::kString, {"x"}),
      OneColumn("a", TypeId::kFloat64, {0.0}),
      OneColumn("a", TypeId::kFloat64, {-0.0}),
      OneColumn("a", larder::DataType::List(TypeId::kInt64),
                {larder::ListValue{TypeId::kInt64, {}}}),
      OneColumn("a", larder::DataType::List(TypeId::kInt64),
                {larder::ListValue{TypeId::kInt64, {Value()}}}),
      OneColumn("a", larder::DataType::List(TypeId::kInt64), {Value()}),
  };
  for (std::size_t i = 0; i < batches.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      CAPTURE(i, j);
      CHECK(ContentOf(batches[i]).sha256 != ContentOf(batches[j]).sha256);
    }
  }
}

TEST_CASE("every NaN is one NaN to the hash, since text has one only", "[training][manifest]") {
  const uint64_t bits = 0xFFF8000000000123;
  double other = 0;
  std::memcpy(&other, &bits, sizeof(other));
  CHECK(ContentOf(OneColumn("a", TypeId::kFloat64, {other})) ==
        ContentOf(OneColumn("a", TypeId::kFloat64, {std::numeric_limits<double>::quiet_NaN()})));
}

TEST_CASE("a dataset's hash goes on from what was saved", "[training][manifest]") {
  Batch all = OneColumn("a", TypeId::kString, {"x", Value(), "yz", ""});
  REQUIRE(
      all.AddColumn(
             "b",
             OneColumn("b", TypeId::kInt64, {int64_t{1}, Value(), Value(), int64_t{4}}).column(0))
          .ok());
  const auto rows = [&](std::vector<std::size_t> places) { return larder::TakeRows(all, places); };
  larder::DatasetHasher first;
  first.Add(rows({0, 1, 2}));
  const std::string saved = first.Save();
  auto second = larder::DatasetHasher::Restore(saved, all);
  REQUIRE(second.ok());
  second->Add(rows({3}));
  CHECK(std::move(*second).Finish() == ContentOf(all));
  CHECK_FALSE(larder::DatasetHasher::Restore(saved, OneColumn("a", TypeId::kString, {})).ok());
  for (const std::string& bad :
       {std::string(), std::string("x"), saved + " ", "-" + saved, saved.substr(1)})
    CHECK_FALSE(larder::DatasetHasher::Restore(bad, all).ok());
}
