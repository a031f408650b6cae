// SEMANTICS 3 against the obvious implementation, and R5: order and split of writes change no answer.
#include <algorithm>
#include <sstream>
#include <tuple>

#include "store_fixture.h"

using larder::Duration;
using larder::Timestamp;
using larder::Value;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::Shape;
using larder_test::Store;

namespace {

std::string Canonical(const Event& event) {
  std::string out(1, event.is_delete ? '\1' : '\0');
  if (!event.is_delete) {
    out.push_back('\1');
    larder::AppendCanonicalBytes(event.number ? Value(*event.number) : Value(), &out);
    out.push_back('\1');
    larder::AppendCanonicalBytes(event.text ? Value(*event.text) : Value(), &out);
  }
  out.push_back(event.valid_to ? '\1' : '\0');
  if (event.valid_to) larder::AppendCanonicalBytes(Value(Timestamp{*event.valid_to}), &out);
  return out;
}

// The winner by looking at every event.
const Event* NaiveWinner(const std::vector<Event>& events, const Shape& shape,
                         const std::string& key, int64_t as_of, std::optional<int64_t> known_at) {
  const auto order = [&shape](const Event& event) {
    return std::make_tuple(
        *event.event_time, shape.has_sequence ? event.sequence : std::optional<int64_t>(),
        shape.has_arrival ? event.arrival : std::optional<int64_t>(), Canonical(event));
  };
  const Event* winner = nullptr;
  for (const Event& event : events) {
    if (event.key != key || *event.event_time > as_of) continue;
    if (event.valid_to && *event.valid_to <= as_of) continue;
    if (known_at) {
      if (shape.has_arrival && (!event.arrival || *event.arrival > *known_at)) continue;
      if (!shape.has_arrival && *event.event_time > *known_at) continue;
    }
    if (winner == nullptr || order(event) > order(*winner)) winner = &event;
  }
  return winner != nullptr && winner->is_delete ? nullptr : winner;
}

std::vector<Event> RandomHistory(std::mt19937_64& random, const Shape& shape, bool with_ends) {
  std::vector<Event> events(1 + random() % 12);
  for (Event& event : events) {
    event.key = IntKey(static_cast<int64_t>(random() % 2));
    event.event_time = static_cast<int64_t>(random() % 8) * 10;
    if (random() % 8 != 0) event.number = static_cast<int64_t>(random() % 3);
    if (random() % 4 == 0) event.text = std::string(random() % 3, 'x');
    if (shape.has_sequence && random() % 5 != 0)
      event.sequence = static_cast<int64_t>(random() % 3) - 1;
    if (shape.has_arrival && random() % 6 != 0)
      event.arrival = *event.event_time + static_cast<int64_t>(random() % 30);
    if (with_ends && random() % 5 == 0)
      event.valid_to = *event.event_time + static_cast<int64_t>(random() % 40);
    event.is_delete = random() % 8 == 0;
    if (event.is_delete) {
      event.number.reset();
      event.text.reset();
    }
  }
  return events;
}

std::string Describe(const std::vector<Event>& events) {
  std::ostringstream out;
  for (const Event& e : events) {
    out << "\n  key " << static_cast<int>(e.key.back()) << " at " << *e.event_time << " number "
        << e.number.value_or(-1) << " text " << e.text.value_or("-") << " seq "
        << e.sequence.value_or(-99) << " arr " << e.arrival.value_or(-99) << " to "
        << e.valid_to.value_or(-99) << (e.is_delete ? " delete" : "");
  }
  return out.str();
}

void ClearView(const Store& store) {
  auto transaction = larder::WriteTransaction::Begin(store.environment);
  REQUIRE(transaction.ok());
  REQUIRE(transaction->DropView(Store::kView).ok());
  REQUIRE(transaction->Commit().ok());
}

}  // namespace

