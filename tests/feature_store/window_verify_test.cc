// What the store keeps of window aggregates, compared with the events it keeps.
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "feature_store/store_fixture.h"
#include "feature_store/tables.h"
#include "feature_store/window_records.h"
#include "larder/base/text.h"
#include "larder/online/read_session.h"
#include "larder/online/write_transaction.h"

namespace {

using larder::Row;
using larder_test::At;
using larder_test::StoreFixture;

constexpr const char* kTaps = R"({"larder": 1, "project": "taps",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [
  {"name": "live", "kind": "push", "event_time": "at", "event_id": "id",
   "fields": [{"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "fare", "type": "float64"}, {"name": "id", "type": "string"}]}],
 "feature_views": [
  {"name": "spend", "entities": ["card"], "source": "live",
   "aggregates": [{"input": "fare", "functions": ["sum", "max"], "windows": ["1h"]}]}]})";

Row Tap(const char* at, double fare, const std::string& id) {
  return {{"card", int64_t{1}}, {"at", At(at)}, {"fare", fare}, {"id", id}};
}

// Changes records of a table that `change` gives other bytes, as damage would; nullopt leaves them.
void Damage(StoreFixture& fixture, uint32_t table,
            const std::function<std::optional<std::string>(std::string_view bytes)>& change) {
  std::map<std::string, std::string> changed;
  {
    const auto session = larder::ReadSession::Open(fixture.store().environment());
    REQUIRE(session.ok());
    const auto status =
        session->ListRecords(table, [&](std::string_view name, std::string_view bytes) {
          if (auto other = change(bytes)) changed[std::string(name)] = *std::move(other);
          return true;
        });
    REQUIRE(status.ok());
  }
  REQUIRE_FALSE(changed.empty());
  auto transaction = larder::WriteTransaction::Begin(fixture.store().environment());
  REQUIRE(transaction.ok());
  for (const auto& [name, bytes] : changed)
    REQUIRE(transaction->PutRecord(table, name, bytes).ok());
  REQUIRE(transaction->Commit().ok());
}

TEST_CASE("trees that are not what their events give are found", "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.Apply(kTaps);
  std::vector<Row> taps;
  for (int i = 0; i < 200; ++i)
    taps.push_back(Tap("2025-01-02T11:30:00Z", i, larder::Concat("id", i)));
  fixture.Push("live", taps);
  fixture.Push("live", {Tap("2025-01-02T11:31:00Z", 5, "id7")});
  CHECK(fixture.store().VerifyWindows()->empty());
  std::string other_leaf;
  std::string problem;
  SECTION("a page that stands where another one was") {
    Damage(fixture, larder::kWindowPageTable, [&](std::string_view bytes) {
      const bool is_leaf = bytes[1] == 0;
      if (!is_leaf) return std::optional<std::string>();
      if (other_leaf.empty()) other_leaf = bytes;
      return std::optional<std::string>(other_leaf);
    });
    problem = "says";
  }
  SECTION("sums that no events gave") {
    Damage(fixture, larder::kWindowPageTable, [&](std::string_view bytes) {
      if (bytes[1] == 0) return std::optional<std::string>();
      std::string changed(bytes);
      // The last child's state is the page's end: the greatest fare.
      changed.back() = static_cast<char>(changed.back() ^ 1);
      return std::optional<std::string>(changed);
    });
    problem = "says other sums than the events of page";
  }
  SECTION("an id that says that its event was deleted") {
    bool done = false;
    Damage(fixture, larder::kWindowIdTable, [&](std::string_view bytes) {
      if (std::exchange(done, true)) return std::optional<std::string>();
      std::string changed(bytes);
      changed[1] = 2;
      return std::optional<std::string>(changed);
    });
    problem = "elsewhere by the record of its id: state 2";
  }
  const auto problems = fixture.store().VerifyWindows();
  REQUIRE(problems.ok());
  REQUIRE_FALSE(problems->empty());
  INFO(larder::Join(*problems, "\n"));
  CHECK(problems->front().find(problem) != std::string::npos);
  CHECK(problems->front().starts_with("feature view spend@1: key 1 in order"));
}

// The bytes of what waits beside the trees of the only key, by stream.
std::vector<std::size_t> BytesWaiting(StoreFixture& fixture, std::size_t streams) {
  std::vector<std::size_t> waiting;
  const auto session = larder::ReadSession::Open(fixture.store().environment());
  REQUIRE(session.ok());
  const auto status =
      session->ListRecords(larder::kWindowKeyTable, [&](std::string_view, std::string_view bytes) {
        const auto key = larder::WindowKey::Parse(bytes, streams);
        REQUIRE(key.ok());
        for (const auto& trees : key->streams) {
          std::size_t bytes_waiting = 0;
          for (const auto& tree : trees) bytes_waiting += tree.tail.size();
          waiting.push_back(bytes_waiting);
        }
        return true;
      });
  REQUIRE(status.ok());
  return waiting;
}

TEST_CASE("an event that waits beside the tree that has it is found", "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.Apply(kTaps);
  fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 1, "id0")});
  CHECK(BytesWaiting(fixture, 1)[0] > 0);
  std::string tail;
  Damage(fixture, larder::kWindowKeyTable, [&](std::string_view bytes) {
    tail = larder::WindowKey::Parse(bytes, 1)->streams[0][0].tail;
    return std::optional<std::string>(bytes);
  });
  std::vector<Row> taps;
  for (int i = 1; i < 20; ++i)
    taps.push_back(Tap("2025-01-02T11:30:00Z", i, larder::Concat("id", i)));
  fixture.Push("live", taps);
  CHECK(BytesWaiting(fixture, 1)[0] == 0);
  CHECK(fixture.store().VerifyWindows()->empty());
  Damage(fixture, larder::kWindowKeyTable, [&](std::string_view bytes) {
    larder::WindowKey key = *larder::WindowKey::Parse(bytes, 1);
    key.streams[0][0].tail = tail;
    return std::optional<std::string>(key.Serialize());
  });
  const auto problems = fixture.store().VerifyWindows();
  REQUIRE(problems.ok());
  REQUIRE(problems->size() == 1);
  CHECK(problems->front().find("an event is there twice") != std::string::npos);
}

