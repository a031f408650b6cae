#include "io/cell_column.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsAscii(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & 0x8080808080808080U) != 0) return false;
  }
  for (; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0x80U) != 0) return false;
  }
  return true;
}

// Two digits, or -1.
int TwoDigits(const char* p) {
  if (!IsDigit(p[0]) || !IsDigit(p[1])) return -1;
  return (p[0] - '0') * 10 + (p[1] - '0');
}

// YYYY-MM-DD as days; false for anything unusual, which the full parser then decides.
bool FastDate(std::string_view text, int64_t* days) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return false;
  const int high = TwoDigits(text.data());
  const int low = TwoDigits(text.data() + 2);
  const int month = TwoDigits(text.data() + 5);
  const int day = TwoDigits(text.data() + 8);
  if (high < 0 || low < 0 || month < 1 || month > 12 || day < 1 || day > 28) return false;
  *days = DaysFromCivil(high * 100 + low, month, day);
  return true;
}

// YYYY-MM-DD[T ]HH:MM:SS and up to six digits of fraction, then nothing or Z.
bool FastTimestamp(std::string_view text, bool zone_is_utc, int64_t* micros) {
  int64_t days = 0;
  if (text.size() < 19 || !FastDate(text, &days)) return false;
  if ((text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':') return false;
  const int hour = TwoDigits(text.data() + 11);
  const int minute = TwoDigits(text.data() + 14);
  const int second = TwoDigits(text.data() + 17);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
  int64_t fraction = 0;
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    int64_t unit = 100'000;
    for (++at; at < text.size() && IsDigit(text[at]); ++at, unit /= 10) {
      if (unit == 0) return false;
      fraction += (text[at] - '0') * unit;
    }
    if (unit == 100'000) return false;
  }
  if (at == text.size()) {
    if (!zone_is_utc) return false;
  } else if (text[at] != 'Z' || at + 1 != text.size()) {
    return false;
  }
  *micros =
      days * kMicrosPerDay + ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + fraction;
  return true;
}

}  // namespace

NullTokens::NullTokens(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
  for (const std::string& token : tokens_)
    sizes_ |= uint64_t{1} << std::min<std::size_t>(token.size(), 63);
}

bool NullTokens::Search(std::string_view text) const {
  return std::find(tokens_.begin(), tokens_.end(), text) != tokens_.end();
}

bool ParseScaledMicros(std::string_view text, int unit_exponent, int64_t* micros, bool* floored) {
  text = TrimAscii(text);
  bool negative = false;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  // The digits without their point, and how many of them stand before it.
  std::string digits;
  int64_t point = -1;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (IsDigit(text[at])) {
      digits.push_back(text[at]);
    } else if (text[at] == '.' && point < 0) {
      point = static_cast<int64_t>(digits.size());
    } else {
      break;
    }
  }
  if (digits.empty()) return false;
  if (point < 0) point = static_cast<int64_t>(digits.size());
  if (at < text.size()) {
    if (text[at] != 'e' && text[at] != 'E') return false;
    ++at;
    if (at < text.size() && text[at] == '+') ++at;
    int exponent = 0;
    const auto result = std::from_chars(text.data() + at, text.data() + text.size(), exponent);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return false;
    if (exponent < -400 || exponent > 400) return false;
    point += exponent;
  }
  point += unit_exponent;

  uint64_t whole = 0;
  const auto size = static_cast<int64_t>(digits.size());
  for (int64_t i = 0; i < point; ++i) {
    const auto digit =
        i < size ? static_cast<uint64_t>(digits[static_cast<std::size_t>(i)] - '0') : 0;
    if (whole > (uint64_t{1} << 63) / 10) return false;
    whole = whole * 10 + digit;
  }
  const std::size_t rest_at = static_cast<std::size_t>(std::clamp<int64_t>(point, 0, size));
  const bool inexact = digits.find_first_not_of('0', rest_at) != std::string::npos;
  if (inexact) *floored = true;
  if (negative && inexact) ++whole;
  const uint64_t limit = (uint64_t{1} << 63) - (negative ? 0 : 1);
  if (whole > limit) return false;
  *micros = static_cast<int64_t>(negative ? 0 - whole : whole);
  return true;
}

