// Where a value of a training row comes from, and the first step where training and serving part.
#include <algorithm>

#include "feature_store/store_fixture.h"
#include "feature_store/window_world.h"
#include "larder/base/text.h"
#include "larder/feature_store/dataset_row.h"
#include "larder/feature_store/explain.h"

namespace larder_test {
namespace {

using larder::Concat;
using larder::ExplainRequest;
using larder::Explanation;
using larder::ExplanationStep;
using larder::FormatTimestamp;
using larder::FormatValue;
using larder::Row;
using larder::Timestamp;
using larder::TypeId;
using larder::Value;

using Kind = ExplanationStep::Kind;

constexpr std::string_view kLimits = R"json({"project": "p",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [
  {"name": "limits", "kind": "csv", "path": "limits.csv", "event_time": "at", "arrival_time": "seen", "event_id": "id",
   "fields": [{"name": "card", "type": "int64"}, {"name": "top", "type": "float64"}, {"name": "id", "type": "string"},
              {"name": "at", "type": "timestamp"}, {"name": "seen", "type": "timestamp"}]},
  {"name": "live", "kind": "push", "batch_source": "limits", "arrival_time": "seen"}],
 "feature_views": [
  {"name": "caps", "entities": ["card"], "source": "live",
   "features": [{"name": "top"}, {"name": "days", "expr": "(current_date - date '2025-01-01') * 2 + cast(top as int64)"}]},
  {"name": "sums", "entities": ["card"], "source": "live",
   "aggregates": [{"input": "top", "functions": ["sum"], "windows": ["1d"]}]}],
 "feature_services": [{"name": "s", "features": ["caps:top", "caps:days", "sums:sum_top_1d"]}]})json";

constexpr std::string_view kFile =
    "card,top,id,at,seen\n"
    "1,10,a,2025-01-05T08:00:00Z,2025-01-05T08:00:01Z\n"
    "1,20,b,2025-01-05T09:00:00Z,2025-01-05T12:00:00Z\n"
    "1,30,c,2025-01-05T11:00:00Z,2025-01-05T11:00:01Z\n"
    "2,40,d,2025-01-05T09:00:00Z,2025-01-05T09:00:01Z\n";

larder::HistoricalRequest Train(std::string_view at, int64_t card = 1) {
  larder::HistoricalRequest request;
  request.what.service = "s";
  const std::vector<Row> spine = {{{"card", card}, {"t", At(at)}}};
  request.spine = *larder::Batch::FromRows(
      spine, std::vector<larder::Field>{{"card", TypeId::kInt64, "", ""},
                                        {"t", TypeId::kTimestamp, "", ""}});
  return request;
}

Explanation Explain(StoreFixture& fixture, const larder::HistoricalRequest& training,
                    const std::string& feature) {
  ExplainRequest request;
  request.training = training;
  request.feature = feature;
  auto explained = fixture.store().Explain(request);
  INFO(explained.status().ToString());
  REQUIRE(explained.ok());
  return *std::move(explained);
}

std::string Notes(const Explanation& explanation, Kind kind) {
  std::vector<std::string> notes;
  for (const ExplanationStep& step : explanation.steps) {
    if (step.kind == kind) notes.push_back(step.note);
  }
  return larder::Join(notes, "; ");
}

TEST_CASE("a training value is explained from the events of its source",
          "[feature_store][explain]") {
  StoreFixture fixture;
  fixture.folder().Write("limits.csv", kFile);
  fixture.Apply(kLimits);
  const larder::HistoricalRequest training = Train("2025-01-05T10:00:00Z");
  const Explanation row = Explain(fixture, training, "top");
  CHECK(row.value == Value(10.0));
  CHECK(row.is_training);
  CHECK(Notes(row, Kind::kVersion) == "after the row's time; not known at the row's time; counts");
  const Explanation days = Explain(fixture, training, "days");
  CHECK(days.value == Value(int64_t{18}));
  CHECK(days.steps[days.steps.size() - 2].name ==
        "(current_date - date '2025-01-01') * 2 + cast(top as int64)");
  const Explanation sum = Explain(fixture, training, "sum_top_1d");
  CHECK(sum.value == Value(10.0));
  CHECK(Notes(sum, Kind::kEvent) == "not known at known_at; ");
  ExplainRequest two;
  two.training = training;
  two.feature = "top";
  two.as_of = At("2025-01-05T10:00:00Z");
  CHECK_THAT(std::string(larder::MessageOf(fixture.store().Explain(two).status())),
             ContainsSubstring("a training row says keys and instants itself"));
}

