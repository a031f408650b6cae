// Events that a serving session sees before they are pushed.
#include <cstring>

#include "feature_store/store_fixture.h"
#include "support/allocations.h"
#include "support/random.h"

namespace larder_test {
namespace {

using larder::FeatureStatus;
using larder::InputColumn;
using larder::Row;
using larder::ServingPlan;
using larder::ServingSession;
using larder::Timestamp;
using larder::Value;

// Whole rows with a TTL, deletes and ends; partial rows; an expression on read; one on demand over both; and a view whose
// key is another view's feature. The first view is loaded as well as pushed to.
constexpr std::string_view kDefinitions = R"json({"project": "p",
 "entities": [{"name": "thing", "join_keys": [{"name": "k", "type": "int64"}]},
              {"name": "owner", "join_keys": [{"name": "o", "type": "int64"}]}],
 "sources": [
  {"name": "things", "kind": "csv", "path": "things.csv", "event_time": "at", "operation": "op", "valid_to": "until",
   "fields": [{"name": "k", "type": "int64"}, {"name": "x", "type": "int64"}, {"name": "o", "type": "int64"},
              {"name": "op", "type": "string"}, {"name": "until", "type": "timestamp"}, {"name": "at", "type": "timestamp"}]},
  {"name": "live", "kind": "push", "batch_source": "things", "operation": "op", "valid_to": "until"},
  {"name": "parts", "kind": "push", "event_time": "at", "sequence": "seq",
   "fields": [{"name": "k", "type": "int64"}, {"name": "a", "type": "int64"}, {"name": "b", "type": "float64"},
              {"name": "seq", "type": "int64"}, {"name": "at", "type": "timestamp"}]},
  {"name": "owners", "kind": "push", "event_time": "at", "order": "commit",
   "fields": [{"name": "o", "type": "int64"}, {"name": "size", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "v", "entities": ["thing"], "source": "live", "ttl": "40m",
   "features": [{"name": "x"}, {"name": "o"},
                {"name": "age", "type": "int64", "expr": "x + day(current_date)"}]},
  {"name": "w", "entities": ["thing"], "source": "parts", "partial_updates": true, "features": [{"name": "a"}, {"name": "b"}]},
  {"name": "owned", "entities": ["owner"], "source": "owners", "features": [{"name": "size"}]}],
 "on_demand_views": [
  {"name": "both", "inputs": {"x": "v:x", "a": "w:a"}, "features": [{"name": "sum", "type": "int64", "expr": "x + a"}]}],
 "feature_services": [
  {"name": "s", "features": ["v:x", "v:age", "w:a", "w:b", "both:sum",
    {"view": "owned", "join_keys": {"o": "v:o"}, "features": ["size"]}]}]})json";

constexpr Timestamp kStart{1'736'380'800'000'000};  // 2025-01-09
constexpr int64_t kKeys = 4;
constexpr int64_t kMinute = 60'000'000;

Timestamp Minute(int64_t n) { return {kStart.us + n * kMinute}; }

struct Filled {
  std::vector<double> values;
  std::vector<FeatureStatus> statuses;
  friend bool operator==(const Filled& a, const Filled& b) {
    return a.statuses == b.statuses && a.values.size() == b.values.size() &&
           std::memcmp(a.values.data(), b.values.data(), 8 * a.values.size()) == 0;
  }
};

// All keys, some twice, at one instant.
Filled Fill(ServingSession& session, const ServingPlan& plan, Timestamp as_of) {
  std::vector<int64_t> keys;
  for (int64_t k = 0; k < 2 * kKeys; ++k) keys.push_back(k % (kKeys + 1));
  Filled filled;
  filled.values.resize(keys.size() * plan.width());
  filled.statuses.resize(keys.size() * plan.outputs().size());
  const InputColumn input = InputColumn::Of(std::span<const int64_t>(keys));
  const absl::Status status =
      session.Fill({&input, 1}, as_of, larder::Tensor<double>{filled.values.data(), keys.size(), 0},
                   filled.statuses);
  INFO(status.ToString());
  REQUIRE(status.ok());
  return filled;
}

struct Staged {
  std::string source;
  std::vector<Row> rows;
};

Staged RandomEvents(Random& random) {
  Staged staged;
  const Timestamp at = Minute(random.Between(0, 60));
  const auto number = [&random] { return random.OneIn(5) ? Value() : Value(random.Between(0, 9)); };
  staged.source = random.OneIn(3) ? "owners" : random.OneIn(2) ? "live" : "parts";
  for (int64_t n = random.Between(1, 3); n > 0; --n) {
    Row& row = staged.rows.emplace_back();
    if (staged.source == "owners") {
      row = {{"o", random.Between(0, 2)}, {"size", number()}, {"at", at}};
      continue;
    }
    row = {{"k", random.Between(0, kKeys - 1)}, {"at", at}};
    if (staged.source == "live") {
      row.emplace_back("x", number());
      row.emplace_back("o", random.OneIn(4) ? Value() : Value(random.Between(0, 2)));
      row.emplace_back("op", std::string(random.OneIn(6) ? "delete" : "upsert"));
      row.emplace_back("until", random.OneIn(4) ? Value(Timestamp{at.us + 5 * kMinute}) : Value());
    } else {
      row.emplace_back("seq", random.Between(0, 3));
      if (random.OneIn(2)) row.emplace_back("a", number());
      if (random.OneIn(2)) row.emplace_back("b", static_cast<double>(random.Between(0, 9)) / 2);
    }
  }
  return staged;
}

void MakeStore(StoreFixture& fixture, Random& random) {
  std::string csv = "k,x,o,op,until,at\n";
  for (int64_t n = random.Between(0, 8); n > 0; --n) {
    csv += larder::Concat(random.Between(0, kKeys - 1), ",", random.Between(0, 9), ",",
                          random.Between(0, 2), ",upsert,,",
                          larder::FormatTimestamp(Minute(random.Between(0, 60))), "\n");
  }
  fixture.folder().Write("things.csv", csv);
  fixture.SetNow(Minute(60));
  fixture.Apply(kDefinitions);
  fixture.Materialize();
  fixture.Push("parts", {{{"k", 0}, {"a", 1}, {"seq", 0}, {"at", kStart}}});
  fixture.Push("owners", {{{"o", 0}, {"size", 1}, {"at", kStart}}});
}

TEST_CASE("what a session reads of staged events is what everyone reads once they are committed",
          "[feature_store][random]") {
  Random random;
  INFO(random.Describe());
  for (int round = 0; round < 25; ++round) {
    StoreFixture fixture;
    MakeStore(fixture, random);
    const auto plan = fixture.store().Bind("s");
    INFO(plan.status().ToString());
    REQUIRE(plan.ok());
    auto session = fixture.store().OpenSession(*plan);
    auto other = fixture.store().OpenSession(*plan);
    REQUIRE(session.ok());
    REQUIRE(other.ok());
    for (int step = 0; step < 8; ++step) {
      std::vector<Timestamp> instants;
      for (int i = 0; i < 6; ++i) instants.push_back(Minute(random.Between(0, 70)));
      REQUIRE(session->Refresh().ok());
      std::vector<Filled> before;
      for (const Timestamp as_of : instants) before.push_back(Fill(*session, *plan, as_of));

      std::size_t count = 0;
      for (int64_t n = random.Between(1, 3); n > 0; --n) {
        const Staged staged = RandomEvents(random);
        count += staged.rows.size();
        const absl::Status status = session->Stage(staged.source, staged.rows);
        INFO(status.ToString());
        REQUIRE(status.ok());
        // Others go on meanwhile.
        if (random.OneIn(3)) {
          const Staged pushed = RandomEvents(random);
          fixture.Push(pushed.source, pushed.rows);
          REQUIRE(session->Refresh().ok());
        }
      }
      CHECK(session->staged_count() == count);
      std::vector<Filled> staged;
      for (const Timestamp as_of : instants) staged.push_back(Fill(*session, *plan, as_of));
      CHECK(session->receipt().staged == count);
      const uint64_t commit_seen = session->commit_seq();
      REQUIRE(other->Refresh().ok());
      CHECK(other->commit_seq() == commit_seen);
      if (random.OneIn(3)) {
        session->Drop();
        for (std::size_t i = 0; i < instants.size(); ++i)
          CHECK(Fill(*session, *plan, instants[i]) == Fill(*other, *plan, instants[i]));
        continue;
      }
      const auto committed = session->Commit();
      INFO(committed.status().ToString());
      REQUIRE(committed.ok());
      CHECK(committed->commit_seq == commit_seen + 1);
      CHECK(committed->rows == count);
      CHECK(session->commit_seq() == commit_seen + 1);
      CHECK(session->staged_count() == 0);
      REQUIRE(other->Refresh().ok());
      for (std::size_t i = 0; i < instants.size(); ++i) {
        INFO("as of " << larder::FormatTimestamp(instants[i]));
        CHECK(Fill(*session, *plan, instants[i]) == staged[i]);
        CHECK(Fill(*other, *plan, instants[i]) == staged[i]);
      }
    }
  }
}

// A store with one row of thing 1 and a session on it.
struct Served {
  explicit Served() {
    Random random(1);
    MakeStore(fixture, random);
    auto bound = fixture.store().Bind("s");
    REQUIRE(bound.ok());
    plan = std::make_unique<ServingPlan>(*std::move(bound));
    auto opened = fixture.store().OpenSession(*plan);
    REQUIRE(opened.ok());
    session = std::make_unique<ServingSession>(*std::move(opened));
  }
  StoreFixture fixture;
  std::unique_ptr<ServingPlan> plan;
  std::unique_ptr<ServingSession> session;
};

TEST_CASE("a request caused by an event is answered alike before its push and after",
          "[feature_store]") {
  Served served;
  const Row event = {{"k", 1}, {"a", 7}, {"seq", 9}, {"at", Minute(30)}};
  const auto as_of = served.session->For("parts", event);
  REQUIRE(as_of.ok());
  CHECK(*as_of == Minute(30));
  const Filled staged = Fill(*served.session, *served.plan, *as_of);
  CHECK(staged.values[1 * served.plan->width() + 2] == 7);
  served.session->Drop();
  CHECK_FALSE(Fill(*served.session, *served.plan, *as_of) == staged);
  served.fixture.Push("parts", {event});
  REQUIRE(served.session->Refresh().ok());
  CHECK(Fill(*served.session, *served.plan, *as_of) == staged);
}

TEST_CASE("an event that a push would refuse is not staged, nor are those staged with it",
          "[feature_store]") {
  Served served;
  const Filled before = Fill(*served.session, *served.plan, Minute(60));
  const std::vector<Row> rows = {{{"k", 1}, {"a", 7}, {"seq", 9}, {"at", Minute(30)}},
                                 {{"k", Value()}, {"a", 7}, {"seq", 9}, {"at", Minute(30)}}};
  const absl::Status refused = served.session->Stage("parts", rows);
  CHECK(refused.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(std::string(larder::MessageOf(refused)), ContainsSubstring("null key"));
  CHECK(served.session->staged_count() == 0);
  CHECK(Fill(*served.session, *served.plan, Minute(60)) == before);
  CHECK(served.session->Stage("no_such", rows).code() == absl::StatusCode::kNotFound);
  CHECK(served.session->Stage("things", rows).code() == absl::StatusCode::kFailedPrecondition);
  CHECK(served.session->Commit().status().code() == absl::StatusCode::kFailedPrecondition);
}

TEST_CASE("a refused event takes nothing back of those staged before it", "[feature_store]") {
  Served served;
  const auto stage = [&](Value key, int64_t a, std::string_view source = "parts") {
    const Row event = {{"k", key}, {"a", a}, {"seq", 9}, {"at", Minute(30)}};
    return served.session->Stage(source, {&event, 1});
  };
  REQUIRE(stage(1, 7).ok());
  const Row owner = {{"o", 1}, {"size", 5}, {"at", Minute(20)}};
  REQUIRE(served.session->Stage("owners", {&owner, 1}).ok());
  REQUIRE(stage(2, 8).ok());
  const Filled staged = Fill(*served.session, *served.plan, Minute(60));
  // Rows of two shapes are two batches: the first can be taken, the second not.
  const std::vector<Row> rows = {
      {{"k", 3}, {"a", 9}, {"seq", 9}, {"at", Minute(31)}},
      {{"k", 1}, {"a", 9}, {"seq", 9}, {"at", Minute(31)}},
      {{"k", Value()}, {"a", 7}, {"b", 1.5}, {"seq", 9}, {"at", Minute(31)}}};
  CHECK(served.session->Stage("parts", rows).code() == absl::StatusCode::kInvalidArgument);
  CHECK(served.session->staged_count() == 3);
  CHECK(Fill(*served.session, *served.plan, Minute(60)) == staged);
  const auto committed = served.session->Commit();
  REQUIRE(committed.ok());
  CHECK(committed->rows == 3);
  CHECK(Fill(*served.session, *served.plan, Minute(60)) == staged);
}

TEST_CASE("staging an event does not allocate once its like has been staged", "[feature_store]") {
  Served served;
  larder::Batch event;
  const auto add = [&event](std::string name, larder::TypeId type, int64_t value) {
    larder::Column column(type);
    column.AppendFixed(value);
    REQUIRE(event.AddColumn(std::move(name), std::move(column)).ok());
  };
  add("o", larder::TypeId::kInt64, 0);
  add("size", larder::TypeId::kInt64, 7);
  add("at", larder::TypeId::kTimestamp, Minute(30).us);
  const auto stage = [&](int64_t owner) {
    event.mutable_column(0).MutableValues<int64_t>()[0] = owner;
    return served.session->Stage("owners", event).ok();
  };
  std::size_t used = 0;
  for (int round = 0; round < 3; ++round) {
    const std::size_t before = Allocations();
    bool staged = true;
    for (int64_t n = 0; n < 12; ++n) staged &= stage(n % 4);
    used = Allocations() - before;
    REQUIRE(staged);
    CHECK(served.session->staged_count() == 12);
    served.session->Drop();
  }
  CHECK(used == 0);
}

TEST_CASE("staged events committed under a batch id are pushed once", "[feature_store]") {
  Served served;
  const Row event = {{"k", 1}, {"a", 7}, {"seq", 9}, {"at", Minute(30)}};
  larder::PushOptions options;
  options.batch_id = "order 1";
  REQUIRE(served.session->Stage("parts", {&event, 1}).ok());
  const auto first = served.session->Commit(options);
  REQUIRE(first.ok());
  REQUIRE(served.session->Stage("parts", {&event, 1}).ok());
  const auto again = served.session->Commit(options);
  REQUIRE(again.ok());
  CHECK(again->repeated);
  CHECK(again->commit_seq == first->commit_seq);
}

TEST_CASE("staged events follow definitions that change under them", "[feature_store]") {
  Served served;
  const Row event = {{"k", 1}, {"a", 7}, {"seq", 9}, {"at", Minute(30)}};
  REQUIRE(served.session->Stage("parts", {&event, 1}).ok());
  std::string changed(kDefinitions);
  const std::string from = R"("features": [{"name": "size"}])";
  changed.replace(changed.find(from), from.size(),
                  R"("features": [{"name": "size", "description": "how big"}])");
  served.fixture.Apply(changed);
  REQUIRE(served.session->Refresh().ok());
  CHECK(Fill(*served.session, *served.plan, Minute(60)).values[served.plan->width() + 2] == 7);
  CHECK(served.session->Commit().ok());
}

TEST_CASE("a tensor of the past holds what a typed read of the past does",
          "[feature_store][random]") {
  Random random;
  INFO(random.Describe());
  StoreFixture fixture;
  MakeStore(fixture, random);
  for (int64_t minute = 61; minute < 75; ++minute) {
    fixture.SetNow(Minute(minute));
    const Staged pushed = RandomEvents(random);
    fixture.Push(pushed.source, pushed.rows);
  }
  const auto plan = fixture.store().Bind("s");
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  larder::OnlineRequest request;
  request.what.service = "s";
  for (int64_t k = 0; k < 2 * kKeys; ++k) request.rows.push_back({{"k", k % (kKeys + 1)}});
  for (int i = 0; i < 40; ++i) {
    request.as_of = Minute(random.Between(30, 80));
    request.known_at.reset();
    if (random.OneIn(2)) request.known_at = Minute(random.Between(40, 80));
    session->SetKnownAt(request.known_at);
    const auto response = fixture.store().GetOnlineFeatures(request);
    INFO(response.status().ToString());
    if (!response.ok()) {
      // Both name the same floor.
      const InputColumn key = InputColumn::Broadcast(int64_t{0});
      std::vector<double> row(plan->width());
      const absl::Status status =
          session->Fill({&key, 1}, *request.as_of, larder::Tensor<double>{row.data(), 1, 0});
      CHECK(larder::KindOf(status) == larder::ErrorKind::kOutsideHistory);
      CHECK(larder::KindOf(response.status()) == larder::ErrorKind::kOutsideHistory);
      continue;
    }
    const Filled filled = Fill(*session, *plan, *request.as_of);
    CHECK(session->receipt().ToString() == response->receipt);
    for (std::size_t row = 0; row < request.rows.size(); ++row) {
      for (std::size_t o = 0; o < plan->outputs().size(); ++o) {
        const larder::FeatureValues* feature = response->Find(plan->outputs()[o]);
        REQUIRE(feature != nullptr);
        INFO(feature->name << " of row " << row << ", " << response->receipt);
        const std::size_t at = row * plan->width() + o;
        CHECK(filled.statuses[at] == feature->statuses[row]);
        const Value value = feature->values.ValueAt(row);
        if (value.is_null()) {
          CHECK(filled.values[at] != filled.values[at]);
        } else {
          CHECK(larder::FormatValue(value) == larder::FormatValue(Value(filled.values[at])));
        }
      }
    }
  }
}

}  // namespace
}  // namespace larder_test
