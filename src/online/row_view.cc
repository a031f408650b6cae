#include "larder/online/row_view.h"

#include <cstdio>
#include <cstdlib>

#include "online/row_codec.h"
#include "online/stored_row.h"

namespace larder::inline LARDER_ABI {

#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
void internal::Lease::Check() const {
  if (counter == nullptr || counter->load(std::memory_order_relaxed) == number) return;
  std::fputs("larder: a row was used after its session was renewed, released or destroyed\n",
             stderr);
  std::abort();
}
#endif

absl::StatusOr<RowView> RowView::Parse(std::string_view bytes, const RowLayout& layout,
                                       uint64_t commit_seq) {
  const auto damaged = [&bytes](std::string_view what) {
    return WithKind(DataLossError("a row of ", bytes.size(), " bytes is shorter than its ", what),
                    ErrorKind::kCorrupt);
  };
  if (bytes.size() < sizeof(RowHeader)) return damaged("header");
  const auto header = LoadAs<RowHeader>(bytes.data());
  const bool is_delete = (header.flags & kRowDelete) != 0;
  const std::size_t trailer = TrailerOffset(layout, header.flags);
  if (bytes.size() < trailer + kRowTrailerSize) return damaged("layout");
  const std::size_t size = LoadAs<uint32_t>(bytes.data() + trailer);
  const std::size_t key_size = LoadAs<uint16_t>(bytes.data() + trailer + 4);
  const std::size_t at = WordsOffset(trailer, key_size);
  if (size > bytes.size() || at + OptionalSize(header.flags, layout) > size) return damaged("key");

  RowView view;
  view.bytes_ = bytes.substr(0, size);
  view.layout_ = &layout;
  view.flags_ = header.flags;
  view.event_time_ = header.event_time;
  if (!is_delete) {
    view.payload_ = bytes.data() + layout.payload_offset();
    view.validity_ =
        layout.has_bitmap_words() ? view.payload_ : bytes.data() + offsetof(RowHeader, validity);
  }
  view.TakeWords(bytes.data() + at, commit_seq);
  return view;
}

void RowView::TakeWords(const char* at, uint64_t commit_seq) {
  const auto take = [&](uint16_t flag, auto fallback) {
    if ((flags_ & flag) == 0) return fallback;
    const auto value = LoadAs<decltype(fallback)>(at);
    at += 8;
    return value;
  };
  known_time_ = take(kRowHasKnownTime, event_time_);
  sequence_ = take(kRowHasSequence, int64_t{0});
  valid_to_ = take(kRowHasValidTo, int64_t{0});
  rank_ = take(kRowHasRank, uint64_t{0});
  commit_seq_ = take(kRowHasCommitSeq, commit_seq);
  if ((flags_ & kRowPartial) != 0) presence_ = at;
}

std::optional<int64_t> RowView::sequence() const {
  if (!has(kRowHasSequence)) return std::nullopt;
  return sequence_;
}

std::optional<Timestamp> RowView::valid_to() const {
  if (!has(kRowHasValidTo)) return std::nullopt;
  return Timestamp{valid_to_};
}

bool RowView::IsPresent(std::size_t i) const {
  LARDER_DCHECK(i < size());
  if (!has(kRowPartial)) return true;
  return ((static_cast<unsigned char>(presence_[i / 8]) >> (i % 8)) & 1U) != 0;
}

std::string_view RowView::Tail(std::size_t i) const {
  LARDER_DCHECK(payload_ != nullptr && layout_->is_variable(i));
  const auto offset = LoadAs<uint32_t>(payload_ + layout_->offset(i));
  const auto size = LoadAs<uint32_t>(payload_ + layout_->offset(i) + 4);
  const auto available = static_cast<std::size_t>(bytes_.data() + bytes_.size() - payload_);
  if (offset > available || size > available - offset) return {};
  return {payload_ + offset, size};
}

std::string_view RowView::Text(std::size_t i) const {
  lease_.Check();
  return Tail(i);
}

Value RowView::ValueAt(std::size_t i) const {
  if (!IsValid(i)) return {};
  const DataType& type = layout_->type(i);
  switch (type.id()) {
    case TypeId::kBool:
      return Value(Get<uint8_t>(i) != 0);
    case TypeId::kInt32:
      return Value(Get<int32_t>(i));
    case TypeId::kInt64:
      return Value(Get<int64_t>(i));
    case TypeId::kUint64:
      return Value(Get<uint64_t>(i));
    case TypeId::kFloat32:
      return Value(Get<float>(i));
    case TypeId::kFloat64:
      return Value(Get<double>(i));
    case TypeId::kString:
      return Value(Text(i));
    case TypeId::kBytes:
      return Value(Bytes{std::string(Text(i))});
    case TypeId::kTimestamp:
      return Value(Timestamp{Get<int64_t>(i)});
    case TypeId::kDate:
      return Value(Date{Get<int32_t>(i)});
    case TypeId::kDuration:
      return Value(Duration{Get<int64_t>(i)});
    case TypeId::kVector:
      if (type.element() == TypeId::kFloat32) {
        const std::span<const float> elements = Vector<float>(i);
        return Value(std::vector<float>(elements.begin(), elements.end()));
      } else {
        const std::span<const int8_t> elements = Vector<int8_t>(i);
        return Value(std::vector<int8_t>(elements.begin(), elements.end()));
      }
    case TypeId::kList:
    case TypeId::kMap:
      return DecodeNested(Tail(i), type);
    case TypeId::kInt8:
      break;
  }
  return {};
}

void RowView::AppendCanonicalBytes(std::string* out) const {
  out->push_back(is_delete() ? '\1' : '\0');
  if (!is_delete()) {
    for (std::size_t i = 0; i < size(); ++i) {
      out->push_back(IsPresent(i) ? '\1' : '\0');
      if (IsPresent(i)) larder::AppendCanonicalBytes(ValueAt(i), out);
    }
  }
  const std::optional<Timestamp> end = valid_to();
  out->push_back(end ? '\1' : '\0');
  if (end) larder::AppendCanonicalBytes(Value(*end), out);
}

}  // namespace larder::inline LARDER_ABI
