// Every message says where, what and what instead.
#include <string>

#include "larder/base/status.h"
#include "support/catch.h"
#include "transform/expression_harness.h"

namespace larder_test {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

TEST_CASE("a message points at the place with a caret", "[transform]") {
  CHECK(Evaluate("i64 + i46 * 2").text ==
        "error: line 1, column 7: unknown name \"i46\" (did you mean \"i64\"?)\n"
        "  i64 + i46 * 2\n"
        "        ^^^");
  CHECK(
      Evaluate("case\n  when yes then 1\n  else 'a' end").text ==
      "error: line 1, column 1: the branches must have one type; found int64 and string; cast one\n"
      "  case\n"
      "  ^^^^");
  CHECK(Evaluate("'äöü' || lowr(s)").text ==
        "error: line 1, column 10: unknown function \"lowr\" (did you mean \"lower\"?)\n"
        "  'äöü' || lowr(s)\n"
        "           ^^^^^^^");
}

TEST_CASE("a malformed expression is refused with what was expected", "[transform]") {
  const std::pair<const char*, const char*> cases[] = {
      {"", "the expression is empty"},
      {"   -- nothing", "the expression is empty"},
      {"1 +", "the expression ends where a value was expected"},
      {"(1 + 2", "a closing )"},
      {"1 2", "expected an operator or the end"},
      {"neg()", "neg is not a function; write -x"},
      {"neg(i64, 2)", "neg is not a function; write -x"},
      {"is_null()", "is_null is not a function; write x is null"},
      {"is_distinct(i64)", "is_distinct is not a function; write x is distinct from y"},
      {"add(1, 2)", "add is not a function; write x + y"},
      {"ADD(1, 2)", "add is not a function; write x + y"},
      {"eq(1, 2)", "write x = y"},
      {"concat_op('a', 'b')", "write x || y"},
      {"hash_combine(hash64(1), hash64(2))", "write cross(x, y, ..., buckets)"},
      {"bucket_of_hash(hash64(1), 2)", "write hash_bucket(x, buckets)"},
      {"is_true(yes)", "write x is true"},
      {"extract(sqrt from 4)", "unknown part \"sqrt\""},
      {"extract(yaer from ts)", "did you mean \"year\""},
      {"sum([1, 2])", "the sum of a list is list_sum(x)"},
      {"avg([1, 2])", "list_mean(x)"},
      {"max([1, 2])", "list_max(x), of values greatest(x, y)"},
      {"min(1, 2)", "list_min(x), of values least(x, y)"},
      {"1 is null = true", "comparisons do not chain"},
      {"current_date('UTC', 1)", "current_date takes one time zone or nothing"},
      {"1 < 2 < 3", "comparisons do not chain"},
      {"'abc", "no closing quote"},
      {"i64 ^ 2", "pow(x, y)"},
      {"yes && no", "write the words and, or"},
      {"!yes", "write the word not"},
      {"5x", "neither a number nor a duration"},
      {"2 hours", "expected an operator or the end"},
      {"interval '1 day'", "durations are written"},
      {"99999999999999999999", "larger than"},
      {"1e999", "does not fit float64"},
      {"date '2025-02-30'", "2025-02-30"},
      {"case yes end", "when"},
      {"case when yes 1 end", "then"},
      {"i64 is 5", "null, true, false or distinct from"},
      {"i64 in ()", "at least one value"},
      {"cast(i64 int32)", "as and a type"},
      {"cast(i64 as flot64)", "did you mean \"float64\""},
      {"s + 1", "+ does not take string, int64; texts are joined by ||"},
      {"length(i64)", "length does not take (int64); it takes length(string)"},
      {"yes + 1", "+ does not take bool, int64"},
      {"if(i64, 1, 2)", "a condition must be bool, this is int64"},
      {"coalesce(u64, i64)", "found uint64 and int64; cast one"},
      {"null", "null alone has no type"},
      {"date_trunc('fortnight', ts)", "unknown unit 'fortnight'"},
      {"hour(ts, 'Mars/Base')", "Mars/Base"},
      {"hour(ts, s)", "time zone must be a text constant"},
      {"date_trunc('hour', birth)", "a date has no hour"},
      {"birth < 'tomorrow'", "cannot read 'tomorrow' as date"},
      {"bucketize(f64, [3, 1])", "ascend"},
      {"dot(v, v8)", "does not take"},
      {"[i64]", "constants only"},
      {"[make_date(400000,1,1), timestamp '2020-01-01']", "an item has no value as timestamp"},
      {"regexp_extract(s, '((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))', 32)",
       "the group must be below 32"},
      {"hash_bucket(s, 0)", "above 0"},
      {"cast(blob as int64)", "cannot cast bytes to int64"},
      {"\x01", "control character"},
  };
  for (const auto& [expression, expected] : cases) {
    INFO(expression);
    const std::string text = Evaluate(expression).text;
    CHECK_THAT(text, StartsWith("error: "));
    CHECK_THAT(text, ContainsSubstring(expected));
  }
}

TEST_CASE("bad UTF-8 is refused before anything else", "[transform]") {
  CHECK_THAT(Evaluate("'\xff'").text, ContainsSubstring("not valid UTF-8"));
}

TEST_CASE("limits hold exactly at the limit", "[transform]") {
  larder::CompileOptions options;
  options.limits.depth = 8;
  CHECK(Evaluate("((((((( 1 )))))))", options).text == "1");
  CHECK_THAT(Evaluate("(((((((( 1 ))))))))", options).text, ContainsSubstring("more than 8 deep"));
  options = {};
  options.limits.nodes = 9;
  CHECK(Evaluate("1+1+1+1+1", options).text == "5");
  CHECK_THAT(Evaluate("1+1+1+1+1+1", options).text, ContainsSubstring("more than 9 parts"));
  options = {};
  options.limits.text_bytes = 5;
  CHECK(Evaluate("1 + 1", options).text == "2");
  CHECK_THAT(Evaluate("1 +  1", options).text, ContainsSubstring("6 bytes long, the limit is 5"));
  options = {};
  options.limits.result_bytes = 4;
  CHECK(Evaluate("'ab' || 'cd'", options).text == "abcd");
  CHECK(Evaluate("word || 'cde'", options).text == "null");
  CHECK(Evaluate("replace('a-b', '-', '--')", options).text == "a--b");
  CHECK(Evaluate("replace('a-b', '-', '---')", options).text == "null");
  options = {};
  options.limits.pattern_bytes = 3;
  CHECK_THAT(Evaluate("regexp_match(s, 'aaaa')", options).text,
             ContainsSubstring("the limit is 3"));
}

TEST_CASE("nesting far over the limit is an error, not a crash", "[transform]") {
  larder::CompileOptions options;
  options.limits.text_bytes = 10'000'000;
  CHECK_THAT(Evaluate(std::string(100'000, '(') + "1", options).text, ContainsSubstring("deep"));
  CHECK_THAT(Evaluate(std::string(100'000, '-') + "1", options).text, ContainsSubstring("error: "));
  std::string chain = "i64";
  for (int i = 0; i < 400; ++i) chain += " + 1";
  CHECK(Evaluate(chain).text == "358");
}

TEST_CASE("an expression that reads the clock is refused where it must not", "[transform]") {
  larder::CompileOptions options;
  options.refuse_clock = true;
  CHECK_THAT(Evaluate("current_date - birth", options).text,
             ContainsSubstring("current_date is not allowed here"));
  CHECK_THAT(Evaluate("now()", options).text, ContainsSubstring("now() is not allowed here"));
}

}  // namespace
}  // namespace larder_test
