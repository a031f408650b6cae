// Events worth keeping: the winners so far, counted by who holds them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "training/event_layout.h"

namespace larder::inline LARDER_ABI {

class EventPool {
 public:
  using Id = uint32_t;  // 0: none

  explicit EventPool(const EventLayout* layout) : layout_(layout) {}

  // Room for `count` events, without what growing step by step leaves unused.
  void Reserve(std::size_t count) {
    lines_.reserve(LinesFor(count));
    holders_.reserve(count);
  }
  // A copy, held once.
  Id Add(EventRef event) {
    const Id id = Make();
    Fill(id, event);
    return id;
  }
  // The same in two steps. Threads: events may be filled in from several at once.
  Id Make();
  void Fill(Id id, EventRef event);
  void Hold(Id id) { ++holders_[id - 1]; }
  void Release(Id id) {
    if (--holders_[id - 1] == 0) free_.push_back(id);
  }
  // Lifetime: until the next Add.
  [[nodiscard]] EventRef at(Id id) const {
    return {
        reinterpret_cast<const char*>(lines_.data()) + std::size_t{id - 1} * layout_->record_size,
        texts_.empty() ? nullptr : texts_[id - 1].data()};
  }

 private:
  // So that a record of a line's size is read as one.
  struct alignas(64) Line {
    char bytes[64];
  };
  [[nodiscard]] std::size_t LinesFor(std::size_t count) const {
    return (count * layout_->record_size + sizeof(Line) - 1) / sizeof(Line);
  }

  const EventLayout* layout_;
  std::vector<Line> lines_;         // the records' bytes
  std::vector<std::string> texts_;  // empty where records have no text
  std::vector<uint32_t> holders_;
  std::vector<Id> free_;
};

}  // namespace larder::inline LARDER_ABI
