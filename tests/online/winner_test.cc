// SEMANTICS 3, case by case: which row answers.
#include "store_fixture.h"

using larder::Duration;
using larder::ErrorKind;
using larder::TieOrder;
using larder::Timestamp;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::Shape;
using larder_test::Store;

namespace {

constexpr int64_t kNow = 1'000'000'000;

Event At(int64_t event_time, int64_t number) {
  Event event;
  event.event_time = event_time;
  event.number = number;
  return event;
}
Event Arrived(int64_t event_time, std::optional<int64_t> arrival, int64_t number) {
  Event event = At(event_time, number);
  event.arrival = arrival;
  return event;
}
Event Sequenced(int64_t event_time, std::optional<int64_t> sequence, int64_t number) {
  Event event = At(event_time, number);
  event.sequence = sequence;
  return event;
}
Event DeletedAt(int64_t event_time) {
  Event event;
  event.event_time = event_time;
  event.is_delete = true;
  return event;
}

}  // namespace

TEST_CASE("the row with the greatest event time not after as_of wins", "[online][winner]") {
  Store store;
  store.Push({At(30, 3), At(10, 1), At(20, 2)});
  CHECK_FALSE(store.Number(9));
  CHECK(store.Number(10) == 1);
  CHECK(store.Number(19) == 1);
  CHECK(store.Number(20) == 2);
  CHECK(store.Number(1000) == 3);
  CHECK_FALSE(store.Number(1000, std::nullopt, IntKey(2)));
}

TEST_CASE("an older row written later loses and is counted", "[online][winner]") {
  Store store;
  CHECK(store.Push({At(20, 2)}).written == 1);
  const auto result = store.Push({At(10, 1)});
  CHECK(result.older == 1);
  CHECK(result.written == 0);
  CHECK(store.Number(kNow) == 2);
  CHECK(store.Number(15) == 1);
}

TEST_CASE("inside one batch the order of rows does not matter", "[online][winner]") {
  Store store;
  store.Push({At(20, 2), At(10, 1)});
  store.Push({[] {
                Event e = At(10, 1);
                e.key = IntKey(2);
                return e;
              }(),
              [] {
                Event e = At(20, 2);
                e.key = IntKey(2);
                return e;
              }()});
  CHECK(store.Number(kNow) == 2);
  CHECK(store.Number(kNow, std::nullopt, IntKey(2)) == 2);
}

TEST_CASE("the sequence settles rows of one event time, a missing one comes first",
          "[online][winner]") {
  Store store;
  Shape shape;
  shape.has_sequence = true;
  store.Push({Sequenced(10, 5, 50), Sequenced(10, 7, 70), Sequenced(10, -3, 30),
              Sequenced(10, std::nullopt, 99)},
             shape);
  CHECK(store.Number(kNow) == 70);
  CHECK(store.Push({Sequenced(10, 6, 60)}, shape).older == 1);
  CHECK(store.Push({Sequenced(10, 8, 80)}, shape).written == 1);
  CHECK(store.Number(kNow) == 80);
}

TEST_CASE("the later arrival settles rows of one event time", "[online][winner]") {
  Store store;
  Shape shape;
  shape.has_arrival = true;
  const auto result =
      store.Push({Arrived(10, 200, 2), Arrived(10, 100, 1), Arrived(10, std::nullopt, 9)}, shape);
  CHECK(store.Number(kNow) == 2);
  CHECK(result.ambiguous == 2);
}

TEST_CASE("known_at hides what had not arrived", "[online][winner]") {
  Store store;
  Shape shape;
  shape.has_arrival = true;
  store.Push({Arrived(10, 100, 1), Arrived(20, 500, 2), Arrived(30, std::nullopt, 3)}, shape);
  CHECK(store.Number(kNow) == 3);  // the snapshot's commit knows it
  CHECK(store.Number(kNow, 499) == 1);
  CHECK(store.Number(kNow, 500) == 2);
  CHECK(store.Number(kNow, Timestamp::Max().us) == 2);  // a null arrival is known at no time
  CHECK_FALSE(store.Number(kNow, 99));
}

