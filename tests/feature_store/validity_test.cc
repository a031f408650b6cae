// Intervals of validity are the other reading of the join's function: at every instant the two agree.
#include "larder/feature_store/validity.h"

#include <map>

#include "feature_store/store_fixture.h"
#include "feature_store/window_world.h"
#include "larder/base/text.h"

namespace {

using larder::Concat;
using larder::FormatValue;
using larder::Row;
using larder::Timestamp;
using larder::TypeId;
using larder::Value;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::Random;
using larder_test::StoreFixture;
using larder_test::WindowWorld;

larder::FeatureIntervals IntervalsOf(StoreFixture& fixture, const larder::ValidityRequest& request) {
  auto made = fixture.store().GetValidityIntervals(request);
  INFO(made.status().ToString());
  REQUIRE(made.ok());
  REQUIRE(made->size() == 1);
  return std::move((*made)[0]);
}

std::vector<std::string> Lines(const larder::FeatureIntervals& intervals) {
  std::vector<std::string> lines;
  for (std::size_t row = 0; row < intervals.rows.row_count(); ++row) {
    std::vector<std::string> cells;
    for (std::size_t c = 0; c < intervals.rows.column_count(); ++c)
      cells.push_back(FormatValue(intervals.rows.column(c).ValueAt(row)));
    lines.push_back(larder::Join(cells, " "));
  }
  return lines;
}

// What the intervals say of each key and instant, `no interval` where none holds it.
std::string SaidAt(const larder::Batch& rows, int64_t key, Timestamp t) {
  std::string said = "no interval";
  int found = 0;
  for (std::size_t row = 0; row < rows.row_count(); ++row) {
    if (rows.column(0).Values<int64_t>()[row] != key) continue;
    const bool holds = rows.Find("valid_from")->Values<int64_t>()[row] <= t.us &&
                       t.us < rows.Find("valid_to")->Values<int64_t>()[row];
    if (!holds) continue;
    ++found;
    said = FormatValue(rows.Find("value")->ValueAt(row));
  }
  return found > 1 ? "several intervals" : said;
}

// The same of the join, at a spine of these instants.
std::vector<std::string> JoinedAt(StoreFixture& fixture, const std::string& feature,
                                  const char* key_name, std::optional<larder::KnownAt> known_at,
                                  const std::vector<std::pair<int64_t, Timestamp>>& asked) {
  larder::HistoricalRequest request;
  request.what.features = {feature};
  request.known_at = known_at;
  std::vector<Row> rows;
  for (const auto& [key, t] : asked) rows.push_back({{key_name, key}, {"t", t}});
  const std::vector<larder::Field> fields = {{key_name, TypeId::kInt64, "", ""},
                                             {"t", TypeId::kTimestamp, "", ""}};
  request.spine = larder::Batch::FromRows(rows, fields).value();
  const auto set = fixture.store().GetHistoricalFeatures(request);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  std::vector<std::string> said;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const larder::FeatureStatus status = set->features[0].statuses[row];
    const bool is_there = status != larder::FeatureStatus::kNotFound &&
                          status != larder::FeatureStatus::kOutsideMaxAge;
    said.push_back(is_there ? FormatValue(set->rows.Find(set->features[0].name)->ValueAt(row))
                            : "no interval");
  }
  return said;
}

std::string LimitDefinitions(std::string_view view_keys, std::string_view source_keys) {
  return Concat(R"({"larder": 1, "project": "limits",
 "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]}],
 "sources": [
  {"name": "limits", "kind": "csv", "path": "limits.csv", "event_time": "at", )",
                source_keys, R"(
   "fields": [{"name": "user_id", "type": "int64"}, {"name": "limit", "type": "float64"},
              {"name": "op", "type": "string"}, {"name": "until", "type": "timestamp"},
              {"name": "at", "type": "timestamp"}, {"name": "arrived", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "user_limit", "entities": ["user"], "source": "limits", )",
                view_keys, R"(
   "features": [{"name": "limit", "type": "float64"},
                {"name": "days", "type": "int64", "expr": "current_date - date '2025-01-01'"}]}]})");
}

