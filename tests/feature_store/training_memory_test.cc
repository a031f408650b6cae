// That a budget of memory is kept, measured in a process of its own.
#include <array>
#include <cstdio>
#include <string>

#include "feature_store/store_fixture.h"
#include "support/random.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define LARDER_TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define LARDER_TEST_SANITIZED 1
#endif
#endif

#ifndef LARDER_TEST_SANITIZED  // a sanitizer's own memory would be counted

namespace {

using larder::Concat;
using larder_test::Random;
using larder_test::StoreFixture;

constexpr std::string_view kDefinitions = R"json({"larder": 1, "project": "p",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [
  {"name": "events", "kind": "csv", "path": "events.csv", "event_time": "at",
   "fields": [{"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp", "unit": "s"},
              {"name": "a", "type": "float64"}, {"name": "b", "type": "float64"}]}],
 "feature_views": [
  {"name": "last", "entities": ["card"], "source": "events", "features": [{"name": "a"}, {"name": "b"}]},
  {"name": "sums", "entities": ["card"], "source": "events",
   "aggregates": [{"functions": ["sum", "count"], "input": "a", "windows": ["1d"]}]}],
 "feature_services": [{"name": "model", "features": [{"view": "last"}, {"view": "sums"}]}]})json";

struct Taken {
  int64_t bytes = 0;
  std::string sha256;
};

Taken MakeWithin(const StoreFixture& fixture, uint64_t budget) {
  const std::string command = Concat(LARDER_TRAINING_MEMORY, " ", fixture.folder().File("store"),
                                     " ", fixture.folder().File("spine.csv"), " ", budget);
  std::FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  Taken taken;
  std::array<char, 65> sha256{};
  long long bytes = 0;
  const int read = std::fscanf(pipe, "%lld %64s", &bytes, sha256.data());
  REQUIRE(pclose(pipe) == 0);
  REQUIRE(read == 2);
  taken.bytes = bytes;
  taken.sha256 = sha256.data();
  return taken;
}

}  // namespace

TEST_CASE("a training set larger than its budget of memory keeps to it",
          "[store][training][slow]") {
  Random random(11);
  StoreFixture fixture;
  std::string events = "card,at,a,b\n";
  for (int i = 0; i < 300'000; ++i) {
    events += Concat(random.Between(0, 20'000), ",", random.Between(0, 5'000'000), ",",
                     random.Between(0, 99), ".5,", random.Between(0, 99), "\n");
  }
  fixture.folder().Write("events.csv", events);
  std::string spine = "row,card,t\n";
  for (int i = 0; i < 400'000; ++i)
    spine += Concat(i, ",", random.Between(0, 20'000), ",", "1970-02-", 10 + i % 18, "T00:00:00Z\n");
  fixture.folder().Write("spine.csv", spine);
  fixture.Apply(kDefinitions);
  constexpr int64_t kBudget = 24 << 20;
  const Taken within = MakeWithin(fixture, kBudget);
  const Taken at_once = MakeWithin(fixture, 0);
  CHECK(within.sha256 == at_once.sha256);
  CAPTURE(within.bytes, at_once.bytes);
  CHECK(within.bytes < kBudget * 3 / 2);
  CHECK(at_once.bytes > kBudget * 2);
}

#endif
