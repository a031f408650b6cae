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
      blocks_.push_back(std::make_unique<char[]>(size));
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
  void Clear() {
    blocks_.clear();
    left_ = 0;
  }

 private:
  static constexpr std::size_t kBlock = std::size_t{32} << 10U;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* at_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace larder::inline LARDER_ABI
