#include "larder/schema/entity_key.h"

#include <cstring>
#include <limits>

#include "larder/base/text.h"
#include "larder/schema/key_bytes.h"

namespace larder::inline LARDER_ABI {
namespace {

// Stored in files: never renumber.
enum class KeyTag : uint8_t {
  kInteger = 1,
  kLargeInteger = 2,  // above INT64_MAX: sorts behind every other integer
  kText = 3,
  kBytes = 4,
  kTimestamp = 5,
  kDate = 6,
  kBool = 7,
};

constexpr uint64_t kSignBit = uint64_t{1} << 63U;

template <class T>
void AppendBigEndian(T value, std::string* out) {
  char raw[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    raw[i] = static_cast<char>((value >> (8 * (sizeof(T) - 1 - i))) & 0xFFU);
  }
  out->append(raw, sizeof(T));
}

void AppendTag(KeyTag tag, std::string* out) { out->push_back(static_cast<char>(tag)); }

// In one piece: keys are encoded for every row served.
void WriteOrdered(KeyTag tag, int64_t value, char* out) {
  out[0] = static_cast<char>(tag);
  const uint64_t big_endian = __builtin_bswap64(static_cast<uint64_t>(value) ^ kSignBit);
  std::memcpy(out + 1, &big_endian, sizeof(big_endian));
}

void AppendOrdered(KeyTag tag, int64_t value, std::string* out) {
  char raw[kKeyIntegerSize];
  WriteOrdered(tag, value, raw);
  out->append(raw, sizeof(raw));
}

void AppendSized(KeyTag tag, std::string_view value, std::string* out) {
  char raw[5];
  raw[0] = static_cast<char>(tag);
  const uint32_t big_endian = __builtin_bswap32(static_cast<uint32_t>(value.size()));
  std::memcpy(raw + 1, &big_endian, sizeof(big_endian));
  out->append(raw, sizeof(raw));
  out->append(value);
}

absl::Status Unfit(const Value& value, const DataType& type) {
  return InvalidArgumentError("found ", value.type().ToString(), ", expected ", type.ToString());
}

// Requires: not null, and of exactly the key type's own form.
void AppendExact(const Value& value, std::string* out) {
  if (const auto* v = value.As<int32_t>()) return AppendKeyInteger(*v, out);
  if (const auto* v = value.As<int64_t>()) return AppendKeyInteger(*v, out);
  if (const auto* v = value.As<uint64_t>()) return AppendKeyUnsigned(*v, out);
  if (const auto* v = value.As<std::string>()) return AppendKeyText(*v, out);
  if (const auto* v = value.As<Bytes>()) return AppendKeyBytes(v->data, out);
  if (const auto* v = value.As<Timestamp>()) return AppendKeyTimestamp(*v, out);
  if (const auto* v = value.As<Date>()) return AppendKeyDate(*v, out);
  if (const auto* v = value.As<bool>()) return AppendKeyBool(*v, out);
}

absl::Status AppendPart(const Value& value, const DataType& type, std::string* out) {
  if (!type.is_key_type()) return InvalidArgumentError(type.ToString(), " cannot be a join key");
  if (type.id() == TypeId::kString) {
    if (value.type().is_integer()) {
      AppendKeyText(FormatValue(value), out);
      return absl::OkStatus();
    }
    const auto* text = value.As<std::string>();
    if (text == nullptr) return Unfit(value, type);
    if (!IsValidUtf8(*text)) return InvalidArgumentError("text ", Quoted(*text), " is not UTF-8");
    AppendKeyText(*text, out);
    return absl::OkStatus();
  }
  if (value.type() == type) {
    AppendExact(value, out);
    return absl::OkStatus();
  }
  const bool is_text = value.As<std::string>() != nullptr;
  const bool may_convert =
      is_text ? type.id() != TypeId::kBytes : value.type().is_integer() && type.is_integer();
  if (!may_convert) return Unfit(value, type);
  LARDER_ASSIGN_OR_RETURN(const Value converted, ConvertValue(value, type, /*from_text=*/is_text));
  AppendExact(converted, out);
  return absl::OkStatus();
}

class KeyReader {
 public:
  explicit KeyReader(std::string_view bytes) : rest_(bytes) {}
  [[nodiscard]] bool done() const { return rest_.empty(); }
  template <class T>
  bool Take(T* value) {
    if (rest_.size() < sizeof(T)) return false;
    *value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      *value = static_cast<T>((static_cast<uint64_t>(*value) << 8U) |
                              static_cast<unsigned char>(rest_[i]));
    }
    rest_.remove_prefix(sizeof(T));
    return true;
  }
  bool TakeOrdered(int64_t* value) {
    uint64_t raw = 0;
    if (!Take(&raw)) return false;
    *value = static_cast<int64_t>(raw ^ kSignBit);
    return true;
  }
  bool TakeSized(std::string* value) {
    uint32_t size = 0;
    if (!Take(&size) || rest_.size() < size) return false;
    *value = std::string(rest_.substr(0, size));
    rest_.remove_prefix(size);
    return true;
  }

