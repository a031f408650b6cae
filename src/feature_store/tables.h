// Where the facade keeps its records in the store. Numbers are part of the file format.
#pragma once

#include <cstdint>
#include <string>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

enum RecordTable : uint32_t {
  kCatalogTable = 1,  // "current" -> Catalog bytes
  kHistoryTable = 2,  // history number, big-endian -> HistoryEntry bytes
  kLoadTable = 3,     // data id, big-endian -> LoadRecord bytes
};

inline constexpr const char* kCurrentCatalog = "current";

// Sorts as the number does.
inline std::string BigEndianKey(uint64_t number) {
  std::string key(8, '\0');
  for (int i = 0; i < 8; ++i)
    key[static_cast<std::size_t>(i)] = static_cast<char>(number >> (56 - 8 * i));
  return key;
}

}  // namespace larder::inline LARDER_ABI
