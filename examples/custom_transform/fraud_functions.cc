#include "examples/custom_transform/fraud_functions.h"

#include <algorithm>
#include <string_view>

namespace fraud {
namespace {

using larder::Datum;
using larder::FunctionDefinition;
using larder::FunctionResult;
using larder::TypeId;
using larder::Value;

// Whether the last digit of a card number checks the others.
bool LuhnValid(std::string_view number) {
  int sum = 0;
  for (std::size_t i = 0; i < number.size(); ++i) {
    const char c = number[number.size() - 1 - i];
    if (c < '0' || c > '9') return false;
    const int digit = (c - '0') * (i % 2 == 0 ? 1 : 2);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return !number.empty() && sum % 10 == 0;
}

std::string_view NetworkOf(std::string_view number) {
  if (number.starts_with("4")) return "visa";
  if (number.starts_with("34") || number.starts_with("37")) return "amex";
  if (number.size() > 1 && number[0] == '5' && number[1] >= '1' && number[1] <= '5')
    return "mastercard";
  return "other";
}

// A row at a time: arguments in, one answer out.
FunctionDefinition LuhnFunction() {
  FunctionDefinition function;
  function.name = "luhn_valid";
  function.arguments = {TypeId::kString};
  function.result = TypeId::kBool;
  function.scalar = [](std::span<const Datum> arguments, FunctionResult* result) {
    result->SetBool(LuhnValid(arguments[0].view()));
  };
  function.probes = {{Value("4111111111111111")}, {Value("4111111111111112")}, {Value("")}};
  return function;
}

// Many rows at a time, for what is cheaper together. Serving calls it with one row.
FunctionDefinition NetworkFunction() {
  FunctionDefinition function;
  function.name = "network";
  function.arguments = {TypeId::kString};
  function.result = TypeId::kString;
  function.batch = [](std::span<const std::span<const Datum>> arguments,
                      std::span<FunctionResult> results) {
    for (std::size_t row = 0; row < results.size(); ++row)
      results[row].SetText(NetworkOf(arguments[0][row].view()));
  };
  function.probes = {{Value("4111")}, {Value("3782")}, {Value("5555")}, {Value("6011")}};
  return function;
}

// Two versions side by side: what was defined with the first keeps it. A negative amount has no risk: null, counted.
FunctionDefinition RiskFunction(int version, double (*risk)(double amount, double limit)) {
  FunctionDefinition function;
  function.name = "risk";
  function.version = version;
  function.arguments = {TypeId::kFloat64, TypeId::kFloat64};
  function.scalar = [risk](std::span<const Datum> arguments, FunctionResult* result) {
    const double amount = arguments[0].f64;
    const double limit = arguments[1].f64;
    if (amount < 0 || limit <= 0) return result->Fail();
    result->SetFloat(risk(amount, limit));
  };
  function.probes = {
      {Value(30.0), Value(90.0)}, {Value(500.0), Value(90.0)}, {Value(-1.0), Value(90.0)}};
  return function;
}

double RiskOfShare(double amount, double limit) { return std::min(1.0, amount / limit); }
double RiskOfOdds(double amount, double limit) { return amount / (amount + limit); }

}  // namespace

absl::Status RegisterFunctions(larder::FunctionRegistry* functions) {
  LARDER_RETURN_IF_ERROR(functions->Register(LuhnFunction()));
  LARDER_RETURN_IF_ERROR(functions->Register(NetworkFunction()));
  LARDER_RETURN_IF_ERROR(functions->Register(RiskFunction(1, RiskOfShare)));
  return functions->Register(RiskFunction(2, RiskOfOdds));
}

}  // namespace fraud
