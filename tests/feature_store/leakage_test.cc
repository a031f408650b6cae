// The leakage audit finds what a wrong join, or a wrong question, lets through from a row's future.
#include "larder/feature_store/leakage.h"

#include <algorithm>

#include "feature_store/audit_record.h"
#include "feature_store/row_audit.h"
#include "feature_store/source_events.h"
#include "feature_store/source_join.h"
#include "feature_store/store_fixture.h"
#include "feature_store/window_audit.h"
#include "larder/base/text.h"

namespace {

using larder::AuditedView;
using larder::Column;
using larder::Concat;
using larder::Duration;
using larder::JoinView;
using larder::KnownAt;
using larder::LeakKind;
using larder::TypeId;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::StoreFixture;

// Limits say when they arrived; of visits the view is what they were before an instant.
constexpr const char* kDefinitions = R"({"larder": 1, "project": "audit",
 "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]}],
 "sources": [
  {"name": "limits", "kind": "csv", "path": "limits.csv", "event_time": "at", "arrival_time": "arrived",
   "fields": [{"name": "user_id", "type": "int64"}, {"name": "limit", "type": "float64"},
              {"name": "at", "type": "timestamp"}, {"name": "arrived", "type": "timestamp"}]},
  {"name": "visits", "kind": "csv", "path": "visits.csv", "event_time": "at", "event_id": "visit",
   "fields": [{"name": "user_id", "type": "int64"}, {"name": "spent", "type": "float64"},
              {"name": "visit", "type": "string"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "user_limit", "entities": ["user"], "source": "limits", "ttl": "10d",
   "features": [{"name": "limit", "type": "float64"}]},
  {"name": "last_visit", "entities": ["user"], "source": "visits", "boundary": "before",
   "features": [{"name": "spent", "type": "float64"}]},
  {"name": "this_visit", "entities": ["user"], "source": "visits",
   "features": [{"name": "spent", "type": "float64"}]},
  {"name": "visits_before", "entities": ["user"], "source": "visits",
   "aggregates": [{"name": "n", "functions": ["count"], "input": "spent", "windows": ["5d"]},
                  {"name": "s", "functions": ["sum"], "input": "spent", "windows": ["5d"]}]},
  {"name": "visits_at", "entities": ["user"], "source": "visits", "boundary": "at",
   "aggregates": [{"name": "n", "functions": ["count"], "input": "spent", "windows": ["5d"]},
                  {"name": "s", "functions": ["sum"], "input": "spent", "windows": ["5d"]}]},
  {"name": "limits_before", "entities": ["user"], "source": "limits",
   "aggregates": [{"name": "n", "functions": ["count"], "input": "limit", "windows": ["5d"]},
                  {"name": "s", "functions": ["sum"], "input": "limit", "windows": ["5d"]}]}],
 "on_demand_views": [
  {"name": "ratios", "request": [{"name": "bought", "type": "int64"}], "inputs": {"limit": "user_limit:limit"},
   "features": [{"name": "per_limit", "type": "float64", "expr": "request.bought / limit"}]}]})";

constexpr const char* kSpineTimes[] = {"2025-01-05T00:00:00Z", "2025-01-09T00:00:00Z"};

class Auditing {
 public:
  Auditing() {
    fixture_.folder().Write("limits.csv",
                            "user_id,limit,at,arrived\n"
                            "1,100,2025-01-01T00:00:00Z,2025-01-01T06:00:00Z\n"
                            "1,200,2025-01-04T00:00:00Z,2025-01-07T00:00:00Z\n"  // late
                            "1,300,2025-01-08T00:00:00Z,2025-01-08T00:00:00Z\n"
                            "1,333,2025-01-08T00:00:00Z,2025-01-12T00:00:00Z\n");  // written over it
    fixture_.folder().Write("visits.csv",
                            "user_id,spent,visit,at\n"
                            "1,1.5,a,2025-01-03T00:00:00Z\n"
                            "1,2.5,b,2025-01-05T00:00:00Z\n"
                            "1,4.5,c,2025-01-09T00:00:00Z\n");
    fixture_.Apply(kDefinitions);
    for (const char* time : kSpineTimes) {
      times_.AppendFixed(At(time).us);
      users_.AppendFixed(int64_t{1});
      ids_.AppendText(times_.size() == 1 ? "b" : "c");
    }
  }

