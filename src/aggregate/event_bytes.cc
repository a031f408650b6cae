#include "aggregate/event_bytes.h"

#include "aggregate/nested_bytes.h"
#include "aggregate/scalar.h"
#include "aggregate/varint.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

// What an order or an input has.
constexpr uint8_t kHasSequence = 1;
constexpr uint8_t kHasEventId = 2;
constexpr uint8_t kHasRow = 4;
constexpr uint8_t kNull = 0;
constexpr uint8_t kWord = 1;
constexpr uint8_t kBytes = 2;

void PutShort(std::string_view text, ByteWriter* out) {
  PutVarint(text.size(), out);
  out->PutRaw(text);
}
bool GetShort(ByteReader* in, std::string_view* text) {
  uint64_t size = 0;
  if (!GetVarint(in, &size)) return false;
  *text = in->GetRaw(size);
  return in->ok();
}

std::strong_ordering Compare(std::string_view a, std::string_view b) { return a.compare(b) <=> 0; }

uint8_t PartsOf(const EventOrder& order) {
  return static_cast<uint8_t>((order.has_sequence ? kHasSequence : 0) |
                              (order.event_id.empty() ? 0 : kHasEventId) |
                              (order.row.empty() ? 0 : kHasRow));
}

void PutParts(const EventOrder& order, ByteWriter* out) {
  if (order.has_sequence) out->Put(order.sequence);
  if (!order.event_id.empty()) PutShort(order.event_id, out);
  if (!order.row.empty()) PutShort(order.row, out);
}

bool GetParts(uint8_t has, ByteReader* in, EventOrder* order) {
  if (has > (kHasSequence | kHasEventId | kHasRow)) return false;
  const int64_t time_us = order->time_us;
  *order = {};
  order->time_us = time_us;
  order->has_sequence = (has & kHasSequence) != 0;
  if (order->has_sequence) order->sequence = in->Get<uint64_t>();
  if ((has & kHasEventId) != 0 && (!GetShort(in, &order->event_id) || order->event_id.empty())) {
    return false;
  }
  if ((has & kHasRow) != 0 && (!GetShort(in, &order->row) || order->row.empty())) return false;
  return in->ok();
}

}  // namespace

void PutOrder(const EventOrder& order, ByteWriter* out) {
  out->Put(PartsOf(order));
  out->Put(order.time_us);
  PutParts(order, out);
}

bool GetOrder(ByteReader* in, EventOrder* order) {
  const auto has = in->Get<uint8_t>();
  order->time_us = in->Get<int64_t>();
  return GetParts(has, in, order);
}

void PutOrderBesideTime(const EventOrder& order, ByteWriter* out) {
  out->Put(PartsOf(order));
  PutParts(order, out);
}

bool GetOrderBesideTime(ByteReader* in, EventOrder* order) {
  const auto has = in->Get<uint8_t>();
  return GetParts(has, in, order);
}

bool IsWordType(const DataType& type) { return !type.is_nested() && !IsText(type.id()); }

void PutInput(const AggregateInput& input, ByteWriter* out) {
  if (input.is_null) {
    out->Put(kNull);
  } else if (input.bytes.data() == nullptr) {
    out->Put(kWord);
    out->Put(input.word);
  } else {
    out->Put(kBytes);
    PutShort(input.bytes, out);
  }
}

bool GetInput(ByteReader* in, const DataType& type, AggregateInput* input) {
  const auto form = in->Get<uint8_t>();
  *input = {};
  if (!in->ok()) return false;
  if (form == kNull) return true;
  input->is_null = false;
  const bool is_word = IsWordType(type);
  if (form == kWord) {
    input->word = in->Get<uint64_t>();
    return in->ok() && is_word && IsWordOf(input->word, type.id());
  }
  if (form != kBytes || is_word || !GetShort(in, &input->bytes)) return false;
  if (IsText(type.id())) return IsTextOf(input->bytes, type.id());
  if (type.id() == TypeId::kVector) return input->bytes.size() == type.byte_width();
  return ReadNested(input->bytes, type).has_value();
}

std::strong_ordering CompareEvents(const AggregateEvent& a, const AggregateEvent& b) {
  const EventOrder& x = a.order;
  const EventOrder& y = b.order;
  if (x.time_us != y.time_us) return x.time_us <=> y.time_us;
  if (x.has_sequence != y.has_sequence) return x.has_sequence <=> y.has_sequence;
  if (x.sequence != y.sequence) return x.sequence <=> y.sequence;
  if (const auto c = Compare(x.event_id, y.event_id); c != 0) return c;
  if (const auto c = Compare(x.row, y.row); c != 0) return c;
  if (a.input.is_null != b.input.is_null) return b.input.is_null <=> a.input.is_null;
  if (a.input.word != b.input.word) return a.input.word <=> b.input.word;
  return Compare(a.input.bytes, b.input.bytes);
}

OwnedEvent::OwnedEvent(const AggregateEvent& event)
    : event_(event),
      event_id_(event.order.event_id),
      row_(event.order.row),
      bytes_(event.input.bytes) {}

AggregateEvent OwnedEvent::view() const {
  AggregateEvent event = event_;
  event.order.event_id = event_id_;
  event.order.row = row_;
  if (event.input.bytes.data() != nullptr) event.input.bytes = bytes_;
  return event;
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
