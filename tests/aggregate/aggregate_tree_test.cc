#include "larder/aggregate/aggregate_tree.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <tuple>

#include "aggregate/event_bytes.h"
#include "aggregate/random_events.h"
#include "aggregate/tree_page.h"
#include "aggregate/varint.h"
#include "larder/aggregate/window_evaluation.h"
#include "support/catch.h"

namespace larder {
namespace {

using larder_test::NaiveEvent;
using Events = std::vector<NaiveEvent>;

int64_t Rounds(int64_t by_default) {
#ifndef __OPTIMIZE__
  by_default /=
      25;  // a build that is not optimised, or under a sanitizer, would take a quarter of an hour
#endif
  const char* text = std::getenv("LARDER_ROUNDS");
  return text == nullptr ? by_default : std::min(by_default, std::atol(text));
}

// What a tree holds: a list in order, searched among the events of an instant.
class Model {
 public:
  bool Insert(const NaiveEvent& event) {
    const auto [begin, end] = At(event.time_us);
    for (auto other = begin; other != end; ++other) {
      if (!IsSame(event, *other)) continue;
      if (other->row < event.row) *other = event;
      return false;
    }
    events_.insert(
        std::upper_bound(events_.begin(), events_.end(), event, larder_test::ComesBefore), event);
    return true;
  }
  bool Remove(const NaiveEvent& event) {
    const auto [begin, end] = At(event.time_us);
    const auto at = std::find_if(begin, end, [&](const NaiveEvent& other) {
      return IsSame(event, other) || (event.event_id.empty() && other == event);
    });
    if (at == end) return false;
    events_.erase(at);
    return true;
  }
  [[nodiscard]] const Events& events() const { return events_; }
  [[nodiscard]] Events In(const TimeRange& range) const {
    Events found;
    for (const NaiveEvent& event : events_) {
      if (event.time_us >= range.from_us && event.time_us < range.to_us) found.push_back(event);
    }
    return found;
  }

 private:
  static bool IsSame(const NaiveEvent& a, const NaiveEvent& b) {
    return !a.event_id.empty() && std::tie(a.time_us, a.has_sequence, a.sequence, a.event_id) ==
                                      std::tie(b.time_us, b.has_sequence, b.sequence, b.event_id);
  }
  [[nodiscard]] std::pair<Events::iterator, Events::iterator> At(int64_t time_us) {
    const auto begin = std::lower_bound(
        events_.begin(), events_.end(), time_us,
        [](const NaiveEvent& event, int64_t time) { return event.time_us < time; });
    const auto end = std::find_if(
        begin, events_.end(), [&](const NaiveEvent& event) { return event.time_us != time_us; });
    return {begin, end};
  }
  Events events_;
};

// Events as a tree takes them. Lifetime: borrows.
class Borrowed {
 public:
  explicit Borrowed(const Events& events) {
    for (const NaiveEvent& event : events) {
      events_.push_back(larder_test::EventOf(event, &scratch_.emplace_back()));
    }
  }
  [[nodiscard]] std::span<const AggregateEvent> span() const { return events_; }

