#include "training/key_scatter.h"

#include <algorithm>
#include <string>
#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kFetchAhead = 5;  // rows: two lines

bool HasNulls(const Column* column) { return column != nullptr && column->CountNulls() > 0; }

}  // namespace

KeyScatter::Columns KeyScatter::Columns::Of(const KeyReader& keys, const Column& times,
                                            const Column* arrivals) {
  const Column* const raw = keys.raw_words();
  const bool has_nulls = raw == nullptr || HasNulls(raw) || HasNulls(&times) || HasNulls(arrivals);
  return {&keys, &times, arrivals, !has_nulls};
}

KeyScatter::KeyScatter(KeyForm form, int partition_bits, std::size_t row_count)
    : form_(form),
      partition_bits_(partition_bits),
      row_count_(row_count),
      // Shares differ by chance; the eighth holds nearly all of them.
      share_((row_count >> static_cast<unsigned>(partition_bits)) * 9 / 8 + 64),
      room_(std::make_unique_for_overwrite<KeyedRow[]>(share_
                                                       << static_cast<unsigned>(partition_bits))),
      buffers_(std::size_t{1} << partition_bits) {
  for (std::size_t p = 0; p < buffers_.size(); ++p) Place(p);
}

void KeyScatter::Place(std::size_t partition) {
  Buffer& buffer = buffers_[partition];
  buffer.begin = buffer.next = room_.get() + partition * share_;
  buffer.end = buffer.begin + share_;
}

void KeyScatter::Clear() {
  for (std::size_t p = 0; p < buffers_.size(); ++p) {
    Buffer& buffer = buffers_[p];
    buffer.next = buffer.begin;
    if (buffer.own == nullptr) continue;
    // Another partition may be the frequent one next: what one grew to is not kept for all.
    buffer.own.reset();
    Place(p);
  }
}

void KeyScatter::Grow(Buffer* buffer) {
  const auto size = static_cast<std::size_t>(buffer->next - buffer->begin);
  auto grown = std::make_unique_for_overwrite<KeyedRow[]>(size * 2);
  std::copy(buffer->begin, buffer->next, grown.get());
  buffer->own = std::move(grown);
  buffer->begin = buffer->own.get();
  buffer->next = buffer->begin + size;
  buffer->end = buffer->begin + size * 2;
}

inline void KeyScatter::Put(const KeyedRow& row, uint16_t* partitions) {
  const uint32_t partition = PartitionOf(row.hash, partition_bits_);
  if (partitions != nullptr) partitions[row.row] = static_cast<uint16_t>(partition);
  Buffer& buffer = buffers_[partition];
  if (buffer.next == buffer.end) Grow(&buffer);
  __builtin_prefetch(buffer.next + kFetchAhead, 1);
  *buffer.next++ = row;
}

// In the form of words.
template <class T>
void KeyScatter::AddRaw(const Columns& columns, std::size_t begin, std::size_t end,
                        uint16_t* partitions) {
  const T* const words = columns.keys->raw_words()->Values<T>().data();
  const int64_t* const times = columns.times->Values<int64_t>().data();
  for (std::size_t row = begin; row < end; ++row)
    Put({KeyHash(KeyForm::kWord, RawWordOf(words[row])), times[row], static_cast<uint32_t>(row)},
        partitions);
}

void KeyScatter::Add(const Columns& columns, std::size_t begin, std::size_t end,
                     uint16_t* partitions) {
  const Column* const raw = columns.keys->raw_words();
  if (columns.raw_without_nulls) {
    switch (raw->type().byte_width()) {
      case 1:
        return AddRaw<uint8_t>(columns, begin, end, partitions);
      case 4:
        return AddRaw<int32_t>(columns, begin, end, partitions);
      default:
        return AddRaw<uint64_t>(columns, begin, end, partitions);
    }
  }
  const std::span<const int64_t> times = columns.times->Values<int64_t>();
  std::string bytes;
  for (std::size_t row = begin; row < end; ++row) {
    uint64_t word = 0;
    const KeyState state = columns.keys->Read(row, &word, &bytes);
    if (state == KeyState::kNull) {
      ++counts_.null_key;
    } else if (state == KeyState::kBad) {
      ++counts_.bad_key;
      if (!first_bad_key_) first_bad_key_ = row;
    } else if (!columns.times->IsValid(row)) {
      ++counts_.null_time;
    } else {
      if (columns.arrivals != nullptr && !columns.arrivals->IsValid(row)) ++counts_.null_arrival;
      Put({KeyHash(form_, word), times[row], static_cast<uint32_t>(row)}, partitions);
    }
  }
}

}  // namespace larder::inline LARDER_ABI
