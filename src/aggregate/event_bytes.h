// Events that own their bytes, and their form in states and pages.
#pragma once

#include <compare>
#include <string>

#include "larder/aggregate/event.h"
#include "larder/base/bytes.h"
#include "larder/base/config.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

void PutOrder(const EventOrder& order, ByteWriter* out);
// Lifetime: borrows from what `in` reads. False for what PutOrder does not write.
[[nodiscard]] bool GetOrder(ByteReader* in, EventOrder* order);
// The same but for the time, which is elsewhere: GetOrderBesideTime leaves it as it is.
void PutOrderBesideTime(const EventOrder& order, ByteWriter* out);
[[nodiscard]] bool GetOrderBesideTime(ByteReader* in, EventOrder* order);

// Whether inputs of a type are words.
[[nodiscard]] bool IsWordType(const DataType& type);
void PutInput(const AggregateInput& input, ByteWriter* out);
// False for what cannot be an input of `type`, too.
[[nodiscard]] bool GetInput(ByteReader* in, const DataType& type, AggregateInput* input);

// By order, and by input where a caller gave no row that tells events apart.
[[nodiscard]] std::strong_ordering CompareEvents(const AggregateEvent& a, const AggregateEvent& b);

class OwnedEvent {
 public:
  OwnedEvent() = default;
  explicit OwnedEvent(const AggregateEvent& event);
  [[nodiscard]] AggregateEvent view() const LARDER_LIFETIME_BOUND;

 private:
  AggregateEvent event_;  // its texts are not used
  std::string event_id_;
  std::string row_;
  std::string bytes_;
};

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