  // What the audit of `audited` says of values that a join of `joined`, wrong in `spoil`'s way, found `later` than asked.
  AuditedView Audit(std::string_view audited, std::string_view joined, KnownAt known_at,
                    const std::function<void(JoinView&)>& spoil = nullptr, Duration later = {},
                    const std::function<void(larder::JoinedView&)>& tamper = nullptr) {
    const larder::Catalog catalog = fixture_.store().GetCatalog().value();
    const larder::ViewVersion& wrong = *catalog.GetView("", joined).value();
    const larder::ViewVersion& right = *catalog.GetView("", audited).value();
    const larder::CompileOptions compile;
    const std::vector<const Column*> keys = {&users_};
    JoinView join = larder::MakeJoinView(wrong, wrong.offline_source(), keys);
    join.known_at = known_at;
    if (spoil) spoil(join);
    Column asked(TypeId::kTimestamp);
    for (const int64_t us : times_.Values<int64_t>()) asked.AppendFixed(us + later.us);
    const larder::SourcePlaces places{fixture_.folder().path().string(), {}};
    auto claims =
        larder::JoinSource(wrong, places, compile, asked, std::move(join), larder::JoinOptions{});
    INFO(claims.status().ToString());
    REQUIRE(claims.ok());
    if (tamper) tamper(*claims);

    larder::BoundUse use{&right, "", larder::RowLayout::Make({}).value(), {}, {}, {}, {}, {}, {}};
    if (right.is_aggregate()) {
      use.windows =
          std::make_shared<larder::WindowPlan>(larder::WindowPlan::Make(right, compile).value());
    }
    const bool has_ids = !right.offline_source().event_id.empty();
    const larder::AuditedUse of{use, times_, keys, *claims, known_at, has_ids ? &ids_ : nullptr};
    if (!right.is_aggregate()) {
      larder::RowAudit audit(of);
      const auto add = [&](const larder::MappedBatch& batch) {
        audit.Add(batch.events);
        return absl::OkStatus();
      };
      REQUIRE(larder::VisitEvents(right, right.offline_source(), places, compile, add).ok());
      return std::move(audit).Finish();
    }
    larder::WindowAudit audit(of, 0);
    const auto add = [&](larder::MappedBatch& batch) {
      audit.Add(std::move(batch), right.offline_source(), 0);
      return absl::OkStatus();
    };
    REQUIRE(
        larder::VisitEvents(use.windows->rows(), right.offline_source(), places, compile, add).ok());
    auto view = std::move(audit).Finish();
    REQUIRE(view.ok());
    return *std::move(view);
  }

  StoreFixture& fixture() { return fixture_; }
  // Rows of user 1 at kSpineTimes, with what was bought.
  larder::HistoricalRequest Request(std::vector<std::string> features) {
    larder::HistoricalRequest request;
    request.what.features = std::move(features);
    request.what.full_feature_names = true;
    std::vector<larder::Row> rows;
    for (const char* time : kSpineTimes) {
      rows.push_back({{"user_id", int64_t{1}},
                      {"t", At(time)},
                      {"visit", rows.empty() ? "b" : "c"},
                      {"bought", static_cast<int64_t>(rows.size())}});
    }
    const std::vector<larder::Field> fields = {{"user_id", TypeId::kInt64, "", ""},
                                               {"t", TypeId::kTimestamp, "", ""},
                                               {"visit", TypeId::kString, "", ""},
                                               {"bought", TypeId::kInt64, "", ""}};
    request.spine = *larder::Batch::FromRows(rows, fields);
    request.leakage = larder::LeakageAudit::kReport;
    return request;
  }
  larder::TrainingSet Train(const larder::HistoricalRequest& request) {
    auto set = fixture_.store().GetHistoricalFeatures(request);
    INFO(set.status().ToString());
    REQUIRE(set.ok());
    return *std::move(set);
  }

