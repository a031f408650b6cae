#include "training/event_layout.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

int Sign(int order) { return order < 0 ? -1 : order > 0 ? 1 : 0; }

template <class T>
int CompareOf(T a, T b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

// As the bytes of a text-borne value stand in a row's canonical form: the length as eight little-endian bytes, then
// the bytes themselves.
int CompareSized(std::string_view a, std::string_view b) {
  const uint64_t sizes[2] = {a.size(), b.size()};
  if (const int order = std::memcmp(&sizes[0], &sizes[1], sizeof(uint64_t)); order != 0)
    return order;
  return a.empty() ? 0 : std::memcmp(a.data(), b.data(), a.size());
}

Value ReadCanonical(ByteReader& bytes) {
  const auto id = bytes.Get<TypeId>();
  switch (id) {
    case TypeId::kBool:
      return bytes.Get<uint8_t>() != 0;
    case TypeId::kInt32:
      return bytes.Get<int32_t>();
    case TypeId::kInt64:
      return bytes.Get<int64_t>();
    case TypeId::kUint64:
      return bytes.Get<uint64_t>();
    case TypeId::kFloat32:
      return bytes.Get<float>();
    case TypeId::kFloat64:
      return bytes.Get<double>();
    case TypeId::kString:
      return bytes.GetRaw(bytes.Get<uint64_t>());
    case TypeId::kBytes:
      return Bytes{std::string(bytes.GetRaw(bytes.Get<uint64_t>()))};
    case TypeId::kTimestamp:
      return Timestamp{bytes.Get<int64_t>()};
    case TypeId::kDate:
      return Date{bytes.Get<int32_t>()};
    case TypeId::kDuration:
      return Duration{bytes.Get<int64_t>()};
    case TypeId::kList: {
      ListValue list;
      list.element = bytes.Get<TypeId>();
      for (auto n = bytes.Get<uint64_t>(); n > 0 && bytes.ok(); --n)
        list.items.push_back(ReadCanonical(bytes));
      return list;
    }
    case TypeId::kMap: {
      MapValue map;
      map.value = bytes.Get<TypeId>();
      for (auto n = bytes.Get<uint64_t>(); n > 0 && bytes.ok(); --n) {
        std::string key(bytes.GetRaw(bytes.Get<uint64_t>()));
        map.items.emplace_back(std::move(key), ReadCanonical(bytes));
      }
      return map;
    }
    default:
      return {};
  }
}

absl::Status CheckColumn(const JoinView& view, std::string_view what, const Column* column,
                         std::size_t rows, std::initializer_list<TypeId> types) {
  if (column == nullptr) return absl::OkStatus();
  if (column->size() != rows) {
    return InvalidArgumentError("view ", view.name, ": ", what, " has ", column->size(),
                                " rows, expected ", rows);
  }
  if (types.size() == 0) return absl::OkStatus();
  for (const TypeId type : types) {
    if (column->type().id() == type) return absl::OkStatus();
  }
  return InvalidArgumentError("view ", view.name, ": ", what, " has type ",
                              column->type().ToString(), ", expected ", TypeName(*types.begin()));
}

KnownSource KnownSourceOf(const JoinView& view, const EventBatch& batch) {
  if (batch.arrival_time != nullptr) return KnownSource::kArrival;
  if (view.available_after && batch.event_time != nullptr) return KnownSource::kAvailableAfter;
  return batch.known_time != nullptr ? KnownSource::kKnownTime : KnownSource::kNone;
}

}  // namespace

