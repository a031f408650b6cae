// The rows of a source for one call: the caller's, or what its definition names.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/feature_store/source_rows.h"
#include "larder/io/record_reader.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// Where a call finds the rows of sources. Borrows `given`.
struct SourcePlaces {
  std::string base_path;  // of relative paths
  std::span<const SourceRows> given;

  // Null: the definition says.
  [[nodiscard]] const SourceRows* Find(std::string_view source) const;
};

// Errors: kInvalidArgument for rows of a source that is given twice, in no form or both, or that is none of `known`.
absl::Status CheckGiven(std::span<const SourceRows> given, std::span<const Source* const> known);

class SourceBatches {
 public:
  // Borrows `source`. Errors: as OpenSource, or as the caller's own reader.
  static absl::StatusOr<SourceBatches> Open(const Source& source, const SourcePlaces& places,
                                            std::optional<bool> strict = std::nullopt);

  // Null once there are no more. What nobody else keeps is filled again by the next call.
  absl::StatusOr<std::shared_ptr<const Batch>> Next();
  [[nodiscard]] std::string PlaceOf(std::size_t row) const;
  [[nodiscard]] const ReadCounts& counts() const LARDER_LIFETIME_BOUND;

 private:
  SourceBatches() = default;
  std::string name_;
  const Source* foreign_ = nullptr;       // whose types the reader may not have
  std::unique_ptr<RecordReader> reader_;  // or:
  std::shared_ptr<const Batch> rows_;     // until they are given out
  std::shared_ptr<Batch> last_;
  ReadCounts counts_;
};

}  // namespace larder::inline LARDER_ABI
