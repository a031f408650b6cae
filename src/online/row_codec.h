// Turning column entries into stored bytes, and the checks every stored value carries.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "larder/base/hash.h"
#include "larder/base/status.h"
#include "larder/column/column.h"
#include "larder/online/row_layout.h"
#include "larder/online/row_view.h"

namespace larder::inline LARDER_ABI {

// What a row says beside its features. The flags say which of the words count.
struct RowStamp {
  uint16_t flags = 0;
  int64_t event_time = 0;
  int64_t known_time = 0;
  uint64_t commit_seq = 0;
  int64_t sequence = 0;
  int64_t valid_to = 0;
  uint64_t rank = 0;
};

// Replaces `out` by the row of entry `i`, without its check. `presence` may be empty (all present); it counts only with
// kRowPartial. Requires: columns of the layout's types.
void EncodeRow(const RowLayout& layout, const RowStamp& stamp, std::string_view key,
               std::span<const Column* const> columns, std::span<const Validity* const> presence,
               std::size_t i, std::string* out);

// Low 32 bits of XXH3-64 over the bytes after the check itself, seeded with that of the key.
inline uint32_t StoredCheck(std::string_view key, std::string_view stored) {
  return static_cast<uint32_t>(Hash64(stored.substr(4), Hash64(key)));
}
inline void SetStoredCheck(std::string_view key, std::string* stored) {
  const uint32_t check = StoredCheck(key, *stored);
  std::memcpy(stored->data(), &check, sizeof(check));
}
inline bool StoredCheckHolds(std::string_view key, std::string_view stored) {
  return stored.size() >= 8 && LoadAs<uint32_t>(stored.data()) == StoredCheck(key, stored);
}

// A record's stored value: check u32, size u32, the bytes, zero padding to 8.
void EncodeRecord(std::string_view key, std::string_view value, std::string* out);
// Errors: kCorrupt. Lifetime: borrows from `stored`.
absl::StatusOr<std::string_view> DecodeRecord(std::string_view key, std::string_view stored,
                                              bool verify);

// One list or map in a row's tail, and back. Malformed bytes decode as an empty one.
void EncodeNested(const Value& value, const DataType& type, std::string* out);
Value DecodeNested(std::string_view bytes, const DataType& type);

}  // namespace larder::inline LARDER_ABI