absl::StatusOr<EventLayout> EventLayout::Make(const JoinView& view, const EventBatch& batch,
                                              bool audit) {
  EventLayout layout;
  layout.timeless = batch.event_time == nullptr;
  if (layout.timeless && view.ttl && view.ttl->us > 0) {
    return InvalidArgumentError("view ", view.name,
                                ": a TTL needs an event time, and its source has none");
  }
  layout.known_source = KnownSourceOf(view, batch);
  if (view.available_after) layout.available_after_us = view.available_after->us;
  if (view.known_at == KnownAt::kSpine && layout.known_source == KnownSource::kNone) {
    return InvalidArgumentError(
        "view ", view.name, ": known_at spine needs a source with arrival_time or available_after");
  }
  if (view.exclude_event_id != nullptr && batch.event_id == nullptr) {
    return InvalidArgumentError("view ", view.name, ": exclude_self needs a source with event_id");
  }
  if (view.exclude_event_id != nullptr) {
    const DataType own = view.exclude_event_id->type();
    const DataType found = batch.event_id->type();
    if (own != found && !(own.is_integer() && found.is_integer())) {
      return InvalidArgumentError("view ", view.name, ": the spine's event ids have type ",
                                  own.ToString(), ", expected the source's, ", found.ToString());
    }
  }

  uint32_t at = kFlags + 8;
  const auto take = [&at](bool wanted, std::size_t size) -> uint32_t {
    if (!wanted) return 0;
    return std::exchange(at, at + static_cast<uint32_t>(size));
  };
  const std::size_t bitmap = 8 * BitWords(std::max<std::size_t>(view.features.size(), 1));
  layout.key_form = KeyFormOf(view.key_types);
  layout.sequence = take(batch.sequence != nullptr, 8);
  layout.arrival = take(batch.arrival_time != nullptr, 8);
  layout.known = take(layout.known_source == KnownSource::kKnownTime, 8);
  layout.end = take(batch.valid_to != nullptr, 8);
  layout.commit = take(view.tie_order == JoinTieOrder::kCommit, 16);
  layout.presence = take(view.partial_updates, bitmap);
  layout.validity = take(true, bitmap);
  for (const Field& field : view.features) {
    FeatureSlot slot;
    slot.type = field.type;
    slot.in_text = !field.type.is_fixed_width();
    slot.width = static_cast<uint32_t>(field.type.byte_width());
    if (!slot.in_text) slot.offset = take(true, slot.width);
    layout.features.push_back(slot);
  }
  at = static_cast<uint32_t>(PadTo8(at));
  layout.first_text = at;
  layout.key_text = take(layout.key_form == KeyForm::kBytes, sizeof(TextPlace));
  layout.id_text = take(batch.event_id != nullptr && (audit || view.exclude_event_id != nullptr),
                        sizeof(TextPlace));
  for (FeatureSlot& slot : layout.features) {
    if (slot.in_text) slot.offset = take(true, sizeof(TextPlace));
  }
  layout.record_size = at;
  layout.has_text = at > layout.first_text;
  LARDER_RETURN_IF_ERROR(layout.Check(view, batch));
  return layout;
}

absl::Status EventLayout::Check(const JoinView& view, const EventBatch& batch) const {
  const std::size_t rows = batch.row_count;
  if (batch.features.size() != features.size()) {
    return InvalidArgumentError("view ", view.name, ": found ", batch.features.size(),
                                " feature columns, expected ", features.size());
  }
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (batch.features[i] == nullptr || batch.features[i]->type() != features[i].type) {
      return InvalidArgumentError("view ", view.name, ": feature ", view.features[i].name, " has ",
                                  batch.features[i] == nullptr
                                      ? "no column"
                                      : "type " + batch.features[i]->type().ToString(),
                                  ", expected ", features[i].type.ToString());
    }
    LARDER_RETURN_IF_ERROR(CheckColumn(view, view.features[i].name, batch.features[i], rows, {}));
  }
  for (const Column* key : batch.keys)
    LARDER_RETURN_IF_ERROR(CheckColumn(view, "a join key", key, rows, {}));
  LARDER_RETURN_IF_ERROR(
      CheckColumn(view, "event_time", batch.event_time, rows, {TypeId::kTimestamp}));
  LARDER_RETURN_IF_ERROR(
      CheckColumn(view, "arrival_time", batch.arrival_time, rows, {TypeId::kTimestamp}));
  LARDER_RETURN_IF_ERROR(
      CheckColumn(view, "known_time", batch.known_time, rows, {TypeId::kTimestamp}));
  LARDER_RETURN_IF_ERROR(CheckColumn(view, "valid_to", batch.valid_to, rows, {TypeId::kTimestamp}));
  LARDER_RETURN_IF_ERROR(CheckColumn(view, "is_delete", batch.is_delete, rows, {TypeId::kBool}));
  LARDER_RETURN_IF_ERROR(CheckColumn(view, "commit_seq", batch.commit_seq, rows, {TypeId::kUint64}));
  LARDER_RETURN_IF_ERROR(
      CheckColumn(view, "event_id", batch.event_id, rows,
                  {TypeId::kString, TypeId::kBytes, TypeId::kInt32, TypeId::kInt64, TypeId::kUint64,
                   TypeId::kTimestamp, TypeId::kDate, TypeId::kBool}));
  LARDER_RETURN_IF_ERROR(
      CheckColumn(view, "sequence", batch.sequence, rows,
                  {TypeId::kInt64, TypeId::kInt32, TypeId::kUint64, TypeId::kTimestamp}));
  if (!batch.presence.empty() &&
      (!view.partial_updates || batch.presence.size() != features.size())) {
    return InvalidArgumentError("view ", view.name,
                                ": presence is for partial updates, one bitmap per feature");
  }
  for (const Validity* bits : batch.presence) {
    if (bits != nullptr && bits->size() != rows) {
      return InvalidArgumentError("view ", view.name, ": presence has ", bits->size(),
                                  " rows, expected ", rows);
    }
  }
  const bool same =
      (batch.event_time == nullptr) == timeless && (batch.sequence == nullptr) == (sequence == 0) &&
      KnownSourceOf(view, batch) == known_source && (batch.valid_to == nullptr) == (end == 0) &&
      (id_text == 0 || batch.event_id != nullptr);
  if (!same)
    return InvalidArgumentError("view ", view.name,
                                ": batches of one history must have the same columns");
  return absl::OkStatus();
}

