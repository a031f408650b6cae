// Loads that are looked at before they become live.
#include "feature_store/store_fixture.h"
#include "larder/online/generation.h"
#include "larder/online/verify.h"

namespace {

using larder_test::At;
using larder_test::Shown;
using larder_test::StoreFixture;

constexpr const char* kDefinitions = R"({"larder": 1, "project": "p",
 "entities": [{"name": "user", "join_keys": [{"name": "id", "type": "int64"}]}],
 "sources": [{"name": "users", "kind": "csv", "path": "users.csv", "event_time": "at",
   "fields": [{"name": "id", "type": "int64"}, {"name": "age", "type": "int64"}, {"name": "city", "type": "string"},
              {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "profile", "entities": ["user"], "source": "users",
   "validators": [VALIDATORS],
   "features": [{"name": "age", "type": "int64"}, {"name": "city", "type": "string"}]}]})";

std::string WithValidators(std::string_view validators) {
  std::string text = kDefinitions;
  constexpr std::string_view kPlace = "VALIDATORS";
  return text.replace(text.find(kPlace), kPlace.size(), validators);
}

std::string Users(int count, int age, std::string_view day) {
  std::string text = "id,age,city,at\n";
  for (int id = 1; id <= count; ++id) {
    text += std::to_string(id) + "," + (id % 4 == 0 ? "" : std::to_string(age + id)) +
            ",x,2025-01-" + std::string(day) + "T00:00:00Z\n";
  }
  return text;
}

std::string Age(StoreFixture& fixture, int64_t id) {
  return Shown(fixture.Get({"profile:age"}, {{{"id", id}}}), "age", 0);
}

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

void CheckNothingLeft(StoreFixture& fixture, std::size_t generations) {
  const auto session = larder::ReadSession::Open(fixture.store().environment());
  REQUIRE(session.ok());
  const auto catalog = fixture.store().GetCatalog();
  const auto view = catalog->GetView("p", "profile");
  REQUIRE(view.ok());
  const auto kept = larder::ListGenerations(*session, (*view)->data_id);
  REQUIRE(kept.ok());
  CHECK(kept->size() == generations);
  const auto report = larder::VerifyStore(fixture.folder().File("store"));
  REQUIRE(report.ok());
  CHECK(report->ok());
}

}  // namespace

TEST_CASE(
    "a load whose validators do not hold is refused with their figures, and the live rows stay",
    "[store][load][validators]") {
  StoreFixture fixture;
  fixture.Apply(WithValidators(
      R"("keys >= 0.5 * keys_before", "null_share_age < 0.3", "max_age < 150", "min_age > 0")"));
  fixture.folder().Write("users.csv", Users(40, 20, "01"));
  const auto loaded = fixture.Materialize();
  REQUIRE(loaded.views.size() == 1);
  CHECK(Age(fixture, 1) == "21 PRESENT");

  const uint64_t history = fixture.store().History()->size();
  fixture.folder().Write("users.csv", Users(10, 145, "02"));
  larder::MaterializeOptions full;
  full.full = true;
  const auto refused = fixture.store().Materialize(full);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  const std::string said = MessageOf(refused.status());
  CHECK(said.find("feature view profile@1") != std::string::npos);
  CHECK(said.find("keys >= 0.5 * keys_before  (keys 10, keys_before 40)") != std::string::npos);
  CHECK(said.find("max_age < 150  (max_age 155)") != std::string::npos);
  CHECK(said.find("null_share_age") == std::string::npos);
  CHECK(said.find("min_age > 0") == std::string::npos);
  CHECK(Age(fixture, 1) == "21 PRESENT");
  CHECK(fixture.store().History()->size() == history);
  CheckNothingLeft(fixture, 1);

  // Over the rows that are there, the same file passes but for its ages.
  const auto again = fixture.store().Materialize();
  REQUIRE_FALSE(again.ok());
  CHECK(MessageOf(again.status()).find("keys_before") == std::string::npos);
  fixture.folder().Write("users.csv", Users(10, 100, "02"));
  CHECK(fixture.Materialize().views.size() == 1);
  CHECK(Age(fixture, 1) == "101 PRESENT");
  CHECK(Age(fixture, 40) == "null NULL_VALUE");
  CHECK(Age(fixture, 39) == "59 PRESENT");
}

