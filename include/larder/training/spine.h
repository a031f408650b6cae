// The rows a training set is made for: join keys, an instant, and whatever else the caller has.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"

namespace larder::inline LARDER_ABI {

// Immutable. Threads: const calls may overlap.
class Spine {
 public:
  // `time_column` names the column of instants; empty means the only column of type timestamp.
  // Errors: kInvalidArgument when there is no such column (with a suggestion), it is not a timestamp, there are none or
  //   several to choose from (naming them), or an instant is null (naming the first such row, from 0, and how many).
  static absl::StatusOr<Spine> Make(Batch rows, std::string_view time_column = {});

  [[nodiscard]] std::size_t row_count() const {
    return rows_.column_count() == 0 ? 0 : rows_.row_count();
  }
  // All columns, the instants among them, in the caller's order.
  [[nodiscard]] const Batch& rows() const LARDER_LIFETIME_BOUND { return rows_; }
  [[nodiscard]] const std::string& time_column() const LARDER_LIFETIME_BOUND {
    return rows_.name(time_index_);
  }
  // The instants; never null.
  [[nodiscard]] const Column& times() const LARDER_LIFETIME_BOUND {
    return rows_.column(time_index_);
  }
  // Errors: kInvalidArgument naming the column that is missing, who needs it, and the nearest name there is.
  [[nodiscard]] absl::StatusOr<const Column*> FindColumn(
      std::string_view name, std::string_view needed_by) const LARDER_LIFETIME_BOUND;

  [[nodiscard]] Batch TakeRows() && { return std::move(rows_); }

 private:
  Spine(Batch rows, std::size_t time_index) : rows_(std::move(rows)), time_index_(time_index) {}
  Batch rows_;
  std::size_t time_index_ = 0;
};

}  // namespace larder::inline LARDER_ABI
