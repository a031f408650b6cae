// Events that one serving session sees before they are pushed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
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

// What is staged is kept as events, which a push takes, and as the rows of the views that `service` reads. Names are
// resolved once per source and shape of batch, and memory is kept over Clear: then staging a batch of the source's own
// types whose features are stored as they are does not allocate.
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
  // Why what is staged is not part of any snapshot: its last Rebase failed, or `status` says so. OK after Clear.
  [[nodiscard]] const absl::Status& status() const LARDER_LIFETIME_BOUND { return status_; }
  void Break(absl::Status status) { status_ = std::move(status); }
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
  using StagedWindows = std::map<std::string, std::vector<WindowKey::Version>, std::less<>>;
  // Where events go in a view that stores rows.
  struct IntoRows {
    RowWriter writer;
    StagedRows* rows = nullptr;  // in rows_
    RowFrame frame;              // of the batch under way
  };
  // Where they go in one with aggregates.
  struct IntoWindows {
    std::unique_ptr<const WindowPlan> plan;
    std::size_t source_number = 0;  // WindowEvents
    StagedWindows* keys = nullptr;  // in windows_
  };
  // A view version of the service that reads a source.
  struct Fed {
    const ViewVersion* view = nullptr;  // lives in catalog_
    EventMapper mapper;
    EventMapper::Places places;  // of the plan's shape
    std::variant<IntoRows, IntoWindows> into;
    MappedEvents events;  // of the batch under way
  };
  // What becomes of events of a source.
  struct SourcePlan {
    const Source* source = nullptr;  // lives in catalog_
    std::vector<Fed> fed;
    std::optional<Batch> shape;  // no rows: the columns that `places` are of
    uint64_t shape_number = 0;   // never used for another shape or source
  };
  struct Staged {
    uint64_t shape_number = 0;
    std::string source;
    Batch batch;  // as the source's fields
  };
  absl::StatusOr<SourcePlan*> PlanOf(const ReadSession& session, std::string_view source);
  absl::StatusOr<SourcePlan> MakePlan(const Source& source);
  absl::StatusOr<Fed> MakeFed(const ViewVersion& view, const Source& source);
  absl::Status AddBatch(const ReadSession& session, SourcePlan& plan, const Batch& batch);
  void TakeShape(SourcePlan& plan, const Batch& batch);
  // Merges events into what the views see of them. Requires: `batch` is of the plan's shape.
  absl::Status Write(const ReadSession& session, SourcePlan& plan, const Batch& batch);
  void ClearViews();
  // Where events of the plan's shape go: behind the last ones if those are alike.
  Staged& SlotFor(const SourcePlan& plan);

  std::shared_ptr<const FeatureStore::Impl> impl_;
  std::shared_ptr<const BoundService> service_;
  std::deque<Staged> staged_;  // the first used_ hold events, in order; the others memory
  std::size_t used_ = 0;
  uint64_t shapes_ = 0;
  std::size_t count_ = 0;
  std::map<uint32_t, StagedRows> rows_;        // by data id
  std::map<uint32_t, StagedWindows> windows_;  // by data id, then by key
  absl::Status status_;

  // Of the definitions of layout_seq_.
  std::optional<uint64_t> layout_seq_;
  Catalog catalog_;
  std::map<std::string, SourcePlan, std::less<>> plans_;  // by source
};

}  // namespace larder::inline LARDER_ABI
