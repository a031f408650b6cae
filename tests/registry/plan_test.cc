#include "larder/registry/plan.h"

#include "registry/example.h"
#include "registry/store.h"

using Catch::Matchers::ContainsSubstring;
using larder::Change;
using larder::ChangeKind;
using larder::DataWork;
using larder_test::Find;
using larder_test::kFraudJson;
using larder_test::Replaced;
using larder_test::Store;

namespace {

// A small project with one of each kind of thing that I-cases change.
constexpr const char* kSmall = R"({"project": "p", "owner": "o",
 "entities": [{"name": "driver", "join_keys": [{"name": "driver_id", "type": "int64"}]},
              {"name": "car", "join_keys": [{"name": "car_id", "type": "int64"}]}],
 "sources": [{"name": "s", "kind": "csv", "path": "s.csv", "event_time": "t", "arrival_time": "c", "fields": [
    {"name": "driver_id", "type": "int64"}, {"name": "car_id", "type": "int64"}, {"name": "trips", "type": "int64"},
    {"name": "rate", "type": "float64"}, {"name": "t", "type": "timestamp"}, {"name": "c", "type": "timestamp"}]},
   {"name": "live", "kind": "push", "batch_source": "s"}],
 "feature_views": [{"name": "stats", "entities": ["driver"], "source": "s", "ttl": "1d",
    "features": [{"name": "trips"}, {"name": "double_rate", "expr": "rate * 2", "default": 0}], "description": "original"}],
 "on_demand_views": [{"name": "od", "inputs": {"x": "stats:trips"}, "features": [{"name": "y", "expr": "x + 1"}]}],
 "feature_services": [{"name": "model", "features": ["stats:trips", "od:y"]}]})";

struct Edit {
  const char* what;
  const char* from;
  const char* to;
  ChangeKind change;    // of the view
  DataWork work;        // of the view
  int service_version;  // of the service afterwards
};

}  // namespace

TEST_CASE("the first apply makes version 1, and the same text again nothing",
          "[registry][plan][conformance]") {
  Store store;
  const auto first = store.Plan(kSmall);
  CHECK(Find(first, "stats").change == ChangeKind::kAdded);
  CHECK(Find(first, "stats").version_after == 1);
  CHECK(Find(first, "stats").work == DataWork::kMaterialize);
  CHECK_FALSE(first.empty());
  store.Apply(first);
  CHECK(store.catalog.revision() == 1);
  const auto again = store.Plan(kSmall);
  CHECK(again.empty());
  CHECK(Find(again, "stats").diffs.empty());
  store.Apply(again);
  CHECK(store.catalog.revision() == 1);
  CHECK(store.history.size() == 1);
  // What describe prints is what was applied.
  CHECK(store.Plan(larder::DefinitionsToJson(store.catalog.DefinitionsOf("p"))).empty());
  CHECK(store.catalog.GetView("p", "stats@2").status().code() == absl::StatusCode::kNotFound);
}

