#include "feature_store/batch_spill.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "larder/base/bytes.h"
#include "larder/column/take_rows.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kWriteBytes = std::size_t{1} << 20;

absl::Status Failed(std::string_view what, std::string_view folder) {
  const int error = errno;
  const std::string text =
      Concat("cannot ", what, " a temporary file in ", folder, ": ", std::strerror(error));
  if (error == ENOSPC || error == EDQUOT)
    return WithKind(ResourceExhaustedError(text), ErrorKind::kDiskFull);
  if (error == ENOENT || error == ENOTDIR) return NotFoundError(text);
  return WithKind(UnavailableError(text), ErrorKind::kIoError);
}

void AppendBytes(const void* bytes, std::size_t size, std::string* out) {
  out->append(static_cast<const char*>(bytes), size);
}

// ---- columns as bytes: validity, then values; only this process reads them

void AppendColumn(const Column& column, std::string* out) {
  AppendBytes(column.validity().words(), 8 * BitWords(column.size()), out);
  const DataType& type = column.type();
  if (type.is_fixed_width()) return AppendBytes(column.data().data(), column.data().size(), out);
  AppendBytes(column.offsets().data(), column.offsets().size() * sizeof(int64_t), out);
  if (type.is_text()) return AppendBytes(column.data().data(), column.data().size(), out);
  if (column.keys() != nullptr) AppendColumn(*column.keys(), out);
  AppendColumn(*column.child(), out);
}

class ColumnBytes {
 public:
  explicit ColumnBytes(std::string_view bytes) : bytes_(bytes) {}

  Column Take(const DataType& type, std::size_t rows) {
    const std::string_view valid = bytes_.GetRaw(8 * BitWords(rows));
    const auto is_valid = [&](std::size_t row) {
      return (LoadAs<uint64_t>(valid.data() + 8 * (row / 64)) >> (row % 64) & 1U) != 0;
    };
    Column column(type);
    if (type.is_fixed_width()) {
      column.ResizeFixed(rows);
      if (rows == 0) return column;
      std::memcpy(column.mutable_validity().mutable_words(), valid.data(), valid.size());
      const std::string_view values = bytes_.GetRaw(rows * type.byte_width());
      std::memcpy(column.MutableValues<char>().data(), values.data(), values.size());
      return column;
    }
    const std::string_view ends = bytes_.GetRaw((rows + 1) * sizeof(int64_t));
    const auto offset = [&](std::size_t row) {
      return static_cast<std::size_t>(LoadAs<int64_t>(ends.data() + row * sizeof(int64_t)));
    };
    column.Reserve(rows);
    if (type.is_text()) {
      const std::string_view text = bytes_.GetRaw(offset(rows));
      for (std::size_t row = 0; row < rows; ++row) {
        if (is_valid(row)) {
          column.AppendText(text.substr(offset(row), offset(row + 1) - offset(row)));
        } else {
          column.AppendNull();
        }
      }
      return column;
    }
    const bool is_map = type.id() == TypeId::kMap;
    const Column keys = is_map ? Take(TypeId::kString, offset(rows)) : Column(TypeId::kString);
    const Column items = Take(type.element(), offset(rows));
    for (std::size_t row = 0; row < rows; ++row) {
      Value value;
      if (is_valid(row) && is_map) {
        MapValue map;
        map.value = type.element();
        for (std::size_t i = offset(row); i < offset(row + 1); ++i)
          map.items.emplace_back(std::string(keys.Text(i)), items.ValueAt(i));
        value = std::move(map);
      } else if (is_valid(row)) {
        ListValue list;
        list.element = type.element();
        for (std::size_t i = offset(row); i < offset(row + 1); ++i)
          list.items.push_back(items.ValueAt(i));
        value = std::move(list);
      }
      const absl::Status appended = column.Append(value);
      LARDER_DCHECK(appended.ok());  // it was one of the column's
      static_cast<void>(appended);
    }
    return column;
  }

 private:
  ByteReader bytes_;
};

std::size_t BytesOf(const Column& column) {
  std::size_t bytes = column.size() / 8 + column.data().size() + 8 * column.offsets().size();
  if (column.child() != nullptr) bytes += BytesOf(*column.child());
  if (column.keys() != nullptr) bytes += BytesOf(*column.keys());
  return bytes;
}

}  // namespace

std::size_t BytesOf(const Batch& batch) {
  std::size_t bytes = 0;
  for (std::size_t c = 0; c < batch.column_count(); ++c) bytes += BytesOf(batch.column(c));
  return bytes;
}

