// LMDB 0.9's pages and their nodes, for who reads them without LMDB. Nothing here is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "larder/base/bytes.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

inline constexpr std::size_t kPageHeader = 16;
inline constexpr std::size_t kPageFlagsAt = 10;
inline constexpr std::size_t kPlacesEndAt =
    12;  // of a long value's first page: how many it has, u32
inline constexpr uint16_t kPageBranch = 0x01;
inline constexpr uint16_t kPageLeaf = 0x02;
inline constexpr uint16_t kPageLong = 0x04;

inline constexpr std::size_t kNodeHeader = 8;
inline constexpr uint16_t kNodeBig = 0x01;  // its value has pages of its own

inline std::size_t PlaceOfNode(const char* page, std::size_t i) {
  return LoadAs<uint16_t>(page + kPageHeader + 2 * i);
}
inline uint16_t NodeFlags(const char* node) { return LoadAs<uint16_t>(node + 4); }
// Of a leaf.
inline uint64_t ValueSize(const char* node) {
  return LoadAs<uint16_t>(node) | (uint64_t{LoadAs<uint16_t>(node + 2)} << 16U);
}
// Of a branch: the number of the page below.
inline uint64_t ChildPage(const char* node) {
  return ValueSize(node) | (uint64_t{NodeFlags(node)} << 32U);
}
inline std::string_view NodeKey(const char* node) {
  return {node + kNodeHeader, LoadAs<uint16_t>(node + 6)};
}
inline uint64_t PagesOfLongValue(uint64_t size, std::size_t page_size) {
  return (kPageHeader + size + page_size - 1) / page_size;
}

}  // namespace larder::inline LARDER_ABI
