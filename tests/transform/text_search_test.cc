// Searches that a simple algorithm would take minutes for, and the search itself against the standard library's.
#include <chrono>
#include <random>
#include <string>
#include <vector>

#include "larder/base/text.h"
#include "larder/transform/program.h"
#include "support/catch.h"
#include "transform/find_text.h"

namespace larder_test {
namespace {

using larder::Datum;
using larder::Field;
using larder::TypeId;
using larder::Value;

struct Answer {
  std::string text;
  larder::EvalCounts counts;
};

// Of `expression` over texts s and t.
Answer Of(const std::string& expression, const std::string& s, const std::string& t) {
  std::vector<Field> fields(2);
  fields[0].name = "s";
  fields[1].name = "t";
  fields[0].type = fields[1].type = TypeId::kString;
  const larder::NamedExpression named = {"e", expression};
  const auto program = larder::Program::Compile({&named, 1}, fields);
  INFO(program.status().ToString());
  REQUIRE(program.ok());
  larder::RowEvaluator row(*program);
  const Datum in[] = {Datum::Text(s), Datum::Text(t)};
  Datum out;
  row.Evaluate({in, program->inputs().size()}, {0}, {&out, 1});
  return {larder::FormatValue(larder::ValueOf(out, program->outputs()[0].type)), row.counts()};
}

TEST_CASE("the search for a text finds what the standard library's finds", "[transform][random]") {
  std::mt19937_64 random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random() % 40, 'a');
    std::string part(random() % 6, 'a');
    for (char& c : text) c = static_cast<char>('a' + random() % 2);
    for (char& c : part) c = static_cast<char>('a' + random() % 2);
    const std::size_t from = random() % (text.size() + 1);
    INFO(text << " " << part << " " << from);
    if (larder::transform::FindText(text, part, from) != text.find(part, from))
      REQUIRE(larder::transform::FindText(text, part, from) == text.find(part, from));
  }
  CHECK(larder::transform::FindText({}, {}) == 0);
  CHECK(larder::transform::FindText({}, "a") == std::string_view::npos);
}

// Milliseconds each; text length times part length would be minutes.
TEST_CASE("searching takes time linear in the text and the part", "[transform]") {
  const std::string text(std::size_t{1} << 22U, 'a');
  const std::string part = std::string(std::size_t{1} << 21U, 'a') + "b";
  for (const auto& [expression, expected] : std::vector<std::pair<std::string, std::string>>{
           {"contains(s, t)", "false"},
           {"strpos(s, t)", "0"},
           {"length(replace(s, t, 'x'))", "4194304"},
           {"length(split_part(s, t, 1))", "4194304"},
           {"length(split_part(s, t, -1))", "4194304"}}) {
    INFO(expression);
    const auto begin = std::chrono::steady_clock::now();
    CHECK(Of(expression, text, part).text == expected);
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(2));
  }
}

TEST_CASE("like is bounded: lengths that multiply to more than 2^26 give null, counted",
          "[transform]") {
  const std::string text(std::size_t{1} << 20U, 'a');
  const std::string fits = std::string(62, 'a') + "%b";
  for (const char* form : {"s like t", "s ilike t"}) {
    INFO(form);
    const Answer good = Of(form, text, fits);
    CHECK(good.text == "false");
    CHECK(good.counts.total() == 0);
    const Answer bad = Of(form, text, "%" + fits);
    CHECK(bad.text == "null");
    CHECK(bad.counts.overflow == 1);
    CHECK(bad.counts.total() == 1);
    CHECK(Of(form, text, "").text == "false");
    CHECK(Of(form, "", "%").text == "true");
  }
}

}  // namespace
}  // namespace larder_test
