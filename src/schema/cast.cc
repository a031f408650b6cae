#include "larder/schema/cast.h"

#include <cmath>
#include <limits>
#include <type_traits>

namespace larder::inline LARDER_ABI {
namespace {

bool IsTarget(TypeId id) {
  return id == TypeId::kBool || id == TypeId::kInt32 || id == TypeId::kInt64 ||
         id == TypeId::kUint64 || id == TypeId::kFloat32 || id == TypeId::kFloat64;
}

double AsDouble(const Number& number) {
  switch (number.kind) {
    case Number::Kind::kSigned:
      return static_cast<double>(number.i);
    case Number::Kind::kUnsigned:
      return static_cast<double>(number.u);
    case Number::Kind::kFloat:
      return number.f;
  }
  return number.f;
}

// Rounded once: by way of a double an integer would be rounded twice.
float AsFloat(const Number& number) {
  switch (number.kind) {
    case Number::Kind::kSigned:
      return static_cast<float>(number.i);
    case Number::Kind::kUnsigned:
      return static_cast<float>(number.u);
    case Number::Kind::kFloat:
      return static_cast<float>(number.f);
  }
  return 0;
}

constexpr double kTwo31 = 2147483648.0;
constexpr double kTwo63 = 9223372036854775808.0;
constexpr double kTwo64 = 18446744073709551616.0;

std::optional<Number> ToSigned(const Number& number, int64_t low, int64_t high) {
  if (number.kind == Number::Kind::kFloat) {
    const double limit = high == std::numeric_limits<int32_t>::max() ? kTwo31 : kTwo63;
    const double whole = std::rint(number.f);
    if (!(whole >= -limit && whole < limit)) return std::nullopt;
    return Number::Signed(static_cast<int64_t>(whole));
  }
  if (number.kind == Number::Kind::kUnsigned) {
    if (number.u > static_cast<uint64_t>(high)) return std::nullopt;
    return Number::Signed(static_cast<int64_t>(number.u));
  }
  if (number.i < low || number.i > high) return std::nullopt;
  return number;
}

std::optional<Number> ToUnsigned(const Number& number) {
  if (number.kind == Number::Kind::kFloat) {
    const double whole = std::rint(number.f);
    if (!(whole >= 0 && whole < kTwo64)) return std::nullopt;
    return Number::Unsigned(static_cast<uint64_t>(whole));
  }
  if (number.kind == Number::Kind::kUnsigned) return number;
  if (number.i < 0) return std::nullopt;
  return Number::Unsigned(static_cast<uint64_t>(number.i));
}

Number NumberOf(const Value& value) {
  return std::visit(
      [](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, uint64_t>) {
          return Number::Unsigned(v);
        } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
          return Number::Float(static_cast<double>(v));
        } else if constexpr (std::is_same_v<T, bool>) {
          return Number::Signed(v ? 1 : 0);
        } else if constexpr (std::is_same_v<T, int32_t> || std::is_same_v<T, int64_t>) {
          return Number::Signed(v);
        } else if constexpr (std::is_same_v<T, Timestamp> || std::is_same_v<T, Duration>) {
          return Number::Signed(v.us);
        } else if constexpr (std::is_same_v<T, Date>) {
          return Number::Signed(v.days);
        } else {
          return Number{};  // excluded by CanCast
        }
      },
      value.variant());
}

}  // namespace

bool CanCast(const DataType& from, const DataType& to) {
  if (from == to) return true;
  const bool counts = IsTarget(from.id()) || from.id() == TypeId::kDate ||
                      from.id() == TypeId::kTimestamp || from.id() == TypeId::kDuration;
  return counts && IsTarget(to.id());
}

std::optional<Number> CastNumber(const Number& number, TypeId to) {
  switch (to) {
    case TypeId::kBool: {
      if (number.kind == Number::Kind::kFloat && std::isnan(number.f)) return std::nullopt;
      const bool is_zero =
          number.kind == Number::Kind::kFloat ? number.f == 0 : number.i == 0 && number.u == 0;
      return Number::Signed(is_zero ? 0 : 1);
    }
    case TypeId::kInt32:
      return ToSigned(number, std::numeric_limits<int32_t>::min(),
                      std::numeric_limits<int32_t>::max());
    case TypeId::kInt64:
      return ToSigned(number, std::numeric_limits<int64_t>::min(),
                      std::numeric_limits<int64_t>::max());
    case TypeId::kUint64:
      return ToUnsigned(number);
    case TypeId::kFloat32: {
      const float narrow = AsFloat(number);
      const bool was_finite = number.kind != Number::Kind::kFloat || std::isfinite(number.f);
      if (was_finite && !std::isfinite(narrow)) return std::nullopt;
      return Number::Float(static_cast<double>(narrow));
    }
    default:
      return Number::Float(AsDouble(number));
  }
}

Value CastValue(const Value& value, const DataType& to) {
  if (value.is_null() || value.type() == to) return value;
  const std::optional<Number> number = CastNumber(NumberOf(value), to.id());
  if (!number) return {};
  switch (to.id()) {
    case TypeId::kBool:
      return number->i != 0;
    case TypeId::kInt32:
      return static_cast<int32_t>(number->i);
    case TypeId::kInt64:
      return number->i;
    case TypeId::kUint64:
      return number->u;
    case TypeId::kFloat32:
      return static_cast<float>(number->f);
    default:
      return number->f;
  }
}

}  // namespace larder::inline LARDER_ABI