absl::StatusOr<CellColumn> CellColumn::Make(const Field& field, const TimeZone& zone,
                                            const NullTokens* nulls, TextNotes* notes) {
  CellColumn column(field, zone, nulls, notes);
  if (!field.unit.empty()) {
    if (field.type.id() != TypeId::kTimestamp && field.type.id() != TypeId::kDuration) {
      return InvalidArgumentError("field ", field.name,
                                  ": a unit is for timestamps and durations, found type ",
                                  field.type.ToString());
    }
    if (field.unit == "s") {
      column.unit_exponent_ = 6;
    } else if (field.unit == "ms") {
      column.unit_exponent_ = 3;
    } else if (field.unit == "us") {
      column.unit_exponent_ = 0;
    } else if (field.unit == "ns") {
      column.unit_exponent_ = -3;
    } else {
      return InvalidArgumentError("field ", field.name, ": unknown unit \"", field.unit,
                                  "\", expected s, ms, us or ns");
    }
    column.has_unit_ = true;
    column.unit_ = field.unit;
  }
  return column;
}

CellColumn::CellColumn(const Field& field, const TimeZone& zone, const NullTokens* nulls,
                       TextNotes* notes)
    : type_(field.type),
      zone_(zone),
      zone_is_utc_(zone.name() == "UTC"),
      nulls_(nulls),
      notes_(notes),
      grown_(field.type) {
  is_fixed_ = type_.is_fixed_width() && !type_.is_nested();
  if (is_fixed_) Grow();
}

// Small inputs are many, and most columns never see a full batch.
void CellColumn::Grow() {
  capacity_ = std::max<std::size_t>(capacity_ * 4, 64);
  fixed_.resize(capacity_ * type_.byte_width());
  valid_bits_.resize(BitWords(capacity_));
}

void CellColumn::PutNull() {
  valid_ = false;
  if (is_fixed_) {
    const std::size_t width = type_.byte_width();
    std::memset(fixed_.data() + row_ * width, 0, width);
  }
}

void CellColumn::PutValue(Value value) {
  if (value.is_null()) return PutNull();
  valid_ = true;
  value_ = std::move(value);
  if (const auto* text = value_.As<std::string>()) text_ = *text;
  if (const auto* bytes = value_.As<Bytes>()) text_ = bytes->data;
  if (const auto* v = value_.As<bool>()) PutFixed(static_cast<uint8_t>(*v ? 1 : 0));
  if (const auto* v = value_.As<int32_t>()) PutFixed(*v);
  if (const auto* v = value_.As<int64_t>()) PutFixed(*v);
  if (const auto* v = value_.As<uint64_t>()) PutFixed(*v);
  if (const auto* v = value_.As<float>()) PutFixed(*v);
  if (const auto* v = value_.As<double>()) PutFixed(*v);
  if (const auto* v = value_.As<Timestamp>()) PutFixed(v->us);
  if (const auto* v = value_.As<Duration>()) PutFixed(v->us);
  if (const auto* v = value_.As<Date>()) PutFixed(v->days);
}

bool CellColumn::PutBySlowWay(std::string_view text) {
  auto value = ParseValue(text, type_, zone_, notes_);
  if (!value.ok()) return false;
  PutValue(*std::move(value));
  return true;
}

template <class T>
bool CellColumn::PutInteger(std::string_view text) {
  T value = 0;
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec == std::errc() && result.ptr == end) return PutFixed(value);
  return PutBySlowWay(text);
}

