#include "larder/io/csv_reader.h"

#include <cstdlib>
#include <fstream>
#include <random>
#include <string>

#include <unistd.h>

#include "io/cell_column.h"
#include "io/text_source.h"
#include "larder/base/time.h"
#include "larder/io/record_reader.h"
#include "support/catch.h"

using larder::DataType;
using larder::TypeId;
using larder_test::Dump;
using larder_test::DumpText;
using larder_test::MakeField;
using larder_test::MakeSource;
using larder_test::ReadText;

namespace {

larder::Source Texts(int columns) {
  std::vector<larder::Field> fields;
  for (int i = 0; i < columns; ++i)
    fields.push_back(MakeField(std::string(1, static_cast<char>('a' + i)), TypeId::kString));
  return MakeSource(fields);
}

std::string DumpOne(std::string cell, DataType type, std::string unit = "") {
  return DumpText(
      "a,b\n" + std::move(cell) + ",x\n",
      MakeSource({MakeField("a", type, std::move(unit)), MakeField("b", TypeId::kString)}));
}

std::string TempFolder() {
  std::string folder = "/tmp/larder-csv-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  return folder;
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace

TEST_CASE("records are cut as RFC 4180 says", "[io][csv]") {
  struct Case {
    const char* text;
    const char* expected;
  };
  const Case cases[] = {
      {"a,b\n1,2\n", "'1' '2'"},
      {"a,b\r\n1,2\r\n", "'1' '2'"},
      {"a,b\n1,2", "'1' '2'"},
      {"a,b\r\n1,2\r", "'1' '2'"},
      {"a,b\n1,\n", "'1' null"},
      {"a,b\n1,", "'1' null"},
      {"a,b\n,\n", "null null"},
      {"\xEF\xBB\xBF"
       "a,b\n1,2\n",
       "'1' '2'"},
      {"\"a\",\"b\"\n\"1\",\"2\"\n", "'1' '2'"},
      {"a,b\n\"x,y\",2\n", "'x,y' '2'"},
      {"a,b\n\"x\ny\",2\n3,4\n", "'x\ny' '2'; '3' '4'"},
      {"a,b\n\"x\r\ny\",2\r\n", "'x\r\ny' '2'"},
      {"a,b\n\"he said \"\"no\"\"\",2\n", "'he said \"no\"' '2'"},
      {"a,b\n\"\"\"\",\"\"\n", "'\"' ''"},
      {"a,b\n\"\",\n", "'' null"},
      {"a,b\n\n1,2\n\n\n3,4\n\n", "'1' '2'; '3' '4'"},
      {"\n\na,b\n1,2\n", "'1' '2'"},
      {"a,b\n5\" nail,2\n", "'5\" nail' '2'"},
      {"a,b\n x , y \n", "' x ' ' y '"},
      {"a,b\n1\r2,3\n", "'1\r2' '3'"},
      {"b,a\n1,2\n", "'2' '1'"},
      {"z,a,y,b,\n9,1,8,2,\n", "'1' '2'"},
      {"a,b\n", ""},
      {"a,b", ""},
      {"a,b\n\xC3\xA9t\xC3\xA9,\xE2\x82\xAC\n", "'\xC3\xA9t\xC3\xA9' '\xE2\x82\xAC'"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(DumpText(c.text, Texts(2)) == c.expected);
  }
}

TEST_CASE("a file of one column keeps its blank lines as nulls", "[io][csv]") {
  CHECK(DumpText("a\n1\n\n3\n", Texts(1)) == "'1'; null; '3'");
  CHECK(DumpText("a\n1\n\"\"\n", Texts(1)) == "'1'; ''");
}

TEST_CASE("cells are read as their declared types", "[io][csv]") {
  struct Case {
    const char* cell;
    DataType type;
    const char* unit;
    const char* expected;
  };
  const Case cases[] = {
      {"-17", TypeId::kInt64, "", "-17 'x'"},
      {" 17 ", TypeId::kInt64, "", "17 'x'"},
      {"+17", TypeId::kInt32, "", "17 'x'"},
      {"12345.0", TypeId::kInt64, "", "12345 'x'"},
      {"18446744073709551615", TypeId::kUint64, "", "18446744073709551615 'x'"},
      {"0.1", TypeId::kFloat64, "", "0.1 'x'"},
      {"0.1", TypeId::kFloat32, "", "0.1 'x'"},
      {"-0.0", TypeId::kFloat64, "", "-0 'x'"},
      {"NaN", TypeId::kFloat64, "", "NaN 'x'"},
      {"-inf", TypeId::kFloat64, "", "-Infinity 'x'"},
      {".5", TypeId::kFloat64, "", "0.5 'x'"},
      {"1e3", TypeId::kFloat64, "", "1000 'x'"},
      {"true", TypeId::kBool, "", "true 'x'"},
      {"0", TypeId::kBool, "", "false 'x'"},
      {"2024-02-29", TypeId::kDate, "", "2024-02-29 'x'"},
      {"1969-12-31", TypeId::kDate, "", "1969-12-31 'x'"},
      {"2024-02-29T23:59:59.25Z", TypeId::kTimestamp, "", "2024-02-29T23:59:59.25Z 'x'"},
      {"2024-02-29 23:59:59", TypeId::kTimestamp, "", "2024-02-29T23:59:59Z 'x'"},
      {"2024-02-29T23:59:59+01:00", TypeId::kTimestamp, "", "2024-02-29T22:59:59Z 'x'"},
      {"2024-02-29", TypeId::kTimestamp, "", "2024-02-29T00:00:00Z 'x'"},
      {"1672531481", TypeId::kTimestamp, "s", "2023-01-01T00:04:41Z 'x'"},
      {"1672531481.5", TypeId::kTimestamp, "s", "2023-01-01T00:04:41.5Z 'x'"},
      {"1698883648000.0", TypeId::kTimestamp, "ms", "2023-11-02T00:07:28Z 'x'"},
      {"1698883648000001", TypeId::kTimestamp, "us", "2023-11-02T00:07:28.000001Z 'x'"},
      {"1698883648000001999", TypeId::kTimestamp, "ns", "2023-11-02T00:07:28.000001Z 'x'"},
      {"90", TypeId::kDuration, "s", "1m30s 'x'"},
      {"90s", TypeId::kDuration, "", "1m30s 'x'"},
      {"aGk=", TypeId::kBytes, "", "'hi' 'x'"},
      {"\"[1, 2.5]\"", DataType::Vector(TypeId::kFloat32, 2), "", "[1,2.5] 'x'"},
      {"", TypeId::kFloat64, "", "null 'x'"},
      {"\"\"", TypeId::kFloat64, "", "null 'x'"},
      {"\"\"", TypeId::kTimestamp, "s", "null 'x'"},
      {"", DataType::Vector(TypeId::kFloat32, 2), "", "null 'x'"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.cell, c.type.ToString(), c.unit);
    CHECK(DumpOne(c.cell, c.type, c.unit) == c.expected);
  }
}

TEST_CASE("what cannot be read names file, line, column, found and expected", "[io][csv]") {
  struct Case {
    const char* cell;
    DataType type;
    const char* unit;
    const char* expected;
  };
  const Case cases[] = {
      {"abc", TypeId::kInt64, "", "error: rows.csv:2: column a: found \"abc\", expected int64"},
      {"1.5", TypeId::kInt64, "", "error: rows.csv:2: column a: found \"1.5\", expected int64"},
      {"3000000000", TypeId::kInt32, "",
       "error: rows.csv:2: column a: found \"3000000000\", expected int32"},
      {"-1", TypeId::kUint64, "", "error: rows.csv:2: column a: found \"-1\", expected uint64"},
      {"1e999", TypeId::kFloat64, "",
       "error: rows.csv:2: column a: found \"1e999\", expected float64"},
      {"2023-02-29", TypeId::kDate, "",
       "error: rows.csv:2: column a: found \"2023-02-29\", expected date"},
      {"1672531481", TypeId::kTimestamp, "",
       "error: rows.csv:2: column a: found \"1672531481\", expected timestamp"},
      {"now", TypeId::kTimestamp, "s",
       "error: rows.csv:2: column a: found \"now\", expected timestamp as a number of s since "
       "1970"},
      {"9223372036854775807", TypeId::kTimestamp, "s",
       "error: rows.csv:2: column a: found \"9223372036854775807\", expected timestamp as a number "
       "of s since 1970"},
      {"\xFF", TypeId::kString, "",
       "error: rows.csv:2: column a: found text of 1 bytes that is not UTF-8, expected UTF-8 text"},
      {"\"a\"b", TypeId::kString, "",
       "error: rows.csv:2: found text after a closing quote, expected a delimiter"},
      {"1,2", TypeId::kString, "", "error: rows.csv:2: found 3 fields, expected 2"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.cell, c.type.ToString());
    CHECK(DumpOne(c.cell, c.type, c.unit) == c.expected);
  }
}

TEST_CASE("values stay out of messages unless asked for", "[io][csv]") {
  auto reader =
      larder::OpenCsvText("a\nsecret\n", "rows.csv", MakeSource({MakeField("a", TypeId::kInt64)}));
  REQUIRE(reader.ok());
  larder::Batch batch;
  const auto more = (*reader)->Next(&batch);
  REQUIRE_FALSE(more.ok());
  CHECK(std::string(larder::MessageOf(more.status())) ==
        "rows.csv:2: column a: found text of 6 bytes (hidden), expected int64");
  // And the reader stays stopped.
  CHECK_FALSE((*reader)->Next(&batch).ok());
}

TEST_CASE("line numbers count the lines inside quotes and blank ones", "[io][csv]") {
  const auto source = MakeSource({MakeField("a", TypeId::kString), MakeField("b", TypeId::kInt64)});
  CHECK(DumpText("a,b\n\"x\n\ny\",1\n\n\"z\",bad\n", source) ==
        "error: rows.csv:6: column b: found \"bad\", expected int64");
}

TEST_CASE("skipped rows leave nothing behind but a count and first reasons", "[io][csv]") {
  auto source = MakeSource({MakeField("s", TypeId::kString), MakeField("n", TypeId::kInt64),
                            MakeField("f", TypeId::kFloat64)});
  source.format.strict = false;
  std::string text = "s,n,f\nkept,1,0.5\nbad,12.0,x\n\"oops\"x,1,1\nshort\n";
  for (int i = 0; i < 20; ++i) text += "more,x,1\n";
  text += "last,3.0,\n";
  auto reader = larder::OpenCsvText(text, "rows.csv", source);
  REQUIRE(reader.ok());
  const auto batch = larder::ReadAll(**reader);
  REQUIRE(batch.ok());
  CHECK(Dump(*batch) == "'kept' 1 0.5; 'last' 3 null");
  const auto& counts = (*reader)->counts();
  CHECK(counts.rows == 2);
  CHECK(counts.bad_rows == 23);
  CHECK(counts.integral_decimals == 1);
  REQUIRE(counts.first_reasons.size() == larder::kReasonsMax);
  CHECK(counts.first_reasons[0] ==
        "rows.csv:3: column f: found text of 1 byte (hidden), expected float64");
  CHECK(counts.first_reasons[2] == "rows.csv:5: found 1 field, expected 3");
}

TEST_CASE("headers that do not fit are refused with a way out", "[io][csv]") {
  const auto source =
      MakeSource({MakeField("distance", TypeId::kInt64), MakeField("origin", TypeId::kString)});
  CHECK(DumpText("distanse,origin\n1,a\n", source) ==
        "error: rows.csv: source rows needs column distance, which the header lacks (did you mean "
        "\"distanse\"?)");
  CHECK(DumpText("origin,origin,distance\n", source) ==
        "error: rows.csv:1: column origin occurs twice in the header");
  CHECK(DumpText("", source) ==
        "error: rows.csv: found no header, expected a line of column names");
  CHECK(DumpText("\n\n", source) ==
        "error: rows.csv: found no header, expected a line of column names");
  CHECK_THAT(DumpText("distance|origin\n1|a\n", source),
             Catch::ContainsSubstring("is \",\" the delimiter?"));
  CHECK_THAT(DumpText(std::string("\xFF\xFE", 2) + std::string("a\0b\0", 4), source),
             Catch::ContainsSubstring("UTF-16"));
}

TEST_CASE("records over a limit and quotes that never close refuse the file even when skipping",
          "[io][csv]") {
  auto source = Texts(2);
  source.format.strict = false;
  CHECK(DumpText("a,b\n1,2\n\"x,y\n3,4\n", source) ==
        "error: rows.csv:3: a quote in the record that begins here never closes");
  CHECK_THAT(DumpText("a,b\n\"" + std::string(3 << 20, 'x'), source),
             Catch::ContainsSubstring("a record of more than"));
  CHECK_THAT(DumpText("a,b\n" + std::string(2 << 20, 'x') + ",1\n", source),
             Catch::ContainsSubstring("a record of more than"));
  CHECK_THAT(DumpText("a,b\n" + std::string(5000, ',') + "\n", source),
             Catch::ContainsSubstring("5001 fields"));
  CHECK(DumpText("a,b\n" + std::string((1 << 20) - 10, 'x') + ",1\n", source).size() ==
        (1 << 20) - 4);
}

TEST_CASE("null tokens hold for every type, quoted or not", "[io][csv]") {
  auto source = MakeSource({MakeField("a", TypeId::kString), MakeField("n", TypeId::kInt64)});
  source.format.null_values = {"", "N/A"};
  CHECK(DumpText("a,n\nN/A,N/A\n\"N/A\",\"\"\nx,1\n,\n", source) ==
        "null null; null null; 'x' 1; null null");
  source.format.null_values = {"-"};
  CHECK(DumpText("a,n\n-,-\n,2\n", source) == "null null; '' 2");
  CHECK_THAT(DumpText("a,n\nx,\n", source), Catch::ContainsSubstring("found \"\", expected int64"));
}

TEST_CASE("delimiters other than the comma are declared", "[io][csv]") {
  auto source = Texts(2);
  for (const char* delimiter : {"|", ";", "\t", "\\t", "tab"}) {
    source.format.delimiter = delimiter;
    const char c = delimiter[0] == '\\' || delimiter[0] == 't' ? '\t' : delimiter[0];
    CHECK(DumpText(std::string("a") + c + "b\nx,y" + c + "2\n", source) == "'x,y' '2'");
  }
  for (const char* delimiter : {"", "::", "\"", "\n"}) {
    source.format.delimiter = delimiter;
    CHECK_THAT(DumpText("a,b\n", source),
               Catch::ContainsSubstring("the delimiter must be one character"));
  }
}

TEST_CASE("times without an offset are the source's zone's", "[io][csv]") {
  auto source =
      MakeSource({MakeField("at", TypeId::kTimestamp), MakeField("t", TypeId::kTimestamp, "s")});
  source.time_zone = "America/New_York";
  CHECK(DumpText("at,t\n2020-04-01 12:00:00,0\n2020-01-01T12:00:00Z,0\n", source) ==
        "2020-04-01T16:00:00Z 1970-01-01T00:00:00Z; 2020-01-01T12:00:00Z 1970-01-01T00:00:00Z");
  source.time_zone = "Mars/Olympus";
  CHECK_THAT(DumpText("at,t\n", source), Catch::ContainsSubstring("Mars/Olympus"));
}

TEST_CASE("scaled instants are exact and floored towards the past", "[io][csv]") {
  struct Case {
    const char* text;
    int exponent;
    bool ok;
    int64_t micros;
    bool floored;
  };
  const Case cases[] = {
      {"0", 6, true, 0, false},
      {"-1", 6, true, -1'000'000, false},
      {"1.0000015", 6, true, 1'000'001, true},
      {"-1.0000015", 6, true, -1'000'002, true},
      {"1.000001000", 6, true, 1'000'001, false},
      {"1999", -3, true, 1, true},
      {"-1999", -3, true, -2, true},
      {"-1", -3, true, -1, true},
      {"1", -3, true, 0, true},
      {"0.000", -3, true, 0, false},
      {"1.5e9", 3, true, 1'500'000'000'000, false},
      {"15e-1", 0, true, 1, true},
      {"1e-300", 6, true, 0, true},
      {"9223372036854775807", 0, true, 9223372036854775807, false},
      {"-9223372036854775808", 0, true, INT64_MIN, false},
      {"-9223372036854775808.5", 0, false, 0, false},
      {"9223372036854775808", 0, false, 0, false},
      {"1e300", 0, false, 0, false},
      {"", 0, false, 0, false},
      {"-", 0, false, 0, false},
      {".", 0, false, 0, false},
      {"1e", 0, false, 0, false},
      {"1 2", 0, false, 0, false},
      {"0x10", 0, false, 0, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text, c.exponent);
    int64_t micros = 0;
    bool floored = false;
    REQUIRE(larder::ParseScaledMicros(c.text, c.exponent, &micros, &floored) == c.ok);
    if (!c.ok) continue;
    CHECK(micros == c.micros);
    CHECK(floored == c.floored);
  }
}

TEST_CASE("fields and quotes may cross any buffer border", "[io][csv][random]") {
  // Records of every length around the buffer's own make each kind of byte the last one read.
  const auto source = Texts(2);
  for (std::size_t size = (256 << 10) - 12; size < (256 << 10) + 4; ++size) {
    const std::string filler(size - 10, 'x');
    const std::string text = "a,b\n\"" + filler + "\",\"p\"\"q\"\r\n\"r\r\ns\",t\r\n";
    CHECK(DumpText(text, source) == "'" + filler + "' 'p\"q'; 'r\r\ns' 't'");
  }
}

TEST_CASE("a long random text reads back cell by cell", "[io][csv][random]") {
  const char* fixed = std::getenv("LARDER_SEED");
  const uint64_t seed =
      fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const std::string alphabet = "ab,\"\n\r |x";
  std::string text = "a,b\n";
  std::string expected;
  for (int row = 0; row < 70'000; ++row) {
    if (row > 0) expected += "; ";
    for (int c = 0; c < 2; ++c) {
      std::string cell;
      for (uint64_t n = random() % 12; n > 0; --n)
        cell.push_back(alphabet[random() % alphabet.size()]);
      text.push_back('"');
      for (const char x : cell) text.append(x == '"' ? "\"\"" : std::string(1, x));
      text.append(c == 0 ? "\"," : "\"\n");
      expected += "'" + cell + (c == 0 ? "' " : "'");
    }
  }
  CHECK(DumpText(text, Texts(2)) == expected);
}

TEST_CASE("batches are full, keep their order and say where rows came from", "[io][csv]") {
  std::string text = "n\n";
  for (int i = 0; i < 150'000; ++i) text += std::to_string(i) + "\n";
  auto reader = larder::OpenCsvText(text, "rows.csv", MakeSource({MakeField("n", TypeId::kInt32)}));
  REQUIRE(reader.ok());
  larder::Batch batch;
  int64_t next = 0;
  std::vector<std::size_t> sizes;
  for (;;) {
    const auto more = (*reader)->Next(&batch);
    REQUIRE(more.ok());
    if (!*more) break;
    sizes.push_back(batch.row_count());
    CHECK((*reader)->PlaceOf(7) == "rows.csv:" + std::to_string(next + 9));
    bool same = true;
    for (const int32_t value : batch.column(0).Values<int32_t>()) same = same && value == next++;
    CHECK(same);
    CHECK(batch.column(0).CountNulls() == 0);
  }
  CHECK(sizes == std::vector<std::size_t>{65'536, 65'536, 18'928});
  CHECK(batch.row_count() == 0);
}

TEST_CASE("globs read every file in order of name, gzip among them", "[io][csv]") {
  const std::string folder = TempFolder();
  WriteFile(folder + "/part-2.csv", "b,a\n3,x\n");
  WriteFile(folder + "/part-1.csv", "a,b\nw,1\nv,2\n");
  WriteFile(folder + "/other.txt", "nothing");
  auto source = MakeSource({MakeField("a", TypeId::kString), MakeField("b", TypeId::kInt64)});
  source.path = "part-*.csv";
  larder::TextReadOptions options;
  options.base_path = folder;
  auto reader = larder::OpenCsv(source, options);
  REQUIRE(reader.ok());
  auto batch = larder::ReadAll(**reader);
  REQUIRE(batch.ok());
  CHECK(Dump(*batch) == "'w' 1; 'v' 2; 'x' 3");
  CHECK((*reader)->counts().files == 2);

  source.path = "part-9*.csv";
  CHECK(larder::OpenCsv(source, options).status().code() == absl::StatusCode::kNotFound);
  source.path = "none.csv";
  const auto missing = larder::OpenCsv(source, options);
  CHECK(missing.status().code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(larder::MessageOf(missing.status())),
             Catch::ContainsSubstring("none.csv"));
  source.path = ".";
  CHECK(larder::OpenCsv(source, options).status().code() == absl::StatusCode::kInvalidArgument);
  source.path = "part-1.csv";
  source.format.compression = "zip";
  CHECK(larder::OpenCsv(source, options).status().code() == absl::StatusCode::kInvalidArgument);

  const std::string pack = "gzip -c " + folder + "/part-1.csv > " + folder +
                           "/z.csv.gz && tail -n 1 " + folder + "/part-1.csv | gzip -c >> " +
                           folder + "/z.csv.gz";
  REQUIRE(std::system(pack.c_str()) == 0);
  source.format.compression = "auto";
  source.path = "z.csv.gz";
  auto packed = larder::OpenCsv(source, options);
  if (packed.status().code() != absl::StatusCode::kUnimplemented) {
    REQUIRE(packed.ok());
    batch = larder::ReadAll(**packed);
    REQUIRE(batch.ok());
    CHECK(Dump(*batch) == "'w' 1; 'v' 2; 'v' 2");  // two members make one text

    REQUIRE(std::system(
                ("head -c 30 " + folder + "/z.csv.gz > " + folder + "/cut.csv.gz").c_str()) == 0);
    source.path = "cut.csv.gz";
    auto cut = larder::OpenCsv(source, options);
    const absl::Status ended = cut.ok() ? larder::ReadAll(**cut).status() : cut.status();
    CHECK(ended.code() == absl::StatusCode::kDataLoss);
    source.path = "part-1.csv";
    source.format.compression = "gzip";
    CHECK(larder::OpenCsv(source, options).status().code() == absl::StatusCode::kDataLoss);
    source.path = "z.csv.gz";
    source.format.compression = "none";
    const auto raw = larder::OpenCsv(source, options);
    CHECK_THAT(std::string(larder::MessageOf(raw.status())),
               Catch::ContainsSubstring("the data is gzip"));
  }
  REQUIRE(std::system(("rm -r " + folder).c_str()) == 0);
}
