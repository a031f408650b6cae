// Section G of the conformance cases: names, references and services.
#include "conformance/case_table.h"
#include "conformance/scenario.h"
#include "larder/schema/reference.h"

namespace {

using larder::Concat;
using larder::Row;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::Shown;
using larder_test::StoreFixture;

std::string MessageOf(const absl::Status& status) { return std::string(larder::MessageOf(status)); }

// The view driver_stats has versions 1 to 3, of ttl 1h, 2h and 3h.
std::string Drivers(std::string_view ttl) {
  return Concat(R"({"project": "p",
 "entities": [{"name": "driver", "join_keys": [{"name": "driver_id", "type": "int64"}]}],
 "sources": [{"name": "drives", "kind": "push", "event_time": "at",
   "fields": [{"name": "driver_id", "type": "int64"}, {"name": "trips", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "driver_stats", "entities": ["driver"], "source": "drives", "ttl": ")",
                ttl, R"(", "features": [{"name": "trips"}]}]})");
}

void ApplyVersions(StoreFixture& fixture) {
  for (const char* ttl : {"1h", "2h", "3h"}) fixture.Apply(Drivers(ttl));
  fixture.Push("drives", {{{"driver_id", 1}, {"trips", 7}, {"at", At("2025-01-09T00:00:00Z")}}});
}

struct ReferenceCase {
  const char* name;
  const char* tags;
  const char* reference;
  int version;        // what it resolves to; 0: an error
  const char* error;  // part of the message
};

const ReferenceCase kReferenceCases[] = {
    {"a bare reference is the latest version", "[conformance][G1]", "driver_stats:trips", 3, ""},
    {"a version with a small v", "[conformance][G2]", "driver_stats@v2:trips", 2, ""},
    {"a version with a capital v", "[conformance][G2]", "driver_stats@V3:trips", 3, ""},
    {"a version as a bare number", "[conformance][G2]", "driver_stats@1:trips", 1, ""},
    {"the word latest", "[conformance][G2][G9]", "driver_stats@latest:trips", 3, ""},
    {"the word Latest in another case", "[conformance][G9]", "driver_stats@Latest:trips", 3, ""},
    {"an empty version is the latest", "[conformance][G2]", "driver_stats@:trips", 3, ""},
    {"the word version before the number", "[conformance][G9]", "driver_stats@version3:trips", 3,
     ""},
    {"the word Version in another case", "[conformance][G9]", "driver_stats@Version2:trips", 2, ""},
    {"leading zeros of a version mean nothing", "[conformance][G9]", "driver_stats@v02:trips", 2,
     ""},
    {"version 0 does not exist since versions start at 1", "[conformance][G2][G9]",
     "driver_stats@v0:trips", 0, "versions start at 1"},
    {"a version that was never made is named with those there are", "[conformance][G9]",
     "driver_stats@10:trips", 0, "has no version 10"},
    {"text for a version is an error and no part of the name", "[conformance][G3]",
     "driver_stats@abc:trips", 0, "is not a version"},
    {"a lone v is no version", "[conformance][G9]", "driver_stats@v:trips", 0, "is not a version"},
    {"a negative version is no version", "[conformance][G9]", "driver_stats@v-1:trips", 0,
     "is not a version"},
    {"a fraction is no version", "[conformance][G9]", "driver_stats@1.0:trips", 0,
     "is not a version"},
    {"a version beyond any number is an error", "[conformance][G9]",
     "driver_stats@99999999999999999999:trips", 0, "too large"},
    {"two versions are one too many", "[conformance][G9]", "driver_stats@1@2:trips", 0,
     "is not a version"},
    {"a reference without a colon is an error", "[conformance][G4]", "driver_stats_trips", 0,
     "no colon"},
    {"a reference without a view is an error", "[conformance][G4]", ":trips", 0, "empty"},
    {"a reference without a feature is an error", "[conformance][G4]", "driver_stats:", 0, "empty"},
    {"a reference with two colons is an error", "[conformance][G4]", "driver_stats:trips:more", 0,
     "trips:more"},
    {"an empty reference is an error", "[conformance][G4]", "", 0, "no colon"},
    {"blanks in a reference are an error", "[conformance][G4]", "driver_stats: trips", 0,
     "is not a name"},
    {"a view name in another case is unknown and suggested", "[conformance][G6]",
     "Driver_Stats:trips", 0, "driver_stats"},
    {"a feature name in another case is unknown and suggested", "[conformance][G6]",
     "driver_stats:Trips", 0, "trips"},
};

void RunReferenceCase(const ReferenceCase& row) {
  StoreFixture fixture("2025-01-09T00:00:00Z");
  ApplyVersions(fixture);
  // Which version answers shows in how long it calls the value fresh.
  for (int hours = 1; hours <= 3; ++hours) {
    const auto response =
        fixture.TryGet({row.reference}, {{{"driver_id", 1}}},
                       At("2025-01-09T00:00:00Z").Plus(larder::Duration::Hours(hours)));
    larder::HistoricalRequest history;
    history.what.features = {row.reference};
    if (row.version == 0) {
      CHECK_FALSE(response.ok());
      CHECK_THAT(MessageOf(response.status()), ContainsSubstring(row.error));
      CHECK_THAT(MessageOf(fixture.store().GetHistoricalFeatures(history).status()),
                 ContainsSubstring(row.error));
      continue;
    }
    INFO(response.status().ToString());
    REQUIRE(response.ok());
    CHECK(Shown(*response, "trips", 0) ==
          (hours <= row.version ? "7 PRESENT" : "null OUTSIDE_MAX_AGE"));
  }
}
const bool kReferencesRegistered = larder_test::RegisterTable<kReferenceCases, RunReferenceCase>();

// Whether a view may bear a name.
struct NameCase {
  const char* name;
  const char* tags;
  const char* view;
  bool allowed;
};

const NameCase kNameCases[] = {
    {"a view name with an at sign is refused", "[conformance][G5]", "a@b", false},
    {"a view name with a colon is refused", "[conformance][G5]", "a:b", false},
    {"an empty view name is refused", "[conformance][G5]", "", false},
    {"a view name with a blank is refused", "[conformance][G5]", "a b", false},
    {"a view name starting with a digit is refused", "[conformance][G5]", "1a", false},
    {"a view name with a dash is refused", "[conformance][G5]", "a-b", false},
    {"a view name with a dot is refused", "[conformance][G5]", "a.b", false},
    {"a view name beyond ASCII is refused", "[conformance][G5]", "caf\xC3\xA9", false},
    {"a view name of 64 letters is refused", "[conformance][G5]",
     "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl", false},
    {"a view name of 63 letters is allowed", "[conformance][G5]",
     "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk", true},
    {"a view name of one underscore is allowed", "[conformance][G5]", "_", true},
    {"a view name with digits and capitals is allowed", "[conformance][G5]", "My_View_2", true},
};

void RunNameCase(const NameCase& row) {
  StoreFixture fixture;
  std::string text = Drivers("1h");
  const std::string old = R"("name": "driver_stats")";
  text.replace(text.find(old), old.size(), Concat(R"("name": ")", row.view, R"(")"));
  const auto applied = fixture.store().Apply(fixture.Parse(text));
  if (row.allowed) {
    INFO(applied.status().ToString());
    REQUIRE(applied.ok());
    fixture.Push("drives", {{{"driver_id", 1}, {"trips", 7}, {"at", At("2025-01-09T23:30:00Z")}}});
    CHECK(Shown(fixture.Get({Concat(row.view, ":trips")}, {{{"driver_id", 1}}}), "trips", 0) ==
          "7 PRESENT");
    return;
  }
  CHECK(applied.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(applied.status()),
             ContainsSubstring("/feature_views/0/name") && ContainsSubstring("not a name"));
  CHECK(fixture.store().GetCatalog()->revision() == 0);
}
const bool kNamesRegistered = larder_test::RegisterTable<kNameCases, RunNameCase>();

// Two views with a feature of one name, and an on-demand view over them and a third.
constexpr std::string_view kTwins = R"({"project": "p",
 "entities": [{"name": "thing", "join_keys": [{"name": "k", "type": "int64"}]}],
 "sources": [{"name": "rows", "kind": "push", "event_time": "at",
   "fields": [{"name": "k", "type": "int64"}, {"name": "x", "type": "int64"}, {"name": "y", "type": "int64"},
              {"name": "z", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [
  {"name": "a", "entities": ["thing"], "source": "rows", "features": [{"name": "x"}, {"name": "y"}],
   "tags": {"release": "production"}},
  {"name": "b", "entities": ["thing"], "source": "rows", "features": [{"name": "x", "expr": "x * 10"}, {"name": "z"}],
   "tags": {"release": "production"}},
  {"name": "c", "entities": ["thing"], "source": "rows", "features": [{"name": "e", "expr": "z * 100"}]}],
 "on_demand_views": [{"name": "odfv", "inputs": {"from_b": "b:z", "from_c": "c:e"},
                      "features": [{"name": "g", "expr": "from_b + from_c"}, {"name": "h", "expr": "from_b - from_c"}]}],
 "feature_services": [
  {"name": "closure", "features": [{"view": "a", "features": ["x", "y"]}, "b:z", "odfv:g"]},
  {"name": "everything", "full_feature_names": true, "features": [{"view": "a"}, {"view": "b"}]}]})";

void PushTwins(StoreFixture& fixture) {
  fixture.Apply(kTwins);
  fixture.Push("rows",
               {{{"k", 1}, {"x", 1}, {"y", 2}, {"z", 3}, {"at", At("2025-01-09T00:00:00Z")}}});
}

// Which names of features a request of several references gets; empty: a collision.
struct CollisionCase {
  const char* name;
  const char* tags;
  std::vector<std::string> references;
  bool full;
  std::vector<std::string> outputs;
};

const CollisionCase kCollisionCases[] = {
    {"two features of one bare name collide", "[conformance][G7]", {"a:x", "b:x"}, false, {}},
    {"two features of one bare name are told apart by full names",
     "[conformance][G7]",
     {"a:x", "b:x"},
     true,
     {"a__x", "b__x"}},
    {"one feature asked for twice collides with itself",
     "[conformance][G7]",
     {"a:x", "a:x"},
     false,
     {}},
    {"one feature asked for twice collides with itself under full names too",
     "[conformance][G7]",
     {"a:x", "a:x"},
     true,
     {}},
    {"features of other names never collide",
     "[conformance][G7]",
     {"a:y", "b:z"},
     false,
     {"y", "z"}},
    {"two versions of one feature are told apart by full names",
     "[conformance][G8]",
     {"a@1:x", "a@2:x"},
     true,
     {"a_v1__x", "a_v2__x"}},
    {"two versions of one feature collide without full names",
     "[conformance][G8]",
     {"a@1:x", "a@2:x"},
     false,
     {}},
};

void RunCollisionCase(const CollisionCase& row) {
  StoreFixture fixture;
  PushTwins(fixture);
  std::string second(kTwins);
  const std::string features = R"("features": [{"name": "x"}, {"name": "y"}])";
  second.replace(second.find(features), features.size(), features + R"(, "ttl": "30d")");
  fixture.Apply(second);
  larder::OnlineRequest request;
  request.what.features = row.references;
  request.what.full_feature_names = row.full;
  request.rows = {{{"k", 1}}};
  const auto response = fixture.store().GetOnlineFeatures(request);
  if (row.outputs.empty()) {
    CHECK(response.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(MessageOf(response.status()), ContainsSubstring("two outputs are named"));
    return;
  }
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  std::vector<std::string> names;
  for (const auto& feature : response->features) names.push_back(feature.name);
  CHECK(names == row.outputs);
}
const bool kCollisionsRegistered = larder_test::RegisterTable<kCollisionCases, RunCollisionCase>();

}  // namespace

TEST_CASE("views that differ only in case are refused", "[conformance][G6]") {
  StoreFixture fixture;
  std::string text(kTwins);
  text.replace(text.find(R"("name": "b")"), 11, R"("name": "A")");
  const auto applied = fixture.store().Apply(fixture.Parse(text));
  CHECK(applied.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(MessageOf(applied.status()), ContainsSubstring("only in case"));
}

TEST_CASE("a view and an on-demand view that differ only in case are refused",
          "[conformance][G6][I23]") {
  for (const char* name : {"a", "A"}) {
    StoreFixture fixture;
    std::string text(kTwins);
    text.replace(text.find("\"odfv\""), 6, Concat("\"", name, "\""));
    const auto applied = fixture.store().Apply(fixture.Parse(text));
    CHECK(applied.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(MessageOf(applied.status()), ContainsSubstring("on_demand_views/0"));
  }
}

TEST_CASE("features of one view that differ only in case are refused", "[conformance][G6]") {
  StoreFixture fixture;
  std::string text(kTwins);
  text.replace(text.find(R"({"name": "y"}])"), 14, R"({"name": "X", "expr": "y"}])");
  CHECK(fixture.store().Apply(fixture.Parse(text)).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a service reads the inputs of its on-demand features without returning them",
          "[conformance][G11]") {
  StoreFixture fixture;
  PushTwins(fixture);
  larder::OnlineRequest request;
  request.what.service = "closure";
  request.rows = {{{"k", 1}}, {{"k", 2}}};
  const auto response = fixture.store().GetOnlineFeatures(request);
  INFO(response.status().ToString());
  REQUIRE(response.ok());
  std::vector<std::string> names;
  for (const auto& feature : response->features) names.push_back(feature.name);
  CHECK(names == std::vector<std::string>{"x", "y", "z", "g"});
  CHECK(Shown(*response, "g", 0) == "303 PRESENT");
  CHECK(Shown(*response, "g", 1) == "null NULL_VALUE");
  CHECK(response->Find("g")->input_statuses[1] == larder::FeatureStatus::kNotFound);
  larder_test::CheckFill(fixture.store(), "closure", request.rows, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("a selection without features is all of the view's, in the order they are defined",
          "[conformance][G11]") {
  StoreFixture fixture;
  PushTwins(fixture);
  const auto plan = fixture.store().Bind("everything");
  REQUIRE(plan.ok());
  CHECK(std::vector<std::string>(plan->outputs().begin(), plan->outputs().end()) ==
        std::vector<std::string>{"a__x", "a__y", "b__x", "b__z"});
  larder_test::CheckFill(fixture.store(), "everything", {{{"k", 1}}}, At("2025-01-10T00:00:00Z"));
}

TEST_CASE("tags stay with their views", "[conformance][G12]") {
  StoreFixture fixture;
  PushTwins(fixture);
  const auto catalog = fixture.store().GetCatalog();
  REQUIRE(catalog.ok());
  int tagged = 0;
  for (const larder::ViewVersion* view : catalog->Views("p")) {
    const auto& tags = view->definition.metadata.tags;
    const auto found = tags.find("release");
    tagged += found != tags.end() && found->second == "production";
  }
  CHECK(tagged == 2);
}

TEST_CASE("an unknown service is named with the nearest one there is", "[conformance][B4]") {
  StoreFixture fixture;
  PushTwins(fixture);
  const auto plan = fixture.store().Bind("closur");
  CHECK(plan.status().code() == absl::StatusCode::kNotFound);
  CHECK_THAT(MessageOf(plan.status()), ContainsSubstring("did you mean \"closure\""));
}

TEST_CASE("a request names a service or features, not both and not neither", "[conformance][G11]") {
  StoreFixture fixture;
  PushTwins(fixture);
  larder::OnlineRequest request;
  request.rows = {{{"k", 1}}};
  CHECK(fixture.store().GetOnlineFeatures(request).status().code() ==
        absl::StatusCode::kInvalidArgument);
  request.what.service = "closure";
  request.what.features = {"a:x"};
  CHECK(fixture.store().GetOnlineFeatures(request).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

TEST_CASE("a bound service keeps its meaning when the bare name moves on",
          "[conformance][G2][I8]") {
  StoreFixture fixture;
  PushTwins(fixture);
  const auto before = fixture.store().Bind("closure");
  REQUIRE(before.ok());
  auto session = fixture.store().OpenSession(*before);
  REQUIRE(session.ok());
  std::string changed(kTwins);
  const std::string expr = "from_b + from_c";
  changed.replace(changed.find(expr), expr.size(), "from_b * 1000");
  fixture.Apply(changed);
  REQUIRE(session->Refresh().ok());
  std::vector<double> tensor(4);
  const std::vector<larder::InputColumn> inputs = {larder::InputColumn::Broadcast(int64_t{1})};
  REQUIRE(
      session->Fill(inputs, At("2025-01-10T00:00:00Z"), larder::Tensor<double>{tensor.data(), 1, 0})
          .ok());
  CHECK(tensor[3] == 303.0);
  const auto after = fixture.store().Bind("closure");
  REQUIRE(after.ok());
  CHECK(after->service() == "closure@2");
  larder_test::CheckFill(fixture.store(), "closure@1", {{{"k", 1}}}, At("2025-01-10T00:00:00Z"));
  larder_test::CheckFill(fixture.store(), "closure@2", {{{"k", 1}}}, At("2025-01-10T00:00:00Z"));
}
