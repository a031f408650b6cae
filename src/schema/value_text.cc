#include <algorithm>
#include <cmath>
#include <optional>

#include "larder/base/text.h"
#include "larder/schema/value.h"
#include "schema/base64.h"
#include "schema/json_text.h"
#include "schema/number_text.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::Status CannotRead(std::string_view text, const DataType& type, std::string_view why = "") {
  return InvalidArgumentError("cannot read ", Quoted(text), " as ", type.ToString(),
                              why.empty() ? "" : ": ", why);
}

absl::Status CannotRead(std::string_view text, const DataType& type, NumberProblem problem) {
  switch (problem) {
    case NumberProblem::kNotWhole:
      return CannotRead(text, type, "not a whole number");
    case NumberProblem::kOutOfRange:
      return CannotRead(text, type, Concat("out of range", IntegerRangeText(type.id())));
    default:
      return CannotRead(text, type);
  }
}

absl::StatusOr<Value> ParseBool(std::string_view text) {
  for (const std::string_view word : {"true", "t", "yes", "1"}) {
    if (EqualsIgnoreCase(text, word)) return Value(true);
  }
  for (const std::string_view word : {"false", "f", "no", "0"}) {
    if (EqualsIgnoreCase(text, word)) return Value(false);
  }
  return CannotRead(text, TypeId::kBool);
}

absl::StatusOr<Value> ParseInteger(std::string_view text, TypeId type, TextNotes* notes) {
  const IntegerText number = ReadInteger(text);
  if (number.problem != NumberProblem::kNone) return CannotRead(text, type, number.problem);
  Value value;
  if (!FitInteger(number.negative, number.magnitude, type, &value)) {
    return CannotRead(text, type, NumberProblem::kOutOfRange);
  }
  if (number.decimal && notes != nullptr) ++notes->integral_decimals;
  return value;
}

template <class Float>
absl::StatusOr<Value> ParseFloat(std::string_view text, TypeId type) {
  Float value = 0;
  const NumberProblem problem = ReadFloat(text, &value);
  if (problem != NumberProblem::kNone) return CannotRead(text, type, problem);
  return Value(value);
}

absl::StatusOr<Value> ParseScalar(std::string_view text, TypeId type, const TimeZone& zone,
                                  TextNotes* notes) {
  if (type == TypeId::kString) {
    if (!IsValidUtf8(text)) return CannotRead(text, type, "not UTF-8");
    return Value(text);
  }
  text = TrimAscii(text);
  switch (type) {
    case TypeId::kBool:
      return ParseBool(text);
    case TypeId::kInt8:
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kUint64:
      return ParseInteger(text, type, notes);
    case TypeId::kFloat32:
      return ParseFloat<float>(text, type);
    case TypeId::kFloat64:
      return ParseFloat<double>(text, type);
    case TypeId::kBytes: {
      std::optional<std::string> bytes = DecodeBase64(text);
      if (!bytes.has_value()) return CannotRead(text, type, "expected padded base64");
      return Value(Bytes{*std::move(bytes)});
    }
    case TypeId::kTimestamp: {
      LARDER_ASSIGN_OR_RETURN(const ParsedTimestamp parsed, ParseTimestamp(text, zone));
      if (parsed.floored && notes != nullptr) ++notes->floored_timestamps;
      return Value(parsed.value);
    }
    case TypeId::kDate: {
      LARDER_ASSIGN_OR_RETURN(const Date date, ParseDate(text));
      return Value(date);
    }
    case TypeId::kDuration: {
      LARDER_ASSIGN_OR_RETURN(const Duration duration, ParseDuration(text));
      return Value(duration);
    }
    default:
      return CannotRead(text, type);
  }
}

// One element of an array or object. A number for a string is refused: `["1"]` and `[1]` must not
// meet.
absl::StatusOr<Value> ParseElement(const JsonToken& token, TypeId type, const TimeZone& zone,
                                   TextNotes* notes) {
  if (!token.quoted && token.text == "null") return Value();
  if (!token.quoted && type == TypeId::kString)
    return CannotRead(token.text, type, "expected a quoted string");
  return ParseScalar(token.text, type, zone, notes);
}

template <class Element, class Stored>
absl::StatusOr<Value> MakeVector(std::string_view text, const DataType& type,
                                 const std::vector<Value>& items) {
  if (items.size() != type.length())
    return CannotRead(text, type, Concat("found ", items.size(), " elements"));
  std::vector<Element> elements;
  elements.reserve(items.size());
  for (const Value& item : items) {
    if (item.is_null()) return CannotRead(text, type, "a vector holds no nulls");
    elements.push_back(static_cast<Element>(*item.As<Stored>()));
  }
  return Value(std::move(elements));
}

