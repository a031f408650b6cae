// Random types and values, extreme ones included.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "larder/schema/data_type.h"
#include "larder/schema/value.h"
#include "support/random.h"

namespace larder_test {

inline larder::TypeId RandomScalarType(Random& random) {
  return static_cast<larder::TypeId>(random.Between(1, 11));
}

inline larder::DataType RandomType(Random& random) {
  using larder::DataType;
  using larder::TypeId;
  switch (random.Between(0, 9)) {
    case 0:
      return DataType::Vector(random.OneIn(2) ? TypeId::kInt8 : TypeId::kFloat32,
                              static_cast<uint32_t>(random.Between(1, 9)));
    case 1:
      return DataType::List(RandomScalarType(random));
    case 2:
      return DataType::Map(random.OneIn(2) ? TypeId::kInt64 : TypeId::kFloat64);
    default:
      return RandomScalarType(random);
  }
}

// Any bits; NaN only as the one NaN text can carry.
template <class Float, class Bits>
Float RandomFloat(Random& random) {
  if (random.OneIn(3)) return static_cast<Float>(random.Between(-1000, 1000)) / 8;
  const auto value = std::bit_cast<Float>(static_cast<Bits>(random.Bits()));
  return std::isnan(value) ? std::numeric_limits<Float>::quiet_NaN() : value;
}

inline std::string RandomUtf8(Random& random, std::size_t pieces_max = 6) {
  static const std::vector<std::string> kPieces = {"a",
                                                   "Z",
                                                   "0",
                                                   " ",
                                                   "\"",
                                                   "\\",
                                                   "/",
                                                   "\n",
                                                   std::string(1, '\0'),
                                                   "\x1f",
                                                   ",",
                                                   "]",
                                                   "{",
                                                   "null",
                                                   "\xC3\xA9",
                                                   "\xE2\x82\xAC",
                                                   "\xF0\x9F\x98\x80",
                                                   "\x7f"};
  std::string text;
  for (int64_t n = random.Between(0, static_cast<int64_t>(pieces_max)); n > 0; --n) {
    const auto last = static_cast<int64_t>(kPieces.size()) - 1;
    text += kPieces[static_cast<std::size_t>(random.Between(0, last))];
  }
  return text;
}

inline std::string RandomBytes(Random& random, std::size_t size_max = 12) {
  std::string bytes(static_cast<std::size_t>(random.Between(0, static_cast<int64_t>(size_max))),
                    '\0');
  for (char& c : bytes) c = static_cast<char>(random.OneIn(3) ? 0 : random.Bits());
  return bytes;
}

// Never null itself; lists and maps hold nulls.
inline larder::Value RandomValue(Random& random, const larder::DataType& type) {
  using larder::TypeId;
  using larder::Value;
  const auto item = [&]() -> Value {
    if (random.OneIn(5)) return {};
    return RandomValue(random, type.element());
  };
  switch (type.id()) {
    case TypeId::kBool:
      return random.OneIn(2);
    case TypeId::kInt8:
      return static_cast<int32_t>(random.Between(-128, 127));
    case TypeId::kInt32:
      return static_cast<int32_t>(random.AnyInteger());
    case TypeId::kInt64:
      return random.AnyInteger();
    case TypeId::kUint64:
      return static_cast<uint64_t>(random.AnyInteger());
    case TypeId::kFloat32:
      return RandomFloat<float, uint32_t>(random);
    case TypeId::kFloat64:
      return RandomFloat<double, uint64_t>(random);
    case TypeId::kString:
      return RandomUtf8(random);
    case TypeId::kBytes:
      return larder::Bytes{RandomBytes(random)};
    case TypeId::kTimestamp:
      return larder::Timestamp{random.AnyInteger()};
    case TypeId::kDate:
      return larder::Date{static_cast<int32_t>(random.AnyInteger())};
    case TypeId::kDuration:
      return larder::Duration{random.AnyInteger()};
    case TypeId::kVector: {
      if (type.element() == TypeId::kInt8) {
        std::vector<int8_t> elements(type.length());
        for (int8_t& element : elements) element = static_cast<int8_t>(random.Bits());
        return elements;
      }
      std::vector<float> elements(type.length());
      for (float& element : elements) element = RandomFloat<float, uint32_t>(random);
      return elements;
    }
    case TypeId::kList: {
      larder::ListValue list{type.element(), {}};
      for (int64_t n = random.Between(0, 4); n > 0; --n) list.items.push_back(item());
      return list;
    }
    case TypeId::kMap: {
      larder::MapValue map{type.element(), {}};
      std::vector<std::string> keys;
      for (int64_t n = random.Between(0, 4); n > 0; --n) keys.push_back(RandomUtf8(random, 3));
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
      for (std::string& key : keys) map.items.emplace_back(std::move(key), item());
      return map;
    }
  }
  return {};
}

}  // namespace larder_test