 private:
  StoreFixture fixture_;
  Column times_{TypeId::kTimestamp};
  Column users_{TypeId::kInt64};
  Column ids_{TypeId::kString};
};

// `late_arrival 1, ttl 2`
std::string LeaksOf(const AuditedView& view) {
  std::vector<std::string> texts;
  for (std::size_t kind = 0; kind < larder::kLeakKinds; ++kind) {
    if (view.leaks[kind] > 0) {
      texts.push_back(
          Concat(larder::LeakKindName(static_cast<LeakKind>(kind)), " ", view.leaks[kind]));
    }
  }
  return larder::Join(texts, ", ");
}

std::string TimeAt(const Column& column, std::size_t row) {
  return larder::FormatValue(column.ValueAt(row));
}

TEST_CASE("a set as it should be has no leak, and the audit says what contributed to every row",
          "[store][leakage]") {
  Auditing auditing;
  const larder::TrainingSet set =
      auditing.Train(auditing.Request({"user_limit:limit", "last_visit:spent", "visits_before:s"}));
  REQUIRE(set.leakage->views.size() == 3);
  CHECK(set.leakage->leak_count() == 0);
  const AuditedView& limit = set.leakage->views[0];
  CHECK(limit.view == "user_limit@1");
  CHECK(limit.rows_checked == 2);
  CHECK(TimeAt(limit.newest_event_time, 0) == "2025-01-01T00:00:00Z");
  CHECK(TimeAt(limit.newest_known_time, 0) == "2025-01-01T06:00:00Z");
  CHECK(TimeAt(limit.newest_event_time, 1) == "2025-01-08T00:00:00Z");
  const AuditedView& visit = set.leakage->views[1];
  CHECK(TimeAt(visit.newest_event_time, 0) == "2025-01-03T00:00:00Z");
  CHECK(TimeAt(visit.newest_known_time, 0) == "null");  // visits do not say when they arrived
  const AuditedView& window = set.leakage->views[2];
  CHECK(TimeAt(window.newest_event_time, 1) == "2025-01-05T00:00:00Z");
}

TEST_CASE("an audit reports how far it is, and can be stopped", "[store][leakage]") {
  Auditing auditing;
  larder::HistoricalRequest request = auditing.Request({"user_limit:limit", "visits_before:s"});
  std::vector<std::string> told;
  std::size_t stop_at = 0;  // counted from 1
  request.progress = [&](const larder::TrainingProgress& now) {
    told.push_back(Concat(now.view, " ", now.events, " ", now.rows, "/", now.all_rows));
    return told.size() == stop_at ? absl::CancelledError("enough") : absl::OkStatus();
  };
  request.leakage = larder::LeakageAudit::kNone;
  auditing.Train(request);
  const std::size_t joined = told.size();
  told.clear();
  request.leakage = larder::LeakageAudit::kReport;
  auditing.Train(request);
  CHECK(std::vector<std::string>(told.begin() + static_cast<std::ptrdiff_t>(joined), told.end()) ==
        std::vector<std::string>{"user_limit@1 4 0/2", "visits_before@1 3 0/2",
                                 "visits_before@1 3 2/2"});
  for (stop_at = joined + 1; stop_at <= joined + 3; ++stop_at) {
    told.clear();
    CHECK(auditing.fixture().store().GetHistoricalFeatures(request).status().code() ==
          absl::StatusCode::kCancelled);
  }
}

TEST_CASE("an on-demand view has what its inputs have", "[store][leakage]") {
  Auditing auditing;
  const larder::TrainingSet set = auditing.Train(auditing.Request({"ratios:per_limit"}));
  REQUIRE(set.leakage->views.size() == 2);
  const AuditedView& ratios = set.leakage->views[1];
  CHECK(ratios.view == "ratios@1");
  CHECK(ratios.is_on_demand);
  CHECK(TimeAt(ratios.newest_event_time, 1) == "2025-01-08T00:00:00Z");
  CHECK(TimeAt(ratios.newest_known_time, 1) == "2025-01-08T00:00:00Z");
}

TEST_CASE("a future event is a leak", "[store][leakage]") {
  Auditing auditing;
  const AuditedView rows =
      auditing.Audit("last_visit", "last_visit", KnownAt::kAny, nullptr, Duration::Days(5));
  CHECK(LeaksOf(rows) == "future_event 1, boundary 1");
  const AuditedView windows =
      auditing.Audit("visits_before", "visits_before", KnownAt::kAny, nullptr, Duration::Days(5));
  CHECK(windows.LeaksOf(LeakKind::kFutureEvent) + windows.LeaksOf(LeakKind::kBoundary) +
            windows.LeaksOf(LeakKind::kUntraced) >=
        2);
}

TEST_CASE("a late arrival is a leak, and one written over what was known is a backfill",
          "[store][leakage]") {
  Auditing auditing;
  const AuditedView rows = auditing.Audit("user_limit", "user_limit", KnownAt::kAny);
  CHECK(LeaksOf(rows) == "late_arrival 1, backfill 1");
  REQUIRE(rows.examples.size() == 2);
  CHECK(rows.examples[0].ToString() ==
        "late_arrival in row 0 (user_id=1 at 2025-01-05T00:00:00Z): event 2025-01-04T00:00:00Z, "
        "known 2025-01-07T00:00:00Z");
  CHECK(rows.examples[1].ToString() ==
        "backfill in row 1 (user_id=1 at 2025-01-09T00:00:00Z): event 2025-01-08T00:00:00Z, "
        "known 2025-01-12T00:00:00Z");
  const AuditedView windows = auditing.Audit("limits_before", "limits_before", KnownAt::kAny);
  CHECK(LeaksOf(windows) == "late_arrival 2");
}

TEST_CASE("an event at the very instant is a leak where the boundary is before it",
          "[store][leakage]") {
  Auditing auditing;
  CHECK(LeaksOf(auditing.Audit("last_visit", "this_visit", KnownAt::kAny)) == "boundary 2");
  CHECK(LeaksOf(auditing.Audit("visits_before", "visits_at", KnownAt::kAny)) == "boundary 2");
}

TEST_CASE("a row that sees its own event is a leak even where the boundary allows the instant",
          "[store][leakage]") {
  Auditing auditing;
  for (const char* feature : {"this_visit:spent", "visits_at:s"}) {
    larder::HistoricalRequest request = auditing.Request({feature});
    CHECK(LeaksOf(auditing.Train(request).leakage->views[0]) == "boundary 2");
    request.leakage = larder::LeakageAudit::kFail;
    const absl::Status failed = auditing.fixture().store().GetHistoricalFeatures(request).status();
    CHECK(failed.code() == absl::StatusCode::kFailedPrecondition);
    CHECK_THAT(failed.ToString(), ContainsSubstring("2 leaks") &&
                                      ContainsSubstring("boundary in row 0 (user_id=1 at"));
  }
}

TEST_CASE("a value older than the TTL is a leak", "[store][leakage]") {
  Auditing auditing;
  const auto forever = [](JoinView& join) { join.ttl = std::nullopt; };
  const AuditedView fresh = auditing.Audit("user_limit", "user_limit", KnownAt::kSpine, forever);
  CHECK(LeaksOf(fresh) == "");
  // Rows of 1 and 8 January told at a time when they are older than ten days.
  std::string shorter = kDefinitions;
  shorter.replace(shorter.find("10d"), 3, "12h");
  auditing.fixture().Apply(shorter);
  const AuditedView old = auditing.Audit("user_limit", "user_limit", KnownAt::kSpine, forever);
  CHECK(LeaksOf(old) == "ttl 2");
}

TEST_CASE("a value that no event of the source gives cannot be traced", "[store][leakage]") {
  Auditing auditing;
  const auto change = [](larder::JoinedView& claims) {
    claims.features[0].MutableValues<double>()[1] = 4.25;
  };
  for (const char* view : {"last_visit", "limits_before", "visits_before"}) {
    INFO(view);
    const AuditedView found = auditing.Audit(
        view, view, KnownAt::kAny, nullptr, {},
        std::string_view(view) == "last_visit" ? std::function<void(larder::JoinedView&)>(change)
                                               : [](larder::JoinedView& claims) {
                                                   claims.features[0].MutableValues<int64_t>()[1] =
                                                       77;
                                                 });
    CHECK(found.LeaksOf(LeakKind::kUntraced) == 1);
  }
  // A true value under another event's time is no value of that event.
  const AuditedView moved =
      auditing.Audit("this_visit", "this_visit", KnownAt::kAny, nullptr, Duration::Days(4),
                     [](larder::JoinedView& claims) {
                       for (int64_t& us : claims.outcomes[0].event_time.MutableValues<int64_t>())
                         us -= Duration::Days(4).us;
                     });
  CHECK(moved.LeaksOf(LeakKind::kUntraced) >= 1);
}

TEST_CASE("a feature made of the label, or equal to it, is a leak", "[store][leakage]") {
  Auditing auditing;
  larder::HistoricalRequest request = auditing.Request({"ratios:per_limit", "user_limit:limit"});
  request.labels = {"bought"};
  const larder::TrainingSet set = auditing.Train(request);
  REQUIRE(set.leakage->labels.size() == 1);
  CHECK(set.leakage->labels[0].ToString() == "feature ratios__per_limit: is made of label bought");
  CHECK(set.leakage->leak_count() == 1);
  request.labels = {"brought"};
  CHECK_THAT(auditing.fixture().store().GetHistoricalFeatures(request).status().ToString(),
             ContainsSubstring("unknown label column: brought"));

  // Twelve rows whose label is whether the last limit was 300.
  std::vector<larder::Row> rows;
  for (int day = 1; day <= 12; ++day) {
    const larder::Timestamp at{At("2025-01-02T00:00:00Z").us + Duration::Days(day).us};
    rows.push_back({{"user_id", int64_t{1}}, {"t", at}, {"label", int64_t{day < 6 ? 100 : 300}}});
  }
  const std::vector<larder::Field> fields = {{"user_id", TypeId::kInt64, "", ""},
                                             {"t", TypeId::kTimestamp, "", ""},
                                             {"label", TypeId::kInt64, "", ""}};
  request = auditing.Request({"user_limit:limit"});
  request.spine = *larder::Batch::FromRows(rows, fields);
  request.labels = {"label"};
  const larder::TrainingSet other = auditing.Train(request);
  std::vector<std::string> values;
  for (std::size_t row = 0; row < rows.size(); ++row)
    values.push_back(larder::FormatValue(other.rows.Find("user_limit__limit")->ValueAt(row)));
  INFO(larder::Join(values, " "));
  CHECK(other.leakage->labels.empty());  // 200 and 333 were seen as well
  request.spine = *larder::Batch::FromRows(rows, fields);
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const larder::Value value = other.rows.Find("user_limit__limit")->ValueAt(row);
    rows[row].back().second = static_cast<int64_t>(*value.As<double>());
  }
  request.spine = *larder::Batch::FromRows(rows, fields);
  const larder::TrainingSet copied = auditing.Train(request);
  REQUIRE(copied.leakage->labels.size() == 1);
  CHECK_THAT(copied.leakage->labels[0].ToString(), ContainsSubstring("is equal, in every row"));
}

TEST_CASE("a manifest says what the audit found", "[store][leakage]") {
  Auditing auditing;
  larder::HistoricalRequest request = auditing.Request({"user_limit:limit"});
  request.known_at = KnownAt::kAny;
  request.manifest = true;
  const larder::TrainingSet set = auditing.Train(request);
  REQUIRE(set.manifest->audit.has_value());
  REQUIRE(set.manifest->audit->views.size() == 1);
  const larder::DatasetManifest::Audit::View& view = set.manifest->audit->views[0];
  CHECK(view.view == "user_limit@1");
  CHECK(view.rows_checked == 2);
  REQUIRE(view.leaks.size() == 2);
  CHECK(view.leaks[0].kind == "late_arrival");
  const auto parsed = larder::DatasetManifest::Parse(set.manifest->ToJson());
  REQUIRE(parsed.ok());
  CHECK(*parsed == *set.manifest);
}

}  // namespace
