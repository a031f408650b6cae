#include "larder/aggregate/history_evaluation.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>

#include "aggregate/random_events.h"
#include "support/catch.h"

namespace larder {
namespace {

using larder_test::NaiveEvent;

// A version of an event that owns what it is made of.
struct Version {
  NaiveEvent event;
  int64_t known_us = 0;
  int64_t arrival_us = HistoryEvent::kNoArrival;
  bool is_delete = false;
  bool counts = true;
};

class Borrowed {
 public:
  explicit Borrowed(const std::vector<Version>& versions) {
    for (const Version& version : versions) {
      events_.push_back({larder_test::EventOf(version.event, &scratch_.emplace_back()),
                         version.known_us, version.arrival_us, version.is_delete, version.counts});
    }
  }
  [[nodiscard]] const std::vector<HistoryEvent>& events() const { return events_; }

 private:
  std::deque<std::string> scratch_;
  std::vector<HistoryEvent> events_;
};

// By definition: what is visible and known, of each id the last version, without deletes; then what the window covers.
std::vector<NaiveEvent> Counting(const std::vector<Version>& versions,
                                 const std::vector<HistoryEvent>& events,
                                 const HistoryInstant& instant, const AggregateWindow& window) {
  const TimeRange range = window.RangeAt(instant.as_of);
  std::map<std::string, std::size_t> last;
  std::vector<std::size_t> counting;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const NaiveEvent& event = versions[i].event;
    if (event.time_us >= range.to_us || versions[i].known_us > instant.known_at.us) continue;
    if (event.event_id.empty()) {
      counting.push_back(i);
      continue;
    }
    const auto [at, is_new] = last.emplace(event.event_id, i);
    if (!is_new && GivesWayTo(events[at->second], events[i])) at->second = i;
  }
  for (const auto& [id, i] : last) {
    if (!versions[i].is_delete && versions[i].counts && id != instant.excluded_id)
      counting.push_back(i);
  }
  std::vector<NaiveEvent> in_window;
  for (const std::size_t i : counting) {
    if (window.rows || versions[i].event.time_us >= range.from_us)
      in_window.push_back(versions[i].event);
  }
  std::sort(in_window.begin(), in_window.end(), larder_test::ComesBefore);
  if (window.rows && std::ssize(in_window) > *window.rows)
    in_window.erase(in_window.begin(), in_window.end() - *window.rows);
  return in_window;
}

class World {
 public:
  explicit World(larder_test::Random& random) : random_(random) {
    input_ = larder_test::RandomInputType(random);
    for (int64_t n = random.Between(1, 4); n > 0; --n)
      specs_.push_back(larder_test::RandomSpec(random, input_));
    const bool late = random.OneIn(2);
    const bool ids = random.OneIn(2);
    const bool deletes = ids && random.OneIn(2);
    for (const NaiveEvent& event :
         larder_test::RandomEvents(random, input_, random.OneIn(10) ? 150 : 25)) {
      Version version{event, event.time_us};
      if (!ids) version.event.event_id.clear();
      if (late) version.known_us += random.Between(-5, random.OneIn(2) ? 3'000 : 5);
      if (late && random.OneIn(9)) version.known_us = HistoryEvent::kNeverKnown;
      if (late && random.OneIn(2)) version.arrival_us = version.known_us;
      version.is_delete = deletes && !version.event.event_id.empty() && random.OneIn(3);
      version.counts = !deletes || version.event.event_id.empty() || !random.OneIn(3);
      versions_.push_back(std::move(version));
    }
    for (int64_t n = random.Between(1, 3); n > 0; --n) windows_.push_back(RandomWindow());
    const bool any = random.OneIn(3);
    const bool exclude = ids && random.OneIn(3);
    for (int64_t n = random.Between(0, 12); n > 0; --n) {
      HistoryInstant instant;
      instant.as_of = {versions_.empty() ? 0 : Any().event.time_us + random.Between(-1, 1)};
      if (exclude && !versions_.empty()) instant.excluded_id = Any().event.event_id;
      instants_.push_back(instant);
    }
    std::sort(instants_.begin(), instants_.end(),
              [](const HistoryInstant& a, const HistoryInstant& b) { return a.as_of < b.as_of; });
    for (HistoryInstant& instant : instants_)
      instant.known_at = any ? Timestamp::Max() : instant.as_of;
  }

  int64_t Check() const {
    const Borrowed borrowed(versions_);
    const auto results = *EvaluateHistory(borrowed.events(), instants_, windows_, specs_);
    int64_t checks = 0;
    for (std::size_t i = 0; i < instants_.size(); ++i) {
      for (std::size_t w = 0; w < windows_.size(); ++w) {
        const std::vector<NaiveEvent> counting =
            Counting(versions_, borrowed.events(), instants_[i], windows_[w]);
        for (std::size_t s = 0; s < specs_.size(); ++s) {
          const Value found = results.columns[w * specs_.size() + s].ValueAt(i);
          const Value wanted =
              larder_test::NaiveAggregate(specs_[s], counting, instants_[i].as_of).value;
          ++checks;
          if (found == wanted) continue;
          FAIL(AggregateFunctionName(specs_[s].function)
               << " at " << instants_[i].as_of.us << " is " << FormatValue(found) << ", expected "
               << FormatValue(wanted));
        }
      }
    }
    return checks;
  }

 private:
  const Version& Any() {
    return versions_[static_cast<std::size_t>(random_.Between(0, std::ssize(versions_) - 1))];
  }
  AggregateWindow RandomWindow() {
    AggregateWindow window;
    if (random_.OneIn(4)) {
      window.rows = random_.Between(1, 10);
    } else if (!random_.OneIn(4)) {
      window.length = Duration{random_.Between(1, random_.OneIn(2) ? 10 : 4'000)};
    }
    if (random_.OneIn(3)) window.delay = Duration{random_.Between(0, 20)};
    window.at = random_.OneIn(2);
    return window;
  }

  larder_test::Random& random_;
  DataType input_;
  std::vector<AggregateSpec> specs_;
  std::vector<Version> versions_;
  std::vector<AggregateWindow> windows_;
  std::vector<HistoryInstant> instants_;
};

TEST_CASE("late, corrected, deleted and excluded events count as they do by definition",
          "[aggregate][random]") {
  larder_test::Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  int64_t rounds = 3'000;
#else
  int64_t rounds = 150;
#endif
  if (const char* text = std::getenv("LARDER_ROUNDS")) rounds = std::atol(text);
  int64_t checks = 0;
  for (int64_t round = 0; round < rounds; ++round) checks += World(random).Check();
  CHECK(checks > rounds);
}

TEST_CASE("a deleted event leaves at the delete's time, and not before", "[aggregate]") {
  const AggregateInput one{false, 1, {}};
  const std::vector<HistoryEvent> events = {
      {{{10, false, 0, "a", {}}, one}},
      {{{20, false, 0, "b", {}}, one}},
      {{{30, false, 0, "a", {}}, one}, 40, HistoryEvent::kNoArrival, true}};
  AggregateSpec sum{AggregateFunction::kSum};
  sum.input = TypeId::kInt64;
  const AggregateWindow lifetime;
  const auto sums = [&](std::vector<HistoryInstant> instants) {
    const auto results = *EvaluateHistory(events, instants, {&lifetime, 1}, {&sum, 1});
    std::vector<int64_t> values;
    for (std::size_t i = 0; i < instants.size(); ++i)
      values.push_back(*results.columns[0].ValueAt(i).As<int64_t>());
    return values;
  };
  CHECK(sums({{{10}}, {{11}}, {{30}}, {{31}}, {{50}}}) == std::vector<int64_t>{0, 1, 2, 1, 1});
  CHECK(sums({{{31}, {31}}, {{39}, {39}}, {{40}, {40}}}) == std::vector<int64_t>{2, 2, 1});
  CHECK(sums({{{31}, {31}, "b"}}) == std::vector<int64_t>{1});
  const HistoryInstant disordered[] = {{{2}, {2}}, {{3}, {1}}};
  CHECK_FALSE(EvaluateHistory(events, disordered, {&lifetime, 1}, {&sum, 1}).ok());
}

}  // namespace
}  // namespace larder