template <class T>
bool CellColumn::PutFloat(std::string_view text) {
  // Words such as inf, and what overflows or underflows, are the slow way's to judge.
  const std::size_t first = text[0] == '-' ? 1 : 0;
  if (first < text.size() && IsDigit(text[first])) {
    T value = 0;
    const char* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ec == std::errc() && result.ptr == end) return PutFixed(value);
  }
  return PutBySlowWay(text);
}

bool CellColumn::PutText(std::string_view text) {
  if (!IsAscii(text) && !IsValidUtf8(text)) return false;
  text_ = text;
  valid_ = true;
  return true;
}

bool CellColumn::PutTimestamp(std::string_view text) {
  int64_t micros = 0;
  if (FastTimestamp(text, zone_is_utc_, &micros)) return PutFixed(micros);
  const auto parsed = ParseTimestamp(TrimAscii(text), zone_);
  if (!parsed.ok()) return false;
  if (parsed->floored) ++notes_->floored_timestamps;
  return PutFixed(parsed->value.us);
}

bool CellColumn::PutDate(std::string_view text) {
  int64_t days = 0;
  if (text.size() == 10 && FastDate(text, &days)) return PutFixed(static_cast<int32_t>(days));
  return PutBySlowWay(text);
}

bool CellColumn::PutScaled(std::string_view text) {
  int64_t micros = 0;
  bool floored = false;
  if (!ParseScaledMicros(text, unit_exponent_, &micros, &floored)) return false;
  if (floored) ++notes_->floored_timestamps;
  return PutFixed(micros);
}

bool CellColumn::Put(std::string_view text, bool quoted) {
  if (text.empty() ? (quoted ? type_.id() != TypeId::kString && type_.id() != TypeId::kBytes
                             : nulls_->Has(text))
                   : nulls_->Has(text)) {
    PutNull();
    return true;
  }
  if (type_.id() == TypeId::kString) return PutText(text);
  if (text.empty()) return type_.id() == TypeId::kBytes && PutBySlowWay(text);
  if (has_unit_) return PutScaled(text);
  switch (type_.id()) {
    case TypeId::kInt32:
      return PutInteger<int32_t>(text);
    case TypeId::kInt64:
      return PutInteger<int64_t>(text);
    case TypeId::kUint64:
      return PutInteger<uint64_t>(text);
    case TypeId::kFloat32:
      return PutFloat<float>(text);
    case TypeId::kFloat64:
      return PutFloat<double>(text);
    case TypeId::kTimestamp:
      return PutTimestamp(text);
    case TypeId::kDate:
      return PutDate(text);
    default:
      return PutBySlowWay(text);
  }
}

void CellColumn::Accept() {
  if (is_fixed_) {
    SetBit(valid_bits_.data(), row_, valid_);
  } else if (!valid_) {
    grown_.AppendNull();
  } else if (type_.is_text()) {
    grown_.AppendText(text_);
  } else {
    // The value was parsed as this very type.
    (void)grown_.Append(value_);
  }
  if (++row_ == capacity_ && is_fixed_) Grow();
}

Column CellColumn::Take() {
  if (is_fixed_) {
    Column column(type_);
    column.ResizeFixed(row_);
    if (row_ > 0) {
      std::memcpy(column.MutableValues<char>().data(), fixed_.data(), row_ * type_.byte_width());
      uint64_t* const words = column.mutable_validity().mutable_words();
      std::memcpy(words, valid_bits_.data(), BitWords(row_) * sizeof(uint64_t));
      if (row_ % 64 != 0) words[row_ / 64] &= (uint64_t{1} << (row_ % 64)) - 1;
    }
    row_ = 0;
    return column;
  }
  row_ = 0;
  return std::exchange(grown_, Column(type_));
}

std::string CellColumn::Expected() const {
  if (has_unit_) {
    return Concat(type_.ToString(), " as a number of ", unit_,
                  type_.id() == TypeId::kTimestamp ? " since 1970" : "");
  }
  if (type_.id() == TypeId::kString) return "UTF-8 text";
  return type_.ToString();
}

}  // namespace larder::inline LARDER_ABI
