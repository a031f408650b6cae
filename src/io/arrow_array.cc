#include "io/arrow_array.h"

#include <bit>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "larder/column/validity.h"

namespace larder::inline LARDER_ABI {
namespace {

static_assert(std::endian::native == std::endian::little, "validity words are Arrow's bytes");

// What an array's pointers point to. Children may be moved out and outlive their parent, so each holds the rows.
struct ArrayOwner {
  std::shared_ptr<const Batch> rows;
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> child_pointers;
  std::vector<uint64_t> bits;    // of bool
  std::vector<int32_t> offsets;  // of map
};

void ReleaseArray(ArrowArray* array) {
  const std::unique_ptr<ArrayOwner> owner(static_cast<ArrayOwner*>(array->private_data));
  for (ArrowArray& child : owner->children) {
    if (child.release != nullptr) child.release(&child);  // else it was moved away
  }
  array->release = nullptr;
}

// The owner's vectors must not grow after Attach.
void Attach(std::unique_ptr<ArrayOwner> owner, std::size_t length, int64_t nulls, ArrowArray* out) {
  for (ArrowArray& child : owner->children) owner->child_pointers.push_back(&child);
  *out = {};
  out->length = static_cast<int64_t>(length);
  out->null_count = nulls;
  out->n_buffers = static_cast<int64_t>(owner->buffers.size());
  out->n_children = static_cast<int64_t>(owner->children.size());
  out->buffers = owner->buffers.data();
  out->children = owner->child_pointers.data();
  out->release = &ReleaseArray;
  out->private_data = owner.release();
}

// Arrow lets a buffer of no bytes be null, but not every reader does.
const void* NotNull(const void* buffer) {
  static constexpr uint64_t kNothing = 0;
  return buffer != nullptr ? buffer : &kNothing;
}

class RowsExport {
 public:
  explicit RowsExport(std::shared_ptr<const Batch> rows) : rows_(std::move(rows)) {}

  absl::Status Run(std::size_t begin, std::size_t end, ArrowArray* out) {
    auto owner = NewOwner(rows_->column_count());
    owner->buffers = {nullptr};
    absl::Status status;
    for (std::size_t c = 0; c < rows_->column_count() && status.ok(); ++c) {
      status = Export(rows_->column(c), begin, end, &owner->children[c]);
      if (!status.ok()) status = Annotate(status, rows_->name(c));
    }
    Attach(std::move(owner), end - begin, 0, out);
    if (!status.ok()) out->release(out);
    return status;
  }

 private:
  // A child that is not filled has no release callback, and so counts as moved away.
  [[nodiscard]] std::unique_ptr<ArrayOwner> NewOwner(std::size_t children) const {
    auto owner = std::make_unique<ArrayOwner>();
    owner->rows = rows_;
    owner->children.resize(children);
    return owner;
  }

  absl::Status Export(const Column& column, std::size_t begin, std::size_t end, ArrowArray* out) {
    const DataType& type = column.type();
    const uint64_t* validity = column.validity().words() + begin / 64;
    int64_t nulls = 0;
    for (std::size_t row = begin; row < end; ++row) nulls += column.IsValid(row) ? 0 : 1;
    std::unique_ptr<ArrayOwner> owner = NewOwner(ChildCount(type));
    owner->buffers = {nulls == 0 ? nullptr : validity};
    switch (type.id()) {
      case TypeId::kBool:
        owner->bits = PackBits(column.Values<uint8_t>().subspan(begin, end - begin));
        owner->buffers.push_back(NotNull(owner->bits.data()));
        break;
      case TypeId::kString:
      case TypeId::kBytes:
        owner->buffers.push_back(column.offsets().data() + begin);
        owner->buffers.push_back(NotNull(column.data().data()));
        break;
      case TypeId::kVector:
        ExportElements(column, begin, end, &owner->children[0]);
        break;
      case TypeId::kList:
        owner->buffers.push_back(column.offsets().data() + begin);
        LARDER_RETURN_IF_ERROR(
            Export(*column.child(), 0, column.child()->size(), &owner->children[0]));
        break;
      case TypeId::kMap:
        if (column.child()->size() > std::size_t{std::numeric_limits<int32_t>::max()}) {
          return InvalidArgumentError("a map column of ", column.child()->size(),
                                      " entries: Arrow counts at most 2^31 - 1 of them");
        }
        for (const int64_t at : column.offsets().subspan(begin, end - begin + 1))
          owner->offsets.push_back(static_cast<int32_t>(at));
        owner->buffers.push_back(owner->offsets.data());
        LARDER_RETURN_IF_ERROR(ExportEntries(column, &owner->children[0]));
        break;
      default:
        owner->buffers.push_back(NotNull(DataAt(column, begin)));
        break;
    }
    Attach(std::move(owner), end - begin, nulls, out);
    return absl::OkStatus();
  }

  static std::size_t ChildCount(const DataType& type) { return type.is_nested() ? 1 : 0; }

  static const std::byte* DataAt(const Column& column, std::size_t row) {
    return column.data().data() + row * column.type().byte_width();
  }

  static std::vector<uint64_t> PackBits(std::span<const uint8_t> values) {
    std::vector<uint64_t> bits(BitWords(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] != 0) bits[i / 64] |= uint64_t{1} << (i % 64);
    }
    return bits;
  }

  void ExportElements(const Column& column, std::size_t begin, std::size_t end,
                      ArrowArray* out) const {
    auto owner = NewOwner(0);
    owner->buffers = {nullptr, NotNull(DataAt(column, begin))};
    Attach(std::move(owner), (end - begin) * column.type().length(), 0, out);
  }

  absl::Status ExportEntries(const Column& column, ArrowArray* out) {
    auto owner = NewOwner(2);
    owner->buffers = {nullptr};
    const std::size_t entries = column.child()->size();
    LARDER_RETURN_IF_ERROR(Export(*column.keys(), 0, entries, &owner->children[0]));
    LARDER_RETURN_IF_ERROR(Export(*column.child(), 0, entries, &owner->children[1]));
    Attach(std::move(owner), entries, 0, out);
    return absl::OkStatus();
  }

  std::shared_ptr<const Batch> rows_;
};

}  // namespace

absl::Status ExportArrowRows(const std::shared_ptr<const Batch>& rows, std::size_t begin,
                             std::size_t end, ArrowArray* out) {
  LARDER_DCHECK(begin % 64 == 0 && begin <= end);
  return RowsExport(rows).Run(begin, end, out);
}

}  // namespace larder::inline LARDER_ABI
