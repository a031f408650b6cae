// Expressions taken apart: the parts are named as written, and give what the expression makes of them.
#include "larder/transform/expression_steps.h"

#include "larder/base/text.h"
#include "support/catch.h"
#include "transform/expression_harness.h"
#include "transform/random_program.h"

namespace larder_test {
namespace {

using larder::Concat;
using larder::ExpressionStep;
using larder::ExpressionSteps;
using larder::FormatValue;
using larder::Program;
using larder::Value;

// A line a step: its number, its text, what it reads, its value.
std::string Shown(std::string_view text) {
  const auto steps = ExpressionSteps::Make({"x", std::string(text)}, SampleFields());
  if (!steps.ok()) return std::string(larder::MessageOf(steps.status()));
  const auto values = larder::EvaluateRow(steps->program(), SampleRow(), kAsOf);
  if (!values.ok()) return std::string(larder::MessageOf(values.status()));
  std::string out;
  for (std::size_t i = 0; i < steps->steps().size(); ++i) {
    const ExpressionStep& step = steps->steps()[i];
    std::vector<std::string> reads = step.fields;
    for (const std::size_t earlier : step.steps) reads.push_back(Concat("#", earlier));
    out += Concat(i, " ", step.text, " [", larder::Join(reads, " "), "] ",
                  FormatValue((*values)[i]), "\n");
  }
  return out;
}

TEST_CASE("the parts of an expression are named as written, inner ones first", "[transform]") {
  CHECK(Shown("(i64 + 1) * (i64 - 2)") ==
        "0 i64 + 1 [i64] -41\n"
        "1 i64 - 2 [i64] -44\n"
        "2 (i64 + 1) * (i64 - 2) [#0 #1] 1804\n");
  CHECK(Shown("y = ((i64 + 1)) * 2") ==
        "0 i64 + 1 [i64] -41\n"
        "1 ((i64 + 1)) * 2 [#0] -82\n");
  CHECK(Shown("abs(i64\n   - 2)") ==
        "0 i64 - 2 [i64] -44\n"
        "1 abs(i64 - 2) [#0] 44\n");
  CHECK(Shown("concat('a)', cast(i64 as string))") ==
        "0 cast(i64 as string) [i64] -42\n"
        "1 concat('a)', cast(i64 as string)) [#0] a)-42\n");
}

TEST_CASE("a part that is written twice is one step, and literals and columns are none",
          "[transform]") {
  CHECK(Shown("(i64 + 1) / (i64 + 1)") ==
        "0 i64 + 1 [i64] -41\n"
        "1 (i64 + 1) / (i64 + 1) [#0] 1\n");
  CHECK(Shown("i64") == "0 i64 [i64] -42\n");
  CHECK(Shown("7") == "0 7 [] 7\n");
  CHECK(Shown("i64 + (2 * 3)") == "0 i64 + (2 * 3) [i64] -36\n");
}

TEST_CASE("what stands for several operations is one step", "[transform]") {
  CHECK(Shown("i64 is not null") == "0 i64 is not null [i64] true\n");
  CHECK(Shown("i64 + 1 not between 1 and 5") ==
        "0 i64 + 1 [i64] -41\n"
        "1 i64 + 1 not between 1 and 5 [#0] true\n");
  CHECK(Shown("case i64 when -42 then i64 + 1 else 0 end") ==
        "0 i64 = -42 [i64] true\n"
        "1 i64 + 1 [i64] -41\n"
        "2 case i64 when -42 then i64 + 1 else 0 end [#0 #1] -41\n");
}

TEST_CASE("taking an expression apart fails as compiling it does", "[transform]") {
  for (const std::string_view text : {"i64 +", "nothing + 1", "lower(i64)"}) {
    const larder::NamedExpression expression = {"", std::string(text)};
    const auto program = Program::Compile({&expression, 1}, SampleFields());
    REQUIRE_FALSE(program.ok());
    CHECK(Shown(text) == larder::MessageOf(program.status()));
  }
}

TEST_CASE("random expressions: the last part gives the expression's bits", "[transform][random]") {
  const uint64_t seed = SeedFromEnvironment(20250310);
  INFO("LARDER_SEED=" << seed);
  RandomPrograms random(seed);
  larder::CompileOptions options;
  options.limits.text_bytes = 1 << 20;
  options.limits.nodes = 1 << 16;
#ifdef __OPTIMIZE__
  constexpr int kCases = 2000;
#else
  constexpr int kCases = 300;
#endif
  for (int i = 0; i < kCases; ++i) {
    const std::unique_ptr<Tree> tree = random.MakeTree(random.AnyKind(), 4);
    const larder::NamedExpression expression = {"e", Print(*tree)};
    INFO(expression.text);
    const auto program = Program::Compile({&expression, 1}, RandomPrograms::Fields(), options);
    REQUIRE(program.ok());
    const auto steps = ExpressionSteps::Make(expression, RandomPrograms::Fields(), options);
    REQUIRE(steps.ok());
    const std::vector<Maybe> drawn = random.MakeRow();
    larder::Row row;
    for (std::size_t c = 0; c < drawn.size(); ++c) {
      row.emplace_back(RandomPrograms::Fields()[c].name,
                       ToValue(drawn[c], static_cast<Kind>(c / 2)));
    }
    const auto expected = larder::EvaluateRow(*program, row, kAsOf);
    const auto found = larder::EvaluateRow(steps->program(), row, kAsOf);
    REQUIRE(expected.ok());
    REQUIRE(found.ok());
    CHECK(FormatValue(found->back()) == FormatValue(expected->back()));
    REQUIRE(found->back() == expected->back());
    for (const ExpressionStep& step : steps->steps()) {
      for (const std::size_t earlier : step.steps)
        REQUIRE(earlier < static_cast<std::size_t>(&step - steps->steps().data()));
    }
  }
}

}  // namespace
}  // namespace larder_test
