// Training from what the store itself keeps of pushed events.
#include "feature_store/store_fixture.h"
#include "larder/base/text.h"

namespace {

using larder::Row;
using larder::TypeId;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::Shown;
using larder_test::StoreFixture;

constexpr const char* kDefinitions = R"({"larder": 1, "project": "live",
 "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]}],
 "sources": [
  {"name": "clicks", "kind": "push", "event_time": "at", "event_id": "click", "version_horizon": "2d",
   "fields": [{"name": "user_id", "type": "int64"}, {"name": "price", "type": "float64"},
              {"name": "click", "type": "string"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "last_click", "entities": ["user"], "source": "clicks", "ttl": "20h",
   "features": [{"name": "price", "type": "float64"}]},
  {"name": "clicks_1d", "entities": ["user"], "source": "clicks",
   "aggregates": [{"name": "spent", "functions": ["sum"], "input": "price", "windows": ["1d"]}]}]})";

class Clicks {
 public:
  Clicks() : fixture_("2025-01-10T12:00:00Z") { fixture_.Apply(kDefinitions); }

  StoreFixture& fixture() { return fixture_; }
  void Push(int64_t user, double price, const char* id, std::string_view at, std::string_view now) {
    fixture_.SetNow(now);
    fixture_.Push("clicks", {{{"user_id", user}, {"price", price}, {"click", id}, {"at", At(at)}}});
  }
  void PushSome() {
    Push(1, 1.0, "a", "2025-01-10T12:00:00Z", "2025-01-10T12:00:00Z");
    Push(1, 2.0, "b", "2025-01-10T18:00:00Z", "2025-01-10T18:00:00Z");
    // Told three hours late.
    Push(1, 4.0, "c", "2025-01-10T15:00:00Z", "2025-01-10T18:30:00Z");
    Push(2, 8.0, "d", "2025-01-10T19:00:00Z", "2025-01-10T19:00:00Z");
  }
  static larder::HistoricalRequest Request(
      const std::vector<std::pair<larder::Value, std::string_view>>& asked) {
    larder::HistoricalRequest request;
    request.what.features = {"last_click:price", "clicks_1d:spent"};
    request.manifest = true;
    request.leakage = larder::LeakageAudit::kReport;
    std::vector<Row> rows;
    for (const auto& [user, at] : asked) rows.push_back({{"user_id", user}, {"t", At(at)}});
    const std::vector<larder::Field> fields = {{"user_id", TypeId::kInt64, "", ""},
                                               {"t", TypeId::kTimestamp, "", ""}};
    request.spine = *larder::Batch::FromRows(rows, fields);
    return request;
  }
  absl::StatusOr<larder::TrainingSet> Train(
      const std::vector<std::pair<larder::Value, std::string_view>>& asked,
      std::optional<larder::KnownAt> known_at = std::nullopt) {
    larder::HistoricalRequest request = Request(asked);
    request.known_at = known_at;
    return fixture_.store().GetHistoricalFeatures(request);
  }

