// Events that one serving session sees before they are pushed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "feature_store/bound_service.h"
#include "feature_store/event_mapper.h"
#include "feature_store/row_writing.h"
#include "feature_store/store_impl.h"
#include "feature_store/window_plan.h"
#include "feature_store/window_records.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/feature_store/loading.h"
#include "larder/online/read_session.h"
#include "larder/online/staged_rows.h"

namespace larder::inline LARDER_ABI {

// What is staged is kept as events, which a push takes, and as the rows of the views that `service` reads.
class StagedEvents {
 public:
  StagedEvents(std::shared_ptr<const FeatureStore::Impl> impl,
               std::shared_ptr<const BoundService> service)
      : impl_(std::move(impl)), service_(std::move(service)) {}

  // All of the events or none. Errors: as a push.
  absl::Status Add(const ReadSession& session, std::string_view source,
                   std::span<const Batch> batches);
  absl::Status Add(const ReadSession& session, std::string_view source, std::span<const Row> rows);
  // An event's time, whether or not it is staged. Errors: kFailedPrecondition for a source without.
  absl::StatusOr<Timestamp> TimeOf(const ReadSession& session, std::string_view source,
                                   const Row& event);
  // To be called when the session's snapshot is another one.
  absl::Status Rebase(const ReadSession& session);
  void Clear();

  [[nodiscard]] std::size_t count() const { return count_; }
  // Rows staged of what a view version stores; nullptr: none.
  [[nodiscard]] const StagedRows* RowsOf(uint32_t data_id) const;
  // Events staged for a key of a view with aggregates.
  [[nodiscard]] std::span<const WindowKey::Version> WindowsOf(uint32_t data_id,
                                                              std::string_view key) const;
  // Pushes everything, in one transaction. Requires: the thread holds no snapshot.
  absl::StatusOr<PushResult> Push(PushOptions options) const;

 private:
  // A view version of the service that reads a source.
  struct Fed {
    const ViewVersion* view = nullptr;  // lives in catalog_
    EventMapper mapper;
    std::optional<RowWriter> writer;            // of a view with rows
    std::shared_ptr<const WindowPlan> windows;  // of one with aggregates
    std::size_t source_number = 0;
  };
  struct Staged {
    std::string source;
    Batch batch;  // as the source's fields
    std::vector<std::pair<const Fed*, MappedEvents>> mapped;
  };
  // Which views of the service a push to `source` would reach.
  absl::StatusOr<std::span<const Fed>> FedBy(std::string_view source);
  absl::Status Map(Staged* staged);
  absl::StatusOr<const Source*> SourceIn(const ReadSession& session, std::string_view name);
  absl::Status Write(const ReadSession& session, const Staged& staged);

  std::shared_ptr<const FeatureStore::Impl> impl_;
  std::shared_ptr<const BoundService> service_;
  std::vector<Staged> staged_;
  std::size_t count_ = 0;
  std::map<uint32_t, StagedRows> rows_;  // by data id
  std::map<uint32_t, std::map<std::string, std::vector<WindowKey::Version>, std::less<>>> windows_;

  // Of the definitions of layout_seq_.
  std::optional<uint64_t> layout_seq_;
  Catalog catalog_;
  std::map<std::string, std::vector<Fed>, std::less<>> fed_;  // by source
};

}  // namespace larder::inline LARDER_ABI
