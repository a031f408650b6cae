// Every function over random sets of events, taken in in every way there is, against all events at once.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "aggregate/random_events.h"
#include "larder/aggregate/accumulator.h"
#include "support/catch.h"

namespace larder {
namespace {

using larder_test::NaiveEvent;
using Events = std::vector<NaiveEvent>;

int64_t Checks(int64_t by_default) {
#ifndef __OPTIMIZE__
  by_default /= 25;  // as in aggregate_tree_test.cc
#endif
  const char* text = std::getenv("LARDER_ROUNDS");
  return text == nullptr ? by_default : std::atoll(text);
}

std::string Encoded(const Accumulator& accumulator) {
  ByteWriter out;
  accumulator.Encode(&out);
  return std::move(out).Take();
}

std::string Describe(const AggregateSpec& spec, const Events& events) {
  std::string text = Concat(AggregateFunctionName(spec.function), " of ", spec.input->ToString(),
                            " k ", spec.k, " p ", spec.p, " half_life ", spec.half_life.us, ":");
  for (const NaiveEvent& event : events) {
    text += Concat(" ", event.time_us, "=", FormatValue(event.value));
  }
  return text;
}

// Folds events in parts: each part in its own order, with others that come and go again, parts merged in a random tree,
// as objects or as bytes.
class RandomFold {
 public:
  RandomFold(larder_test::Random& random, const AggregateSpec& spec, const Events& strangers)
      : random_(random), prototype_(*MakeAccumulator(spec)), strangers_(strangers) {
    algebra_ = prototype_->algebra();
  }

  std::unique_ptr<Accumulator> Fold(Events events) {
    if (!algebra_.time_ordered) {
      std::shuffle(events.begin(), events.end(), random_.engine());
    } else {
      std::stable_sort(events.begin(), events.end(), larder_test::ComesBefore);
    }
    return FoldRange(events, 0, events.size());
  }

 private:
  std::unique_ptr<Accumulator> FoldRange(const Events& events, std::size_t begin, std::size_t end) {
    if (end - begin <= 1 || random_.OneIn(4)) return AddAll(events, begin, end);
    const auto middle = static_cast<std::size_t>(
        random_.Between(static_cast<int64_t>(begin), static_cast<int64_t>(end)));
    if (middle == begin || middle == end) return AddAll(events, begin, end);
    auto left = FoldRange(events, begin, middle);
    auto right = FoldRange(events, middle, end);
    if (!algebra_.time_ordered && random_.OneIn(2)) std::swap(left, right);
    if (random_.OneIn(2)) {
      left->Merge(*right);
      return left;
    }
    ByteWriter both;
    left->Encode(&both);
    right->Encode(&both);
    auto merged = prototype_->NewEmpty();
    ByteReader in(both.view());
    REQUIRE(merged->MergeEncoded(&in).ok());
    REQUIRE(merged->MergeEncoded(&in).ok());
    REQUIRE(in.remaining() == 0);
    return merged;
  }

  std::unique_ptr<Accumulator> AddAll(const Events& events, std::size_t begin, std::size_t end) {
    auto part = prototype_->NewEmpty();
    if (algebra_.word_only && random_.OneIn(2) && AddWords(events, begin, end, part.get()))
      return part;
    std::vector<AggregateEvent> guests;
    for (std::size_t i = begin; i < end; ++i) {
      if (algebra_.subtractable && !strangers_.empty() && random_.OneIn(3)) {
        const NaiveEvent& stranger = strangers_[i % strangers_.size()];
        part->Add(larder_test::EventOf(stranger, &scratch_));
        guests.push_back(larder_test::EventOf(stranger, &scratch_));
      }
      part->Add(larder_test::EventOf(events[i], &scratch_));
    }
    std::shuffle(guests.begin(), guests.end(), random_.engine());
    for (const AggregateEvent& guest : guests) part->Remove(guest);
    return part;
  }

  // False, and nothing is added, where there are nulls.
  bool AddWords(const Events& events, std::size_t begin, std::size_t end, Accumulator* part) {
    ByteWriter words;
    for (std::size_t i = begin; i < end; ++i) {
      const AggregateEvent event = larder_test::EventOf(events[i], &scratch_);
      if (event.input.is_null) return false;
      words.Put(event.input.word);
    }
    part->AddWords({words.view().data(), end - begin});
    return true;
  }

