#include "training/event_pool.h"

#include <cstring>

namespace larder::inline LARDER_ABI {

EventPool::Id EventPool::Make() {
  Id id = 0;
  if (!free_.empty()) {
    id = free_.back();
    free_.pop_back();
    holders_[id - 1] = 1;
  } else {
    holders_.push_back(1);
    id = static_cast<Id>(holders_.size());
    lines_.resize(LinesFor(holders_.size()));
    if (layout_->has_text) texts_.emplace_back();
  }
  return id;
}

void EventPool::Fill(Id id, EventRef event) {
  char* const record =
      reinterpret_cast<char*>(lines_.data()) + std::size_t{id - 1} * layout_->record_size;
  std::memcpy(record, event.record, layout_->record_size);
  if (!layout_->has_text) return;

  // The key has served its purpose.
  std::string& text = texts_[id - 1];
  text.clear();
  for (uint32_t at = layout_->first_text; at < layout_->record_size; at += sizeof(TextPlace)) {
    TextPlace place;
    if (at != layout_->key_text) {
      const std::string_view bytes = EventLayout::TextAt(event, at);
      place = {text.size(), bytes.size()};
      text.append(bytes);
    }
    std::memcpy(record + at, &place, sizeof(place));
  }
}

}  // namespace larder::inline LARDER_ABI
