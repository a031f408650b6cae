#include "online/packed_row.h"

#include <algorithm>
#include <numeric>

namespace larder::inline LARDER_ABI {
namespace {

// What a loose row's header has in front of a packed one's: the event time's eight bytes.
constexpr std::size_t kLooseExtra = sizeof(RowHeader) - kPackedHeaderSize;

bool SameBytes(const char* a, const char* b, std::size_t size) {
  if (size >= 8) return SameKey(a, {b, size});
  if (size >= 4) {
    return LoadAs<uint32_t>(a) == LoadAs<uint32_t>(b) &&
           LoadAs<uint32_t>(a + size - 4) == LoadAs<uint32_t>(b + size - 4);
  }
  return (size < 1 || a[0] == b[0]) && (size < 2 || a[1] == b[1]) && (size < 3 || a[2] == b[2]);
}

uint8_t BytesFor(uint64_t number) {
  uint8_t bytes = 0;
  for (; number != 0; number >>= 8) ++bytes;
  return bytes;
}

uint64_t Distance(int64_t from, int64_t to) {
  return static_cast<uint64_t>(to) - static_cast<uint64_t>(from);
}

}  // namespace

bool PackedForm::IsSound() const {
  return !is_packed() ||
         (row_size % 8 == 0 && time_offset >= kPackedHeaderSize && time_width <= 8 &&
          key_prefix_size <= std::min<std::size_t>(key_size, kKeyPrefixMax) &&
          words_offset() <= row_size && row_size <= 2 * kRowSizeMax && (flags & kRowDelete) == 0);
}

bool PackedForm::HasAnyKey(const char* row, std::string_view key) const {
  return SameBytes(row + key_offset(), key.data() + key_prefix_size, key_own_size()) &&
         SameBytes(key_prefix, key.data(), key_prefix_size);
}

std::string PackedForm::KeyOf(const char* row) const {
  std::string key(key_prefix, key_prefix_size);
  key.append(row + key_offset(), key_own_size());
  return key;
}

std::size_t PackedForm::loose_size() const {
  return WordsOffset(time_offset + kLooseExtra, key_size) + row_size - words_offset();
}

void PackedForm::Unpack(const char* row, char* out) const {
  const std::size_t trailer = time_offset + kLooseExtra;
  const auto size = static_cast<uint32_t>(loose_size());
  const int64_t event_time = EventTimeOf(row);
  std::memcpy(out, row, kPackedHeaderSize);
  std::memcpy(out + offsetof(RowHeader, event_time), &event_time, sizeof(event_time));
  std::memcpy(out + sizeof(RowHeader), row + kPackedHeaderSize, time_offset - kPackedHeaderSize);
  std::memcpy(out + trailer, &size, sizeof(size));
  std::memcpy(out + trailer + 4, &key_size, sizeof(key_size));
  char* at = out + trailer + kRowTrailerSize;
  std::memcpy(at, key_prefix, key_prefix_size);
  std::memcpy(at + key_prefix_size, row + key_offset(), key_own_size());
  at += key_size;
  char* const words = out + WordsOffset(trailer, key_size);
  std::fill(at, words, '\0');
  std::memcpy(words, row + words_offset(), row_size - words_offset());
}

void PackedForm::Pack(std::string_view loose, char* out) const {
  const std::size_t trailer = time_offset + kLooseExtra;
  std::memcpy(out, loose.data(), kPackedHeaderSize);
  for (std::size_t at = kPackedHeaderSize; at < time_offset; at += 8)
    std::memcpy(out + at, loose.data() + at + kLooseExtra, 8);
  const uint64_t distance = Distance(time_base, EventTimeOfRow(loose.data()));
  const uint64_t code = distance == 0 ? 0 : distance / std::max<uint64_t>(1, time_step);
  const std::size_t own = key_own_size();
  const char* const key_end = loose.data() + trailer + kRowTrailerSize + key_size;
  if (own > 0 && time_width + own <= 8) {
    // One word, as of most rows. The eight bytes that end with the key are the row's: a header stands in front of it.
    const uint64_t key = LoadAs<uint64_t>(key_end - 8) >> (64 - 8 * own);
    const uint64_t word = code | key << (8 * time_width);
    std::memcpy(out + time_offset, &word, sizeof(word));
  } else {
    std::fill(out + time_offset, out + words_offset(), '\0');
    std::memcpy(out + time_offset, &code, time_width);
    std::memcpy(out + key_offset(), key_end - own, own);
  }
  if (row_size == words_offset()) return;
  std::memcpy(out + words_offset(), loose.data() + WordsOffset(trailer, key_size),
              row_size - words_offset());
}

PackedFormFinder::PackedFormFinder(std::size_t trailer_offset, bool has_tail)
    : fits_(!has_tail), trailer_offset_(trailer_offset) {}

void PackedFormFinder::Add(std::string_view loose, std::string_view key) {
  if (!fits_) return;
  const uint16_t flags = FlagsOfRow(loose.data()) & kRowPartFlags;
  const int64_t time = EventTimeOfRow(loose.data());
  if (count_++ == 0) {
    const std::size_t words = WordsOffset(trailer_offset_, key.size());
    fits_ = (flags & kRowDelete) == 0 && loose.size() >= words;
    flags_ = flags;
    first_key_ = key;
    shared_ = std::min(key.size(), PackedForm::kKeyPrefixMax);
    words_size_ = loose.size() - words;
    first_time_ = time_min_ = time_max_ = time;
    return;
  }
  if (flags != flags_ || key.size() != first_key_.size()) {
    fits_ = false;
    return;
  }
  if (!SameBytes(key.data(), first_key_.data(), shared_)) {
    const auto end = key.begin() + static_cast<std::ptrdiff_t>(shared_);
    const auto differ = std::mismatch(key.begin(), end, first_key_.begin());
    shared_ = static_cast<std::size_t>(differ.first - key.begin());
  }
  time_min_ = std::min(time_min_, time);
  time_max_ = std::max(time_max_, time);
  const uint64_t away =
      time < first_time_ ? Distance(time, first_time_) : Distance(first_time_, time);
  if (away == 0 || away == step_ || step_ == 1) return;
  if (step_ == 0 || away % step_ != 0) step_ = std::gcd(step_, away);
}

PackedForm PackedFormFinder::Form() const {
  PackedForm form;
  if (!fits_ || count_ == 0) return form;
  form.flags = flags_;
  form.key_size = static_cast<uint16_t>(first_key_.size());
  form.key_prefix_size = static_cast<uint8_t>(shared_);
  std::memcpy(form.key_prefix, first_key_.data(), shared_);
  form.time_offset = static_cast<uint32_t>(trailer_offset_ - kLooseExtra);
  form.time_base = time_min_;
  form.time_step = step_;
  if (step_ != 0) form.time_width = BytesFor(Distance(time_min_, time_max_) / step_);
  form.row_size = static_cast<uint32_t>(form.words_offset() + words_size_);
  return form;
}

}  // namespace larder::inline LARDER_ABI
