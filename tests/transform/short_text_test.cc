// lower(x) = c and lower(trim(x)) = c take short ASCII texts as one number: the same answers as the plain functions.
#include "transform/short_text.h"

#include "larder/base/text.h"
#include "larder/transform/program.h"
#include "support/catch.h"
#include "transform/random_program.h"

namespace larder_test {
namespace {

using larder::Column;
using larder::Program;
using larder::transform::LoadShort;
using larder::transform::ShortText;

TEST_CASE("a short text is loaded, trimmed and lowered as its characters are", "[transform]") {
  std::mt19937_64 random(SeedFromEnvironment(3));
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 9, ' ');
    for (char& c : text) {
      const uint64_t bits = random();
      c = bits % 3 == 0 ? ' ' : static_cast<char>(bits / 3 % 128);
    }
    std::string expected = text;
    while (!expected.empty() && expected.front() == ' ') expected.erase(0, 1);
    while (!expected.empty() && expected.back() == ' ') expected.pop_back();
    for (char& c : expected) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    INFO(larder::Quoted(text));
    const std::string copy =
        text;  // of exactly this size, so that a read past the end is seen by sanitizers
    const ShortText loaded = LoadShort(copy.data(), copy.size());
    REQUIRE(IsAscii(loaded));
    REQUIRE(Lowered(Trimmed(loaded)) == LoadShort(expected.data(), expected.size()));
  }
}

TEST_CASE("comparing a lowered, trimmed text with a constant equals making it first",
          "[transform][random]") {
  const std::string wanted[] = {"",  "late",         "k",     "abcdefgh", "abcdefghi", "on time ",
                                "é", "\xE2\xB1\xA5", " late", "a\x01z"};
  std::mt19937_64 random(SeedFromEnvironment(9));
  const std::string pieces[] = {" ",        "  ", "late",    "LaTe",   "K", "\xE2\x84\xAA",
                                "abcdefgh", "I",  "i",       "é",      "É", "\xC8\xBA",
                                "\xC2\xA0", "\t", "on time", "A\x01Z", "z"};
  Column column(larder::TypeId::kString);
  for (int i = 0; i < 3000; ++i) {
    if (i % 20 == 0) {
      column.AppendNull();
      continue;
    }
    std::string text;
    for (std::size_t k = 0; k < random() % 4; ++k) text += pieces[random() % 17];
    column.AppendText(text);
  }
  larder::Field field;
  field.name = "s";
  field.type = larder::TypeId::kString;
  for (const std::string& constant : wanted) {
    const std::string quoted = larder::Concat("'", constant, "'");
    const std::vector<larder::NamedExpression> expressions = {
        {"a", larder::Concat("lower(trim(s)) = ", quoted)},
        {"a_slow", larder::Concat("concat(lower(trim(s)), '') = ", quoted)},
        {"b", larder::Concat("lower(s) <> ", quoted)},
        {"b_slow", larder::Concat("concat(lower(s), '') <> ", quoted)}};
    const auto program = Program::Compile(expressions, {&field, 1});
    INFO(quoted);
    REQUIRE(program.ok());
    REQUIRE(program->Disassemble().find("lower_eq") != std::string::npos);
    const Column* inputs[] = {&column};
    const auto out = program->EvaluateBatch(inputs, column.size(), {});
    REQUIRE(out.ok());
    for (std::size_t i = 0; i < column.size(); ++i) {
      if (!column.IsValid(i)) {
        CHECK(!(*out)[0].IsValid(i));
        continue;  // concat skips nulls
      }
      INFO(larder::Quoted(std::string(column.Text(i))));
      REQUIRE((*out)[0].ValueAt(i) == (*out)[1].ValueAt(i));
      REQUIRE((*out)[2].ValueAt(i) == (*out)[3].ValueAt(i));
    }
  }
}

}  // namespace
}  // namespace larder_test
