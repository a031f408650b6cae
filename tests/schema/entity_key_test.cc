#include "larder/schema/entity_key.h"

#include <algorithm>
#include <limits>
#include <map>

#include "support/catch.h"
#include "support/random_value.h"

namespace larder {
namespace {

constexpr int64_t kInt64Min = std::numeric_limits<int64_t>::min();
constexpr int64_t kInt64Max = std::numeric_limits<int64_t>::max();
constexpr uint64_t kUint64Max = std::numeric_limits<uint64_t>::max();

std::string Key(const std::vector<Value>& values, const std::vector<DataType>& types) {
  std::string key;
  bool has_null = false;
  const absl::Status status = AppendEntityKey(values, types, &key, &has_null);
  if (!status.ok()) FAIL(status);
  REQUIRE_FALSE(has_null);
  return key;
}

absl::Status KeyError(const std::vector<Value>& values, const std::vector<DataType>& types) {
  std::string key;
  bool has_null = false;
  return AppendEntityKey(values, types, &key, &has_null);
}

TEST_CASE("the stored form of a key is fixed", "[schema][key][format]") {
  const auto bytes = [](const char* text, std::size_t size) { return std::string(text, size); };
  CHECK(Key({int64_t{5}}, {TypeId::kInt64}) == bytes("\x01\x80\0\0\0\0\0\0\x05", 9));
  CHECK(Key({int64_t{-1}}, {TypeId::kInt64}) == bytes("\x01\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9));
  CHECK(Key({kUint64Max}, {TypeId::kUint64}) == bytes("\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 9));
  CHECK(Key({"ab"}, {TypeId::kString}) == bytes("\x03\0\0\0\x02"
                                                "ab",
                                                7));
  CHECK(Key({Bytes{"ab"}}, {TypeId::kBytes}) == bytes("\x04\0\0\0\x02"
                                                      "ab",
                                                      7));
  CHECK(Key({Timestamp{1}}, {TypeId::kTimestamp}) == bytes("\x05\x80\0\0\0\0\0\0\x01", 9));
  CHECK(Key({Date{1}}, {TypeId::kDate}) == bytes("\x06\x80\0\0\0\0\0\0\x01", 9));
  CHECK(Key({true}, {TypeId::kBool}) == bytes("\x07\x01", 2));
  CHECK(Key({}, {}).empty());
}

TEST_CASE("integers of equal value meet, whatever their width or sign", "[schema][key]") {
  const std::string five = Key({5}, {TypeId::kInt32});
  CHECK(Key({int64_t{5}}, {TypeId::kInt64}) == five);
  CHECK(Key({uint64_t{5}}, {TypeId::kUint64}) == five);
  CHECK(Key({int64_t{5}}, {TypeId::kInt32}) == five);
  CHECK(Key({5}, {TypeId::kUint64}) == five);
  CHECK(Key({uint64_t{kInt64Max}}, {TypeId::kUint64}) == Key({kInt64Max}, {TypeId::kInt64}));
  // The same 64 bits, other numbers.
  CHECK(Key({kUint64Max}, {TypeId::kUint64}) != Key({-1}, {TypeId::kInt64}));
  CHECK(Key({uint64_t{1} << 63U}, {TypeId::kUint64}) != Key({kInt64Min}, {TypeId::kInt64}));
}

TEST_CASE("parts never run into each other", "[schema][key]") {
  const std::vector<DataType> ints = {TypeId::kInt64, TypeId::kInt64};
  const std::vector<DataType> texts = {TypeId::kString, TypeId::kString};
  CHECK(Key({1, 11}, ints) != Key({11, 1}, ints));
  CHECK(Key({"1", "11"}, texts) != Key({"11", "1"}, texts));
  CHECK(Key({"", "a"}, texts) != Key({"a", ""}, texts));
  CHECK(Key({"a|b", "c"}, texts) != Key({"a", "b|c"}, texts));
  CHECK(Key({"a"}, {TypeId::kString}) != Key({std::string_view("a\0", 2)}, {TypeId::kString}));
  CHECK(Key({"a"}, {TypeId::kString}) != Key({Bytes{"a"}}, {TypeId::kBytes}));
  CHECK(Key({Timestamp{5}}, {TypeId::kTimestamp}) != Key({5}, {TypeId::kInt64}));
  CHECK(Key({Date{5}}, {TypeId::kDate}) != Key({Timestamp{5}}, {TypeId::kTimestamp}));
  CHECK(Key({true}, {TypeId::kBool}) != Key({1}, {TypeId::kInt64}));
}

TEST_CASE("the declared type decides what text and digits mean", "[schema][key]") {
  CHECK(Key({"5"}, {TypeId::kInt64}) == Key({5}, {TypeId::kInt64}));
  CHECK(Key({" 5.0 "}, {TypeId::kInt32}) == Key({5}, {TypeId::kInt64}));
  CHECK(Key({5}, {TypeId::kString}) == Key({"5"}, {TypeId::kString}));
  CHECK(Key({kUint64Max}, {TypeId::kString}) == Key({"18446744073709551615"}, {TypeId::kString}));
  CHECK(Key({int64_t{-7}}, {TypeId::kString}) == Key({"-7"}, {TypeId::kString}));
  CHECK(Key({"5"}, {TypeId::kString}) != Key({5}, {TypeId::kInt64}));
  CHECK(Key({"05"}, {TypeId::kString}) != Key({"5"}, {TypeId::kString}));
  CHECK(Key({"true"}, {TypeId::kBool}) == Key({true}, {TypeId::kBool}));
  CHECK(Key({"1970-01-02"}, {TypeId::kDate}) == Key({Date{1}}, {TypeId::kDate}));
  CHECK(Key({"1970-01-01T00:00:01+00:00"}, {TypeId::kTimestamp}) ==
        Key({Timestamp{1'000'000}}, {TypeId::kTimestamp}));
}

TEST_CASE("keys outside their type are errors, never other keys", "[schema][key]") {
  struct Case {
    Value value;
    DataType type;
    std::string message;
  };
  const std::vector<Case> cases = {
      {int64_t{3'000'000'000}, TypeId::kInt32,
       "cannot convert int64 3000000000 to int32: out of range"},
      {"3000000000", TypeId::kInt32, "cannot read \"3000000000\" as int32: out of range"},
      {-1, TypeId::kUint64, "out of range"},
      {kUint64Max, TypeId::kInt64, "out of range"},
      {"abc", TypeId::kInt64, "cannot read \"abc\" as int64"},
      {"", TypeId::kInt64, "cannot read"},
      {5.0, TypeId::kInt64, "found float64, expected int64"},
      {5.0, TypeId::kString, "found float64, expected string"},
      {true, TypeId::kInt64, "found bool, expected int64"},
      {1, TypeId::kBool, "found int32, expected bool"},
      {int64_t{5}, TypeId::kTimestamp, "found int64, expected timestamp"},
      {Date{5}, TypeId::kTimestamp, "found date, expected timestamp"},
      {Bytes{"a"}, TypeId::kString, "found bytes, expected string"},
      {"YQ==", TypeId::kBytes, "found string, expected bytes"},
      {"\xFF", TypeId::kString, "not UTF-8"},
      {1.5, TypeId::kFloat64, "float64 cannot be a join key"},
      {Duration{1}, TypeId::kDuration, "duration cannot be a join key"},
  };
  for (const Case& c : cases) {
    const absl::Status status = KeyError({1, c.value}, {TypeId::kInt64, c.type});
    INFO(c.message);
    CHECK(status.code() == absl::StatusCode::kInvalidArgument);
    CHECK_THAT(std::string(MessageOf(status)),
               larder_test::StartsWith("entity key, part 2 of 2: "));
    CHECK_THAT(std::string(MessageOf(status)), larder_test::ContainsSubstring(c.message));
  }
  CHECK(MessageOf(KeyError({1}, {TypeId::kInt64, TypeId::kInt64})) ==
        "entity key: found 1 values, expected 2");
}

TEST_CASE("a null part says so and does not hide errors in the others", "[schema][key]") {
  std::string key;
  bool has_null = false;
  const std::vector<DataType> types = {TypeId::kInt64, TypeId::kInt32};
  CHECK(AppendEntityKey(std::vector<Value>{{}, 5}, types, &key, &has_null).ok());
  CHECK(has_null);
  CHECK_FALSE(AppendEntityKey(std::vector<Value>{{}, "x"}, types, &key, &has_null).ok());
  has_null = true;
  key.clear();
  CHECK(AppendEntityKey(std::vector<Value>{4, 5}, types, &key, &has_null).ok());
  CHECK(has_null);
}

TEST_CASE("a key may have 440 bytes and not one more", "[schema][key]") {
  const std::size_t text_max = kEntityKeySizeMax - 5;
  CHECK(Key({std::string(text_max, 'x')}, {TypeId::kString}).size() == kEntityKeySizeMax);
  const absl::Status status = KeyError({std::string(text_max + 1, 'x')}, {TypeId::kString});
  CHECK(KindOf(status) == ErrorKind::kTooLarge);
  CHECK(MessageOf(status) == "entity key: 441 bytes, limit 440");
  // What stood before the key does not count.
  std::string key(500, 'p');
  bool has_null = false;
  CHECK(
      AppendEntityKey(std::vector<Value>{5}, std::vector<DataType>{TypeId::kInt64}, &key, &has_null)
          .ok());
  CHECK(key.size() == 509);
}

TEST_CASE("keys of one typed column sort as their values do", "[schema][key][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int i = 0; i < 20'000; ++i) {
    const int64_t a = random.AnyInteger();
    const int64_t b = random.AnyInteger();
    REQUIRE((Key({a}, {TypeId::kInt64}) < Key({b}, {TypeId::kInt64})) == (a < b));
    const auto ua = static_cast<uint64_t>(a);
    const auto ub = static_cast<uint64_t>(b);
    REQUIRE((Key({ua}, {TypeId::kUint64}) < Key({ub}, {TypeId::kUint64})) == (ua < ub));
    REQUIRE((Key({Timestamp{a}}, {TypeId::kTimestamp}) <
             Key({Timestamp{b}}, {TypeId::kTimestamp})) == (a < b));
  }
}

DataType RandomKeyType(larder_test::Random& random) {
  DataType type = larder_test::RandomScalarType(random);
  while (!type.is_key_type()) type = larder_test::RandomScalarType(random);
  return type;
}

// Equal exactly when two tuples are the same key: integers by value, everything else by type and
// value.
std::string Meaning(const Value& value) {
  const DataType type = value.type();
  const std::string name = type.is_integer() ? "integer" : type.ToString();
  return name + ":" + std::to_string(FormatValue(value).size()) + ":" + FormatValue(value);
}

TEST_CASE("different tuples never share bytes, and none begins another", "[schema][key][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  std::map<std::string, std::string> seen;
  for (int i = 0; i < 100'000; ++i) {
    std::vector<DataType> types;
    std::vector<Value> values;
    std::string meaning;
    for (int64_t n = random.Between(1, 3); n > 0; --n) {
      types.push_back(RandomKeyType(random));
      // Text and bytes of the same few bytes, NUL and 0xFF among them.
      if (types.back().id() == TypeId::kBytes && random.OneIn(2)) {
        values.emplace_back(Bytes{random.Text(4, std::string("\0\1\3a\xFF", 5))});
      } else if (types.back().id() == TypeId::kString && random.OneIn(2)) {
        values.emplace_back(random.Text(4, std::string("\0\1\3a", 4)));
      } else {
        values.push_back(larder_test::RandomValue(random, types.back()));
      }
      meaning += Meaning(values.back()) + ";";
    }
    const std::string key = Key(values, types);
    const auto [at, added] = seen.emplace(key, meaning);
    if (!added && at->second != meaning) FAIL(at->second << " and " << meaning);
    const auto decoded = DecodeEntityKey(key, types);
    REQUIRE(decoded.ok());
    REQUIRE(*decoded == values);
  }
  std::map<std::string, int> meanings;
  for (const auto& [key, meaning] : seen) REQUIRE(++meanings[meaning] == 1);
}

TEST_CASE("of two keys with the same types neither begins the other", "[schema][key][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  const std::vector<DataType> types = {TypeId::kString, TypeId::kBytes};
  const std::string alphabet("\0\1\3a", 4);
  std::map<std::string, int> keys;
  for (int i = 0; i < 20'000; ++i) {
    keys[Key({random.Text(5, alphabet), Bytes{random.Text(5, alphabet)}}, types)] = 1;
  }
  const std::string* previous = nullptr;
  for (const auto& [key, unused] : keys) {
    if (previous != nullptr) REQUIRE(key.compare(0, previous->size(), *previous) != 0);
    previous = &key;
  }
}

TEST_CASE("bytes that are no key are refused, cut and changed ones too", "[schema][key][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int i = 0; i < 20'000; ++i) {
    std::vector<DataType> types;
    std::vector<Value> values;
    for (int64_t n = random.Between(1, 3); n > 0; --n) {
      types.push_back(RandomKeyType(random));
      values.push_back(larder_test::RandomValue(random, types.back()));
    }
    const std::string key = Key(values, types);
    const auto cut =
        static_cast<std::size_t>(random.Between(0, static_cast<int64_t>(key.size()) - 1));
    const auto status = DecodeEntityKey(key.substr(0, cut), types).status();
    REQUIRE(status.code() == absl::StatusCode::kDataLoss);
    REQUIRE(KindOf(status) == ErrorKind::kCorrupt);
    REQUIRE_FALSE(DecodeEntityKey(key + '\0', types).ok());
    std::string changed = key;
    changed[cut] = static_cast<char>(random.Bits());
    // Whatever decodes encodes to the same bytes again: there is one form of a key.
    if (const auto decoded = DecodeEntityKey(changed, types); decoded.ok()) {
      REQUIRE(Key(*decoded, types) == changed);
    }
  }
}

TEST_CASE("a key is not read as another type than it was written", "[schema][key]") {
  const std::string big = Key({int64_t{3'000'000'000}}, {TypeId::kInt64});
  CHECK_FALSE(DecodeEntityKey(big, std::vector<DataType>{TypeId::kInt32}).ok());
  CHECK(DecodeEntityKey(big, std::vector<DataType>{TypeId::kUint64})->at(0) ==
        Value(uint64_t{3'000'000'000}));
  CHECK_FALSE(DecodeEntityKey(big, std::vector<DataType>{TypeId::kTimestamp}).ok());
  CHECK_FALSE(DecodeEntityKey(big, std::vector<DataType>{TypeId::kFloat64}).ok());
  // A small number under the tag of large ones would be a second form of it.
  std::string twin("\x02\0\0\0\0\0\0\0\x05", 9);
  CHECK_FALSE(DecodeEntityKey(twin, std::vector<DataType>{TypeId::kUint64}).ok());
}

}  // namespace
}  // namespace larder
