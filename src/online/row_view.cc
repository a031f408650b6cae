#include "larder/online/row_view.h"

#include <cstdio>
#include <cstdlib>

#include "online/row_codec.h"

namespace larder::inline LARDER_ABI {

#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
void internal::Lease::Check() const {
  if (counter == nullptr || counter->load(std::memory_order_relaxed) == number) return;
  std::fputs("larder: a row was used after its session was renewed, released or destroyed\n",
             stderr);
  std::abort();
}
#endif

absl::StatusOr<RowView> RowView::Parse(std::string_view bytes, const RowLayout& layout) {
  if (bytes.size() < sizeof(RowHeader)) {
    return WithKind(DataLossError("a row of ", bytes.size(), " bytes"), ErrorKind::kCorrupt);
  }
  const auto flags = LoadAs<uint16_t>(bytes.data() + offsetof(RowHeader, flags));
  const auto fingerprint = LoadAs<uint16_t>(bytes.data() + offsetof(RowHeader, layout));
  if (fingerprint != layout.fingerprint()) {
    return FailedPreconditionError("the row was written with another layout: ", fingerprint,
                                   ", expected ", layout.fingerprint());
  }
  const std::size_t payload = PayloadOffset(flags, layout);
  const bool is_delete = (flags & kRowDelete) != 0;
  if (bytes.size() < payload + (is_delete ? 0 : layout.fixed_size())) {
    return WithKind(DataLossError("a row of ", bytes.size(), " bytes is shorter than its layout"),
                    ErrorKind::kCorrupt);
  }
  RowView view;
  view.bytes_ = bytes;
  view.payload_ = is_delete ? nullptr : bytes.data() + payload;
  view.layout_ = &layout;
  return view;
}

std::optional<int64_t> RowView::sequence() const {
  if (!has(kRowHasSequence)) return std::nullopt;
  return header<int64_t>(sizeof(RowHeader));
}

std::optional<Timestamp> RowView::valid_to() const {
  if (!has(kRowHasValidTo)) return std::nullopt;
  return Timestamp{header<int64_t>(sizeof(RowHeader) + (has(kRowHasSequence) ? 8 : 0))};
}

bool RowView::IsPresent(std::size_t i) const {
  LARDER_DCHECK(i < size());
  const uint16_t flag_bits = flags();
  if ((flag_bits & kRowPartial) == 0) return true;
  const std::size_t at =
      PayloadOffset(flag_bits, *layout_) - std::size_t{8} * layout_->bitmap_words();
  return (LoadAs<uint64_t>(bytes_.data() + at + 8 * (i / 64)) >> (i % 64)) & 1U;
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
