#include "training/event_scatter.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "larder/schema/entity_key.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class T>
void Store(char* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

// Order kept: signed numbers move up by the sign bit.
uint64_t SequenceAt(const Column& column, std::size_t row) {
  constexpr uint64_t kSignBit = uint64_t{1} << 63U;
  switch (column.type().id()) {
    case TypeId::kUint64:
      return column.Values<uint64_t>()[row];
    case TypeId::kInt32:
      return static_cast<uint64_t>(int64_t{column.Values<int32_t>()[row]}) ^ kSignBit;
    default:
      return static_cast<uint64_t>(column.Values<int64_t>()[row]) ^ kSignBit;
  }
}

}  // namespace

char* EventBuffer::Grow(std::size_t size) {
  if (size_ + size > capacity_) {
    capacity_ = std::max(capacity_ * 2, size_ + size);
    std::unique_ptr<char[]> grown(new char[capacity_]);
    if (size_ > 0) std::memcpy(grown.get(), data_.get(), size_);
    data_ = std::move(grown);
  }
  char* const at = data_.get() + size_;
  size_ += size;
  return at;
}

void EventBuffer::Clear() {
  size_ = 0;
  text.clear();
  // Another partition may be the frequent one next: what one grew to is not kept for all.
  constexpr std::size_t kKeptMax = std::size_t{1} << 20;
  if (capacity_ > kKeptMax) {
    data_.reset();
    capacity_ = 0;
  }
  if (text.capacity() > kKeptMax) text = std::string();
}

EventScatter::EventScatter(const EventLayout* layout, int partition_bits)
    : layout_(layout),
      partition_bits_(partition_bits),
      buffers_(std::size_t{1} << partition_bits),
      rows_(kBlockRows),
      partitions_(kBlockRows),
      words_(kBlockRows),
      records_(kBlockRows),
      room_(std::size_t{1} << partition_bits),
      next_(std::size_t{1} << partition_bits) {
  if (layout->key_form == KeyForm::kBytes) key_bytes_.resize(kBlockRows);
}

void EventScatter::Add(const EventBatch& batch, const KeyReader& keys, std::size_t begin,
                       std::size_t end, uint64_t first_ordinal) {
  for (std::size_t at = begin; at < end; at += kBlockRows) {
    AddBlock(batch, ReadKeys(batch, keys, at, std::min(at + kBlockRows, end)), first_ordinal);
  }
}

void EventScatter::AddRows(const EventBatch& batch, const KeyReader& keys,
                           std::span<const uint32_t> rows, uint64_t first_ordinal) {
  std::string no_bytes;
  for (std::size_t begin = 0; begin < rows.size(); begin += kBlockRows) {
    const std::size_t count = std::min(kBlockRows, rows.size() - begin);
    for (std::size_t k = 0; k < count; ++k) {
      rows_[k] = rows[begin + k];
      (void)keys.Read(rows_[k], &words_[k], key_bytes_.empty() ? &no_bytes : &key_bytes_[k]);
      partitions_[k] = PartitionOf(KeyHash(layout_->key_form, words_[k]), partition_bits_);
    }
    AddBlock(batch, count, first_ordinal);
  }
}

// Fills rows_, words_ and partitions_ with the usable rows and returns how many there are.
std::size_t EventScatter::ReadKeys(const EventBatch& batch, const KeyReader& keys,
                                   std::size_t begin, std::size_t end) {
  std::size_t count = 0;
  std::string no_bytes;
  for (std::size_t row = begin; row < end; ++row) {
    uint64_t word = 0;
    std::string& bytes = key_bytes_.empty() ? no_bytes : key_bytes_[count];
    const KeyState state = keys.Read(row, &word, &bytes);
    if (state == KeyState::kNull) {
      ++counts.null_key;
    } else if (state == KeyState::kBad) {
      ++counts.bad_key;
    } else if (batch.event_time != nullptr && !batch.event_time->IsValid(row)) {
      ++counts.null_time;
    } else {
      rows_[count] = row;
      words_[count] = word;
      partitions_[count] = PartitionOf(KeyHash(layout_->key_form, word), partition_bits_);
      ++count;
    }
  }
  return count;
}

// Writes the first `count` of rows_.
void EventScatter::AddBlock(const EventBatch& batch, std::size_t count, uint64_t first_ordinal) {
  const std::size_t size = layout_->record_size;
  std::fill(room_.begin(), room_.end(), 0);
  for (std::size_t k = 0; k < count; ++k) room_[partitions_[k]] += size;
  for (std::size_t p = 0; p < room_.size(); ++p) {
    if (room_[p] > 0) next_[p] = buffers_[p].Grow(room_[p]);
  }
  for (std::size_t k = 0; k < count; ++k) {
    records_[k] = std::exchange(next_[partitions_[k]], next_[partitions_[k]] + size);
  }
  bytes_ += count * size;

  WriteTimes(batch, count, first_ordinal);
  for (std::size_t i = 0; i < layout_->features.size(); ++i) {
    WriteFeature(*batch.features[i], layout_->features[i], i, count);
  }
  if (layout_->has_text) WriteTexts(batch, count);
}

