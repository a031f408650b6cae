// What a commit does for the first look at the segments it wrote.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "larder/base/config.h"
#include "larder/online/environment.h"

namespace larder::inline LARDER_ABI {

// Maps the pages of segments that this process has just committed, and notes that they need not be compared with their
// checks: what the map shows are the bytes that were written. Without it a session that follows a commit pays a page
// fault and a check for every row it is the first to read. Where it does not succeed, it pays them. Threads: the caller
// holds neither a write transaction nor a lock.
void SettleSegments(const std::shared_ptr<Environment>& environment,
                    std::span<const uint64_t> written, std::span<const uint64_t> deleted);

}  // namespace larder::inline LARDER_ABI
