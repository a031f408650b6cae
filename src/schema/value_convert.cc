#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "larder/base/text.h"
#include "larder/schema/value.h"
#include "schema/number_text.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::Status CannotConvert(const Value& value, const DataType& type, std::string_view why = "") {
  const bool short_enough = value.type().is_numeric();
  return InvalidArgumentError("cannot convert ", value.type().ToString(), short_enough ? " " : "",
                              short_enough ? FormatValue(value) : std::string(), " to ",
                              type.ToString(), why.empty() ? "" : ": ", why);
}

struct SignedMagnitude {
  bool negative = false;
  uint64_t magnitude = 0;
};

std::optional<SignedMagnitude> IntegerOf(const Value& value) {
  int64_t number = 0;
  if (const auto* v = value.As<uint64_t>()) return SignedMagnitude{false, *v};
  if (const auto* v = value.As<int64_t>()) {
    number = *v;
  } else if (const auto* w = value.As<int32_t>()) {
    number = *w;
  } else {
    return std::nullopt;
  }
  const auto bits = static_cast<uint64_t>(number);
  return SignedMagnitude{number < 0, number < 0 ? uint64_t{0} - bits : bits};
}

// A whole float64 as an integer; nothing when it has a fraction, is not finite, or leaves 64 bits.
std::optional<SignedMagnitude> WholeNumberOf(double value) {
  constexpr double kTwoTo64 = 18446744073709551616.0;
  const double magnitude = std::fabs(value);
  if (!(magnitude < kTwoTo64) || std::trunc(magnitude) != magnitude) return std::nullopt;
  return SignedMagnitude{std::signbit(value), static_cast<uint64_t>(magnitude)};
}

template <class Float>
absl::StatusOr<Value> IntegerToFloat(const Value& value, const SignedMagnitude& number,
                                     const DataType& type) {
  const auto magnitude = static_cast<Float>(number.magnitude);
  // 2^64 itself does not convert back; every other rounding shows on the way back.
  const bool exact = magnitude < static_cast<Float>(18446744073709551616.0) &&
                     static_cast<uint64_t>(magnitude) == number.magnitude;
  if (!exact) return CannotConvert(value, type, "not exact");
  return Value(number.negative ? -magnitude : magnitude);
}

absl::StatusOr<Value> ConvertNumber(const Value& value, const DataType& type, bool from_text) {
  std::optional<SignedMagnitude> integer = IntegerOf(value);
  if (type.is_integer() || type.id() == TypeId::kInt8) {
    if (const auto* real = value.As<double>(); real != nullptr && from_text) {
      integer = WholeNumberOf(*real);
      if (!integer.has_value()) return CannotConvert(value, type, "not a whole number in range");
    }
    if (!integer.has_value()) return CannotConvert(value, type);
    Value converted;
    if (FitInteger(integer->negative, integer->magnitude, type.id(), &converted)) return converted;
    return CannotConvert(value, type, Concat("out of range", IntegerRangeText(type.id())));
  }
  if (type.id() == TypeId::kFloat64) {
    if (integer.has_value()) return IntegerToFloat<double>(value, *integer, type);
    if (const auto* real = value.As<float>()) return Value(static_cast<double>(*real));
  }
  if (type.id() == TypeId::kFloat32) {
    if (integer.has_value()) return IntegerToFloat<float>(value, *integer, type);
    if (const auto* real = value.As<double>(); real != nullptr && from_text) {
      const auto narrow = static_cast<float>(*real);
      if (std::isinf(narrow) && !std::isinf(*real))
        return CannotConvert(value, type, "out of range");
      return Value(narrow);
    }
  }
  return CannotConvert(value, type);
}

absl::StatusOr<std::vector<Value>> ConvertItems(const ListValue& list, const DataType& type,
                                                bool from_text) {
  std::vector<Value> items;
  items.reserve(list.items.size());
  for (const Value& item : list.items) {
    auto converted = ConvertValue(item, type.element(), from_text);
    if (!converted.ok()) {
      return Annotate(converted.status(),
                      Concat("cannot convert to ", type.ToString(), ", element ", items.size()));
    }
    items.push_back(*std::move(converted));
  }
  return items;
}

template <class Element, class Stored>
absl::StatusOr<Value> ListToVector(const Value& value, const DataType& type,
                                   std::vector<Value> items) {
  if (items.size() != type.length())
    return CannotConvert(value, type, Concat("found ", items.size(), " elements"));
  std::vector<Element> elements;
  elements.reserve(items.size());
  for (const Value& item : items) {
    if (item.is_null()) return CannotConvert(value, type, "a vector holds no nulls");
    elements.push_back(static_cast<Element>(*item.As<Stored>()));
  }
  return Value(std::move(elements));
}

absl::StatusOr<Value> ConvertMap(const MapValue& map, const DataType& type, bool from_text) {
  MapValue converted{type.element(), {}};
  converted.items.reserve(map.items.size());
  for (const auto& [key, item] : map.items) {
    if (!IsValidUtf8(key)) return InvalidArgumentError("map key ", Quoted(key), " is not UTF-8");
    auto value = ConvertValue(item, type.element(), from_text);
    if (!value.ok()) {
      return Annotate(value.status(),
                      Concat("cannot convert to ", type.ToString(), ", key ", Quoted(key)));
    }
    converted.items.emplace_back(key, *std::move(value));
  }
  auto& items = converted.items;
  std::sort(items.begin(), items.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto twice = std::adjacent_find(
      items.begin(), items.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice != items.end())
    return InvalidArgumentError("map key ", Quoted(twice->first), " appears twice");
  return Value(std::move(converted));
}

}  // namespace

absl::StatusOr<Value> ConvertValue(const Value& value, const DataType& type, bool from_text) {
  if (value.is_null()) return Value();
  if (const auto* text = value.As<std::string>()) {
    if (type.id() == TypeId::kString) {
      if (!IsValidUtf8(*text)) return CannotConvert(value, type, "not UTF-8");
      return value;
    }
    if (from_text) return ParseValue(*text, type);
    return CannotConvert(value, type);
  }
  if (type.is_numeric() || type.id() == TypeId::kInt8) {
    if (value.type() == type) return value;
    return ConvertNumber(value, type, from_text);
  }
  if (const auto* list = value.As<ListValue>()) {
    if (type.id() == TypeId::kVector && !from_text) return CannotConvert(value, type);
    if (type.id() != TypeId::kList && type.id() != TypeId::kVector)
      return CannotConvert(value, type);
    LARDER_ASSIGN_OR_RETURN(std::vector<Value> items, ConvertItems(*list, type, from_text));
    if (type.id() == TypeId::kList) return Value(ListValue{type.element(), std::move(items)});
    if (type.element() == TypeId::kInt8)
      return ListToVector<int8_t, int32_t>(value, type, std::move(items));
    return ListToVector<float, float>(value, type, std::move(items));
  }
  if (const auto* map = value.As<MapValue>(); map != nullptr && type.id() == TypeId::kMap) {
    return ConvertMap(*map, type, from_text);
  }
  if (value.type() == type) return value;
  return CannotConvert(value, type);
}

}  // namespace larder::inline LARDER_ABI
