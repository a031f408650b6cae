#include "feature_store/staged_events.h"

#include <algorithm>
#include <set>
#include <utility>

#include "feature_store/push.h"
#include "feature_store/widen.h"
#include "feature_store/window_writer.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<StagedEvents::Fed> StagedEvents::MakeFed(const ViewVersion& view,
                                                        const Source& source) {
  if (view.is_aggregate()) {
    LARDER_ASSIGN_OR_RETURN(WindowPlan made, WindowPlan::Make(view, impl_->compile));
    IntoWindows into;
    into.plan = std::make_unique<const WindowPlan>(std::move(made));
    into.source_number = NumberOfSource(view, source.name);
    into.keys = &windows_[view.data_id];
    LARDER_ASSIGN_OR_RETURN(
        EventMapper mapper,
        EventMapper::Make(into.plan->rows(), WindowSource(view, into.source_number),
                          impl_->compile));
    return Fed{&view, std::move(mapper), {}, std::move(into), {}};
  }
  LARDER_ASSIGN_OR_RETURN(EventMapper mapper, EventMapper::Make(view, view.source, impl_->compile));
  LARDER_ASSIGN_OR_RETURN(RowWriter writer, RowWriter::Make(view, view.source));
  return Fed{
      &view, std::move(mapper), {}, IntoRows{std::move(writer), &rows_[view.data_id], {}}, {}};
}

absl::StatusOr<StagedEvents::SourcePlan> StagedEvents::MakePlan(const Source& source) {
  const std::string& project = service_->service->project;
  std::set<uint32_t> data_ids;
  for (const BoundUse& use : service_->uses) data_ids.insert(use.view->data_id);
  SourcePlan plan;
  plan.source = &source;
  for (const ViewVersion* view :
       catalog_.ViewsOfSource(project, source.name, impl_->options.clock())) {
    // Versions that store the same share their rows: one of them stands for all.
    if (data_ids.erase(view->data_id) == 0) continue;
    LARDER_ASSIGN_OR_RETURN(Fed fed, MakeFed(*view, source));
    plan.fed.push_back(std::move(fed));
  }
  return plan;
}

absl::StatusOr<StagedEvents::SourcePlan*> StagedEvents::PlanOf(const ReadSession& session,
                                                               std::string_view source) {
  LARDER_RETURN_IF_ERROR(impl_->CheckWritable());
  if (layout_seq_ != session.layout_seq()) LARDER_RETURN_IF_ERROR(Rebase(session));
  const auto known = plans_.find(source);
  if (known != plans_.end()) return &known->second;
  LARDER_ASSIGN_OR_RETURN(const Source* const declared,
                          PushSource(catalog_, service_->service->project, source));
  LARDER_ASSIGN_OR_RETURN(SourcePlan plan, MakePlan(*declared));
  return &plans_.emplace(source, std::move(plan)).first->second;
}

void StagedEvents::TakeShape(SourcePlan& plan, const Batch& batch) {
  if (plan.shape && plan.shape->HasShapeOf(batch)) return;
  plan.shape = batch;
  plan.shape->Truncate(0);
  plan.shape_number = ++shapes_;
  for (Fed& fed : plan.fed) fed.places = fed.mapper.PlacesIn(batch);
}

absl::Status StagedEvents::Write(const ReadSession& session, SourcePlan& plan, const Batch& batch) {
  const Timestamp now = impl_->options.clock();
  for (Fed& fed : plan.fed)
    LARDER_RETURN_IF_ERROR(fed.mapper.Map(batch, fed.places, nullptr, &fed.events));
  for (Fed& fed : plan.fed) {
    RowsResult result;
    if (auto* const rows = std::get_if<IntoRows>(&fed.into)) {
      const RowsToWrite to_write = rows->writer.RowsOf(fed.events, std::nullopt, &rows->frame);
      LARDER_ASSIGN_OR_RETURN(result, rows->rows->Prepare(session, to_write, now));
    } else {
      const auto& windows = std::get<IntoWindows>(fed.into);
      result =
          StageWindows({*windows.plan, fed.events, WindowSource(*fed.view, windows.source_number),
                        windows.source_number, now},
                       windows.keys);
    }
    if (result.rejected_count() > 0)
      return RowWriter::RefuseRejected(Concat("feature view ", fed.view->ToString()), result);
  }
  for (Fed& fed : plan.fed) {
    auto* const rows = std::get_if<IntoRows>(&fed.into);
    if (rows != nullptr) LARDER_RETURN_IF_ERROR(rows->rows->Merge(session));
  }
  return absl::OkStatus();
}

