// Events of one view into the store's rows.
#pragma once

#include <optional>
#include <string_view>

#include "feature_store/event_mapper.h"
#include "feature_store/key_encoding.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/write_transaction.h"
#include "larder/registry/versions.h"

namespace larder::inline LARDER_ABI {

class RowWriter {
 public:
  static absl::StatusOr<RowWriter> Make(const ViewVersion& view, const Source& source);

  // `load_end` is the end of a batch load; absent for a push.
  absl::StatusOr<RowsResult> Write(WriteTransaction& transaction, const MappedEvents& events,
                                   std::optional<Timestamp> load_end) const;

  // For loads and pushes that take all rows or none. Errors: kInvalidArgument with the first refused row and why.
  static absl::Status RefuseRejected(std::string_view what, const RowsResult& rows);

 private:
  RowWriter(const ViewVersion& view, const Source& source, RowLayout layout)
      : view_(&view), source_(&source), layout_(std::move(layout)) {}
  const ViewVersion* view_;
  const Source* source_;
  RowLayout layout_;
};

}  // namespace larder::inline LARDER_ABI