std::optional<int64_t> EventLayout::KnownTimeOf(EventRef e) const {
  switch (known_source) {
    case KnownSource::kArrival:
      if ((FlagsOf(e) & kEventHasArrival) == 0) return std::nullopt;
      return LoadAs<int64_t>(e.record + arrival);
    case KnownSource::kAvailableAfter:
      return Timestamp{EventTimeOf(e)}.Plus({available_after_us}).us;
    case KnownSource::kKnownTime:
      if ((FlagsOf(e) & kEventHasKnown) == 0) return std::nullopt;
      return LoadAs<int64_t>(e.record + known);
    case KnownSource::kNone:
      break;
  }
  return Timestamp::Min().us;
}

EventLayout::Comparison EventLayout::CompareTied(EventRef a, EventRef b) const {
  const uint64_t a_flags = FlagsOf(a);
  const uint64_t b_flags = FlagsOf(b);
  if (sequence != 0) {
    if (const int order = CompareOf(a_flags & kEventHasSequence, b_flags & kEventHasSequence);
        order != 0) {
      return {order, false, false};
    }
    const int order =
        CompareOf(LoadAs<uint64_t>(a.record + sequence), LoadAs<uint64_t>(b.record + sequence));
    if (order != 0) return {order, false, false};
  }
  const int by_rows = CompareRows(a, b);
  Comparison result{0, true, by_rows == 0};
  if (arrival != 0) {
    result.order = CompareOf(a_flags & kEventHasArrival, b_flags & kEventHasArrival);
    if (result.order != 0) return result;
    result.order =
        CompareOf(LoadAs<int64_t>(a.record + arrival), LoadAs<int64_t>(b.record + arrival));
    if (result.order != 0) return result;
  }
  if (commit != 0) {
    result.order =
        CompareOf(LoadAs<uint64_t>(a.record + commit), LoadAs<uint64_t>(b.record + commit));
    if (result.order != 0) return result;
    result.order =
        CompareOf(LoadAs<uint64_t>(a.record + commit + 8), LoadAs<uint64_t>(b.record + commit + 8));
    return result;
  }
  result.order = by_rows != 0 ? by_rows : Sign(IdOf(a).compare(IdOf(b)));
  if (result.order != 0 || known == 0) return result;
  // Alike: the one that was known first, so that the audit does not depend on the order of reading either.
  result.order = CompareOf(a_flags & kEventHasKnown, b_flags & kEventHasKnown);
  if (result.order == 0)
    result.order = CompareOf(LoadAs<int64_t>(b.record + known), LoadAs<int64_t>(a.record + known));
  return result;
}

// The order of the rows' canonical bytes, found without making them.
int EventLayout::CompareRows(EventRef a, EventRef b) const {
  if (const int order = CompareOf(IsDelete(a), IsDelete(b)); order != 0) return order;
  if (!IsDelete(a)) {
    for (std::size_t i = 0; i < features.size(); ++i) {
      const bool carried = Carries(a, i);
      if (const int order = CompareOf(carried, Carries(b, i)); order != 0) return order;
      if (!carried) continue;
      if (const int order = CompareValues(a, b, i); order != 0) return order;
    }
  }
  if (end == 0) return 0;
  const auto a_end = EndOf(a);
  const auto b_end = EndOf(b);
  if (const int order = CompareOf(a_end.has_value(), b_end.has_value()); order != 0) return order;
  return a_end ? Sign(std::memcmp(&*a_end, &*b_end, sizeof(int64_t))) : 0;
}

int EventLayout::CompareValues(EventRef a, EventRef b, std::size_t feature) const {
  const bool valid = IsValid(a, feature);
  if (const int order = CompareOf(valid, IsValid(b, feature)); order != 0 || !valid) return order;
  const FeatureSlot& slot = features[feature];
  if (!slot.in_text)
    return Sign(std::memcmp(a.record + slot.offset, b.record + slot.offset, slot.width));
  const std::string_view a_text = TextAt(a, slot.offset);
  const std::string_view b_text = TextAt(b, slot.offset);
  if (slot.type.is_text()) return Sign(CompareSized(a_text, b_text));
  return Sign(a_text.compare(b_text));
}

bool EventLayout::SameValue(EventRef a, EventRef b, std::size_t feature) const {
  return CompareValues(a, b, feature) == 0;
}

void EventLayout::AppendText(EventRef e, std::size_t feature, Column* column) const {
  const std::string_view text = TextAt(e, features[feature].offset);
  if (features[feature].type.is_text()) return column->AppendText(text);
  ByteReader bytes(text);
  if (!column->Append(ReadCanonical(bytes)).ok()) column->AppendNull();
}

}  // namespace larder::inline LARDER_ABI
