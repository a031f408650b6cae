#include "larder/io/ndjson_reader.h"

#include <string>

#include "io/text_source.h"
#include "support/catch.h"

using larder::DataType;
using larder::TypeId;
using larder_test::Dump;
using larder_test::MakeField;
using larder_test::MakeSource;

namespace {

std::string DumpLines(const std::string& text, const larder::Source& source,
                      bool show_values = true) {
  larder::TextReadOptions options;
  options.show_values = show_values;
  auto reader = larder::OpenNdjsonText(text, "rows.ndjson", source, options);
  REQUIRE(reader.ok());
  const auto batch = larder::ReadAll(**reader);
  return batch.ok() ? Dump(*batch) : "error: " + std::string(larder::MessageOf(batch.status()));
}

std::string DumpOne(const std::string& json, DataType type, const std::string& unit = "") {
  return DumpLines("{\"a\": " + json + "}\n", MakeSource({MakeField("a", type, unit)}));
}

}  // namespace

TEST_CASE("members are read as their declared types", "[io][ndjson]") {
  struct Case {
    const char* json;
    DataType type;
    const char* unit;
    const char* expected;
  };
  const Case cases[] = {
      {"5", TypeId::kInt64, "", "5"},
      {"\"5\"", TypeId::kInt64, "", "5"},
      {"5.0", TypeId::kInt64, "", "5"},
      {"18446744073709551615", TypeId::kUint64, "", "18446744073709551615"},
      {"-9223372036854775808", TypeId::kInt64, "", "-9223372036854775808"},
      {"0.1", TypeId::kFloat64, "", "0.1"},
      {"0.1", TypeId::kFloat32, "", "0.1"},
      {"\"NaN\"", TypeId::kFloat64, "", "NaN"},
      {"true", TypeId::kBool, "", "true"},
      {"\"\"", TypeId::kString, "", "''"},
      {"\"\\u00e9\\n\"", TypeId::kString, "", "'\xC3\xA9\n'"},
      {"\"2024-01-01T00:00:00Z\"", TypeId::kTimestamp, "", "2024-01-01T00:00:00Z"},
      {"1672531481", TypeId::kTimestamp, "s", "2023-01-01T00:04:41Z"},
      {"1698883648000.0", TypeId::kTimestamp, "ms", "2023-11-02T00:07:28Z"},
      {"[1, 2.5]", DataType::Vector(TypeId::kFloat32, 2), "", "[1,2.5]"},
      {"[1, null]", DataType::List(TypeId::kInt64), "", "[1,null]"},
      {"{\"x\": 1}", DataType::Map(TypeId::kInt64), "", "{\"x\":1}"},
      {"null", TypeId::kInt64, "", "null"},
      {"\"\"", TypeId::kInt64, "", "null"},
      {"5", TypeId::kString, "",
       "error: rows.ndjson:1: member a: found number 5, expected UTF-8 text"},
      {"1.5", TypeId::kInt64, "",
       "error: rows.ndjson:1: member a: found number 1.5, expected int64"},
      {"true", TypeId::kInt64, "",
       "error: rows.ndjson:1: member a: found boolean true, expected int64"},
      {"[1]", TypeId::kInt64, "", "error: rows.ndjson:1: member a: found array [1], expected int64"},
      {"1672531481", TypeId::kTimestamp, "",
       "error: rows.ndjson:1: member a: found number 1672531481, expected timestamp"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.json, c.type.ToString());
    CHECK(DumpOne(c.json, c.type, c.unit) == c.expected);
  }
}

TEST_CASE("lines are objects, others are bad rows", "[io][ndjson]") {
  auto source =
      MakeSource({MakeField("n", TypeId::kInt64, "", "N"), MakeField("s", TypeId::kString)});
  CHECK(DumpLines("\xEF\xBB\xBF{\"N\":1,\"s\":\"a\",\"extra\":[{}]}\r\n\n  \n{\"s\":\"b\"}",
                  source) == "1 'a'; null 'b'");
  CHECK(DumpLines("", source).empty());
  CHECK(DumpLines("{\"N\":1}\n{oops\n", source) ==
        "error: rows.ndjson:2: found no valid JSON, expected one object");
  CHECK(DumpLines("[1]\n", source) == "error: rows.ndjson:1: found array, expected one object");
  CHECK(DumpLines("{\"N\":1,\"N\":2}\n", source) ==
        "error: rows.ndjson:1: found a name twice, expected each once");
  CHECK(DumpLines("{\"N\":\"secret\"}\n", source, false) ==
        "error: rows.ndjson:1: member N: found string (hidden), expected int64");
  CHECK_THAT(DumpLines("{\"s\":\"" + std::string(2 << 20, 'x') + "\"}", source),
             Catch::ContainsSubstring("a line of more than"));
  CHECK_THAT(DumpLines("{\"N\":" + std::string(100'000, '[') + "\n", source),
             Catch::ContainsSubstring("nested more than 32 deep"));

  source.format.strict = false;
  auto reader =
      larder::OpenNdjsonText("{\"N\":1}\n{\"N\":\"x\"}\n{\"N\":3}\n", "rows.ndjson", source);
  REQUIRE(reader.ok());
  const auto batch = larder::ReadAll(**reader);
  REQUIRE(batch.ok());
  CHECK(Dump(*batch) == "1 null; 3 null");
  CHECK((*reader)->counts().bad_rows == 1);
  CHECK((*reader)->PlaceOf(0) == "rows.ndjson");
}

TEST_CASE("long files come in full batches with the places of their rows", "[io][ndjson]") {
  std::string text;
  for (int i = 0; i < 70'000; ++i) text += "{\"n\":" + std::to_string(i) + "}\n";
  auto reader =
      larder::OpenNdjsonText(text, "rows.ndjson", MakeSource({MakeField("n", TypeId::kInt32)}));
  REQUIRE(reader.ok());
  larder::Batch batch;
  REQUIRE(*(*reader)->Next(&batch));
  CHECK(batch.row_count() == larder::kBatchRowsMax);
  REQUIRE(*(*reader)->Next(&batch));
  CHECK(batch.row_count() == 70'000 - larder::kBatchRowsMax);
  CHECK((*reader)->PlaceOf(0) == "rows.ndjson:65537");
  CHECK(batch.column(0).Values<int32_t>()[0] == 65'536);
  CHECK_FALSE(*(*reader)->Next(&batch));
}
