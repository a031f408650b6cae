// Window aggregates served from the store: loaded, pushed and staged in any order they give the bits of the definition,
// which are those of the training set.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "feature_store/store_fixture.h"
#include "feature_store/window_world.h"
#include "larder/base/text.h"

namespace {

using larder::FormatTimestamp;
using larder::FormatValue;
using larder::OnlineResponse;
using larder::Row;
using larder::Timestamp;
using larder::TypeId;
using larder::Value;
using larder_test::At;
using larder_test::Random;
using larder_test::Shown;
using larder_test::StoreFixture;
using larder_test::WindowWorld;
using larder_test::WorldEvent;

// A world whose events some file and some pushes bring.
class Served {
 public:
  Served(Random& random, int64_t events)
      : random_(random),
        world_(WindowWorld::Draw(random, static_cast<std::size_t>(events), false)) {
    fixture_.folder().Write("tx.csv", world_.Csv({}));
    std::string definitions = world_.Definitions(true);
    definitions.insert(
        definitions.rfind('}'),
        R"(, "feature_services": [{"name": "tensor", "features": [{"view": "spend"}]}])");
    fixture_.Apply(definitions);
    for (const auto& feature : world_.features) features_.push_back("spend:" + feature.name);
  }

  // All events, some from the file. Versions of one id come the same way, or the batch's would win.
  void Bring() {
    std::vector<WorldEvent> in_file;
    std::vector<WorldEvent> pushed;
    std::set<std::string> ids_in_file;
    for (const WorldEvent& event : world_.events) {
      if (random_.OneIn(2)) ids_in_file.insert(event.id);
    }
    for (const WorldEvent& event : world_.events) {
      const bool is_in_file = world_.has_ids ? ids_in_file.count(event.id) > 0 : random_.OneIn(2);
      (is_in_file ? in_file : pushed).push_back(event);
      // Told again by the stream: one event still.
      if (is_in_file && world_.has_ids && random_.OneIn(5)) pushed.push_back(event);
    }
    if (!world_.in_order) {
      std::shuffle(pushed.begin(), pushed.end(), random_.engine());
      std::shuffle(in_file.begin(), in_file.end(), random_.engine());
    }
    // Without ids a load replaces what was pushed of its period.
    const auto split = world_.has_ids ? random_.Between(0, std::ssize(pushed)) : int64_t{0};
    Push({pushed.begin(), pushed.begin() + split});
    fixture_.folder().Write("tx.csv", world_.Csv(in_file));
    larder::MaterializeOptions options;
    options.full = random_.OneIn(3);
    fixture_.Materialize(options);
    Push({pushed.begin() + split, pushed.end()});
    // What is there already changes nothing.
    if (world_.has_ids && random_.OneIn(3)) fixture_.Materialize();
  }

  void Push(std::vector<WorldEvent> events) {
    for (std::size_t done = 0; done < events.size();) {
      const auto size = static_cast<std::size_t>(random_.Between(1, 9));
      std::vector<Row> rows;
      for (std::size_t i = done; i < std::min(events.size(), done + size); ++i)
        rows.push_back(world_.RowOf(events[i]));
      done += size;
      fixture_.Push("live", rows);
    }
  }

  [[nodiscard]] const WindowWorld& world() const { return world_; }
  [[nodiscard]] StoreFixture& fixture() { return fixture_; }
  [[nodiscard]] const std::vector<std::string>& features() const { return features_; }

