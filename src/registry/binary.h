// Described structs to and from bytes, member by member in the table's order. The order is part of the file format:
// a change of the table raises kCatalogFormat.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "larder/base/bytes.h"
#include "larder/base/config.h"
#include "larder/base/hash.h"
#include "larder/schema/value.h"
#include "registry/describe.h"
#include "registry/describe_versions.h"

namespace larder::inline LARDER_ABI {

class BinaryWriter {
 public:
  template <class T>
  void Member(const Key& /*key*/, const T& member) {
    Put(member);
  }
  void Default(const Key& /*key*/, const std::optional<Value>& member,
               const std::optional<DataType>& /*type*/) {
    Put(member);
  }
  void OneOrMany(const Key& /*one*/, const Key& /*many*/, const std::vector<std::string>& member) {
    Put(member);
  }

  void Put(const std::string& value) { PutText(value); }
  void PutText(std::string_view value) { out_.PutText(value); }
  template <class T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) void Put(T value) { out_.Put(value); }
  void Put(const Duration& value) { out_.Put(value.us); }
  void Put(const Timestamp& value) { out_.Put(value.us); }
  void Put(const Hash128& value) {
    out_.Put(value.high);
    out_.Put(value.low);
  }
  void Put(const DataType& value) {
    out_.Put(value.id());
    if (!value.is_nested()) return;
    out_.Put(value.element());
    out_.Put(value.length());
  }
  void Put(const Value& value);
  template <class T>
  void Put(const std::optional<T>& value) {
    out_.Put(static_cast<uint8_t>(value.has_value()));
    if (value) Put(*value);
  }
  template <class T>
  void Put(const std::vector<T>& value) {
    out_.Put(static_cast<uint32_t>(value.size()));
    for (const T& item : value) Put(item);
  }
  void Put(const std::map<std::string, std::string>& value) {
    out_.Put(static_cast<uint32_t>(value.size()));
    for (const auto& [name, text] : value) {
      Put(name);
      Put(text);
    }
  }
  template <class T>
  requires requires(BinaryWriter& v, const T& d) { Describe(v, d); }
  void Put(const T& value) { Describe(*this, value); }

  [[nodiscard]] std::string Take() && { return std::move(out_).Take(); }

 private:
  ByteWriter out_;
};

// After the first read past the end, values are empty and ok() is false; counts are checked against what is left, so
// that damaged bytes cannot ask for more memory than they have.
class BinaryReader {
 public:
  explicit BinaryReader(std::string_view bytes) : in_(bytes) {}

  template <class T>
  void Member(const Key& /*key*/, T& member) {
    Get(member);
  }
  void Default(const Key& /*key*/, std::optional<Value>& member,
               const std::optional<DataType>& /*type*/) {
    Get(member);
  }
  void OneOrMany(const Key& /*one*/, const Key& /*many*/, std::vector<std::string>& member) {
    Get(member);
  }

  void Get(std::string& value) {
    const std::string_view text = in_.GetText();
    value.assign(text.data(), text.size());
  }
  std::string_view GetText() { return in_.GetText(); }
  template <class T>
  requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) void Get(T& value) {
    value = in_.Get<T>();
  }
  void Get(bool& value) { value = in_.Get<uint8_t>() != 0; }
  template <class T>
  requires(std::is_enum_v<T>) void Get(T& value) {
    value = static_cast<T>(in_.Get<std::underlying_type_t<T>>());
  }
  void Get(Duration& value) { value.us = in_.Get<int64_t>(); }
  void Get(Timestamp& value) { value.us = in_.Get<int64_t>(); }
  void Get(Hash128& value) {
    value.high = in_.Get<uint64_t>();
    value.low = in_.Get<uint64_t>();
  }
  void Get(DataType& value) {
    const auto id = in_.Get<TypeId>();
    value = id;
    if (!value.is_nested()) return;
    const auto element = in_.Get<TypeId>();
    const auto length = in_.Get<uint32_t>();
    value = id == TypeId::kVector ? DataType::Vector(element, length)
            : id == TypeId::kList ? DataType::List(element)
                                  : DataType::Map(element);
  }
  void Get(Value& value);
  template <class T>
  void Get(std::optional<T>& value) {
    if (in_.Get<uint8_t>() == 0) {
      value.reset();
    } else {
      Get(value.emplace());
    }
  }
  template <class T>
  void Get(std::vector<T>& value) {
    const std::size_t count = Count();
    value.clear();
    value.reserve(count);
    for (std::size_t i = 0; i < count && in_.ok(); ++i) Get(value.emplace_back());
  }
  void Get(std::map<std::string, std::string>& value) {
    const std::size_t count = Count();
    value.clear();
    for (std::size_t i = 0; i < count && in_.ok(); ++i) {
      std::string name(in_.GetText());
      value[std::move(name)] = std::string(in_.GetText());
    }
  }
  template <class T>
  requires requires(BinaryReader& v, T& d) { Describe(v, d); }
  void Get(T& value) { Describe(*this, value); }

  // An element takes at least one byte.
  std::size_t Count() {
    const auto count = in_.Get<uint32_t>();
    if (count <= in_.remaining()) return count;
    in_.GetRaw(in_.remaining() + 1);
    return 0;
  }
  [[nodiscard]] bool ok() const { return in_.ok(); }
  [[nodiscard]] bool finished() const { return in_.ok() && in_.remaining() == 0; }

 private:
  ByteReader in_;
};

// A value in its own type, as bytes. Text forms are exact but for NaN payloads, so those types go as raw bits.
inline void BinaryWriter::Put(const Value& value) {
  Put(!value.is_null());
  if (value.is_null()) return;
  Put(value.type());
  if (const double* number = value.As<double>()) return Put(*number);
  if (const float* number = value.As<float>()) return Put(*number);
  Put(FormatValue(value));
}

inline void BinaryReader::Get(Value& value) {
  bool present = false;
  Get(present);
  value = Value();
  if (!present) return;
  DataType type;
  Get(type);
  if (type == DataType(TypeId::kFloat64)) {
    value = Value(in_.Get<double>());
  } else if (type == DataType(TypeId::kFloat32)) {
    value = Value(in_.Get<float>());
  } else if (auto parsed = ParseValue(in_.GetText(), type); parsed.ok()) {
    value = *std::move(parsed);
  } else {
    in_.GetRaw(in_.remaining() + 1);  // damaged
  }
}

}  // namespace larder::inline LARDER_ABI
