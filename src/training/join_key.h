// Join keys of a column batch as something two sides can compare: one 64-bit word where there is one fixed-width key,
// else schema/entity_key.h's bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/hash.h"
#include "larder/base/status.h"
#include "larder/column/column.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {

enum class KeyForm : uint8_t { kWord, kBytes };

[[nodiscard]] KeyForm KeyFormOf(std::span<const DataType> types);

// Spreads every bit of a word over the result (a bijection).
[[nodiscard]] inline uint64_t MixWord(uint64_t word) {
  word ^= word >> 32U;
  word *= 0xD6E8FEB86659FD93U;
  word ^= word >> 32U;
  word *= 0xD6E8FEB86659FD93U;
  word ^= word >> 32U;
  return word;
}

// A hash of the key that a word stands for; of a fixed-width key the word in another guise.
[[nodiscard]] inline uint64_t KeyHash(KeyForm form, uint64_t word) {
  return form == KeyForm::kWord ? MixWord(word) : word;
}
// The high bits number the partition, so that the low bits stay useful inside it.
[[nodiscard]] inline uint32_t PartitionOf(uint64_t hash, int partition_bits) {
  return static_cast<uint32_t>(hash >> 1U >> (63 - partition_bits));
}

enum class KeyState : uint8_t { kUsable, kNull, kBad };

// Reads keys row by row. Lifetime: borrows the columns.
class KeyReader {
 public:
  // Errors: kInvalidArgument when a column's type can never be the declared one.
  static absl::StatusOr<KeyReader> Make(std::span<const Column* const> columns,
                                        std::span<const DataType> types);

  // Fills *word (a word, or the hash of the bytes) and, in the form of bytes, *bytes.
  KeyState Read(std::size_t row, uint64_t* word, std::string* bytes) const;
  // Why Read called the row bad.
  [[nodiscard]] absl::Status Explain(std::size_t row) const;

  [[nodiscard]] KeyForm form() const { return form_; }
  // The single key column whose raw values are the words; null when Read must convert.
  [[nodiscard]] const Column* raw_words() const { return raw_; }

 private:
  std::vector<const Column*> columns_;
  std::vector<DataType> types_;
  KeyForm form_ = KeyForm::kBytes;
  const Column* raw_ = nullptr;
  bool same_types_ = true;
};

// An event id as bytes two sides can compare; nothing for null.
void AppendIdBytes(const Column& column, std::size_t row, std::string* out);

// The raw value of a fixed-width key column as a word.
[[nodiscard]] inline uint64_t RawWordOf(uint8_t value) { return value; }
[[nodiscard]] inline uint64_t RawWordOf(int32_t value) {
  return static_cast<uint64_t>(int64_t{value});
}
[[nodiscard]] inline uint64_t RawWordOf(uint64_t value) { return value; }
[[nodiscard]] uint64_t RawWord(const Column& column, std::size_t row);

}  // namespace larder::inline LARDER_ABI
