#include "larder/schema/reference.h"

#include <vector>

#include "support/catch.h"

namespace larder {
namespace {

TEST_CASE("a reference without a version means the latest", "[schema][reference]") {
  for (const std::string_view text :
       {"driver_stats:trips", "driver_stats@:trips", "driver_stats@latest:trips",
        "driver_stats@Latest:trips", "driver_stats@LATEST:trips"}) {
    INFO(text);
    const auto parsed = ParseFeatureReference(text);
    REQUIRE(parsed.ok());
    CHECK(parsed->view.name == "driver_stats");
    CHECK_FALSE(parsed->view.version.has_value());
    CHECK(parsed->feature == "trips");
    CHECK(parsed->ToString() == "driver_stats:trips");
  }
}

TEST_CASE("a version is a number, with or without its word", "[schema][reference]") {
  const std::vector<std::pair<std::string_view, int>> cases = {
      {"v@1", 1},  {"v@v2", 2},         {"v@V3", 3},  {"v@version3", 3},
      {"v@V5", 5}, {"v@Version10", 10}, {"v@007", 7}, {"v@2147483647", 2147483647},
  };
  for (const auto& [text, version] : cases) {
    INFO(text);
    const auto parsed = ParseVersionedName(text);
    REQUIRE(parsed.ok());
    CHECK(parsed->name == "v");
    CHECK(parsed->version == version);
    CHECK(ParseVersionedName(parsed->ToString()).value() == *parsed);
  }
  CHECK(ParseVersionedName("v@v2")->ToString() == "v@2");
  CHECK(ParseFeatureReference("v@version2:x")->ToString() == "v@2:x");
}

TEST_CASE("version 0, words and signs are not versions", "[schema][reference]") {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"fv@v0:x", "versions start at 1"}, {"fv@0:x", "versions start at 1"},
      {"fv@abc:x", "not a version"},      {"fv@v:x", "not a version"},
      {"fv@version:x", "not a version"},  {"fv@v-1:x", "not a version"},
      {"fv@-1:x", "not a version"},       {"fv@+1:x", "not a version"},
      {"fv@1.5:x", "not a version"},      {"fv@ 1:x", "not a version"},
      {"fv@2@3:x", "not a version"},      {"fv@vv2:x", "not a version"},
      {"fv@2147483648:x", "too large"},   {"fv@99999999999999999999:x", "too large"},
      {"@3:x", "view's name is empty"},   {":x", "view's name is empty"},
      {"fv:", "feature's name is empty"}, {"fv@2:", "feature's name is empty"},
      {"driver_stats_trips", "no colon"}, {"", "no colon"},
      {"a:b:c", "\"b:c\" is not a name"}, {"a b:c", "\"a b\" is not a name"},
      {" a:c", "is not a name"},          {"a:x@2", "\"x@2\" is not a name"},
  };
  for (const auto& [text, message] : cases) {
    INFO(text);
    const auto parsed = ParseFeatureReference(text);
    REQUIRE(parsed.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(MessageOf(parsed.status())),
               larder_test::ContainsSubstring(std::string(message)));
  }
}

TEST_CASE("a versioned name holds no feature", "[schema][reference]") {
  for (const std::string_view text : {"", "@", "@2", "a:b", "a@2:b", "a-b", "9a"}) {
    INFO(text);
    CHECK(ParseVersionedName(text).status().code() == absl::StatusCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace larder
