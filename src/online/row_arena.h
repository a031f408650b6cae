// Memory for the bytes of rows on their way.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {

// Room for rows that are built, in pieces that grow. What it gave stays where it is until Clear.
class RowArena {
 public:
  char* Allocate(std::size_t size) {
    if (size > left_) {
      next_size_ = std::clamp(2 * next_size_, kPieceSizeMin, kPieceSizeMax);
      left_ = std::max(size, next_size_);
      pieces_.push_back({std::make_unique_for_overwrite<char[]>(left_), left_});
      at_ = pieces_.back().bytes.get();
    }
    char* const given = at_;
    at_ += size;
    left_ -= size;
    return given;
  }
  std::string_view Copy(std::string_view bytes) {
    char* const copy = Allocate(bytes.size());
    std::memcpy(copy, bytes.data(), bytes.size());
    return {copy, bytes.size()};
  }
  // Takes everything back, and keeps one piece of memory for what comes.
  void Clear() {
    if (pieces_.empty()) return;
    std::swap(pieces_.front(), pieces_.back());  // the last one is as large as any
    pieces_.resize(1);
    at_ = pieces_.front().bytes.get();
    left_ = pieces_.front().size;
  }

 private:
  static constexpr std::size_t kPieceSizeMin = std::size_t{4} << 10;
  static constexpr std::size_t kPieceSizeMax = std::size_t{256} << 10;
  struct Piece {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
  };
  std::vector<Piece> pieces_;
  std::size_t next_size_ = 0;
  char* at_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace larder::inline LARDER_ABI
