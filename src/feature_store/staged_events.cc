#include "feature_store/staged_events.h"

#include <algorithm>
#include <set>
#include <utility>

#include "feature_store/push.h"
#include "feature_store/widen.h"
#include "feature_store/window_writer.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<std::span<const StagedEvents::Fed>> StagedEvents::FedBy(std::string_view source) {
  const auto known = fed_.find(source);
  if (known != fed_.end()) return std::span<const Fed>(known->second);
  const std::string& project = service_->service->project;
  std::set<uint32_t> data_ids;
  for (const BoundUse& use : service_->uses) data_ids.insert(use.view->data_id);
  std::vector<Fed> fed;
  for (const ViewVersion* view : catalog_.ViewsOfSource(project, source, impl_->options.clock())) {
    // Versions that store the same share their rows: one of them stands for all.
    if (view->base_view.has_value() || data_ids.erase(view->data_id) == 0) continue;
    if (view->is_aggregate()) {
      LARDER_ASSIGN_OR_RETURN(WindowPlan made, WindowPlan::Make(*view, impl_->compile));
      auto plan = std::make_shared<const WindowPlan>(std::move(made));
      const std::size_t number = NumberOfSource(*view, source);
      LARDER_ASSIGN_OR_RETURN(
          EventMapper mapper,
          EventMapper::Make(plan->rows(), WindowSource(*view, number), impl_->compile));
      fed.push_back({view, std::move(mapper), std::nullopt, std::move(plan), number});
      continue;
    }
    LARDER_ASSIGN_OR_RETURN(EventMapper mapper,
                            EventMapper::Make(*view, view->source, impl_->compile));
    LARDER_ASSIGN_OR_RETURN(RowWriter writer, RowWriter::Make(*view, view->source));
    fed.push_back({view, std::move(mapper), std::move(writer), nullptr, 0});
  }
  return std::span<const Fed>(fed_.emplace(source, std::move(fed)).first->second);
}

absl::Status StagedEvents::Map(Staged* staged) {
  LARDER_ASSIGN_OR_RETURN(const std::span<const Fed> fed, FedBy(staged->source));
  staged->mapped.clear();
  for (const Fed& view : fed) {
    LARDER_ASSIGN_OR_RETURN(MappedEvents events, view.mapper.Map(staged->batch, nullptr));
    staged->mapped.emplace_back(&view, std::move(events));
  }
  return absl::OkStatus();
}

absl::Status StagedEvents::Write(const ReadSession& session, const Staged& staged) {
  for (const auto& [view, events] : staged.mapped) {
    const Timestamp now = impl_->options.clock();
    RowsResult result;
    if (view->windows != nullptr) {
      result = StageWindows({*view->windows, events, WindowSource(*view->view, view->source_number),
                             view->source_number, now},
                            &windows_[view->view->data_id]);
    } else {
      LARDER_ASSIGN_OR_RETURN(
          result, view->writer->Stage(session, events, now, &rows_[view->view->data_id]));
    }
    LARDER_RETURN_IF_ERROR(
        RowWriter::RefuseRejected(Concat("feature view ", view->view->ToString()), result));
  }
  return absl::OkStatus();
}

absl::StatusOr<const Source*> StagedEvents::SourceIn(const ReadSession& session,
                                                     std::string_view name) {
  LARDER_RETURN_IF_ERROR(impl_->CheckWritable());
  if (layout_seq_ != session.layout_seq()) LARDER_RETURN_IF_ERROR(Rebase(session));
  return PushSource(catalog_, service_->service->project, name);
}

