#include "registry/aggregates.h"

#include <algorithm>
#include <charconv>

#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {
namespace {

enum class Takes { kNothing, kAnything, kScalar, kNumber, kNumberOrVector, kOrdered };
enum class Gives { kCount, kSum, kInput, kFloat, kList, kCategoryCounts, kSpan };

struct Function {
  const char* name;
  Takes takes;
  Gives gives;
  const char* parameter = "";  // the one it needs, if any
};

constexpr Function kFunctions[] = {
    {"count", Takes::kAnything, Gives::kCount},
    {"count_all", Takes::kNothing, Gives::kCount},
    {"sum", Takes::kNumber, Gives::kSum},
    {"sum_or_null", Takes::kNumber, Gives::kSum},
    {"mean", Takes::kNumberOrVector, Gives::kFloat},
    {"min", Takes::kOrdered, Gives::kInput},
    {"max", Takes::kOrdered, Gives::kInput},
    {"stddev", Takes::kNumber, Gives::kFloat},
    {"stddev_samp", Takes::kNumber, Gives::kFloat},
    {"stddev_pop", Takes::kNumber, Gives::kFloat},
    {"variance", Takes::kNumber, Gives::kFloat},
    {"var_samp", Takes::kNumber, Gives::kFloat},
    {"var_pop", Takes::kNumber, Gives::kFloat},
    {"skew", Takes::kNumber, Gives::kFloat},
    {"kurtosis", Takes::kNumber, Gives::kFloat},
    {"first", Takes::kAnything, Gives::kInput},
    {"last", Takes::kAnything, Gives::kInput},
    {"first_k", Takes::kScalar, Gives::kList, "k"},
    {"last_k", Takes::kScalar, Gives::kList, "k"},
    {"distinct_k", Takes::kScalar, Gives::kList, "k"},
    {"count_distinct", Takes::kScalar, Gives::kCount},
    {"approx_count_distinct", Takes::kScalar, Gives::kCount},
    {"approx_percentile", Takes::kNumber, Gives::kFloat, "p"},
    {"top_k", Takes::kScalar, Gives::kList, "k"},
    {"histogram", Takes::kScalar, Gives::kCategoryCounts},
    {"entropy", Takes::kScalar, Gives::kFloat},
    {"drawdown", Takes::kNumber, Gives::kFloat},
    {"slope", Takes::kNumber, Gives::kFloat},
    {"time_since_first", Takes::kAnything, Gives::kSpan},
    {"time_since_last", Takes::kAnything, Gives::kSpan},
    {"decayed_sum", Takes::kNumber, Gives::kFloat, "half_life"},
    {"ewma", Takes::kNumber, Gives::kFloat, "half_life"},
};

const Function* FindFunction(std::string_view name) {
  for (const Function& function : kFunctions) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

bool IsNumber(const DataType& type) {
  return type.is_numeric() || type.id() == TypeId::kBool || type.id() == TypeId::kDuration;
}

bool Accepts(Takes takes, const DataType& type) {
  const bool vector = type.id() == TypeId::kVector && type.element() == TypeId::kFloat32;
  switch (takes) {
    case Takes::kNothing:
      return false;
    case Takes::kAnything:
      return true;
    case Takes::kScalar:
      return !type.is_nested();
    case Takes::kNumber:
      return IsNumber(type);
    case Takes::kNumberOrVector:
      return IsNumber(type) || vector;
    case Takes::kOrdered:
      return !type.is_nested() || vector;
  }
  return false;
}

const char* Wanted(Takes takes) {
  switch (takes) {
    case Takes::kNothing:
      return "no input";
    case Takes::kAnything:
      return "any input";
    case Takes::kScalar:
      return "a scalar";
    case Takes::kNumber:
      return "a number, bool or duration";
    case Takes::kNumberOrVector:
      return "a number, bool, duration or vector<float32>";
    case Takes::kOrdered:
      return "a scalar or vector<float32>";
  }
  return "";
}

void CheckParameter(const std::string& name, const std::string& text, const std::string& path,
                    Problems* problems) {
  if (name == "k") {
    int64_t k = 0;
    const char* end = text.data() + text.size();
    if (std::from_chars(text.data(), end, k).ptr != end || k < 1 || k > 1000) {
      problems->Add(path, "k is a whole number from 1 to 1000, found ", Quoted(text));
    }
  } else if (name == "p") {
    const auto p = ParseValue(text, TypeId::kFloat64);
    if (!p.ok() || !(*p->As<double>() >= 0 && *p->As<double>() <= 1)) {
      problems->Add(path, "p is a number from 0 to 1, found ", Quoted(text));
    }
  } else if (name == "half_life") {
    const auto span = ParseDuration(text);
    if (!span.ok()) {
      problems->AddStatus(path, span.status());
    } else if (span->us <= 0) {
      problems->Add(path, "half_life must be longer than 0, found ", Quoted(text));
    }
  }
}

void CheckParameters(const Aggregate& aggregate, const std::string& path, Problems* problems) {
  std::vector<std::string> known;
  for (const std::string& name : aggregate.functions) {
    const Function* function = FindFunction(name);
    if (function == nullptr || function->parameter[0] == '\0') continue;
    known.emplace_back(function->parameter);
    if (aggregate.parameters.count(function->parameter) == 0) {
      problems->Add(Concat(path, "/parameters"), name, " needs the parameter ", function->parameter);
    }
  }
  for (const auto& [name, text] : aggregate.parameters) {
    const std::string place = Concat(path, "/parameters", "/", name);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      problems->Add(place, "unknown parameter of ", Join(aggregate.functions, ", "),
                    DidYouMean(name, known));
    } else {
      CheckParameter(name, text, place, problems);
    }
  }
}

// A category as part of a name.
std::string NamePart(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool fits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    out.push_back(fits ? c : '_');
  }
  return out;
}

