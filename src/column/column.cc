#include "larder/column/column.h"

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <utility>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

std::unique_ptr<Column> Clone(const std::unique_ptr<Column>& column) {
  return column == nullptr ? nullptr : std::make_unique<Column>(*column);
}

bool SameColumns(const Column* a, const Column* b) {
  if (a == nullptr || b == nullptr) return a == b;
  return *a == *b;
}

absl::Status WrongType(const DataType& found, const DataType& expected) {
  return InvalidArgumentError("found ", found.ToString(), ", expected ", expected.ToString());
}

}  // namespace

Column::Column(DataType type) : type_(type) {
  if (!type.is_fixed_width()) offsets_.push_back(0);
  if (type.id() == TypeId::kList || type.id() == TypeId::kMap)
    child_ = std::make_unique<Column>(type.element());
  if (type.id() == TypeId::kMap) keys_ = std::make_unique<Column>(TypeId::kString);
}

Column::Column(const Column& other)
    : type_(other.type_),
      validity_(other.validity_),
      data_(other.data_),
      offsets_(other.offsets_),
      child_(Clone(other.child_)),
      keys_(Clone(other.keys_)) {}

Column& Column::operator=(const Column& other) {
  if (this != &other) *this = Column(other);
  return *this;
}

void Column::Reserve(std::size_t rows) {
  validity_.Reserve(rows);
  if (type_.is_fixed_width()) {
    data_.reserve(rows * type_.byte_width());
  } else {
    offsets_.reserve(rows + 1);
  }
}

void Column::AppendNull() {
  if (type_.is_fixed_width()) {
    data_.resize(data_.size() + type_.byte_width());
  } else {
    offsets_.push_back(offsets_.back());
  }
  validity_.Append(false);
}

void Column::AppendRaw(const void* bytes, std::size_t size) {
  LARDER_DCHECK(type_.is_fixed_width() && size == type_.byte_width());
  const auto* from = static_cast<const std::byte*>(bytes);
  data_.insert(data_.end(), from, from + size);
  validity_.Append(true);
}

void Column::AppendText(std::string_view text) {
  LARDER_DCHECK(type_.is_text());
  const auto* from = reinterpret_cast<const std::byte*>(text.data());
  data_.insert(data_.end(), from, from + text.size());
  offsets_.push_back(static_cast<int64_t>(data_.size()));
  validity_.Append(true);
}

void Column::ResizeFixed(std::size_t rows) {
  LARDER_DCHECK(type_.is_fixed_width() && rows >= size());
  data_.resize(rows * type_.byte_width());
  validity_.Resize(rows, false);
}

absl::Status Column::Append(const Value& value) {
  if (value.is_null()) {
    AppendNull();
    return absl::OkStatus();
  }
  if (value.type() != type_) return WrongType(value.type(), type_);
  if (const auto* list = value.As<ListValue>()) {
    for (const Value& item : list->items) {
      if (!item.is_null() && item.type() != child_->type())
        return WrongType(item.type(), child_->type());
    }
    for (const Value& item : list->items) LARDER_RETURN_IF_ERROR(child_->Append(item));
    offsets_.push_back(static_cast<int64_t>(child_->size()));
    validity_.Append(true);
    return absl::OkStatus();
  }
  if (const auto* map = value.As<MapValue>()) {
    for (const auto& [key, item] : map->items) {
      if (!item.is_null() && item.type() != child_->type())
        return WrongType(item.type(), child_->type());
    }
    for (const auto& [key, item] : map->items) {
      keys_->AppendText(key);
      LARDER_RETURN_IF_ERROR(child_->Append(item));
    }
    offsets_.push_back(static_cast<int64_t>(child_->size()));
    validity_.Append(true);
    return absl::OkStatus();
  }
  std::visit(
      [this](const auto& v) {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string>) {
          AppendText(v);
        } else if constexpr (std::is_same_v<T, Bytes>) {
          AppendText(v.data);
        } else if constexpr (std::is_same_v<T, std::vector<float>> ||
                             std::is_same_v<T, std::vector<int8_t>>) {
          AppendRaw(v.data(), v.size() * sizeof(v[0]));
        } else if constexpr (std::is_same_v<T, bool>) {
          AppendFixed<uint8_t>(v ? 1 : 0);
        } else if constexpr (std::is_same_v<T, Timestamp> || std::is_same_v<T, Duration>) {
          AppendFixed(v.us);
        } else if constexpr (std::is_same_v<T, Date>) {
          AppendFixed(v.days);
        } else if constexpr (std::is_arithmetic_v<T>) {
          AppendFixed(v);
        }
      },
      value.variant());
  return absl::OkStatus();
}

