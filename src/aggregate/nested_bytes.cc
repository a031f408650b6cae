#include "aggregate/nested_bytes.h"

#include "aggregate/scalar.h"
#include "larder/base/bytes.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

std::string_view GetSized(ByteReader* in) {
  const auto size = in->Get<uint64_t>();
  return in->GetRaw(size);
}

template <class Raw>
std::optional<Value> GetWord(ByteReader* in, TypeId type) {
  const auto word = static_cast<uint64_t>(static_cast<int64_t>(in->Get<Raw>()));
  if (!in->ok() || !IsWordOf(word, type)) return std::nullopt;
  return ScalarValue(word, type);
}

// A null, or a scalar of `type`.
std::optional<Value> GetItem(ByteReader* in, TypeId type) {
  const auto id = in->Get<uint8_t>();
  if (!in->ok()) return std::nullopt;
  if (id == 0) return Value();
  if (static_cast<TypeId>(id) != type) return std::nullopt;
  switch (type) {
    case TypeId::kBool:
      return GetWord<uint8_t>(in, type);
    case TypeId::kInt32:
    case TypeId::kDate:
      return GetWord<int32_t>(in, type);
    case TypeId::kFloat32:
      return GetWord<uint32_t>(in, type);
    case TypeId::kString:
    case TypeId::kBytes: {
      const std::string_view text = GetSized(in);
      if (!in->ok() || !IsTextOf(text, type)) return std::nullopt;
      return TextValue(text, type);
    }
    case TypeId::kInt64:
    case TypeId::kUint64:
    case TypeId::kFloat64:
    case TypeId::kTimestamp:
    case TypeId::kDuration:
      return GetWord<int64_t>(in, type);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<Value> ReadNested(std::string_view bytes, const DataType& type) {
  ByteReader in(bytes);
  if (in.Get<TypeId>() != type.id() || in.Get<TypeId>() != type.element()) return std::nullopt;
  const auto count = in.Get<uint64_t>();
  if (count > in.remaining()) return std::nullopt;
  ListValue list{type.element(), {}};
  MapValue map{type.element(), {}};
  for (uint64_t i = 0; i < count; ++i) {
    std::string key;
    if (type.id() == TypeId::kMap) {
      key = GetSized(&in);
      if (!in.ok() || !IsValidUtf8(key)) return std::nullopt;
      if (i > 0 && key <= map.items.back().first) return std::nullopt;
    }
    std::optional<Value> item = GetItem(&in, type.element());
    if (!item) return std::nullopt;
    if (type.id() == TypeId::kMap) {
      map.items.emplace_back(std::move(key), *std::move(item));
    } else {
      list.items.push_back(*std::move(item));
    }
  }
  if (!in.ok() || in.remaining() != 0) return std::nullopt;
  if (type.id() == TypeId::kMap) return Value(std::move(map));
  return Value(std::move(list));
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