TEST_CASE("available_after delays when a row is known, not when it happened", "[online][winner]") {
  Store store;
  Shape shape;
  shape.available_after = Duration{45};
  store.Push({At(100, 1)}, shape);
  CHECK_FALSE(store.Number(1000, 144));
  CHECK(store.Number(100, 145) == 1);
}

TEST_CASE("a pushed row without arrival is known from its commit's time", "[online][winner]") {
  Store store;
  Shape shape;
  shape.is_push = true;
  store.Push({At(10, 1)}, shape);
  CHECK_FALSE(store.Number(kNow, kNow - 1));
  CHECK(store.Number(kNow, kNow) == 1);
}

TEST_CASE("commit times grow even when the clock does not", "[online][winner]") {
  Store store;
  store.Push({At(10, 1)});
  CHECK(store.Session().commit_time().us == kNow);
  store.Push({At(11, 1)});
  CHECK(store.Session().commit_time().us == kNow + 1);
  *store.clock.now = 5;  // set back
  store.Push({At(12, 1)});
  CHECK(store.Session().commit_time().us == kNow + 2);
  CHECK(store.Session().commit_seq() == 3);
}

TEST_CASE("different rows of one instant are settled by their bytes, whatever the order",
          "[online][winner]") {
  std::vector<int64_t> numbers = {1, 2, 3};
  std::optional<int64_t> winner;
  do {
    Store store;
    std::size_t ambiguous = 0;
    for (const int64_t number : numbers) ambiguous += store.Push({At(10, number)}).ambiguous;
    CHECK(ambiguous == 2);
    const std::optional<int64_t> found = store.Number(kNow);
    REQUIRE(found);
    if (winner) CHECK(*found == *winner);
    winner = found;
  } while (std::next_permutation(numbers.begin(), numbers.end()));
}

TEST_CASE("ties keep their order past the point where ranks run out", "[online][winner]") {
  Store store;
  std::vector<Event> events;
  for (int64_t number = 1; number <= 200; ++number) events.push_back(At(10, number));
  for (const Event& event : events) store.Push({event});
  const auto ordered = larder::DumpContents(store.environment);
  Store reversed;
  for (auto event = events.rbegin(); event != events.rend(); ++event) reversed.Push({*event});
  CHECK(*larder::DumpContents(reversed.environment) == *ordered);
  Store together;
  together.Push(events);
  CHECK(*larder::DumpContents(together.environment) == *ordered);
  CHECK(store.Versions() == 200);
  CHECK(store.Number(kNow) == together.Number(kNow));
}

TEST_CASE("in commit order the last written row of an instant wins", "[online][winner]") {
  Store store;
  Shape shape;
  shape.tie_order = TieOrder::kCommit;
  store.Push({At(10, 9), At(10, 1)}, shape);
  CHECK(store.Number(kNow) == 1);
  store.Push({At(10, 5)}, shape);
  CHECK(store.Number(kNow) == 5);
  store.Push({At(10, 1)}, shape);  // not a repetition of the winner: it comes back
  CHECK(store.Number(kNow) == 1);
  CHECK(store.Push({At(10, 1)}, shape).duplicate == 1);
}

TEST_CASE("the same row again changes nothing and is counted", "[online][winner]") {
  Store store;
  store.Push({At(10, 1)});
  const auto before = larder::HashContents(store.environment);
  const auto result = store.Push({At(10, 1), At(10, 1)});
  CHECK(result.duplicate == 2);
  CHECK(result.ambiguous == 0);
  CHECK(*larder::HashContents(store.environment) == *before);
}