TEST_CASE("training and serving agree until an event comes that only one of them has",
          "[feature_store][explain]") {
  StoreFixture fixture("2025-01-05T13:00:00Z");
  fixture.folder().Write("limits.csv", kFile);
  fixture.Apply(kLimits);
  fixture.Materialize();
  larder::HistoricalRequest training = Train("2025-01-05T12:30:00Z");
  training.manifest = true;
  const auto set = fixture.store().GetHistoricalFeatures(training);
  REQUIRE(set.ok());
  larder::DatasetRowRequest request;
  request.manifest = *set->manifest;
  request.row = set->rows;
  const auto explain = [&] {
    auto explained = larder::ExplainDatasetRow(fixture.store(), request);
    INFO(explained.status().ToString());
    REQUIRE(explained.ok());
    return *std::move(explained);
  };
  larder::DatasetRowExplanation row = explain();
  REQUIRE(row.cells.size() == 3);
  for (const larder::DatasetCell& cell : row.cells) {
    CHECK_FALSE(cell.is_stale());
    CHECK_FALSE(cell.is_parted());
    CHECK(cell.served.has_value());
  }
  CHECK(row.changes.empty());
  CHECK_FALSE(row.trained.has_value());
  request.feature = "sum_top_1d";
  row = explain();
  CHECK(row.trained->value == Value(60.0));
  CHECK(row.served->value == Value(60.0));
  CHECK_FALSE(row.parting.has_value());

  // Only pushed: the file has not got it.
  fixture.Push("live", {{{"card", 1},
                         {"top", 5.0},
                         {"id", "z"},
                         {"at", At("2025-01-05T12:10:00Z")},
                         {"seen", At("2025-01-05T12:10:01Z")}}});
  row = explain();
  REQUIRE(row.parting.has_value());
  const ExplanationStep& trained = row.trained->steps[row.parting->first];
  const ExplanationStep& served = row.served->steps[row.parting->second];
  CHECK(trained.kind == Kind::kWindow);
  CHECK(trained.value == Value(int64_t{3}));
  CHECK(served.value == Value(int64_t{4}));
  CHECK(std::any_of(
      row.served->steps.begin(), row.served->steps.end(), [](const ExplanationStep& step) {
        return step.kind == Kind::kEvent && step.value == Value(5.0) && step.commit_seq.has_value();
      }));
  request.feature = "top";
  row = explain();
  REQUIRE(row.parting.has_value());
  CHECK(row.trained->steps[row.parting->first].kind == Kind::kRow);

  // The file is corrected after the set was made.
  std::string file(kFile);
  file.replace(file.find("1,30,c"), 6, "1,31,c");
  fixture.folder().Write("limits.csv", file);
  request.feature = "";
  row = explain();
  CHECK(row.cells[0].is_stale());
  REQUIRE(row.changes.size() == 1);
  CHECK(row.changes[0] == "source limits: the content of its files differs");
}

TEST_CASE("random training values are explained, exclude_self and late events among them",
          "[feature_store][explain][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  constexpr int kWorlds = 10;
#else
  constexpr int kWorlds = 3;
#endif
  for (int w = 0; w < kWorlds; ++w) {
    const WindowWorld world =
        WindowWorld::Draw(random, static_cast<std::size_t>(random.Between(0, 80)), true);
    StoreFixture fixture;
    fixture.folder().Write("tx.csv", world.Csv(world.events));
    fixture.Apply(world.Definitions(false));
    for (int q = 0; q < 8; ++q) {
      Row spine = {{"card", random.Between(1, 4)}, {"t", world.RandomInstant(random)}};
      std::vector<larder::Field> fields = {{"card", TypeId::kInt64, "", ""},
                                           {"t", TypeId::kTimestamp, "", ""}};
      if (world.exclude_self) {
        fields.push_back({"id", TypeId::kString, "", ""});
        const int64_t own = random.Between(0, std::ssize(world.events) - 1);
        spine.emplace_back("id", world.events.empty()
                                     ? Value("none")
                                     : Value(world.events[static_cast<std::size_t>(own)].id));
      }
      const auto& feature =
          world.features[static_cast<std::size_t>(random.Between(0, std::ssize(world.features) - 1))];
      larder::HistoricalRequest training;
      training.what.features = {Concat("spend:", feature.name)};
      training.spine = *larder::Batch::FromRows(std::vector<Row>{spine}, fields);
      const auto set = fixture.store().GetHistoricalFeatures(training);
      INFO(set.status().ToString());
      REQUIRE(set.ok());
      INFO(feature.name);
      const Explanation explanation = Explain(fixture, training, feature.name);
      CHECK(explanation.value == set->rows.Find(feature.name)->ValueAt(0));
      CHECK(explanation.status == set->features[0].statuses[0]);
      CHECK(explanation.steps.back().value == explanation.value);
    }
  }
}

}  // namespace
}  // namespace larder_test