TEST_CASE("what is meaning makes a version, what is not changes in place",
          "[registry][plan][conformance]") {
  const Edit edits[] = {
      {"description", R"("description": "original")", R"("description": "other")",
       ChangeKind::kMetadata, DataWork::kNothing, 1},
      {"tags", R"("description": "original")", R"("description": "original", "tags": {"a": "b"})",
       ChangeKind::kMetadata, DataWork::kNothing, 1},
      {"owner", R"("description": "original")", R"("description": "original", "owner": "x")",
       ChangeKind::kMetadata, DataWork::kNothing, 1},
      {"blanks in an expression", R"("rate * 2")", R"("rate   *  2")", ChangeKind::kMetadata,
       DataWork::kNothing, 1},
      {"path", R"("path": "s.csv")", R"("path": "t.csv")", ChangeKind::kUnchanged,
       DataWork::kNothing, 1},
      {"format of the file", R"("kind": "csv")", R"("kind": "parquet")", ChangeKind::kUnchanged,
       DataWork::kNothing, 1},
      {"retention", R"("event_time": "t")", R"("retention": "9d", "event_time": "t")",
       ChangeKind::kUnchanged, DataWork::kNothing, 1},
      {"a field nobody reads", R"("name": "rate", "type": "float64"})",
       R"("name": "rate", "type": "float64"}, {"name": "n", "type": "bool"})",
       ChangeKind::kUnchanged, DataWork::kNothing, 1},
      {"ttl", R"("ttl": "1d")", R"("ttl": "2d")", ChangeKind::kNewVersion, DataWork::kShares, 2},
      {"ttl removed", R"("ttl": "1d",)", "", ChangeKind::kNewVersion, DataWork::kShares, 2},
      {"ttl 0", R"("ttl": "1d")", R"("ttl": 0)", ChangeKind::kNewVersion, DataWork::kShares, 2},
      {"boundary", R"("ttl": "1d")", R"("ttl": "1d", "boundary": "before")",
       ChangeKind::kNewVersion, DataWork::kShares, 2},
      {"the default said aloud", R"("ttl": "1d")", R"("ttl": "24h", "boundary": "at")",
       ChangeKind::kMetadata, DataWork::kNothing, 1},
      {"default", R"("default": 0)", R"("default": 1)", ChangeKind::kNewVersion, DataWork::kShares,
       2},
      {"order of features",
       R"([{"name": "trips"}, {"name": "double_rate", "expr": "rate * 2", "default": 0}])",
       R"([{"name": "double_rate", "expr": "rate * 2", "default": 0}, {"name": "trips"}])",
       ChangeKind::kNewVersion, DataWork::kShares, 2},
      {"expression", R"("rate * 2")", R"("rate * 3")", ChangeKind::kNewVersion,
       DataWork::kMaterialize, 2},
      {"a feature more", R"({"name": "trips"})", R"({"name": "trips"}, {"name": "rate"})",
       ChangeKind::kNewVersion, DataWork::kMaterialize, 2},
      {"a type wider", R"([{"name": "trips"},)", R"([{"name": "trips", "type": "int64"},)",
       ChangeKind::kMetadata, DataWork::kNothing, 1},
      {"mapping", R"({"name": "trips", "type": "int64"})",
       R"({"name": "trips", "type": "int64", "from": "t2"})", ChangeKind::kNewVersion,
       DataWork::kMaterialize, 2},
      {"event time", R"("event_time": "t")", R"("event_time": "c")", ChangeKind::kNewVersion,
       DataWork::kMaterialize, 2},
      {"available_after", R"("arrival_time": "c")", R"("available_after": "1h")",
       ChangeKind::kNewVersion, DataWork::kMaterialize, 2},
      {"entities", R"("entities": ["driver"])", R"("entities": ["driver", "car"])",
       ChangeKind::kNewVersion, DataWork::kMaterialize, 2},
      {"push source with the same batch", R"("entities": ["driver"], "source": "s")",
       R"("entities": ["driver"], "source": "live")", ChangeKind::kNewVersion,
       DataWork::kMaterialize, 2},
  };
  for (const Edit& edit : edits) {
    INFO(edit.what);
    Store store;
    store.Apply(kSmall);
    const std::string json = Replaced(kSmall, edit.from, edit.to);
    const auto plan = store.Plan(json);
    INFO(plan.ToText());
    const Change& change = Find(plan, "stats");
    CHECK(larder::ChangeKindName(change.change) == larder::ChangeKindName(edit.change));
    CHECK(static_cast<int>(change.work) == static_cast<int>(edit.work));
    CHECK(Find(plan, "model").version_after == edit.service_version);
    CHECK_FALSE(plan.empty());
    store.Apply(plan);
    CHECK(store.catalog.revision() == 2);
    CHECK(store.Plan(json).empty());
    // I22: the change is there to be read.
    CHECK(larder_test::Parsed(larder::DefinitionsToJson(store.catalog.DefinitionsOf("p"))) ==
          larder_test::Parsed(json));
    // The old service still means what it pinned.
    const auto old = store.catalog.GetService("p", "model@1");
    REQUIRE(old.ok());
    CHECK(store.catalog.FindView((*old)->views[0].view_id)->version == 1);
    // Going back to the old text goes back to version 1.
    const auto back = store.Plan(kSmall);
    CHECK(Find(back, "stats").version_after == 1);
    if (edit.change == ChangeKind::kNewVersion)
      CHECK(Find(back, "stats").change == ChangeKind::kKnownVersion);
    store.Apply(back);
    CHECK((*store.catalog.GetService("p", "model"))->version == 1);
  }
}

