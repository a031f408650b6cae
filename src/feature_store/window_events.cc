#include "feature_store/window_events.h"

#include "feature_store/key_encoding.h"
#include "feature_store/window_records.h"
#include "larder/base/hash.h"

namespace larder::inline LARDER_ABI {
namespace {

uint64_t SequenceAt(const Column& column, std::size_t row) {
  switch (column.type().id()) {
    case TypeId::kInt32:
      return SequenceOrder(column.Values<int32_t>()[row]);
    case TypeId::kUint64:
      return column.Values<uint64_t>()[row];
    default:
      return SequenceOrder(column.Values<int64_t>()[row]);
  }
}

}  // namespace

void AppendInputBytes(const AggregateInput& input, std::string* out) {
  if (input.is_null) {
    out->push_back('\0');
    return;
  }
  out->push_back('\1');
  if (input.bytes.data() != nullptr) {
    out->append(input.bytes);
    return;
  }
  for (int shift = 56; shift >= 0; shift -= 8)
    out->push_back(static_cast<char>(input.word >> static_cast<unsigned>(shift)));
}

void AppendEventId(const Column& ids, std::size_t row, char source_number, std::string* out) {
  if (!ids.IsValid(row)) return;
  const TypeId type = ids.type().id();
  if (type == TypeId::kString || type == TypeId::kBytes) {
    AppendEscaped(ids.Text(row), out);
  } else {
    AppendKeyPart(ids, row, out);  // in the order of its type
  }
  out->push_back(source_number);
}

WindowEvents::WindowEvents(const WindowPlan& plan, const MappedEvents& events, const Source& source,
                           std::size_t source_number, uint64_t first_rank)
    : plan_(&plan),
      events_(&events),
      times_(events.event_time->Values<int64_t>().data()),
      available_after_(source.available_after),
      in_order_(source.order == SourceOrder::kCommit),
      first_rank_(first_rank),
      source_number_(static_cast<char>(source_number)) {}

void WindowEvents::AppendId(std::size_t row, std::string* out) const {
  if (events_->event_id != nullptr) AppendEventId(*events_->event_id, row, source_number_, out);
}

int64_t WindowEvents::KnownAt(std::size_t row) const {
  if (events_->arrival_time != nullptr) {
    return events_->arrival_time->IsValid(row) ? events_->arrival_time->Values<int64_t>()[row]
                                               : HistoryEvent::kNeverKnown;
  }
  return Timestamp{times_[row]}.Plus(available_after_.value_or(Duration{})).us;
}

bool WindowEvents::IsDelete(std::size_t row) const {
  return events_->is_delete != nullptr && events_->is_delete->IsValid(row) &&
         events_->is_delete->Values<uint8_t>()[row] != 0;
}

bool WindowEvents::IsOf(std::size_t row, std::size_t stream) const {
  const WindowStream& of = plan_->streams()[stream];
  if (of.where >= 0) {
    const Column& where = Stored(of.where);
    if (!where.IsValid(row) || where.Values<uint8_t>()[row] == 0) return false;
  }
  return of.group < 0 || Stored(of.group).IsValid(row);
}

std::string WindowEvents::Category(std::size_t row, std::size_t stream) const {
  return CategoryAt(Stored(plan_->streams()[stream].group), row);
}

HistoryEvent WindowEvents::At(std::size_t row, std::size_t stream, std::string_view id,
                              bool has_versions, ByteArena* arena) const {
  HistoryEvent made;
  made.known_us = KnownAt(row);
  if (events_->arrival_time != nullptr && events_->arrival_time->IsValid(row))
    made.arrival_us = made.known_us;
  made.rank = in_order_ ? first_rank_ + row : 0;
  made.is_delete = IsDelete(row);
  EventOrder& order = made.event.order;
  order.time_us = times_[row];
  if (events_->sequence != nullptr && events_->sequence->IsValid(row)) {
    order.has_sequence = true;
    order.sequence = SequenceAt(*events_->sequence, row);
  }
  const WindowStream& of = plan_->streams()[stream];
  std::string scratch;
  if (of.input >= 0) {
    made.event.input = InputAt(Stored(of.input), row, &scratch);
    if (made.event.input.bytes.data() != nullptr)
      made.event.input.bytes = arena->Keep(made.event.input.bytes);
  }
  order.event_id = id;
  scratch.clear();
  if (id.empty()) {
    AppendInputBytes(made.event.input, &scratch);
  } else if (has_versions) {
    // Of versions that nothing else tells apart all streams choose the same.
    for (const Column* column : events_->stored)
      AppendCanonicalBytes(column->ValueAt(row), &scratch);
    const Hash128 hash = HashWide(scratch);
    scratch.assign(reinterpret_cast<const char*>(&hash), sizeof(hash));
  }
  order.row = arena->Keep(scratch);
  return made;
}

}  // namespace larder::inline LARDER_ABI
