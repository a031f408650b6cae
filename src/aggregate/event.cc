#include "larder/aggregate/event.h"

#include <bit>
#include <type_traits>

#include "aggregate/nested_bytes.h"
#include "aggregate/scalar.h"

namespace larder::inline LARDER_ABI {
namespace {

AggregateInput Word(uint64_t word) { return {false, word, {}}; }
AggregateInput Text(std::string_view bytes) {
  // Never a null pointer: that is how words are told from text.
  return {false, 0, bytes.data() == nullptr ? std::string_view("") : bytes};
}

struct InputMaker {
  const Value& value;
  std::string* scratch;

  AggregateInput operator()(std::monostate) const { return {}; }
  AggregateInput operator()(float v) const { return Word(std::bit_cast<uint32_t>(v)); }
  AggregateInput operator()(double v) const { return Word(std::bit_cast<uint64_t>(v)); }
  AggregateInput operator()(Timestamp v) const { return Word(static_cast<uint64_t>(v.us)); }
  AggregateInput operator()(Duration v) const { return Word(static_cast<uint64_t>(v.us)); }
  AggregateInput operator()(Date v) const {
    return Word(static_cast<uint64_t>(static_cast<int64_t>(v.days)));
  }
  AggregateInput operator()(const std::string& v) const { return Text(v); }
  AggregateInput operator()(const Bytes& v) const { return Text(v.data); }
  template <class T>
  AggregateInput operator()(const std::vector<T>& v) const {
    return Text({reinterpret_cast<const char*>(v.data()), v.size() * sizeof(T)});
  }
  AggregateInput operator()(const ListValue&) const { return Canonical(); }
  AggregateInput operator()(const MapValue&) const { return Canonical(); }
  template <class T>
  requires(std::is_integral_v<T>) AggregateInput operator()(T v) const {
    if constexpr (std::is_same_v<T, uint64_t>) {
      return Word(v);
    } else {
      return Word(static_cast<uint64_t>(static_cast<int64_t>(v)));
    }
  }
  [[nodiscard]] AggregateInput Canonical() const {
    scratch->clear();
    AppendCanonicalBytes(value, scratch);
    return Text(*scratch);
  }
};

template <class T>
Value VectorValue(std::string_view bytes) {
  std::vector<T> elements(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(elements.data(), bytes.data(), bytes.size());
  return elements;
}

}  // namespace

AggregateInput InputOf(const Value& value, std::string* scratch) {
  return std::visit(InputMaker{value, scratch}, value.variant());
}

AggregateInput InputAt(const Column& column, std::size_t row, std::string* scratch) {
  if (!column.IsValid(row)) return {};
  const auto signed_word = [](int64_t v) { return Word(static_cast<uint64_t>(v)); };
  switch (column.type().id()) {
    case TypeId::kBool:
      return Word(column.Values<uint8_t>()[row]);
    case TypeId::kInt32:
    case TypeId::kDate:
      return signed_word(column.Values<int32_t>()[row]);
    case TypeId::kInt64:
    case TypeId::kTimestamp:
    case TypeId::kDuration:
      return signed_word(column.Values<int64_t>()[row]);
    case TypeId::kUint64:
    case TypeId::kFloat64:
      return Word(column.Values<uint64_t>()[row]);
    case TypeId::kFloat32:
      return Word(column.Values<uint32_t>()[row]);
    case TypeId::kString:
    case TypeId::kBytes:
      return Text(column.Text(row));
    case TypeId::kVector: {
      const std::size_t width = column.type().byte_width();
      return Text({reinterpret_cast<const char*>(column.data().data()) + row * width, width});
    }
    default:
      scratch->clear();
      AppendCanonicalBytes(column.ValueAt(row), scratch);
      return Text(*scratch);
  }
}

absl::StatusOr<Value> ValueOf(const AggregateInput& input, const DataType& type) {
  if (input.is_null) return Value();
  const TypeId id = type.id();
  const bool text = aggregate::IsText(id);
  if (text && aggregate::IsTextOf(input.bytes, id)) return aggregate::TextValue(input.bytes, id);
  if (!text && !type.is_nested() && aggregate::IsWordOf(input.word, id)) {
    return aggregate::ScalarValue(input.word, id);
  }
  if (id == TypeId::kVector && input.bytes.size() == type.byte_width()) {
    return type.element() == TypeId::kInt8 ? VectorValue<int8_t>(input.bytes)
                                           : VectorValue<float>(input.bytes);
  }
  if (id == TypeId::kList || id == TypeId::kMap) {
    if (auto value = aggregate::ReadNested(input.bytes, type)) return *std::move(value);
  }
  return DataLossError("not a value of ", type.ToString());
}

}  // namespace larder::inline LARDER_ABI
