#include "larder/training/dataset_content.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <optional>
#include <system_error>
#include <type_traits>
#include <utility>

#include "larder/base/text.h"
#include "larder/column/take_rows.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

static_assert(std::endian::native == std::endian::little,
              "values are hashed as they are in memory");

constexpr std::size_t kPartSize = std::size_t{64} << 10;

class CanonicalColumn {
 public:
  explicit CanonicalColumn(Sha256* hash) : hash_(hash) {}

  void Add(const Column& column) {
    const DataType& type = column.type();
    if (type.is_text()) {
      AddRows(column, [&](std::size_t row) { AppendText(column.Text(row)); });
    } else if (!type.is_fixed_width()) {
      AddRows(column, [&](std::size_t row) { AppendText(FormatValue(column.ValueAt(row))); });
    } else if (type.element() == TypeId::kFloat32) {
      AddElements<float>(column);
    } else if (type.element() == TypeId::kFloat64) {
      AddElements<double>(column);
    } else {
      const std::size_t width = type.byte_width();
      const char* data = reinterpret_cast<const char*>(column.data().data());
      AddRows(column, [&](std::size_t row) { part_.append(data + row * width, width); });
    }
    hash_->Add(part_);
  }

 private:
  template <class AppendRow>
  void AddRows(const Column& column, const AppendRow& append) {
    for (std::size_t row = 0; row < column.size(); ++row) {
      const bool valid = column.IsValid(row);
      part_.push_back(valid ? '\1' : '\0');
      if (valid) append(row);
      if (part_.size() < kPartSize) continue;
      hash_->Add(part_);
      part_.clear();
    }
  }

  template <class Float>
  void AddElements(const Column& column) {
    const std::size_t width = column.type().byte_width() / sizeof(Float);
    const auto values = column.Values<Float>();
    AddRows(column, [&](std::size_t row) {
      for (std::size_t i = 0; i < width; ++i) {
        Float value = values[row * width + i];
        if (std::isnan(value)) value = std::numeric_limits<Float>::quiet_NaN();
        char bytes[sizeof(Float)];
        std::memcpy(bytes, &value, sizeof(Float));
        part_.append(bytes, sizeof(Float));
      }
    });
  }

  void AppendText(std::string_view text) {
    const uint64_t size = text.size();
    char bytes[sizeof(size)];
    std::memcpy(bytes, &size, sizeof(size));
    part_.append(bytes, sizeof(size));
    part_.append(text);
  }

  Sha256* hash_;
  std::string part_;
};

}  // namespace

void DatasetHasher::Add(const Batch& batch) {
  if (hashes_.empty()) {
    hashes_.resize(batch.column_count());
    for (std::size_t c = 0; c < batch.column_count(); ++c)
      content_.columns.push_back({batch.name(c), batch.column(c).type(), 0, ""});
  }
  LARDER_DCHECK(hashes_.size() == batch.column_count());
  for (std::size_t c = 0; c < batch.column_count(); ++c) {
    CanonicalColumn(&hashes_[c]).Add(batch.column(c));
    content_.columns[c].nulls += static_cast<int64_t>(batch.column(c).CountNulls());
  }
  content_.rows += static_cast<int64_t>(batch.row_count());
}

DatasetContent DatasetHasher::Finish() && {
  Sha256 all;
  all.Add(Concat("larder dataset 1\n", content_.rows, '\n'));
  for (std::size_t c = 0; c < hashes_.size(); ++c) {
    ColumnContent& column = content_.columns[c];
    column.sha256 = hashes_[c].Finish();
    // A length before the name: it may hold anything.
    all.Add(Concat(column.name.size(), ' ', column.name, ' ', column.type.ToString(), ' ',
                   column.nulls, ' ', column.sha256, '\n'));
  }
  content_.sha256 = all.Finish();
  return std::move(content_);
}

std::string DatasetHasher::Save() const {
  std::string saved = Concat(content_.rows);
  for (std::size_t c = 0; c < hashes_.size(); ++c)
    saved += Concat(' ', content_.columns[c].nulls, ' ', hashes_[c].Save());
  return saved;
}

absl::StatusOr<DatasetHasher> DatasetHasher::Restore(std::string_view saved, const Batch& shape) {
  DatasetHasher hasher;
  hasher.Add(TakeRows(shape, {}));
  const auto take_number = [&saved](int64_t* number) {
    const auto [end, error] = std::from_chars(saved.data(), saved.data() + saved.size(), *number);
    saved.remove_prefix(static_cast<std::size_t>(end - saved.data()));
    return error == std::errc() && *number >= 0;
  };
  const auto take_space = [&saved] {
    const bool is_space = saved.starts_with(' ');
    if (is_space) saved.remove_prefix(1);
    return is_space;
  };
  bool good = take_number(&hasher.content_.rows);
  for (std::size_t c = 0; good && c < hasher.hashes_.size(); ++c) {
    good = take_space() && take_number(&hasher.content_.columns[c].nulls) && take_space();
    const std::string_view hex = saved.substr(0, saved.find(' '));
    const std::optional<Sha256> hash = Sha256::Restore(hex);
    good = good && hash.has_value();
    if (hash) hasher.hashes_[c] = *hash;
    saved.remove_prefix(hex.size());
  }
  if (!good || !saved.empty())
    return InvalidArgumentError("no saved hash of rows of ", shape.column_count(), " columns");
  return hasher;
}

DatasetContent ContentOf(const Batch& rows) {
  DatasetHasher hasher;
  hasher.Add(rows);
  return std::move(hasher).Finish();
}

}  // namespace larder::inline LARDER_ABI
