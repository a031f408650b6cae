#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "io/arrow_field.h"
#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

std::size_t Size(int64_t n) { return static_cast<std::size_t>(n); }

float FromHalf(uint16_t half) {
  const uint32_t exponent = (half >> 10U) & 0x1FU;
  const uint32_t fraction = half & 0x3FFU;
  const float sign = (half & 0x8000U) != 0 ? -1.0F : 1.0F;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  if (exponent < 31)
    return sign * std::ldexp(static_cast<float>(fraction + 1024), static_cast<int>(exponent) - 25);
  const uint32_t bits = (uint32_t{half & 0x8000U} << 16U) | 0x7F800000U | (fraction << 13U);
  return std::bit_cast<float>(bits);
}

// How many buffers an array of the layout has; those after the first are behind validity.
int64_t BufferCount(const ArrowField& field) {
  switch (field.layout) {
    case ArrowLayout::kNull:
      return 0;
    case ArrowLayout::kFixedList:
      return 1;
    case ArrowLayout::kText32:
    case ArrowLayout::kText64:
      return 3;
    default:
      return 2;
  }
}

// One array, with everything counted from its offset.
class ArrayView {
 public:
  static absl::StatusOr<ArrayView> Make(const ArrowField& field, const ArrowArray& array) {
    const auto wrong = [&](std::string_view what) {
      return InvalidArgumentError("Arrow field ", field.name, ": ", what);
    };
    const absl::Status extent = CheckArrowExtent(array, field.width);
    if (!extent.ok()) return wrong(MessageOf(extent));
    if (array.n_buffers != BufferCount(field))
      return wrong(
          Concat("an array has ", array.n_buffers, " buffers, expected ", BufferCount(field)));
    if (array.n_buffers > 0 && array.buffers == nullptr) return wrong("an array without buffers");
    // The last buffer may be missing where nothing is in it.
    if (array.length > 0 && array.n_buffers > 1 && array.buffers[1] == nullptr)
      return wrong("an array without values");
    const int64_t children = field.item != nullptr ? 1 : 0;
    if (array.n_children != children || (children > 0 && array.children == nullptr))
      return wrong(Concat("an array has ", array.n_children, " children, expected ", children));
    if (children > 0 && array.children[0] == nullptr) return wrong("an array without its items");
    if (field.dictionary != nullptr && array.dictionary == nullptr)
      return wrong("an array without its dictionary");
    return ArrayView(array);
  }

  [[nodiscard]] bool IsValid(int64_t i) const {
    if (array_->n_buffers == 0) return false;
    const auto* bits = static_cast<const uint8_t*>(array_->buffers[0]);
    return bits == nullptr || BitAt(bits, i);
  }
  [[nodiscard]] bool HasNulls() const {
    return array_->n_buffers == 0 || (array_->null_count != 0 && array_->buffers[0] != nullptr);
  }
  [[nodiscard]] bool Bit(int64_t i) const {
    return BitAt(static_cast<const uint8_t*>(array_->buffers[1]), i);
  }
  template <class T>
  [[nodiscard]] T At(int64_t i) const {
    return LoadAt<T>(1, array_->offset + i);
  }
  // Values from `i` on, where they are fixed-width.
  [[nodiscard]] const std::byte* From(int64_t i, std::size_t width) const {
    return static_cast<const std::byte*>(array_->buffers[1]) + Size(array_->offset + i) * width;
  }
  [[nodiscard]] int64_t Begin(int64_t i, bool wide) const {
    return wide ? LoadAt<int64_t>(1, array_->offset + i) : LoadAt<int32_t>(1, array_->offset + i);
  }
  [[nodiscard]] const char* text() const { return static_cast<const char*>(array_->buffers[2]); }
  [[nodiscard]] int64_t offset() const { return array_->offset; }
  [[nodiscard]] const ArrowArray& array() const { return *array_; }

 private:
  explicit ArrayView(const ArrowArray& array) : array_(&array) {}
  [[nodiscard]] bool BitAt(const uint8_t* bits, int64_t i) const {
    const auto at = static_cast<uint64_t>(array_->offset + i);
    return ((bits[at / 8] >> (at % 8)) & 1U) != 0;
  }
  template <class T>
  [[nodiscard]] T LoadAt(int buffer, int64_t at) const {
    T value;
    std::memcpy(&value,
                static_cast<const std::byte*>(array_->buffers[buffer]) + Size(at) * sizeof(T),
                sizeof(T));
    return value;
  }
  const ArrowArray* array_;
};

