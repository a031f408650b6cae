// Join key values as typed, self-delimiting bytes.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/data_type.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

// The encoded key's longest form; LMDB allows 511 bytes and rows add a suffix.
inline constexpr std::size_t kEntityKeySizeMax = 440;

// Appends one part. Integers of every width and sign that are equal give equal bytes (so int32 5,
// int64 5 and uint64 5 meet); text, bytes, timestamp, date and bool each have their own tag, so "5"
// and 5 never meet, nor (1,11) and (11,1). Layout: one tag byte, then 8 big-endian bytes (integers,
// timestamp, date; sign bit flipped, so that bytes sort as values do), 1 byte (bool), or a
// big-endian 32-bit length and the bytes. Integers above INT64_MAX have a tag of their own.
void AppendKeyInteger(int64_t value, std::string* out);
void AppendKeyUnsigned(uint64_t value, std::string* out);
void AppendKeyText(std::string_view value, std::string* out);
void AppendKeyBytes(std::string_view value, std::string* out);
void AppendKeyTimestamp(Timestamp value, std::string* out);
void AppendKeyDate(Date value, std::string* out);
void AppendKeyBool(bool value, std::string* out);

// Encodes `values` as the declared `types`; text for a declared integer key is read as that
// integer, and an integer for a declared string key as its decimal digits (SEMANTICS 12, B1). Text
// for a timestamp, date or bool key is parsed too; for a bytes key it is refused, since it could
// mean the bytes or their base64. `*has_null` becomes true when a value is null, and then the key
// is not usable and bytes are unspecified; otherwise it stays as it was. Errors: kInvalidArgument
// for a value outside the declared type's range or of an unfit type, text that is not UTF-8,
// another number of values than types, or a key over kEntityKeySizeMax (kind kTooLarge). `*out` may
// have grown on error.
[[nodiscard]] absl::Status AppendEntityKey(std::span<const Value> values,
                                           std::span<const DataType> types, std::string* out,
                                           bool* has_null);

// The inverse, for tools and messages. Errors: kDataLoss when the bytes are not a key.
[[nodiscard]] absl::StatusOr<std::vector<Value>> DecodeEntityKey(std::string_view bytes,
                                                                 std::span<const DataType> types);

}  // namespace larder::inline LARDER_ABI