 private:
  std::string_view rest_;
};

bool DecodeInteger(KeyTag tag, KeyReader& reader, const DataType& type, Value* value) {
  if (tag == KeyTag::kLargeInteger) {
    uint64_t number = 0;
    if (!reader.Take(&number) || number < kSignBit) return false;
    *value = number;
  } else if (int64_t number = 0; tag == KeyTag::kInteger && reader.TakeOrdered(&number)) {
    *value = number;
  } else {
    return false;
  }
  auto converted = ConvertValue(*value, type);
  if (!converted.ok()) return false;
  *value = *std::move(converted);
  return true;
}

bool DecodePart(KeyReader& reader, const DataType& type, Value* value) {
  uint8_t raw_tag = 0;
  if (!reader.Take(&raw_tag)) return false;
  const auto tag = static_cast<KeyTag>(raw_tag);
  std::string text;
  int64_t number = 0;
  switch (type.id()) {
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kUint64:
      return DecodeInteger(tag, reader, type, value);
    case TypeId::kString:
      if (tag != KeyTag::kText || !reader.TakeSized(&text) || !IsValidUtf8(text)) return false;
      *value = std::move(text);
      return true;
    case TypeId::kBytes:
      if (tag != KeyTag::kBytes || !reader.TakeSized(&text)) return false;
      *value = Bytes{std::move(text)};
      return true;
    case TypeId::kTimestamp:
      if (tag != KeyTag::kTimestamp || !reader.TakeOrdered(&number)) return false;
      *value = Timestamp{number};
      return true;
    case TypeId::kDate:
      if (tag != KeyTag::kDate || !reader.TakeOrdered(&number)) return false;
      if (number < std::numeric_limits<int32_t>::min() ||
          number > std::numeric_limits<int32_t>::max())
        return false;
      *value = Date{static_cast<int32_t>(number)};
      return true;
    case TypeId::kBool: {
      uint8_t flag = 0;
      if (tag != KeyTag::kBool || !reader.Take(&flag) || flag > 1) return false;
      *value = flag == 1;
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

void WriteKeyInteger(int64_t value, char* out) { WriteOrdered(KeyTag::kInteger, value, out); }

void AppendKeyInteger(int64_t value, std::string* out) {
  AppendOrdered(KeyTag::kInteger, value, out);
}

void AppendKeyUnsigned(uint64_t value, std::string* out) {
  if (value < kSignBit) return AppendKeyInteger(static_cast<int64_t>(value), out);
  AppendTag(KeyTag::kLargeInteger, out);
  AppendBigEndian(value, out);
}

void AppendKeyText(std::string_view value, std::string* out) {
  AppendSized(KeyTag::kText, value, out);
}

void AppendKeyBytes(std::string_view value, std::string* out) {
  AppendSized(KeyTag::kBytes, value, out);
}

void AppendKeyTimestamp(Timestamp value, std::string* out) {
  AppendOrdered(KeyTag::kTimestamp, value.us, out);
}

void AppendKeyDate(Date value, std::string* out) { AppendOrdered(KeyTag::kDate, value.days, out); }

void AppendKeyBool(bool value, std::string* out) {
  AppendTag(KeyTag::kBool, out);
  out->push_back(value ? '\1' : '\0');
}

absl::Status AppendEntityKey(std::span<const Value> values, std::span<const DataType> types,
                             std::string* out, bool* has_null) {
  if (values.size() != types.size()) {
    return InvalidArgumentError("entity key: found ", values.size(), " values, expected ",
                                types.size());
  }
  const std::size_t begin = out->size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_null()) {
      *has_null = true;
      continue;
    }
    if (absl::Status status = AppendPart(values[i], types[i], out); !status.ok()) {
      return Annotate(status, Concat("entity key, part ", i + 1, " of ", values.size()));
    }
  }
  if (const std::size_t size = out->size() - begin; size > kEntityKeySizeMax) {
    return WithKind(InvalidArgumentError("entity key: ", size, " bytes, limit ", kEntityKeySizeMax),
                    ErrorKind::kTooLarge);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Value>> DecodeEntityKey(std::string_view bytes,
                                                   std::span<const DataType> types) {
  KeyReader reader(bytes);
  std::vector<Value> values(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (!DecodePart(reader, types[i], &values[i])) {
      return WithKind(DataLossError("entity key: part ", i + 1, " of ", types.size(),
                                    " is not a stored ", types[i].ToString()),
                      ErrorKind::kCorrupt);
    }
  }
  if (!reader.done()) {
    return WithKind(DataLossError("entity key: bytes left over after ", types.size(), " parts"),
                    ErrorKind::kCorrupt);
  }
  return values;
}

}  // namespace larder::inline LARDER_ABI