TEST_CASE("a difference shows its path with both sides, and nothing else",
          "[registry][plan][conformance]") {
  Store store;
  store.Apply(kSmall);
  const auto tags = store.Plan(Replaced(kSmall, R"("description": "original")",
                                        R"("description": "original", "tags": {"a": "1"})"));
  REQUIRE(Find(tags, "stats").diffs.size() == 1);
  CHECK(Find(tags, "stats").diffs[0].path == "tags");
  CHECK(Find(tags, "stats").diffs[0].before.empty());
  CHECK(Find(tags, "stats").diffs[0].after == R"({"a": "1"})");
  CHECK_FALSE(Find(tags, "stats").diffs[0].meaning);
  const auto body = store.Plan(Replaced(kSmall, R"("x + 1")", R"("x + 2")"));
  const Change& od = Find(body, "od");
  CHECK(od.change == ChangeKind::kNewVersion);
  REQUIRE(od.diffs.size() == 1);
  CHECK(od.diffs[0].path == "features/y/expr");
  CHECK(od.diffs[0].before == "\"x + 1\"");
  CHECK(od.diffs[0].after == "\"x + 2\"");
  CHECK(od.diffs[0].meaning);
  CHECK(Find(body, "model").causes == std::vector<std::string>{"on-demand view od"});
  CHECK(Find(body, "stats").change == ChangeKind::kUnchanged);
  const auto entity = store.Plan(
      Replaced(kSmall, R"("driver_id", "type": "int64"}]})", R"("driver_id", "type": "int32"}]})"));
  CHECK(Find(entity, "driver").change == ChangeKind::kChanged);
  CHECK(Find(entity, "stats").causes == std::vector<std::string>{"entity driver"});
  const auto batch = store.Plan(Replaced(kSmall, R"("entities": ["driver"], "source": "s")",
                                         R"("entities": ["driver"], "source": "live")"));
  REQUIRE(Find(batch, "stats").diffs.size() == 1);
  CHECK(Find(batch, "stats").diffs[0].path == "source");
}

TEST_CASE("objects that the input lacks stay until they are pruned",
          "[registry][plan][conformance]") {
  Store store;
  store.Apply(R"({"project": "p", "entities": [
    {"name": "same", "join_keys": [{"name": "a", "type": "int64"}]},
    {"name": "tagged", "join_keys": [{"name": "b", "type": "int64"}], "tags": {"when": "before"}},
    {"name": "to_delete", "join_keys": [{"name": "c", "type": "int64"}]}]})");
  const char* next = R"({"project": "p", "entities": [
    {"name": "same", "join_keys": [{"name": "a", "type": "int64"}]},
    {"name": "tagged", "join_keys": [{"name": "b", "type": "int64"}], "tags": {"when": "after"}},
    {"name": "to_add", "join_keys": [{"name": "d", "type": "int64"}]}]})";
  const auto plan = store.Plan(next);
  CHECK(Find(plan, "same").change == ChangeKind::kUnchanged);
  CHECK(Find(plan, "tagged").change == ChangeKind::kMetadata);
  CHECK(Find(plan, "tagged").diffs[0].path == "tags/when");
  CHECK(Find(plan, "to_add").change == ChangeKind::kAdded);
  CHECK(Find(plan, "to_delete").change == ChangeKind::kUnmanaged);
  store.Apply(plan);
  CHECK(store.catalog.GetEntity("p", "to_delete").ok());
  const auto prune = store.Plan(next, {.prune = true});
  CHECK(Find(prune, "to_delete").change == ChangeKind::kRemoved);
  store.Apply(prune);
  CHECK_FALSE(store.catalog.GetEntity("p", "to_delete").ok());
}

TEST_CASE("what an API made is never pruned", "[registry][plan]") {
  Store store;
  store.Apply(
      R"({"project": "p", "entities": [{"name": "e", "join_keys": [{"name": "a", "type": "int64"}]}]})",
      {.by_api = true});
  const auto plan = store.Plan(R"({"project": "p"})", {.prune = true});
  CHECK(Find(plan, "e").change == ChangeKind::kUnmanaged);
  CHECK(plan.empty());
  // A file that says it takes it over.
  store.Apply(
      R"({"project": "p", "entities": [{"name": "e", "join_keys": [{"name": "a", "type": "int64"}]}]})");
  CHECK(store.catalog.revision() == 2);
  CHECK(Find(store.Plan(R"({"project": "p"})", {.prune = true}), "e").change ==
        ChangeKind::kRemoved);
}

