#include "larder/base/text.h"

#include <limits>
#include <unordered_map>

#include "support/catch.h"
#include "support/random.h"

namespace larder {
namespace {

// The slow, obvious reading of Unicode's definition: decode a number, demand that it is a scalar
// value and that encoding it again gives the same bytes.
bool IsValidUtf8Naive(std::string_view text) {
  while (!text.empty()) {
    const auto byte = [&](std::size_t i) {
      return static_cast<uint32_t>(static_cast<unsigned char>(text[i]));
    };
    std::size_t size = 1;
    uint32_t code = byte(0);
    if (code >= 0xF0) {
      size = 4;
      code &= 0x07;
    } else if (code >= 0xE0) {
      size = 3;
      code &= 0x0F;
    } else if (code >= 0xC0) {
      size = 2;
      code &= 0x1F;
    } else if (code >= 0x80) {
      return false;
    }
    if (byte(0) >= 0xF8 || text.size() < size) return false;
    for (std::size_t i = 1; i < size; ++i) {
      if (byte(i) / 64 != 2) return false;
      code = code * 64 + byte(i) % 64;
    }
    const std::size_t shortest = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    if (size != shortest || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    text.remove_prefix(size);
  }
  return true;
}

TEST_CASE("parts join without separators in the shortest form that reads back", "[base][text]") {
  CHECK(Concat() == "");
  CHECK(Concat("a", std::string("b"), std::string_view("c"), 'd', true, 1, -2L, 3U) ==
        "abcdtrue1-23");
  CHECK(Concat(0.1, " ", 0.1F, " ", 1e300, " ", -0.0) == "0.1 0.1 1e+300 -0");
  CHECK(Concat(std::numeric_limits<int64_t>::min()) == "-9223372036854775808");
  CHECK(Concat(std::numeric_limits<uint64_t>::max()) == "18446744073709551615");
  CHECK(Concat(std::numeric_limits<double>::denorm_min()) == "5e-324");
}

TEST_CASE("joining puts separators between items only", "[base][text]") {
  CHECK(Join(std::vector<std::string>{}, ", ") == "");
  CHECK(Join(std::vector<std::string>{"a"}, ", ") == "a");
  CHECK(Join(std::vector<int>{1, 2, 3}, ", ") == "1, 2, 3");
}

TEST_CASE("maps keyed by strings are searched by views", "[base][text]") {
  std::unordered_map<std::string, int, StringHash, StringEqual> map = {{"trips", 1}};
  CHECK(map.find(std::string_view("trips")) != map.end());
  CHECK(map.find(std::string_view("trip")) == map.end());
}

TEST_CASE("the nearest name within a third of its length is suggested", "[base][text]") {
  const std::vector<std::string> names = {"conv_rate", "acc_rate", "avg_daily_trips", "age", "ab"};
  const auto closest = [&](std::string_view name) { return ClosestName(name, names); };
  CHECK(closest("conv_rat") == "conv_rate");
  CHECK(closest("CONV_RATE") == "conv_rate");
  CHECK(closest("covn_rate") == "conv_rate");
  CHECK(closest("avgdailytrips") == "avg_daily_trips");
  CHECK(closest("aeg") == "age");
  CHECK(closest("AB") == "ab");
  CHECK(closest("ac") == "");
  CHECK(closest("banana") == "");
  CHECK(closest("") == "");
  CHECK(ClosestName("x", {}) == "");
}

TEST_CASE("of equally near names the first is suggested", "[base][text]") {
  CHECK(ClosestName("rate_x", std::vector<std::string>{"rate_a", "rate_b"}) == "rate_a");
  CHECK(ClosestName("rate_b", std::vector<std::string>{"rate_a", "rate_b"}) == "rate_b");
}

TEST_CASE("a suggestion is a bracket at the end of a message, or nothing", "[base][text]") {
  const std::vector<std::string> names = {"trips"};
  CHECK(DidYouMean("trip", names) == " (did you mean \"trips\"?)");
  CHECK(DidYouMean("earnings", names) == "");
}

TEST_CASE("names are letters, digits and underscores, 63 at most", "[base][text]") {
  for (const char* name : {"a", "_", "A9", "my_View_2"}) CHECK(IsValidName(name));
  for (const char* name : {"", "9a", "a-b", "a b", "a@2", "a:b", "caf\xC3\xA9", "a.b"}) {
    CHECK_FALSE(IsValidName(name));
  }
  CHECK(IsValidName(std::string(63, 'a')));
  CHECK_FALSE(IsValidName(std::string(64, 'a')));
  CHECK_FALSE(IsValidName(std::string_view("a\0", 2)));
}

TEST_CASE("case and blanks are ASCII matters", "[base][text]") {
  CHECK(ToLowerAscii("AbZ_9\xC3\x84") == "abz_9\xC3\x84");
  CHECK(EqualsIgnoreCase("TRUE", "true"));
  CHECK_FALSE(EqualsIgnoreCase("true", "tru"));
  CHECK_FALSE(EqualsIgnoreCase("[", "{"));
  CHECK(TrimAscii(" \t\r\n a b \v\f") == "a b");
  CHECK(TrimAscii(" \t") == "");
  CHECK(TrimAscii("\xC2\xA0x") == "\xC2\xA0x");
}

TEST_CASE("quoted text shows what a terminal would hide and stays short", "[base][text]") {
  CHECK(Quoted("abc") == "\"abc\"");
  CHECK(Quoted("a\"b\\c") == "\"a\\\"b\\\\c\"");
  CHECK(Quoted(std::string_view("\0\x1b[1m\x7f", 6)) == "\"\\x00\\x1b[1m\\x7f\"");
  CHECK(Quoted("caf\xC3\xA9 \xFF") == "\"caf\xC3\xA9 \\xff\"");
  CHECK(Quoted(std::string(64, 'x')) == "\"" + std::string(64, 'x') + "\"");
  CHECK(Quoted(std::string(65, 'x')) == "\"" + std::string(64, 'x') + "...\"");
  CHECK(IsValidUtf8(Quoted(std::string(63, 'x') + "\xF0\x9F\x98\x80 tail")));
}

TEST_CASE("UTF-8 is what table 3-7 says", "[base][text]") {
  struct Case {
    const char* what;
    std::string_view text;
    bool valid;
  };
  const std::vector<Case> cases = {
      {"empty", "", true},
      {"ascii", "plain ascii, longer than a word", true},
      {"nul", std::string_view("\0", 1), true},
      {"two bytes, first and last", "\xC2\x80 \xDF\xBF", true},
      {"three bytes, first and last", "\xE0\xA0\x80 \xEF\xBF\xBF", true},
      {"around the surrogates", "\xED\x9F\xBF \xEE\x80\x80", true},
      {"four bytes, first and last", "\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF", true},
      {"euro after eight", "12345678\xE2\x82\xAC", true},
      {"lone tail", "\x80", false},
      {"overlong nul", "\xC0\x80", false},
      {"overlong slash", "\xC0\xAF", false},
      {"overlong two", "\xC1\xBF", false},
      {"overlong three", "\xE0\x9F\xBF", false},
      {"overlong four", "\xF0\x8F\xBF\xBF", false},
      {"high surrogate", "\xED\xA0\x80", false},
      {"low surrogate", "\xED\xBF\xBF", false},
      {"surrogate pair", "\xED\xA0\xBD\xED\xB8\x80", false},
      {"beyond the last code point", "\xF4\x90\x80\x80", false},
      {"five bytes", "\xF8\x88\x80\x80\x80", false},
      {"never a byte", "\xFE", false},
      {"never a byte", "\xFF", false},
      {"cut two", "\xC3", false},
      {"cut three", "\xE2\x82", false},
      {"cut four", "\xF0\x9F\x98", false},
      {"tail missing inside", "\xE2\x82x", false},
      {"bad byte in the eighth place", "1234567\xFF", false},
      {"bad byte in the ninth place", "12345678\xFF", false},
  };
  for (const Case& c : cases) {
    INFO(c.what);
    CHECK(IsValidUtf8(c.text) == c.valid);
    CHECK(IsValidUtf8Naive(c.text) == c.valid);
  }
}

TEST_CASE("UTF-8 checking agrees with decoding and encoding again", "[base][text]") {
  // Every lead and second byte; the others at the borders of their ranges.
  const std::vector<unsigned char> borders = {0x00, 0x7F, 0x80, 0x8F, 0x90,
                                              0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
  int different = 0;
  for (unsigned lead = 0; lead < 256; ++lead) {
    for (unsigned second = 0; second < 256; ++second) {
      for (const unsigned char third : borders) {
        for (const unsigned char fourth : borders) {
          const std::string text = {static_cast<char>(lead), static_cast<char>(second),
                                    static_cast<char>(third), static_cast<char>(fourth)};
          for (std::size_t size = 1; size <= 4; ++size) {
            const std::string_view part = std::string_view(text).substr(0, size);
            if (IsValidUtf8(part) != IsValidUtf8Naive(part)) ++different;
          }
        }
      }
    }
  }
  CHECK(different == 0);
}

TEST_CASE("UTF-8 checking of mixed text agrees with the naive twin", "[base][text][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  const std::vector<std::string> pieces = {
      "a",        "\xC3\xA9",     "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
      "12345678", "\xED\xA0\x80", "\x80",         "\xC3"};
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (int64_t n = random.Between(0, 12); n > 0; --n) {
      const int64_t last = random.OneIn(8) ? 7 : 4;
      text += pieces[static_cast<std::size_t>(random.Between(0, last))];
    }
    if (IsValidUtf8(text) != IsValidUtf8Naive(text)) FAIL("differ on " << Quoted(text));
  }
}

}  // namespace
}  // namespace larder
