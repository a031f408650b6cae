// What a caller gets wrong: the message names object, place, found and expected, and the store stays as it was.
#include "feature_store/store_fixture.h"
#include "larder/online/verify.h"

namespace {

using larder_test::At;
using larder_test::StoreFixture;

constexpr std::string_view kShop = R"({"project": "p",
 "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]}],
 "sources": [{"name": "users", "kind": "csv", "path": "users.csv", "event_time": "at",
   "fields": [{"name": "user_id", "type": "int64"}, {"name": "born", "type": "date"},
              {"name": "score", "type": "float64"}, {"name": "at", "type": "timestamp"}]},
  {"name": "pushes", "kind": "push", "batch_source": "users"}],
 "feature_views": [{"name": "profile", "entities": ["user"], "source": "pushes",
   "features": [{"name": "score"}, {"name": "twice", "expr": "score * 2"}]}],
 "feature_services": [{"name": "s", "features": ["profile:score", "profile:twice"]}]})";
constexpr std::string_view kRows = "user_id,born,score,at\n1,2000-01-01,5,2025-01-01T00:00:00Z\n";

// A store with one row, and what it held when the mistake was made.
class Mistake {
 public:
  Mistake() {
    fixture_.folder().Write("users.csv", kRows);
    fixture_.Apply(kShop);
    fixture_.Materialize();
    before_ = Contents();
  }
  StoreFixture& fixture() { return fixture_; }
  larder::FeatureStore& store() { return fixture_.store(); }

  void Check(const absl::Status& status, std::vector<std::string> parts,
             absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
    INFO(status.ToString());
    CHECK(status.code() == code);
    for (const std::string& part : parts)
      CHECK_THAT(std::string(larder::MessageOf(status)), larder_test::ContainsSubstring(part));
    CHECK(Contents() == before_);
    const auto response = fixture_.Get({"profile:score"}, {{{"user_id", 1}}});
    CHECK(larder_test::Shown(response, "score", 0) == "5 PRESENT");
  }
  // Applies the definitions with `from` replaced by `to`.
  absl::Status Apply(std::string_view from, std::string_view to) {
    std::string text(kShop);
    REQUIRE(text.find(from) != std::string::npos);
    text.replace(text.find(from), from.size(), to);
    return store().Apply(fixture_.Parse(text)).status();
  }
  absl::Status Load(std::string_view file) {
    fixture_.folder().Write("users.csv", file);
    return store().Materialize().status();
  }

 private:
  larder::Hash128 Contents() {
    const auto hash = larder::HashContents(store().environment());
    REQUIRE(hash.ok());
    return *hash;
  }
  StoreFixture fixture_;
  larder::Hash128 before_;
};

}  // namespace

TEST_CASE("an entity whose key the source lacks is refused with the columns there are",
          "[store][errors]") {
  Mistake mistake;
  mistake.Check(
      mistake.Apply(R"("join_keys": [{"name": "user_id")", R"("join_keys": [{"name": "usr_id")"),
      {"/feature_views/0/source", "usr_id", "did you mean \"user_id\""});
}

TEST_CASE("a feature that is no field of the source is refused with the nearest one",
          "[store][errors]") {
  Mistake mistake;
  mistake.Check(mistake.Apply(R"({"name": "score"})", R"({"name": "scor"})"),
                {"/feature_views/0/features/0", "scor", "did you mean \"score\""});
}

TEST_CASE("a type that cannot hold the field is refused naming both", "[store][errors]") {
  Mistake mistake;
  mistake.Check(mistake.Apply(R"({"name": "score"})", R"({"name": "score", "type": "int32"})"),
                {"/feature_views/0/features/0/type", "int32", "float64"});
}

TEST_CASE("a type that does not exist is refused where it stands", "[store][errors]") {
  Mistake mistake;
  std::string text(kShop);
  text.replace(text.find(R"("type": "float64")"), 17, R"("type": "flaot64")");
  const auto parsed = larder::ParseDefinitions(text, "shop.json");
  mistake.Check(parsed.status(), {"shop.json", "/sources/0/fields/2/type", "flaot64"});
}

TEST_CASE("a malformed expression is refused with its place", "[store][errors]") {
  Mistake mistake;
  mistake.Check(mistake.Apply("score * 2", "score * (2"), {"/feature_views/0/features/1/expr", "^"});
}

TEST_CASE("an expression over an unknown column names it with the nearest one", "[store][errors]") {
  Mistake mistake;
  mistake.Check(mistake.Apply("score * 2", "scor * 2"),
                {"/feature_views/0/features/1/expr", "scor", "did you mean \"score\""});
}

TEST_CASE("an expression over types that do not go together names both", "[store][errors]") {
  Mistake mistake;
  mistake.Check(mistake.Apply("score * 2", "born * score"),
                {"/feature_views/0/features/1/expr", "date", "float64"});
}