absl::StatusOr<Value> ParseArray(std::string_view text, const DataType& type, const TimeZone& zone,
                                 TextNotes* notes) {
  std::vector<JsonToken> tokens;
  if (!SplitJsonArray(text, &tokens))
    return CannotRead(text, type, "expected a JSON array of scalars");
  std::vector<Value> items;
  items.reserve(tokens.size());
  for (const JsonToken& token : tokens) {
    auto item = ParseElement(token, type.element(), zone, notes);
    if (!item.ok()) {
      return Annotate(item.status(),
                      Concat("cannot read ", type.ToString(), ", element ", items.size()));
    }
    items.push_back(*std::move(item));
  }
  if (type.id() == TypeId::kList) return Value(ListValue{type.element(), std::move(items)});
  if (type.element() == TypeId::kInt8) return MakeVector<int8_t, int32_t>(text, type, items);
  return MakeVector<float, float>(text, type, items);
}

absl::StatusOr<Value> ParseMap(std::string_view text, const DataType& type, const TimeZone& zone,
                               TextNotes* notes) {
  std::vector<JsonMember> members;
  if (!SplitJsonObject(text, &members))
    return CannotRead(text, type, "expected a JSON object of scalars");
  MapValue map{type.element(), {}};
  map.items.reserve(members.size());
  for (JsonMember& member : members) {
    auto item = ParseElement(member.value, type.element(), zone, notes);
    if (!item.ok()) {
      return Annotate(item.status(),
                      Concat("cannot read ", type.ToString(), ", key ", Quoted(member.key)));
    }
    map.items.emplace_back(std::move(member.key), *std::move(item));
  }
  std::sort(map.items.begin(), map.items.end(),
            [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto twice =
      std::adjacent_find(map.items.begin(), map.items.end(),
                         [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice != map.items.end())
    return CannotRead(text, type, Concat("key ", Quoted(twice->first), " appears twice"));
  return Value(std::move(map));
}

template <class Float>
std::string FormatFloat(Float value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return Concat(value);
}

std::string FormatElement(const Value& value) {
  std::string text = FormatValue(value);
  if (value.is_null() || value.As<bool>() != nullptr || value.type().is_integer()) return text;
  const bool is_number = value.type().is_float() && text.find_first_of("NI") == std::string::npos;
  return is_number ? text : QuoteJson(text);
}

template <class Items>
std::string FormatArray(const Items& items) {
  std::string text = "[";
  for (const auto& item : items) {
    if (text.size() > 1) text.push_back(',');
    if constexpr (std::is_same_v<std::decay_t<decltype(item)>, int8_t>) {
      AppendTo(text, static_cast<int>(item));
    } else {
      text.append(FormatElement(item));
    }
  }
  text.push_back(']');
  return text;
}

struct Formatter {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(int32_t v) const { return Concat(v); }
  std::string operator()(int64_t v) const { return Concat(v); }
  std::string operator()(uint64_t v) const { return Concat(v); }
  std::string operator()(float v) const { return FormatFloat(v); }
  std::string operator()(double v) const { return FormatFloat(v); }
  std::string operator()(const std::string& v) const { return v; }
  std::string operator()(const Bytes& v) const { return EncodeBase64(v.data); }
  std::string operator()(Timestamp v) const { return FormatTimestamp(v); }
  std::string operator()(Date v) const { return FormatDate(v); }
  std::string operator()(Duration v) const { return FormatDuration(v); }
  std::string operator()(const std::vector<float>& v) const { return FormatArray(v); }
  std::string operator()(const std::vector<int8_t>& v) const { return FormatArray(v); }
  std::string operator()(const ListValue& v) const { return FormatArray(v.items); }
  std::string operator()(const MapValue& v) const {
    std::string text = "{";
    for (const auto& [key, item] : v.items) {
      if (text.size() > 1) text.push_back(',');
      AppendTo(text, Concat(QuoteJson(key), ":", FormatElement(item)));
    }
    text.push_back('}');
    return text;
  }
};

}  // namespace

absl::StatusOr<Value> ParseValue(std::string_view text, const DataType& type, const TimeZone& zone,
                                 TextNotes* notes) {
  switch (type.id()) {
    case TypeId::kVector:
    case TypeId::kList:
      return ParseArray(text, type, zone, notes);
    case TypeId::kMap:
      return ParseMap(text, type, zone, notes);
    default:
      return ParseScalar(text, type.id(), zone, notes);
  }
}

std::string FormatValue(const Value& value) { return std::visit(Formatter{}, value.variant()); }

}  // namespace larder::inline LARDER_ABI
