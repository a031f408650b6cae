#include <limits>

#include "cli/console.h"
#include "cli/json_writer.h"
#include "cli/table.h"
#include "support/catch.h"

namespace larder::cli {
namespace {

TEST_CASE("text for terminals loses what would drive them", "[cli]") {
  CHECK(Printable("plain") == "plain");
  CHECK(Printable("\x1b[2Jgone") == "[2Jgone");
  CHECK(Printable("a\nb\tc") == "abc");
  CHECK(Printable("a\nb\tc", true) == "a\nb\tc");
  CHECK(Printable("a\rb", true) == "ab");
  CHECK(Printable("\xC2\x9B"
                  "31m") == "31m");
  CHECK(Printable("x\xE2\x80\xAEy") == "xy");
  CHECK(Printable("Gda\xC5\x84sk") == "Gda\xC5\x84sk");
  CHECK(Printable("\xFF"
                  "a") ==
        "\xEF\xBF\xBD"
        "a");
  CHECK(Printable("cut\xE2\x82") == "cut\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("tables align numbers to the right and leave out empty columns", "[cli]") {
  Table table({"name", "rows", "note"});
  table.AddRow({"a", "5", ""});
  table.AddRow({"longer", "12345", ""});
  CHECK(table.ToText() ==
        "name     rows\n"
        "a           5\n"
        "longer  12345\n");
}

TEST_CASE("tables align text of any width", "[cli]") {
  CHECK(DisplayWidth("Zu\xCC\x88rich") == 6);
  CHECK(DisplayWidth("\xE6\x9D\xB1\xE4\xBA\xAC") == 4);
  Table table({"city", "x"});
  table.AddRow({"\xE6\x9D\xB1\xE4\xBA\xAC", "a"});
  table.AddRow({"Lyon", "b"});
  CHECK(table.ToText("  ") == "  city  x\n  \xE6\x9D\xB1\xE4\xBA\xAC  a\n  Lyon  b\n");
}

TEST_CASE("tables as CSV keep every column and quote what needs it", "[cli]") {
  Table table({"a", "b"});
  table.AddRow({"x,y", ""});
  table.AddRow({"say \"hi\"", "two\nlines"});
  CHECK(table.ToCsv() == "a,b\n\"x,y\",\n\"say \"\"hi\"\"\",\"two\nlines\"\n");
}

TEST_CASE("JSON holds every value in a form other programs read", "[cli]") {
  struct Case {
    larder::Value value;
    const char* json;
  };
  const Case cases[] = {
      {{}, "null"},
      {true, "true"},
      {int64_t{-5}, "-5"},
      {std::numeric_limits<uint64_t>::max(), "18446744073709551615"},
      {0.1, "0.1"},
      {-0.0, "-0"},
      {1e300, "1e+300"},
      {0.1F, "0.1"},
      {std::numeric_limits<double>::quiet_NaN(), "\"NaN\""},
      {std::numeric_limits<double>::infinity(), "\"Infinity\""},
      {-std::numeric_limits<float>::infinity(), "\"-Infinity\""},
      {"a\"b\\c\n\x01\x7f", "\"a\\\"b\\\\c\\n\\u0001\\u007f\""},
      {"\xC2\x9B", "\"\\u009b\""},
      {"\xFF", "\"\xEF\xBF\xBD\""},
      {Bytes{"\xFF"
             "a"},
       "\"/2E=\""},
      {Timestamp{1'500'000}, "\"1970-01-01T00:00:01.5Z\""},
      {Date{1}, "\"1970-01-02\""},
      {Duration::Hours(36), "\"1d12h\""},
      {std::vector<float>{1.5F, -2.0F}, "[1.5,-2]"},
  };
  for (const Case& c : cases) {
    INFO(c.json);
    JsonWriter json;
    json.Value(c.value);
    std::string text = std::move(json).Finish();
    std::erase(text, ' ');
    CHECK(text == std::string(c.json) + "\n");
  }
}

TEST_CASE("JSON containers are laid out by line or in one line", "[cli]") {
  JsonWriter json;
  json.BeginObject();
  json.Member("a", 1);
  json.Key("none");
  json.BeginArray();
  json.EndArray();
  json.Key("b");
  json.BeginArray();
  json.BeginObject(JsonWriter::Layout::kInline);
  json.Member("x", true);
  json.Key("y");
  json.BeginObject();
  json.Member("z", "w");
  json.EndObject();
  json.EndObject();
  json.Null();
  json.EndArray();
  json.EndObject();
  CHECK(std::move(json).Finish() ==
        "{\n"
        "  \"a\": 1,\n"
        "  \"none\": [],\n"
        "  \"b\": [\n"
        "    {\"x\": true, \"y\": {\"z\": \"w\"}},\n"
        "    null\n"
        "  ]\n"
        "}\n");
}

}  // namespace
}  // namespace larder::cli