 private:
  Random& random_;
  WindowWorld world_;
  StoreFixture fixture_;
  std::vector<std::string> features_;
};

double NumberOf(const Value& value) {
  if (const auto* v = value.As<int64_t>()) return static_cast<double>(*v);
  if (const auto* v = value.As<double>()) return *v;
  if (const auto* v = value.As<larder::Duration>()) return static_cast<double>(v->us);
  if (const auto* v = value.As<Timestamp>()) return static_cast<double>(v->us);
  if (const auto* v = value.As<bool>()) return *v ? 1 : 0;
  return std::numeric_limits<double>::quiet_NaN();
}

// Many keys at once, some repeated, some without events, more than a chunk of them: as each alone.
int64_t CompareTensor(Served& served, Random& random, Timestamp as_of) {
  const auto plan = served.fixture().store().Bind("tensor");
  INFO(plan.status().ToString());
  REQUIRE(plan.ok());
  auto session = served.fixture().store().OpenSession(*plan);
  REQUIRE(session.ok());
  std::vector<int64_t> cards(70);
  for (int64_t& card : cards) card = random.Between(1, 6);
  const std::size_t width = plan->width();
  std::vector<double> tensor(cards.size() * width);
  std::vector<larder::FeatureStatus> statuses(cards.size() * plan->outputs().size());
  const larder::InputColumn input = larder::InputColumn::Of(std::span<const int64_t>(cards));
  const absl::Status filled = session->Fill(
      {&input, 1}, as_of, larder::Tensor<double>{tensor.data(), cards.size(), 0}, statuses);
  INFO(filled.ToString());
  REQUIRE(filled.ok());
  int64_t checks = 0;
  for (int64_t card = 1; card <= 6; ++card) {
    const OnlineResponse alone = served.fixture().Get(served.features(), {{{"card", card}}}, as_of);
    for (std::size_t row = 0; row < cards.size(); ++row) {
      if (cards[row] != card) continue;
      for (std::size_t i = 0; i < plan->outputs().size(); ++i) {
        const larder::FeatureValues* const expected = alone.Find(plan->outputs()[i]);
        REQUIRE(expected != nullptr);
        const double number = NumberOf(expected->values.ValueAt(0));
        const double found = tensor[row * width + plan->offsets()[i]];
        ++checks;
        if (std::memcmp(&number, &found, sizeof(double)) == 0 &&
            statuses[row * plan->outputs().size() + i] == expected->statuses[0]) {
          continue;
        }
        if (std::isnan(number) && std::isnan(found)) continue;
        FAIL(plan->outputs()[i] << " of card " << card << " at " << FormatTimestamp(as_of) << " is "
                                << found << " among many, " << number << " alone");
      }
    }
  }
  return checks;
}

int64_t Compare(Served& served, Random& random, const char* when) {
  const WindowWorld& world = served.world();
  std::vector<Row> spine;
  std::vector<WindowWorld::Question> questions;
  for (int64_t n = 6; n > 0; --n) {
    const int64_t card = random.Between(1, 4);
    questions.push_back({card, world.RandomInstant(random), std::nullopt, {}});
    spine.push_back({{"card", card}, {"t", questions.back().as_of}});
  }
  const auto problems = served.fixture().store().VerifyWindows();
  REQUIRE(problems.ok());
  CHECK(larder::Join(*problems, "\n").empty());
  served.fixture().folder().Write("tx.csv", world.Csv(world.events));
  larder::HistoricalRequest request;
  request.what.features = served.features();
  request.known_at = larder::KnownAt::kAny;
  request.spine = *larder::Batch::FromRows(
      spine, std::vector<larder::Field>{{"card", TypeId::kInt64, "", ""},
                                        {"t", TypeId::kTimestamp, "", ""}});
  const auto set = served.fixture().store().GetHistoricalFeatures(request);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  int64_t checks = 0;
  for (std::size_t q = 0; q < questions.size(); ++q) {
    const OnlineResponse response = served.fixture().Get(
        served.features(), {{{"card", questions[q].card}}}, questions[q].as_of);
    for (const auto& feature : world.features) {
      const Value found = response.Find(feature.name)->values.ValueAt(0);
      const Value expected = world.Answer(feature, questions[q]);
      checks += 2;
      if (!(set->rows.Find(feature.name)->ValueAt(q) == expected)) FAIL("the training set differs");
      if (found == expected) continue;
      FAIL(when << ": " << feature.name << " of card " << questions[q].card << " at "
                << FormatTimestamp(questions[q].as_of) << " is " << FormatValue(found)
                << ", expected " << FormatValue(expected) << "\n"
                << world.Csv(world.events));
    }
    if (q == 0) checks += CompareTensor(served, random, questions[q].as_of);
  }
  return checks;
}

TEST_CASE("what is served of windows has the bits of the training set and of the definition",
          "[store][windows][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  int64_t rounds = 12;
#else
  int64_t rounds = 3;
#endif
  if (const char* text = std::getenv("LARDER_ROUNDS")) rounds = std::atol(text);
  int64_t checks = 0;
  for (int64_t round = 0; round < rounds; ++round) {
    Served served(random, random.Between(0, random.OneIn(4) ? 400 : 60));
    INFO(served.world().Definitions(true));
    served.Bring();
    checks += Compare(served, random, "after loads and pushes");
    larder::MaterializeOptions options;
    options.full = random.OneIn(2);
    served.fixture().Materialize(options);
    checks += Compare(served, random, "after a load of everything");
  }
  if (std::getenv("LARDER_ROUNDS") != nullptr) WARN(checks << " values compared");
  CHECK(checks > 0);
}

constexpr const char* kTaps = R"({"larder": 1, "project": "taps",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [
  {"name": "taps", "kind": "csv", "path": "taps.csv", "event_time": "at", "event_id": "id",
   "operation": "op",
   "fields": [{"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "fare", "type": "float64"}, {"name": "id", "type": "string"},
              {"name": "op", "type": "string"}]},
  {"name": "live", "kind": "push", "batch_source": "taps"}],
 "feature_views": [
  {"name": "spend", "entities": ["card"], "source": "live", "boundary": "at",
   "aggregates": [{"input": "fare", "functions": ["sum", "mean", "max"], "windows": ["1h"]}]}],
 "on_demand_views": [
  {"name": "ratio", "inputs": {"total": "spend:sum_fare_1h"},
   "request": [{"name": "fare", "type": "float64"}],
   "features": [{"name": "share", "type": "float64", "expr": "request.fare / total"}]}],
 "feature_services": [{"name": "model", "partial": "null",
   "features": [{"view": "spend"}, "ratio:share"]},
  {"name": "plain", "features": [{"view": "spend"}, "ratio:share"]}]})";

