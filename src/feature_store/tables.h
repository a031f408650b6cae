// Where the facade keeps its records in the store. Numbers are part of the file format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

enum RecordTable : uint32_t {
  kCatalogTable = 1,  // "current" -> Catalog bytes
  kHistoryTable = 2,  // history number, big-endian -> HistoryEntry bytes
  kLoadTable = 3,     // data id, big-endian -> LoadRecord bytes
  kGenerationNoteTable =
      4,             // history number, data id, big-endian -> what was live before that entry
  kFittedTable = 5,  // name, a zero byte, version, big-endian -> FittedEntry bytes
  // docs/internals/window_state.md; keys begin with the data id, 32 bits big-endian.
  kWindowTable = 6,      // -> WindowRecord bytes
  kWindowKeyTable = 7,   // entity key -> WindowKey bytes
  kWindowPageTable = 8,  // page, big-endian -> a page of an aggregate tree
  kWindowIdTable = 9,    // hash of entity key and event id -> WindowId bytes
};

inline constexpr const char* kCurrentCatalog = "current";
// In kCatalogTable: the greatest history number in use, and the number of the last change of the catalog (holds
// included), both big-endian.
inline constexpr const char* kLastNumber = "last number";
inline constexpr const char* kLastChange = "last change";

// Sorts as the number does.
inline std::string BigEndianKey(uint64_t number) {
  std::string key(8, '\0');
  for (int i = 0; i < 8; ++i)
    key[static_cast<std::size_t>(i)] = static_cast<char>(number >> (56 - 8 * i));
  return key;
}

inline uint64_t FromBigEndianKey(std::string_view key) {
  uint64_t number = 0;
  for (const char c : key) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

}  // namespace larder::inline LARDER_ABI
