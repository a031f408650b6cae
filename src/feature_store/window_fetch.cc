#include "feature_store/window_fetch.h"

#include "feature_store/key_encoding.h"
#include "feature_store/window_reader.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<FetchedUse> FetchWindows(const ReadSession& session, const BoundUse& use,
                                        Timestamp as_of, std::optional<Timestamp> known_at,
                                        PartialPolicy partial,
                                        std::span<const Column* const> key_columns,
                                        std::size_t rows, std::optional<uint64_t> commit_max) {
  LARDER_ASSIGN_OR_RETURN(WindowReader reader, WindowReader::Make(*use.view, *use.windows));
  LARDER_RETURN_IF_ERROR(reader.Begin(session, as_of, known_at, commit_max));
  FetchedUse fetched;
  for (const FeatureColumn& feature : use.view->features)
    fetched.rows.features.emplace_back(feature.type);
  fetched.rows.outcomes.resize(use.view->features.size());
  const EncodedKeys keys(key_columns, rows);
  for (std::size_t row = 0; row < rows; ++row) {
    LARDER_RETURN_IF_ERROR(reader.Read(session, keys.views()[row]));
    fetched.rows.counts.cells_refused += reader.refused();
    for (std::size_t f = 0; f < fetched.rows.features.size(); ++f) {
      const FeatureStatus status = reader.statuses()[f];
      JoinOutcome& outcome = fetched.rows.outcomes[f];
      outcome.event_time.AppendNull();
      // What is null is told by the column.
      outcome.status.push_back(status == FeatureStatus::kNullValue ? FeatureStatus::kPresent
                                                                   : status);
      const bool is_hidden =
          status == FeatureStatus::kPartialWindow && partial == PartialPolicy::kNull;
      LARDER_RETURN_IF_ERROR(
          fetched.rows.features[f].Append(is_hidden ? Value() : reader.values()[f]));
    }
  }
  return fetched;
}

}  // namespace larder::inline LARDER_ABI
