#include "io/dense_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "io/column_check.h"
#include "larder/base/text.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::StatusOr<std::size_t> FindField(std::span<const Field> fields, const std::string& name) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return i;
    names.push_back(fields[i].name);
  }
  return InvalidArgumentError("unknown column: ", name, DidYouMean(name, names));
}

// Both are powers of two, so the comparison is exact.
template <class Float, class Integer>
bool HoldsExactly(Integer value) {
  const auto as_float = static_cast<Float>(value);
  constexpr int kBits = std::numeric_limits<Integer>::digits;
  if (as_float >= std::ldexp(Float{1}, kBits)) return false;
  return static_cast<Integer>(as_float) == value;
}

// The value as the matrix holds it; false when it cannot.
template <class T>
bool Narrow(T value, TypeId dtype, double* out) {
  if constexpr (std::is_integral_v<T>) {
    *out = static_cast<double>(value);
    return dtype == TypeId::kFloat32 ? HoldsExactly<float>(value) : HoldsExactly<double>(value);
  } else {
    *out = static_cast<double>(value);
    if (dtype == TypeId::kFloat64 || !std::isfinite(value)) return true;
    *out = static_cast<double>(static_cast<float>(value));
    return std::isfinite(*out);
  }
}

// Where one column's values go in a block.
struct Target {
  std::size_t at = 0;      // of its first row's first value
  std::size_t stride = 1;  // from row to row
};

class ColumnFill {
 public:
  ColumnFill(const Column& column, const std::string& name, std::size_t begin, std::size_t end,
             int64_t first_row)
      : column_(column), name_(name), begin_(begin), end_(end), first_row_(first_row) {}

  absl::Status Run(TypeId dtype, const NullRule& nulls, Target target, DenseBlock* block) const {
    switch (column_.type().element()) {
      case TypeId::kBool:
        return Fill<uint8_t>(dtype, nulls, target, block);
      case TypeId::kInt8:
        return Fill<int8_t>(dtype, nulls, target, block);
      case TypeId::kInt32:
        return Fill<int32_t>(dtype, nulls, target, block);
      case TypeId::kInt64:
        return Fill<int64_t>(dtype, nulls, target, block);
      case TypeId::kUint64:
        return Fill<uint64_t>(dtype, nulls, target, block);
      case TypeId::kFloat32:
        return Fill<float>(dtype, nulls, target, block);
      default:
        return Fill<double>(dtype, nulls, target, block);
    }
  }

 private:
  template <class T>
  absl::Status Fill(TypeId dtype, const NullRule& nulls, Target target, DenseBlock* block) const {
    const std::span<const T> values = column_.Values<T>();
    const std::size_t width = std::max<std::size_t>(column_.type().length(), 1);
    const double null_value = nulls.kind == NullRule::Kind::kValue
                                  ? nulls.value
                                  : std::numeric_limits<double>::quiet_NaN();
    for (std::size_t row = begin_; row < end_; ++row) {
      const std::size_t at = target.at + (row - begin_) * target.stride;
      const bool valid = column_.IsValid(row);
      if (!valid && nulls.kind == NullRule::Kind::kRefuse) {
        return InvalidArgumentError(Place(row), ": null, which the null rule refuses");
      }
      for (std::size_t i = 0; i < width; ++i) {
        block->nulls[at + i] = valid ? 0 : 1;
        block->values[at + i] = null_value;
        if (valid && !Narrow(values[row * width + i], dtype, &block->values[at + i])) {
          return InvalidArgumentError(Place(row), ": ", TypeName(dtype),
                                      " cannot hold this value of type ",
                                      TypeName(column_.type().element()));
        }
      }
    }
    return absl::OkStatus();
  }

  [[nodiscard]] std::string Place(std::size_t row) const {
    return Concat("column ", name_, ", row ", first_row_ + static_cast<int64_t>(row) + 1);
  }

  const Column& column_;
  const std::string& name_;
  std::size_t begin_;
  std::size_t end_;
  int64_t first_row_;
};

void Resize(std::size_t size, DenseBlock* block) {
  block->values.resize(size);
  block->nulls.resize(size);
}

}  // namespace

std::string NullRule::ToString() const {
  switch (kind) {
    case Kind::kNan:
      return "nan";
    case Kind::kOmit:
      return "omit";
    case Kind::kRefuse:
      return "refuse";
    case Kind::kValue:
      break;
  }
  return Concat(value);
}

