// What each operator and function gives, null, NaN and overflow included, as tables.
#include "support/catch.h"
#include "transform/expression_harness.h"

namespace larder_test {
namespace {

struct Case {
  const char* expression;
  const char* expected;
};

void Check(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    INFO(c.expression);
    CHECK(Evaluate(c.expression).text == c.expected);
  }
}

// expression, value, and the one cause counted
struct CountedCase {
  const char* expression;
  int64_t larder::EvalCounts::*cause;
};
void CheckCounted(std::initializer_list<CountedCase> cases) {
  for (const CountedCase& c : cases) {
    INFO(c.expression);
    const Outcome outcome = Evaluate(c.expression);
    CHECK(outcome.text == "null");
    CHECK(outcome.counts.*c.cause == 1);
    CHECK(outcome.counts.total() == 1);
  }
}

TEST_CASE("arithmetic on integers stays integer and on floats follows IEEE", "[transform]") {
  Check({
      {"i32 + 1", "8"},
      {"i64 * 2 - i32", "-91"},
      {"i64 / 4", "-10.5"},
      {"i64 // 4", "-10"},
      {"i64 % 4", "-2"},
      {"-7 % 3", "-1"},
      {"7 % -3", "1"},
      {"f64 % 2", "0.5"},
      {"-f64 % 2", "-0.5"},
      {"inf % 2", "NaN"},
      {"f64 % inf", "2.5"},
      {"u64 - 1", "18446744073709551614"},
      {"u64 // 2 + u64 // 2", "18446744073709551614"},
      {"f32 + f64", "4"},
      {"f32 * 3", "4.5"},
      {"-i64", "42"},
      {"- -i64", "-42"},
      {"abs(i64)", "42"},
      {"abs(neg)", "2.5"},
      {"abs(u64)", "18446744073709551615"},
      {"sign(u64)", "1"},
      {"sign(u64 - u64)", "0"},
      {"abs(9223372036854775808)", "9223372036854775808"},
      {"sign(i64)", "-1"},
      {"sign(nzero)", "-0"},
      {"sign(nan)", "NaN"},
      {"inf - inf", "NaN"},
      {"nan + 1", "NaN"},
      {"null_i + 1", "null"},
      {"1 + null", "null"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"2 + 3 * 4 - 10 / 4", "11.5"},
      {"(2 + 3) * 4", "20"},
      {"1e3 + .5", "1000.5"},
      {"max64 // -1", "-9223372036854775807"},
      {"min64 % -1", "0"},
      {"1 / 3", "0.3333333333333333"},
  });
}

TEST_CASE("what does not fit is null and counted by its cause", "[transform]") {
  CheckCounted({
      {"max64 + 1", &larder::EvalCounts::overflow},
      {"min64 - 1", &larder::EvalCounts::overflow},
      {"max64 * 2", &larder::EvalCounts::overflow},
      {"-min64", &larder::EvalCounts::overflow},
      {"abs(min64)", &larder::EvalCounts::overflow},
      {"min64 // -1", &larder::EvalCounts::overflow},
      {"u64 + 1", &larder::EvalCounts::overflow},
      {"i64 // zero", &larder::EvalCounts::division_by_zero},
      {"i64 % zero", &larder::EvalCounts::division_by_zero},
      {"i64 / zero", &larder::EvalCounts::division_by_zero},
      {"f64 / nzero", &larder::EvalCounts::division_by_zero},
      {"nan / 0", &larder::EvalCounts::division_by_zero},
      {"1 / 0", &larder::EvalCounts::division_by_zero},
      {"ln(zero)", &larder::EvalCounts::domain},
      {"sqrt(neg)", &larder::EvalCounts::domain},
      {"sqrt(-1)", &larder::EvalCounts::domain},
      {"asin(f64)", &larder::EvalCounts::domain},
      {"pow(neg, 0.5)", &larder::EvalCounts::domain},
      {"pow(0, -1)", &larder::EvalCounts::domain},
      {"sin(inf)", &larder::EvalCounts::domain},
      {"cast(nan as int64)", &larder::EvalCounts::bad_cast},
      {"cast(1e30 as int64)", &larder::EvalCounts::bad_cast},
      {"cast(s as int64)", &larder::EvalCounts::bad_cast},
      {"cast(i64 as uint64)", &larder::EvalCounts::bad_cast},
      {"cast(max64 as int32)", &larder::EvalCounts::bad_cast},
      {"cast(1e300 as float32)", &larder::EvalCounts::bad_cast},
      {"make_date(2025, 2, 29)", &larder::EvalCounts::domain},
      {"date '2025-01-01' + 9000000000", &larder::EvalCounts::overflow},
      {"1h / 1e-300", &larder::EvalCounts::overflow},
      {"1h / 0.0", &larder::EvalCounts::division_by_zero},
      {"dur / (f64 * 1e-300)", &larder::EvalCounts::overflow},
      {"cast(make_date(400000, 1, 1) as timestamp)", &larder::EvalCounts::overflow},
      {"date_diff('microsecond', make_date(-400000, 1, 1), make_date(400000, 1, 1))",
       &larder::EvalCounts::overflow},
      {"round(max64, -1)", &larder::EvalCounts::overflow},
      {"round(min64, -19)", &larder::EvalCounts::overflow},
      {"round(u64, -1)", &larder::EvalCounts::overflow},
      {"cast('0.99999999999999999999' as int64)", &larder::EvalCounts::bad_cast},
      {"cast('9223372036854775808.0' as int64)", &larder::EvalCounts::bad_cast},
      {"cast('-9223372036854775809e0' as int64)", &larder::EvalCounts::bad_cast},
      {"cast('18446744073709551616.0' as uint64)", &larder::EvalCounts::bad_cast},
      {"cast('-1.0' as uint64)", &larder::EvalCounts::bad_cast},
      {"cast('1e99999999999999999999' as int64)", &larder::EvalCounts::bad_cast},
      {"cast('1e-1' as int64)", &larder::EvalCounts::bad_cast},
      {"cast('1e' as int64)", &larder::EvalCounts::bad_cast},
      {"cast('.' as int64)", &larder::EvalCounts::bad_cast},
      {"cast('inf' as int64)", &larder::EvalCounts::bad_cast},
      {"ts + duration '100000000d' * 2", &larder::EvalCounts::overflow},
  });
}

TEST_CASE("a text over the limit is null and counted, whatever makes it", "[transform]") {
  larder::CompileOptions options;
  options.limits.result_bytes = 7;  // word is seven bytes
  for (const char* fits : {"lower(word)", "upper(word)", "reverse(word)", "concat(word, '')"})
    CHECK(Evaluate(fits, options).counts.total() == 0);
  options.limits.result_bytes = 6;
  for (const char* expression :
       {"lower(word)", "upper(word)", "reverse(word)", "concat(word, '')", "word || ''",
        "replace(word, 's', 't')", "lower('ABCDEFG')", "upper('abcdefg')", "reverse('abcdefg')"}) {
    INFO(expression);
    const Outcome outcome = Evaluate(expression, options);
    CHECK(outcome.text == "null");
    CHECK(outcome.counts.overflow == 1);
    CHECK(outcome.counts.total() == 1);
  }
}

TEST_CASE("a branch not taken counts nothing", "[transform]") {
  for (const char* expression :
       {"case when zero <> 0 then i64 / zero else 1 end", "if(yes, 1.0, ln(zero))",
        "coalesce(f64, 1 / zero)", "no and 1 / zero > 1", "yes or 1 / zero > 1",
        "try_cast(s as int64)", "null_f / 0",
        "case when yes then case when no then sqrt(neg) end else ln(zero) end",
        "case when false then i64 / zero else 1.0 end",
        "case when true then 1.0 else i64 / zero end", "case when null then i64 / zero else 1.0 end",
        "coalesce(5.0, i64 / zero)", "false and 1 / zero > 1", "true or 1 / zero > 1",
        "if(1 = 2, 1 / 0, 1.0)", "case when yes then case when false then ln(zero) end end"}) {
    INFO(expression);
    CHECK(Evaluate(expression).counts.total() == 0);
  }
  CHECK(Evaluate("yes and 1 / zero > 1").counts.division_by_zero == 1);
  CHECK(Evaluate("coalesce(null_f, 1 / zero)").counts.division_by_zero == 1);
  CHECK(Evaluate("true and 1 / zero > 1").counts.division_by_zero == 1);
  CHECK(Evaluate("null and 1 / zero > 1").counts.division_by_zero == 1);
  CHECK(Evaluate("false or 1 / zero > 1").counts.division_by_zero == 1);
  CHECK(Evaluate("coalesce(null, 1 / zero)").counts.division_by_zero == 1);
  CHECK(Evaluate("case when true then i64 / zero else 1.0 end").counts.division_by_zero == 1);
}

TEST_CASE("comparisons follow SQL and IEEE", "[transform]") {
  Check({
      {"1 < 2", "true"},
      {"f64 = 2.5", "true"},
      {"f64 == 2.5", "true"},
      {"f64 <> 2.5", "false"},
      {"f64 != 2.5", "false"},
      {"nan = nan", "false"},
      {"nan <> nan", "true"},
      {"nan < 1", "false"},
      {"nzero = 0", "true"},
      {"u64 > i64", "true"},
      {"i64 < u64", "true"},
      {"u64 = -1", "false"},
      {"i32 >= 7", "true"},
      {"s < 'a'", "true"},
      {"'Z' < 'a'", "true"},
      {"empty = ''", "true"},
      {"birth < day", "true"},
      {"birth < '2001-01-01'", "true"},
      {"ts > '2025-03-09'", "true"},
      {"ts >= day", "true"},
      {"dur > 1h", "true"},
      {"dur = '1h30m'", "true"},
      {"yes = no", "false"},
      {"null_i = 1", "null"},
      {"null_i = null", "null"},
      {"null_i is null", "true"},
      {"i64 is not null", "true"},
      {"null_i is distinct from null", "false"},
      {"null_i is distinct from 1", "true"},
      {"i64 is not distinct from -42", "true"},
      {"null_b is true", "false"},
      {"null_b is not true", "true"},
      {"no is false", "true"},
      {"i64 between -50 and 0", "true"},
      {"i64 not between -50 and 0", "false"},
      {"null_i between 1 and 2", "null"},
      {"i32 in (1, 7, 9)", "true"},
      {"i32 not in (1, 7, 9)", "false"},
      {"i32 in (1, null)", "null"},
      {"i32 in (7, null)", "true"},
      {"f64 in (1, 2.5)", "true"},
      {"nan in (1, 2)", "false"},
      {"s in ('  Late ', 'x')", "true"},
      {"null_s in ('x')", "null"},
      {"i32 in (1,2,3,4,5,6,7,8,9,10,11,12)", "true"},
      {"i32 in (i64, 7)", "true"},
      {"1 in (18446744073709551615)", "false"},
      {"18446744073709551615 in (1, 18446744073709551615)", "true"},
      {"i64 in (18446744073709551615, -42)", "true"},
      {"u64 in (-1, i64)", "false"},
      {"u64 in (-1, null)", "null"},
      {"i32 in (u64, null, 7)", "true"},
      {"i64 not in (u64)", "true"},
      {"1 = 1 is null", "false"},
      {"1 = 2 is false", "true"},
      {"i32 in (7) is true in (yes, no)", "true"},
  });
}

TEST_CASE("logic has three values", "[transform]") {
  Check({
      {"yes and null_b", "null"},
      {"no and null_b", "false"},
      {"null_b and no", "false"},
      {"null_b or yes", "true"},
      {"null_b or no", "null"},
      {"not null_b", "null"},
      {"not no", "true"},
      {"not i64 = 1", "true"},
      {"yes and not no or no", "true"},
  });
}

TEST_CASE("case, if, coalesce, nullif, greatest and least choose", "[transform]") {
  Check({
      {"case when i64 > 0 then 'pos' when i64 < 0 then 'neg' else 'zero' end", "neg"},
      {"case when i64 > 0 then 1 end", "null"},
      {"case when null_b then 1 else 2 end", "2"},
      {"case i32 when 6 then 'six' when 7 then 'seven' end", "seven"},
      {"if(yes, 1, 2.5)", "1"},
      {"if(no, 1)", "null"},
      {"if(i64 < 0, s, 'x')", "  Late "},
      {"if(null_b, yes, no)", "false"},
      {"coalesce(null_i, null, 3)", "3"},
      {"coalesce(null_f, i64)", "-42"},
      {"coalesce(null_s, 'none')", "none"},
      {"coalesce(null_b, yes)", "true"},
      {"ifnull(null_i, 9)", "9"},
      {"nullif(i32, 7)", "null"},
      {"nullif(i32, 8)", "7"},
      {"nullif(null_i, 8)", "null"},
      {"nullif(f64, null_f)", "2.5"},
      {"greatest(1, null, i64, 2.5)", "2.5"},
      {"least(1, null_i, i64)", "-42"},
      {"greatest(nan, inf)", "NaN"},
      {"least(nan, inf)", "Infinity"},
      {"greatest(null_i, null_i)", "null"},
      {"greatest('a', 'b', null_s)", "b"},
      {"greatest(1, 18446744073709551615, 2)", "18446744073709551615"},
      {"greatest(birth, day)", "2025-03-09"},
  });
}

TEST_CASE("casts convert or give null", "[transform]") {
  Check({
      {"cast(2.5 as int64)", "2"},
      {"cast(f64 as int64)", "2"},
      {"cast(3.5 as int64)", "4"},
      {"cast(-2.5 as int32)", "-2"},
      {"cast('12' as int64)", "12"},
      {"cast(' 12 ' as int64)", "12"},
      {"cast('12.0' as int64)", "12"},
      {"cast('9007199254740993.0' as int64)", "9007199254740993"},
      {"cast('-9223372036854775808.0' as int64)", "-9223372036854775808"},
      {"cast('18446744073709551615.' as uint64)", "18446744073709551615"},
      {"cast('1.5e1' as int64)", "15"},
      {"cast('1200e-2' as int64)", "12"},
      {"cast('.00000000000000000000012e+23' as int64)", "12"},
      {"cast('0e99999999999999999999' as int64)", "0"},
      {"cast('-0.0' as uint64)", "0"},
      {"cast('10203000.0' as int32)", "10203000"},
      {"try_cast('12.5' as int64)", "null"},
      {"cast('1e3' as float64)", "1000"},
      {"cast('NaN' as float64)", "NaN"},
      {"cast('-inf' as double)", "-Infinity"},
      {"cast('18446744073709551615' as uint64)", "18446744073709551615"},
      {"i64::string", "-42"},
      {"f64::varchar || '!'", "2.5!"},
      {"f32::string", "1.5"},
      {"cast(0.1 as float32)::string", "0.1"},
      {"inf::string", "Infinity"},
      {"yes::string", "true"},
      {"yes::int64 + 1", "2"},
      {"zero::bool", "false"},
      {"cast('yes' as bool)", "true"},
      {"'2025-03-09'::date - birth", "9140"},
      {"cast(ts as date)", "2025-03-09"},
      {"cast(day as timestamp)", "2025-03-09T00:00:00Z"},
      {"ts::string", "2025-03-09T15:04:05.25Z"},
      {"dur::string", "1h30m"},
      {"cast('1h30m' as duration) = dur", "true"},
      {"try_cast('x' as date)", "null"},
      {"int64(f64)", "2"},
      {"cast(null as int32)", "null"},
      {"cast(max64 as float64)", "9223372036854775808"},
  });
  CHECK(Evaluate("i32").type == "int32");
  CHECK(Evaluate("i32 + 1").type == "int64");
  CHECK(Evaluate("coalesce(i32, 0)").type == "int32");
  CHECK(Evaluate("coalesce(f32, 0)").type == "float32");
  CHECK(Evaluate("if(yes, f32, 0.1)").type == "float64");
  CHECK(Evaluate("i64 / 2").type == "float64");
  CHECK(Evaluate("birth + 1").type == "date");
  CHECK(Evaluate("birth + 2h").type == "timestamp");
}

TEST_CASE("rounding goes half away from zero, or half to even where asked", "[transform]") {
  Check({
      {"round(f64)", "3"},
      {"round(neg)", "-3"},
      {"round(0.49999999999999994)", "0"},
      {"round_even(f64)", "2"},
      {"round_even(3.5)", "4"},
      {"round(nzero)", "-0"},
      {"round(2.345, 2)", "2.35"},
      {"round(1234.5, -2)", "1200"},
      {"round(1234, -2)", "1200"},
      {"round(9007199254740993, 0)", "9007199254740993"},
      {"round(i64 + -8, -1)", "-50"},
      {"round(-45, -1)", "-50"},
      {"round(max64, -2)", "9223372036854775800"},
      {"round(i64, 3)", "-42"},
      {"round(i64, -20)", "0"},
      {"round(4000000000000000000, -19)", "0"},
      {"round(u64, -2)", "18446744073709551600"},
      {"round_even(-45, -1)", "-40"},
      {"round_even(35, -1)", "40"},
      {"round_even(u64 - u64 + 25, -1)", "20"},
      {"round(u64)", "18446744073709551615"},
      {"floor(u64)", "18446744073709551615"},
      {"ceil(u64)", "18446744073709551615"},
      {"trunc(u64)", "18446744073709551615"},
      {"round_even(u64)", "18446744073709551615"},
      {"floor(neg)", "-3"},
      {"ceil(neg)", "-2"},
      {"ceil(-0.5)", "-0"},
      {"trunc(neg)", "-2"},
      {"floor(i64)", "-42"},
      {"floor(1e300)", "1e+300"},
      {"floor(nan)", "NaN"},
      {"ceil(inf)", "Infinity"},
  });
}

TEST_CASE("elementary functions are defined where mathematics has them", "[transform]") {
  Check({
      {"exp(0)", "1"},
      {"ln(1)", "0"},
      {"log10(1000)", "3"},
      {"log(100)", "2"},
      {"log2(8)", "3"},
      {"log1p(0)", "0"},
      {"log1p(1.7e308)", "709.7268368932282"},
      {"log1p(1e307) = ln(1e307)", "true"},
      {"log1p(inf)", "Infinity"},
      {"log_scale(-1.7e308)", "-709.7268368932282"},
      {"abs(sinh(710.3) / 1.5077e308 - 1) < 1e-3", "true"},
      {"sinh(-710.3) = -cosh(f64 - 2.5 + 710.3)", "true"},
      {"abs(cosh(709.4) / cosh(709.6) * exp(0.2) - 1) < 1e-12", "true"},
      {"sinh(711)", "Infinity"},
      {"sinh(-inf)", "-Infinity"},
      {"cosh(nan)", "NaN"},
      {"expm1(0)", "0"},
      {"sqrt(16)", "4"},
      {"sqrt(nzero)", "-0"},
      {"cbrt(27)", "3"},
      {"pow(2, 10)", "1024"},
      {"power(neg, 2)", "6.25"},
      {"pow(nan, 0)", "1"},
      {"sin(0)", "0"},
      {"cos(0)", "1"},
      {"tan(0)", "0"},
      {"atan2(0, 1)", "0"},
      {"acos(1)", "0"},
      {"tanh(inf)", "1"},
      {"exp(710)", "Infinity"},
      {"exp(-inf)", "0"},
      {"ln(nan)", "NaN"},
      {"ln(inf)", "Infinity"},
      {"sqrt(null_f)", "null"},
      {"is_nan(nan)", "true"},
      {"is_nan(null_f)", "null"},
      {"nan_to_null(nan)", "null"},
      {"nan_to_null(f64)", "2.5"},
      {"is_inf(-inf)", "true"},
      {"is_finite(f64)", "true"},
      {"degrees(radians(180))", "180"},
  });
}

TEST_CASE("dates, timestamps and durations follow the calendar", "[transform]") {
  Check({
      {"current_date", "2025-03-09"},
      {"current_date('Asia/Tokyo')", "2025-03-10"},
      {"now()", "2025-03-09T15:04:05.25Z"},
      {"current_date - birth", "9140"},
      {"age = current_date - birth", "9140"},
      {"years_between(birth, current_date)", "25"},
      {"years_between(birth, date '2001-02-28')", "0"},
      {"years_between(birth, date '2001-03-01')", "1"},
      {"years_between(current_date, birth)", "-25"},
      {"months_between(birth, date '2000-05-28')", "2"},
      {"year(birth)", "2000"},
      {"month(ts)", "3"},
      {"day(ts)", "9"},
      {"hour(ts)", "15"},
      {"hour(ts, 'America/Los_Angeles')", "8"},
      {"minute(ts)", "4"},
      {"second(ts)", "5"},
      {"millisecond(ts)", "5250"},
      {"dow(day)", "0"},
      {"isodow(day)", "7"},
      {"doy(birth)", "60"},
      {"week(date '2021-01-03')", "53"},
      {"quarter(ts)", "1"},
      {"extract(year from ts)", "2025"},
      {"date_part('dow', ts)", "0"},
      {"date_part('epoch', ts)", "1741532645.25"},
      {"date_part('Epoch', day)", "1741478400"},
      {"extract(epoch from dur)", "5400"},
      {"extract(DOY from birth)", "60"},
      {"date_trunc('month', ts)", "2025-03-01T00:00:00Z"},
      {"date_trunc('hour', ts)", "2025-03-09T15:00:00Z"},
      {"date_trunc('week', day)", "2025-03-03"},
      {"date_trunc('quarter', birth)", "2000-01-01"},
      {"date_trunc('day', ts, 'America/Los_Angeles')", "2025-03-09T08:00:00Z"},
      {"date_trunc('day', timestamp '1969-12-31T23:00:00Z')", "1969-12-31T00:00:00Z"},
      {"date_diff('day', birth, day)", "9140"},
      {"date_diff('year', birth, day)", "25"},
      {"date_diff('hour', ts, ts + 90m)", "1"},
      {"date_sub('hour', ts, ts + 90m)", "1"},
      {"date_diff('minute', timestamp '2025-10-26 00:30', timestamp '2025-10-26 01:15', "
       "'Europe/Paris')",
       "45"},
      {"date_diff('hour', timestamp '2025-10-26 00:30', timestamp '2025-10-26 01:15', "
       "'Europe/Paris')",
       "1"},
      {"date_sub('hour', timestamp '2025-03-30 00:30', timestamp '2025-03-30 01:30', "
       "'Europe/Paris')",
       "1"},
      {"date_diff('hour', timestamp '2025-03-30 00:30', timestamp '2025-03-30 01:30', "
       "'Europe/Paris')",
       "1"},
      {"date_diff('day', timestamp '2025-03-29 22:30', timestamp '2025-03-29 23:30', "
       "'Europe/Paris')",
       "1"},
      {"date_diff('hour', timestamp '2025-03-09 10:15', timestamp '2025-03-09 10:45', "
       "'Asia/Kolkata')",
       "1"},
      {"date_diff('hour', timestamp '2025-03-09 10:45', timestamp '2025-03-09 11:15', "
       "'Asia/Kolkata')",
       "0"},
      {"date_diff('minute', make_timestamp(-9223372036854775808), "
       "make_timestamp(9223372036854775807))",
       "307445734561"},
      {"date_diff('second', make_timestamp(9223372036854775807), "
       "make_timestamp(9223372036854775806), 'Asia/Tokyo')",
       "0"},
      {"hour(make_timestamp(9223372036854775807), 'Asia/Tokyo')", "13"},
      {"hour(make_timestamp(max64), 'Asia/Tokyo')", "13"},
      {"hour(make_timestamp(-9223372036854775808), 'America/Los_Angeles')", "12"},
      {"day(make_timestamp(-9223372036854775808), 'America/Los_Angeles')", "21"},
      {"local_date(make_timestamp(max64), 'Pacific/Auckland') - cast(make_timestamp(max64) as "
       "date)",
       "0"},
      {"date_diff('year', make_date(-400000, 1, 1), make_date(400000, 1, 1))", "800000"},
      {"date_sub('month', make_date(-400000, 1, 31), make_date(400000, 2, 29))", "9600001"},
      {"date_diff('hour', make_date(-400000, 1, 1), make_date(-400000, 1, 2))", "24"},
      {"date_diff('day', make_date(-400000, 1, 1), make_date(i32 * -57143, 1, 3))", "-363"},
      {"date_diff('year', ts, make_date(400000, 1, 1))", "397975"},
      {"date_sub('minute', make_date(400000, 1, 1), ts) = "
       "-date_sub('minute', ts, make_date(400000, 1, 1))",
       "true"},
      {"date_sub('hour', day, ts)", "15"},
      {"date_sub('hour', ts, day)", "-15"},
      {"date_diff('hour', ts, day)", "-15"},
      {"date_diff('day', birth, '2000-03-01 12:00')", "1"},
      {"date_diff('day', '2000-02-29 12:00', '2000-03-01')", "1"},
      {"ts < make_date(400000, 1, 1)", "true"},
      {"make_date(-400000, 1, 1) < ts", "true"},
      {"make_timestamp(max64) = make_date(400000, 1, 1)", "false"},
      {"make_date(-400000, 1, 1) <> make_timestamp(min64)", "true"},
      {"day <= '2025-03-09 12:00'", "true"},
      {"date_sub('month', birth, date '2000-03-28')", "0"},
      {"date_sub('month', date '2000-01-31', birth)", "1"},
      {"date_sub('month', date '2000-01-31', date '2000-02-28')", "0"},
      {"date_sub('month', birth, date '2000-01-31')", "-1"},
      {"date_sub('year', birth, date '2001-02-28')", "1"},
      {"date_sub('month', timestamp '2025-01-31 12:00', timestamp '2025-02-28 11:59')", "0"},
      {"date_sub('month', timestamp '2025-01-31 12:00', timestamp '2025-02-28 12:00')", "1"},
      {"date_sub('quarter', date '2024-11-30', date '2025-02-28')", "1"},
      {"months_between(date '2025-01-31', date '2025-02-28')", "0"},
      {"epoch(ts)", "1741532645.25"},
      {"epoch_ms(ts)", "1741532645250"},
      {"to_timestamp(0.5)", "1970-01-01T00:00:00.5Z"},
      {"ts - 2h", "2025-03-09T13:04:05.25Z"},
      {"ts - timestamp '2025-03-09'", "15h4m5s250ms"},
      {"ts - day", "15h4m5s250ms"},
      {"day + 1", "2025-03-10"},
      {"day - 9", "2025-02-28"},
      {"day + 90m", "2025-03-09T01:30:00Z"},
      {"dur * 2", "3h"},
      {"dur / 30m", "3"},
      {"dur / 2", "45m"},
      {"-dur", "-1h30m"},
      {"abs(-dur)", "1h30m"},
      {"epoch(dur)", "5400"},
      {"null_d - day", "null"},
      {"make_date(2024, 2, 29)", "2024-02-29"},
      {"1h30m + 2d", "2d1h30m"},
  });
}

TEST_CASE("text functions count characters and keep UTF-8 whole", "[transform]") {
  Check({
      {"length(word)", "6"},
      {"octet_length(word)", "7"},
      {"octet_length(blob)", "2"},
      {"lower(s)", "  late "},
      {"upper('äöü σς я')", "ÄÖÜ ΣΣ Я"},
      {"lower('ÀÉ ΣΑΣ Ж İ')", "àé σασ ж i"},
      {"trim(s)", "Late"},
      {"ltrim(s)", "Late "},
      {"rtrim(s)", "  Late"},
      {"trim(empty)", ""},
      {"lower(trim(s)) = 'late'", "true"},
      {"concat('a', null, 'b')", "ab"},
      {"concat(null_s, null_s)", ""},
      {"'a' || 'b' || word", "abstraße"},
      {"'a' || null_s", "null"},
      {"starts_with(word, 'stra')", "true"},
      {"ends_with(word, 'ße')", "true"},
      {"contains(word, 'xyz')", "false"},
      {"contains(word, '')", "true"},
      {"contains(null_s, 'a')", "null"},
      {"strpos(word, 'e')", "6"},
      {"substr(word, 5)", "ße"},
      {"substr(word, 5, 1)", "ß"},
      {"substr(word, -2)", "ße"},
      {"substr(word, 0, 2)", "s"},
      {"substr(word, 100)", ""},
      {"left(word, 5)", "straß"},
      {"right(word, 2)", "ße"},
      {"left(word, -1)", "straß"},
      {"reverse(word)", "eßarts"},
      {"replace('a-b-c', '-', '::')", "a::b::c"},
      {"replace('aaa', '', 'x')", "aaa"},
      {"split_part('a,b,c', ',', 2)", "b"},
      {"split_part('a,b,c', ',', -1)", "c"},
      {"split_part('a,b,c', ',', 4)", ""},
      {"split_part(word, '', 5)", "ß"},
      {"split_part(word, '', -1)", "e"},
      {"split_part(word, '', -7)", ""},
      {"split_part(empty, '', 1)", ""},
      {"'it''s'", "it's"},
  });
}

TEST_CASE("names may be dotted or quoted and comments are skipped", "[transform]") {
  Check({
      {"request.x / 2", "4"},
      {"\"request.x\" / 2", "4"},
      {"1 -- one\n + 2", "3"},
      {"CASE WHEN YES THEN 1 ELSE 0 END",
       "error: line 1, column 11: unknown name \"YES\" (did you mean \"yes\"?)\n  CASE WHEN YES "
       "THEN 1 ELSE 0 END\n            ^^^"},
  });
}

}  // namespace
}  // namespace larder_test