void EventScatter::WriteTimes(const EventBatch& batch, std::size_t count, uint64_t first_ordinal) {
  const EventLayout& layout = *layout_;
  const std::size_t bitmap = 8 * BitWords(std::max<std::size_t>(layout.features.size(), 1));
  for (std::size_t k = 0; k < count; ++k) {
    char* const record = records_[k];
    const std::size_t row = rows_[k];
    uint64_t flags = 0;
    Store(record + EventLayout::kKeyWord, words_[k]);
    Store(record + EventLayout::kEventTime, batch.event_time == nullptr
                                                ? Timestamp::Min().us
                                                : batch.event_time->Values<int64_t>()[row]);
    std::memset(record + layout.validity, 0, bitmap);
    const auto optional = [&](uint32_t offset, const Column* column, uint64_t flag) {
      const bool valid = column->IsValid(row);
      if (valid) flags |= flag;
      Store(record + offset, valid ? column->Values<int64_t>()[row] : int64_t{0});
    };
    if (layout.sequence != 0) {
      const bool valid = batch.sequence->IsValid(row);
      if (valid) flags |= kEventHasSequence;
      Store(record + layout.sequence, valid ? SequenceAt(*batch.sequence, row) : 0);
    }
    if (layout.arrival != 0) {
      optional(layout.arrival, batch.arrival_time, kEventHasArrival);
      if ((flags & kEventHasArrival) == 0) ++counts.null_arrival;
    }
    if (layout.known != 0) optional(layout.known, batch.known_time, kEventHasKnown);
    if (layout.end != 0) optional(layout.end, batch.valid_to, kEventHasEnd);
    if (layout.commit != 0) {
      const bool numbered = batch.commit_seq != nullptr && batch.commit_seq->IsValid(row);
      Store(record + layout.commit,
            numbered ? batch.commit_seq->Values<uint64_t>()[row] : uint64_t{0});
      Store(record + layout.commit + 8, first_ordinal + row);
    }
    if (batch.is_delete != nullptr && batch.is_delete->IsValid(row) &&
        batch.is_delete->Values<uint8_t>()[row] != 0) {
      flags |= kEventDelete;
    }
    if (layout.presence != 0) {
      std::memset(record + layout.presence, 0, bitmap);
      for (std::size_t i = 0; i < layout.features.size(); ++i) {
        if (!batch.presence.empty() && batch.presence[i] != nullptr && !batch.presence[i]->Test(row))
          continue;
        char* const word = record + layout.presence + 8 * (i / 64);
        Store(word, LoadAs<uint64_t>(word) | uint64_t{1} << (i % 64));
      }
    }
    Store(record + EventLayout::kFlags, flags);
  }
}

template <class T>
void EventScatter::CopyFixed(const Column& column, uint32_t offset, std::size_t count) {
  const std::span<const T> values = column.Values<T>();
  for (std::size_t k = 0; k < count; ++k) Store(records_[k] + offset, values[rows_[k]]);
}

void EventScatter::WriteFeature(const Column& column, const FeatureSlot& slot, std::size_t feature,
                                std::size_t count) {
  const uint32_t offset = layout_->validity + static_cast<uint32_t>(8 * (feature / 64));
  const uint64_t bit = uint64_t{1} << (feature % 64);
  for (std::size_t k = 0; k < count; ++k) {
    const uint64_t valid = column.IsValid(rows_[k]) ? bit : 0;
    Store(records_[k] + offset, LoadAs<uint64_t>(records_[k] + offset) | valid);
  }
  if (slot.in_text) return;
  switch (slot.width) {
    case 1:
      return CopyFixed<uint8_t>(column, slot.offset, count);
    case 4:
      return CopyFixed<uint32_t>(column, slot.offset, count);
    case 8:
      return CopyFixed<uint64_t>(column, slot.offset, count);
    default:
      break;
  }
  const char* const values = reinterpret_cast<const char*>(column.data().data());
  for (std::size_t k = 0; k < count; ++k) {
    std::memcpy(records_[k] + slot.offset, values + rows_[k] * slot.width, slot.width);
  }
}

void EventScatter::WriteTexts(const EventBatch& batch, std::size_t count) {
  std::string scratch;
  for (std::size_t k = 0; k < count; ++k) {
    char* const record = records_[k];
    const std::size_t row = rows_[k];
    std::string& text = buffers_[partitions_[k]].text;
    const std::size_t before = text.size();
    const auto put = [&](uint32_t offset, std::string_view bytes) {
      Store(record + offset, TextPlace{text.size(), bytes.size()});
      text.append(bytes);
    };
    if (layout_->key_text != 0) put(layout_->key_text, key_bytes_[k]);
    if (layout_->id_text != 0) {
      scratch.clear();
      AppendIdBytes(*batch.event_id, row, &scratch);
      put(layout_->id_text, scratch);
    }
    for (std::size_t i = 0; i < layout_->features.size(); ++i) {
      const FeatureSlot& slot = layout_->features[i];
      if (!slot.in_text) continue;
      if (!batch.features[i]->IsValid(row)) {
        put(slot.offset, {});
      } else if (slot.type.is_text()) {
        put(slot.offset, batch.features[i]->Text(row));
      } else {
        scratch.clear();
        AppendCanonicalBytes(batch.features[i]->ValueAt(row), &scratch);
        put(slot.offset, scratch);
      }
    }
    bytes_ += text.size() - before;
  }
}

}  // namespace larder::inline LARDER_ABI