 private:
  StoreFixture fixture_;
};

TEST_CASE("pushed events are history to train from, rows in the spine's order",
          "[store][training]") {
  Clicks clicks;
  clicks.PushSome();
  const auto set = clicks.Train({{1, "2025-01-10T20:00:00Z"},
                                 {2, "2025-01-10T20:00:00Z"},
                                 {1, "2025-01-10T16:00:00Z"},
                                 {3, "2025-01-10T16:00:00Z"},
                                 {1, "2025-01-11T14:00:01Z"},
                                 {1, "2025-01-10T13:00:00Z"}});
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  const char* const prices[] = {
      "2 PRESENT", "8 PRESENT", "4 PRESENT", "null NOT_FOUND", "null OUTSIDE_MAX_AGE", "1 PRESENT"};
  const char* const spent[] = {"7", "8", "5", "0", "6", "1"};
  for (std::size_t row = 0; row < 6; ++row) {
    INFO(row);
    CHECK(Shown(*set, "price", row) == prices[row]);
    CHECK(larder::FormatValue(set->rows.Find("spent")->ValueAt(row)) == spent[row]);
  }
  REQUIRE(set->views.size() == 2);
  CHECK(set->views[0].from_store);
  CHECK(set->views[0].counts.rows_found == 4);
  CHECK(set->views[0].counts.rows_not_found == 1);
  CHECK(set->views[0].counts.rows_outside_max_age == 1);
  REQUIRE(set->commit_seq.has_value());
  CHECK(set->manifest->commit_seq == set->commit_seq);
}

TEST_CASE("known_at spine leaves out what was pushed after a row's time", "[store][training]") {
  Clicks clicks;
  clicks.PushSome();
  const auto set = clicks.Train({{1, "2025-01-10T16:00:00Z"}, {1, "2025-01-10T20:00:00Z"}},
                                larder::KnownAt::kSpine);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  CHECK(Shown(*set, "price", 0) == "1 PRESENT");  // the 4 came at 18:30
  CHECK(larder::FormatValue(set->rows.Find("spent")->ValueAt(0)) == "1");
  CHECK(larder::FormatValue(set->rows.Find("spent")->ValueAt(1)) == "7");
}

TEST_CASE("an instant before what the store keeps is refused, with the limit",
          "[store][training]") {
  Clicks clicks;
  clicks.PushSome();
  // Days later the versions of the 10th are over the horizon and go.
  clicks.Push(1, 16.0, "e", "2025-01-20T00:00:00Z", "2025-01-20T00:00:00Z");
  clicks.Push(1, 32.0, "f", "2025-01-20T01:00:00Z", "2025-01-20T01:00:00Z");
  const auto set = clicks.Train({{1, "2025-01-20T02:00:00Z"}, {1, "2025-01-10T16:00:00Z"}});
  CHECK(larder::KindOf(set.status()) == larder::ErrorKind::kOutsideHistory);
  CHECK_THAT(set.status().ToString(),
             ContainsSubstring("last_click@1, trained from what the store keeps of clicks") &&
                 ContainsSubstring("2025-01-10T16:00:00Z"));
  const auto recent = clicks.Train({{1, "2025-01-20T00:30:00Z"}});
  INFO(recent.status().ToString());
  REQUIRE(recent.ok());
  CHECK(Shown(*recent, "price", 0) == "16 PRESENT");
}

TEST_CASE("rows without a key are counted, and pushed events are known when they are committed",
          "[store][training]") {
  Clicks clicks;
  clicks.PushSome();
  for (const larder::KnownAt known_at : {larder::KnownAt::kAny, larder::KnownAt::kSpine}) {
    const auto set = clicks.Train({{larder::Value(), "2025-01-10T20:00:00Z"},
                                   {1, "2025-01-10T20:00:00Z"},
                                   {larder::Value(), "2025-01-10T21:00:00Z"}},
                                  known_at);
    INFO(set.status().ToString());
    REQUIRE(set.ok());
    for (const larder::TrainingViewReport& view : set->views) {
      INFO(view.view);
      CHECK(view.counts.rows_found == 1);
      CHECK(view.counts.rows_not_found == 2);
      CHECK(view.counts.rows_null_key == 2);
    }
    for (const auto& view : set->manifest->views) CHECK_FALSE(view.event_time_only);
  }
}

TEST_CASE("what is read from the store is not audited, so that no leak could be refused",
          "[store][training]") {
  Clicks clicks;
  clicks.PushSome();
  larder::HistoricalRequest request = Clicks::Request({{1, "2025-01-10T20:00:00Z"}});
  request.leakage = larder::LeakageAudit::kFail;
  const auto set = clicks.fixture().store().GetHistoricalFeatures(request);
  CHECK(set.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(set.status().ToString(),
             ContainsSubstring("last_click@1: what the store keeps of clicks cannot be audited"));
}

TEST_CASE("a memory budget is refused for what is read from the store, before the spine is read",
          "[store][training]") {
  class Unread : public larder::RecordReader {
   public:
    std::span<const larder::Field> fields() const override { return {}; }
    const larder::ReadCounts& counts() const override { return counts_; }
    std::string PlaceOf(std::size_t) const override { return ""; }
    absl::StatusOr<bool> Next(larder::Batch*) override {
      FAIL("the spine was read");
      return false;
    }

   private:
    larder::ReadCounts counts_;
  };
  class Unfilled : public larder::TrainingSink {
   public:
    absl::Status Begin(const larder::TrainingSet&) override { return absl::OkStatus(); }
    absl::Status Take(const larder::TrainingSet&) override { return absl::OkStatus(); }
  };
  Clicks clicks;
  clicks.PushSome();
  larder::HistoricalRequest request = Clicks::Request({});
  request.leakage = larder::LeakageAudit::kNone;
  request.memory_budget = 1 << 20;
  Unread spine;
  Unfilled sink;
  const absl::Status status =
      clicks.fixture().store().StreamHistoricalFeatures(request, spine, sink);
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(status.ToString(), ContainsSubstring("last_click@1") &&
                                    ContainsSubstring("does not go with a memory_budget"));
}

TEST_CASE("reading from the store reports how far it is, and can be stopped", "[store][training]") {
  Clicks clicks;
  clicks.PushSome();
  const auto train = [&](const std::string& stop_at, std::vector<std::string>* told) {
    larder::HistoricalRequest request =
        Clicks::Request({{1, "2025-01-10T20:00:00Z"}, {2, "2025-01-10T21:00:00Z"}});
    request.progress = [&](const larder::TrainingProgress& now) {
      if (now.view == stop_at) return absl::CancelledError("enough");
      told->push_back(larder::Concat(now.view, " ", now.rows, "/", now.all_rows));
      return absl::OkStatus();
    };
    return clicks.fixture().store().GetHistoricalFeatures(request).status();
  };
  std::vector<std::string> told;
  CHECK(train("", &told).ok());
  CHECK(told == std::vector<std::string>{"last_click@1 2/2", "clicks_1d@1 2/2"});
  CHECK(train("clicks_1d@1", &told).code() == absl::StatusCode::kCancelled);
}

TEST_CASE("a source that nothing was pushed to is not ready to train from", "[store][training]") {
  Clicks clicks;
  const auto set = clicks.Train({{1, "2025-01-10T16:00:00Z"}});
  CHECK(larder::KindOf(set.status()) == larder::ErrorKind::kNotReady);
  CHECK_THAT(set.status().ToString(), ContainsSubstring("nothing was pushed to source clicks yet"));
}

TEST_CASE("rows given for a push source are its history", "[store][training]") {
  Clicks clicks;
  larder::HistoricalRequest request;
  request.what.features = {"last_click:price"};
  const std::vector<larder::Field> fields = {{"user_id", TypeId::kInt64, "", ""},
                                             {"price", TypeId::kFloat64, "", ""},
                                             {"click", TypeId::kString, "", ""},
                                             {"at", TypeId::kTimestamp, "", ""}};
  const std::vector<Row> history = {
      {{"user_id", 1}, {"price", 3.0}, {"click", "x"}, {"at", At("2024-06-01T00:00:00Z")}}};
  request.sources = {
      {"clicks",
       std::make_shared<const larder::Batch>(larder::Batch::FromRows(history, fields).value()),
       {}}};
  const std::vector<larder::Field> asked = {{"user_id", TypeId::kInt64, "", ""},
                                            {"t", TypeId::kTimestamp, "", ""}};
  const std::vector<Row> spine = {{{"user_id", 1}, {"t", At("2024-06-01T10:00:00Z")}}};
  request.spine = larder::Batch::FromRows(spine, asked).value();
  const auto set = clicks.fixture().store().GetHistoricalFeatures(request);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  CHECK(Shown(*set, "price", 0) == "3 PRESENT");
  CHECK_FALSE(set->views[0].from_store);
}

}  // namespace