absl::Status Unfit(const ArrowField& field, int64_t i, std::string_view what) {
  return InvalidArgumentError("Arrow field ", field.name, ", value ", i, " of an array: ", what);
}

// Copies values of the column's own form.
void AppendBlock(const ArrayView& view, int64_t begin, int64_t end, Column* out) {
  const std::size_t width = out->type().byte_width();
  const std::size_t old = out->size();
  out->ResizeFixed(old + Size(end - begin));
  std::byte* const to = out->MutableValues<std::byte>().data() + old * width;
  if (!view.HasNulls()) {
    if (end > begin) std::memcpy(to, view.From(begin, width), Size(end - begin) * width);
    for (int64_t i = begin; i < end; ++i) out->mutable_validity().Set(old + Size(i - begin), true);
    return;
  }
  for (int64_t i = begin; i < end; ++i) {
    if (!view.IsValid(i)) continue;  // stays zero
    const std::size_t place = Size(i - begin);
    std::memcpy(to + place * width, view.From(i, width), width);
    out->mutable_validity().Set(old + place, true);
  }
}

// An integer of any width as 64 bits; a uint64 keeps its bits.
int64_t IntegerAt(const ArrowField& field, const ArrayView& view, int64_t i) {
  switch (field.layout) {
    case ArrowLayout::kInt8:
      return view.At<int8_t>(i);
    case ArrowLayout::kUint8:
      return view.At<uint8_t>(i);
    case ArrowLayout::kInt16:
      return view.At<int16_t>(i);
    case ArrowLayout::kUint16:
      return view.At<uint16_t>(i);
    case ArrowLayout::kInt32:
      return view.At<int32_t>(i);
    case ArrowLayout::kUint32:
      return view.At<uint32_t>(i);
    default:
      return view.At<int64_t>(i);
  }
}

absl::Status AppendInteger(const ArrowField& field, const ArrayView& view, int64_t i, Column* out,
                           ReadCounts* counts) {
  int64_t value = IntegerAt(field, view, i);
  if (__builtin_mul_overflow(value, field.times, &value))
    return Unfit(field, i, Concat("out of the range of ", out->type().ToString()));
  if (field.divisor != 1) {
    const int64_t rest = value % field.divisor;
    value = value / field.divisor - (rest < 0 ? 1 : 0);
    if (rest != 0 && field.type == TypeId::kTimestamp) ++counts->floored_timestamps;
    if (rest != 0 && field.type != TypeId::kTimestamp && field.type != TypeId::kDate)
      return Unfit(field, i, Concat("finer than a ", out->type().ToString(), " can be"));
  }
  if (out->type().byte_width() == sizeof(int64_t)) {
    out->AppendFixed(value);
    return absl::OkStatus();
  }
  if (value != static_cast<int32_t>(value))
    return Unfit(field, i, Concat("out of the range of ", out->type().ToString()));
  out->AppendFixed(static_cast<int32_t>(value));
  return absl::OkStatus();
}

absl::Status AppendText(const ArrowField& field, const ArrayView& view, int64_t i, Column* out) {
  const bool wide = field.layout == ArrowLayout::kText64;
  const int64_t begin = view.Begin(i, wide);
  const int64_t end = view.Begin(i + 1, wide);
  if (begin < 0 || end < begin || (end > begin && view.text() == nullptr))
    return Unfit(field, i, "offsets that do not rise");
  const std::string_view text =
      end > begin ? std::string_view(view.text() + begin, Size(end - begin)) : std::string_view();
  if (field.type == TypeId::kString && !IsValidUtf8(text))
    return Unfit(field, i, "a string that is not UTF-8");
  out->AppendText(text);
  return absl::OkStatus();
}