TEST_CASE("a delete hides older rows from its event time on", "[online][winner]") {
  Store store;
  store.Push({At(10, 1), DeletedAt(20), At(30, 3)});
  CHECK(store.Number(19) == 1);
  CHECK_FALSE(store.Number(20));
  CHECK_FALSE(store.Number(29));
  CHECK(store.Number(30) == 3);
  CHECK(store.Push({At(15, 2)}).older == 1);
  CHECK_FALSE(store.Number(25));
}

TEST_CASE("a row ends at its valid_to and an older one that lasts answers again",
          "[online][winner]") {
  Store store;
  Event promotion = At(20, 2);
  promotion.valid_to = 40;
  store.Push({At(10, 1), promotion});
  CHECK(store.Number(39) == 2);
  CHECK(store.Number(40) == 1);
  Event ended = At(5, 7);
  ended.key = IntKey(3);
  ended.valid_to = 6;
  store.Push({ended});
  CHECK(store.Number(5, std::nullopt, IntKey(3)) == 7);
  CHECK_FALSE(store.Number(6, std::nullopt, IntKey(3)));
}

TEST_CASE("a timeless row is visible at every as_of", "[online][winner]") {
  Store store;
  Shape shape;
  shape.timeless = true;
  store.Push({At(0, 4)}, shape);
  CHECK(store.Number(Timestamp::Min().us) == 4);
  CHECK(store.Number(Timestamp::Max().us) == 4);
  const larder::ReadSession session = store.Session();
  const auto row = session.FindRow(Store::kView, store.layout, IntKey(1), {0});
  CHECK((*row)->is_timeless());
}

TEST_CASE("a future row within max_future stays unseen and hides nothing until its time",
          "[online][winner]") {
  Store store;
  const int64_t soon = kNow + Duration::Minutes(5).us;
  CHECK(store.Push({At(kNow - 10, 1), At(soon, 2)}).written == 2);
  CHECK(store.Number(kNow) == 1);
  CHECK(store.Number(soon) == 2);
  CHECK(store.Push({At(kNow - 5, 3)}).written == 1);  // newer than what is visible now, so not older
  CHECK(store.Number(kNow) == 3);
}

TEST_CASE("bad rows are refused one by one with their reasons", "[online][winner]") {
  Store store;
  Event null_key = At(10, 1);
  null_key.key = "null";
  Event long_key = At(10, 1);
  long_key.key = std::string(larder::kEntityKeySizeMax + 1, 'k');
  Event no_time = At(10, 1);
  no_time.event_time = std::nullopt;
  Event large = At(10, 1);
  large.text = std::string(larder::kRowSizeMax, 'x');
  const Event future = At(kNow + Duration::Minutes(10).us + 1, 1);
  const auto result = store.Push({null_key, At(10, 1), long_key, no_time, future, large});
  CHECK(result.written == 1);
  CHECK(result.rejected_count() == 5);
  for (const std::size_t count : result.rejected) CHECK(count == 1);
  REQUIRE(result.first_rejected.size() == 5);
  CHECK(result.first_rejected[0].row == 0);
  CHECK(larder::RowRejectionName(result.first_rejected[3].reason) == "future");
  CHECK(store.Number(kNow) == 1);
}

TEST_CASE("an event at exactly max_future is taken", "[online][winner]") {
  Store store;
  CHECK(store.Push({At(kNow + Duration::Minutes(10).us, 1)}).written == 1);
}

