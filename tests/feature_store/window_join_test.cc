// Windows at the rows of a spine: the same bytes at any number of threads and in any order, and what all events of a key
// give though those that no row sees are left out.
#include "feature_store/window_join.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "feature_store/store_fixture.h"
#include "larder/schema/entity_key.h"
#include "support/random.h"

namespace larder {
namespace {

using larder_test::At;
using larder_test::Random;
using larder_test::StoreFixture;

struct Event {
  int64_t card = 0;
  int64_t time_us = 0;
  int64_t arrival_us = 0;
  std::optional<int64_t> id;
  std::optional<double> amount;
};

class World {
 public:
  World(Random& random, std::size_t events, std::size_t rows) : random_(random) {
    has_text_keys_ = random.OneIn(2);
    has_ids_ = random.OneIn(2);
    has_arrival_ = random.OneIn(3);
    cards_ = random.OneIn(4) ? 2 : 1 + static_cast<int64_t>(events / 20);
    fixture_.Apply(Definitions());
    catalog_ = *fixture_.store().GetCatalog();
    view_ = *catalog_.GetView("taps", "spend");
    plan_.emplace(*WindowPlan::Make(*view_, {}));
    for (std::size_t i = 0; i < events; ++i) events_.push_back(RandomEvent());
    for (std::size_t i = 0; i < rows; ++i) {
      const int64_t card = random.Between(0, cards_);
      spine_cards_.push_back(card);
      spine_keys_.AppendText(Concat("card", card));
      spine_numbers_.AppendFixed(card);
      spine_times_.AppendFixed(RandomTime());
      spine_ids_.AppendFixed(random.Between(0, 50));
    }
    excludes_self_ = has_ids_ && random.OneIn(3);
    known_at_ = has_arrival_ && random.OneIn(2) ? KnownAt::kSpine : KnownAt::kAny;
  }

  // Without events yet.
  WindowJoin Start(const JoinOptions& options) {
    JoinView join;
    join.spine_keys = {has_text_keys_ ? &spine_keys_ : &spine_numbers_};
    join.key_types = {has_text_keys_ ? TypeId::kString : TypeId::kInt64};
    join.known_at = known_at_;
    if (excludes_self_) join.exclude_event_id = &spine_ids_;
    auto made = WindowJoin::Make(*view_, *plan_, spine_times_, std::move(join), options);
    REQUIRE(made.ok());
    return *std::move(made);
  }

  // Of the events in the order of `places`, a batch of `batch_rows` at a time.
  JoinedView Join(const std::vector<std::size_t>& places, std::size_t batch_rows, int threads) {
    JoinOptions options;
    options.thread_count = threads;
    WindowJoin join = Start(options);
    for (std::size_t first = 0; first < places.size(); first += batch_rows) {
      const std::size_t count = std::min(batch_rows, places.size() - first);
      MappedBatch mapped;
      mapped.events = Mapped({places.data() + first, count});
      REQUIRE(join.Add(std::move(mapped), view_->source, 0).ok());
    }
    auto joined = std::move(join).Finish();
    INFO(joined.status().ToString());
    REQUIRE(joined.ok());
    return *std::move(joined);
  }

  void CheckRow(const JoinedView& joined, std::size_t row) {
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < events_.size(); ++i) {
      if (events_[i].card == spine_cards_[row]) places.push_back(i);
    }
    const MappedEvents mapped = Mapped(places);
    const WindowEvents events(*plan_, mapped, view_->source, 0);
    ByteArena arena;
    std::vector<HistoryEvent> history;
    for (std::size_t i = 0; i < places.size(); ++i) {
      std::string id;
      events.AppendId(i, &id);
      history.push_back(
          events.At(i, 0, id.empty() ? std::string_view() : arena.Keep(id), true, &arena));
    }
    HistoryInstant instant{{spine_times_.Values<int64_t>()[row]}};
    if (known_at_ == KnownAt::kSpine) instant.known_at = instant.as_of;
    std::string excluded;
    if (excludes_self_) AppendEventId(spine_ids_, row, 0, &excluded);
    instant.excluded_id = excluded;
    for (std::size_t f = 0; f < plan_->features().size(); ++f) {
      const WindowFeature& feature = plan_->features()[f];
      const auto expected =
          *EvaluateHistory(history, {&instant, 1}, {&feature.window, 1},
                           {&plan_->streams()[feature.stream].specs[feature.spec], 1});
      INFO(view_->features[f].name << " of row " << row << " at " << FormatTimestamp(instant.as_of));
      REQUIRE(joined.features[f].ValueAt(row) == expected.columns[0].ValueAt(0));
    }
  }
  [[nodiscard]] std::size_t row_count() const { return spine_cards_.size(); }