Row Tap(const char* at, double fare, const char* id, const char* op = "insert") {
  return {{"card", int64_t{1}}, {"at", At(at)}, {"fare", fare}, {"id", id}, {"op", op}};
}

TEST_CASE("a tensor holds windows, with what the session staged in them", "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.Apply(kTaps);
  fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 2, "a"), Tap("2025-01-02T11:45:00Z", 6, "b")});
  const auto plan = fixture.store().Bind("plain");
  INFO(plan.status().ToString());
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  double row[4] = {};
  larder::FeatureStatus statuses[4] = {};
  const auto fill = [&](const char* at) {
    const larder::InputColumn inputs[] = {larder::InputColumn::Broadcast(int64_t{1}),
                                          larder::InputColumn::Broadcast(4.0)};
    const auto status = session->Fill(inputs, At(at), larder::Tensor<double>{row, 1, 0}, statuses);
    INFO(status.ToString());
    REQUIRE(status.ok());
    return std::vector<double>(row, row + 4);
  };
  using Values = std::vector<double>;
  CHECK(fill("2025-01-02T12:00:00Z") == Values{8, 4, 6, 0.5});
  // Nothing was loaded yet of what came before the first push.
  CHECK(statuses[0] == larder::FeatureStatus::kPartialWindow);
  const Row tap = Tap("2025-01-02T12:00:00Z", 8, "c");
  CHECK(*session->For("live", tap) == At("2025-01-02T12:00:00Z"));
  CHECK(fill("2025-01-02T12:00:00Z") == Values{16, 16.0 / 3, 8, 0.25});
  const std::vector<Row> changed = {Tap("2025-01-02T11:45:00Z", 6, "b"),
                                    Tap("2025-01-02T12:00:00Z", 0, "a", "delete")};
  REQUIRE(session->Stage("live", changed).ok());
  CHECK(fill("2025-01-02T12:00:00Z") == Values{14, 7, 8, 4.0 / 14});
  CHECK(fill("2025-01-02T11:59:59Z") == Values{8, 4, 6, 0.5});
  REQUIRE(session->Commit().ok());
  CHECK(fill("2025-01-02T12:00:00Z") == Values{14, 7, 8, 4.0 / 14});
  CHECK(fill("2025-01-02T11:59:59Z") == Values{8, 4, 6, 0.5});
}