TEST_CASE("the longest key and a long string are stored and found", "[online][winner]") {
  Store store;
  Event event = At(10, 1);
  event.key = std::string(larder::kEntityKeySizeMax, 'k');
  event.text = std::string(100'000, 't');
  store.Push({event});
  const larder::ReadSession session = store.Session();
  const auto row = session.FindRow(Store::kView, store.layout, event.key, {10});
  REQUIRE(row.ok());
  REQUIRE(*row);
  CHECK((*row)->Text(1) == *event.text);
}

TEST_CASE("keys that are prefixes of each other do not meet", "[online][winner]") {
  Store store;
  const std::string keys[] = {"", "a", std::string("a\0", 2), "aaaaaaaa",
                              std::string("aaaaaaaa\0", 9)};
  std::vector<Event> events;
  for (std::size_t i = 0; i < std::size(keys); ++i) {
    events.push_back(At(10, static_cast<int64_t>(i)));
    events.back().key = keys[i];
  }
  store.Push(events);
  for (std::size_t i = 0; i < std::size(keys); ++i) {
    CHECK(store.Number(10, std::nullopt, keys[i]) == static_cast<int64_t>(i));
  }
}

TEST_CASE("a partial update changes only the features it carries", "[online][winner][partial]") {
  Store store;
  Shape shape;
  shape.partial = true;
  Event both = At(10, 1);
  both.text = "one";
  Event number_only = At(20, 2);
  number_only.has_text = false;
  Event text_null = At(30, 0);
  text_null.has_number = false;  // text is explicitly null
  store.Push({both, number_only, text_null}, shape);
  const larder::ReadSession session = store.Session();
  larder::PartialRow row;
  REQUIRE(
      session.FindPartialRow(Store::kView, store.layout, IntKey(1), {25}, std::nullopt, &row).ok());
  CHECK(row.RowOf(0)->Get<int64_t>(0) == 2);
  CHECK(row.RowOf(0)->event_time().us == 20);
  CHECK(row.RowOf(1)->Text(1) == "one");
  CHECK(row.RowOf(1)->event_time().us == 10);
  REQUIRE(
      session.FindPartialRow(Store::kView, store.layout, IntKey(1), {30}, std::nullopt, &row).ok());
  CHECK(row.RowOf(0)->event_time().us == 20);
  CHECK(row.RowOf(1)->event_time().us == 30);
  CHECK_FALSE(row.RowOf(1)->IsValid(1));
  REQUIRE(
      session.FindPartialRow(Store::kView, store.layout, IntKey(2), {30}, std::nullopt, &row).ok());
  CHECK_FALSE(row.found_any());
}

TEST_CASE("a delete ends what partial updates before it said", "[online][winner][partial]") {
  Store store;
  Shape shape;
  shape.partial = true;
  Event both = At(10, 1);
  both.text = "one";
  Event number_only = At(30, 3);
  number_only.has_text = false;
  store.Push({both, DeletedAt(20), number_only}, shape);
  const larder::ReadSession session = store.Session();
  larder::PartialRow row;
  REQUIRE(
      session.FindPartialRow(Store::kView, store.layout, IntKey(1), {40}, std::nullopt, &row).ok());
  CHECK(row.RowOf(0)->event_time().us == 30);
  CHECK_FALSE(row.RowOf(1));
}

TEST_CASE("versions are kept for the horizon and reads before it are errors, not misses",
          "[online][history]") {
  Store store;
  const int64_t hour = Duration::Hours(1).us;
  store.Push({At(kNow - 3 * hour, 1), At(kNow - 2 * hour, 2), At(kNow - hour / 2, 3)});
  // 2 is older than the horizon and supersedes 1; 3 is too young to supersede 2.
  CHECK(store.Versions() == 2);
  CHECK(store.Number(kNow - 2 * hour) == 2);
  CHECK(store.Number(kNow) == 3);
  const larder::ReadSession session = store.Session();
  const auto early = session.FindRow(Store::kView, store.layout, IntKey(1), {kNow - 2 * hour - 1});
  CHECK(larder::KindOf(early.status()) == ErrorKind::kOutsideHistory);
  const auto early_known = session.FindRow(Store::kView, store.layout, IntKey(1), {kNow},
                                           Timestamp{kNow - 2 * hour - 1});
  CHECK(larder::KindOf(early_known.status()) == ErrorKind::kOutsideHistory);
  const auto floors = session.FloorsOf(Store::kView);
  REQUIRE(floors.ok());
  CHECK(floors->as_of.us == kNow - 2 * hour);
  // Another view has dropped nothing.
  CHECK(session.FindRow(8, store.layout, IntKey(1), {0}).ok());
  CHECK(session.FloorsOf(8)->as_of == Timestamp::Min());
}

TEST_CASE("a superseder that became known late keeps what it superseded", "[online][history]") {
  Store store;
  Shape shape;
  shape.has_arrival = true;
  const int64_t hour = Duration::Hours(1).us;
  store.Push({Arrived(kNow - 3 * hour, kNow - 3 * hour, 1), Arrived(kNow - 2 * hour, kNow - 60, 2)},
             shape);
  CHECK(store.Versions() == 2);
  CHECK(store.Number(kNow, kNow - 61) == 1);
  CHECK(store.Number(kNow, kNow - 60) == 2);
}

TEST_CASE("a late older row past the horizon is counted and not kept", "[online][history]") {
  Store store;
  const int64_t hour = Duration::Hours(1).us;
  store.Push({At(kNow - 2 * hour, 2)});
  const auto result = store.Push({At(kNow - 3 * hour, 1)});
  CHECK(result.older == 1);
  CHECK(result.dropped == 1);
  CHECK(store.Versions() == 1);
}

TEST_CASE("a batch load counts the horizon from its end time", "[online][history]") {
  Store store;
  Shape shape;
  const int64_t hour = Duration::Hours(1).us;
  shape.reference = Timestamp{kNow - 10 * hour};
  store.Push({At(kNow - 10 * hour, 1), At(kNow - 9 * hour, 2), At(kNow - 8 * hour, 3)}, shape);
  CHECK(store.Versions() == 3);
  shape.reference = Timestamp{kNow - 7 * hour};
  store.Push({At(kNow - 7 * hour, 4)}, shape);
  CHECK(store.Versions() == 2);
}

TEST_CASE("a row with an end does not drop one that lasts longer", "[online][history]") {
  Store store;
  const int64_t hour = Duration::Hours(1).us;
  Event ends = At(kNow - 2 * hour, 2);
  ends.valid_to = kNow - 10;
  store.Push({At(kNow - 3 * hour, 1), ends});
  CHECK(store.Versions() == 2);
  CHECK(store.Number(kNow - 11) == 2);
  CHECK(store.Number(kNow) == 1);
}

TEST_CASE("a partial update drops only rows all of whose features it and others carry",
          "[online][history][partial]") {
  Store store;
  Shape shape;
  shape.partial = true;
  const int64_t hour = Duration::Hours(1).us;
  Event both = At(kNow - 5 * hour, 1);
  both.text = "one";
  Event number_only = At(kNow - 4 * hour, 2);
  number_only.has_text = false;
  Event newer_number = At(kNow - 3 * hour, 3);
  newer_number.has_text = false;
  store.Push({both, number_only, newer_number}, shape);
  CHECK(store.Versions() == 2);  // number_only went
  Event text_only = At(kNow - 2 * hour, 0);
  text_only.has_number = false;
  text_only.text = "two";
  store.Push({text_only}, shape);
  CHECK(store.Versions() == 2);  // and both
  const larder::ReadSession session = store.Session();
  larder::PartialRow row;
  REQUIRE(
      session.FindPartialRow(Store::kView, store.layout, IntKey(1), {kNow}, std::nullopt, &row).ok());
  CHECK(row.RowOf(0)->Get<int64_t>(0) == 3);
  CHECK(row.RowOf(1)->Text(1) == "two");
}

TEST_CASE("many keys are found in one call, null keys have no row", "[online][winner]") {
  Store store;
  std::vector<Event> events;
  std::vector<std::string> keys;
  for (int64_t id = 0; id < 500; ++id) {
    keys.push_back(IntKey(id));
    if (id % 3 == 0) continue;
    events.push_back(At(10, id));
    events.back().key = keys.back();
  }
  store.Push(events);
  std::vector<std::string_view> wanted(keys.begin(), keys.end());
  wanted.emplace_back();
  wanted.push_back(keys[1]);
  std::vector<std::optional<larder::RowView>> rows(wanted.size());
  const larder::ReadSession session = store.Session();
  const Timestamp as_of[] = {{10}};
  REQUIRE(session.FindRows(Store::kView, store.layout, wanted, as_of, {}, rows).ok());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    CHECK(rows[i].has_value() == (i % 3 != 0));
    if (rows[i]) CHECK(rows[i]->Get<int64_t>(0) == static_cast<int64_t>(i));
  }
  CHECK_FALSE(rows[500]);
  CHECK(rows[501]->Get<int64_t>(0) == 1);
  const Timestamp two[] = {{10}, {11}};
  CHECK_FALSE(session.FindRows(Store::kView, store.layout, wanted, two, {}, rows).ok());
}

