#include "larder/schema/value.h"

#include <bit>
#include <cstring>
#include <type_traits>

#include "larder/base/bytes.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class T>
bool SameBits(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
  } else if constexpr (std::is_same_v<T, std::vector<float>>) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
  } else {
    return a == b;
  }
}

template <class T>
void AppendRaw(const T& value, std::string* out) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  out->append(raw, sizeof(T));
}

void AppendSized(const void* data, std::size_t count, std::size_t element_size, std::string* out) {
  AppendRaw(static_cast<uint64_t>(count), out);
  if (count > 0) out->append(static_cast<const char*>(data), count * element_size);
}

// What follows the type's byte.
struct CanonicalWriter {
  std::string* out;

  void operator()(std::monostate) const {}
  void operator()(bool v) const { out->push_back(v ? '\1' : '\0'); }
  void operator()(Timestamp v) const { AppendRaw(v.us, out); }
  void operator()(Date v) const { AppendRaw(v.days, out); }
  void operator()(Duration v) const { AppendRaw(v.us, out); }
  void operator()(const std::string& v) const { AppendSized(v.data(), v.size(), 1, out); }
  void operator()(const Bytes& v) const { AppendSized(v.data.data(), v.data.size(), 1, out); }
  void operator()(const std::vector<float>& v) const {
    AppendRaw(TypeId::kFloat32, out);
    AppendSized(v.data(), v.size(), sizeof(float), out);
  }
  void operator()(const std::vector<int8_t>& v) const {
    AppendRaw(TypeId::kInt8, out);
    AppendSized(v.data(), v.size(), 1, out);
  }
  void operator()(const ListValue& v) const {
    AppendRaw(v.element, out);
    AppendRaw(static_cast<uint64_t>(v.items.size()), out);
    for (const Value& item : v.items) AppendCanonicalBytes(item, out);
  }
  void operator()(const MapValue& v) const {
    AppendRaw(v.value, out);
    AppendRaw(static_cast<uint64_t>(v.items.size()), out);
    for (const auto& [key, item] : v.items) {
      (*this)(key);
      AppendCanonicalBytes(item, out);
    }
  }
  template <class T>
  requires(std::is_arithmetic_v<T>) void operator()(T v) const { AppendRaw(v, out); }
};

struct TypeOf {
  DataType operator()(std::monostate) const { return {}; }
  DataType operator()(bool) const { return TypeId::kBool; }
  DataType operator()(int32_t) const { return TypeId::kInt32; }
  DataType operator()(int64_t) const { return TypeId::kInt64; }
  DataType operator()(uint64_t) const { return TypeId::kUint64; }
  DataType operator()(float) const { return TypeId::kFloat32; }
  DataType operator()(double) const { return TypeId::kFloat64; }
  DataType operator()(const std::string&) const { return TypeId::kString; }
  DataType operator()(const Bytes&) const { return TypeId::kBytes; }
  DataType operator()(Timestamp) const { return TypeId::kTimestamp; }
  DataType operator()(Date) const { return TypeId::kDate; }
  DataType operator()(Duration) const { return TypeId::kDuration; }
  DataType operator()(const std::vector<float>& v) const {
    return DataType::Vector(TypeId::kFloat32, static_cast<uint32_t>(v.size()));
  }
  DataType operator()(const std::vector<int8_t>& v) const {
    return DataType::Vector(TypeId::kInt8, static_cast<uint32_t>(v.size()));
  }
  DataType operator()(const ListValue& v) const { return DataType::List(v.element); }
  DataType operator()(const MapValue& v) const { return DataType::Map(v.value); }
};

}  // namespace

bool operator==(const ListValue& a, const ListValue& b) {
  return a.element == b.element && a.items == b.items;
}

bool operator==(const MapValue& a, const MapValue& b) {
  return a.value == b.value && a.items == b.items;
}

bool operator==(const Value& a, const Value& b) {
  if (a.data_.index() != b.data_.index()) return false;
  return std::visit(
      [&b](const auto& left) {
        using T = std::decay_t<decltype(left)>;
        return SameBits(left, *std::get_if<T>(&b.data_));
      },
      a.data_);
}

DataType Value::type() const {
  LARDER_DCHECK(!is_null());
  return std::visit(TypeOf{}, data_);
}

void AppendCanonicalBytes(const Value& value, std::string* out) {
  // No type has id 0.
  out->push_back(value.is_null() ? '\0' : static_cast<char>(value.type().id()));
  std::visit(CanonicalWriter{out}, value.variant());
}

}  // namespace larder::inline LARDER_ABI
