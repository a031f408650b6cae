// What an aggregate keeps of the events it has seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/aggregate/event.h"
#include "larder/aggregate/function.h"
#include "larder/base/bytes.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

// What may be done with an accumulator. All merge, and the result never depends on how events were spread over merged
// parts: it is a function of the set of events.
struct Algebra {
  bool subtractable = false;  // Remove takes back an Add
  bool time_ordered = false;  // Add and Merge only what comes after everything that is in
  bool sketch = false;        // approximate, though the same for the same events
  bool word_only = false;     // nothing of an event matters but its input, a word or null: AddWords
};

// Inputs that are words, none of them null, as they lie in memory: they need not be aligned. Lifetime: borrows.
class WordColumn {
 public:
  WordColumn() = default;
  WordColumn(const char* bytes, std::size_t size) : bytes_(bytes), size_(size) {}
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] uint64_t operator[](std::size_t i) const {
    return LoadAs<uint64_t>(bytes_ + sizeof(uint64_t) * i);
  }
  // Requires: begin <= end <= size().
  [[nodiscard]] WordColumn Between(std::size_t begin, std::size_t end) const {
    return {bytes_ + sizeof(uint64_t) * begin, end - begin};
  }

 private:
  const char* bytes_ = nullptr;
  std::size_t size_ = 0;
};

struct AggregateResult {
  Value value;
  // Null because the exact answer cannot be given: an integer sum outside int64, a number outside the range of moments,
  // too many different values. Callers count these.
  bool refused = false;
};

// The state of one function, or of several that need the same: see SharesState().
//
// Threads: const calls may overlap.
class Accumulator {
 public:
  virtual ~Accumulator() = default;

  [[nodiscard]] virtual Algebra algebra() const = 0;
  [[nodiscard]] virtual std::unique_ptr<Accumulator> NewEmpty() const = 0;
  virtual void Clear() = 0;

  virtual void Add(const AggregateEvent& event) = 0;
  // Each of them, in their order.
  virtual void AddAll(std::span<const AggregateEvent> events) = 0;
  // The same of their inputs. Requires: algebra().word_only.
  virtual void AddWords(const WordColumn& words) = 0;
  // Requires: algebra().subtractable, and that the event was added here, not merged in.
  virtual void Remove(const AggregateEvent& event);
  // Requires: `other` is of the same specification.
  virtual void Merge(const Accumulator& other) = 0;

  // Appends a version byte, the kind of state, and the state. Equal sets of events give equal bytes.
  void Encode(ByteWriter* out) const;
  // Merges what Encode wrote, leaving `in` after it. The bytes need not be trusted.
  // Errors: kDataLoss; the accumulator is then good for nothing but Clear.
  absl::Status MergeEncoded(ByteReader* in);

  // Requires: `spec` shares its state with the one this was made for. `as_of`: not before any event.
  [[nodiscard]] virtual AggregateResult Result(const AggregateSpec& spec, Timestamp as_of) const = 0;

 protected:
  [[nodiscard]] virtual uint8_t kind() const = 0;
  virtual void EncodeState(ByteWriter* out) const = 0;
  virtual bool MergeState(ByteReader* in) = 0;
};

// Errors: as AggregateResultType.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Accumulator>> MakeAccumulator(const AggregateSpec& spec);

// Whether one accumulator serves both: sum and mean do, as do all counts of values.
[[nodiscard]] bool SharesState(const AggregateSpec& a, const AggregateSpec& b);

// The accumulators of several functions over one input, shared where they can be.
class AccumulatorSet {
 public:
  // Errors: as AggregateResultType; kInvalidArgument when inputs differ.
  static absl::StatusOr<AccumulatorSet> Make(std::span<const AggregateSpec> specs);

  [[nodiscard]] AccumulatorSet NewEmpty() const;
  [[nodiscard]] const std::vector<AggregateSpec>& specs() const LARDER_LIFETIME_BOUND {
    return specs_;
  }
  [[nodiscard]] std::size_t state_count() const { return states_.size(); }
  // What all of them allow.
  [[nodiscard]] Algebra algebra() const;

  void Clear();
  void Add(const AggregateEvent& event) {
    for (const auto& state : states_) state->Add(event);
  }
  void AddAll(std::span<const AggregateEvent> events) {
    for (const auto& state : states_) state->AddAll(events);
  }
  void AddWords(const WordColumn& words) {
    for (const auto& state : states_) state->AddWords(words);
  }
  void Remove(const AggregateEvent& event) {
    for (const auto& state : states_) state->Remove(event);
  }
  void Merge(const AccumulatorSet& other);
  void Encode(ByteWriter* out) const;
  absl::Status MergeEncoded(ByteReader* in);

  [[nodiscard]] AggregateResult Result(std::size_t spec, Timestamp as_of) const {
    return states_[state_of_[spec]]->Result(specs_[spec], as_of);
  }

 private:
  std::vector<AggregateSpec> specs_;
  std::vector<std::size_t> state_of_;
  std::vector<std::unique_ptr<Accumulator>> states_;
};

}  // namespace larder::inline LARDER_ABI