 private:
  std::string Definitions() {
    constexpr const char* kWindows[] = {R"("1h")", R"("1h", "2d")", R"("10s", "1d")"};
    std::string parts = Concat(
        R"({"input": "fare", "functions": ["sum", "count", "max", "last"], "windows": [)",
        kWindows[random_.Between(0, 2)], "]", random_.OneIn(3) ? R"(, "delay": "30m")" : "", "}");
    if (random_.OneIn(4)) parts += R"(, {"input": "fare", "functions": ["mean"]})";
    if (random_.OneIn(4)) parts += R"(, {"input": "fare", "functions": ["max"], "rows": 3})";
    return Concat(
        R"({"larder": 1, "project": "taps",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": ")",
        has_text_keys_ ? "string" : "int64", R"("}]}],
 "sources": [{"name": "taps", "kind": "csv", "path": "taps.csv", "event_time": "at", )",
        has_ids_ ? R"("event_id": "id", )" : "", has_arrival_ ? R"("arrival_time": "seen", )" : "",
        R"("fields": [{"name": "card", "type": ")", has_text_keys_ ? "string" : "int64",
        R"("}, {"name": "at", "type": "timestamp"}, {"name": "seen", "type": "timestamp"},
   {"name": "fare", "type": "float64"}, {"name": "id", "type": "int64"}]}],
 "feature_views": [{"name": "spend", "entities": ["card"], "source": "taps",)",
        random_.OneIn(2) ? R"( "boundary": "at",)" : "", R"( "aggregates": [)", parts, "]}]}");
  }
  int64_t RandomTime() {
    const int64_t step = random_.OneIn(2) ? 1'000'000 : 1'800'000'000;
    return At("2025-01-01T00:00:00Z").us + random_.Between(0, 3 * kMicrosPerDay / step) * step;
  }
  Event RandomEvent() {
    Event event{random_.Between(0, cards_), RandomTime(), 0, {}, {}};
    event.arrival_us = event.time_us + random_.Between(0, 7'200'000'000);
    if (has_ids_ && !random_.OneIn(9)) event.id = random_.Between(0, 50);
    if (!random_.OneIn(9)) event.amount = static_cast<double>(random_.Between(-99, 99)) * 0.1;
    return event;
  }
  [[nodiscard]] MappedEvents Mapped(std::span<const std::size_t> places) const {
    MappedEvents mapped;
    Column numbers(TypeId::kInt64);
    Column texts(TypeId::kString);
    Column times(TypeId::kTimestamp);
    Column arrivals(TypeId::kTimestamp);
    Column fares(TypeId::kFloat64);
    Column ids(TypeId::kInt64);
    for (const std::size_t place : places) {
      const Event& event = events_[place];
      numbers.AppendFixed(event.card);
      texts.AppendText(Concat("card", event.card));
      times.AppendFixed(event.time_us);
      arrivals.AppendFixed(event.arrival_us);
      REQUIRE(fares.Append(event.amount ? Value(*event.amount) : Value()).ok());
      REQUIRE(ids.Append(event.id ? Value(*event.id) : Value()).ok());
    }
    const auto own = [&](Column column) {
      mapped.made.push_back(std::move(column));
      return &mapped.made.back();
    };
    mapped.row_count = places.size();
    mapped.keys.push_back(own(std::move(has_text_keys_ ? texts : numbers)));
    mapped.stored.push_back(own(std::move(fares)));
    mapped.event_time = own(std::move(times));
    if (has_arrival_) mapped.arrival_time = own(std::move(arrivals));
    if (has_ids_) mapped.event_id = own(std::move(ids));
    return mapped;
  }

  Random& random_;
  bool has_text_keys_ = false;
  bool has_ids_ = false;
  bool has_arrival_ = false;
  bool excludes_self_ = false;
  int64_t cards_ = 0;
  KnownAt known_at_ = KnownAt::kAny;
  StoreFixture fixture_;
  Catalog catalog_;
  const ViewVersion* view_ = nullptr;
  std::optional<WindowPlan> plan_;
  std::vector<Event> events_;
  std::vector<int64_t> spine_cards_;
  Column spine_keys_{TypeId::kString};
  Column spine_numbers_{TypeId::kInt64};
  Column spine_times_{TypeId::kTimestamp};
  Column spine_ids_{TypeId::kInt64};
};

