// Rows of a use out of a snapshot of the store, as columns.
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

// `key_columns` are of types that can be the view's key types, `rows` long. `commit_max`: only what commits up to it
// brought, see FindRowOfCommit. Errors: kOutsideHistory, kCorrupt.
[[nodiscard]] absl::StatusOr<FetchedUse> FetchStored(const ReadSession& session,
                                                     const BoundUse& use, Timestamp as_of,
                                                     std::optional<Timestamp> known_at,
                                                     std::span<const Column* const> key_columns,
                                                     std::size_t rows,
                                                     std::optional<uint64_t> commit_max = {});

}  // namespace larder::inline LARDER_ABI
