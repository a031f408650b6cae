// Where values of a training set come from: the events of its sources.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "feature_store/byte_arena.h"
#include "feature_store/explanation_steps.h"
#include "feature_store/historical_read.h"
#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

// Reads all of a use's source for every row or window it tells of. Borrows all it is given.
class SourceOrigins final : public ValueOrigins {
 public:
  // `read` is of `request` and `service`, and has one row.
  SourceOrigins(const FeatureStore::Impl& store, const BoundService& service,
                const HistoricalRequest& request, const HistoricalRead& read, std::size_t items_max)
      : store_(store), service_(service), request_(request), read_(read), items_max_(items_max) {}

  [[nodiscard]] absl::StatusOr<Versions> VersionsOf(const BoundUse& use, std::string_view key,
                                                    std::span<const int> columns) override;
  [[nodiscard]] absl::StatusOr<WindowSteps> WindowOf(const BoundUse& use, std::string_view key,
                                                     std::size_t feature) override;

 private:
  struct Event;
  [[nodiscard]] std::size_t NumberOf(const BoundUse& use) const {
    return static_cast<std::size_t>(&use - service_.uses.data());
  }
  // known_at of the row for a use.
  [[nodiscard]] Timestamp KnownAtOf(const BoundUse& use) const;
  // The id of the row's own event, where that does not count.
  struct OwnEvent {
    Column ids;          // one
    char source_number;  // as WindowEvents has it
  };
  [[nodiscard]] absl::StatusOr<std::optional<OwnEvent>> ExcludedEvent(const BoundUse& use) const;
  [[nodiscard]] absl::StatusOr<std::vector<Event>> EventsOf(const BoundUse& use,
                                                            std::string_view key,
                                                            std::span<const int> columns) const;

  const FeatureStore::Impl& store_;
  const BoundService& service_;
  const HistoricalRequest& request_;
  const HistoricalRead& read_;
  const std::size_t items_max_;
};

}  // namespace larder::inline LARDER_ABI
