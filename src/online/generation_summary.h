// What the segments of a generation hold, feature by feature.
#pragma once

#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/generation.h"
#include "larder/online/row_layout.h"

namespace larder::inline LARDER_ABI {

class SummaryScan {
 public:
  // Requires: the layout outlives it.
  explicit SummaryScan(const RowLayout& layout);
  // Adds a segment of the generation. Errors: kCorrupt.
  absl::Status Add(std::string_view segment);
  // Adds a segment of the one before.
  absl::Status AddBefore(std::string_view segment);
  [[nodiscard]] GenerationSummary Take() { return std::move(summary_); }

 private:
  const RowLayout& layout_;
  GenerationSummary summary_;
};

}  // namespace larder::inline LARDER_ABI
