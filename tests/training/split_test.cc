#include "larder/training/split.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/catch.h"

using larder::Column;
using larder::Duration;
using larder::RowSplit;
using larder::Timestamp;
using larder::TypeId;
using Rows = std::vector<std::size_t>;
using Parts = std::vector<std::pair<std::string, double>>;

namespace {

Column Times(const std::vector<int64_t>& us) {
  Column times(TypeId::kTimestamp);
  for (const int64_t t : us) times.AppendFixed(t);
  return times;
}

std::vector<RowSplit> ByEntity(const Column& keys, const Parts& parts, uint64_t seed = 0) {
  const Column* const columns[] = {&keys};
  auto splits = larder::SplitByEntity(columns, parts, seed);
  INFO(splits.status().ToString());
  REQUIRE(splits.ok());
  return *std::move(splits);
}

}  // namespace

TEST_CASE("a split by time parts before from at and after, without the embargo",
          "[training][split]") {
  const Column times = Times({100, 94, 95, 99, 200, 194, 195, 0, 1000});
  const std::vector<Timestamp> at = {{100}, {200}};
  auto splits = larder::SplitByTime(times, at);
  REQUIRE(splits.ok());
  REQUIRE(splits->size() == 3);
  CHECK((*splits)[0].name == "train");
  CHECK((*splits)[0].rows == Rows{1, 2, 3, 7});
  CHECK((*splits)[1].name == "validation");
  CHECK((*splits)[1].rows == Rows{0, 5, 6});
  CHECK((*splits)[2].name == "test");
  CHECK((*splits)[2].rows == Rows{4, 8});
  splits = larder::SplitByTime(times, at, Duration{5});
  CHECK((*splits)[0].rows == Rows{1, 7});
  CHECK((*splits)[1].rows == Rows{0, 5});
  CHECK((*splits)[2].rows == Rows{4, 8});
  splits = larder::SplitByTime(times, std::vector<Timestamp>{{100}});
  REQUIRE(splits->size() == 2);
  CHECK((*splits)[1].name == "test");
}

TEST_CASE("a split by entity keeps every row of an entity together", "[training][split]") {
  Column keys(TypeId::kInt64);
  for (int64_t i = 0; i < 30'000; ++i) keys.AppendFixed(i % 10'000);
  const auto splits = ByEntity(keys, {{"train", 0.8}, {"validation", 0.1}, {"test", 0.1}});
  std::set<int64_t> seen;
  std::size_t rows = 0;
  for (const RowSplit& split : splits) {
    std::set<int64_t> entities;
    for (const std::size_t row : split.rows) entities.insert(keys.Values<int64_t>()[row]);
    for (const int64_t entity : entities) CHECK(seen.insert(entity).second);
    CHECK(split.rows.size() == 3 * entities.size());
    CHECK(std::is_sorted(split.rows.begin(), split.rows.end()));
    rows += split.rows.size();
  }
  CHECK(rows == 30'000);  // 0.8 + 0.1 + 0.1 is all of them, whatever doubles make of it
  // The chance of a fair split being further off is below 1e-9: six deviations of 40 entities.
  CHECK(std::abs(static_cast<int>(splits[0].rows.size()) - 24'000) < 3 * 240);
}

TEST_CASE("where an entity goes is the same for ever", "[training][split]") {
  Column keys(TypeId::kInt64);
  Column narrow(TypeId::kInt32);
  for (int32_t i = 0; i < 12; ++i) {
    keys.AppendFixed<int64_t>(i);
    narrow.AppendFixed(i);
  }
  const auto splits = ByEntity(keys, {{"a", 0.5}, {"b", 0.5}});
  // Written down: a trained model's test rows must not become training rows with a new release.
  CHECK(splits[0].rows == Rows{0, 3, 5, 7, 8, 9, 11});
  CHECK(ByEntity(narrow, {{"a", 0.5}})[0].rows == splits[0].rows);
  CHECK(ByEntity(keys, {{"a", 0.5}, {"b", 0.5}}, 1)[0].rows != splits[0].rows);
  const auto larger = ByEntity(keys, {{"a", 0.75}})[0].rows;
  CHECK(std::includes(larger.begin(), larger.end(), splits[0].rows.begin(), splits[0].rows.end()));
}

TEST_CASE("rows with a null key are one entity", "[training][split]") {
  Column keys(TypeId::kString);
  for (int i = 0; i < 20; ++i) keys.AppendNull();
  const auto splits = ByEntity(keys, {{"a", 0.5}, {"b", 0.5}});
  CHECK((splits[0].rows.size() == 20 || splits[1].rows.size() == 20));
}

TEST_CASE("a sample is about its share, and a larger one only adds rows", "[training][split]") {
  const auto tenth = larder::SampleRows(100'000, 0.1);
  REQUIRE(tenth.ok());
  CHECK(std::abs(static_cast<int>(tenth->size()) - 10'000) < 600);  // six deviations of 95
  const auto fifth = larder::SampleRows(100'000, 0.2);
  CHECK(std::includes(fifth->begin(), fifth->end(), tenth->begin(), tenth->end()));
  CHECK(larder::SampleRows(7, 1.0)->size() == 7);
  CHECK(*larder::SampleRows(100'000, 0.1) == *tenth);
  CHECK(*larder::SampleRows(100'000, 0.1, 5) != *tenth);
  // Piece by piece it is the same one.
  std::vector<std::size_t> pieces;
  for (std::size_t first = 0; first < 100'000; first += 30'000) {
    const auto piece =
        larder::SampleRows(std::min<std::size_t>(30'000, 100'000 - first), 0.1, 0, first);
    for (const std::size_t row : *piece) pieces.push_back(first + row);
  }
  CHECK(pieces == *tenth);
}

TEST_CASE("splits that make no sense are refused", "[training][split]") {
  const Column times = Times({1});
  const Column* const key[] = {&times};
  Column real(TypeId::kFloat64);
  const Column* const no_key[] = {&real};
  CHECK_FALSE(larder::SplitByTime(times, {}).ok());
  CHECK_FALSE(larder::SplitByTime(times, std::vector<Timestamp>{{2}, {2}}).ok());
  CHECK_FALSE(larder::SplitByTime(times, std::vector<Timestamp>{{2}}, Duration{-1}).ok());
  CHECK_FALSE(larder::SplitByEntity({}, Parts{{"a", 1}}).ok());
  CHECK_FALSE(larder::SplitByEntity(no_key, Parts{{"a", 1}}).ok());
  for (const Parts& parts : {Parts{}, Parts{{"a", 0}}, Parts{{"a", 0.6}, {"b", 0.6}},
                             Parts{{"a", 0.5}, {"a", 0.5}}, Parts{{"", 1}}}) {
    CHECK_FALSE(larder::SplitByEntity(key, parts).ok());
  }
  CHECK_FALSE(larder::SampleRows(1, 0).ok());
  CHECK_FALSE(larder::SampleRows(1, 1.5).ok());
}
