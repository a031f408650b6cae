// Random values and random text: round trips, canonical bytes, and whole numbers against a twin.
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>

#include "larder/base/text.h"
#include "larder/schema/value.h"
#include "support/catch.h"
#include "support/random_value.h"

namespace larder {
namespace {

TEST_CASE("every value reads back from its text", "[schema][text][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int i = 0; i < 50'000; ++i) {
    const DataType type = larder_test::RandomType(random);
    const Value value = larder_test::RandomValue(random, type);
    REQUIRE(value.type() == type);
    const std::string text = FormatValue(value);
    const auto parsed = ParseValue(text, type);
    if (!parsed.ok()) FAIL(Quoted(text) << ": " << parsed.status());
    if (!(*parsed == value)) FAIL(Quoted(text) << " came back as " << Quoted(FormatValue(*parsed)));
    REQUIRE(*ConvertValue(value, type) == value);
  }
}

TEST_CASE("canonical bytes are equal exactly when values are", "[schema][value][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  std::map<std::string, Value> seen;
  for (int i = 0; i < 30'000; ++i) {
    const Value value = random.OneIn(50)
                            ? Value()
                            : larder_test::RandomValue(random, larder_test::RandomType(random));
    std::string bytes;
    AppendCanonicalBytes(value, &bytes);
    const auto [at, added] = seen.emplace(bytes, value);
    if (!added) REQUIRE(at->second == value);
    std::string again;
    AppendCanonicalBytes(Value(value), &again);
    REQUIRE(again == bytes);
  }
  // Self-delimiting: no value's bytes begin another's.
  const std::string* previous = nullptr;
  for (const auto& [bytes, value] : seen) {
    if (previous != nullptr) REQUIRE(bytes.compare(0, previous->size(), *previous) != 0);
    previous = &bytes;
  }
}

TEST_CASE("different values close to each other have different bytes", "[schema][value]") {
  const std::vector<Value> values = {{},
                                     false,
                                     true,
                                     0,
                                     int64_t{0},
                                     uint64_t{0},
                                     0.0F,
                                     -0.0F,
                                     0.0,
                                     -0.0,
                                     "",
                                     std::string(1, '\0'),
                                     Bytes{""},
                                     Timestamp{0},
                                     Date{0},
                                     Duration{0},
                                     std::vector<float>{},
                                     std::vector<float>{0},
                                     std::vector<int8_t>{},
                                     std::vector<int8_t>{0, 0, 0, 0},
                                     ListValue{TypeId::kInt64, {}},
                                     ListValue{TypeId::kInt32, {}},
                                     ListValue{TypeId::kInt64, {Value()}},
                                     ListValue{TypeId::kInt64, {Value(), Value()}},
                                     ListValue{TypeId::kString, {"a", "b"}},
                                     ListValue{TypeId::kString, {"ab"}},
                                     MapValue{TypeId::kInt64, {}},
                                     MapValue{TypeId::kFloat64, {}},
                                     MapValue{TypeId::kInt64, {{"a", {}}}},
                                     MapValue{TypeId::kInt64, {{"a", int64_t{0}}}}};
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t j = 0; j < values.size(); ++j) {
      std::string a;
      std::string b;
      AppendCanonicalBytes(values[i], &a);
      AppendCanonicalBytes(values[j], &b);
      INFO(i << " and " << j);
      CHECK((a == b) == (i == j));
      CHECK((values[i] == values[j]) == (i == j));
    }
  }
}

TEST_CASE("random text is refused or read to a value that reads back", "[schema][text][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  using std::string_literals::operator""s;
  const std::string alphabet = "0123456789+-.eEnaifNI[]{}\",:\\utrlsT \0\xFF"s;
  int64_t accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    const DataType type = larder_test::RandomType(random);
    std::string text;
    if (random.OneIn(3)) {
      text = random.Text(20, alphabet);
    } else {
      text = FormatValue(larder_test::RandomValue(random, type));
      if (!text.empty()) {
        const auto at =
            static_cast<std::size_t>(random.Between(0, static_cast<int64_t>(text.size()) - 1));
        if (random.OneIn(2)) {
          text.erase(at, 1);
        } else {
          text.insert(at, random.Text(2, alphabet));
        }
      }
    }
    TextNotes notes;
    const auto parsed = ParseValue(text, type, {}, &notes);
    if (!parsed.ok()) {
      REQUIRE(parsed.status().code() == absl::StatusCode::kInvalidArgument);
      REQUIRE(IsValidUtf8(MessageOf(parsed.status())));
      continue;
    }
    ++accepted;
    REQUIRE(parsed->type() == type);
    REQUIRE(*ParseValue(FormatValue(*parsed), type) == *parsed);
  }
  CHECK(accepted > 1'000);
}

TEST_CASE("floats are read as the C library reads them", "[schema][text][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int i = 0; i < 50'000; ++i) {
    std::string text = random.OneIn(2) ? "-" : "";
    text += random.Text(24, "0123456789");
    if (random.OneIn(2)) text += "." + random.Text(24, "0123456789");
    if (random.OneIn(2)) text += Concat("e", random.Between(-340, 320));
    const auto parsed = ParseValue(text, TypeId::kFloat64);
    char* end = nullptr;
    const double expected = std::strtod(text.c_str(), &end);
    INFO(text);
    if (end != text.c_str() + text.size() || text.empty() || std::isinf(expected)) {
      REQUIRE_FALSE(parsed.ok());
    } else {
      REQUIRE(parsed.ok());
      REQUIRE(*parsed == Value(expected));
    }
    const auto narrow = ParseValue(text, TypeId::kFloat32);
    const float expected_narrow = std::strtof(text.c_str(), &end);
    REQUIRE(narrow.ok() == (parsed.ok() && !std::isinf(expected_narrow)));
    if (narrow.ok()) REQUIRE(*narrow == Value(expected_narrow));
  }
}

// Whole numbers by moving the point in a string of digits.
std::string WholeNumberNaive(const std::string& digits, int64_t point) {
  std::string whole;
  for (int64_t i = 0; i < std::max<int64_t>(point, static_cast<int64_t>(digits.size())); ++i) {
    const char c =
        i < static_cast<int64_t>(digits.size()) ? digits[static_cast<std::size_t>(i)] : '0';
    if (i >= point) {
      if (c != '0') return "";
    } else if (!(whole.empty() && c == '0')) {
      whole.push_back(c);
    }
  }
  return whole.empty() ? "0" : whole;
}

TEST_CASE("decimals are whole exactly when moving the point says so", "[schema][text][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  int64_t accepted = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string digits = "1" + random.Text(18, "0001239");
    const int64_t exponent = random.Between(-20, 20);
    const auto point = random.Between(0, static_cast<int64_t>(digits.size()));
    std::string text = digits;
    text.insert(static_cast<std::size_t>(point), ".");
    text += Concat("e", exponent);
    const std::string expected = WholeNumberNaive(digits, point + exponent);
    const auto parsed = ParseValue(text, TypeId::kUint64);
    INFO(text << " is " << expected);
    const bool fits =
        !expected.empty() &&
        (expected.size() < 20 || (expected.size() == 20 && expected <= "18446744073709551615"));
    REQUIRE(parsed.ok() == fits);
    if (fits) {
      ++accepted;
      REQUIRE(FormatValue(*parsed) == expected);
    }
  }
  CHECK(accepted > 1'000);
}

}  // namespace
}  // namespace larder
