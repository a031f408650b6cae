#include "training/join_key.h"

#include "larder/schema/entity_key.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

bool MayBecome(const DataType& found, const DataType& declared) {
  if (found == declared) return true;
  if (found.is_integer()) return declared.is_integer() || declared.id() == TypeId::kString;
  return found.id() == TypeId::kString && declared.id() != TypeId::kBytes;
}

void AppendPart(const Column& column, std::size_t row, std::string* out) {
  switch (column.type().id()) {
    case TypeId::kBool:
      return AppendKeyBool(column.Values<uint8_t>()[row] != 0, out);
    case TypeId::kInt32:
      return AppendKeyInteger(column.Values<int32_t>()[row], out);
    case TypeId::kInt64:
      return AppendKeyInteger(column.Values<int64_t>()[row], out);
    case TypeId::kUint64:
      return AppendKeyUnsigned(column.Values<uint64_t>()[row], out);
    case TypeId::kString:
      return AppendKeyText(column.Text(row), out);
    case TypeId::kBytes:
      return AppendKeyBytes(column.Text(row), out);
    case TypeId::kTimestamp:
      return AppendKeyTimestamp({column.Values<int64_t>()[row]}, out);
    case TypeId::kDate:
      return AppendKeyDate({column.Values<int32_t>()[row]}, out);
    default:
      return;
  }
}

uint64_t WordOf(const Value& value) {
  if (const auto* v = value.As<bool>()) return *v ? 1 : 0;
  if (const auto* v = value.As<int32_t>()) return static_cast<uint64_t>(int64_t{*v});
  if (const auto* v = value.As<int64_t>()) return static_cast<uint64_t>(*v);
  if (const auto* v = value.As<uint64_t>()) return *v;
  if (const auto* v = value.As<Timestamp>()) return static_cast<uint64_t>(v->us);
  if (const auto* v = value.As<Date>()) return static_cast<uint64_t>(int64_t{v->days});
  return 0;
}

}  // namespace

void AppendIdBytes(const Column& column, std::size_t row, std::string* out) {
  if (column.IsValid(row)) AppendPart(column, row, out);
}

KeyForm KeyFormOf(std::span<const DataType> types) {
  return types.size() == 1 && types[0].is_fixed_width() ? KeyForm::kWord : KeyForm::kBytes;
}

uint64_t RawWord(const Column& column, std::size_t row) {
  switch (column.type().byte_width()) {
    case 1:
      return RawWordOf(column.Values<uint8_t>()[row]);
    case 4:
      return RawWordOf(column.Values<int32_t>()[row]);
    default:
      return RawWordOf(column.Values<uint64_t>()[row]);
  }
}

absl::StatusOr<KeyReader> KeyReader::Make(std::span<const Column* const> columns,
                                          std::span<const DataType> types) {
  if (columns.size() != types.size()) {
    return InvalidArgumentError("found ", columns.size(), " key columns, expected ", types.size());
  }
  KeyReader reader;
  reader.form_ = KeyFormOf(types);
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (!types[i].is_key_type())
      return InvalidArgumentError("type ", types[i].ToString(), " cannot be a join key");
    if (columns[i] == nullptr) return InvalidArgumentError("join key ", i, " has no column");
    if (!MayBecome(columns[i]->type(), types[i])) {
      return InvalidArgumentError("join key ", i, " is a column of type ",
                                  columns[i]->type().ToString(), ", expected ", types[i].ToString());
    }
    reader.same_types_ = reader.same_types_ && columns[i]->type() == types[i];
    reader.columns_.push_back(columns[i]);
    reader.types_.push_back(types[i]);
  }
  if (reader.form_ == KeyForm::kWord && reader.same_types_) reader.raw_ = columns[0];
  return reader;
}

KeyState KeyReader::Read(std::size_t row, uint64_t* word, std::string* bytes) const {
  for (const Column* column : columns_) {
    if (!column->IsValid(row)) return KeyState::kNull;
  }
  if (raw_ != nullptr) {
    *word = RawWord(*raw_, row);
    return KeyState::kUsable;
  }
  if (form_ == KeyForm::kWord) {
    // Text for a declared number and the like: by way of the encoding both sides agree on.
    const Value found = columns_[0]->ValueAt(row);
    const auto value = ConvertValue(found, types_[0], found.As<std::string>() != nullptr);
    if (!value.ok()) return KeyState::kBad;
    *word = WordOf(*value);
    return KeyState::kUsable;
  }
  bytes->clear();
  if (same_types_) {
    for (const Column* column : columns_) AppendPart(*column, row, bytes);
    if (bytes->size() > kEntityKeySizeMax) return KeyState::kBad;
  } else {
    std::vector<Value> values;
    for (const Column* column : columns_) values.push_back(column->ValueAt(row));
    bool has_null = false;
    if (!AppendEntityKey(values, types_, bytes, &has_null).ok()) return KeyState::kBad;
  }
  *word = Hash64(*bytes);
  return KeyState::kUsable;
}

absl::Status KeyReader::Explain(std::size_t row) const {
  std::vector<Value> values;
  for (const Column* column : columns_) values.push_back(column->ValueAt(row));
  std::string bytes;
  bool has_null = false;
  return AppendEntityKey(values, types_, &bytes, &has_null);
}

}  // namespace larder::inline LARDER_ABI