absl::StatusOr<NullRule> NullRule::Parse(std::string_view text) {
  if (text == "nan") return NullRule{Kind::kNan, 0};
  if (text == "omit") return NullRule{Kind::kOmit, 0};
  if (text == "refuse") return NullRule{Kind::kRefuse, 0};
  const absl::StatusOr<Value> number = ParseValue(text, TypeId::kFloat64);
  if (!number.ok() || !std::isfinite(*number->As<double>())) {
    return InvalidArgumentError("expected nan, omit, refuse or a number, found ", Quoted(text));
  }
  return NullRule{Kind::kValue, *number->As<double>()};
}

bool IsDenseType(const DataType& type) {
  return type.is_numeric() || type.id() == TypeId::kBool || type.id() == TypeId::kVector;
}

absl::StatusOr<DenseRows> DenseRows::Make(std::span<const Field> fields,
                                          const DenseOptions& options) {
  LARDER_RETURN_IF_ERROR(CheckNames(fields));
  if (options.dtype != TypeId::kFloat32 && options.dtype != TypeId::kFloat64) {
    return InvalidArgumentError("a matrix is of float32 or float64, not of ",
                                TypeName(options.dtype));
  }
  DenseRows rows;
  rows.fields_.assign(fields.begin(), fields.end());
  rows.dtype_ = options.dtype;
  rows.nulls_ = options.nulls;
  if (!options.label.empty()) {
    LARDER_ASSIGN_OR_RETURN(rows.label_, FindField(fields, options.label));
    const DataType& type = fields[rows.label_].type;
    if (!IsDenseType(type) || type.is_nested()) {
      return InvalidArgumentError("label ", options.label, " is of type ", type.ToString(),
                                  ", expected a number or bool");
    }
  }
  if (!options.query.empty()) {
    LARDER_ASSIGN_OR_RETURN(rows.query_, FindField(fields, options.query));
    const DataType& type = fields[rows.query_].type;
    if (!type.is_integer()) {
      return InvalidArgumentError("query ", options.query, " is of type ", type.ToString(),
                                  ", expected integers");
    }
  }
  std::vector<uint8_t> taken(fields.size(), 0);
  if (rows.label_ != kNoColumn) taken[rows.label_] = 1;
  if (rows.query_ != kNoColumn) taken[rows.query_] = 1;
  for (const std::string& name : options.features) {
    LARDER_ASSIGN_OR_RETURN(const std::size_t i, FindField(fields, name));
    if (!IsDenseType(fields[i].type)) {
      return InvalidArgumentError("column ", name, " is of type ", fields[i].type.ToString(),
                                  ", which has no place in a matrix of floats");
    }
    if (taken[i] != 0) return InvalidArgumentError("column ", name, " is used twice");
    taken[i] = 1;
    rows.features_.push_back(i);
  }
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (taken[i] != 0) continue;
    if (options.features.empty() && IsDenseType(fields[i].type)) {
      rows.features_.push_back(i);
    } else {
      rows.others_.push_back(i);
    }
  }
  if (rows.features_.empty()) {
    return InvalidArgumentError(
        "no column is left for the matrix: none is a number, bool or vector");
  }
  for (const std::size_t i : rows.features_) {
    if (fields[i].type.id() != TypeId::kVector) {
      rows.names_.push_back(fields[i].name);
      continue;
    }
    for (uint32_t element = 0; element < fields[i].type.length(); ++element) {
      rows.names_.push_back(Concat(fields[i].name, "[", element, "]"));
    }
  }
  double unused = 0;
  if (options.nulls.kind == NullRule::Kind::kValue &&
      !Narrow(options.nulls.value, options.dtype, &unused)) {
    return InvalidArgumentError("the null rule's ", options.nulls.value, " is beyond ",
                                TypeName(options.dtype));
  }
  return rows;
}

absl::Status DenseRows::FillMatrix(const Batch& batch, std::size_t begin, std::size_t end,
                                   int64_t first_row, DenseBlock* block) const {
  Resize((end - begin) * width(), block);
  std::size_t at = 0;
  for (const std::size_t i : features_) {
    const ColumnFill fill(batch.column(i), fields_[i].name, begin, end, first_row);
    LARDER_RETURN_IF_ERROR(fill.Run(dtype_, nulls_, {at, width()}, block));
    at += std::max<std::size_t>(fields_[i].type.length(), 1);
  }
  return absl::OkStatus();
}

absl::Status DenseRows::FillLabel(const Batch& batch, std::size_t begin, std::size_t end,
                                  int64_t first_row, DenseBlock* block) const {
  LARDER_DCHECK(label_ != kNoColumn);
  Resize(end - begin, block);
  const ColumnFill fill(batch.column(label_), fields_[label_].name, begin, end, first_row);
  return fill.Run(dtype_, nulls_, {0, 1}, block);
}

}  // namespace larder::inline LARDER_ABI
