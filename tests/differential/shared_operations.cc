#include "differential/shared_sql.h"
#include "larder/base/text.h"

namespace larder_test {
namespace {

using larder::Concat;

constexpr SqlKind B = SqlKind::kBool;
constexpr SqlKind I = SqlKind::kInt;
constexpr SqlKind F = SqlKind::kFloat;
constexpr SqlKind T = SqlKind::kText;
constexpr SqlKind D = SqlKind::kDate;
constexpr SqlKind W = SqlKind::kTimestamp;

using Operations = std::vector<SharedOperation>;

// What has no answer is null in larder and an error in DuckDB, so `sql` must not come to it. DuckDB's own TRY would say so
// more shortly, but it also makes nulls of its inputs' other uses.
constexpr const char* kNull = "null-not-error";

void AddNumbers(Operations* all) {
  for (const char* sign : {"+", "-", "*"}) {
    all->push_back({I,
                    {I, I},
                    Concat("($0 ", sign, " $1)"),
                    Concat("TRY_CAST($0::HUGEINT ", sign, " $1::HUGEINT AS BIGINT)"),
                    kNull});
    all->push_back({F, {F, F}, Concat("($0 ", sign, " $1)"), "", ""});
    all->push_back({F, {I, F}, Concat("($0 ", sign, " $1)"), "", ""});
  }
  all->push_back({I, {I, I}, "($0 // $1)", "TRY_CAST($0::HUGEINT // $1::HUGEINT AS BIGINT)", kNull});
  all->push_back({I, {I}, "(- $0)", "TRY_CAST(- ($0::HUGEINT) AS BIGINT)", kNull});
  all->push_back({I, {I}, "abs($0)", "TRY_CAST(abs($0::HUGEINT) AS BIGINT)", kNull});
  all->push_back({I,
                  {I, I},
                  "($0 % $1)",
                  "TRY_CAST($0::HUGEINT % $1::HUGEINT AS BIGINT)",
                  "remainder-of-minus-one"});
  all->push_back({I, {I}, "sign($0)", "sign($0)::BIGINT", "wide-integers"});
  for (const char* rounding : {"floor", "ceil", "trunc", "round", "round_even"})
    all->push_back({I, {I}, Concat(rounding, "($0)"), "$0", "integers-stay"});
  all->push_back({F, {F, F}, "($0 / $1)", "($0 / nullif($1, 0))", "division-by-zero"});
  all->push_back({F, {I, I}, "($0 / $1)", "($0 / nullif($1, 0))", "division-by-zero"});
  all->push_back({F, {F, F}, "($0 % $1)", "($0 % nullif($1, 0))", "division-by-zero"});
  all->push_back({F, {F, F}, "($0 // $1)", "trunc($0 / nullif($1, 0))", "float-quotient"});
  all->push_back({F, {F}, "(- $0)", "", ""});
  for (const char* function : {"abs", "floor", "ceil", "trunc", "round"})
    all->push_back({F, {F}, Concat(function, "($0)"), "", ""});
  all->push_back({F, {F}, "round_even($0)", "nearest_even($0)", "round-even-of-large-numbers"});
  all->push_back({F, {F}, "sign($0)", "float_sign($0)", "sign-keeps-floats"});
  all->push_back({F, {F}, "sqrt($0)", "sqrt(CASE WHEN NOT $0 < 0 THEN $0 END)", kNull});
  all->push_back({F, {F, F, F}, "clamp($0, $1, $2)", "clamp($0, $1, $2)", ""});
  all->push_back({F, {F, F, F}, "zscore($0, $1, $2)", "(($0 - $1) / nullif($2, 0))", ""});
  all->push_back({F, {F, F, F}, "minmax($0, $1, $2)", "(($0 - $1) / nullif($2 - $1, 0))", ""});
  all->push_back({F, {F}, "nan_to_null($0)", "(CASE WHEN NOT isnan($0) THEN $0 END)", ""});
  all->push_back({B, {F}, "is_nan($0)", "isnan($0)", ""});
  all->push_back({B, {F}, "is_inf($0)", "isinf($0)", ""});
  all->push_back({B, {F}, "is_finite($0)", "isfinite($0)", ""});
}

void AddElementary(Operations* all) {
  constexpr SqlKind kClose = SqlKind::kClose;
  for (const char* function : {"exp", "cbrt", "atan", "sinh", "cosh", "tanh", "degrees", "radians"})
    all->push_back({kClose, {F}, Concat(function, "($0)"), "", "last-bits"});
  for (const char* function : {"ln", "log2", "log10"})
    all->push_back({kClose,
                    {F},
                    Concat(function, "($0)"),
                    Concat(function, "(CASE WHEN $0 > 0 THEN $0 END)"),
                    kNull});
  for (const char* function : {"sin", "cos", "tan"})
    all->push_back({kClose,
                    {F},
                    Concat(function, "($0)"),
                    Concat(function, "(CASE WHEN NOT isinf($0) THEN $0 END)"),
                    kNull});
  for (const char* function : {"asin", "acos"})
    all->push_back({kClose,
                    {F},
                    Concat(function, "($0)"),
                    Concat(function, "(CASE WHEN isnan($0) OR abs($0) <= 1 THEN $0 END)"),
                    kNull});
  all->push_back({kClose, {F, F}, "atan2($0, $1)", "", "last-bits"});
  all->push_back(
      {kClose, {F, F}, "pow($0, $1)", "defined_power($0, $1)", "power-outside-its-domain"});
  all->push_back({kClose,
                  {F, SqlKind::kDigits},
                  "round($0, $1)",
                  "(CASE WHEN isfinite($0) THEN round($0, $1) ELSE $0 END)",
                  "round-keeps-infinities"});
}

void AddComparisons(Operations* all) {
  for (const SqlKind kind : {B, I, T, D, W}) {
    for (const std::string sign : {"=", "<>", "<", "<=", ">", ">="}) {
      if (kind == B && sign != "=" && sign != "<>") continue;  // truth has no order in larder
      all->push_back({B, {kind, kind}, Concat("($0 ", sign, " $1)"), "", ""});
    }
    all->push_back({B, {kind, kind}, "($0 is distinct from $1)", "", ""});
    all->push_back({B, {kind, kind}, "($0 is not distinct from $1)", "", ""});
    if (kind != B) all->push_back({B, {kind, kind, kind}, "($0 between $1 and $2)", "", ""});
    all->push_back({B, {kind, kind, kind}, "($0 in ($1, $2))", "", ""});
    all->push_back({B, {kind, kind, kind}, "($0 not in ($1, null, $2))", "", ""});
  }
  constexpr const char* kRule = "nan-compares-as-ieee";
  all->push_back({B, {F, F}, "($0 = $1)", "ieee_equal($0, $1)", kRule});
  all->push_back({B, {F, F}, "($0 <> $1)", "(NOT ieee_equal($0, $1))", kRule});
  all->push_back({B, {F, F}, "($0 < $1)", "ieee_less($0, $1)", kRule});
  all->push_back({B, {F, F}, "($0 > $1)", "ieee_less($1, $0)", kRule});
  all->push_back({B, {F, F}, "($0 <= $1)", "ieee_less_equal($0, $1)", kRule});
  all->push_back({B, {F, F}, "($0 >= $1)", "ieee_less_equal($1, $0)", kRule});
  all->push_back({B,
                  {F, F, F},
                  "($0 between $1 and $2)",
                  "(ieee_less_equal($1, $0) AND ieee_less_equal($0, $2))",
                  kRule});
  all->push_back({B, {F, F}, "($0 is distinct from $1)", "ieee_distinct($0, $1)", kRule});
  all->push_back(
      {B, {F, F, F}, "($0 in ($1, $2))", "(ieee_equal($0, $1) OR ieee_equal($0, $2))", kRule});
  all->push_back(
      {F, {F, F}, "nullif($0, $1)", "(CASE WHEN ieee_equal($0, $1) THEN NULL ELSE $0 END)", kRule});
  all->push_back({B, {D, W}, "($0 < $1)", "", ""});
  all->push_back({B, {D, W}, "($0 = $1)", "", ""});
  all->push_back({B, {I, F}, "($0 < $1)", "ieee_less($0::DOUBLE, $1)", kRule});
}

void AddChoices(Operations* all) {
  for (const SqlKind kind : {B, I, F, T, D, W}) {
    all->push_back({kind, {B, kind, kind}, "if($0, $1, $2)", "", ""});
    all->push_back({kind,
                    {B, kind, B, kind, kind},
                    "(case when $0 then $1 when $2 then $3 else $4 end)",
                    "",
                    ""});
    all->push_back({kind, {B, kind}, "(case when $0 then $1 end)", "", ""});
    all->push_back({kind, {I, I, kind, kind}, "(case $0 when $1 then $2 else $3 end)", "", ""});
    all->push_back({kind, {kind, kind}, "coalesce($0, $1)", "", ""});
    all->push_back({kind, {kind, kind, kind}, "coalesce($0, $1, $2)", "", ""});
    if (kind != F) all->push_back({kind, {kind, kind}, "nullif($0, $1)", "", ""});
    if (kind != B) {
      all->push_back({kind, {kind, kind}, "greatest($0, $1)", "", ""});
      all->push_back({kind, {kind, kind, kind}, "least($0, $1, $2)", "", ""});
    }
    all->push_back({B, {kind}, "($0 is null)", "", ""});
    all->push_back({B, {kind}, "($0 is not null)", "", ""});
  }
  all->push_back({B, {B, B}, "($0 and $1)", "", ""});
  all->push_back({B, {B, B}, "($0 or $1)", "", ""});
  all->push_back({B, {B}, "(not $0)", "", ""});
  all->push_back({B, {B}, "($0 is true)", "(($0) IS NOT DISTINCT FROM TRUE)", ""});
  all->push_back({B, {B}, "($0 is not false)", "(($0) IS DISTINCT FROM FALSE)", ""});
}

void AddCasts(Operations* all) {
  all->push_back({I, {F}, "cast($0 as int64)", "TRY_CAST($0 AS BIGINT)", kNull});
  all->push_back({I, {F}, "try_cast($0 as int64)", "TRY_CAST($0 AS BIGINT)", ""});
  all->push_back({I, {B}, "cast($0 as int64)", "cast($0 AS BIGINT)", ""});
  all->push_back({F, {I}, "cast($0 as float64)", "cast($0 AS DOUBLE)", ""});
  all->push_back({B, {I}, "cast($0 as bool)", "cast($0 AS BOOLEAN)", ""});
  all->push_back({B, {F}, "cast($0 as bool)", "cast($0 AS BOOLEAN)", ""});
  all->push_back({I,
                  {T},
                  "try_cast($0 as int64)",
                  "(CASE WHEN NOT contains($0, '_') AND TRY_CAST($0 AS DOUBLE) = trunc(TRY_CAST($0 "
                  "AS DOUBLE)) THEN TRY_CAST($0 AS BIGINT) END)",
                  "text-to-integer"});
  all->push_back({F,
                  {T},
                  "try_cast($0 as float64)",
                  "(CASE WHEN NOT contains($0, '_') AND NOT isinf(TRY_CAST($0 AS DOUBLE)) OR "
                  "contains(lower($0), 'inf') THEN TRY_CAST($0 AS DOUBLE) END)",
                  "text-to-float"});
  all->push_back({B, {T}, "try_cast($0 as bool)", "TRY_CAST(trim($0) AS BOOLEAN)", "text-to-bool"});
  all->push_back({T, {I}, "cast($0 as string)", "cast($0 AS VARCHAR)", ""});
  all->push_back({T, {B}, "cast($0 as string)", "cast($0 AS VARCHAR)", ""});
  all->push_back({F,
                  {F},
                  "cast(cast($0 as string) as float64)",
                  "cast(cast($0 AS VARCHAR) AS DOUBLE)",
                  "text-of-floats"});
  all->push_back({W, {D}, "cast($0 as timestamp)", "", ""});
  all->push_back({D, {W}, "cast($0 as date)", "", ""});
  all->push_back({T,
                  {D},
                  "if(year($0) between 1 and 9999, cast($0 as string), '')",
                  "if(year($0) BETWEEN 1 AND 9999, cast($0 AS VARCHAR), '')",
                  "text-of-times"});
  all->push_back(
      {T,
       {W},
       "if(year($0) between 1 and 9999, cast($0 as string), '')",
       "if(year($0) BETWEEN 1 AND 9999, replace(cast($0 AS VARCHAR), ' ', 'T') || 'Z', '')",
       "text-of-times"});
  all->push_back({D,
                  {T},
                  "(case when regexp_full_match($0, ' *[0-9]{4}-[0-9]{2}-[0-9]{2} *') then "
                  "try_cast($0 as date) end)",
                  "",
                  "text-to-times"});
}

void AddTexts(Operations* all) {
  constexpr SqlKind kPosition = SqlKind::kPosition;
  for (const char* function : {"lower", "trim", "ltrim", "rtrim", "reverse"})
    all->push_back({T, {T}, Concat(function, "($0)"), "", ""});
  all->push_back({T, {T}, "upper($0)", "replace(upper($0), 'ẞ', 'ß')", "upper-of-sharp-s"});
  all->push_back({I, {T}, "length($0)", "", ""});
  all->push_back({I, {T}, "octet_length($0)", "strlen($0)", ""});
  all->push_back({T, {T, T}, "($0 || $1)", "($0 || $1)::VARCHAR", ""});
  all->push_back({T, {T, T, T}, "concat($0, $1, $2)", "", ""});
  all->push_back({T, {T, kPosition}, "left($0, $1)", "", ""});
  all->push_back({T, {T, kPosition}, "right($0, $1)", "", ""});
  all->push_back({T, {T, kPosition}, "substr($0, $1)", "", ""});
  all->push_back({T, {T, kPosition, kPosition}, "substr($0, $1, $2)", "", ""});
  all->push_back({T, {T, T, T}, "replace($0, $1, $2)", "", ""});
  all->push_back({T, {T, T, kPosition}, "split_part($0, $1, $2)", "", ""});
  all->push_back({B, {T, T}, "starts_with($0, $1)", "", ""});
  all->push_back({B, {T, T}, "ends_with($0, $1)", "", ""});
  all->push_back({B, {T, T}, "contains($0, $1)", "", ""});
  all->push_back({I, {T, T}, "strpos($0, $1)", "", ""});
  all->push_back({I,
                  {SqlKind::kAscii, SqlKind::kAscii},
                  "levenshtein($0, $1)",
                  "",
                  "levenshtein-of-characters"});
  all->push_back({B, {T, SqlKind::kLikePattern}, "($0 like $1)", "", ""});
  all->push_back({B, {T, SqlKind::kLikePattern}, "($0 not like $1)", "", ""});
  all->push_back({B, {T, SqlKind::kLikePattern}, "($0 ilike $1)", "", ""});
  all->push_back({B, {T, SqlKind::kRegex}, "regexp_matches($0, $1)", "", ""});
  all->push_back({B, {T, SqlKind::kRegex}, "regexp_full_match($0, $1)", "", ""});
  all->push_back({T, {T, SqlKind::kRegex}, "regexp_extract($0, $1)", "", ""});
}

void AddDifference(Operations* all, SqlKind kind, const std::string& unit) {
  SharedOperation operation = {I, {kind, kind}, Concat("date_diff('", unit, "', $0, $1)"), "", ""};
  if (unit == "week") {
    operation.sql = "((date_trunc('week', $1)::DATE - date_trunc('week', $0)::DATE) // 7)";
    operation.rule = "units-before-1970";
  } else if (unit == "quarter") {
    operation.sql = "(year($1) * 4 + quarter($1) - year($0) * 4 - quarter($0))";
    operation.rule = "units-before-1970";
  }
  all->push_back(std::move(operation));
}

void AddTimes(Operations* all) {
  all->push_back({I, {D, D}, "($0 - $1)", "", ""});
  // Kept near: DuckDB refuses days that are no timestamps in most functions.
  all->push_back({D, {D, I}, "($0 + $1 % 20000)", "($0 + ($1 % 20000)::INTEGER)", ""});
  all->push_back({D, {D, I}, "($0 - $1 % 20000)", "($0 - ($1 % 20000)::INTEGER)", ""});
  all->push_back({W, {W}, "($0 + 90m)", "($0 + INTERVAL '90 minutes')", ""});
  all->push_back({W, {W}, "($0 - 2d)", "($0 - INTERVAL '2 days')", ""});
  all->push_back({W, {D}, "($0 + 1h30m)", "($0 + INTERVAL '90 minutes')", ""});
  all->push_back({F,
                  {W, W},
                  "epoch($0 - $1)",
                  "((epoch_us($0) - epoch_us($1)) / 1000000)",
                  "durations-are-exact"});
  for (const char* part : {"year", "quarter", "month", "week", "day", "isodow"}) {
    all->push_back({I, {D}, Concat(part, "($0)"), "", ""});
    all->push_back({I, {W}, Concat(part, "($0)"), "", ""});
  }
  for (const SqlKind kind : {D, W}) {
    all->push_back({I, {kind}, "dow($0)", "dayofweek($0)", ""});
    all->push_back({I, {kind}, "doy($0)", "dayofyear($0)", ""});
  }
  for (const char* part : {"hour", "minute", "second", "millisecond", "microsecond"}) {
    all->push_back({I, {W}, Concat(part, "($0)"), "", ""});
    all->push_back({I, {W}, Concat("date_part('", part, "', $0)"), "", ""});
  }
  for (const char* unit : {"day", "week", "month", "quarter", "year"}) {
    all->push_back({D,
                    {D},
                    Concat("date_trunc('", unit, "', $0)"),
                    Concat("date_trunc('", unit, "', $0)::DATE"),
                    ""});
    AddDifference(all, D, unit);
    all->push_back({I, {D, D}, Concat("date_sub('", unit, "', $0, $1)"), "", ""});
  }
  for (const char* unit : {"second", "minute", "hour", "day", "week", "month", "quarter", "year"}) {
    all->push_back({W,
                    {W},
                    Concat("date_trunc('", unit, "', $0)"),
                    Concat("date_trunc('", unit, "', $0)::TIMESTAMP"),
                    "truncated-as-its-argument"});
    AddDifference(all, W, unit);
    all->push_back({I, {W, W}, Concat("date_sub('", unit, "', $0, $1)"), "", ""});
  }
  for (const char* zone : {"Europe/Paris", "America/New_York", "Asia/Kolkata"}) {
    const std::string local = Concat("timezone('", zone, "', timezone('UTC', $0))");
    const auto known = [](const std::string& text, const char* otherwise) {
      return Concat("if(year($0) between 1970 and 2037, ", text, ", ", otherwise, ")");
    };
    all->push_back({I,
                    {W},
                    known(Concat("hour($0, '", zone, "')"), "0"),
                    known(Concat("hour(", local, ")"), "0"),
                    "zones-are-arguments"});
    all->push_back({D,
                    {W},
                    known(Concat("local_date($0, '", zone, "')"), "date '1970-01-01'"),
                    known(Concat("cast(", local, " AS DATE)"), "date '1970-01-01'"),
                    "zones-are-arguments"});
  }
  all->push_back({F, {W}, "epoch($0)", "", ""});
  all->push_back({I, {W}, "epoch_us($0)", "", ""});
  all->push_back({I, {W}, "epoch_ms($0)", "floored_ms($0)", "epoch-is-floored"});
  // Of constants only, which are folded before any row is looked at: here TRY is safe.
  all->push_back({D,
                  {SqlKind::kPosition, SqlKind::kPosition, SqlKind::kPosition},
                  "make_date(2000 + $0, $1, $2 * 3)",
                  "TRY(make_date(2000 + $0, $1, $2 * 3))::DATE",
                  kNull});
  all->push_back({I, {D, D}, "years_between($0, $1)", "full_years($0, $1)", "years-between"});
}

}  // namespace

const std::vector<SharedOperation>& SharedOperations() {
  static const auto* const kOperations = [] {
    auto* all = new Operations;
    AddNumbers(all);
    AddElementary(all);
    AddComparisons(all);
    AddChoices(all);
    AddCasts(all);
    AddTexts(all);
    AddTimes(all);
    return all;
  }();
  return *kOperations;
}

const std::vector<std::string>& SharedMacros() {
  static const auto* const kMacros = new std::vector<std::string>{
      "ieee_equal(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL "
      "WHEN isnan(a) OR isnan(b) THEN FALSE ELSE a = b END",
      "ieee_less(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL "
      "WHEN isnan(a) OR isnan(b) THEN FALSE ELSE a < b END",
      "ieee_less_equal(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN NULL "
      "WHEN isnan(a) OR isnan(b) THEN FALSE ELSE a <= b END",
      "ieee_distinct(a, b) AS CASE WHEN a IS NULL OR b IS NULL THEN a IS NOT NULL OR b IS NOT NULL "
      "ELSE NOT ieee_equal(a, b) END",
      "float_sign(x) AS CASE WHEN isnan(x) OR x = 0 THEN x ELSE sign(x)::DOUBLE END",
      "nearest_even(x) AS CASE WHEN NOT isfinite(x) OR x = 0 THEN x "
      "WHEN abs(x - trunc(x)) = 0.5 THEN 2 * round(x / 2) ELSE round(x) END",
      "clamp(x, low, high) AS CASE WHEN ieee_less(x, low) THEN low WHEN ieee_less(high, x) THEN "
      "high "
      "ELSE x END",
      "defined_power(x, y) AS CASE WHEN x < 0 AND isfinite(x) AND isfinite(y) AND y <> trunc(y) OR "
      "x = 0 AND y < 0 THEN NULL ELSE pow(x, y) END",
      "floored_ms(t) AS (epoch_us(t) - (epoch_us(t) % 1000 + 1000) % 1000) // 1000",
      "full_years(a, b) AS CASE WHEN b < a THEN -(year(a) - year(b) - "
      "CASE WHEN (month(a), day(a)) < (month(b), day(b)) THEN 1 ELSE 0 END) "
      "ELSE year(b) - year(a) - CASE WHEN (month(b), day(b)) < (month(a), day(a)) THEN 1 ELSE 0 "
      "END END",
  };
  return *kMacros;
}

}  // namespace larder_test