TEST_CASE("events wait beside trees only where that keeps records small and reads short",
          "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  std::string text = kTaps;
  SECTION("not where the last N are asked for") {
    const std::string windows = R"("windows": ["1h"])";
    text.replace(text.find(windows), windows.size(), R"("rows": 10)");
    fixture.Apply(text);
    fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 1, "id0")});
  }
  SECTION("not when they are long") {
    fixture.Apply(text);
    fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 1, std::string(2'000, 'x'))});
  }
  CHECK(BytesWaiting(fixture, 1) == std::vector<std::size_t>{0});
  CHECK(fixture.store().VerifyWindows()->empty());
}

TEST_CASE("a key that a newer larder wrote is refused as that", "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.Apply(kTaps);
  fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 1, "id0")});
  Damage(fixture, larder::kWindowKeyTable, [&](std::string_view bytes) {
    std::string newer(bytes);
    ++newer[0];
    return std::optional<std::string>(newer);
  });
  const std::vector<Row> taps = {Tap("2025-01-02T11:31:00Z", 1, "id1")};
  const absl::Status status = fixture.store().Push("live", taps).status();
  CHECK(larder::KindOf(status) == larder::ErrorKind::kVersion);
  CHECK(status.message().find("newer larder") != std::string::npos);
}

// How many ids of events have a record of their own.
std::size_t RecordedIds(StoreFixture& fixture) {
  std::size_t count = 0;
  const auto session = larder::ReadSession::Open(fixture.store().environment());
  REQUIRE(session.ok());
  const auto count_one = [&](std::string_view, std::string_view) { return ++count > 0; };
  REQUIRE(session->ListRecords(larder::kWindowIdTable, count_one).ok());
  return count;
}

std::string ShownSum(StoreFixture& fixture) {
  return larder_test::Shown(fixture.Get({"spend:sum_fare_1h"}, {{{"card", int64_t{1}}}}),
                            "sum_fare_1h", 0);
}