absl::StatusOr<std::unique_ptr<BatchSpill>> BatchSpill::Create(const std::string& folder,
                                                               std::size_t partitions,
                                                               std::size_t buffer_bytes) {
  std::error_code ignored;
  std::string place = folder;
  if (place.empty()) place = std::filesystem::temp_directory_path(ignored).string();
  if (place.empty()) place = "/tmp";
  std::string name = place + "/larder-spill-XXXXXX";
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return Failed("create", place);
  ::unlink(name.c_str());
  return std::unique_ptr<BatchSpill>(new BatchSpill(fd, place, partitions, buffer_bytes));
}

BatchSpill::~BatchSpill() { ::close(fd_); }

absl::Status BatchSpill::Add(Batch batch, std::span<const uint16_t> partitions) {
  LARDER_DCHECK(batch.row_count() == partitions.size());
  if (shape_.column_count() == 0) shape_ = TakeRows(batch, {});
  held_bytes_ += BytesOf(batch);
  held_partitions_.insert(held_partitions_.end(), partitions.begin(), partitions.end());
  if (held_.column_count() == 0) {
    held_ = std::move(batch);
  } else {
    held_.AppendRows(batch);
  }
  return held_bytes_ < buffer_bytes_ ? absl::OkStatus() : Scatter();
}

absl::Status BatchSpill::Scatter() {
  std::vector<std::vector<std::size_t>> rows(partitions_.size());
  for (std::size_t row = 0; row < held_partitions_.size(); ++row)
    rows[held_partitions_[row]].push_back(row);
  for (std::size_t p = 0; p < rows.size(); ++p) {
    if (!rows[p].empty()) LARDER_RETURN_IF_ERROR(AddBlock(TakeRows(held_, rows[p]), p));
  }
  held_.Truncate(0);
  held_partitions_.clear();
  held_bytes_ = 0;
  return absl::OkStatus();
}

absl::Status BatchSpill::AddBlock(const Batch& batch, std::size_t partition) {
  if (shape_.column_count() == 0) shape_ = TakeRows(batch, {});
  LARDER_DCHECK(batch.HasShapeOf(shape_));
  Partition& into = partitions_[partition];
  const std::size_t begin = unwritten_.size();
  const uint64_t rows = batch.row_count();
  AppendBytes(&rows, sizeof(rows), &unwritten_);
  for (std::size_t c = 0; c < batch.column_count(); ++c) AppendColumn(batch.column(c), &unwritten_);
  into.blocks.push_back({written_ + begin, unwritten_.size() - begin});
  into.rows += rows;
  into.bytes += unwritten_.size() - begin;
  return unwritten_.size() < kWriteBytes ? absl::OkStatus() : Write();
}

absl::Status BatchSpill::Write() {
  for (std::size_t at = 0; at < unwritten_.size();) {
    const ssize_t put = ::write(fd_, unwritten_.data() + at, unwritten_.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return Failed("write", folder_);
    at += static_cast<std::size_t>(put);
  }
  written_ += unwritten_.size();
  unwritten_.clear();
  return absl::OkStatus();
}

absl::Status BatchSpill::Finish() {
  LARDER_RETURN_IF_ERROR(Scatter());
  LARDER_RETURN_IF_ERROR(Write());
  held_ = Batch();
  held_partitions_ = std::vector<uint16_t>();
  unwritten_.shrink_to_fit();
  return absl::OkStatus();
}

absl::StatusOr<bool> BatchSpill::Reader::Next(Batch* out) {
  *out = Batch();
  const std::vector<Block>& blocks = spill_->partitions_[partition_].blocks;
  if (block_ == blocks.size()) return false;
  const Block& block = blocks[block_++];
  std::string bytes(block.size, '\0');
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t got = ::pread(spill_->fd_, bytes.data() + at, bytes.size() - at,
                                static_cast<off_t>(block.offset + at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Failed("read", spill_->folder_);
    if (got == 0) return DataLossError("a temporary file is shorter than what was written to it");
    at += static_cast<std::size_t>(got);
  }
  const auto rows = static_cast<std::size_t>(LoadAs<uint64_t>(bytes.data()));
  ColumnBytes columns(std::string_view(bytes).substr(sizeof(uint64_t)));
  for (std::size_t c = 0; c < spill_->shape_.column_count(); ++c) {
    LARDER_RETURN_IF_ERROR(out->AddColumn(spill_->shape_.name(c),
                                          columns.Take(spill_->shape_.column(c).type(), rows)));
  }
  return true;
}

}  // namespace larder::inline LARDER_ABI