TEST_CASE("what others still need cannot be pruned", "[registry][plan]") {
  Store store;
  store.Apply(kSmall);
  store.Apply(
      R"({"project": "p", "feature_services": [{"name": "api", "features": ["stats:trips"]}]})",
      {.by_api = true});
  CHECK_THAT(store.Refusal(R"({"project": "p"})", {.prune = true}),
             ContainsSubstring("stored feature service api/features/0: unknown view: stats"));
}

TEST_CASE("a removed object is gone until it is applied again, with its old version",
          "[registry][plan]") {
  Store store;
  store.Apply(kSmall);
  store.Apply(R"({"project": "p"})", {.prune = true});
  const auto gone = store.catalog.GetService("p", "model@1");
  REQUIRE_FALSE(gone.ok());
  CHECK_THAT(std::string(larder::MessageOf(gone.status())), ContainsSubstring("was removed"));
  CHECK(store.catalog.Services("p", true).empty());
  const auto plan = store.Plan(kSmall);
  CHECK(Find(plan, "stats").change == ChangeKind::kAdded);
  CHECK(Find(plan, "stats").version_after == 1);
  store.Apply(plan);
  CHECK(store.catalog.GetService("p", "model@1").ok());
}

TEST_CASE("staging makes versions and moves no name", "[registry][plan][conformance]") {
  Store store;
  store.Apply(kSmall);
  const std::string next = Replaced(kSmall, "rate * 2", "rate * 3");
  const auto plan = store.Plan(next, {.stage = true});
  CHECK_FALSE(plan.empty());
  store.Apply(plan);
  CHECK((*store.catalog.GetView("p", "stats"))->version == 1);
  CHECK((*store.catalog.GetView("p", "stats@2"))->features[1].expr == "rate * 3");
  REQUIRE(store.catalog.GetService("p", "model@2").ok());
  CHECK(store.catalog.FindView((*store.catalog.GetService("p", "model@2"))->views[0].view_id)
            ->version == 2);
  CHECK(store.catalog.DefinitionsOf("p") == larder_test::Parsed(kSmall));
  // The same once more is nothing; a plain apply promotes.
  CHECK(store.Plan(next, {.stage = true}).empty());
  CHECK(store.Plan(kSmall, {.stage = true}).empty());
  const auto promote = store.Plan(next);
  CHECK(Find(promote, "stats").change == ChangeKind::kKnownVersion);
  store.Apply(promote);
  CHECK((*store.catalog.GetView("p", "stats"))->version == 2);
  CHECK((*store.catalog.GetService("p", "model"))->version == 2);
  SECTION("a new project can be staged too") {
    store.Apply(Replaced(kSmall, R"("project": "p")", R"("project": "q")"), {.stage = true});
    CHECK(store.catalog.GetView("q", "stats@1").ok());
    const auto bare = store.catalog.GetView("q", "stats");
    REQUIRE_FALSE(bare.ok());
    CHECK_THAT(std::string(larder::MessageOf(bare.status())), ContainsSubstring("only staged"));
  }
}

TEST_CASE("of two appliers one wins and the other is told", "[registry][plan]") {
  Store store;
  store.Apply(kSmall);
  const auto mine = store.Plan(Replaced(kSmall, R"("ttl": "1d")", R"("ttl": "2d")"));
  const auto theirs = store.Plan(Replaced(kSmall, R"("ttl": "1d")", R"("ttl": "3d")"));
  store.Apply(theirs);
  const auto result = larder::ApplyPlan(store.catalog, mine);
  CHECK(result.status().code() == absl::StatusCode::kAborted);
  CHECK(larder::KindOf(result.status()) == larder::ErrorKind::kConflict);
  CHECK(larder::ApplyPlan(store.catalog, larder::ChangePlan()).status().code() ==
        absl::StatusCode::kInvalidArgument);
  larder::ApplyOptions early;
  early.number = 2;
  CHECK_FALSE(larder::ApplyPlan(store.catalog, store.Plan(kSmall), early).ok());
}