TEST_CASE("several mistakes of one file are reported together", "[store][errors]") {
  Mistake mistake;
  mistake.Check(mistake.Apply(R"({"name": "score"}, {"name": "twice", "expr": "score * 2"})",
                              R"({"name": "scor"}, {"name": "twice", "expr": "score *"})"),
                {"2 problems", "features/0", "features/1"});
}

TEST_CASE("a bad cell of a file refuses the whole load with file, line, column and type",
          "[store][errors]") {
  Mistake mistake;
  mistake.Check(mistake.Load("user_id,born,score,at\n"
                             "2,2000-01-01,7,2025-01-02T00:00:00Z\n"
                             "3,2000-01-01,high,2025-01-02T00:00:00Z\n"),
                {"users.csv:3", "score", "float64"});
}

TEST_CASE("a bad key of a file refuses the whole load", "[store][errors]") {
  Mistake mistake;
  mistake.Check(mistake.Load("user_id,born,score,at\nabc,2000-01-01,7,2025-01-02T00:00:00Z\n"),
                {"users.csv:2", "user_id", "int64"});
}

TEST_CASE("a row without an event time refuses the whole load", "[store][errors]") {
  Mistake mistake;
  mistake.Check(mistake.Load("user_id,born,score,at\n2,2000-01-01,7,\n"),
                {"users.csv:2", "event time is null"});
}

TEST_CASE("a row with a cell too few refuses the whole load", "[store][errors]") {
  Mistake mistake;
  mistake.Check(mistake.Load("user_id,born,score,at\n2,2000-01-01,7\n"), {"users.csv:2", "4", "3"});
}

TEST_CASE("a file without a declared column names it and the nearest one", "[store][errors]") {
  Mistake mistake;
  mistake.Check(mistake.Load("user_id,born,scores,at\n2,2000-01-01,7,2025-01-02T00:00:00Z\n"),
                {"users.csv", "score", "scores"});
}

TEST_CASE("a missing file is named with its path", "[store][errors]") {
  Mistake mistake;
  std::filesystem::remove(mistake.fixture().folder().File("users.csv"));
  mistake.Check(mistake.store().Materialize().status(), {"profile", "users.csv"},
                absl::StatusCode::kNotFound);
}

TEST_CASE("a missing join key of a request is named, online and for training", "[store][errors]") {
  Mistake mistake;
  larder::OnlineRequest online;
  online.what.service = "s";
  online.rows = {{{"usr_id", 1}}};
  mistake.Check(mistake.store().GetOnlineFeatures(online).status(),
                {"missing join key user_id", "did you mean \"usr_id\""});
  larder::HistoricalRequest history;
  history.what.service = "s";
  const std::vector<larder::Field> fields = {{"usr_id", larder::TypeId::kInt64, "", ""},
                                             {"t", larder::TypeId::kTimestamp, "", ""}};
  const std::vector<larder::Row> rows = {
      {{"usr_id", int64_t{1}}, {"t", At("2025-01-01T00:00:00Z")}}};
  history.spine = *larder::Batch::FromRows(rows, fields);
  mistake.Check(mistake.store().GetHistoricalFeatures(history).status(),
                {"spine", "missing join key user_id"});
}

TEST_CASE("a push with an unknown field, a missing field or a wrong type is refused whole",
          "[store][errors]") {
  Mistake mistake;
  const larder::Timestamp at = At("2025-01-02T00:00:00Z");
  const std::vector<larder::Row> unknown = {{{"user_id", 1}, {"scor", 9.0}, {"at", at}}};
  mistake.Check(mistake.store().Push("pushes", unknown).status(), {"pushes", "scor"});
  const std::vector<larder::Row> missing = {{{"user_id", 1}, {"at", at}}};
  mistake.Check(mistake.store().Push("pushes", missing).status(), {"profile", "score", "missing"});
  const std::vector<larder::Row> wrong = {{{"user_id", 1}, {"score", 9.0}, {"at", at}},
                                          {{"user_id", 1}, {"score", "9"}, {"at", at}}};
  mistake.Check(mistake.store().Push("pushes", wrong).status(),
                {"pushes", "row 1", "score", "string", "float64"});
}

TEST_CASE("a push to an unknown source names the nearest one", "[store][errors]") {
  Mistake mistake;
  const std::vector<larder::Row> rows = {{{"user_id", 1}}};
  mistake.Check(mistake.store().Push("pushs", rows).status(), {"pushs", "did you mean \"pushes\""},
                absl::StatusCode::kNotFound);
}

TEST_CASE("a load whose start is after its end is refused naming both", "[store][errors]") {
  Mistake mistake;
  larder::MaterializeOptions options;
  options.start = At("2025-01-05T00:00:00Z");
  options.end = At("2025-01-04T00:00:00Z");
  mistake.Check(mistake.store().Materialize(options).status(),
                {"2025-01-05T00:00:00Z", "2025-01-04T00:00:00Z"});
}