TEST_CASE("staged windows are gone with a drop and kept when a later event is refused",
          "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.Apply(kTaps);
  fixture.Push("live", {Tap("2025-01-02T11:10:00Z", 0, "first")});
  const auto plan = fixture.store().Bind("plain");
  INFO(plan.status().ToString());
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  const auto sum = [&] {
    double row[4] = {};
    const larder::InputColumn inputs[] = {larder::InputColumn::Broadcast(int64_t{1}),
                                          larder::InputColumn::Broadcast(4.0)};
    const auto status =
        session->Fill(inputs, At("2025-01-02T12:00:00Z"), larder::Tensor<double>{row, 1, 0}, {});
    INFO(status.ToString());
    REQUIRE(status.ok());
    return row[0];
  };
  const auto stage = [&](const Row& tap) { return session->Stage("live", {&tap, 1}); };
  constexpr const char* kIds[] = {"p", "q", "r"};
  for (int round = 0; round < 3; ++round) {
    REQUIRE(stage(Tap("2025-01-02T11:30:00Z", 2, "a")).ok());
    REQUIRE(stage(Tap("2025-01-02T11:40:00Z", 3, "b")).ok());
    CHECK(sum() == 5 + 8 * round);
    const std::vector<Row> refused = {Tap("2025-01-02T11:50:00Z", 4, "c"),
                                      Tap("2025-01-03T11:50:00Z", 4, "from tomorrow")};
    CHECK_FALSE(session->Stage("live", refused).ok());
    CHECK(session->staged_count() == 2);
    CHECK(sum() == 5 + 8 * round);
    fixture.Push("live", {Tap("2025-01-02T11:20:00Z", 8, kIds[round])});
    REQUIRE(session->Refresh().ok());
    CHECK(sum() == 13 + 8 * round);
    session->Drop();
    CHECK(sum() == 8 + 8 * round);
  }
}

TEST_CASE("a map by category follows events that are corrected into another one",
          "[store][windows]") {
  constexpr int64_t kCategories = 60;
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.Apply(R"({"larder": 1, "project": "taps",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [
  {"name": "taps", "kind": "csv", "path": "taps.csv", "event_time": "at", "event_id": "id",
   "fields": [{"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "fare", "type": "int64"}, {"name": "id", "type": "int64"},
              {"name": "line", "type": "string"}]},
  {"name": "live", "kind": "push", "batch_source": "taps"}],
 "feature_views": [{"name": "spend", "entities": ["card"], "source": "live", "boundary": "at",
   "aggregates": [{"name": "by_line", "input": "fare", "functions": ["sum"], "windows": ["1h"], "group_by": "line"}]}],
 "feature_services": [{"name": "model", "features": [{"view": "spend"}]}]})");
  // Each event moves to another category when it is corrected.
  const auto line = [](int64_t event, int64_t version) {
    return larder::Concat("line ", (event + version * 7) % kCategories);
  };
  std::string csv = "card,at,fare,id,line\n";
  std::map<std::string, int64_t> expected;
  for (int64_t event = 0; event < 2 * kCategories; ++event) {
    const int64_t versions = event % 3 == 0 ? 2 : 1;
    for (int64_t version = 0; version < versions; ++version)
      csv += larder::Concat("1,2025-01-02T11:3", version, ":00Z,", event, ",", event, ",",
                            line(event, version), "\n");
    expected[line(event, versions - 1)] += event;
  }
  fixture.folder().Write("taps.csv", csv);
  fixture.Materialize();
  const auto found = [](const Value& value) {
    std::map<std::string, int64_t> sums;
    for (const auto& [category, sum] : value.As<larder::MapValue>()->items)
      sums[category] = *sum.As<int64_t>();
    return sums;
  };
  const auto now = At("2025-01-02T12:00:00Z");
  const std::vector<Row> card = {{{"card", int64_t{1}}}};
  const larder::OnlineResponse served = fixture.Get({"spend:by_line"}, card, now);
  CHECK(found(served.Find("by_line")->values.ValueAt(0)) == expected);
  larder::HistoricalRequest request;
  request.what.features = {"spend:by_line"};
  request.spine =
      *larder::Batch::FromRows(std::vector<Row>{{{"card", int64_t{1}}, {"t", now}}},
                               std::vector<larder::Field>{{"card", TypeId::kInt64, "", ""},
                                                          {"t", TypeId::kTimestamp, "", ""}});
  const auto set = fixture.store().GetHistoricalFeatures(request);
  REQUIRE(set.ok());
  CHECK(found(set->rows.Find("by_line")->ValueAt(0)) == expected);
}