 private:
  std::deque<std::string> scratch_;
  std::vector<AggregateEvent> events_;
};

std::vector<AggregateSpec> RandomSpecs(larder_test::Random& random, const DataType& input) {
  std::vector<AggregateSpec> specs;
  for (int64_t n = random.Between(1, 4); n > 0; --n) {
    specs.push_back(larder_test::RandomSpec(random, input));
  }
  return specs;
}

// Compares every function with the same events added one by one.
int64_t RequireSame(const AccumulatorSet& found, const Events& events, Timestamp as_of) {
  AccumulatorSet expected = found.NewEmpty();
  std::string scratch;
  for (const NaiveEvent& event : events) expected.Add(larder_test::EventOf(event, &scratch));
  for (std::size_t i = 0; i < found.specs().size(); ++i) {
    const AggregateResult a = found.Result(i, as_of);
    const AggregateResult b = expected.Result(i, as_of);
    if (!(a.value == b.value) || a.refused != b.refused) {
      FAIL(AggregateFunctionName(found.specs()[i].function)
           << " of " << events.size() << " events is " << FormatValue(a.value) << ", expected "
           << FormatValue(b.value));
    }
  }
  return static_cast<int64_t>(found.specs().size());
}

std::string Encoded(const AccumulatorSet& set) {
  ByteWriter bytes;
  set.Encode(&bytes);
  return std::move(bytes).Take();
}

TimeRange RandomRange(larder_test::Random& random, const Events& events) {
  if (events.empty() || random.OneIn(8)) {
    return {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
  }
  const auto near = [&] {
    const auto at = random.Between(0, static_cast<int64_t>(events.size()) - 1);
    return events[static_cast<std::size_t>(at)].time_us + random.Between(-1, 1);
  };
  return {near(), near()};
}

TEST_CASE("a tree answers every window like its events one by one", "[aggregate][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  int64_t checks = 0;
  constexpr int64_t kEnough = 1'000;
  const int64_t rounds = Rounds(kEnough);
  for (int64_t round = 0; round < rounds; ++round) {
    const DataType input = larder_test::RandomInputType(random);
    const std::vector<AggregateSpec> specs = RandomSpecs(random, input);
    const AccumulatorSet set = *AccumulatorSet::Make(specs);
    MemoryNodeStore store;
    TreeRoot root;
    Model model;
    // Most trees are small; some are three levels high.
    const int64_t batch_max = random.OneIn(12) ? 1500 : random.OneIn(3) ? 150 : 12;
    for (int64_t step = 0; step < 12; ++step) {
      AggregateTree tree(set, &store, root);  // opened anew, as for every write of a store
      Events batch = larder_test::RandomEvents(random, input, batch_max, step * 10'000);
      if (random.OneIn(3)) {  // what a stream gives: each later than all before
        const int64_t begin = model.events().empty() ? 0 : model.events().back().time_us;
        for (NaiveEvent& event : batch) event.time_us = begin + random.Between(0, 500);
      }
      if (!model.events().empty() && random.OneIn(2)) {  // delivered again
        for (int64_t n = random.Between(0, 5); n > 0; --n) {
          const auto last = static_cast<int64_t>(model.events().size()) - 1;
          const auto& old = model.events()[static_cast<std::size_t>(random.Between(0, last))];
          if (!old.event_id.empty()) batch.push_back(old);
        }
      }
      std::shuffle(batch.begin(), batch.end(), random.engine());
      int64_t inserted = 0;
      for (const NaiveEvent& event : batch) inserted += model.Insert(event) ? 1 : 0;
      REQUIRE(*tree.Insert(Borrowed(batch).span()) == inserted);

      if (random.OneIn(2)) {
        Events leaving;
        const int64_t one_in = random.OneIn(3) ? 1 : random.Between(2, 20);
        for (const NaiveEvent& event : model.events()) {
          if (random.OneIn(one_in)) leaving.push_back(event);
        }
        if (!batch.empty()) leaving.push_back(batch[0]);  // perhaps twice, perhaps gone
        std::shuffle(leaving.begin(), leaving.end(), random.engine());
        int64_t removed = 0;
        for (const NaiveEvent& event : leaving) removed += model.Remove(event) ? 1 : 0;
        REQUIRE(*tree.Remove(Borrowed(leaving).span()) == removed);
      }
      root = tree.root();
      REQUIRE(root.event_count == model.events().size());
      REQUIRE((root.id == 0) == model.events().empty());
      if (model.events().empty()) REQUIRE(store.page_count() == 0);

      std::vector<TimeRange> ranges;
      for (int64_t n = random.Between(1, 5); n > 0; --n) {
        ranges.push_back(RandomRange(random, model.events()));
      }
      const int64_t latest = model.events().empty() ? 0 : model.events().back().time_us;
      const Timestamp as_of{latest + random.Between(0, 100)};
      const std::vector<AccumulatorSet> sums = *tree.Fold(ranges);
      REQUIRE(sums.size() == ranges.size());
      for (std::size_t i = 0; i < ranges.size(); ++i) {
        checks += RequireSame(sums[i], model.In(ranges[i]), as_of);
      }
      const int64_t to = RandomRange(random, model.events()).to_us;
      const int64_t count = random.Between(0, random.OneIn(2) ? 5 : 3 * batch_max);
      Events last = model.In({std::numeric_limits<int64_t>::min(), to});
      if (static_cast<int64_t>(last.size()) > count) last.erase(last.begin(), last.end() - count);
      checks += RequireSame(*tree.FoldLast(to, count), last, as_of);
    }
  }
  CHECK(checks > (rounds >= kEnough ? 100'000 : 0));
}

TEST_CASE("a tree has the same bytes of state however its events came", "[aggregate][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int round = 0; round < 50; ++round) {
    const DataType input = larder_test::RandomInputType(random);
    const AccumulatorSet set = *AccumulatorSet::Make(RandomSpecs(random, input));
    Events events = larder_test::RandomEvents(random, input, 400);
    std::vector<std::string> states;
    for (int way = 0; way < 3; ++way) {
      MemoryNodeStore store;
      AggregateTree tree(set, &store);
      std::shuffle(events.begin(), events.end(), random.engine());
      const Borrowed borrowed(events);
      for (std::size_t i = 0; i < events.size();) {
        const auto count = std::min<std::size_t>(events.size() - i,
                                                 static_cast<std::size_t>(random.Between(1, 90)));
        REQUIRE(tree.Insert(borrowed.span().subspan(i, count)).ok());
        i += count;
      }
      const TimeRange all{std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()};
      const auto sums = *tree.Fold({&all, 1});
      states.push_back(Encoded(sums[0]));
    }
    REQUIRE(states[0] == states[1]);
    REQUIRE(states[0] == states[2]);
  }
}

TEST_CASE("a tree that only counts keeps no inputs", "[aggregate]") {
  MemoryNodeStore store;
  const std::vector<AggregateSpec> specs = {{.function = AggregateFunction::kCountAll},
                                            {.function = AggregateFunction::kTimeSinceLast}};
  AggregateTree tree(*AccumulatorSet::Make(specs), &store);
  Events events(3);
  events[1].time_us = 5;
  events[1].value = "text";
  REQUIRE(*tree.Insert(Borrowed(events).span()) == 3);
  const AccumulatorSet sums = *tree.FoldLast(100, 3);
  CHECK(sums.Result(0, {}).value == Value(int64_t{3}));
  CHECK(sums.Result(1, {8}).value == Value(Duration{3}));
}

TEST_CASE("events that are alike all go, whichever pages they are on", "[aggregate]") {
  AggregateSpec count;
  count.function = AggregateFunction::kCountAll;
  const auto set = AccumulatorSet::Make({&count, 1});
  REQUIRE(set.ok());
  for (const std::size_t alike : {3, 63, 64, 65, 200, 5000}) {
    INFO(alike << " alike");
    MemoryNodeStore store;
    AggregateTree tree(*set, &store);
    std::vector<AggregateEvent> events(alike + 200);
    for (std::size_t i = 0; i < events.size(); ++i)
      events[i].order.time_us = i < 100 ? static_cast<int64_t>(i) : i < 100 + alike ? 100 : 101;
    REQUIRE(tree.Insert(events).ok());
    const std::span<const AggregateEvent> same(events.data() + 100, alike);
    for (std::size_t gone = 0; gone < alike; gone += alike / 3) {
      const auto some = same.subspan(0, std::min(alike / 3, alike - gone));
      const auto removed = tree.Remove(some);
      REQUIRE(removed.ok());
      CHECK(*removed == std::ssize(some));
    }
    CHECK(tree.root().event_count == 200);
    CHECK(*tree.Remove(same) == 0);
    CHECK(*tree.Remove(events) == 200);
    CHECK(tree.root() == TreeRoot{});
  }
}

TEST_CASE("an append to a large tree rewrites one path", "[aggregate]") {
  class CountingStore final : public NodeStore {
   public:
    absl::StatusOr<std::string_view> Read(NodeId id) const override {
      ++reads;
      return pages_.Read(id);
    }
    absl::StatusOr<NodeId> Allocate() override { return pages_.Allocate(); }
    absl::Status Write(NodeId id, std::string_view page) override {
      ++writes;
      return pages_.Write(id, page);
    }
    absl::Status Free(NodeId id) override { return pages_.Free(id); }
    mutable int reads = 0;
    int writes = 0;

   private:
    MemoryNodeStore pages_;
  };
  CountingStore store;
  const std::vector<AggregateSpec> specs = {
      {.function = AggregateFunction::kSum, .input = TypeId::kInt64},
      {.function = AggregateFunction::kMax, .input = TypeId::kInt64}};
  AggregateTree tree(*AccumulatorSet::Make(specs), &store);
  Events events;
  for (int64_t i = 0; i < 100'000; ++i) {
    NaiveEvent event;
    event.time_us = i;
    event.value = i;
    events.push_back(event);
  }
  REQUIRE(*tree.Insert(Borrowed(events).span()) == 100'000);
  REQUIRE(tree.root().height == 3);
  for (const int64_t time : {int64_t{50'000}, int64_t{100'000}}) {
    Events one(1);
    one[0].time_us = time;
    one[0].value = int64_t{7};
    store.reads = store.writes = 0;
    REQUIRE(*tree.Insert(Borrowed(one).span()) == 1);
    CHECK(store.reads == 4);
    CHECK(store.writes <= 8);
  }
  // Two nested windows: the path of each bound, once.
  const TimeRange ranges[] = {{10'000, 90'000}, {70'000, 90'000}};
  store.reads = 0;
  const auto sums = *tree.Fold(ranges);
  CHECK(store.reads <= 1 + 3 * 3);
  CHECK(sums[1].Result(1, {}).value == Value(int64_t{89'999}));
  CHECK(sums[1].Result(0, {}).value == Value(int64_t{20'000} * (70'000 + 89'999) / 2));
}

// As leaves were written before they had columns.
std::string FirstVersion(std::string_view leaf, const DataType& input) {
  const auto node = aggregate::ReadPage(leaf, true, input);
  REQUIRE(node.ok());
  ByteWriter page;
  page.Put(uint8_t{1});
  page.Put(uint8_t{0});
  aggregate::PutVarint(node->events.size(), &page);
  for (const AggregateEvent& event : node->events) {
    aggregate::PutOrder(event.order, &page);
    aggregate::PutInput(event.input, &page);
  }
  return std::move(page).Take();
}

TEST_CASE("leaves of the first version are read, and written on", "[aggregate][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  const int64_t rounds = Rounds(600);
  for (int64_t round = 0; round < rounds; ++round) {
    const DataType input = larder_test::RandomInputType(random);
    const AccumulatorSet set = *AccumulatorSet::Make(RandomSpecs(random, input));
    MemoryNodeStore store;
    MemoryNodeStore earlier;
    AggregateTree tree(set, &store);
    const Events events = larder_test::RandomEvents(random, input, 200);
    const Borrowed borrowed(events);
    const auto half = borrowed.span().first(events.size() / 2);
    REQUIRE(tree.Insert(half).ok());
    for (std::size_t i = 0; i < store.page_count(); ++i) {
      const NodeId id = *earlier.Allocate();
      const std::string page(*store.Read(id));
      REQUIRE(earlier.Write(id, page[1] == 0 ? FirstVersion(page, input) : page).ok());
    }
    AggregateTree other(set, &earlier, tree.root());
    for (const std::span<const AggregateEvent> more : {half.first(0), borrowed.span()}) {
      REQUIRE(tree.Insert(more).ok());
      REQUIRE(other.Insert(more).ok());
      const TimeRange ranges[] = {RandomRange(random, events), RandomRange(random, events)};
      const auto expected = *tree.Fold(ranges);
      const auto found = *other.Fold(ranges);
      for (std::size_t r = 0; r < 2; ++r) REQUIRE(Encoded(found[r]) == Encoded(expected[r]));
    }
  }
}

TEST_CASE("damaged pages are refused or stay harmless", "[aggregate][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  int64_t refused = 0;
  const int64_t rounds = Rounds(3'000);
  for (int64_t round = 0; round < rounds; ++round) {
    const DataType input = larder_test::RandomInputType(random);
    const AccumulatorSet set = *AccumulatorSet::Make(RandomSpecs(random, input));
    MemoryNodeStore store;
    AggregateTree tree(set, &store);
    const Events events = larder_test::RandomEvents(random, input, 200);
    REQUIRE(tree.Insert(Borrowed(events).span()).ok());
    if (tree.root().id == 0) continue;
    const auto id = static_cast<NodeId>(random.Between(1, static_cast<int64_t>(store.page_count())));
    std::string page(*store.Read(id));
    for (int64_t n = random.Between(1, 3); n > 0; --n) {
      const auto at = random.Between(0, static_cast<int64_t>(page.size()) - 1);
      if (random.OneIn(4)) {
        page.resize(static_cast<std::size_t>(std::max<int64_t>(at, 1)));
      } else {
        page[static_cast<std::size_t>(at)] = static_cast<char>(random.Bits());
      }
    }
    REQUIRE(store.Write(id, page).ok());
    const TimeRange ranges[] = {RandomRange(random, events), RandomRange(random, events)};
    const auto sums = tree.Fold(ranges);
    if (!sums.ok()) {
      REQUIRE(sums.status().code() == absl::StatusCode::kDataLoss);
      ++refused;
    }
    static_cast<void>(tree.FoldLast(ranges[0].to_us, random.Between(0, 200)));
    static_cast<void>(tree.Remove(Borrowed(events).span()));
  }
  CHECK(refused > rounds / 20);
}

TEST_CASE("windows at many instants have the bits of the tree", "[aggregate][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  int64_t checks = 0;
  constexpr int64_t kEnough = 3'500;
  const int64_t rounds = Rounds(kEnough);
  for (int64_t round = 0; round < rounds; ++round) {
    const DataType input = larder_test::RandomInputType(random);
    const std::vector<AggregateSpec> specs = RandomSpecs(random, input);
    Events events = larder_test::RandomEvents(random, input, random.OneIn(10) ? 300 : 30);
    std::shuffle(events.begin(), events.end(), random.engine());
    Model model;
    for (const NaiveEvent& event : events) model.Insert(event);

    std::vector<AggregateWindow> windows;
    for (int64_t n = random.Between(1, 3); n > 0; --n) {
      AggregateWindow window;
      if (random.OneIn(4)) {
        window.rows = random.Between(1, 10);
      } else if (!random.OneIn(4)) {
        window.length = Duration{random.Between(1, random.OneIn(2) ? 10 : 4'000)};
      }
      if (random.OneIn(3)) window.delay = Duration{random.Between(0, 20)};
      window.at = random.OneIn(2);
      windows.push_back(window);
    }
    std::vector<Timestamp> instants;
    for (int64_t n = random.Between(0, 12); n > 0; --n) {
      instants.push_back({RandomRange(random, model.events()).from_us});
      if (instants.back() == Timestamp::Min()) instants.back() = {0};
    }
    std::sort(instants.begin(), instants.end());

    const auto results = *EvaluateWindows(Borrowed(events).span(), instants, windows, specs);
    MemoryNodeStore store;
    const AccumulatorSet set = *AccumulatorSet::Make(specs);
    AggregateTree tree(set, &store);
    REQUIRE(tree.Insert(Borrowed(events).span()).ok());
    REQUIRE(results.columns.size() == windows.size() * specs.size());
    for (std::size_t i = 0; i < instants.size(); ++i) {
      for (std::size_t w = 0; w < windows.size(); ++w) {
        const TimeRange range = windows[w].RangeAt(instants[i]);
        auto folded = *tree.Fold({&range, 1});
        const AccumulatorSet expected =
            windows[w].rows ? *tree.FoldLast(range.to_us, *windows[w].rows) : std::move(folded[0]);
        for (std::size_t s = 0; s < specs.size(); ++s) {
          const Value found = results.columns[w * specs.size() + s].ValueAt(i);
          const Value wanted = expected.Result(s, instants[i]).value;
          ++checks;
          if (!(found == wanted)) {
            FAIL(AggregateFunctionName(specs[s].function)
                 << " at " << instants[i].us << " is " << FormatValue(found) << ", expected "
                 << FormatValue(wanted));
          }
        }
      }
    }
  }
  CHECK(checks > (rounds >= kEnough ? 100'000 : 0));
  const Timestamp disordered[] = {{2}, {1}};
  CHECK_FALSE(EvaluateWindows({}, disordered, {}, {}).ok());
}

}  // namespace
}  // namespace larder