TEST_CASE("a plan file applies what was reviewed, or conflicts", "[registry][plan]") {
  Store store;
  store.Apply(kSmall);
  const std::string next = Replaced(kSmall, R"("ttl": "1d")", R"("ttl": "2d")");
  const std::string file = store.Plan(next).ToPlanFile();
  SECTION("unchanged store") {
    const auto plan = larder::ParsePlan(store.catalog, file, "plan.json", store.checker);
    INFO(plan.status());
    REQUIRE(plan.ok());
    store.Apply(*plan);
    CHECK((*store.catalog.GetView("p", "stats"))->version == 2);
    CHECK(larder::KindOf(
              larder::ParsePlan(store.catalog, file, "plan.json", store.checker).status()) ==
          larder::ErrorKind::kConflict);
  }
  SECTION("another project changed: still good") {
    store.Apply(Replaced(kSmall, R"("project": "p")", R"("project": "q")"));
    const auto plan = larder::ParsePlan(store.catalog, file, "plan.json", store.checker);
    REQUIRE(plan.ok());
    store.Apply(*plan);
    CHECK((*store.catalog.GetView("p", "stats"))->version == 2);
  }
  SECTION("the file was edited after the review") {
    const auto plan =
        larder::ParsePlan(store.catalog, Replaced(file, R"("ttl": "2d")", R"("ttl": "4d")"),
                          "plan.json", store.checker);
    CHECK(larder::KindOf(plan.status()) == larder::ErrorKind::kConflict);
  }
  SECTION("not a plan") {
    CHECK(larder::ParsePlan(store.catalog, "{}", "plan.json", store.checker).status().code() ==
          absl::StatusCode::kInvalidArgument);
    CHECK_FALSE(larder::ParsePlan(store.catalog, "{", "plan.json", store.checker).ok());
  }
}

TEST_CASE("a plan reads well and parses", "[registry][plan]") {
  Store store;
  store.Apply(kSmall);
  const auto plan = store.Plan(Replaced(kSmall, "rate * 2", "rate * 3"));
  const std::string text = plan.ToText();
  INFO(text);
  CHECK_THAT(text,
             ContainsSubstring("project p, from revision 1") &&
                 ContainsSubstring("~ feature view     stats@1 -> @2") &&
                 ContainsSubstring("features/double_rate/expr  \"rate * 2\"  ->  \"rate * 3\"") &&
                 ContainsSubstring("needs a load: larder materialize --view stats@2") &&
                 ContainsSubstring("new version, because of feature view stats"));
  CHECK(text.find('\033') == std::string::npos);
  CHECK(plan.ToText(true).find("\033[33m") != std::string::npos);
  CHECK_THAT(plan.ToJson(), ContainsSubstring("\"before\": \"rate * 2\"") &&
                                ContainsSubstring("\"work\": \"materialize\""));
  CHECK_THAT(store.Plan(kSmall).ToText(), ContainsSubstring("nothing to do"));
}

TEST_CASE("only new and changed texts are checked again", "[registry][plan]") {
  Store store;
  store.Apply(kSmall);
  store.checker.calls = 0;
  store.Plan(kSmall);
  CHECK(store.checker.calls == 0);
  store.Plan(Replaced(kSmall, "x + 1", "x + 2"));
  CHECK(store.checker.calls == 1);
}

TEST_CASE("where the files lie is not meaning, but is kept", "[registry][plan]") {
  Store store;
  larder::Definitions definitions = larder_test::Parsed(kSmall);
  definitions.base_path = "/a";
  store.Apply(definitions);
  CHECK(store.Plan(definitions).empty());
  CHECK(store.Plan(kSmall).empty());
  definitions.base_path = "/b";
  const auto plan = store.Plan(definitions);
  CHECK_FALSE(plan.empty());
  store.Apply(plan);
  CHECK(store.catalog.DefinitionsOf("p").base_path == "/b");
  CHECK((*store.catalog.GetView("p", "stats"))->version == 1);
}

TEST_CASE("an entry says who changed what, when and why", "[registry][history]") {
  Store store;
  larder::ApplyOptions options;
  options.time = larder::Timestamp{1'700'000'000'000'000};
  options.author = "ada";
  options.message = "first";
  options.number = 7;
  store.Apply(store.Plan(kSmall), options);
  REQUIRE(store.history.size() == 1);
  const larder::HistoryEntry& entry = store.history[0];
  CHECK(entry.number == 7);
  CHECK(entry.author == "ada");
  CHECK(entry.message == "first");
  CHECK(entry.time == options.time);
  CHECK(entry.kind == larder::HistoryKind::kApply);
  CHECK(entry.changes.size() == 8);
  CHECK((*store.catalog.GetView("p", "stats"))->revision == 7);
  store.Apply(Replaced(kSmall, R"("ttl": "1d")", R"("ttl": "2d")"));
  CHECK(store.catalog.revision() == 8);
  CHECK(store.history[1].changes.size() == 3);
}
