#include "io/arrow_field.h"

#include <optional>
#include <string_view>
#include <utility>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

struct Scalar {
  std::string_view format;
  TypeId type;
  ArrowLayout layout;
  int64_t times = 1;
  int64_t divisor = 1;
};

constexpr int64_t kDayMs = 86'400'000;
constexpr Scalar kScalars[] = {
    {"n", TypeId::kString, ArrowLayout::kNull},
    {"b", TypeId::kBool, ArrowLayout::kBits},
    {"c", TypeId::kInt32, ArrowLayout::kInt8},
    {"C", TypeId::kInt32, ArrowLayout::kUint8},
    {"s", TypeId::kInt32, ArrowLayout::kInt16},
    {"S", TypeId::kInt32, ArrowLayout::kUint16},
    {"i", TypeId::kInt32, ArrowLayout::kInt32},
    {"I", TypeId::kInt64, ArrowLayout::kUint32},
    {"l", TypeId::kInt64, ArrowLayout::kInt64},
    {"L", TypeId::kUint64, ArrowLayout::kUint64},
    {"e", TypeId::kFloat32, ArrowLayout::kFloat16},
    {"f", TypeId::kFloat32, ArrowLayout::kFloat32},
    {"g", TypeId::kFloat64, ArrowLayout::kFloat64},
    {"u", TypeId::kString, ArrowLayout::kText32},
    {"U", TypeId::kString, ArrowLayout::kText64},
    {"z", TypeId::kBytes, ArrowLayout::kText32},
    {"Z", TypeId::kBytes, ArrowLayout::kText64},
    {"tdD", TypeId::kDate, ArrowLayout::kInt32},
    {"tdm", TypeId::kDate, ArrowLayout::kInt64, 1, kDayMs},
    {"tDs", TypeId::kDuration, ArrowLayout::kInt64, 1'000'000, 1},
    {"tDm", TypeId::kDuration, ArrowLayout::kInt64, 1'000, 1},
    {"tDu", TypeId::kDuration, ArrowLayout::kInt64},
    {"tDn", TypeId::kDuration, ArrowLayout::kInt64, 1, 1'000},
};

// `tss:Europe/Rome` and its kin: the zone says how to show an instant, not which it is; without one it is UTC.
std::optional<Scalar> TimestampOf(std::string_view format) {
  if (format.size() < 4 || !format.starts_with("ts") || format[3] != ':') return std::nullopt;
  Scalar scalar{format, TypeId::kTimestamp, ArrowLayout::kInt64};
  switch (format[2]) {
    case 's':
      scalar.times = 1'000'000;
      return scalar;
    case 'm':
      scalar.times = 1'000;
      return scalar;
    case 'u':
      return scalar;
    case 'n':
      scalar.divisor = 1'000;
      return scalar;
    default:
      return std::nullopt;
  }
}

std::optional<Scalar> ScalarOf(std::string_view format) {
  for (const Scalar& scalar : kScalars) {
    if (scalar.format == format) return scalar;
  }
  return TimestampOf(format);
}

// The number behind `w:` or `+w:`.
std::optional<int64_t> WidthOf(std::string_view format, std::string_view mark) {
  if (!format.starts_with(mark)) return std::nullopt;
  int64_t width = 0;
  for (const char digit : format.substr(mark.size())) {
    if (digit < '0' || digit > '9' || width > 100'000'000) return std::nullopt;
    width = width * 10 + (digit - '0');
  }
  return format.size() > mark.size() ? std::optional(width) : std::nullopt;
}

absl::Status NoType(const ArrowSchema& schema, const std::string& name) {
  return InvalidArgumentError("Arrow field ", name, ": larder has no type for format ",
                              Quoted(schema.format));
}

absl::Status CheckChildren(const ArrowSchema& schema, int64_t children, const std::string& name) {
  bool are_there = schema.n_children == children && (children == 0 || schema.children != nullptr);
  for (int64_t i = 0; are_there && i < children; ++i)
    are_there = schema.children[i] != nullptr && schema.children[i]->format != nullptr;
  if (are_there) return absl::OkStatus();
  return InvalidArgumentError("Arrow field ", name, ": format ", Quoted(schema.format), " has ",
                              schema.n_children, " children, expected ", children);
}

bool IsElement(const DataType& type) {
  return type.id() != TypeId::kVector && type.id() != TypeId::kList && type.id() != TypeId::kMap;
}

absl::StatusOr<ArrowField> ListOf(const ArrowSchema& schema, std::string name, ArrowLayout layout) {
  LARDER_RETURN_IF_ERROR(CheckChildren(schema, 1, name));
  LARDER_ASSIGN_OR_RETURN(ArrowField item, ArrowField::Make(*schema.children[0], name));
  if (!IsElement(item.type)) return NoType(schema, name);
  ArrowField field;
  field.name = std::move(name);
  field.layout = layout;
  field.type = DataType::List(item.type.id());
  field.item = std::make_unique<ArrowField>(std::move(item));
  return field;
}

absl::StatusOr<ArrowField> FixedListOf(const ArrowSchema& schema, std::string name, int64_t width) {
  LARDER_ASSIGN_OR_RETURN(ArrowField field,
                          ListOf(schema, std::move(name), ArrowLayout::kFixedList));
  field.width = width;
  const ArrowLayout element = field.item->layout;
  if (width > 0 && (element == ArrowLayout::kFloat32 || element == ArrowLayout::kInt8)) {
    field.type = DataType::Vector(element == ArrowLayout::kInt8 ? TypeId::kInt8 : TypeId::kFloat32,
                                  static_cast<uint32_t>(width));
  }
  return field;
}

// A map of strings to numbers.
absl::StatusOr<ArrowField> MapOf(const ArrowSchema& schema, std::string name) {
  LARDER_RETURN_IF_ERROR(CheckChildren(schema, 1, name));
  const ArrowSchema& entries = *schema.children[0];
  LARDER_RETURN_IF_ERROR(CheckChildren(entries, 2, name));
  LARDER_ASSIGN_OR_RETURN(const ArrowField keys, ArrowField::Make(*entries.children[0], name));
  LARDER_ASSIGN_OR_RETURN(ArrowField values, ArrowField::Make(*entries.children[1], name));
  const bool has_wide_keys = keys.layout == ArrowLayout::kText64;
  const bool are_texts = keys.type == TypeId::kString && !keys.dictionary &&
                         (has_wide_keys || keys.layout == ArrowLayout::kText32);
  const bool are_numbers = values.type == TypeId::kInt64 || values.type == TypeId::kFloat64;
  if (!are_texts || !are_numbers) return NoType(schema, name);
  ArrowField field;
  field.name = std::move(name);
  field.layout = ArrowLayout::kMap;
  field.type = DataType::Map(values.type.id());
  field.item = std::make_unique<ArrowField>(std::move(values));
  field.width = has_wide_keys ? 8 : 4;  // of a key's offset
  return field;
}

}  // namespace

absl::StatusOr<ArrowField> ArrowField::Make(const ArrowSchema& schema, std::string name) {
  if (schema.format == nullptr) return InvalidArgumentError("Arrow field ", name, " has no format");
  const std::string_view format = schema.format;
  if (const std::optional<Scalar> scalar = ScalarOf(format)) {
    ArrowField field;
    field.name = std::move(name);
    field.type = scalar->type;
    field.layout = scalar->layout;
    field.times = scalar->times;
    field.divisor = scalar->divisor;
    if (schema.dictionary == nullptr) return field;
    LARDER_ASSIGN_OR_RETURN(ArrowField values, Make(*schema.dictionary, field.name));
    const bool is_place = field.layout >= ArrowLayout::kInt8 && field.layout <= ArrowLayout::kUint64;
    if (!is_place || !IsElement(values.type)) return NoType(schema, field.name);
    field.type = values.type;
    field.dictionary = std::make_unique<ArrowField>(std::move(values));
    return field;
  }
  if (format == "+l") return ListOf(schema, std::move(name), ArrowLayout::kList32);
  if (format == "+L") return ListOf(schema, std::move(name), ArrowLayout::kList64);
  if (format == "+m") return MapOf(schema, std::move(name));
  if (const auto width = WidthOf(format, "+w:"))
    return FixedListOf(schema, std::move(name), *width);
  if (const auto width = WidthOf(format, "w:")) {
    ArrowField field;
    field.name = std::move(name);
    field.type = TypeId::kBytes;
    field.layout = ArrowLayout::kFixedBytes;
    field.width = *width;
    return field;
  }
  return NoType(schema, name);
}

}  // namespace larder::inline LARDER_ABI
