#include "feature_store/load_columns.h"

#include <algorithm>
#include <span>

namespace larder::inline LARDER_ABI {

absl::StatusOr<LoadColumns> LoadColumns::Find(const ViewVersion& view, const EventMapper& mapper,
                                              const Batch& batch) {
  const Source& source = mapper.source();
  LoadColumns columns;
  LARDER_ASSIGN_OR_RETURN(columns.converted_, mapper.ConvertedEventTimes(batch));
  if (!source.event_time.empty()) columns.times_ = batch.Find(source.event_time);
  const auto find = [&](const std::string& field) {
    return field.empty() ? nullptr : batch.Find(field);
  };
  columns.operations_ = find(source.operation);
  columns.operation_ = source.operation;
  columns.arrivals_ = find(source.arrival_time);
  for (const Field& key : view.keys) {
    if (const Column* const column = find(key.name)) columns.keys_.emplace_back(key.name, column);
  }
  return columns;
}

std::string LoadColumns::ProblemOf(std::size_t row) const {
  if (operations_ != nullptr && operations_->IsValid(row) && !IsOperation(operations_->Text(row)))
    return Concat("column ", operation_, ": expected insert, update, upsert or delete");
  if (times() != nullptr && !times()->IsValid(row)) return "the event time is null";
  for (const auto& [name, column] : keys_) {
    if (!column->IsValid(row)) return Concat("join key ", name, " is null");
  }
  return {};
}

bool LoadColumns::IsIn(const LoadRange& range, std::size_t row) const {
  if (times() == nullptr) return true;
  const Timestamp time{times()->Values<int64_t>()[row]};
  if (time > range.end || (range.start && time < *range.start)) return false;
  if (!range.arrived_since || time > range.loaded_to) return true;
  if (arrivals_ == nullptr || !arrivals_->IsValid(row) || arrivals_->type() != TypeId::kTimestamp)
    return true;
  return Timestamp{arrivals_->Values<int64_t>()[row]} >= *range.arrived_since;
}

bool LoadColumns::AllAreIn(const LoadRange& range) const {
  if (operations_ != nullptr) return false;
  const auto has_nulls = [](const auto& key) { return key.second->CountNulls() > 0; };
  if (std::any_of(keys_.begin(), keys_.end(), has_nulls)) return false;
  if (times() == nullptr) return true;
  if (times()->CountNulls() > 0) return false;
  const std::span<const int64_t> values = times()->Values<int64_t>();
  if (values.empty()) return true;
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  return Timestamp{*greatest} <= range.end && (!range.start || Timestamp{*least} >= *range.start) &&
         (!range.arrived_since || Timestamp{*least} > range.loaded_to);
}

}  // namespace larder::inline LARDER_ABI
