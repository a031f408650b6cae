// Whether a version's rows can take the place of those a name has now (SEMANTICS 9, rollback).
#pragma once

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/online/read_session.h"
#include "larder/registry/catalog.h"
#include "larder/registry/plan.h"

namespace larder::inline LARDER_ABI {

// Every view version that `plan` gives a bare name, or that the services it gives one pin, is kept up at `now`, or its
// rows are no older than those of the version it replaces.
// Errors: kFailedPrecondition (kNotReady) with each such version, since when it is behind, and what mends it.
[[nodiscard]] absl::Status CheckKeptUp(const ReadSession& session, const Catalog& current,
                                       const ChangePlan& plan, Timestamp now);

}  // namespace larder::inline LARDER_ABI
