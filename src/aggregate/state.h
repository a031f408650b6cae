// What every accumulator does alike, and the kinds there are.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "larder/aggregate/accumulator.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

// Written in files: never renumber.
enum class StateKind : uint8_t {
  kCount = 1,
  kIntegerSum = 2,
  kFloatSum = 3,
  kMoments = 4,
  kLeast = 5,
  kGreatest = 6,
  kVectorLeast = 7,
  kVectorGreatest = 8,
  kVectorMean = 9,
  kFirst = 10,
  kLast = 11,
  kRecentValues = 12,
  kValueCounts = 13,
  kDistinctSketch = 14,
  kPercentileSketch = 15,
  kDrawdown = 16,
  kSlope = 17,
  kEventSpan = 18,
  kDecayed = 19,
};

// Self has MergeSame(const Self&) and is copied with its parameters. It may do AddWords in its own way.
template <class Self>
class State : public Accumulator {
 public:
  [[nodiscard]] std::unique_ptr<Accumulator> NewEmpty() const final {
    auto copy = std::make_unique<Self>(static_cast<const Self&>(*this));
    copy->Clear();
    return copy;
  }
  void AddAll(std::span<const AggregateEvent> events) final {
    for (const AggregateEvent& event : events) static_cast<Self&>(*this).Self::Add(event);
  }
  void AddWords(const WordColumn& words) override {
    AggregateEvent event;
    event.input.is_null = false;
    for (std::size_t i = 0; i < words.size(); ++i) {
      event.input.word = words[i];
      static_cast<Self&>(*this).Self::Add(event);
    }
  }
  void Merge(const Accumulator& other) final {
    static_cast<Self&>(*this).MergeSame(static_cast<const Self&>(other));
  }
};

// Null, and to be counted.
inline AggregateResult Refused() { return {Value(), true}; }

using MadeState = std::unique_ptr<Accumulator>;
[[nodiscard]] MadeState MakeCount();
[[nodiscard]] MadeState MakeIntegerSum(TypeId type);
[[nodiscard]] MadeState MakeFloatSum(TypeId type);
// The sums of powers up to `order`, 2 to 4.
[[nodiscard]] MadeState MakeMoments(TypeId type, int order);
[[nodiscard]] MadeState MakeExtreme(TypeId type, bool greatest);
[[nodiscard]] MadeState MakeVectorExtreme(std::size_t length, bool greatest);
[[nodiscard]] MadeState MakeVectorMean(std::size_t length);
[[nodiscard]] MadeState MakeEnds(const DataType& type, bool last, int64_t k, bool include_nulls);
[[nodiscard]] MadeState MakeRecentValues(TypeId type, int64_t k);
[[nodiscard]] MadeState MakeValueCounts(TypeId type);
[[nodiscard]] MadeState MakeDistinctSketch(TypeId type);
[[nodiscard]] MadeState MakePercentileSketch(TypeId type);
[[nodiscard]] MadeState MakeDrawdown(TypeId type);
[[nodiscard]] MadeState MakeSlope(TypeId type);
// Of all events, or of those whose input is not null.
[[nodiscard]] MadeState MakeEventSpan(bool all_events);
[[nodiscard]] MadeState MakeDecayed(TypeId type, Duration half_life);

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