absl::Status AppendDictionary(const ArrowField& field, const ArrayView& view, int64_t begin,
                              int64_t end, Column* out, ReadCounts* counts) {
  const ArrowArray& dictionary = *view.array().dictionary;
  Column values(field.type);
  LARDER_RETURN_IF_ERROR(
      AppendArrow(*field.dictionary, dictionary, 0, dictionary.length, &values, counts));
  for (int64_t i = begin; i < end; ++i) {
    if (!view.IsValid(i)) {
      out->AppendNull();
      continue;
    }
    const int64_t place = IntegerAt(field, view, i);
    if (place < 0 || place >= dictionary.length)
      return Unfit(field, i, "a place outside its dictionary");
    out->AppendFrom(values, Size(place));
  }
  return absl::OkStatus();
}

// The items of values [begin, end), and where those of each end.
struct Items {
  Column values;
  std::vector<int64_t> ends;  // one more than values: counted from the first's begin
};

absl::StatusOr<Items> ItemsOf(const ArrowField& field, const ArrayView& view,
                              const ArrowArray& child, int64_t begin, int64_t end,
                              ReadCounts* counts) {
  Items items{Column(field.item->type), {0}};
  const auto begin_of = [&](int64_t i) {
    if (field.layout == ArrowLayout::kFixedList) return (view.offset() + i) * field.width;
    return view.Begin(i, field.layout == ArrowLayout::kList64);
  };
  const int64_t first = begin < end ? begin_of(begin) : 0;
  int64_t last = first;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t to = begin_of(i + 1);
    if (last < 0 || to < last) return Unfit(field, i, "offsets that do not rise");
    items.ends.push_back(to - first);
    last = to;
  }
  if (last > child.length) return Unfit(field, end, "items beyond those there are");
  LARDER_RETURN_IF_ERROR(AppendArrow(*field.item, child, first, last, &items.values, counts));
  return items;
}

absl::Status AppendLists(const ArrowField& field, const ArrayView& view, int64_t begin, int64_t end,
                         Column* out, ReadCounts* counts) {
  LARDER_ASSIGN_OR_RETURN(const Items items,
                          ItemsOf(field, view, *view.array().children[0], begin, end, counts));
  for (int64_t i = begin; i < end; ++i) {
    if (!view.IsValid(i)) {
      out->AppendNull();
      continue;
    }
    ListValue list{field.item->type.id(), {}};
    for (int64_t k = items.ends[Size(i - begin)]; k < items.ends[Size(i - begin) + 1]; ++k)
      list.items.push_back(items.values.ValueAt(Size(k)));
    LARDER_RETURN_IF_ERROR(out->Append(list));
  }
  return absl::OkStatus();
}

absl::Status AppendVectors(const ArrowField& field, const ArrayView& view, int64_t begin,
                           int64_t end, Column* out) {
  LARDER_ASSIGN_OR_RETURN(const ArrayView elements,
                          ArrayView::Make(*field.item, *view.array().children[0]));
  const std::size_t width = out->type().byte_width() / Size(field.width);
  if ((view.offset() + end) * field.width > elements.array().length)
    return Unfit(field, end, "elements beyond those there are");
  for (int64_t i = begin; i < end; ++i) {
    if (!view.IsValid(i)) {
      out->AppendNull();
      continue;
    }
    const int64_t first = (view.offset() + i) * field.width;
    for (int64_t k = 0; elements.HasNulls() && k < field.width; ++k) {
      if (!elements.IsValid(first + k)) return Unfit(field, i, "a vector with a null");
    }
    out->AppendRaw(elements.From(first, width), out->type().byte_width());
  }
  return absl::OkStatus();
}

