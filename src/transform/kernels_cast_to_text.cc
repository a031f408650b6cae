// Values as text, as the documents write them.
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>

#include "larder/base/time.h"
#include "transform/casts.h"
#include "transform/ieee.h"
#include "transform/loops.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

// Write(value, buffer) gives the end of the text written into 64 bytes.
template <class A, class Writer>
void ToText(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const Argument<A> a(call, 0);
  auto* out = call.result<TextRef>();
  for (std::size_t i = 0; i < call.n(); ++i) out[i] = {nullptr, 0};
  ForValidRows(call, nullptr, [&](std::size_t i) {
    char* buffer = call.arena().Allocate(64);
    const char* end = Writer::Write(a[i], buffer);
    const auto size = static_cast<std::size_t>(end - buffer);
    call.arena().Trim(64 - size);
    out[i] = {buffer, size};
    return true;
  });
}
char* Put(std::string_view text, char* buffer) {
  std::memcpy(buffer, text.data(), text.size());
  return buffer + text.size();
}
struct WriteInteger {
  template <class T>
  static const char* Write(T value, char* buffer) {
    return std::to_chars(buffer, buffer + 64, value).ptr;
  }
};
struct WriteFloat {
  static const char* Write(double value, char* buffer) {
    if (ieee::IsNan(value)) return Put("NaN", buffer);
    if (!ieee::IsFinite(value)) return Put(value > 0 ? "Infinity" : "-Infinity", buffer);
    return std::to_chars(buffer, buffer + 64, value).ptr;
  }
};
struct WriteFloat32 {
  static const char* Write(double value, char* buffer) {
    if (!ieee::IsFinite(value)) return WriteFloat::Write(value, buffer);
    return std::to_chars(buffer, buffer + 64, static_cast<float>(value)).ptr;
  }
};
struct WriteDate {
  static const char* Write(int64_t days, char* buffer) {
    return Put(FormatDate({static_cast<int32_t>(days)}), buffer);
  }
};
struct WriteTimestamp {
  static const char* Write(int64_t us, char* buffer) { return Put(FormatTimestamp({us}), buffer); }
};
struct WriteDuration {
  static const char* Write(int64_t us, char* buffer) { return Put(FormatDuration({us}), buffer); }
};
void BitsToText(const Instruction& instruction, Frame& frame) {
  static constexpr std::string_view kTrue = "true";
  static constexpr std::string_view kFalse = "false";
  const Call call(instruction, frame);
  const uint64_t* a = call.bits(0);
  auto* out = call.result<TextRef>();
  for (std::size_t i = 0; i < call.n(); ++i) {
    const std::string_view text = ((a[i / 64] >> (i % 64)) & 1U) != 0 ? kTrue : kFalse;
    out[i] = {text.data(), text.size()};
  }
  call.ValidLike(0);
}

}  // namespace

CastKernel CastToText(TypeId from) {
  switch (from) {
    case TypeId::kBool:
      return SafeCast(BitsToText);
    case TypeId::kInt32:
    case TypeId::kInt64:
      return CostlyCast(ToText<int64_t, WriteInteger>);
    case TypeId::kUint64:
      return CostlyCast(ToText<uint64_t, WriteInteger>);
    case TypeId::kFloat32:
      return CostlyCast(ToText<double, WriteFloat32>);
    case TypeId::kFloat64:
      return CostlyCast(ToText<double, WriteFloat>);
    case TypeId::kDate:
      return CostlyCast(ToText<int64_t, WriteDate>);
    case TypeId::kTimestamp:
      return CostlyCast(ToText<int64_t, WriteTimestamp>);
    case TypeId::kDuration:
      return CostlyCast(ToText<int64_t, WriteDuration>);
    default:
      return {};
  }
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
