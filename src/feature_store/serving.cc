#include "larder/feature_store/serving.h"

#include <utility>

#include "feature_store/serving_state.h"
#include "feature_store/store_impl.h"
#include "larder/base/float_environment.h"

namespace larder::inline LARDER_ABI {

ServingPlan::ServingPlan(std::shared_ptr<const BoundService> bound) : bound_(std::move(bound)) {}

std::string ServingPlan::service() const { return bound_->name; }
uint64_t ServingPlan::revision() const { return bound_->catalog.revision(); }
std::span<const Field> ServingPlan::inputs() const& { return bound_->inputs; }
std::span<const std::string> ServingPlan::outputs() const& { return bound_->tensor_names; }
std::size_t ServingPlan::width() const { return bound_->tensor_width; }
std::span<const std::size_t> ServingPlan::offsets() const& { return bound_->tensor_offsets; }
TypeId ServingPlan::dtype() const { return bound_->dtype; }

InputColumn InputColumn::Broadcast(int64_t value) {
  InputColumn column;
  column.broadcast_ = true;
  column.integer_ = value;
  return column;
}
InputColumn InputColumn::Broadcast(uint64_t value) {
  InputColumn column = Broadcast(static_cast<int64_t>(value));
  column.kind_ = Kind::kUnsigned;
  return column;
}
InputColumn InputColumn::Broadcast(double value) {
  InputColumn column;
  column.kind_ = Kind::kDouble;
  column.broadcast_ = true;
  column.double_ = value;
  return column;
}
InputColumn InputColumn::Broadcast(std::string_view value) {
  InputColumn column;
  column.kind_ = Kind::kText;
  column.broadcast_ = true;
  column.text_ = value;
  return column;
}
InputColumn InputColumn::Of(std::span<const int64_t> values) {
  InputColumn column;
  column.size_ = values.size();
  column.integers_ = values.data();
  return column;
}
InputColumn InputColumn::Of(std::span<const uint64_t> values) {
  InputColumn column;
  column.kind_ = Kind::kUnsigned;
  column.size_ = values.size();
  column.integers_ = reinterpret_cast<const int64_t*>(values.data());
  return column;
}
InputColumn InputColumn::Of(std::span<const double> values) {
  InputColumn column;
  column.kind_ = Kind::kDouble;
  column.size_ = values.size();
  column.doubles_ = values.data();
  return column;
}
InputColumn InputColumn::Of(std::span<const std::string_view> values) {
  InputColumn column;
  column.kind_ = Kind::kText;
  column.size_ = values.size();
  column.texts_ = values.data();
  return column;
}

absl::StatusOr<ServingPlan> FeatureStore::Bind(std::string_view service,
                                               std::string_view project) const {
  LARDER_RETURN_IF_ERROR(CheckFloatEnvironment());
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
  FeatureRequest request;
  request.project = project;
  request.service = service;
  LARDER_ASSIGN_OR_RETURN(std::shared_ptr<const BoundService> bound,
                          impl_->Resolve(catalog, request));
  LARDER_RETURN_IF_ERROR(impl_->CheckReady(session, *bound));
  return ServingPlan(std::move(bound));
}

absl::StatusOr<ServingSession> FeatureStore::OpenSession(const ServingPlan& plan) const {
  LARDER_RETURN_IF_ERROR(CheckFloatEnvironment());
  LARDER_ASSIGN_OR_RETURN(ReadSession session, ReadSession::Open(impl_->environment));
  return ServingSession(
      std::make_unique<ServingSession::State>(impl_, plan.bound_, std::move(session)));
}

ServingSession::ServingSession(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServingSession::ServingSession(ServingSession&&) noexcept = default;
ServingSession& ServingSession::operator=(ServingSession&&) noexcept = default;
ServingSession::~ServingSession() = default;

absl::Status ServingSession::Refresh() { return state_->Refresh(); }
uint64_t ServingSession::commit_seq() const { return state_->commit_seq(); }
absl::Status ServingSession::Prefault() { return state_->Prefault(); }
Receipt ServingSession::receipt() const { return state_->receipt(); }

void ServingSession::SetKnownAt(std::optional<Timestamp> known_at) { state_->SetKnownAt(known_at); }
absl::Status ServingSession::Stage(std::string_view source, std::span<const Row> events) {
  return state_->Stage(source, events);
}
absl::Status ServingSession::Stage(std::string_view source, const Batch& events) {
  return state_->Stage(source, events);
}
absl::StatusOr<Timestamp> ServingSession::For(std::string_view source, const Row& event) {
  return state_->For(source, event);
}
std::size_t ServingSession::staged_count() const { return state_->staged_count(); }
absl::StatusOr<PushResult> ServingSession::Commit(const PushOptions& options) {
  return state_->Commit(options);
}
void ServingSession::Drop() { state_->Drop(); }

absl::Status ServingSession::Fill(std::span<const InputColumn> inputs, Timestamp as_of,
                                  Tensor<float> out, std::span<FeatureStatus> statuses) {
  return state_->Fill(inputs, as_of, out, statuses);
}
absl::Status ServingSession::Fill(std::span<const InputColumn> inputs, Timestamp as_of,
                                  Tensor<double> out, std::span<FeatureStatus> statuses) {
  return state_->Fill(inputs, as_of, out, statuses);
}

}  // namespace larder::inline LARDER_ABI
