#include "larder/transform/checker.h"

#include "larder/transform/program.h"
#include "support/catch.h"
#include "transform/expression_harness.h"

namespace larder_test {
namespace {

using larder::NamedExpression;
using larder::Program;

std::string Canonical(std::string_view text) {
  const auto checked = larder::TransformChecker().Check(text, SampleFields());
  return checked.ok() ? checked->canonical : std::string(larder::MessageOf(checked.status()));
}

TEST_CASE("the canonical form forgets blanks, case of words, comments and redundant parentheses",
          "[transform]") {
  CHECK(Canonical("i64+1") == Canonical("( i64 ) + (1) -- sum"));
  CHECK(Canonical("case when yes then 1 else 2 end") ==
        Canonical("CASE WHEN yes THEN 1 ELSE 2 END"));
  CHECK(Canonical("if(yes, 1, 2)") == Canonical("case when yes then 1 else 2 end"));
  CHECK(Canonical("i64 <> 1") == Canonical("i64 != 1"));
  CHECK(Canonical("age = current_date - birth") == Canonical("current_date - birth"));
  CHECK(Canonical("cast(i64 as double)") == Canonical("i64::float64"));
  CHECK(Canonical("i64 + 1") != Canonical("i64 + 1.0"));
  CHECK(Canonical("i64 + 1 * 2") != Canonical("(i64 + 1) * 2"));
  CHECK(Canonical("concat('a', 'b')") != Canonical("concat('a, b')"));
  CHECK(Canonical("i64 - (i32 - 1)") != Canonical("i64 - i32 - 1"));
}

TEST_CASE("canonical text stays short when a part is used many times over", "[transform]") {
  std::string text = "i64";
  for (int i = 0; i < 30; ++i) text = "(" + text + " between 0 and 1)::int64";
  const auto checked = larder::TransformChecker().Check(text, SampleFields());
  REQUIRE(checked.ok());
  CHECK(checked->canonical.size() < 4000);
}

TEST_CASE("the checker says type, inputs and clock", "[transform]") {
  const auto age = larder::TransformChecker().Check("age = current_date - birth", SampleFields());
  REQUIRE(age.ok());
  CHECK(age->type == larder::TypeId::kInt64);
  CHECK(age->inputs == std::vector<std::string>{"birth"});
  CHECK(age->uses_clock);
  const auto ratio = larder::TransformChecker().Check("request.x / f64 + f64", SampleFields());
  REQUIRE(ratio.ok());
  CHECK(ratio->inputs == std::vector<std::string>{"f64", "request.x"});
  CHECK_FALSE(ratio->uses_clock);
}

TEST_CASE("a leading name is the definition's unless it is an input", "[transform]") {
  CHECK(Evaluate("total = i64 + 1").text == "-41");
  CHECK(Evaluate("i32 = 7").text == "true");
  const NamedExpression own = {"user_age", "age = i64 + 1"};
  CHECK(Program::Compile({&own, 1}, SampleFields()).ok());
  const NamedExpression wrong = {"age", "aeg = i64 + 1"};
  const auto program = Program::Compile({&wrong, 1}, SampleFields());
  REQUIRE_FALSE(program.ok());
  CHECK_THAT(std::string(larder::MessageOf(program.status())),
             Catch::Matchers::ContainsSubstring("did you mean \"age\"?"));
}

TEST_CASE("expressions of one program share what they have in common and read only what they use",
          "[transform]") {
  const NamedExpression expressions[] = {
      {"a", "ln(f64 + 1) * 2"}, {"b", "ln(f64 + 1) * 3"}, {"c", "f64 + 1"}, {"d", "2 * 3 + 4"}};
  const auto program = Program::Compile(expressions, SampleFields());
  REQUIRE(program.ok());
  CHECK(program->inputs().size() == 1);
  CHECK(program->instruction_count() == 4);  // f64 + 1, ln, * 2, * 3
  CHECK_THAT(program->Disassemble(), Catch::Matchers::ContainsSubstring("ln"));
}

TEST_CASE("a batch of the wrong shape is an error naming the input", "[transform]") {
  const NamedExpression expression = {"a", "f64 + 1"};
  const auto program = Program::Compile({&expression, 1}, SampleFields());
  REQUIRE(program.ok());
  larder::Column wrong(larder::TypeId::kInt64);
  const larder::Column* input = &wrong;
  CHECK_THAT(
      std::string(larder::MessageOf(program->EvaluateBatch({&input, 1}, 0, {&kAsOf, 1}).status())),
      Catch::Matchers::ContainsSubstring("\"f64\" is int64, expected float64"));
  larder::Column shorter(larder::TypeId::kFloat64);
  input = &shorter;
  CHECK_FALSE(program->EvaluateBatch({&input, 1}, 3, {&kAsOf, 1}).ok());
  CHECK(program->EvaluateBatch({&input, 1}, 0, {&kAsOf, 1}).ok());
}

}  // namespace
}  // namespace larder_test
