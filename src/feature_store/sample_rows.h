// Rows of view versions for a plan's sample, those of versions included that nothing was loaded into yet.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "feature_store/bound_service.h"
#include "feature_store/compute.h"
#include "feature_store/store_impl.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/column.h"
#include "larder/online/read_session.h"
#include "larder/registry/plan.h"

namespace larder::inline LARDER_ABI {

// At most `count` keys of the rows stored under `data_id`: those with the smallest hashes, in that order, so that the
// same rows give the same sample.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> SampleStoredKeys(const ReadSession& session,
                                                                        uint32_t data_id,
                                                                        std::size_t count);

struct SampledRows {
  FetchedUse fetched;
  std::map<int, std::string> missing;  // stored columns that could not be worked out, and why
  std::string from;                    // where they came from; empty: the version's own rows
};

// A view whose stored bytes change is read from its source, under the old version as under the new one, so that what
// differs is the definition and not the time of loading. Without a source to read, the new version's stored columns
// are computed from the fields that the old version keeps.
class SampleSource {
 public:
  static absl::StatusOr<SampleSource> Make(const FeatureStore::Impl& impl,
                                           const ReadSession& session, const Catalog& before,
                                           const ChangePlan& plan, Timestamp as_of);

  // Keeps what it read: several services ask for the same keys of one view.
  absl::StatusOr<SampledRows> Fetch(const Catalog& catalog, const BoundUse& use,
                                    std::span<const Column* const> keys, std::size_t rows);
  // The data id whose stored keys stand for the view's: its own, else those of the version current before the plan.
  // 0 when there are none.
  [[nodiscard]] absl::StatusOr<uint32_t> StoredKeysOf(const ViewVersion& view) const;

 private:
  SampleSource(const FeatureStore::Impl& impl, const ReadSession& session, const Catalog& before,
               Timestamp as_of)
      : impl_(impl), session_(session), before_(before), as_of_(as_of) {}
  absl::StatusOr<bool> HasData(uint32_t data_id) const;
  absl::StatusOr<SampledRows> Read(const Catalog& catalog, const BoundUse& use,
                                   std::span<const Column* const> keys, std::size_t rows) const;
  absl::StatusOr<SampledRows> ReadSource(const Catalog& catalog, const BoundUse& use,
                                         std::span<const Column* const> keys,
                                         std::size_t rows) const;
  absl::StatusOr<SampledRows> Derive(const BoundUse& use, std::span<const Column* const> keys,
                                     std::size_t rows) const;

  const FeatureStore::Impl& impl_;
  const ReadSession& session_;
  const Catalog& before_;
  Timestamp as_of_;
  std::string project_;
  std::set<std::string> read_again_;                               // views
  std::map<std::pair<uint32_t, std::string>, SampledRows> known_;  // by view id and key bytes
};

}  // namespace larder::inline LARDER_ABI
