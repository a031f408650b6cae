// One folder for many trees, against trees that are folded by themselves.
#include "larder/aggregate/tree_folder.h"

#include <deque>
#include <string>

#include "aggregate/random_events.h"
#include "larder/aggregate/tree_tail.h"
#include "support/catch.h"

namespace larder {
namespace {

using larder_test::NaiveEvent;
using larder_test::Random;

std::string BytesOf(const AccumulatorSet& set) {
  ByteWriter bytes;
  set.Encode(&bytes);
  return std::move(bytes).Take();
}

// Events that are all different, with what they borrow from.
class History {
 public:
  History(Random& random, const DataType& input, int64_t count_max)
      : owned_(larder_test::RandomEvents(random, input, count_max)) {
    for (NaiveEvent& event : owned_) {
      if (!event.event_id.empty()) event.event_id += std::to_string(events_.size());
      events_.push_back(larder_test::EventOf(event, &scratch_.emplace_back()));
    }
  }
  [[nodiscard]] const std::vector<AggregateEvent>& events() const { return events_; }

 private:
  std::vector<NaiveEvent> owned_;
  std::deque<std::string> scratch_;
  std::vector<AggregateEvent> events_;
};

std::vector<TimeRange> RandomRanges(Random& random, const std::vector<AggregateEvent>& events) {
  std::vector<TimeRange> ranges;
  const auto near = [&] {
    if (events.empty()) return random.Between(-10, 10);
    const auto at = random.Between(0, std::ssize(events) - 1);
    return events[static_cast<std::size_t>(at)].order.time_us + random.Between(-1, 1);
  };
  for (int64_t n = random.Between(0, 5); n > 0; --n) {
    ranges.push_back({near(), near()});
    if (random.OneIn(4)) ranges.back().from_us = std::numeric_limits<int64_t>::min();
  }
  // Windows mostly end together.
  const bool end_together = random.OneIn(2);
  for (TimeRange& range : ranges) {
    if (end_together && !random.OneIn(8)) range.to_us = ranges[0].to_us;
  }
  return ranges;
}

TEST_CASE("a folder gives of one tree after another what each adds up to", "[aggregate][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  const int rounds = 600;
#else
  const int rounds = 60;
#endif
  for (int round = 0; round < rounds; ++round) {
    const DataType input = larder_test::RandomInputType(random);
    std::vector<AggregateSpec> specs;
    for (int64_t n = random.Between(1, 4); n > 0; --n)
      specs.push_back(larder_test::RandomSpec(random, input));
    const AccumulatorSet set = *AccumulatorSet::Make(specs);
    TreeFolder folder(set);
    for (int64_t n = random.Between(1, 4); n > 0; --n) {
      const History history(random, input, random.OneIn(4) ? 300 : 30);
      const std::vector<AggregateEvent>& events = history.events();
      MemoryNodeStore store;
      AggregateTree tree(set, &store);
      // Some of them wait beside the tree.
      std::vector<AggregateEvent> waiting;
      if (!set.algebra().time_ordered && random.OneIn(2)) {
        for (const AggregateEvent& event : events) {
          if (random.OneIn(3)) waiting.push_back(event);
        }
      }
      const std::string tail = MakeTail(set, waiting);
      REQUIRE(EventsOfTail(set, tail)->size() == waiting.size());
      REQUIRE(tree.Insert(events).ok());
      const std::vector<TimeRange> ranges = RandomRanges(random, events);
      std::vector<AccumulatorSet> expected;
      for (const TimeRange& range : ranges) {
        AccumulatorSet& sum = expected.emplace_back(set.NewEmpty());
        const auto add = [&](const AggregateEvent& event) { sum.Add(event); };
        REQUIRE(tree.Visit(range, add).ok());
      }
      REQUIRE(tree.Remove(waiting).ok());
      folder.SetRanges(ranges);
      std::vector<FoldedPart> parts;
      REQUIRE(folder.Fold(store, tree.root(), tail, random.OneIn(2) ? &parts : nullptr).ok());
      REQUIRE(folder.ranges().size() == ranges.size());
      for (std::size_t r = 0; r < ranges.size(); ++r)
        REQUIRE(BytesOf(folder.sum(r)) == BytesOf(expected[r]));
    }
  }
}

}  // namespace
}  // namespace larder