struct Window {
  std::string text;
  std::optional<Duration> span;
};

std::vector<Window> Windows(const Aggregate& aggregate, const std::string& path,
                            Problems* problems) {
  std::vector<Window> out;
  for (std::size_t i = 0; i < aggregate.windows.size(); ++i) {
    const auto span = ParseDuration(aggregate.windows[i]);
    const std::string place = Concat(path, "/windows/", i);
    if (!span.ok()) {
      problems->AddStatus(place, span.status());
    } else if (span->us <= 0) {
      problems->Add(place, "a window must be longer than 0");
    } else {
      out.push_back({std::string(TrimAscii(aggregate.windows[i])), *span});
    }
  }
  if (aggregate.windows.empty()) out.push_back({"", std::nullopt});
  return out;
}

}  // namespace

bool NeedsAllEvents(std::string_view function) {
  for (const char* name :
       {"min", "max", "first", "last", "first_k", "last_k", "distinct_k", "count_distinct",
        "approx_count_distinct", "drawdown", "time_since_first", "time_since_last"}) {
    if (function == name) return true;
  }
  return false;
}

std::vector<NamedAggregate> ExpandAggregate(const Aggregate& aggregate, const std::string& path,
                                            Problems* problems) {
  std::vector<NamedAggregate> out;
  const std::size_t before = problems->size();
  if (aggregate.functions.empty()) {
    problems->Add(path, "an aggregate needs a function");
  }
  for (std::size_t i = 0; i < aggregate.functions.size(); ++i) {
    if (FindFunction(aggregate.functions[i]) != nullptr) continue;
    std::vector<std::string> names;
    for (const Function& function : kFunctions) names.emplace_back(function.name);
    problems->Add(Concat(path, "/functions/", i),
                  "unknown aggregate function: ", aggregate.functions[i],
                  DidYouMean(aggregate.functions[i], names));
  }
  if (aggregate.rows && !aggregate.windows.empty()) {
    problems->Add(Concat(path, "/rows"), "give either rows or windows");
  }
  if (aggregate.rows && *aggregate.rows < 1) {
    problems->Add(Concat(path, "/rows"), "rows must be at least 1, found ", *aggregate.rows);
  }
  if (aggregate.delay && aggregate.delay->us < 0) {
    problems->Add(Concat(path, "/delay"), "a delay cannot be negative");
  }
  if (!aggregate.categories.empty() && aggregate.group_by.empty()) {
    problems->Add(Concat(path, "/categories"), "categories need group_by");
  }
  CheckParameters(aggregate, path, problems);
  const std::vector<Window> windows = Windows(aggregate, path, problems);

  const bool single = aggregate.functions.size() == 1 && aggregate.windows.size() <= 1;
  if (!aggregate.name.empty() && !single) {
    problems->Add(Concat(path, "/name"),
                  "a name needs exactly one function and at most one window");
  }
  // The input becomes part of the name, so it must be one.
  if (aggregate.name.empty() && !aggregate.input.empty() && !IsValidName(aggregate.input)) {
    problems->Add(Concat(path, "/name"), "an aggregate over the expression ",
                  Quoted(aggregate.input), " needs a name of its own");
  }
  if (problems->size() != before) return out;

  std::vector<std::string> categories = aggregate.categories;
  if (categories.empty()) categories.emplace_back();
  for (std::size_t f = 0; f < aggregate.functions.size(); ++f) {
    for (std::size_t w = 0; w < windows.size(); ++w) {
      for (const std::string& category : categories) {
        NamedAggregate item;
        AggregateColumn& column = item.column;
        column.function = aggregate.functions[f];
        // Counting nothing in particular is counting events.
        if (column.function == "count" && aggregate.input.empty()) column.function = "count_all";
        column.input = aggregate.input;
        column.window = windows[w].span;
        column.rows = aggregate.rows;
        column.where = aggregate.where;
        column.group_by = aggregate.group_by;
        column.category = category;
        column.delay = aggregate.delay.value_or(Duration{});
        column.include_nulls = aggregate.include_nulls;
        column.parameters = aggregate.parameters;
        if (const Function* function = FindFunction(column.function)) {
          for (auto it = column.parameters.begin(); it != column.parameters.end();) {
            it = it->first == function->parameter ? std::next(it) : column.parameters.erase(it);
          }
        }
        item.name = aggregate.name;
        if (item.name.empty()) {
          item.name = aggregate.functions[f];
          if (!aggregate.input.empty()) item.name += Concat("_", aggregate.input);
          if (!windows[w].text.empty()) item.name += Concat("_", windows[w].text);
          if (aggregate.rows) item.name += Concat("_last", *aggregate.rows);
        }
        if (!category.empty()) item.name += Concat("_", NamePart(category));
        item.path = aggregate.functions.size() > 1 ? Concat(path, "/functions/", f) : path;
        out.push_back(std::move(item));
      }
    }
  }
  return out;
}