StagedEvents::Staged& StagedEvents::SlotFor(const SourcePlan& plan) {
  const auto fits = [&](const Staged& slot) { return slot.shape_number == plan.shape_number; };
  if (used_ > 0 && fits(staged_[used_ - 1])) return staged_[used_ - 1];
  const auto spare = staged_.begin() + static_cast<std::ptrdiff_t>(used_);
  const auto found = std::find_if(spare, staged_.end(), fits);
  if (found == staged_.end()) {
    staged_.insert(spare, {plan.shape_number, plan.source->name, *plan.shape});
  } else {
    std::swap(*found, *spare);
  }
  return staged_[used_++];
}

absl::Status StagedEvents::AddBatch(const ReadSession& session, SourcePlan& plan,
                                    const Batch& batch) {
  if (batch.row_count() == 0) return absl::OkStatus();
  LARDER_RETURN_IF_ERROR(Write(session, plan, batch));
  SlotFor(plan).batch.AppendRows(batch);
  return absl::OkStatus();
}

absl::Status StagedEvents::Add(const ReadSession& session, std::string_view source,
                               std::span<const Batch> batches) {
  LARDER_RETURN_IF_ERROR(status_);
  LARDER_ASSIGN_OR_RETURN(SourcePlan* const plan, PlanOf(session, source));
  const std::size_t used_before = used_;
  const std::size_t rows_before = used_ == 0 ? 0 : staged_[used_ - 1].batch.row_count();
  const auto add = [&](const Batch& batch) -> absl::Status {
    // Columns of the types declared are taken as they are.
    if (plan->shape && plan->shape->HasShapeOf(batch)) return AddBatch(session, *plan, batch);
    absl::StatusOr<Batch> fields = AsFields(*plan->source, batch);
    if (!fields.ok()) return fields.status();
    TakeShape(*plan, *fields);
    return AddBatch(session, *plan, *fields);
  };
  for (const Batch& batch : batches) {
    absl::Status status = add(batch);
    if (status.ok()) continue;
    // Some views may have taken some of the rows: all are built again from the events before.
    while (used_ > used_before) staged_[--used_].batch.Truncate(0);
    if (used_ > 0) staged_[used_ - 1].batch.Truncate(rows_before);
    static_cast<void>(Rebase(session));  // should it fail, status() says so
    return status;
  }
  for (const Batch& batch : batches) count_ += batch.row_count();
  return absl::OkStatus();
}

absl::Status StagedEvents::Add(const ReadSession& session, std::string_view source,
                               std::span<const Row> rows) {
  LARDER_RETURN_IF_ERROR(status_);
  LARDER_ASSIGN_OR_RETURN(const SourcePlan* const plan, PlanOf(session, source));
  std::vector<std::vector<std::size_t>> numbers;
  LARDER_ASSIGN_OR_RETURN(const std::vector<Batch> batches,
                          BatchesOf(*plan->source, rows, &numbers));
  return Add(session, source, batches);
}

absl::StatusOr<Timestamp> StagedEvents::TimeOf(const ReadSession& session, std::string_view source,
                                               const Row& event) {
  LARDER_ASSIGN_OR_RETURN(const SourcePlan* const plan, PlanOf(session, source));
  const Source* const declared = plan->source;
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
  const auto rebase = [&]() -> absl::Status {
    ClearViews();
    if (layout_seq_ != session.layout_seq()) {
      layout_seq_.reset();
      plans_.clear();
      rows_.clear();
      windows_.clear();
      LARDER_ASSIGN_OR_RETURN(catalog_, impl_->CatalogIn(session));
      layout_seq_ = session.layout_seq();
    }
    for (std::size_t i = 0; i < used_; ++i) {
      LARDER_ASSIGN_OR_RETURN(SourcePlan* const plan, PlanOf(session, staged_[i].source));
      TakeShape(*plan, staged_[i].batch);
      LARDER_RETURN_IF_ERROR(Write(session, *plan, staged_[i].batch));
    }
    return absl::OkStatus();
  };
  absl::Status status = rebase();
  status_ = used_ > 0 ? status : absl::OkStatus();
  return status;
}

void StagedEvents::ClearViews() {
  for (auto& [data_id, rows] : rows_) rows.Clear();
  for (auto& [data_id, keys] : windows_) keys.clear();
}

void StagedEvents::Clear() {
  while (used_ > 0) staged_[--used_].batch.Truncate(0);
  ClearViews();
  count_ = 0;
  status_ = absl::OkStatus();
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
  for (std::size_t i = 0; i < used_; ++i)
    batches.push_back({staged_[i].source, &staged_[i].batch, {}});
  return PushBatches(*impl_, batches, options);
}

}  // namespace larder::inline LARDER_ABI
