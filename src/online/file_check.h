// Looking at a data file by plain reads before anything maps it: a mapped file that is shorter than it says ends the
// process with a signal, one that is empty would be taken for a new store.
#pragma once

#include <cstdint>
#include <string>

#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// LMDB 0.9's head of one of its trees.
struct TreeHead {
  uint16_t flags = 0;
  uint16_t depth = 0;
  uint64_t branch_pages = 0;
  uint64_t leaf_pages = 0;
  uint64_t overflow_pages = 0;
  uint64_t entries = 0;
  uint64_t root = 0;  // kNoPage when empty
};
inline constexpr uint64_t kNoPage = ~uint64_t{0};

struct MetaPage {
  uint64_t map_size = 0;
  uint32_t page_size = 0;
  TreeHead free_list;
  TreeHead main;
  uint64_t last_page = 0;
  uint64_t txn_id = 0;
};

// Reads one tree head from its 48 stored bytes.
TreeHead ParseTreeHead(const char* bytes);

// A pread of exactly `size` bytes. False at the file's end or on an error.
bool ReadExactly(int fd, void* to, std::size_t size, uint64_t offset);

// Both meta pages checked against each other; the newer one. Errors: kTruncated (empty or cut), kForeign, kVersion,
// kCorrupt; kIoError.
absl::StatusOr<MetaPage> ReadMetaPages(int fd, const std::string& path);

// The data file of an environment folder: a regular file, no link, of sound size and metas. A file a few pages short
// of its last page is sound when no tree refers to what is missing (a crash between a commit and the write that evens
// the file out leaves that); `*missing_bytes` then says how far it must be extended before it is mapped.
absl::StatusOr<MetaPage> CheckDataFile(const std::string& path, uint64_t* missing_bytes);

}  // namespace larder::inline LARDER_ABI