TEST_CASE("values whose exact answer is out of bounds are null and counted, served and trained",
          "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.folder().Write("taps.csv",
                         "card,at,fare,weight,line\n"
                         "1,2025-01-02T11:30:00Z,9223372036854775807,1e200,a\n"
                         "1,2025-01-02T11:31:00Z,9223372036854775807,1,a\n"
                         "1,2025-01-02T11:32:00Z,1,2,b\n"
                         "2,2025-01-02T11:32:00Z,1,2,b\n");
  fixture.Apply(R"({"larder": 1, "project": "taps",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [
  {"name": "taps", "kind": "csv", "path": "taps.csv", "event_time": "at",
   "fields": [{"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "fare", "type": "int64"}, {"name": "weight", "type": "float64"},
              {"name": "line", "type": "string"}]}],
 "feature_views": [{"name": "spend", "entities": ["card"], "source": "taps",
   "aggregates": [{"name": "all", "input": "fare", "functions": ["sum"], "windows": ["1h"]},
                  {"name": "mean", "input": "fare", "functions": ["mean"], "windows": ["1h"]},
                  {"name": "spread", "input": "weight", "functions": ["stddev"], "windows": ["1h"]},
                  {"name": "by_line", "input": "fare", "functions": ["sum"], "windows": ["1h"], "group_by": "line"}]}]})");
  fixture.Materialize();
  const std::vector<std::string> features = {"spend:all", "spend:mean", "spend:spread",
                                             "spend:by_line"};
  const auto now = At("2025-01-02T12:00:00Z");
  const auto refused = [&](int64_t card) {
    return fixture.Get(features, {{{"card", card}}}, now).cells_refused;
  };
  // The sum, the spread, and the sum of line a.
  CHECK(refused(1) == 3);
  CHECK(refused(2) == 0);
  CHECK(refused(3) == 0);
  larder::HistoricalRequest request;
  request.what.features = features;
  std::vector<Row> spine;
  for (int64_t card = 1; card <= 3; ++card) spine.push_back({{"card", card}, {"t", now}});
  request.spine = *larder::Batch::FromRows(
      spine, std::vector<larder::Field>{{"card", TypeId::kInt64, "", ""},
                                        {"t", TypeId::kTimestamp, "", ""}});
  const auto set = fixture.store().GetHistoricalFeatures(request);
  REQUIRE(set.ok());
  CHECK(set->views[0].counts.cells_refused == 3);
  CHECK(Shown(*set, "all", 0) == "null NULL_VALUE");
}