TEST_CASE("keys and versions of a view are listed, of that view only", "[online][winner]") {
  Store store;
  std::vector<Event> events;
  for (int64_t id = 0; id < 50; ++id) {
    for (const int64_t time : {10, 20}) {
      events.push_back(At(time, id));
      events.back().key = IntKey(id);
    }
  }
  store.Push(events);
  auto transaction = larder::WriteTransaction::Begin(store.environment);
  REQUIRE(larder_test::Write(*transaction, 8, store.layout, {At(10, 1)}).ok());
  REQUIRE(transaction->Commit().ok());
  const larder::ReadSession session = store.Session();
  std::vector<std::string> keys;
  REQUIRE(session
              .ForEachKey(Store::kView,
                          [&](std::string_view key) {
                            keys.emplace_back(key);
                            return true;
                          })
              .ok());
  CHECK(keys.size() == 50);
  std::vector<std::string> rest;
  REQUIRE(session
              .ForEachKey(
                  Store::kView,
                  [&](std::string_view key) {
                    rest.emplace_back(key);
                    return rest.size() < 10;
                  },
                  keys[29])
              .ok());
  CHECK(rest == std::vector<std::string>(keys.begin() + 30, keys.begin() + 40));
  std::size_t versions = 0;
  REQUIRE(session
              .ForEachVersion(Store::kView, store.layout,
                              [&](std::string_view, const larder::RowView&) {
                                ++versions;
                                return true;
                              })
              .ok());
  CHECK(versions == 100);
}