TEST_CASE("an id counts once whether it waits beside its key or has a record", "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.Apply(kTaps);
  for (int i = 0; i < 8; ++i)
    fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 1, larder::Concat("id", i))});
  CHECK(RecordedIds(fixture) == 0);
  const auto push_all_again = [&](int count) {
    for (int i = 0; i < count; ++i)
      fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 1, larder::Concat("id", i))});
  };
  push_all_again(8);
  CHECK(ShownSum(fixture) == "8 PRESENT");
  fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 1, "id8")});
  CHECK(RecordedIds(fixture) == 9);
  push_all_again(9);
  CHECK(ShownSum(fixture) == "9 PRESENT");
  fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 1, "id9")});
  // Corrections of both kinds.
  fixture.Push("live", {Tap("2025-01-02T11:31:00Z", 3, "id2")});
  fixture.Push("live", {Tap("2025-01-02T11:31:00Z", 4, "id9")});
  CHECK(ShownSum(fixture) == "15 PRESENT");
  CHECK(RecordedIds(fixture) == 9);
  CHECK(fixture.store().VerifyWindows()->empty());
}

TEST_CASE("a key with very many ids asks their records for each", "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.Apply(kTaps);
  std::vector<Row> taps;
  for (int i = 0; i < 1'000; ++i)
    taps.push_back(Tap("2025-01-02T11:30:00Z", 1, larder::Concat("id", i)));
  fixture.Push("live", taps);
  fixture.Push("live", taps);
  CHECK(ShownSum(fixture) == "1000 PRESENT");
  CHECK(fixture.store().VerifyWindows()->empty());
}

TEST_CASE("keys and ids of earlier forms are read, and written on", "[store][windows]") {
  StoreFixture fixture("2025-01-02T12:00:00Z");
  fixture.Apply(kTaps);
  const auto form = static_cast<char>(GENERATE(3, 4));
  fixture.Push("live", {Tap("2025-01-02T11:30:00Z", 0, "id0")});
  // From here on ids have the names that they had in these forms.
  Damage(fixture, larder::kWindowTable, [&](std::string_view bytes) {
    std::string earlier(bytes.substr(0, bytes.size() - 1));
    earlier[0] = form;
    return std::optional<std::string>(earlier);
  });
  std::vector<Row> taps;
  for (int i = 1; i < 18; ++i)
    taps.push_back(Tap("2025-01-02T11:30:00Z", i, larder::Concat("id", i)));
  fixture.Push("live", taps);
  CHECK(RecordedIds(fixture) == 18);
  Damage(fixture, larder::kWindowKeyTable, [&](std::string_view bytes) {
    // Form, oldest time, number of trees; of the one category and root; then its tail, of no bytes.
    constexpr std::size_t kTailAt = 1 + 8 + 4 + 4 + 20;
    // Which ids have records, and that none waits.
    constexpr std::size_t kIdsSize = 1 + 64 + 1;
    std::string earlier(bytes.substr(0, bytes.size() - kIdsSize));
    REQUIRE(earlier[0] == 5);
    REQUIRE(earlier.substr(kTailAt, 4) == std::string(4, '\0'));
    earlier[0] = form;
    if (form == 3) earlier.erase(kTailAt, 4);
    return std::optional<std::string>(earlier);
  });
  CHECK(fixture.store().VerifyWindows()->empty());
  CHECK(ShownSum(fixture) == "153 PRESENT");
  fixture.Push("live", {Tap("2025-01-02T11:31:00Z", 5, "id18")});
  fixture.Push("live", taps);
  CHECK(ShownSum(fixture) == "158 PRESENT");
  CHECK(fixture.store().VerifyWindows()->empty());
  fixture.Push("live", {Tap("2025-01-02T11:32:00Z", 6, "id18")});
  fixture.Push("live", {Tap("2025-01-02T11:32:00Z", 0, "id17")});
  CHECK(ShownSum(fixture) == "142 PRESENT");
  CHECK(fixture.store().VerifyWindows()->empty());
}

}  // namespace
