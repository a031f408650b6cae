// Views with window aggregates in training sets, compared with what every value is by definition.
#include <algorithm>

#include "feature_store/store_fixture.h"
#include "feature_store/window_world.h"

namespace {

using larder::Concat;
using larder::FormatTimestamp;
using larder::FormatValue;
using larder::Row;
using larder::TypeId;
using larder_test::At;
using larder_test::Random;
using larder_test::Shown;
using larder_test::StoreFixture;
using larder_test::WindowWorld;

larder::TrainingSet Train(StoreFixture& fixture, const larder::HistoricalRequest& request) {
  auto set = fixture.store().GetHistoricalFeatures(request);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  return *std::move(set);
}

TEST_CASE("windows in training sets are what their events give by definition",
          "[store][windows][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  const int rounds = 25;
#else
  const int rounds = 8;
#endif
  for (int round = 0; round < rounds; ++round) {
    const auto events = static_cast<std::size_t>(random.Between(0, 80));
    const WindowWorld world = WindowWorld::Draw(random, events, true);
    StoreFixture fixture;
    fixture.folder().Write("tx.csv", world.Csv(world.events));
    const std::string definitions = world.Definitions(false);
    INFO(definitions);
    fixture.Apply(definitions);

    larder::HistoricalRequest request;
    for (const auto& feature : world.features)
      request.what.features.push_back("spend:" + feature.name);
    std::vector<WindowWorld::Question> questions;
    std::vector<Row> spine;
    for (int64_t n = random.Between(1, 25); n > 0; --n) {
      WindowWorld::Question question;
      question.card = random.Between(1, 4);
      question.as_of = world.RandomInstant(random);
      if (world.has_arrival || world.available_after) question.known_at = question.as_of;
      if (world.exclude_self && !world.events.empty()) {
        const int64_t own = random.Between(0, std::ssize(world.events) - 1);
        question.excluded_id = world.events[static_cast<std::size_t>(own)].id;
      }
      spine.push_back({{"card", question.card}, {"t", question.as_of}});
      if (world.exclude_self) spine.back().emplace_back("id", larder::Value(question.excluded_id));
      questions.push_back(question);
    }
    std::vector<larder::Field> fields = {{"card", TypeId::kInt64, "", ""},
                                         {"t", TypeId::kTimestamp, "", ""}};
    if (world.exclude_self) fields.push_back({"id", TypeId::kString, "", ""});
    request.spine = *larder::Batch::FromRows(spine, fields);
    request.leakage = larder::LeakageAudit::kReport;
    const larder::TrainingSet set = Train(fixture, request);
    INFO(larder::Join(set.leakage->ToLines(), "\n"));
    CHECK(set.leakage->leak_count() == 0);
    for (std::size_t row = 0; row < questions.size(); ++row) {
      for (const auto& feature : world.features) {
        const larder::Value found = set.rows.Find(feature.name)->ValueAt(row);
        const larder::Value expected = world.Answer(feature, questions[row]);
        if (found == expected) continue;
        FAIL(feature.name << " of card " << questions[row].card << " at "
                          << FormatTimestamp(questions[row].as_of) << " is " << FormatValue(found)
                          << ", expected " << FormatValue(expected) << "\n"
                          << world.Csv(world.events));
      }
    }
  }
}

constexpr const char* kTaps = R"({"larder": 1, "project": "taps",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [
  {"name": "taps", "kind": "csv", "path": "taps.csv", "event_time": "at", "event_id": "id",
   "fields": [{"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "fare", "type": "float64"}, {"name": "id", "type": "string"}]},
  {"name": "old_taps", "kind": "csv", "path": "old_taps.csv", "event_time": "at", "event_id": "id",
   "fields": [{"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "fare", "type": "float64"}, {"name": "id", "type": "string"}]}],
 "feature_views": [
  {"name": "spend", "entities": ["card"], "source": "taps", "union": ["old_taps"],
   "aggregates": [{"input": "fare", "functions": ["count", "sum", "mean"], "windows": ["1h", "1d"]}]}],
 "feature_services": [{"name": "model", "features": [{"view": "spend"}]}]})";

TEST_CASE("a window counts the events of all united sources, each by its own ids",
          "[store][windows]") {
  StoreFixture fixture;
  fixture.folder().Write("taps.csv",
                         "card,at,fare,id\n"
                         "1,2025-01-02T10:00:00Z,2,a\n"
                         "1,2025-01-02T10:00:00Z,2,a\n"
                         "1,2025-01-02T10:30:00Z,3,b\n");
  fixture.folder().Write("old_taps.csv", "card,at,fare,id\n1,2025-01-02T10:40:00Z,5,a\n");
  fixture.Apply(kTaps);
  larder::HistoricalRequest request;
  request.what.service = "model";
  request.manifest = true;
  request.audit = true;
  const auto t = [](const char* at) { return Row{{"card", int64_t{1}}, {"t", At(at)}}; };
  const std::vector<Row> spine = {t("2025-01-02T11:00:00Z"),
                                  t("2025-01-02T10:00:00Z"),
                                  t("2025-01-03T10:30:00Z"),
                                  {{"card", larder::Value()}, {"t", At("2025-01-02T11:00:00Z")}},
                                  {{"card", int64_t{2}}, {"t", At("2025-01-02T11:00:00Z")}}};
  const std::vector<larder::Field> fields = {{"card", TypeId::kInt64, "", ""},
                                             {"t", TypeId::kTimestamp, "", ""}};
  request.spine = *larder::Batch::FromRows(spine, fields);
  const larder::TrainingSet set = Train(fixture, request);
  CHECK(Shown(set, "sum_fare_1h", 0) == "10 PRESENT");
  CHECK(Shown(set, "count_fare_1h", 0) == "3 PRESENT");
  CHECK(Shown(set, "count_fare_1h", 1) == "0 PRESENT");
  CHECK(Shown(set, "mean_fare_1h", 1) == "null NULL_VALUE");
  CHECK(Shown(set, "sum_fare_1d", 2) == "8 PRESENT");
  CHECK(Shown(set, "sum_fare_1d", 3) == "null NOT_FOUND");
  CHECK(Shown(set, "sum_fare_1d", 4) == "0 PRESENT");
  REQUIRE(set.manifest.has_value());
  CHECK(set.manifest->sources.size() == 2);
}

TEST_CASE("events of one instant are in the order of their ids, not of lengths or sources",
          "[store][windows]") {
  const auto last_of = [](const char* type, const char* taps, const char* old_taps) {
    StoreFixture fixture;
    fixture.folder().Write("taps.csv", Concat("card,at,fare,id\n", taps));
    fixture.folder().Write("old_taps.csv", Concat("card,at,fare,id\n", old_taps));
    std::string definitions = kTaps;
    const auto replace = [&](std::string_view what, std::string_view by) {
      for (std::size_t at = 0; (at = definitions.find(what, at)) != std::string::npos;
           at += by.size())
        definitions.replace(at, what.size(), by);
    };
    replace(R"("id", "type": "string")", Concat(R"("id", "type": ")", type, R"(")"));
    replace(R"("count", "sum", "mean")", R"("last", "first")");
    fixture.Apply(definitions);
    fixture.Materialize();
    const std::vector<std::string> features = {"spend:first_fare_1d", "spend:last_fare_1d"};
    const auto at = At("2025-01-02T12:00:00Z");
    const auto served = fixture.Get(features, {{{"card", int64_t{1}}}}, at);
    larder::HistoricalRequest request;
    request.what.features = features;
    request.spine =
        *larder::Batch::FromRows(std::vector<Row>{{{"card", int64_t{1}}, {"t", at}}},
                                 std::vector<larder::Field>{{"card", TypeId::kInt64, "", ""},
                                                            {"t", TypeId::kTimestamp, "", ""}});
    const larder::TrainingSet set = Train(fixture, request);
    std::string found;
    for (const char* name : {"first_fare_1d", "last_fare_1d"}) {
      CHECK(Shown(set, name, 0) == Shown(served, name, 0));
      found += Concat(Shown(set, name, 0), " ");
    }
    return found;
  };
  constexpr const char* kNineAndTen =
      "1,2025-01-02T10:00:00Z,9,9\n"
      "1,2025-01-02T10:00:00Z,10,10\n";
  CHECK(last_of("string", kNineAndTen, "") == "10 PRESENT 9 PRESENT ");
  CHECK(last_of("int64", kNineAndTen, "1,2025-01-02T10:00:00Z,-3,-3\n") ==
        "-3 PRESENT 10 PRESENT ");
  CHECK(last_of("string", "1,2025-01-02T10:00:00Z,2,b\n",
                "1,2025-01-02T10:00:00Z,1,a\n1,2025-01-02T10:00:00Z,3,ba\n") ==
        "1 PRESENT 3 PRESENT ");
  // Equal ids of two sources are two events, in the order of the sources.
  CHECK(last_of("string", "1,2025-01-02T10:00:00Z,2,a\n", "1,2025-01-02T10:00:00Z,1,a\n") ==
        "2 PRESENT 1 PRESENT ");
}

}  // namespace
