#include "larder/io/csv_writer.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>
#include <string>

#include <unistd.h>

#include "io/text_source.h"
#include "support/catch.h"

using larder::Batch;
using larder::Column;
using larder::DataType;
using larder::TypeId;
using larder_test::MakeField;
using larder_test::MakeSource;

namespace {

std::string TextOf(const Batch& batch, const std::vector<larder::Field>& fields,
                   larder::CsvWriteOptions options = {}) {
  std::string text;
  auto writer = larder::WriteCsvText(&text, fields, options);
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(batch).ok());
  REQUIRE((*writer)->Finish().ok());
  return text;
}

Batch OneColumn(const std::string& name, DataType type, const std::vector<larder::Value>& values) {
  Column column(type);
  for (const auto& value : values) REQUIRE(column.Append(value).ok());
  Batch batch;
  REQUIRE(batch.AddColumn(name, std::move(column)).ok());
  return batch;
}

std::string Slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("null and the empty string stay two different things", "[io][csv]") {
  const std::vector<larder::Field> fields = {MakeField("s", TypeId::kString),
                                             MakeField("n", TypeId::kInt64)};
  Batch batch;
  Column s(TypeId::kString);
  Column n(TypeId::kInt64);
  s.AppendNull();
  s.AppendText("");
  s.AppendText("a,b\"c\nd");
  s.AppendText(" x");
  for (int64_t i = 0; i < 3; ++i) n.AppendFixed(i);
  n.AppendNull();
  REQUIRE(batch.AddColumn("s", s).ok());
  REQUIRE(batch.AddColumn("n", n).ok());
  const std::string text = TextOf(batch, fields);
  CHECK(text == "s,n\n,0\n\"\",1\n\"a,b\"\"c\nd\",2\n\" x\",\n");
  const auto back = larder_test::ReadText(text, MakeSource(fields));
  REQUIRE(back.ok());
  CHECK(back->column(0) == s);
  CHECK(back->column(1) == n);
}

TEST_CASE("every value of every type is read back to the same bits", "[io][csv]") {
  using larder::Value;
  const double inf = std::numeric_limits<double>::infinity();
  larder::ListValue list;
  list.element = TypeId::kInt64;
  list.items = {Value(int64_t{1}), Value(), Value(int64_t{-3})};
  larder::MapValue map;
  map.value = TypeId::kFloat64;
  map.items = {{"a\"b", Value(0.5)}, {"c", Value(2.0)}};
  const std::vector<std::pair<DataType, std::vector<Value>>> cases = {
      {TypeId::kBool, {true, false, Value()}},
      {TypeId::kInt32, {int32_t{-1}, std::numeric_limits<int32_t>::min(), Value()}},
      {TypeId::kInt64,
       {std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(), Value()}},
      {TypeId::kUint64, {std::numeric_limits<uint64_t>::max(), Value()}},
      {TypeId::kFloat32, {0.1F, -0.0F, 1e-45F, Value(), std::numeric_limits<float>::infinity()}},
      {TypeId::kFloat64, {0.1, -0.0, 5e-324, 1.7976931348623157e308, inf, -inf, Value(), 1.0 / 3}},
      {TypeId::kString, {"", "x", Value(), "\xEF\xBB\xBFx", "line\r\nend", "\"", ","}},
      {TypeId::kBytes, {larder::Bytes{std::string("\0\xFF\n", 3)}, Value()}},
      {TypeId::kTimestamp, {larder::Timestamp{-1}, larder::Timestamp{1672531481'000'001}, Value()}},
      {TypeId::kDate, {larder::Date{-1}, larder::Date{20000}, Value()}},
      {TypeId::kDuration,
       {larder::Duration{90'000'000}, larder::Duration{-1}, larder::Duration{0}, Value()}},
      {DataType::Vector(TypeId::kFloat32, 2), {std::vector<float>{1.5F, -0.1F}, Value()}},
      {DataType::Vector(TypeId::kInt8, 3), {std::vector<int8_t>{1, -128, 127}, Value()}},
      {DataType::List(TypeId::kInt64), {list, Value()}},
      {DataType::Map(TypeId::kFloat64), {map, Value()}},
  };
  for (const auto& [type, values] : cases) {
    CAPTURE(type.ToString());
    const std::vector<larder::Field> fields = {MakeField("v", type)};
    const Batch batch = OneColumn("v", type, values);
    const std::string text = TextOf(batch, fields);
    CAPTURE(text);
    const auto back = larder_test::ReadText(text, MakeSource(fields));
    REQUIRE(back.ok());
    CHECK(back->column(0) == batch.column(0));
  }
}