TEST_CASE("dropping a view leaves the others and takes its floors", "[online][history]") {
  Store store;
  const int64_t hour = Duration::Hours(1).us;
  store.Push({At(kNow - 3 * hour, 1), At(kNow - 2 * hour, 2)});
  auto transaction = larder::WriteTransaction::Begin(store.environment);
  REQUIRE(larder_test::Write(*transaction, 8, store.layout, {At(10, 1)}).ok());
  const auto dropped = transaction->DropView(Store::kView);
  REQUIRE(dropped.ok());
  CHECK(*dropped == 1);
  REQUIRE(transaction->Commit().ok());
  CHECK_FALSE(store.Number(0));
  const larder::ReadSession session = store.Session();
  CHECK((*session.FindRow(8, store.layout, IntKey(1), {10})).has_value());
}

TEST_CASE("erasing a key removes all its versions and no other key's", "[online][history]") {
  Store store;
  Event other = At(10, 5);
  other.key = IntKey(2);
  store.Push({At(10, 1), At(20, 2), other});
  auto transaction = larder::WriteTransaction::Begin(store.environment);
  CHECK(*transaction->EraseKey(Store::kView, IntKey(1)) == 2);
  REQUIRE(transaction->Commit().ok());
  CHECK_FALSE(store.Number(kNow));
  CHECK(store.Number(kNow, std::nullopt, IntKey(2)) == 5);
}
