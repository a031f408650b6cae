// Events of one view into the store's rows.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "feature_store/event_mapper.h"
#include "feature_store/key_encoding.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/generation.h"
#include "larder/online/staged_rows.h"
#include "larder/online/write_transaction.h"
#include "larder/registry/versions.h"

namespace larder::inline LARDER_ABI {

class RowWriter {
 public:
  static absl::StatusOr<RowWriter> Make(const ViewVersion& view, const Source& source);

  // Without `skip_bad` nothing is written when a row is refused.
  absl::StatusOr<RowsResult> Push(WriteTransaction& transaction, const MappedEvents& events,
                                  bool skip_bad) const;
  // Before a commit: into what one session sees. Nothing is added when a row is refused.
  absl::StatusOr<RowsResult> Stage(const ReadSession& session, const MappedEvents& events,
                                   Timestamp now, StagedRows* staged) const;
  // `load_end`: what the version horizon is counted back from.
  absl::Status Load(GenerationBuilder& generation, const MappedEvents& events,
                    Timestamp load_end) const;
  [[nodiscard]] const RowLayout& layout() const LARDER_LIFETIME_BOUND { return layout_; }

  // For loads and pushes that take all rows or none. Errors: kInvalidArgument with the first refused row and why.
  static absl::Status RefuseRejected(std::string_view what, const RowsResult& rows);

 private:
  RowWriter(const ViewVersion& view, const Source& source, RowLayout layout)
      : view_(&view), source_(&source), layout_(std::move(layout)) {}
  absl::Status WithRows(const MappedEvents& events, std::optional<Timestamp> load_end,
                        const std::function<absl::Status(const RowsToWrite& rows)>& use) const;
  const ViewVersion* view_;
  const Source* source_;
  RowLayout layout_;
};

}  // namespace larder::inline LARDER_ABI
