// A model's process is pinned to service@1, is restarted, and must not notice what was applied meanwhile.
#include <sys/wait.h>

#include <cstdio>
#include <cstring>

#include "feature_store/store_fixture.h"

namespace {

using larder_test::StoreFixture;

std::string Shop(std::string_view price, std::string_view ratio, std::string_view ttl,
                 std::string_view dtype) {
  return larder::Concat(R"({"larder": 1, "project": "shop",
   "entities": [{"name": "item", "join_keys": [{"name": "item_id", "type": "int64"}]}],
   "sources": [{"name": "prices", "kind": "csv", "path": "prices.csv", "event_time": "at",
     "fields": [{"name": "item_id", "type": "int64"}, {"name": "price", "type": "float64"},
                {"name": "at", "type": "timestamp"}]}],
   "feature_views": [{"name": "item_price", "entities": ["item"], "source": "prices", "ttl": ")",
                        ttl, R"(",
     "features": [{"name": "shown", "expr": ")",
                        price, R"("}]}],
   "on_demand_views": [{"name": "ratios", "request": [{"name": "bid", "type": "float64"}],
     "inputs": {"shown": "item_price:shown"}, "features": [{"name": "ratio", "expr": ")",
                        ratio, R"("}]}],
   "feature_services": [{"name": "pricing", "dtype": ")",
                        dtype, R"(", "features": ["item_price:shown", "ratios:ratio"]}]})");
}

// What a process of its own serves.
std::string ServedBy(const StoreFixture& fixture, std::string_view service) {
  const std::string command =
      larder::Concat(LARDER_PINNED_READER, " '", fixture.folder().File("store"), "' ", service);
  std::FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string bytes;
  char buffer[4096];
  for (std::size_t size = 0; (size = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;)
    bytes.append(buffer, size);
  const int status = pclose(pipe);
  INFO(command);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  return bytes;
}

TEST_CASE("a process pinned to service@1 and restarted after @2 was applied serves the same bytes",
          "[store][serving][process]") {
  StoreFixture fixture("2025-01-10T00:00:00Z");
  fixture.folder().Write("prices.csv",
                         "item_id,price,at\n1,0.1,2025-01-01\n2,,2025-01-01\n3,1e-30,2024-01-01\n");
  fixture.Apply(Shop("price / 3", "request.bid / shown", "30d", "float32"));
  fixture.Materialize();
  const std::string before = ServedBy(fixture, "pricing@1");
  REQUIRE(before.size() == 4 * 2 * sizeof(float));
  float first = 0;
  std::memcpy(&first, before.data(), sizeof(first));
  REQUIRE(first == static_cast<float>(0.1 / 3));

  const struct {
    const char* price;
    const char* ratio;
    const char* ttl;
  } changes[] = {{"price * 3", "request.bid / shown", "30d"},
                 {"price * 3", "request.bid * shown", "30d"},
                 {"price * 3", "request.bid * shown", "900d"}};
  std::string newest = before;
  int version = 1;
  for (const auto& change : changes) {
    fixture.Apply(Shop(change.price, change.ratio, change.ttl, "float32"));
    CHECK(ServedBy(fixture, "pricing@1") == before);
    fixture.Materialize();
    CHECK(ServedBy(fixture, "pricing@1") == before);
    // The change is one that would have shown.
    const std::string now = ServedBy(fixture, "pricing");
    CHECK(now != newest);
    CHECK(ServedBy(fixture, larder::Concat("pricing@", ++version)) == now);
    newest = now;
  }
  REQUIRE(fixture.store().Rollback(1).ok());
  CHECK(ServedBy(fixture, "pricing") == before);
  CHECK(ServedBy(fixture, larder::Concat("pricing@", version)) == newest);
}

}  // namespace
