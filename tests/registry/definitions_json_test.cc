#include "larder/registry/definitions_json.h"

#include <filesystem>
#include <fstream>

#include "registry/example.h"
#include "registry/store.h"
#include "support/catch.h"

using larder::Definitions;
using larder::MessageOf;
using larder::ParseDefinitions;
using larder_test::Parsed;

namespace {

std::string Refusal(const std::string& json) {
  const auto definitions = ParseDefinitions(json, "f.json");
  REQUIRE_FALSE(definitions.ok());
  CHECK(definitions.status().code() == absl::StatusCode::kInvalidArgument);
  return std::string(MessageOf(definitions.status()));
}

struct Case {
  const char* json;
  const char* message;
};

}  // namespace

TEST_CASE("the definitions of the design are read and printed one to one", "[registry][json]") {
  const Definitions read = Parsed(larder_test::kFraudJson);
  CHECK(read.project == "fraud");
  CHECK(read.entities.size() == 2);
  CHECK(read.sources.size() == 4);
  CHECK(read.feature_views.size() == 4);
  CHECK(read.sources[0].format.delimiter == "|");
  CHECK(read.sources[0].fields[3].unit == "s");
  CHECK(read.sources[0].available_after == larder::Duration::Seconds(45));
  CHECK(read.feature_views[2].features[0].default_value == larder::Value(0.0));
  CHECK(read.labels[0].aggregate->functions == std::vector<std::string>{"max"});
  CHECK(read.feature_services[0].features[0].view == "card_spend");
  CHECK(read.feature_services[0].features[3].alias == "home");
  const std::string printed = larder::DefinitionsToJson(read);
  CHECK(Parsed(printed) == read);
  CHECK(larder::DefinitionsToJson(Parsed(printed)) == printed);
}

TEST_CASE("every key of every object survives printing and reading", "[registry][json]") {
  const Definitions all = Parsed(R"({
    "larder": 1, "$schema": "definitions.schema.json", "project": "p", "description": "d \"q\" \\ é \u0007",
    "owner": "o", "tags": {"a": "b", "": "x/y~z"},
    "entities": [{"name": "e", "join_keys": [{"name": "k", "type": "bytes"}], "tags": {"t": "1"}}],
    "sources": [
      {"name": "s", "kind": "csv", "path": "a b/*.csv",
       "format": {"delimiter": ";", "null_values": [], "compression": "gzip", "strict": false},
       "fields": [{"name": "k", "type": "bytes"}, {"name": "v", "type": "vector<float32, 3>", "from": "V"},
                  {"name": "m", "type": "map<string, int64>"}, {"name": "l", "type": "list<string>"},
                  {"name": "t", "type": "timestamp", "unit": "ms"}, {"name": "q", "type": "int64"},
                  {"name": "op", "type": "string"}, {"name": "end", "type": "date"}],
       "event_time": "t", "arrival_time": "t", "sequence": "q", "event_id": "q", "operation": "op",
       "valid_to": "end", "time_zone": "Europe/Berlin", "order": "sequence", "available_after": "1h30m",
       "late_by": 0, "retention": "2w", "max_future": "1us", "version_horizon": "500ms",
       "arrival_slack": "10m", "description": "x", "owner": "y", "tags": {"z": "1"}},
      {"name": "n", "kind": "ndjson", "path": "x"}, {"name": "pq", "kind": "parquet", "path": "x"},
      {"name": "sq", "kind": "sql", "query": "select 1"}, {"name": "pu", "kind": "push", "batch_source": "s"},
      {"name": "de", "kind": "view", "view": "v1"}],
    "feature_views": [
      {"name": "v1", "entities": ["e"], "source": "s", "union": ["n"], "ttl": 0, "boundary": "before",
       "exclude_self": true, "partial_updates": true, "validators": ["a", "b"], "colocate": "g", "rollback_window": "3d",
       "features": [{"name": "f", "type": "float32", "expr": "1 + 1", "default": "NaN", "owner": "me"},
                    {"name": "d", "type": "date", "default": "2024-02-29"},
                    {"name": "v", "type": "vector<float32, 3>", "default": [1, 2.5, 3]},
                    {"name": "l", "type": "list<string>", "default": ["a", null]},
                    {"name": "m", "type": "map<string, int64>", "default": {"a": 1}},
                    {"name": "b", "type": "bytes", "default": "AAEC"},
                    {"name": "u", "type": "uint64", "default": 18446744073709551615},
                    {"name": "x", "default": 1.5}, {"name": "y", "default": true}, {"name": "z", "default": "t"}]},
      {"name": "v2", "source": "s", "aggregates": [
        {"name": "n", "input": "q + 1", "function": "approx_percentile", "window": "1h", "where": "q > 0",
         "group_by": "op", "categories": ["a", "b"], "delay": "5m", "include_nulls": true,
         "parameters": {"p": 0.5, "k": "3"}, "description": "n"},
        {"input": "q", "functions": ["min", "max"], "rows": 10}]}],
    "on_demand_views": [{"name": "o1", "request": [{"name": "r", "type": "bool"}], "inputs": {"a": "v1@3:f"},
                         "features": [{"name": "x", "expr": "a"}]}],
    "labels": [{"name": "l1", "view": "v1", "feature": "f", "from": "1d", "to": "2d"},
               {"name": "l2", "view": "v1", "aggregate": {"function": "sum", "input": "q"}, "to": "2d"}],
    "feature_services": [{"name": "fs", "dtype": "float32", "missing": "default", "partial": "null",
      "full_feature_names": true, "casts": {"v1__f": "float64"},
      "features": ["v1:f", "v1@v2:f", {"view": "v1", "as": "w", "features": ["f", "d"], "join_keys": {"k": "k2"}},
                   {"view": "o1"}]}]})");
  const std::string printed = larder::DefinitionsToJson(all);
  INFO(printed);
  CHECK(Parsed(printed) == all);
  CHECK(larder::DefinitionsToJson(Parsed(printed)) == printed);
  CHECK(all.feature_views[0].features[6].default_value ==
        larder::Value(uint64_t{18446744073709551615U}));
}

