// Key columns of requests, made of keys the store has.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "feature_store/bound_service.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/online/read_session.h"

namespace larder::inline LARDER_ABI {

// Stored keys of one view, each with a value per part.
using KeyParts = std::vector<std::vector<Value>>;

// At most `count` keys stored under `data_id`, as SampleStoredKeys chooses them.
[[nodiscard]] absl::StatusOr<KeyParts> StoredKeyParts(const ReadSession& session, uint32_t data_id,
                                                      std::span<const Field> keys,
                                                      std::size_t count);

struct PairedKeys {
  Batch columns;         // one per join key any of the services takes
  std::size_t rows = 0;  // 1 for services without keys: global views have one row
};

// Views with the most key parts come first, so that parts that are stored together stay together; keys of independent
// entities are paired in the order given, and a shorter list begins again.
// Errors: kFailedPrecondition naming a join key no value of which is stored.
[[nodiscard]] absl::StatusOr<PairedKeys> PairKeys(
    std::span<const std::shared_ptr<const BoundService>> services,
    const std::function<absl::StatusOr<KeyParts>(const ViewVersion&)>& keys_of);

}  // namespace larder::inline LARDER_ABI
