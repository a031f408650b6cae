#include "online/row_codec.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "larder/base/bytes.h"
#include "online/stored_row.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class T>
void Append(std::string* out, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  out->append(raw, sizeof(T));
}

void AppendText(std::string* out, std::string_view text) {
  Append(out, static_cast<uint32_t>(text.size()));
  out->append(text);
}

// Elements of lists and maps: always 8 bytes, or a size and the bytes. Lists are rarely read on the hot path, so the
// simplest form that keeps every value is used.
void AppendItem(std::string* out, const Value& value) {
  Append(out, static_cast<uint8_t>(value.is_null() ? 0 : 1));
  if (value.is_null()) return;
  std::visit(
      [out](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_arithmetic_v<T>) {
          Append(out, v);
        } else if constexpr (std::is_same_v<T, std::string>) {
          AppendText(out, v);
        } else if constexpr (std::is_same_v<T, Bytes>) {
          AppendText(out, v.data);
        } else if constexpr (std::is_same_v<T, Timestamp> || std::is_same_v<T, Duration>) {
          Append(out, v.us);
        } else if constexpr (std::is_same_v<T, Date>) {
          Append(out, v.days);
        }
      },
      value.variant());
}

Value ReadItem(ByteReader& reader, TypeId type) {
  if (reader.Get<uint8_t>() == 0) return {};
  switch (type) {
    case TypeId::kBool:
      return Value(reader.Get<uint8_t>() != 0);
    case TypeId::kInt32:
      return Value(reader.Get<int32_t>());
    case TypeId::kInt64:
      return Value(reader.Get<int64_t>());
    case TypeId::kUint64:
      return Value(reader.Get<uint64_t>());
    case TypeId::kFloat32:
      return Value(reader.Get<float>());
    case TypeId::kFloat64:
      return Value(reader.Get<double>());
    case TypeId::kString:
      return Value(reader.GetText());
    case TypeId::kBytes:
      return Value(Bytes{std::string(reader.GetText())});
    case TypeId::kTimestamp:
      return Value(Timestamp{reader.Get<int64_t>()});
    case TypeId::kDate:
      return Value(Date{reader.Get<int32_t>()});
    case TypeId::kDuration:
      return Value(Duration{reader.Get<int64_t>()});
    default:
      return {};
  }
}

}  // namespace

void EncodeNested(const Value& value, const DataType& type, std::string* out) {
  if (type.id() == TypeId::kList) {
    const auto* list = value.As<ListValue>();
    Append(out, static_cast<uint32_t>(list->items.size()));
    for (const Value& item : list->items) AppendItem(out, item);
    return;
  }
  const auto* map = value.As<MapValue>();
  Append(out, static_cast<uint32_t>(map->items.size()));
  for (const auto& [key, item] : map->items) {
    AppendText(out, key);
    AppendItem(out, item);
  }
}

Value DecodeNested(std::string_view bytes, const DataType& type) {
  ByteReader reader(bytes);
  const auto count = reader.Get<uint32_t>();
  // Every item takes a byte at least, so a damaged count cannot make this allocate more than the row's size.
  const bool sound = count <= reader.remaining();
  if (type.id() == TypeId::kList) {
    ListValue list{type.element(), {}};
    for (uint32_t i = 0; sound && i < count; ++i)
      list.items.push_back(ReadItem(reader, type.element()));
    if (!reader.ok()) list.items.clear();
    return Value(std::move(list));
  }
  MapValue map{type.element(), {}};
  for (uint32_t i = 0; sound && i < count; ++i) {
    std::string key(reader.GetText());
    Value item = ReadItem(reader, type.element());
    map.items.emplace_back(std::move(key), std::move(item));
  }
  if (!reader.ok()) map.items.clear();
  return Value(std::move(map));
}

void EncodeRow(const RowLayout& layout, const RowStamp& stamp, std::string_view key,
               std::span<const Column* const> columns, std::span<const Validity* const> presence,
               std::size_t i, std::string* out) {
  out->clear();
  const bool is_delete = (stamp.flags & kRowDelete) != 0;
  const bool is_partial = (stamp.flags & kRowPartial) != 0;
  RowHeader header;
  header.flags = stamp.flags;
  header.event_time = stamp.event_time;
  Append(out, header);
  const std::size_t trailer = TrailerOffset(layout, stamp.flags);
  out->resize(trailer + 4);
  Append(out, static_cast<uint16_t>(key.size()));
  out->append(key);
  out->resize(PadTo8(out->size()));
  if ((stamp.flags & kRowHasKnownTime) != 0) Append(out, stamp.known_time);
  if ((stamp.flags & kRowHasSequence) != 0) Append(out, stamp.sequence);
  if ((stamp.flags & kRowHasValidTo) != 0) Append(out, stamp.valid_to);
  if ((stamp.flags & kRowHasRank) != 0) Append(out, stamp.rank);
  if ((stamp.flags & kRowHasCommitSeq) != 0) Append(out, stamp.commit_seq);
  const auto present = [&](std::size_t feature) {
    return presence.empty() || presence[feature] == nullptr || presence[feature]->Test(i);
  };
  const auto set_bit = [out](std::size_t at, std::size_t bit) {
    (*out)[at + bit / 8] = static_cast<char>((*out)[at + bit / 8] | (1 << (bit % 8)));
  };
  if (is_partial) {
    const std::size_t at = out->size();
    out->resize(at + std::size_t{8} * layout.bitmap_words());
    for (std::size_t f = 0; f < layout.size(); ++f) {
      if (present(f)) set_bit(at, f);
    }
  }
  for (std::size_t f = 0; !is_delete && f < layout.size(); ++f) {
    const Column& column = *columns[f];
    if (!column.IsValid(i) || (is_partial && !present(f))) continue;
    const std::size_t payload = layout.payload_offset();
    set_bit(layout.has_bitmap_words() ? payload : offsetof(RowHeader, validity), f);
    const std::size_t slot = payload + layout.offset(f);
    if (!layout.is_variable(f)) {
      std::memcpy(out->data() + slot, column.data().data() + i * layout.width(f), layout.width(f));
      continue;
    }
    const std::size_t tail = out->size();
    if (layout.type(f).is_text()) {
      out->append(column.Text(i));
    } else {
      EncodeNested(column.ValueAt(i), layout.type(f), out);
    }
    const uint32_t place[2] = {static_cast<uint32_t>(tail - payload),
                               static_cast<uint32_t>(out->size() - tail)};
    std::memcpy(out->data() + slot, place, sizeof(place));
  }
  out->resize(PadTo8(out->size()));
  const auto size = static_cast<uint32_t>(out->size());
  std::memcpy(out->data() + trailer, &size, sizeof(size));
}

void EncodeRecord(std::string_view key, std::string_view value, std::string* out) {
  out->clear();
  Append(out, uint32_t{0});
  Append(out, static_cast<uint32_t>(value.size()));
  out->append(value);
  out->resize(PadTo8(out->size()));
  SetStoredCheck(key, out);
}

absl::StatusOr<std::string_view> DecodeRecord(std::string_view key, std::string_view stored,
                                              bool verify) {
  if (stored.size() < 8 || (verify && !StoredCheckHolds(key, stored))) {
    return WithKind(DataLossError("a record's check does not hold"), ErrorKind::kCorrupt);
  }
  const auto size = LoadAs<uint32_t>(stored.data() + 4);
  if (size > stored.size() - 8) {
    return WithKind(DataLossError("a record of ", stored.size(), " bytes says it holds ", size),
                    ErrorKind::kCorrupt);
  }
  return stored.substr(8, size);
}

}  // namespace larder::inline LARDER_ABI
