#include <cmath>

#include "larder/transform/checker.h"
#include "larder/transform/fitted.h"
#include "larder/transform/function.h"
#include "support/catch.h"
#include "transform/expression_harness.h"

namespace larder_test {
namespace {

using Catch::Matchers::ContainsSubstring;
using larder::CompileOptions;
using larder::Datum;
using larder::FunctionDefinition;
using larder::FunctionRegistry;
using larder::FunctionResult;
using larder::TypeId;
using larder::Value;

FunctionDefinition Plus(int version, double amount) {
  FunctionDefinition definition;
  definition.name = "plus";
  definition.version = version;
  definition.arguments = {TypeId::kFloat64};
  definition.scalar = [amount](std::span<const Datum> arguments, FunctionResult* result) {
    if (arguments[0].f64 > 1e6) return result->Fail();
    result->SetFloat(arguments[0].f64 + amount);
  };
  definition.probes = {{Value(1.0)}, {Value(-3.5)}};
  return definition;
}

FunctionDefinition Shout() {
  FunctionDefinition definition;
  definition.name = "shout";
  definition.arguments = {TypeId::kString, TypeId::kInt64};
  definition.result = TypeId::kString;
  definition.batch = [](std::span<const std::span<const Datum>> arguments,
                        std::span<FunctionResult> results) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      results[i].SetText(std::string(arguments[0][i].view()) +
                         std::string(static_cast<std::size_t>(arguments[1][i].i64), '!'));
    }
  };
  definition.probes = {{Value("a"), Value(int64_t{2})}, {Value(""), Value(int64_t{0})}};
  return definition;
}

TEST_CASE("a C++ function is called by name and version, alone and in batches", "[transform]") {
  FunctionRegistry functions;
  REQUIRE(functions.Register(Plus(1, 1)).ok());
  REQUIRE(functions.Register(Plus(2, 100)).ok());
  REQUIRE(functions.Register(Shout()).ok());
  CompileOptions options;
  options.functions = &functions;
  CHECK(Evaluate("plus(f64)", options).text == "102.5");
  CHECK(Evaluate("plus@1(f64)", options).text == "3.5");
  CHECK(Evaluate("plus@1(i32) * 2", options).text == "16");
  CHECK(Evaluate("plus(null_f)", options).text == "null");
  CHECK(Evaluate("plus(1e7)", options).counts.other == 1);
  CHECK(Evaluate("shout(word, 2)", options).text == "straße!!");
  CHECK(Evaluate("if(no, plus(1e7), 0)", options).counts.other == 0);
  CHECK_THAT(Evaluate("plus@3(f64)", options).text,
             ContainsSubstring("plus@3 is not registered in this process; versions here: 1, 2"));
  CHECK_THAT(Evaluate("pluss(f64)", options).text, ContainsSubstring("did you mean \"plus\""));
  CHECK_THAT(Evaluate("plus(s)", options).text, ContainsSubstring("it takes plus(float64)"));
  CHECK_THAT(Evaluate("plus(f64)").text, ContainsSubstring("unknown function \"plus\""));
}

TEST_CASE("a text from C++ is checked as any other", "[transform]") {
  FunctionDefinition answer;  // a text of i64 bytes of one value
  answer.name = "answer";
  answer.arguments = {TypeId::kInt64, TypeId::kInt64};
  answer.result = TypeId::kString;
  answer.scalar = [](std::span<const Datum> arguments, FunctionResult* result) {
    result->SetText(std::string(static_cast<std::size_t>(arguments[0].i64),
                                static_cast<char>(arguments[1].i64)));
  };
  answer.probes = {{Value(int64_t{1}), Value(int64_t{65})}};
  FunctionDefinition raw = answer;
  raw.name = "raw";
  raw.result = TypeId::kBytes;
  FunctionRegistry functions;
  REQUIRE(functions.Register(answer).ok());
  REQUIRE(functions.Register(raw).ok());
  CompileOptions options;
  options.functions = &functions;
  options.limits.result_bytes = 10;
  CHECK(Evaluate("answer(10, 66)", options).text == "BBBBBBBBBB");
  const Outcome invalid = Evaluate("answer(3, 200)", options);
  CHECK(invalid.text == "null");
  CHECK(invalid.counts.other == 1);
  CHECK(invalid.counts.total() == 1);
  const Outcome large = Evaluate("length(answer(11, 66))", options);
  CHECK(large.text == "null");
  CHECK(large.counts.overflow == 1);
  CHECK(large.counts.total() == 1);
  CHECK(Evaluate("octet_length(raw(10, 200))", options).text == "10");
  CHECK(Evaluate("octet_length(raw(11, 200))", options).counts.overflow == 1);
}