void Column::AppendFrom(const Column& other, std::size_t i) {
  LARDER_DCHECK(type_ == other.type_ && i < other.size());
  if (!other.IsValid(i)) return AppendNull();
  // Sizes grow before bytes are copied: `other` may be this column.
  if (type_.is_fixed_width()) {
    const std::size_t width = type_.byte_width();
    const std::size_t at = data_.size();
    data_.resize(at + width);
    std::memcpy(data_.data() + at, other.data_.data() + i * width, width);
  } else {
    const auto begin = static_cast<std::size_t>(other.offsets_[i]);
    const auto end = static_cast<std::size_t>(other.offsets_[i + 1]);
    if (type_.is_text()) {
      const std::size_t at = data_.size();
      data_.resize(at + (end - begin));
      if (end > begin) std::memcpy(data_.data() + at, other.data_.data() + begin, end - begin);
      offsets_.push_back(static_cast<int64_t>(data_.size()));
    } else {
      for (std::size_t j = begin; j < end; ++j) child_->AppendFrom(*other.child_, j);
      if (keys_ != nullptr) {
        for (std::size_t j = begin; j < end; ++j) keys_->AppendFrom(*other.keys_, j);
      }
      offsets_.push_back(static_cast<int64_t>(child_->size()));
    }
  }
  validity_.Append(true);
}

void Column::Truncate(std::size_t rows) {
  LARDER_DCHECK(rows <= size());
  validity_.Resize(rows, false);
  if (type_.is_fixed_width()) {
    data_.resize(rows * type_.byte_width());
    return;
  }
  offsets_.resize(rows + 1);
  const auto end = static_cast<std::size_t>(offsets_.back());
  if (type_.is_text()) {
    data_.resize(end);
    return;
  }
  child_->Truncate(end);
  if (keys_ != nullptr) keys_->Truncate(end);
}

Value Column::ValueAt(std::size_t i) const {
  LARDER_DCHECK(i < size());
  if (!IsValid(i)) return {};
  switch (type_.id()) {
    case TypeId::kBool:
      return Values<uint8_t>()[i] != 0;
    case TypeId::kInt8:
      return int32_t{Values<int8_t>()[i]};
    case TypeId::kInt32:
      return Values<int32_t>()[i];
    case TypeId::kInt64:
      return Values<int64_t>()[i];
    case TypeId::kUint64:
      return Values<uint64_t>()[i];
    case TypeId::kFloat32:
      return Values<float>()[i];
    case TypeId::kFloat64:
      return Values<double>()[i];
    case TypeId::kString:
      return Text(i);
    case TypeId::kBytes:
      return Bytes{std::string(Text(i))};
    case TypeId::kTimestamp:
      return Timestamp{Values<int64_t>()[i]};
    case TypeId::kDate:
      return Date{Values<int32_t>()[i]};
    case TypeId::kDuration:
      return Duration{Values<int64_t>()[i]};
    case TypeId::kVector: {
      const std::size_t begin = i * type_.length();
      if (type_.element() == TypeId::kInt8) {
        const auto elements = Values<int8_t>().subspan(begin, type_.length());
        return std::vector<int8_t>(elements.begin(), elements.end());
      }
      const auto elements = Values<float>().subspan(begin, type_.length());
      return std::vector<float>(elements.begin(), elements.end());
    }
    case TypeId::kList: {
      ListValue list{type_.element(), {}};
      for (int64_t j = offsets_[i]; j < offsets_[i + 1]; ++j) {
        list.items.push_back(child_->ValueAt(static_cast<std::size_t>(j)));
      }
      return list;
    }
    case TypeId::kMap: {
      MapValue map{type_.element(), {}};
      for (int64_t j = offsets_[i]; j < offsets_[i + 1]; ++j) {
        const auto at = static_cast<std::size_t>(j);
        map.items.emplace_back(std::string(keys_->Text(at)), child_->ValueAt(at));
      }
      return map;
    }
  }
  return {};
}

bool operator==(const Column& a, const Column& b) {
  if (a.type_ != b.type_ || a.size() != b.size()) return false;
  const std::size_t words = BitWords(a.size());
  return std::equal(a.validity_.words(), a.validity_.words() + words, b.validity_.words()) &&
         a.data_ == b.data_ && a.offsets_ == b.offsets_ &&
         SameColumns(a.child_.get(), b.child_.get()) && SameColumns(a.keys_.get(), b.keys_.get());
}

}  // namespace larder::inline LARDER_ABI
