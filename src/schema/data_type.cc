#include "larder/schema/data_type.h"

#include <array>
#include <charconv>
#include <vector>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::array<TypeId, 11> kScalars = {
    TypeId::kBool,      TypeId::kInt32,   TypeId::kInt64,    TypeId::kUint64,
    TypeId::kFloat32,   TypeId::kFloat64, TypeId::kString,   TypeId::kBytes,
    TypeId::kTimestamp, TypeId::kDate,    TypeId::kDuration,
};

// What people call our types elsewhere and edit distance would not find.
struct OtherName {
  std::string_view theirs;
  std::string_view ours;
};
constexpr std::array<OtherName, 20> kOtherNames = {{
    {"int", "int64"},         {"integer", "int64"},
    {"long", "int64"},        {"bigint", "int64"},
    {"double", "float64"},    {"real", "float32"},
    {"float", "float64"},     {"decimal", "float64"},
    {"numeric", "float64"},   {"str", "string"},
    {"text", "string"},       {"varchar", "string"},
    {"utf8", "string"},       {"boolean", "bool"},
    {"binary", "bytes"},      {"datetime", "timestamp"},
    {"time", "timestamp"},    {"interval", "duration"},
    {"array", "list<int64>"}, {"embedding", "vector<float32, 64>"},
}};

std::string Suggestion(std::string_view text) {
  for (const OtherName& other : kOtherNames) {
    if (EqualsIgnoreCase(text, other.theirs))
      return Concat(" (did you mean \"", other.ours, "\"?)");
  }
  std::vector<std::string> names = {"vector<float32, 64>", "list<int64>", "map<string, int64>"};
  for (const TypeId id : kScalars) names.emplace_back(TypeName(id));
  return DidYouMean(text, names);
}

bool FindScalar(std::string_view text, TypeId* id) {
  for (const TypeId scalar : kScalars) {
    if (TypeName(scalar) == text) {
      *id = scalar;
      return true;
    }
  }
  return false;
}

absl::Status UnknownType(std::string_view text) {
  return InvalidArgumentError("unknown type: ", Quoted(text), Suggestion(text));
}

absl::StatusOr<DataType> ParseVector(std::string_view text, std::string_view element,
                                     std::string_view length) {
  TypeId id = TypeId::kFloat32;
  if (element == "int8") {
    id = TypeId::kInt8;
  } else if (element != "float32") {
    return InvalidArgumentError("type ", Quoted(text),
                                ": a vector's elements are float32 or int8, not ", Quoted(element));
  }
  uint32_t count = 0;
  const auto result = std::from_chars(length.data(), length.data() + length.size(), count);
  if (result.ec != std::errc() || result.ptr != length.data() + length.size() || count == 0 ||
      count > kVectorLengthMax) {
    return InvalidArgumentError("type ", Quoted(text), ": a vector's length is 1 to ",
                                kVectorLengthMax, ", not ", Quoted(length));
  }
  return DataType::Vector(id, count);
}

}  // namespace

std::size_t DataType::byte_width() const {
  switch (id_) {
    case TypeId::kBool:
    case TypeId::kInt8:
      return 1;
    case TypeId::kInt32:
    case TypeId::kFloat32:
    case TypeId::kDate:
      return 4;
    case TypeId::kInt64:
    case TypeId::kUint64:
    case TypeId::kFloat64:
    case TypeId::kTimestamp:
    case TypeId::kDuration:
      return 8;
    case TypeId::kVector:
      return DataType(element_).byte_width() * length_;
    case TypeId::kString:
    case TypeId::kBytes:
    case TypeId::kList:
    case TypeId::kMap:
      return 0;
  }
  return 0;
}

bool DataType::is_key_type() const {
  return is_text() || is_integer() || id_ == TypeId::kTimestamp || id_ == TypeId::kDate ||
         id_ == TypeId::kBool;
}

std::string DataType::ToString() const {
  switch (id_) {
    case TypeId::kVector:
      return Concat("vector<", TypeName(element_), ", ", length_, ">");
    case TypeId::kList:
      return Concat("list<", TypeName(element_), ">");
    case TypeId::kMap:
      return Concat("map<string, ", TypeName(element_), ">");
    default:
      return std::string(TypeName(id_));
  }
}

absl::StatusOr<DataType> DataType::Parse(std::string_view text) {
  const std::string_view whole = TrimAscii(text);
  TypeId scalar = TypeId::kBool;
  if (FindScalar(whole, &scalar)) return DataType(scalar);
  const std::size_t open = whole.find('<');
  if (open == std::string_view::npos || whole.back() != '>') return UnknownType(whole);
  const std::string_view outer = TrimAscii(whole.substr(0, open));
  const std::string_view inside = whole.substr(open + 1, whole.size() - open - 2);
  const std::size_t comma = inside.find(',');
  const std::string_view first = TrimAscii(inside.substr(0, comma));
  const bool has_second = comma != std::string_view::npos;
  const std::string_view second =
      has_second ? TrimAscii(inside.substr(comma + 1)) : std::string_view();
  if (outer == "vector") {
    if (!has_second)
      return InvalidArgumentError("type ", Quoted(whole), ": a vector is vector<float32, LENGTH>");
    return ParseVector(whole, first, second);
  }
  if (outer == "list") {
    if (has_second || !FindScalar(first, &scalar)) {
      return InvalidArgumentError("type ", Quoted(whole), ": a list is list<SCALAR>",
                                  has_second ? std::string() : Suggestion(first));
    }
    return List(scalar);
  }
  if (outer == "map") {
    if (first != "string" || !(second == "int64" || second == "float64")) {
      return InvalidArgumentError("type ", Quoted(whole),
                                  ": a map is map<string, int64> or map<string, float64>");
    }
    return Map(second == "int64" ? TypeId::kInt64 : TypeId::kFloat64);
  }
  return UnknownType(whole);
}

std::string_view TypeName(TypeId id) {
  switch (id) {
    case TypeId::kBool:
      return "bool";
    case TypeId::kInt32:
      return "int32";
    case TypeId::kInt64:
      return "int64";
    case TypeId::kUint64:
      return "uint64";
    case TypeId::kFloat32:
      return "float32";
    case TypeId::kFloat64:
      return "float64";
    case TypeId::kString:
      return "string";
    case TypeId::kBytes:
      return "bytes";
    case TypeId::kTimestamp:
      return "timestamp";
    case TypeId::kDate:
      return "date";
    case TypeId::kDuration:
      return "duration";
    case TypeId::kVector:
      return "vector";
    case TypeId::kList:
      return "list";
    case TypeId::kMap:
      return "map";
    case TypeId::kInt8:
      return "int8";
  }
  return "unknown";
}

bool WidensTo(const DataType& from, const DataType& to) {
  if (from == to) return true;
  if (from.id() == TypeId::kInt32) return to.id() == TypeId::kInt64 || to.id() == TypeId::kFloat64;
  return from.id() == TypeId::kFloat32 && to.id() == TypeId::kFloat64;
}

}  // namespace larder::inline LARDER_ABI