TEST_CASE("comments are allowed, and what is not JSON is refused with its place",
          "[registry][json]") {
  CHECK(Parsed("// head\n{/* a */ \"project\": \"x\" // tail\n}").project == "x");
  CHECK_THAT(Refusal("{\"project\": }"),
             Catch::Matchers::ContainsSubstring("f.json: not JSON") &&
                 Catch::Matchers::ContainsSubstring("line 1, column 13"));
  CHECK_THAT(Refusal(""), Catch::Matchers::ContainsSubstring("not JSON"));
  CHECK_THAT(Refusal("[]"), Catch::Matchers::ContainsSubstring("expected an object, found a list"));
  CHECK_THAT(Refusal("{\"owner\": \"\xff\"}"), Catch::Matchers::ContainsSubstring("UTF-8"));
  CHECK_THAT(Refusal("{\"project\": 1e999}"), Catch::Matchers::ContainsSubstring("not JSON"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "[";
  CHECK_THAT(Refusal(deep), Catch::Matchers::ContainsSubstring("nested deeper than 64"));
  const auto large = ParseDefinitions(std::string(17 << 20, ' '), "f.json");
  CHECK(larder::KindOf(large.status()) == larder::ErrorKind::kTooLarge);
}

TEST_CASE("each defect of a file is told with its JSON path", "[registry][json]") {
  const Case cases[] = {
      {R"({"larder": 2})", "/larder: this build reads definitions of format 1, found the number 2"},
      {R"({"projct": "x"})", "/projct: unknown key (did you mean \"project\"?)"},
      {R"({"entities": {}})", "/entities: expected a list, found an object"},
      {R"({"entities": [{"join_keys": []}]})", "/entities/0: missing key \"name\""},
      {R"({"entities": [{"name": "e", "join_keys": [{"name": "k", "type": "int46"}]}]})",
       "/entities/0/join_keys/0/type: "},
      {R"({"feature_views": [{"name": "a", "source": "s", "ttl": "5x"}]})",
       "/feature_views/0/ttl: "},
      {R"({"feature_views": [{"name": "a", "source": "s", "ttl": 5}]})",
       "/feature_views/0/ttl: expected a duration such as \"7d\", found the number 5"},
      {R"({"sources": [{"name": "s", "kind": "cvs"}]})",
       "/sources/0/kind: unknown source kind: \"cvs\" (did you mean \"csv\"?)"},
      {R"({"sources": [{"name": "s", "kind": "csv", "evnt_time": "t"}]})",
       "/sources/0/evnt_time: unknown key (did you mean \"event_time\"?)"},
      {R"({"sources": [{"name": "s", "name": "t", "kind": "csv"}]})",
       "/sources/0/name: repeated key"},
      {R"({"sources": [{"name": "s", "kind": null}]})",
       "/sources/0/kind: expected a source kind, found null"},
      {R"({"feature_views": [{"name": "a", "source": "s", "features": [{"name": "f", "default": null}]}]})",
       "/feature_views/0/features/0/default: a default replaces null and cannot be null"},
      {R"({"feature_views": [{"name": "a", "source": "s", "features": [{"name": "f", "type": "int32", "default": 1.5}]}]})",
       "/feature_views/0/features/0/default: "},
      {R"({"feature_views": [{"name": "a", "source": "s", "aggregates": [{"function": "sum", "functions": ["sum"]}]}]})",
       "/feature_views/0/aggregates/0/function: give either function or functions"},
      {R"({"feature_services": [{"name": "s", "features": ["driver_stats_trips"]}]})",
       "/feature_services/0/features/0: "},
      {R"({"feature_services": [{"name": "s", "features": [], "dtype": "int64"}]})",
       "/feature_services/0/dtype: unknown dtype: \"int64\""},
      {R"({"tags": {"a": []}})", "/tags/a: expected text, found a list"},
      {R"({"tags": {"a/b": []}})", "/tags/a~1b: "},
  };
  for (const Case& c : cases) {
    INFO(c.json);
    CHECK_THAT(Refusal(c.json), Catch::Matchers::ContainsSubstring(c.message));
  }
}

TEST_CASE("all problems of a file come at once, a line each", "[registry][json]") {
  const std::string message = Refusal(R"({"projct": "x",
    "entities": [{"name": 1, "join_keys": [{"name": "k", "type": "int"}]}],
    "feature_views": [{"name": "a", "source": "s", "ttl": "5x"}]})");
  CHECK_THAT(message, Catch::Matchers::StartsWith("f.json: 4 problems\n  "));
  CHECK(std::count(message.begin(), message.end(), '\n') == 4);
}

TEST_CASE("a folder is one project, and its paths start at the folder", "[registry][json][files]") {
  namespace fs = std::filesystem;
  const fs::path folder = fs::path(LARDER_BINARY_DIR) / "registry_folder";
  fs::remove_all(folder);
  fs::create_directories(folder / "deep");
  const auto write = [&](const char* name, const char* text) {
    std::ofstream(folder / name) << text;
  };
  write(
      "a.json",
      R"({"project": "p", "entities": [{"name": "e", "join_keys": [{"name": "k", "type": "int64"}]}],
    "sources": [{"name": "near", "kind": "csv", "path": "x.csv"}]})");
  write("deep/b.json", R"({"sources": [{"name": "far", "kind": "csv", "path": "y.csv"},
    {"name": "abs", "kind": "csv", "path": "/z.csv"}, {"name": "var", "kind": "csv", "path": "${ROOT}/z.csv"}]})");
  write("notes.txt", "not JSON");
  auto loaded = larder::LoadDefinitions(folder.string());
  INFO(loaded.status());
  REQUIRE(loaded.ok());
  CHECK(loaded->project == "p");
  CHECK(loaded->base_path == folder.string());
  REQUIRE(loaded->sources.size() == 4);
  CHECK(loaded->sources[0].path == "x.csv");
  CHECK(loaded->sources[1].path == "deep/y.csv");
  CHECK(loaded->sources[2].path == "/z.csv");
  CHECK(loaded->sources[3].path == "${ROOT}/z.csv");
  CHECK(loaded->origins.at("/sources/1") == "deep/b.json: /sources/0");

  SECTION("problems of all files come together, each with its file") {
    write("c.json", R"({"project": "q", "bad": 1})");
    write("d.json", "{");
    const auto refused = larder::LoadDefinitions(folder.string());
    REQUIRE_FALSE(refused.ok());
    const std::string message(MessageOf(refused.status()));
    CHECK_THAT(message, Catch::Matchers::ContainsSubstring("c.json: /bad: unknown key") &&
                            Catch::Matchers::ContainsSubstring("c.json: /project: found \"q\"") &&
                            Catch::Matchers::ContainsSubstring("d.json: not JSON"));
  }
  SECTION("a problem found while resolving names the file") {
    loaded->sources[1].fields = {{"k", larder::TypeId::kInt64, "", ""},
                                 {"k", larder::TypeId::kInt64, "", ""}};
    larder_test::FakeChecker checker;
    const auto plan = larder::MakePlan(larder::Catalog(), *loaded, checker);
    CHECK_THAT(std::string(MessageOf(plan.status())),
               Catch::Matchers::ContainsSubstring(
                   "deep/b.json: /sources/0/fields/1/name: repeated name: k"));
  }
  SECTION("one file") {
    const auto file = larder::LoadDefinitions((folder / "a.json").string());
    REQUIRE(file.ok());
    CHECK(file->base_path == folder.string());
  }
  CHECK(larder::LoadDefinitions((folder / "none").string()).status().code() ==
        absl::StatusCode::kNotFound);
  fs::create_directories(folder / "empty");
  CHECK(larder::LoadDefinitions((folder / "empty").string()).status().code() ==
        absl::StatusCode::kNotFound);
  fs::remove_all(folder);
}

