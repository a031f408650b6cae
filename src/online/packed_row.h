// Rows of a segment that are all of one size: what they have in common is said once, in the segment's header.
//
// A loose row, as it is encoded and as other segments store it, says its size, its key and its event time itself. Packed
// it is its check, flags, features, the few bytes in which its time and key differ from the others', and what its flags
// announce. docs/internals/store_file.md has the bytes, serving_path.md why.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "larder/base/bytes.h"
#include "larder/base/config.h"
#include "online/row_arena.h"
#include "online/stored_row.h"

namespace larder::inline LARDER_ABI {

// Check, flags and bits of the features that are not null.
inline constexpr std::size_t kPackedHeaderSize = 8;

// Flags that say which parts a row has: packed rows of a segment agree in them.
inline constexpr uint16_t kRowPartFlags = kRowDelete | kRowPartial | kRowWordFlags;

// Part of the segment's header, 64 bytes.
struct PackedForm {
  static constexpr std::size_t kKeyPrefixMax = 32;

  uint32_t row_size = 0;  // 0: the segment's rows are loose
  uint16_t flags = 0;     // those of kRowPartFlags that every row has
  uint16_t key_size = 0;
  uint8_t key_prefix_size = 0;
  uint8_t time_width = 0;  // bytes
  uint16_t reserved = 0;
  uint32_t time_offset = 0;  // where the features end; the key's own bytes follow the time
  int64_t time_base = 0;
  uint64_t time_step = 0;  // event time = base + step x what the row says; 0 with no width
  char key_prefix[kKeyPrefixMax] = {};  // of every key

  [[nodiscard]] bool is_packed() const { return row_size != 0; }
  [[nodiscard]] std::size_t key_offset() const { return std::size_t{time_offset} + time_width; }
  [[nodiscard]] std::size_t key_own_size() const { return std::size_t{key_size} - key_prefix_size; }
  // Where the words announced by flags are.
  [[nodiscard]] std::size_t words_offset() const { return PadTo8(key_offset() + key_own_size()); }
  // Whether its numbers fit each other: a damaged one must not lead out of a row.
  [[nodiscard]] bool IsSound() const;

  [[nodiscard]] int64_t EventTimeOf(const char* row) const {
    // The eight bytes that end with the time: a header stands in front of it, so they are the row's.
    const auto word = LoadAs<uint64_t>(row + key_offset() - 8);
    const unsigned shift = time_width == 0 ? 0 : 64 - 8U * time_width;
    return static_cast<int64_t>(static_cast<uint64_t>(time_base) + time_step * (word >> shift));
  }
  [[nodiscard]] bool HasKey(const char* row, std::string_view key) const {
    const std::size_t own = key_own_size();
    if (key.size() != key_size) return false;
    if (own - 1 >= 8 || key_size < 8) return HasAnyKey(row, key);
    // The eight bytes that end with the key, there and here; of them the row
    // has `own`.
    const uint64_t differ = LoadAs<uint64_t>(row + key_offset() + own - 8) ^
                            LoadAs<uint64_t>(key.data() + key_size - 8);
    if (differ >> (64 - 8 * own) != 0) return false;
    if (key_prefix_size > 8) return SameKey(key_prefix, key.substr(0, key_prefix_size));
    const uint64_t begins = LoadAs<uint64_t>(key_prefix) ^ LoadAs<uint64_t>(key.data());
    return key_prefix_size == 0 || begins << (64 - 8U * key_prefix_size) == 0;
  }
  [[nodiscard]] std::string KeyOf(const char* row) const;

  // The size of a row once loose, and the row: `out` has room for that many bytes.
  [[nodiscard]] std::size_t loose_size() const;
  void Unpack(const char* row, char* out) const;
  // Replaces `out` by the packed form of a loose row with the parts and the key that the form says.
  void Pack(std::string_view loose, char* out) const;

 private:
  [[nodiscard]] bool HasAnyKey(const char* row, std::string_view key) const;
};
static_assert(sizeof(PackedForm) == 64 && std::is_trivially_copyable_v<PackedForm>);

// Finds what loose rows have in common.
class PackedFormFinder {
 public:
  // `trailer_offset`: of the rows. Rows with a tail cannot be packed.
  PackedFormFinder(std::size_t trailer_offset, bool has_tail);
  void Add(std::string_view loose, std::string_view key);
  // With row_size 0 when the rows cannot be packed.
  [[nodiscard]] PackedForm Form() const;

 private:
  bool fits_;
  std::size_t trailer_offset_;
  uint64_t count_ = 0;
  std::string_view first_key_;
  std::size_t shared_ = 0;  // leading bytes of all keys
  std::size_t words_size_ = 0;
  uint16_t flags_ = 0;
  int64_t first_time_ = 0;
  int64_t time_min_ = 0;
  int64_t time_max_ = 0;
  uint64_t step_ = 0;  // divides all differences from the first time
};

}  // namespace larder::inline LARDER_ABI
