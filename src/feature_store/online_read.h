// One typed read of the store, with all that it was made of.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "feature_store/bound_service.h"
#include "feature_store/compute.h"
#include "feature_store/store_impl.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/feature_store/online.h"
#include "larder/online/read_session.h"

namespace larder::inline LARDER_ABI {

struct OnlineRead {
  ReadSession session;
  uint64_t revision = 0;  // of the definitions the names were resolved with
  std::shared_ptr<const BoundService> service;
  Batch inputs;  // one column per BoundService::inputs
  Timestamp as_of;
  ComputedService computed;
  int64_t cells_refused = 0;  // OnlineResponse::cells_refused

  [[nodiscard]] std::string ReceiptText(std::optional<Timestamp> known_at) const;
};

// What counts besides what a request says.
struct ReadBounds {
  // Only what commits up to this one brought, see FindRowOfCommit.
  std::optional<uint64_t> commit_max;
  // known_at of a view, where not all have the request's.
  std::function<std::optional<Timestamp>(const BoundUse& use)> known_at;

  [[nodiscard]] std::optional<Timestamp> KnownAt(const OnlineRequest& request,
                                                 const BoundUse& use) const {
    return known_at ? known_at(use) : request.known_at;
  }
};

// A snapshot, and what the request's names mean in it. Errors: as FeatureStore::GetOnlineFeatures.
[[nodiscard]] absl::StatusOr<OnlineRead> BeginRead(const FeatureStore::Impl& store,
                                                   const FeatureRequest& what);
// Reads what `read->service` gives. Errors: the same.
absl::Status FinishRead(const FeatureStore::Impl& store, const OnlineRequest& request,
                        const ReadBounds& bounds, OnlineRead* read);

}  // namespace larder::inline LARDER_ABI