TEST_CASE("a function's probes are part of the meaning of what calls it", "[transform]") {
  FunctionRegistry before;
  FunctionRegistry after;
  REQUIRE(before.Register(Plus(1, 1)).ok());
  REQUIRE(after.Register(Plus(1, 2)).ok());
  const auto canonical = [](const FunctionRegistry& functions) {
    CompileOptions options;
    options.functions = &functions;
    return larder::TransformChecker(options).Check("plus(f64)", SampleFields())->canonical;
  };
  CHECK(canonical(before) == canonical(before));
  CHECK(canonical(before) != canonical(after));
  const std::string identity = (*before.Find("plus"))->Identity();
  CHECK(before.CheckIdentity(identity).ok());
  CHECK(after.CheckIdentity(identity).code() == absl::StatusCode::kFailedPrecondition);
  CHECK(FunctionRegistry().CheckIdentity(identity).code() == absl::StatusCode::kNotFound);
}

TEST_CASE("what cannot be a function is refused when registered", "[transform]") {
  FunctionRegistry functions;
  REQUIRE(functions.Register(Plus(1, 1)).ok());
  CHECK(functions.Register(Plus(1, 1)).code() == absl::StatusCode::kAlreadyExists);
  FunctionDefinition bad = Plus(3, 1);
  for (const char* taken : {"lower",
                            "sigmoid",
                            "clamp",
                            "zscore",
                            "minmax",
                            "log_scale",
                            "impute",
                            "cross",
                            "hash_bucket",
                            "coalesce",
                            "greatest",
                            "least",
                            "nullif",
                            "if",
                            "now",
                            "current_date",
                            "current_timestamp",
                            "in",
                            "and",
                            "case",
                            "cast",
                            "try_cast",
                            "extract",
                            "between",
                            "is_null",
                            "is_distinct",
                            "neg",
                            "concat_op",
                            "element",
                            "power",
                            "log",
                            "len",
                            "ifnull",
                            "ceiling",
                            "datediff",
                            "list_avg",
                            "string",
                            "bigint"}) {
    INFO(taken);
    bad.name = taken;
    CHECK_THAT(std::string(larder::MessageOf(functions.Register(bad))),
               ContainsSubstring("is a built-in's name"));
  }
  bad = Plus(0, 1);
  CHECK_FALSE(functions.Register(bad).ok());
  bad = Plus(3, 1);
  bad.probes.clear();
  CHECK_FALSE(functions.Register(bad).ok());
  bad = Plus(3, 1);
  bad.probes = {{Value("text")}};
  CHECK_FALSE(functions.Register(bad).ok());
  // A batch function whose answers depend on their neighbours is found out.
  FunctionDefinition crowd;
  crowd.name = "crowd";
  crowd.arguments = {TypeId::kInt64};
  crowd.result = TypeId::kInt64;
  crowd.batch = [](std::span<const std::span<const Datum>>, std::span<FunctionResult> results) {
    for (FunctionResult& result : results) result.SetInt(static_cast<int64_t>(results.size()));
  };
  crowd.probes = {{Value(int64_t{1})}, {Value(int64_t{2})}};
  CHECK_THAT(std::string(larder::MessageOf(functions.Register(crowd))),
             ContainsSubstring("otherwise alone"));
}

TEST_CASE("a program outlives the registry it was compiled with", "[transform]") {
  auto functions = std::make_unique<FunctionRegistry>();
  REQUIRE(functions->Register(Plus(1, 1)).ok());
  CompileOptions options;
  options.functions = functions.get();
  const larder::NamedExpression expression = {"x", "plus(f64)"};
  const auto program = larder::Program::Compile({&expression, 1}, SampleFields(), options);
  REQUIRE(program.ok());
  functions.reset();
  CHECK(program->functions().size() == 1);
  const auto values = larder::EvaluateRow(*program, SampleRow(), kAsOf);
  REQUIRE(values.ok());
  CHECK((*values)[0] == Value(3.5));
}

TEST_CASE("fitted constants do not depend on the order of the rows", "[transform]") {
  larder::Column forward(TypeId::kFloat64);
  larder::Column backward(TypeId::kFloat64);
  for (int i = 0; i < 1000; ++i) forward.AppendFixed(std::sqrt(static_cast<double>(i)) * 1e10);
  for (int i = 999; i >= 0; --i) backward.AppendFixed(std::sqrt(static_cast<double>(i)) * 1e10);
  forward.AppendNull();
  backward.AppendFixed(std::nan(""));
  const auto a = larder::Fit(forward);
  const auto b = larder::Fit(backward);
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK(*a == *b);
  CHECK(a->count == 1000);
  CHECK(a->boundaries.size() == 9);
  CHECK_FALSE(larder::Fit(larder::Column(TypeId::kFloat64)).ok());
  CHECK_FALSE(larder::Fit(larder::Column(TypeId::kBool)).ok());
}

