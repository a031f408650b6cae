// Rows as an earlier commit had them, for tools: what came later is passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/online/read_session.h"
#include "larder/online/row_layout.h"
#include "larder/online/row_view.h"

namespace larder::inline LARDER_ABI {

// ReadSession::FindRow and FindPartialRow among the versions that commits up to `commit_max` brought.
//
// Not what a snapshot of that commit gave where versions have gone since (ReadSession::FloorsOf), or where a load replaced
// rows: those are its commit's now.
// Errors: as theirs. Lifetime: as theirs. Cost: all versions of the key.
[[nodiscard]] absl::StatusOr<std::optional<RowView>> FindRowOfCommit(
    const ReadSession& session LARDER_LIFETIME_BOUND, uint32_t view_id,
    const RowLayout& layout LARDER_LIFETIME_BOUND, std::string_view key, Timestamp as_of,
    std::optional<Timestamp> known_at, uint64_t commit_max);
absl::Status FindPartialRowOfCommit(const ReadSession& session, uint32_t view_id,
                                    const RowLayout& layout, std::string_view key, Timestamp as_of,
                                    std::optional<Timestamp> known_at, uint64_t commit_max,
                                    PartialRow* out);

}  // namespace larder::inline LARDER_ABI
