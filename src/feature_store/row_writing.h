// Events of one view into the store's rows.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "feature_store/event_mapper.h"
#include "feature_store/key_encoding.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/generation.h"
#include "larder/online/write_transaction.h"
#include "larder/registry/versions.h"

namespace larder::inline LARDER_ABI {

// How far back versions of a row, or of an event, are kept: at least as long as rows may come early and late
// (SEMANTICS 3).
[[nodiscard]] Duration VersionHorizonOf(const Source& source);

// Memory to lay out rows in, for callers that do so often.
struct RowFrame {
  EncodedKeys keys;
  Validity none;
  std::vector<const Validity*> presence;
};

class RowWriter {
 public:
  static absl::StatusOr<RowWriter> Make(const ViewVersion& view, const Source& source);

  // Without `skip_bad` nothing is written when a row is refused.
  absl::StatusOr<RowsResult> Push(WriteTransaction& transaction, const MappedEvents& events,
                                  bool skip_bad) const;
  // `load_end`: what the version horizon is counted back from.
  absl::Status Load(GenerationBuilder& generation, const MappedEvents& events,
                    Timestamp load_end) const;
  // Pushed ones without `load_end`. Lifetime: the rows borrow from this, the events and the frame.
  RowsToWrite RowsOf(const MappedEvents& events, std::optional<Timestamp> load_end,
                     RowFrame* frame) const;
  [[nodiscard]] const RowLayout& layout() const LARDER_LIFETIME_BOUND { return layout_; }

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