TEST_CASE("fitted constants stand in expressions by name and are part of their meaning",
          "[transform]") {
  larder::FittedConstants fitted;
  larder::FittedValues values;
  values.mean = 0.5;
  values.deviation = 4;
  values.maximum = 10;
  values.boundaries = {0, 2.5};
  values.vocabulary = {"late", "early"};
  REQUIRE(fitted.Add("amount_fit", 3, values).ok());
  CompileOptions options;
  options.fitted = &fitted;
  CHECK(Evaluate("zscore(f64, amount_fit)", options).text == "0.5");
  CHECK(Evaluate("minmax(f64, amount_fit)", options).text == "0.25");
  CHECK(Evaluate("impute(null_f, amount_fit)", options).text == "0.5");
  CHECK(Evaluate("bucketize(f64, amount_fit)", options).text == "2");
  CHECK(Evaluate("one_hot(lower(trim(s)), amount_fit)", options).text == "[1,0]");
  CHECK_THAT(Evaluate("amount_fit + 1", options).text,
             ContainsSubstring("fitted constants can only stand"));
  CHECK_THAT(Evaluate("amount_fit", options).text,
             ContainsSubstring("fitted constants are not values"));
  CHECK_THAT(Evaluate("zscore(f64, amount_fat)", options).text, ContainsSubstring("unknown name"));
  const auto first =
      larder::TransformChecker(options).Check("zscore(f64, amount_fit)", SampleFields());
  const auto entry = fitted.Find("amount_fit", 0);
  REQUIRE(entry.ok());
  const auto parsed = larder::FittedEntry::Parse((*entry)->Serialize());
  REQUIRE(parsed.ok());
  CHECK(parsed->values == values);
  CHECK(parsed->Identity() == (*entry)->Identity());
  CHECK_FALSE(larder::FittedEntry::Parse("junk").ok());
  values.mean = 0.25;
  REQUIRE(fitted.Add("amount_fit", 3, values).ok());
  const auto second =
      larder::TransformChecker(options).Check("zscore(f64, amount_fit)", SampleFields());
  CHECK(first->canonical != second->canonical);
}

TEST_CASE("a checked text is pinned to the versions it met, and means the same later",
          "[transform]") {
  larder::FunctionRegistry functions;
  REQUIRE(functions.Register(Plus(1, 1)).ok());
  larder::FittedConstants fitted;
  larder::FittedValues values;
  values.mean = 2;
  values.deviation = 1;
  REQUIRE(fitted.Add("fit", 1, values).ok());
  CompileOptions options;
  options.functions = &functions;
  options.fitted = &fitted;
  const auto check = [&](std::string_view text) {
    const auto checked = larder::TransformChecker(options).Check(text, SampleFields());
    INFO(text << " " << checked.status());
    REQUIRE(checked.ok());
    return *checked;
  };
  const larder::CheckedExpression bare = check("z = plus( f64 ) + zscore(f64, fit) -- plus");
  CHECK(bare.inputs == std::vector<std::string>{"f64"});
  CHECK(bare.pinned.find("z = plus@1#") == 0);
  CHECK(bare.pinned.find("zscore(f64, fit@1#") != std::string::npos);
  CHECK(bare.canonical == check("plus@1(f64)+zscore(f64, fit@1)").canonical);
  CHECK(check(bare.pinned).canonical == bare.canonical);
  CHECK(check(bare.pinned).pinned == bare.pinned);
  CHECK(check("f64 + 1").pinned == "f64 + 1");
  CHECK(Evaluate(bare.pinned, options).text == "4");

  REQUIRE(functions.Register(Plus(2, 10)).ok());
  values.mean = 0;
  REQUIRE(fitted.Add("fit", 2, values).ok());
  CHECK(check("plus(f64) + zscore(f64, fit)").canonical != bare.canonical);
  CHECK(Evaluate("plus(f64) + zscore(f64, fit)", options).text == "15");
  CHECK(Evaluate(bare.pinned, options).text == "4");

  // What is not here, or no longer answers as then, is said.
  const auto refusal = [&](const CompileOptions& elsewhere) {
    const auto checked = larder::TransformChecker(elsewhere).Check(bare.pinned, SampleFields());
    CHECK(checked.status().code() == absl::StatusCode::kFailedPrecondition);
    return std::string(larder::MessageOf(checked.status()));
  };
  CHECK_THAT(refusal({}), ContainsSubstring("function plus@1 is not registered in this process"));
  CompileOptions no_fit = options;
  no_fit.fitted = nullptr;
  CHECK_THAT(refusal(no_fit), ContainsSubstring("fitted constants fit@1 are not in this store"));
  larder::FunctionRegistry changed;
  REQUIRE(changed.Register(Plus(1, 3)).ok());
  CompileOptions other_code = options;
  other_code.functions = &changed;
  CHECK_THAT(refusal(other_code), ContainsSubstring("answers its probes otherwise"));
  larder::FittedConstants refitted;
  REQUIRE(refitted.Add("fit", 1, values).ok());
  CompileOptions other_fit = options;
  other_fit.fitted = &refitted;
  CHECK_THAT(refusal(other_fit), ContainsSubstring("are not those this was defined with"));
}

}  // namespace
}  // namespace larder_test