void RequireSame(const JoinedView& a, const JoinedView& b) {
  REQUIRE(a.features.size() == b.features.size());
  for (std::size_t f = 0; f < a.features.size(); ++f) REQUIRE(a.features[f] == b.features[f]);
  REQUIRE(a.outcomes[0].status == b.outcomes[0].status);
  REQUIRE(a.counts.events == b.counts.events);
  REQUIRE(a.counts.rows_found == b.counts.rows_found);
  REQUIRE(a.counts.cells_refused == b.counts.cells_refused);
  REQUIRE(a.counts.cells_changed_by_other_known_at == b.counts.cells_changed_by_other_known_at);
}

void CheckWorld(Random& random, std::size_t events, std::size_t rows, std::size_t checked) {
  World world(random, events, rows);
  std::vector<std::size_t> places(events);
  std::iota(places.begin(), places.end(), std::size_t{0});
  const JoinedView one = world.Join(places, std::max<std::size_t>(1, events), 1);
  for (const int threads : {2, 4}) {
    std::shuffle(places.begin(), places.end(), random.engine());
    const auto batch_rows = static_cast<std::size_t>(random.Between(1, 1 + std::ssize(places)));
    RequireSame(one, world.Join(places, std::max(batch_rows, events / 7 + 1), threads));
  }
  for (std::size_t i = 0; i < std::min(checked, rows); ++i) {
    const auto row =
        checked >= rows
            ? i
            : static_cast<std::size_t>(random.Between(0, std::ssize(places) - 1)) % rows;
    world.CheckRow(one, row);
  }
}

TEST_CASE("windows of a spine are the same bytes at any number of threads",
          "[windows][training][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  const int rounds = 30;
#else
  const int rounds = 8;
#endif
  for (int round = 0; round < rounds; ++round) {
    const auto events = static_cast<std::size_t>(random.Between(0, 600));
    CheckWorld(random, events, static_cast<std::size_t>(random.Between(0, 80)), 1000);
  }
  // Batches that are matched by several threads.
  CheckWorld(random, 40'000, 3'000, 20);
}

TEST_CASE("windows of a spine are left unfinished when the caller says so", "[windows][training]") {
  Random random;
  INFO(random.Describe());
  World world(random, 0, 5'000);
  for (const int threads : {1, 2, 4}) {
    for (const int64_t enough : {0, 1, 5'000}) {
      JoinOptions options;
      options.thread_count = threads;
      int64_t told = 0;
      options.progress = [&](const JoinProgress& progress) -> absl::Status {
        CHECK(progress.rows >= told);
        told = progress.rows;
        return told < enough ? absl::OkStatus() : absl::CancelledError("enough");
      };
      const auto joined = world.Start(options).Finish();
      // The last rows may be another thread's, which tells nobody.
      if (threads == 1 || enough == 0) REQUIRE_FALSE(joined.ok());
      if (!joined.ok()) CHECK(absl::IsCancelled(joined.status()));
    }
  }
}

TEST_CASE("a key of a spine that is too long is refused by its row", "[windows][training]") {
  StoreFixture fixture;
  fixture.Apply(R"({"larder": 1, "project": "taps",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "string"}]}],
 "sources": [{"name": "taps", "kind": "csv", "path": "taps.csv", "event_time": "at",
  "fields": [{"name": "card", "type": "string"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "spend", "entities": ["card"], "source": "taps",
  "aggregates": [{"functions": ["count_all"], "windows": ["1h"]}]}]})");
  const Catalog catalog = *fixture.store().GetCatalog();
  const ViewVersion* view = *catalog.GetView("taps", "spend");
  const WindowPlan plan = *WindowPlan::Make(*view, {});
  Column keys(TypeId::kString);
  Column times(TypeId::kTimestamp);
  for (const std::size_t size : {std::size_t{3}, kEntityKeySizeMax + 1}) {
    keys.AppendText(std::string(size, 'x'));
    times.AppendFixed(At("2025-01-01T00:00:00Z").us);
  }
  JoinView join;
  join.spine_keys = {&keys};
  join.key_types = {TypeId::kString};
  const auto made = WindowJoin::Make(*view, plan, times, std::move(join), {});
  REQUIRE_FALSE(made.ok());
  CHECK(made.status().message().find("spine row 1, join key") != std::string_view::npos);
}

}  // namespace
}  // namespace larder