absl::Status StagedEvents::Add(const ReadSession& session, std::string_view source,
                               std::span<const Batch> batches) {
  LARDER_ASSIGN_OR_RETURN(const Source* declared, SourceIn(session, source));
  const std::size_t before = staged_.size();
  const auto add = [&]() -> absl::Status {
    for (const Batch& batch : batches) {
      LARDER_ASSIGN_OR_RETURN(Batch fields, AsFields(*declared, batch));
      if (fields.row_count() == 0) continue;
      staged_.push_back({declared->name, std::move(fields), {}});
      LARDER_RETURN_IF_ERROR(Map(&staged_.back()));
      LARDER_RETURN_IF_ERROR(Write(session, staged_.back()));
    }
    return absl::OkStatus();
  };
  if (absl::Status status = add(); !status.ok()) {
    staged_.resize(before);
    LARDER_RETURN_IF_ERROR(Rebase(session));
    return status;
  }
  for (const Batch& batch : batches) count_ += batch.row_count();
  return absl::OkStatus();
}

absl::Status StagedEvents::Add(const ReadSession& session, std::string_view source,
                               std::span<const Row> rows) {
  LARDER_ASSIGN_OR_RETURN(const Source* declared, SourceIn(session, source));
  std::vector<std::vector<std::size_t>> numbers;
  LARDER_ASSIGN_OR_RETURN(const std::vector<Batch> batches, BatchesOf(*declared, rows, &numbers));
  return Add(session, source, batches);
}

absl::StatusOr<Timestamp> StagedEvents::TimeOf(const ReadSession& session, std::string_view source,
                                               const Row& event) {
  LARDER_ASSIGN_OR_RETURN(const Source* declared, SourceIn(session, source));
  if (declared->event_time.empty()) {
    return FailedPreconditionError("source ", declared->name,
                                   " has no event time to serve a request at: use Stage");
  }
  std::vector<std::vector<std::size_t>> numbers;
  LARDER_ASSIGN_OR_RETURN(const std::vector<Batch> batches,
                          BatchesOf(*declared, {&event, 1}, &numbers));
  const Column* const given = batches.front().Find(declared->event_time);
  const std::string what = Concat("source ", declared->name, ", ", declared->event_time);
  if (given == nullptr || !given->IsValid(0)) return InvalidArgumentError(what, ": no event time");
  LARDER_ASSIGN_OR_RETURN(const Column instants, WidenColumn(*given, TypeId::kTimestamp, what));
  return Timestamp{instants.Values<int64_t>()[0]};
}

absl::Status StagedEvents::Rebase(const ReadSession& session) {
  rows_.clear();
  windows_.clear();
  if (layout_seq_ != session.layout_seq()) {
    for (Staged& staged : staged_) staged.mapped.clear();
    fed_.clear();
    layout_seq_.reset();
    LARDER_ASSIGN_OR_RETURN(catalog_, impl_->CatalogIn(session));
    for (Staged& staged : staged_) LARDER_RETURN_IF_ERROR(Map(&staged));
    layout_seq_ = session.layout_seq();
  }
  for (const Staged& staged : staged_) LARDER_RETURN_IF_ERROR(Write(session, staged));
  return absl::OkStatus();
}

void StagedEvents::Clear() {
  staged_.clear();
  rows_.clear();
  windows_.clear();
  count_ = 0;
}

const StagedRows* StagedEvents::RowsOf(uint32_t data_id) const {
  const auto found = rows_.find(data_id);
  return found == rows_.end() || found->second.empty() ? nullptr : &found->second;
}

std::span<const WindowKey::Version> StagedEvents::WindowsOf(uint32_t data_id,
                                                            std::string_view key) const {
  const auto of_view = windows_.find(data_id);
  if (of_view == windows_.end() || key.data() == nullptr) return {};
  const auto found = of_view->second.find(key);
  return found == of_view->second.end() ? std::span<const WindowKey::Version>()
                                        : std::span<const WindowKey::Version>(found->second);
}

absl::StatusOr<PushResult> StagedEvents::Push(PushOptions options) const {
  if (options.project.empty()) options.project = service_->service->project;
  std::vector<PushedBatch> batches;
  for (const Staged& staged : staged_) batches.push_back({staged.source, &staged.batch, {}});
  return PushBatches(*impl_, batches, options);
}

}  // namespace larder::inline LARDER_ABI