TEST_CASE("an interval lasts until the next value, the TTL, the row's end or a delete",
          "[store][validity]") {
  StoreFixture fixture;
  fixture.folder().Write(
      "limits.csv",
      "user_id,limit,op,until,at,arrived\n"
      "1,10,insert,,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z\n"
      "1,10,insert,,2025-01-02T00:00:00Z,2025-01-02T00:00:00Z\n"
      "1,20,insert,,2025-01-03T00:00:00Z,2025-01-04T00:00:00Z\n"
      "2,30,insert,2025-01-02T12:00:00Z,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z\n"
      "3,40,insert,,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z\n"
      "3,,delete,,2025-01-02T00:00:00Z,2025-01-02T00:00:00Z\n"
      "4,,insert,,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z\n");
  fixture.Apply(LimitDefinitions(
      R"("ttl": "3d",)", R"("operation": "op", "valid_to": "until", "arrival_time": "arrived",)"));
  larder::ValidityRequest request;
  request.features = {"user_limit:limit"};
  request.start = At("2025-01-01T06:00:00Z");
  request.end = At("2025-02-01T00:00:00Z");
  const larder::FeatureIntervals known = IntervalsOf(fixture, request);
  CHECK(known.feature == "user_limit@1:limit");
  CHECK(Lines(known) ==
        std::vector<std::string>{"1 2025-01-01T06:00:00Z 2025-01-04T00:00:00Z 10",
                                 "1 2025-01-04T00:00:00Z 2025-01-06T00:00:00.000001Z 20",
                                 "2 2025-01-01T06:00:00Z 2025-01-02T12:00:00Z 30",
                                 "3 2025-01-01T06:00:00Z 2025-01-02T00:00:00Z 40",
                                 "4 2025-01-01T06:00:00Z 2025-01-04T00:00:00.000001Z null"});
  request.known_at = larder::KnownAt::kAny;
  CHECK(Lines(IntervalsOf(fixture, request))[1] ==
        "1 2025-01-03T00:00:00Z 2025-01-06T00:00:00.000001Z 20");
}

TEST_CASE("what has no intervals is refused", "[store][validity]") {
  StoreFixture fixture;
  fixture.folder().Write("limits.csv", "user_id,limit,op,until,at,arrived\n");
  fixture.Apply(LimitDefinitions("", ""));
  larder::ValidityRequest request;
  request.features = {"user_limit:days"};
  request.start = At("2025-01-01T00:00:00Z");
  request.end = At("2025-02-01T00:00:00Z");
  CHECK_THAT(fixture.store().GetValidityIntervals(request).status().ToString(),
             ContainsSubstring("user_limit:days changes with the clock itself"));
  request.features = {"user_limit:limit"};
  CHECK(IntervalsOf(fixture, request).rows.row_count() == 0);
  request.end = request.start;
  CHECK_THAT(fixture.store().GetValidityIntervals(request).status().ToString(),
             ContainsSubstring("is not before end"));
}

