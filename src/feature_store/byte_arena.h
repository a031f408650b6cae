// Bytes kept where they are until all of them go.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Threads: thread-bound.
class ByteArena {
 public:
  // Lifetime: until Clear or destruction. Never a null data().
  std::string_view Keep(std::string_view bytes) LARDER_LIFETIME_BOUND {
    if (bytes.size() > left_) {
      const std::size_t size = std::max(kBlock, bytes.size());
      blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
      if (blocks_.size() == 1) first_size_ = size;
      at_ = blocks_.back().get();
      left_ = size;
    }
    if (bytes.empty()) return "";
    std::memcpy(at_, bytes.data(), bytes.size());
    const std::string_view kept(at_, bytes.size());
    at_ += bytes.size();
    left_ -= bytes.size();
    return kept;
  }
  // Keeps one block, so that little is allocated over and over.
  void Clear() {
    if (blocks_.empty()) return;
    blocks_.resize(1);
    at_ = blocks_[0].get();
    left_ = first_size_;
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{32} << 10U;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
  std::size_t first_size_ = 0;
};

}  // namespace larder::inline LARDER_ABI