TEST_CASE("variables stand for locations, and unknown ones are all named", "[registry][json]") {
  Definitions definitions =
      Parsed(R"({"sources": [{"name": "a", "kind": "csv", "path": "${ROOT}/$${x}/a"},
    {"name": "b", "kind": "sql", "query": "select ${COLUMN}"}]})");
  const auto known = [](std::string_view name) -> std::optional<std::string> {
    if (name == "ROOT") return "/data";
    if (name == "COLUMN") return "1";
    return std::nullopt;
  };
  REQUIRE(larder::ExpandVariables(known, &definitions).ok());
  CHECK(definitions.sources[0].path == "/data/${x}/a");
  CHECK(definitions.sources[1].query == "select 1");
  Definitions unset = Parsed(R"({"sources": [{"name": "a", "kind": "csv", "path": "${A}${B}"}]})");
  const auto status = larder::ExpandVariables(known, &unset);
  CHECK_THAT(std::string(MessageOf(status)), Catch::Matchers::ContainsSubstring("variable A") &&
                                                 Catch::Matchers::ContainsSubstring("variable B"));
  CHECK(unset.sources[0].path == "${A}${B}");
}

TEST_CASE("the JSON Schema in the reference is the one the code makes", "[registry][json][docs]") {
  std::ifstream file(std::string(LARDER_SOURCE_DIR) + "/docs/reference/definitions.schema.json");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  CHECK(text == larder::DefinitionsJsonSchema());
}

TEST_CASE("the reference page names every key", "[registry][json][docs]") {
  std::ifstream file(std::string(LARDER_SOURCE_DIR) + "/docs/reference/definitions.md");
  const std::string page{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::string schema = larder::DefinitionsJsonSchema();
  // Keys of `properties` objects: lines of the form `"key": {` with a description.
  int keys = 0;
  for (std::size_t at = schema.find("\": {\"type\""); at != std::string::npos;
       at = schema.find("\": {\"type\"", at + 1)) {
    const std::size_t begin = schema.rfind('"', at - 1) + 1;
    const std::string key = schema.substr(begin, at - begin);
    if (key == "items" || key == "additionalProperties") continue;  // of JSON Schema itself
    INFO(key);
    CHECK(page.find("`" + key + "`") != std::string::npos);
    ++keys;
  }
  CHECK(keys > 40);
}
