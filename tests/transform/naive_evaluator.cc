// The obvious meaning of every operation, one optional value at a time.
#include <cmath>
#include <cstdlib>
#include <limits>

#include "larder/base/time.h"
#include "transform/random_program.h"

namespace larder_test {
namespace {

__extension__ using Wide = __int128;
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

Maybe Fit(Wide x) {
  if (x < kMin || x > kMax) return std::nullopt;
  return Scalar(static_cast<int64_t>(x));
}
Maybe FitDate(Wide x) {
  if (x < std::numeric_limits<int32_t>::min() || x > std::numeric_limits<int32_t>::max())
    return std::nullopt;
  return Scalar(static_cast<int64_t>(x));
}

double RoundEven(double x) { return std::nearbyint(x); }  // the default rounding mode

// Digits with a sign, or a decimal that is whole.
Maybe ParseInt(std::string text) {
  while (!text.empty() && text.front() == ' ') text.erase(0, 1);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  if (text.empty()) return std::nullopt;
  bool digits = true;
  for (std::size_t i = 0; i < text.size(); ++i)
    digits = digits &&
             (std::isdigit(static_cast<unsigned char>(text[i])) != 0 || (i == 0 && text[i] == '-'));
  if (digits && text != "-") {
    Wide x = 0;
    for (const char c : text) {
      if (c != '-') x = x * 10 + (c - '0');
      if (x > Wide{kMax} + 1) return std::nullopt;
    }
    return Fit(text[0] == '-' ? -x : x);
  }
  if (text.find_first_not_of("0123456789.-") != std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double x = std::strtod(text.c_str(), &end);
  if (end != text.c_str() + text.size() || x != std::floor(x) || std::fabs(x) > 9007199254740992.0)
    return std::nullopt;
  return Scalar(static_cast<int64_t>(x));
}

std::vector<std::string> Characters(const std::string& text) {
  std::vector<std::string> out;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) out.emplace_back();
    out.back().push_back(c);
  }
  return out;
}

int64_t YearsBetween(int64_t a, int64_t b) {
  if (b < a) return -YearsBetween(b, a);
  const larder::CivilDay from = larder::CivilFromDays(a);
  const larder::CivilDay to = larder::CivilFromDays(b);
  const bool reached = to.month > from.month || (to.month == from.month && to.day >= from.day);
  return to.year - from.year - (reached ? 0 : 1);
}

Maybe IntOperation(const std::string& op, int64_t x, int64_t y) {
  if (op == "+") return Fit(Wide{x} + y);
  if (op == "-") return Fit(Wide{x} - y);
  if (op == "*") return Fit(Wide{x} * y);
  if (op == "//") return y == 0 ? std::nullopt : Fit(Wide{x} / y);
  if (op == "%") return y == 0 ? std::nullopt : Fit(Wide{x} % y);
  if (op == "=") return Scalar(x == y);
  if (op == "<") return Scalar(x < y);
  return Scalar(x >= y);
}

Maybe FloatOperation(const std::string& op, double x, double y) {
  if (op == "+") return Scalar(x + y);
  if (op == "-") return Scalar(x - y);
  if (op == "*") return Scalar(x * y);
  if (op == "/") return y == 0 ? std::nullopt : Maybe(Scalar(x / y));
  if (op == "%") return y == 0 ? std::nullopt : Maybe(Scalar(std::fmod(x, y)));
  if (op == "<>") return Scalar(x != y);
  if (op == "<") return Scalar(x < y);
  if (op == "<=") return Scalar(x <= y);
  return Scalar(x > y);
}

Maybe FloatFunction(const std::string& op, double x) {
  if (op == "neg") return Scalar(-x);
  if (op == "abs") return Scalar(std::fabs(x));
  if (op == "floor") return Scalar(std::floor(x));
  if (op == "ceil") return Scalar(std::ceil(x));
  if (op == "trunc") return Scalar(std::trunc(x));
  if (op == "round") return Scalar(std::round(x));
  if (op == "round_even") return Scalar(RoundEven(x));
  if (op == "sqrt") return x < 0 ? std::nullopt : Maybe(Scalar(std::sqrt(x)));
  if (op == "nan_to_null") return std::isnan(x) ? std::nullopt : Maybe(Scalar(x));
  if (op == "is_nan") return Scalar(std::isnan(x));
  const double r = RoundEven(x);  // toint
  if (std::isnan(r) || r < -9223372036854775808.0 || r >= 9223372036854775808.0)
    return std::nullopt;
  return Scalar(static_cast<int64_t>(r));
}

std::string Trim(std::string text) {
  while (!text.empty() && text.front() == ' ') text.erase(0, 1);
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

Maybe TextFunction(const std::string& op, const std::string& x) {
  if (op == "length") return Scalar(static_cast<int64_t>(Characters(x).size()));
  if (op == "parse") return ParseInt(x);
  if (op == "trim") return Scalar(Trim(x));
  std::string out;  // reverse
  for (const std::string& character : Characters(x)) out = character + out;
  return Scalar(out);
}

Maybe TextOperation(const std::string& op, const std::string& x, const std::string& y) {
  if (op == "=") return Scalar(x == y);
  if (op == "<") return Scalar(x < y);
  if (op == "||") return x.size() + y.size() > (1U << 20U) ? std::nullopt : Maybe(Scalar(x + y));
  if (op == "starts_with") return Scalar(x.rfind(y, 0) == 0);
  if (op == "contains") return Scalar(x.find(y) != std::string::npos);
  const std::size_t at = x.find(y);  // strpos
  return Scalar(at == std::string::npos
                    ? int64_t{0}
                    : static_cast<int64_t>(Characters(x.substr(0, at)).size()) + 1);
}

bool SortsBefore(const Scalar& a, const Scalar& b) {
  if (const double* x = std::get_if<double>(&a)) {
    const double y = std::get<double>(b);
    return *x < y || (std::isnan(y) && !std::isnan(*x));
  }
  return a < b;
}

Maybe Choose(const std::string& op, const std::vector<Maybe>& a) {
  if (op == "if") return a[0].has_value() && std::get<bool>(*a[0]) ? a[1] : a[2];
  if (op == "coalesce") return a[0].has_value() ? a[0] : a[1];
  if (op == "clamp") {
    if (!a[0].has_value()) return std::nullopt;
    const double x = std::get<double>(*a[0]);
    if (a[1].has_value() && x < std::get<double>(*a[1])) return a[1];
    if (a[2].has_value() && x > std::get<double>(*a[2])) return a[2];
    return a[0];
  }
  if (!a[0].has_value() || !a[1].has_value()) return a[0].has_value() ? a[0] : a[1];
  if (op == "greatest") return SortsBefore(*a[0], *a[1]) ? a[1] : a[0];
  return SortsBefore(*a[1], *a[0]) ? a[1] : a[0];
}

Maybe Logic(const std::string& op, const std::vector<Maybe>& a) {
  const auto is = [&](std::size_t k, bool wanted) {
    return a[k].has_value() && std::get<bool>(*a[k]) == wanted;
  };
  if (op == "istrue") return Scalar(is(0, true));
  if (op == "and") {
    if (is(0, false) || is(1, false)) return Scalar(false);
    return is(0, true) && is(1, true) ? Maybe(Scalar(true)) : std::nullopt;
  }
  if (is(0, true) || is(1, true)) return Scalar(true);
  return is(0, false) && is(1, false) ? Maybe(Scalar(false)) : std::nullopt;
}

}  // namespace

Maybe Walk(const Tree& tree, const std::vector<Maybe>& row) {
  const std::string& op = tree.op;
  if (op == "constant") return tree.constant;
  if (op == "input") return row[tree.input];
  std::vector<Maybe> a;
  for (const auto& child : tree.children) a.push_back(Walk(*child, row));
  const Kind kind = tree.children[0]->kind;

  if (op == "if" || op == "coalesce" || op == "clamp" || op == "greatest" || op == "least")
    return Choose(op, a);
  if (op == "and" || op == "or" || op == "istrue") return Logic(op, a);
  if (op == "isnull") return Scalar(!a[0].has_value());
  if (op == "distinct")
    return Scalar(a[0].has_value() != a[1].has_value() || (a[0].has_value() && *a[0] != *a[1]));
  if (op == "nullif")
    return a[0].has_value() && a[1].has_value() && *a[0] == *a[1] ? std::nullopt : a[0];
  if (op == "concat") {
    return Scalar((a[0] ? std::get<std::string>(*a[0]) : "") +
                  (a[1] ? std::get<std::string>(*a[1]) : ""));
  }
  for (const Maybe& argument : a) {
    if (!argument.has_value()) return std::nullopt;
  }
  if (op == "in3") {
    const int64_t x = std::get<int64_t>(*a[0]);
    return x == 1 || x == -7 ? Maybe(Scalar(true)) : std::nullopt;
  }
  if (kind == Kind::kBool) {
    const bool x = std::get<bool>(*a[0]);
    if (op == "not") return Scalar(!x);
    if (op == "boolint") return Scalar(int64_t{x});
    return Scalar(x == std::get<bool>(*a[1]));
  }
  if (kind == Kind::kDate) {
    const int64_t x = std::get<int64_t>(*a[0]);
    if (op == "year") return Scalar(larder::CivilFromDays(x).year);
    if (op == "dow") return Scalar(((x + 4) % 7 + 7) % 7);
    if (op == "month_start") {
      const larder::CivilDay civil = larder::CivilFromDays(x);
      return FitDate(larder::DaysFromCivil(civil.year, civil.month, 1));
    }
    const int64_t y = std::get<int64_t>(*a[1]);
    if (op == "datediff") return Scalar(x - y);
    if (op == "addday") return FitDate(Wide{x} + y);
    if (op == "years_between") return Scalar(YearsBetween(x, y));
    return Scalar(x < y);
  }
  if (kind == Kind::kText) {
    const auto& x = std::get<std::string>(*a[0]);
    if (a.size() == 1) return TextFunction(op, x);
    if (op == "left") {
      const std::vector<std::string> characters = Characters(x);
      const int64_t n = std::get<int64_t>(*a[1]);
      const Wide keep = n < 0 ? static_cast<Wide>(characters.size()) + n : Wide{n};
      std::string out;
      for (std::size_t i = 0; i < characters.size() && static_cast<Wide>(i) < keep; ++i)
        out += characters[i];
      return Scalar(out);
    }
    return TextOperation(op, x, std::get<std::string>(*a[1]));
  }
  if (kind == Kind::kFloat) {
    const double x = std::get<double>(*a[0]);
    return a.size() == 1 ? FloatFunction(op, x) : FloatOperation(op, x, std::get<double>(*a[1]));
  }
  const int64_t x = std::get<int64_t>(*a[0]);
  if (op == "neg") return Fit(-Wide{x});
  if (op == "abs") return Fit(x < 0 ? -Wide{x} : Wide{x});
  if (op == "sign") return Scalar(int64_t{x > 0} - int64_t{x < 0});
  if (op == "tofloat") return Scalar(static_cast<double>(x));
  if (op == "totext") return Scalar(std::to_string(x));
  return IntOperation(op, x, std::get<int64_t>(*a[1]));
}

}  // namespace larder_test
