// Where each feature of a view's row sits: fixed-width values at fixed, aligned offsets, variable ones in a tail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/schema/data_type.h"

namespace larder::inline LARDER_ABI {

inline constexpr std::size_t kRowFeaturesMax = 4096;
inline constexpr std::size_t kRowSizeMax = std::size_t{1} << 20;  // bytes of one stored row

// A pure function of the types in order. The normative byte layout is docs/internals/store_file.md.
//
// Immutable. Threads: thread-safe. Lifetime: RowViews point at the layout they were read with.
class RowLayout {
 public:
  // Errors: kInvalidArgument over kRowFeaturesMax or when the fixed part alone is over kRowSizeMax.
  static absl::StatusOr<RowLayout> Make(std::span<const DataType> types);

  [[nodiscard]] std::size_t size() const { return slots_.size(); }
  [[nodiscard]] const DataType& type(std::size_t i) const LARDER_LIFETIME_BOUND {
    return slots_[i].type;
  }
  // From the start of the payload (the bitmap of non-null features); a multiple of the value's alignment.
  [[nodiscard]] uint32_t offset(std::size_t i) const { return slots_[i].offset; }
  // Bytes of the value at offset(i): byte_width() or, for variable ones, the 8 bytes {offset, length} into the tail.
  [[nodiscard]] uint32_t width(std::size_t i) const { return slots_[i].width; }
  [[nodiscard]] bool is_variable(std::size_t i) const { return slots_[i].variable; }
  // Bytes of bitmap and fixed values together, a multiple of 8: where the tail begins.
  [[nodiscard]] uint32_t fixed_size() const { return fixed_size_; }
  // 64-bit words in a bitmap with one bit per feature.
  [[nodiscard]] uint32_t bitmap_words() const { return bitmap_words_; }
  // Of the types in order; stored in every segment, so that a row is never read with another layout.
  [[nodiscard]] uint16_t fingerprint() const { return fingerprint_; }

  // Where things stand in a stored row that is no delete: the payload, whose bitmap is kept in the row's header where
  // kHeaderBits are enough for it, and the row's size and key after the fixed values.
  static constexpr std::size_t kHeaderBits = 16;
  [[nodiscard]] bool has_bitmap_words() const { return slots_.size() > kHeaderBits; }
  [[nodiscard]] uint32_t payload_offset() const {
    return kHeaderSize - (has_bitmap_words() ? 0 : 8 * bitmap_words_);
  }
  [[nodiscard]] uint32_t trailer_offset() const { return payload_offset() + fixed_size_; }
  // Whether a row may have a tail: some feature is variable.
  [[nodiscard]] bool has_tail() const { return has_tail_; }

 private:
  static constexpr uint32_t kHeaderSize = 16;  // of a stored row
  struct Slot {
    DataType type;
    uint32_t offset = 0;
    uint32_t width = 0;
    bool variable = false;
  };
  RowLayout() = default;
  std::vector<Slot> slots_;
  uint32_t fixed_size_ = 0;
  uint32_t bitmap_words_ = 0;
  uint16_t fingerprint_ = 0;
  bool has_tail_ = false;
};

}  // namespace larder::inline LARDER_ABI