  larder_test::Random& random_;
  std::unique_ptr<Accumulator> prototype_;
  const Events& strangers_;
  Algebra algebra_;
  std::string scratch_;
};

TEST_CASE("a result is a function of the set of events, bit for bit", "[aggregate][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int64_t check = 0, checks = Checks(100'000); check < checks; ++check) {
    const DataType input = larder_test::RandomInputType(random);
    const AggregateSpec spec = larder_test::RandomSpec(random, input);
    const Events events = larder_test::RandomEvents(random, input, random.OneIn(10) ? 80 : 12);
    const Events strangers = larder_test::RandomEvents(random, input, 12, 1000);
    int64_t latest = 0;
    for (const NaiveEvent& event : events) {
      latest = &event == &events[0] ? event.time_us : std::max(latest, event.time_us);
    }
    const Timestamp as_of{latest + random.Between(0, random.OneIn(2) ? 3 : 300'000)};

    const AggregateResult expected = larder_test::NaiveAggregate(spec, events, as_of);
    RandomFold fold(random, spec, strangers);
    const auto once = fold.Fold(events);
    const AggregateResult found = once->Result(spec, as_of);
    if (!(found.value == expected.value) || found.refused != expected.refused) {
      FAIL(Describe(spec, events) << "\n  found " << FormatValue(found.value) << ", expected "
                                  << FormatValue(expected.value));
    }
    if (!found.value.is_null() && !(found.value.type() == *AggregateResultType(spec))) {
      FAIL(Describe(spec, events) << " is of type " << found.value.type().ToString());
    }
    // Equal sets have equal bytes, and bytes come back.
    const std::string bytes = Encoded(*once);
    if (Encoded(*fold.Fold(events)) != bytes) FAIL("other bytes: " << Describe(spec, events));
    auto again = once->NewEmpty();
    ByteReader in(bytes);
    REQUIRE(again->MergeEncoded(&in).ok());
    REQUIRE(in.remaining() == 0);
    REQUIRE(Encoded(*again) == bytes);
    REQUIRE(again->Result(spec, as_of).value == expected.value);
  }
}

TEST_CASE("damaged states are refused or stay harmless", "[aggregate][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  int64_t refused = 0;
  const int64_t checks = Checks(50'000);
  for (int64_t check = 0; check < checks; ++check) {
    const DataType input = larder_test::RandomInputType(random);
    const AggregateSpec spec = larder_test::RandomSpec(random, input);
    auto accumulator = *MakeAccumulator(spec);
    std::string scratch;
    Events events = larder_test::RandomEvents(random, input, 6);
    std::stable_sort(events.begin(), events.end(), larder_test::ComesBefore);
    for (const NaiveEvent& event : events) {
      accumulator->Add(larder_test::EventOf(event, &scratch));
    }
    std::string bytes = Encoded(*accumulator);
    const auto place = [&] {
      return static_cast<std::size_t>(random.Between(0, static_cast<int64_t>(bytes.size()) - 1));
    };
    switch (random.Between(0, 3)) {
      case 0:
        bytes.resize(place());
        break;
      case 1:
        for (int64_t n = random.Between(1, 4); n > 0; --n) {
          bytes[place()] = static_cast<char>(random.Bits());
        }
        break;
      case 2:
        bytes.insert(place(), larder_test::RandomBytes(random));
        break;
      default: {
        const std::string noise = larder_test::RandomBytes(random, 60);
        bytes = bytes.substr(0, 2) + noise;
      }
    }
    auto read = accumulator->NewEmpty();
    ByteReader in(bytes);
    const absl::Status status = read->MergeEncoded(&in);
    if (!status.ok()) {
      REQUIRE(status.code() == absl::StatusCode::kDataLoss);
      ++refused;
      read->Clear();
      REQUIRE(Encoded(*read) == Encoded(*accumulator->NewEmpty()));
      continue;
    }
    // What is taken can be used like any other.
    read->Merge(*read->NewEmpty());
    static_cast<void>(read->Result(spec, Timestamp{random.Between(-5, 5)}));
    auto again = read->NewEmpty();
    const std::string written = Encoded(*read);
    ByteReader second(written);
    REQUIRE(again->MergeEncoded(&second).ok());
  }
  CHECK(refused > checks / 4);
}

}  // namespace
}  // namespace larder