absl::Status AppendMaps(const ArrowField& field, const ArrayView& view, int64_t begin, int64_t end,
                        Column* out, ReadCounts* counts) {
  const ArrowArray& entries = *view.array().children[0];
  if (entries.n_children != 2 || entries.children == nullptr || entries.children[0] == nullptr ||
      entries.children[1] == nullptr)
    return Unfit(field, begin, "a map without keys and values");
  const absl::Status extent = CheckArrowExtent(entries);
  if (!extent.ok()) return Unfit(field, begin, Concat("entries: ", MessageOf(extent)));
  ArrowField keys;
  keys.name = field.name;
  keys.type = TypeId::kString;
  keys.layout = field.width == 8 ? ArrowLayout::kText64 : ArrowLayout::kText32;
  for (int64_t i = begin; i < end; ++i) {
    if (!view.IsValid(i)) {
      out->AppendNull();
      continue;
    }
    int64_t first = view.Begin(i, false);
    int64_t last = view.Begin(i + 1, false);
    if (first < 0 || last < first || last > entries.length)
      return Unfit(field, i, "entries beyond those there are");
    first += entries.offset;
    last += entries.offset;
    Column names(keys.type);
    Column values(field.item->type);
    LARDER_RETURN_IF_ERROR(AppendArrow(keys, *entries.children[0], first, last, &names, counts));
    LARDER_RETURN_IF_ERROR(
        AppendArrow(*field.item, *entries.children[1], first, last, &values, counts));
    MapValue map{field.item->type.id(), {}};
    for (std::size_t k = 0; k < names.size(); ++k)
      map.items.emplace_back(std::string(names.Text(k)), values.ValueAt(k));
    std::sort(map.items.begin(), map.items.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    const auto same = [](const auto& a, const auto& b) { return a.first == b.first; };
    if (std::adjacent_find(map.items.begin(), map.items.end(), same) != map.items.end())
      return Unfit(field, i, "a key twice in a map");
    LARDER_RETURN_IF_ERROR(out->Append(map));
  }
  return absl::OkStatus();
}

absl::Status AppendOne(const ArrowField& field, const ArrayView& view, int64_t i, Column* out,
                       ReadCounts* counts) {
  switch (field.layout) {
    case ArrowLayout::kBits:
      out->AppendFixed<uint8_t>(view.Bit(i) ? 1 : 0);
      return absl::OkStatus();
    case ArrowLayout::kFloat16:
      out->AppendFixed(FromHalf(view.At<uint16_t>(i)));
      return absl::OkStatus();
    case ArrowLayout::kText32:
    case ArrowLayout::kText64:
      return AppendText(field, view, i, out);
    case ArrowLayout::kFixedBytes:
      out->AppendText(
          {reinterpret_cast<const char*>(view.From(i, Size(field.width))), Size(field.width)});
      return absl::OkStatus();
    default:
      return AppendInteger(field, view, i, out, counts);
  }
}

// Whether the array's bytes are the column's.
bool IsBlock(const ArrowField& field) {
  if (field.times != 1 || field.divisor != 1) return false;
  switch (field.layout) {
    case ArrowLayout::kInt32:
    case ArrowLayout::kInt64:
    case ArrowLayout::kUint64:
    case ArrowLayout::kFloat32:
    case ArrowLayout::kFloat64:
      return true;
    default:
      return false;
  }
}

}  // namespace

absl::Status CheckArrowExtent(const ArrowArray& array, int64_t width) {
  if (array.length < 0 || array.offset < 0)
    return InvalidArgumentError("an array of negative length or offset");
  // No value but a list or bytes of fixed length is wider than 16 bytes.
  const int64_t most = std::numeric_limits<int64_t>::max() / std::max<int64_t>(width, 16);
  if (array.length > most || array.offset > most - array.length)
    return InvalidArgumentError("an array that ends behind ", most, " values");
  return absl::OkStatus();
}

absl::Status AppendArrow(const ArrowField& field, const ArrowArray& array, int64_t begin,
                         int64_t end, Column* out, ReadCounts* counts) {
  LARDER_ASSIGN_OR_RETURN(const ArrayView view, ArrayView::Make(field, array));
  if (begin < 0 || end < begin || end > array.length)
    return Unfit(field, end, Concat("an array of ", array.length));
  if (field.dictionary != nullptr) return AppendDictionary(field, view, begin, end, out, counts);
  if (field.layout == ArrowLayout::kMap) return AppendMaps(field, view, begin, end, out, counts);
  if (field.type.id() == TypeId::kVector) return AppendVectors(field, view, begin, end, out);
  if (field.item != nullptr) return AppendLists(field, view, begin, end, out, counts);
  if (IsBlock(field)) {
    AppendBlock(view, begin, end, out);
    return absl::OkStatus();
  }
  out->Reserve(out->size() + Size(end - begin));
  for (int64_t i = begin; i < end; ++i) {
    if (!view.IsValid(i)) {
      out->AppendNull();
      continue;
    }
    LARDER_RETURN_IF_ERROR(AppendOne(field, view, i, out, counts));
  }
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