TEST_CASE("any order and split of the same rows gives the same store and the model's answers",
          "[online][random][model]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  Store store;
  Store other;
  Store mixed;  // partly pushed, partly loaded
  const int rounds = larder_test::Rounds(300);
  for (int round = 0; round < rounds; ++round) {
    Shape shape;
    shape.has_sequence = random() % 2 == 0;
    shape.has_arrival = random() % 2 == 0;
    // Half of the histories are short of their oldest versions.
    const bool drops = random() % 2 == 0;
    const bool with_ends = random() % 2 == 0;
    shape.horizon = Duration{drops ? 20 : 1'000'000};
    shape.reference = Timestamp{70};
    std::vector<Event> events = RandomHistory(random, shape, with_ends);
    INFO("round " << round << Describe(events));
    store.Push(events, shape);
    const std::string dump = *larder::DumpContents(store.environment);

    std::shuffle(events.begin(), events.end(), random);
    for (std::size_t at = 0; at < events.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 4, events.size() - at);
      const std::vector<Event> part(events.begin() + static_cast<std::ptrdiff_t>(at),
                                    events.begin() + static_cast<std::ptrdiff_t>(at + size));
      other.Push(part, shape);
      if (random() % 2 == 0) {
        mixed.Push(part, shape);
      } else {
        mixed.Load(part, shape);
      }
      at += size;
    }
    // With ends, which rows remain is the same; how far back answers reach may depend on the way there.
    const auto rows_of = [](const std::string& text) {
      return text.substr(std::min(text.find("row "), text.size()));
    };
    if (with_ends) {
      CHECK(rows_of(*larder::DumpContents(other.environment)) == rows_of(dump));
    } else {
      CHECK(*larder::DumpContents(other.environment) == dump);
    }

    const larder::ReadSession session = other.Session();
    const larder::ReadSession mixed_session = mixed.Session();
    int answered = 0;
    for (int64_t id = 0; id < 2; ++id) {
      for (int64_t as_of = -5; as_of <= 115; as_of += 5) {
        for (int64_t known_at = -10; known_at <= 110; known_at += 5) {
          std::optional<Timestamp> known;
          if (known_at >= -5) known = Timestamp{known_at};
          const auto found = session.FindRow(Store::kView, other.layout, IntKey(id), {as_of}, known);
          if (!found.ok()) {
            // Refused only where the horizon allows it.
            CHECK(larder::KindOf(found.status()) == larder::ErrorKind::kOutsideHistory);
            CHECK(drops);
            CHECK((as_of < 50 || known_at < 50));
            continue;
          }
          ++answered;
          const Event* expected =
              NaiveWinner(events, shape, IntKey(id), as_of,
                          known ? std::optional<int64_t>(known_at) : std::nullopt);
          CAPTURE(id, as_of, known_at);
          const auto both =
              mixed_session.FindRow(Store::kView, mixed.layout, IntKey(id), {as_of}, known);
          if (both.ok() || !drops) {
            REQUIRE(both.ok());
            REQUIRE(both->has_value() == (expected != nullptr));
            if (expected != nullptr) {
              CHECK((*both)->event_time().us == *expected->event_time);
              CHECK((*both)->ValueAt(0) == (expected->number ? Value(*expected->number) : Value()));
              CHECK((*both)->ValueAt(1) == (expected->text ? Value(*expected->text) : Value()));
            }
          }
          REQUIRE(found->has_value() == (expected != nullptr));
          if (expected == nullptr) continue;
          const larder::RowView& row = **found;
          CHECK(row.event_time().us == *expected->event_time);
          CHECK(row.ValueAt(0) == (expected->number ? Value(*expected->number) : Value()));
          CHECK(row.ValueAt(1) == (expected->text ? Value(*expected->text) : Value()));
        }
      }
    }
    CHECK(answered > 0);
    ClearView(store);
    ClearView(other);
    ClearView(mixed);
  }
}

TEST_CASE("partial updates merge as the obvious implementation does",
          "[online][random][model][partial]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  Store store;
  Store other;
  const int rounds = larder_test::Rounds(200);
  for (int round = 0; round < rounds; ++round) {
    Shape shape;
    shape.partial = true;
    shape.has_sequence = true;
    const bool drops = random() % 2 == 0;
    shape.horizon = Duration{drops ? 20 : 1'000'000};
    shape.reference = Timestamp{70};
    std::vector<Event> events = RandomHistory(random, shape, false);
    // A sequence of its own for each row: ties are the other test's.
    std::vector<int64_t> sequences(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) sequences[i] = static_cast<int64_t>(i);
    std::shuffle(sequences.begin(), sequences.end(), random);
    for (std::size_t i = 0; i < events.size(); ++i) {
      events[i].sequence = sequences[i];
      events[i].has_number = random() % 3 != 0;
      events[i].has_text = random() % 3 != 0;
      if (!events[i].has_number) events[i].number.reset();
      if (!events[i].has_text) events[i].text.reset();
    }
    INFO("round " << round << Describe(events));
    store.Push(events, shape);
    std::shuffle(events.begin(), events.end(), random);
    for (const Event& event : events) {
      if (random() % 3 == 0) {
        other.Load({event}, shape);
      } else {
        other.Push({event}, shape);
      }
    }

    for (const Store* each : {&store, &other}) {
      const larder::ReadSession session = each->Session();
      larder::PartialRow merged;
      for (int64_t id = 0; id < 2; ++id) {
        for (int64_t as_of = -5; as_of <= 80; as_of += 5) {
          CAPTURE(id, as_of);
          const absl::Status status = session.FindPartialRow(Store::kView, each->layout, IntKey(id),
                                                             {as_of}, std::nullopt, &merged);
          if (!status.ok()) {
            CHECK(larder::KindOf(status) == larder::ErrorKind::kOutsideHistory);
            CHECK((drops && as_of < 50));
            continue;
          }
          for (std::size_t feature = 0; feature < 2; ++feature) {
            const Event* expected = nullptr;
            for (const Event& event : events) {
              const bool carries =
                  event.is_delete || (feature == 0 ? event.has_number : event.has_text);
              if (event.key != IntKey(id) || *event.event_time > as_of || !carries) continue;
              if (expected == nullptr || std::tie(*event.event_time, *event.sequence) >
                                             std::tie(*expected->event_time, *expected->sequence)) {
                expected = &event;
              }
            }
            if (expected != nullptr && expected->is_delete) expected = nullptr;
            REQUIRE(merged.RowOf(feature).has_value() == (expected != nullptr));
            if (expected != nullptr)
              CHECK(merged.RowOf(feature)->event_time().us == *expected->event_time);
            if (expected != nullptr) CHECK(merged.RowOf(feature)->sequence() == expected->sequence);
          }
        }
      }
    }
    ClearView(store);
    ClearView(other);
  }
}
