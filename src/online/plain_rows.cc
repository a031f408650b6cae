#include "online/plain_rows.h"

#include <algorithm>

#include "larder/schema/entity_key.h"

namespace larder::inline LARDER_ABI {
namespace {

// Where the bits of features that are not null begin.
std::size_t BitsOffset(const RowLayout& layout) {
  return layout.has_bitmap_words() ? layout.payload_offset() : offsetof(RowHeader, validity);
}

bool SaysMore(const RowsToWrite& rows, const RowEncoding& encoding) {
  const RowLayout& layout = *rows.layout;
  if (encoding.keeps_commit || rows.is_push || rows.partial_updates || layout.has_tail() ||
      rows.tie_order != TieOrder::kCanonicalBytes)
    return true;
  if (rows.sequence != nullptr || rows.arrival_time != nullptr || rows.valid_to != nullptr)
    return true;
  if (rows.available_after && rows.available_after->us != 0) return true;
  if (WordsOffset(layout.trailer_offset(), kEntityKeySizeMax) > kRowSizeMax) return true;
  if (rows.event_time != nullptr && rows.event_time->CountNulls() > 0) return true;
  if (rows.is_delete == nullptr) return false;
  const std::span<const uint8_t> deletes = rows.is_delete->Values<uint8_t>();
  return std::any_of(deletes.begin(), deletes.end(),
                     [](uint8_t is_delete) { return is_delete != 0; });
}

template <std::size_t kWidth>
void Spread(const char* values, std::size_t count, std::size_t slot, char* const* places) {
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(places[i] + slot, values + kWidth * i, kWidth);
}

}  // namespace

PlainRows::PlainRows(const RowsToWrite& rows, const RowEncoding& encoding)
    : rows_(rows), hash_seed_(encoding.hash_seed) {
  if (SaysMore(rows, encoding)) return;
  is_usable_ = true;
  latest_ = encoding.commit_time.Plus(rows.max_future).us;
  const RowLayout& layout = *rows.layout;
  RowHeader header;
  if (rows.event_time != nullptr) {
    frame_.times = rows.event_time->Values<int64_t>().data();
  } else {
    header.flags = kRowTimeless;
    header.event_time = Timestamp::Min().us;
  }
  bytes_.assign(layout.trailer_offset(), '\0');
  std::memcpy(bytes_.data(), &header, sizeof(header));
  for (std::size_t f = 0; f < layout.size(); ++f) {
    char& byte = bytes_[BitsOffset(layout) + f / 8];
    byte = static_cast<char>(byte | (1 << (f % 8)));
    has_nulls_.push_back(rows.columns[f]->CountNulls() > 0);
  }
  frame_.bytes = bytes_.data();
  frame_.size = bytes_.size();
}

bool PlainRows::AreAllOf(std::size_t begin, std::size_t end) const {
  if (!is_usable_) return false;
  bool all = true;
  for (std::size_t i = begin; i < end; ++i) {
    const std::string_view key = rows_.keys[i];
    all = all && key.data() != nullptr && key.size() <= kEntityKeySizeMax;
  }
  const int64_t* const times = frame_.times;
  if (times != nullptr) all = all && *std::max_element(times + begin, times + end) <= latest_;
  return all;
}

void PlainRows::PutFeature(std::size_t f, std::size_t begin, std::size_t end,
                           char* const* places) const {
  const RowLayout& layout = *rows_.layout;
  const Column& column = *rows_.columns[f];
  const std::size_t width = layout.width(f);
  const std::size_t slot = layout.payload_offset() + layout.offset(f);
  const auto* const values = reinterpret_cast<const char*>(column.data().data()) + begin * width;
  if (has_nulls_[f]) {
    const std::size_t bits = BitsOffset(layout) + f / 8;
    for (std::size_t i = 0; i < end - begin; ++i) {
      if (column.IsValid(begin + i)) {
        std::memcpy(places[i] + slot, values + i * width, width);
      } else {
        places[i][bits] = static_cast<char>(places[i][bits] & ~(1 << (f % 8)));
      }
    }
    return;
  }
  switch (width) {
    case 8:
      return Spread<8>(values, end - begin, slot, places);
    case 4:
      return Spread<4>(values, end - begin, slot, places);
    case 1:
      return Spread<1>(values, end - begin, slot, places);
    default:
      for (std::size_t i = 0; i < end - begin; ++i)
        std::memcpy(places[i] + slot, values + i * width, width);
  }
}

}  // namespace larder::inline LARDER_ABI
