// Batch look-ups against looking up row by row.
#include <algorithm>
#include <random>

#include "online/view_rows.h"
#include "store_fixture.h"

using larder::FoundRow;
using larder::KeyRef;
using larder::RowGuess;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::Store;

namespace {

constexpr int64_t kKeys = 300;

// Rows of all kinds; keys of one size only with `same_parts`, so that segments pack where the layout lets them.
std::vector<Event> RandomEvents(std::mt19937_64& random, std::size_t count, bool same_parts) {
  std::vector<Event> events;
  for (std::size_t i = 0; i < count; ++i) {
    Event& event = events.emplace_back();
    event.key = IntKey(static_cast<int64_t>(random() % kKeys));
    event.event_time = static_cast<int64_t>(random() % 1000);
    event.number = static_cast<int64_t>(random() % 100'000);
    if (random() % 4 == 0) event.number.reset();
    if (same_parts) continue;
    event.text = std::string(random() % 20, 'x');
    event.is_delete = random() % 10 == 0;
    if (random() % 10 == 0)
      event.valid_to = *event.event_time + static_cast<int64_t>(random() % 500);
  }
  return events;
}

void CheckAgainstFindRow(const Store& store, const larder::ReadSession& session,
                         larder::RowsHint* hint, std::mt19937_64& random) {
  const auto rows = session.RowsOfView(Store::kView, store.layout, hint);
  REQUIRE(rows.ok());
  const std::size_t count = random() % 50;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i)
    texts.push_back(IntKey(static_cast<int64_t>(random() % (kKeys * 3 / 2))));
  std::vector<KeyRef> keys;
  for (const std::string& text : texts) keys.push_back({text, session.HashOfKey(text)});
  if (count > 0 && random() % 4 == 0) keys[random() % count] = {};
  const larder::Timestamp as_of{static_cast<int64_t>(random() % 1'200)};
  std::vector<RowGuess> guesses(count);
  std::vector<FoundRow> found(count);
  session.FetchIndex(**rows, keys);
  session.FetchRows(**rows, keys, guesses);
  REQUIRE(session.FindMany(**rows, store.layout, keys, guesses, as_of, found).ok());
  for (std::size_t i = 0; i < count; ++i) {
    if (keys[i].key.data() == nullptr) {
      CHECK(found[i].payload == nullptr);
      continue;
    }
    const auto row = session.FindRow(Store::kView, store.layout, keys[i].key, as_of);
    REQUIRE(row.ok());
    REQUIRE((found[i].payload != nullptr) == row->has_value());
    if (!row->has_value()) continue;
    const FoundRow expected = FoundRow::Of(**row);
    CHECK(found[i].payload == expected.payload);
    CHECK(found[i].validity == expected.validity);
    CHECK(found[i].end == expected.end);
    CHECK(found[i].event_time == expected.event_time);
    CHECK(found[i].timeless == expected.timeless);
  }
}

}  // namespace

TEST_CASE("a batch finds what looking up row by row finds", "[online][batch][random]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  const int rounds = larder_test::Rounds(30);
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    Store store;
    const bool numbers_only = round % 2 == 0;
    if (numbers_only) store.layout = larder_test::LayoutOf({larder::TypeId::kInt64});
    larder::ReadSession session = store.Session();
    larder::RowsHint hint;  // kept over commits
    for (int step = 0; step < 12; ++step) {
      const std::vector<Event> events =
          RandomEvents(random, 1 + random() % 200, numbers_only && random() % 4 != 0);
      if (random() % 4 == 0) {
        store.Load(events, {}, random() % 2 == 0);
      } else {
        store.Push(events);
      }
      REQUIRE(session.Renew().ok());
      for (int i = 0; i < 6; ++i) CheckAgainstFindRow(store, session, &hint, random);
    }
    session.Release();
    CHECK_FALSE(session.RowsOfView(Store::kView, store.layout, &hint).ok());
  }
}

TEST_CASE("the index of a segment counts as checked only when somebody found that it holds",
          "[online][batch]") {
  larder::TouchRegistry registry;
  const auto first = registry.Of(1, 64);
  // A second session asks while the first is still comparing: it must compare too.
  const auto second = registry.Of(1, 64);
  CHECK(first == second);
  CHECK_FALSE(second->index_checked());
  first->SetIndexChecked();
  CHECK(second->index_checked());
  CHECK(registry.Of(1, 64)->index_checked());
  CHECK_FALSE(registry.Of(2, 64)->index_checked());
}