TEST_CASE("random doubles and floats keep their bits through text", "[io][csv][random]") {
  const char* fixed = std::getenv("LARDER_SEED");
  const uint64_t seed =
      fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  Column doubles(TypeId::kFloat64);
  Column floats(TypeId::kFloat32);
  while (doubles.size() < 20'000) {
    const uint64_t bits = random();
    double d = 0;
    float f = 0;
    std::memcpy(&d, &bits, 8);
    std::memcpy(&f, &bits, 4);
    if (std::isnan(d) || std::isnan(f)) continue;
    doubles.AppendFixed(d);
    floats.AppendFixed(f);
  }
  Batch batch;
  REQUIRE(batch.AddColumn("d", doubles).ok());
  REQUIRE(batch.AddColumn("f", floats).ok());
  const std::vector<larder::Field> fields = {MakeField("d", TypeId::kFloat64),
                                             MakeField("f", TypeId::kFloat32)};
  const auto back = larder_test::ReadText(TextOf(batch, fields), MakeSource(fields));
  REQUIRE(back.ok());
  CHECK(back->column(0) == doubles);
  CHECK(back->column(1) == floats);
}

TEST_CASE("a file has its name only once it is finished", "[io][csv]") {
  std::string folder = "/tmp/larder-csv-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::string path = folder + "/out.csv";
  const std::vector<larder::Field> fields = {MakeField("v", TypeId::kInt64)};
  const Batch batch = OneColumn("v", TypeId::kInt64, {int64_t{1}});
  std::ofstream(path) << "old";
  {
    auto writer = larder::CreateCsv(path, fields);
    REQUIRE(writer.ok());
    REQUIRE((*writer)->Write(batch).ok());
    CHECK(Slurp(path) == "old");
  }
  CHECK(Slurp(path) == "old");
  {
    auto writer = larder::CreateCsv(path, fields);
    REQUIRE(writer.ok());
    REQUIRE((*writer)->Write(batch).ok());
    REQUIRE((*writer)->Finish().ok());
    CHECK((*writer)->rows_written() == 1);
  }
  CHECK(Slurp(path) == "v\n1\n");
  REQUIRE(std::system(("test $(ls " + folder + " | wc -l) = 1 && rm -r " + folder).c_str()) == 0);
  CHECK(larder::CreateCsv(folder + "/gone/out.csv", fields).status().code() ==
        absl::StatusCode::kNotFound);
}

TEST_CASE("batches of other columns and headers that cannot be read back are refused",
          "[io][csv]") {
  std::string text;
  const std::vector<larder::Field> fields = {MakeField("v", TypeId::kInt64)};
  auto writer = larder::WriteCsvText(&text, fields);
  REQUIRE(writer.ok());
  CHECK((*writer)->Write(OneColumn("w", TypeId::kInt64, {})).code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK((*writer)->Write(OneColumn("v", TypeId::kInt32, {})).code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK((*writer)->Write(Batch()).code() == absl::StatusCode::kInvalidArgument);
  CHECK_FALSE(larder::WriteCsvText(&text, {}).ok());
  const std::vector<larder::Field> twice = {fields[0], fields[0]};
  CHECK_FALSE(larder::WriteCsvText(&text, twice).ok());
  larder::CsvWriteOptions options;
  for (const char delimiter : {'"', '\n', 'a', '1', '-', '.'}) {
    options.delimiter = delimiter;
    CHECK_FALSE(larder::WriteCsvText(&text, fields, options).ok());
  }
}