TEST_CASE("a caller may refuse a load by what it would publish", "[store][load][validators]") {
  StoreFixture fixture;
  fixture.Apply(WithValidators(""));
  fixture.folder().Write("users.csv", Users(8, 20, "01"));
  larder::MaterializeOptions options;
  larder::LoadSummary seen;
  options.validate = [&seen](const larder::LoadSummary& summary) {
    seen = summary;
    return larder::FailedPreconditionError("not on a Friday");
  };
  const auto refused = fixture.store().Materialize(options);
  REQUIRE_FALSE(refused.ok());
  CHECK(MessageOf(refused.status()) == "feature view profile@1: not on a Friday");
  CHECK(seen.view == "profile@1");
  CHECK(seen.keys == 8);
  CHECK(seen.keys_before == 0);
  REQUIRE(seen.features.size() == 2);
  CHECK(seen.features[0].name == "age");
  CHECK(seen.features[0].null_share == 0.25);
  CHECK(seen.features[0].min == larder::Value(int64_t{21}));
  CHECK(seen.features[0].max == larder::Value(int64_t{27}));
  CHECK(seen.features[1].null_share == 0);
  CHECK(seen.features[1].min.is_null());
  CHECK_FALSE(fixture.TryGet({"profile:age"}, {{{"id", int64_t{1}}}}).ok());
  CheckNothingLeft(fixture, 0);
  options.validate = [](const larder::LoadSummary&) { return absl::OkStatus(); };
  fixture.Materialize(options);
  CHECK(Age(fixture, 1) == "21 PRESENT");
}

TEST_CASE("a view on hold is built and checked but not published", "[store][load][validators]") {
  StoreFixture fixture;
  fixture.Apply(WithValidators("\"keys > 5\""));
  fixture.folder().Write("users.csv", Users(8, 20, "01"));
  fixture.Materialize();
  REQUIRE(fixture.store().Hold("profile").ok());
  larder::MaterializeOptions full;
  full.full = true;
  fixture.folder().Write("users.csv", Users(3, 40, "02"));
  CHECK_FALSE(fixture.store().Materialize(full).ok());
  fixture.folder().Write("users.csv", Users(6, 40, "02"));
  const auto held = fixture.Materialize(full);
  CHECK(held.held == std::vector<std::string>{"profile@1"});
  CHECK(held.views.empty());
  CHECK(Age(fixture, 1) == "21 PRESENT");
  CheckNothingLeft(fixture, 1);
  REQUIRE(fixture.store().Release("profile").ok());
  fixture.Materialize(full);
  CHECK(Age(fixture, 1) == "41 PRESENT");
}

TEST_CASE("a validator that is no condition over a load's figures is refused when it is planned",
          "[store][validators][errors]") {
  StoreFixture fixture;
  const auto problem = [&](std::string_view validators) {
    return MessageOf(fixture.store().Plan(fixture.Parse(WithValidators(validators))).status());
  };
  CHECK(problem("\"keys\"").find("a validator is true or false, this is int64") !=
        std::string::npos);
  CHECK(problem("\"max_agee > 3\"").find("max_age") != std::string::npos);
  CHECK(problem("\"min_city = 'x'\"").find("/validators/0") != std::string::npos);
  CHECK(fixture.store().Plan(fixture.Parse(WithValidators("\"keys > 0\""))).ok());
}

TEST_CASE("a load on several threads tells and serves what one on one thread does",
          "[store][load]") {
  std::string users = Users(300, 20, "05");
  users += "7,1000,x,2025-01-04T00:00:00Z\n7,2000,x,2025-01-06T00:00:00Z\n";  // two versions more
  const std::string outside = users + "8,1,x,2024-12-01T00:00:00Z\n,1,x,2025-01-05T00:00:00Z\n";
  // Rows that are all taken, and some that are not.
  for (const std::string& text : {users, outside}) {
    std::vector<larder::ViewLoad> loads;
    std::vector<std::string> ages;
    for (const int thread_count : {1, 3, -1}) {
      CAPTURE(thread_count);
      StoreFixture fixture;
      fixture.Apply(WithValidators(""));
      fixture.folder().Write("users.csv", text);
      larder::MaterializeOptions options;
      options.start = At("2025-01-01T00:00:00Z");
      options.strict = false;
      options.thread_count = thread_count;
      loads.push_back(fixture.Materialize(options).views.at(0));
      std::string& served = ages.emplace_back();
      for (const int64_t id : {1, 7, 8, 300}) served += Age(fixture, id) + ";";
      CheckNothingLeft(fixture, 1);
      CHECK(served == ages.front());
      CHECK(loads.back().rows.written == loads.front().rows.written);
      CHECK(loads.back().rows.older == loads.front().rows.older);
      CHECK(loads.back().rows_bad == (text == outside ? 1 : 0));
      CHECK(loads.back().rows_outside == (text == outside ? 1 : 0));
    }
    CHECK(ages.front().find("2000 PRESENT") != std::string::npos);
  }
}