absl::StatusOr<DataType> AggregateType(const AggregateColumn& column, const DataType* input) {
  const Function* function = FindFunction(column.function);
  if (function == nullptr) {
    return InvalidArgumentError("unknown aggregate function: ", column.function);
  }
  if (input == nullptr) {
    const bool optional = function->takes == Takes::kNothing || function->gives == Gives::kSpan;
    if (!optional) return InvalidArgumentError(column.function, " needs an input");
  } else if (function->takes == Takes::kNothing) {
    return InvalidArgumentError(column.function, " takes no input; count counts what is not null");
  } else if (!Accepts(function->takes, *input)) {
    return InvalidArgumentError(column.function, " takes ", Wanted(function->takes), ", not ",
                                input->ToString());
  }
  DataType type = TypeId::kFloat64;
  switch (function->gives) {
    case Gives::kCount:
      type = TypeId::kInt64;
      break;
    case Gives::kSum:
      type = input->is_float()                  ? DataType(TypeId::kFloat64)
             : input->id() == TypeId::kDuration ? *input
                                                : DataType(TypeId::kInt64);
      break;
    case Gives::kInput:
      type = *input;
      break;
    case Gives::kFloat:
      if (input->id() == TypeId::kVector) type = *input;
      break;
    case Gives::kList:
      type = DataType::List(input->id());
      break;
    case Gives::kCategoryCounts:
      type = DataType::Map(TypeId::kInt64);
      break;
    case Gives::kSpan:
      type = TypeId::kDuration;
      break;
  }
  if (column.group_by.empty() || !column.category.empty()) return type;
  if (type != DataType(TypeId::kInt64) && type != DataType(TypeId::kFloat64)) {
    return InvalidArgumentError("a map by category holds int64 or float64, not ", type.ToString(),
                                "; list the categories instead");
  }
  return DataType::Map(type.id());
}

}  // namespace larder::inline LARDER_ABI