TEST_CASE("a window before all history is partial until the history is loaded",
          "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.Apply(kTaps);
  fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 2, "a")});
  larder::OnlineRequest request;
  request.what.service = "model";
  request.rows = {{{"card", int64_t{1}}, {"fare", 1.0}}, {{"card", int64_t{2}}, {"fare", 1.0}}};
  auto response = fixture.store().GetOnlineFeatures(request);
  REQUIRE(response.ok());
  CHECK(Shown(*response, "sum_fare_1h", 0) == "null PARTIAL_WINDOW");
  CHECK(Shown(*response, "share", 0) == "null NULL_VALUE");
  fixture.folder().Write("taps.csv", "card,at,fare,id,op\n1,2025-01-02T11:10:00Z,3,z,insert\n");
  fixture.Materialize();
  response = fixture.store().GetOnlineFeatures(request);
  REQUIRE(response.ok());
  CHECK(Shown(*response, "sum_fare_1h", 0) == "5 PRESENT");
  CHECK(Shown(*response, "share", 0) == "0.2 PRESENT");
  CHECK(Shown(*response, "sum_fare_1h", 1) == "0 PRESENT");
  CHECK(Shown(*response, "max_fare_1h", 1) == "null NULL_VALUE");
}

TEST_CASE("a full load removes what is gone from the file, whoever told it", "[store][windows]") {
  constexpr const char* kHeader = "card,at,fare,id,op\n";
  StoreFixture fixture("2025-01-02T12:00:01Z");
  std::string definitions = kTaps;
  const std::string_view input = R"({"input": "fare",)";
  definitions.replace(definitions.find(input), input.size(),
                      R"({"input": "fare", "where": "fare > 0",)");
  fixture.Apply(definitions);
  // By the last load all that these rows say has long been settled.
  const auto load = [&](std::string_view rows, bool full) {
    fixture.folder().Write("taps.csv", larder::Concat(kHeader, rows));
    larder::MaterializeOptions options;
    options.full = full;
    fixture.Materialize(options);
    return Shown(
        fixture.Get({"spend:sum_fare_1h"}, {{{"card", int64_t{1}}}}, At("2025-01-02T11:30:00Z")),
        "sum_fare_1h", 0);
  };
  constexpr const char* kHealed = "1,2025-01-02T10:45:00Z,2,healed,insert\n";
  constexpr const char* kDeleted = "1,2025-01-02T10:45:00Z,4,deleted,insert\n";
  constexpr const char* kDelete = "1,2025-01-02T10:46:00Z,4,deleted,delete\n";
  constexpr const char* kLeftOut = "1,2025-01-02T10:47:00Z,-1,left out,insert\n";
  constexpr const char* kCounts = "1,2025-01-02T10:45:00Z,8,left out,insert\n";
  fixture.Push("live", {Tap("2025-01-02T10:45:00Z", 2, "healed")});
  using larder::Concat;
  CHECK(load(Concat(kHealed, kDeleted, kDelete, kLeftOut), false) == "2 PRESENT");
  CHECK(load(Concat(kHealed, kDeleted, kDelete, kLeftOut), true) == "2 PRESENT");
  CHECK(load(Concat(kDeleted, kCounts), true) == "12 PRESENT");
  fixture.Push("live", {Tap("2025-01-02T10:45:00Z", 16, "pushed alone")});
  CHECK(load(kHealed, true) == "18 PRESENT");
}

TEST_CASE("an instant whose events were dropped is an error and never a smaller number",
          "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.Apply(kTaps);
  fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 2, "a")});
  fixture.SetNow("2025-01-03T12:00:00Z");
  fixture.Push("live", {Tap("2025-01-03T11:30:00Z", 5, "b")});
  const std::vector<std::string> sum = {"spend:sum_fare_1h"};
  const std::vector<Row> card = {{{"card", int64_t{1}}}};
  CHECK(Shown(fixture.Get(sum, card, At("2025-01-03T11:30:00Z")), "sum_fare_1h", 0) == "5 PRESENT");
  const auto gone = fixture.TryGet(sum, card, At("2025-01-02T11:30:00Z"));
  CHECK(larder::KindOf(gone.status()) == larder::ErrorKind::kOutsideHistory);
}

}  // namespace
