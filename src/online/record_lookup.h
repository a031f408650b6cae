// Several records at once.
#pragma once

#include <lmdb.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// A tree of an LMDB 0.9 snapshot as it lies in the map: of keys that are compared byte by byte, and are
// multiples of 8 bytes.
//
// LMDB's own lookups wait for one line of memory after the other. These take one step of each key in turn, and ask for the
// memory of its next step meanwhile. What a damaged page says never leads out of the file.
class RecordTree {
 public:
  static constexpr std::size_t kTogether = 16;

  // Absent where the tree is not as expected; then LMDB itself has to look. Lifetime: of the snapshot.
  static std::optional<RecordTree> Of(MDB_txn* txn, std::string_view name);

  // Absent values: no such key. False: a page is damaged, LMDB itself has to look and say so. Requires: as many values as
  // keys, at most kTogether.
  [[nodiscard]] bool Find(std::span<const std::string_view> keys,
                          std::span<std::optional<std::string_view>> values) const;

 private:
  class Descent;
  [[nodiscard]] const char* Page(uint64_t number) const { return map_ + number * page_size_; }

  const char* map_ = nullptr;
  std::size_t page_size_ = 0;
  uint64_t page_count_ = 0;  // of the file, as far as it is mapped
  uint64_t root_ = 0;
  uint16_t depth_ = 0;
};

}  // namespace larder::inline LARDER_ABI