TEST_CASE("at random instants the interval that holds one gives what the join gives",
          "[store][validity][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  const int rounds = 40;
#else
  const int rounds = 8;
#endif
  for (int round = 0; round < rounds; ++round) {
    StoreFixture fixture;
    const auto instant = [&random] {
      return Timestamp{At("2025-01-01T00:00:00Z").us + random.Between(0, 400) * 500'000};
    };
    std::string csv = "user_id,limit,op,until,at,arrived\n";
    for (int64_t n = random.Between(0, 60); n > 0; --n) {
      const Timestamp at = instant();
      csv += Concat(random.Between(1, 4), ",",
                    random.Between(0, 5) == 0 ? "" : Concat(random.Between(1, 3)), ",",
                    random.Between(0, 6) == 0 ? "delete" : "insert", ",",
                    random.Between(0, 3) == 0 ? larder::FormatTimestamp(instant()) : "", ",",
                    larder::FormatTimestamp(at), ",", larder::FormatTimestamp(instant()), "\n");
    }
    fixture.folder().Write("limits.csv", csv);
    std::string source;
    if (random.Between(0, 1) == 1) source += R"("operation": "op", )";
    if (random.Between(0, 1) == 1) source += R"("valid_to": "until", )";
    const int64_t known = random.Between(0, 2);
    if (known == 1) source += R"("arrival_time": "arrived", )";
    if (known == 2) source += R"("available_after": "7s", )";
    std::string view;
    if (random.Between(0, 1) == 1) view += R"("ttl": "20s", )";
    if (random.Between(0, 1) == 1) view += R"("boundary": "before", )";
    if (random.Between(0, 1) == 1) view += R"("partial_updates": true, )";
    fixture.Apply(LimitDefinitions(view, source));

    larder::ValidityRequest request;
    request.features = {"user_limit:limit"};
    request.start = instant();
    request.end = Timestamp{request.start.us + random.Between(1, 300) * 500'000};
    if (random.Between(0, 1) == 1) request.known_at = larder::KnownAt::kAny;
    const larder::FeatureIntervals intervals = IntervalsOf(fixture, request);
    std::vector<std::pair<int64_t, Timestamp>> asked;
    for (int i = 0; i < 120; ++i) {
      // At the grid of events, or a microsecond beside it.
      const int64_t us = request.start.us +
                         random.Between(0, (request.end.us - request.start.us) / 500'000) * 500'000 +
                         random.Between(-1, 1);
      if (us >= request.start.us && us < request.end.us)
        asked.emplace_back(random.Between(1, 5), Timestamp{us});
    }
    const auto joined = JoinedAt(fixture, "user_limit:limit", "user_id", request.known_at, asked);
    INFO(view << "\n" << source << "\n" << csv);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      INFO("user " << asked[i].first << " at " << larder::FormatTimestamp(asked[i].second));
      CHECK(SaidAt(intervals.rows, asked[i].first, asked[i].second) == joined[i]);
    }
  }
}

TEST_CASE("at random instants the interval of a window feature gives what the join gives",
          "[store][validity][windows][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  const int rounds = 20;
#else
  const int rounds = 6;
#endif
  for (int round = 0; round < rounds; ++round) {
    const WindowWorld world =
        WindowWorld::Draw(random, static_cast<std::size_t>(random.Between(1, 40)), true);
    if (world.exclude_self) continue;
    StoreFixture fixture;
    fixture.folder().Write("tx.csv", world.Csv(world.events));
    fixture.Apply(world.Definitions(false));
    const std::string feature =
        "spend:" +
        world.features[static_cast<std::size_t>(random.Between(0, std::ssize(world.features) - 1))]
            .name;
    larder::ValidityRequest request;
    request.features = {feature};
    request.start = world.RandomInstant(random);
    request.end = world.RandomInstant(random);
    if (request.end < request.start) std::swap(request.start, request.end);
    request.end = Timestamp{request.end.us + 1};
    const auto made = fixture.store().GetValidityIntervals(request);
    if (made.status().code() == absl::StatusCode::kInvalidArgument) {
      CHECK_THAT(made.status().ToString(), ContainsSubstring("changes with the clock itself"));
      continue;
    }
    INFO(made.status().ToString());
    REQUIRE(made.ok());
    std::vector<std::pair<int64_t, Timestamp>> asked;
    for (int i = 0; i < 60; ++i) {
      const Timestamp t = world.RandomInstant(random);
      if (t >= request.start && t < request.end) asked.emplace_back(random.Between(1, 4), t);
    }
    const auto joined = JoinedAt(fixture, feature, "card", std::nullopt, asked);
    INFO(world.Definitions(false) << "\n" << world.Csv(world.events));
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const std::string said = SaidAt((*made)[0].rows, asked[i].first, asked[i].second);
      INFO(feature << " of card " << asked[i].first << " at "
                   << larder::FormatTimestamp(asked[i].second));
      // A card without any event is in no source, and so in no interval.
      if (said != "no interval") CHECK(said == joined[i]);
    }
  }
}

}  // namespace
