#include "larder/column/take_rows.h"

#include <numeric>
#include <utility>
#include <vector>

namespace larder::inline LARDER_ABI {

Batch TakeRows(const Batch& batch, std::span<const std::size_t> rows) {
  Batch taken;
  for (std::size_t c = 0; c < batch.column_count(); ++c) {
    Column column(batch.column(c).type());
    column.Reserve(rows.size());
    for (const std::size_t row : rows) column.AppendFrom(batch.column(c), row);
    const absl::Status added = taken.AddColumn(batch.name(c), std::move(column));
    LARDER_DCHECK(added.ok());  // names and lengths are those of a batch
    static_cast<void>(added);
  }
  return taken;
}

Batch TakeRange(const Batch& batch, std::size_t begin, std::size_t end) {
  std::vector<std::size_t> rows(end - begin);
  std::iota(rows.begin(), rows.end(), begin);
  return TakeRows(batch, rows);
}

}  // namespace larder::inline LARDER_ABI
