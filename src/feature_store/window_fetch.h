// Window features of a use out of a snapshot, as columns: the twin of stored_rows.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "feature_store/bound_service.h"
#include "feature_store/compute.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"
#include "larder/online/read_session.h"

namespace larder::inline LARDER_ABI {

// A column and an outcome for each feature. `partial`: what a window gives that begins before its source is complete.
// `commit_max`: as FetchStored. Requires: use.windows. Errors: kOutsideHistory, kCorrupt.
[[nodiscard]] absl::StatusOr<FetchedUse> FetchWindows(const ReadSession& session,
                                                      const BoundUse& use, Timestamp as_of,
                                                      std::optional<Timestamp> known_at,
                                                      PartialPolicy partial,
                                                      std::span<const Column* const> key_columns,
                                                      std::size_t rows,
                                                      std::optional<uint64_t> commit_max = {});

}  // namespace larder::inline LARDER_ABI
