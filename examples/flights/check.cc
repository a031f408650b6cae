#include "examples/flights/check.h"

#include <bit>
#include <cmath>
#include <map>

#include "examples/flights/spine.h"
#include "larder/base/text.h"
#include "larder/schema/entity_key.h"

namespace flights {
namespace {

using larder::Batch;
using larder::Column;
using larder::FeatureStatus;
using larder::InputColumn;
using larder::Timestamp;
using larder::TypeId;

void Mismatch(std::string what, Comparison* result) {
  if (result->mismatches++ == 0) result->first_mismatch = std::move(what);
}

std::string Describe(const larder::Value& value, FeatureStatus status) {
  return larder::Concat(FormatValue(value), " ", FeatureStatusName(status));
}

// One request for the rows at `indices`, all at `as_of`.
absl::StatusOr<larder::OnlineResponse> Serve(const larder::FeatureStore& store,
                                             const std::string& service,
                                             const larder::ServingPlan& plan, const Batch& rows,
                                             std::span<const std::size_t> indices, Timestamp as_of) {
  larder::OnlineRequest request;
  request.what.service = service;
  request.as_of = as_of;
  for (const std::size_t index : indices) {
    larder::Row row;
    for (const larder::Field& input : plan.inputs())
      row.emplace_back(input.name, rows.Find(input.name)->ValueAt(index));
    request.rows.push_back(std::move(row));
  }
  return store.GetOnlineFeatures(request);
}

absl::Status CompareResponse(const larder::OnlineResponse& response,
                             const larder::TrainingSet& training,
                             std::span<const std::size_t> indices, Comparison* result) {
  if (response.features.size() != training.features.size()) {
    return larder::InternalError("served ", response.features.size(), " features, trained ",
                                 training.features.size());
  }
  for (const larder::TrainingFeature& trained : training.features) {
    const larder::FeatureValues* served = response.Find(trained.name);
    if (served == nullptr) return larder::InternalError("not served: ", trained.name);
    const Column& column = *training.rows.Find(trained.name);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const std::size_t row = indices[i];
      ++result->values;
      if (served->values.ValueAt(i) == column.ValueAt(row) &&
          served->statuses[i] == trained.statuses[row] &&
          served->input_statuses[i] == trained.input_statuses[row] &&
          served->event_times.ValueAt(i) == trained.event_times.ValueAt(row)) {
        continue;
      }
      Mismatch(
          larder::Concat(trained.name, " of flight ", training.rows.Find("flight_id")->Text(row),
                         " at ", FormatTimestamp(response.as_of), ": served ",
                         Describe(served->values.ValueAt(i), served->statuses[i]), " of ",
                         FormatValue(served->event_times.ValueAt(i)), ", trained ",
                         Describe(column.ValueAt(row), trained.statuses[row]), " of ",
                         FormatValue(trained.event_times.ValueAt(row))),
          result);
    }
  }
  return absl::OkStatus();
}

// What the float32 tensor must hold for one value of the training set.
float TensorValue(const Column& column, std::size_t row) {
  if (!column.IsValid(row)) return std::nanf("");
  switch (column.type().id()) {
    case TypeId::kBool:
      return static_cast<float>(column.Values<uint8_t>()[row]);
    case TypeId::kFloat32:
      return column.Values<float>()[row];
    case TypeId::kFloat64:
      return static_cast<float>(column.Values<double>()[row]);
    default:
      return -1;  // The demo's service has no other numbers.
  }
}

absl::Status CompareTensor(larder::ServingSession& session, const larder::ServingPlan& plan,
                           const larder::TrainingSet& training, std::span<const std::size_t> indices,
                           Timestamp as_of, Comparison* result) {
  LARDER_ASSIGN_OR_RETURN(const RequestColumns inputs,
                          RequestColumns::Make(plan, training.rows, indices));
  std::vector<float> tensor(indices.size() * plan.width());
  std::vector<FeatureStatus> statuses(indices.size() * plan.outputs().size());
  LARDER_RETURN_IF_ERROR(session.Fill(
      inputs.columns(), as_of, larder::Tensor<float>{tensor.data(), indices.size(), 0}, statuses));
  for (std::size_t output = 0; output < plan.outputs().size(); ++output) {
    const std::string& name = plan.outputs()[output];
    const Column& column = *training.rows.Find(name);
    const larder::TrainingFeature& trained = *training.Find(name);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const float expected = TensorValue(column, indices[i]);
      const float served = tensor[i * plan.width() + plan.offsets()[output]];
      const bool same_bits = std::bit_cast<uint32_t>(expected) == std::bit_cast<uint32_t>(served);
      ++result->tensor_values;
      if ((same_bits || (std::isnan(expected) && std::isnan(served))) &&
          statuses[i * plan.outputs().size() + output] == trained.statuses[indices[i]]) {
        continue;
      }
      Mismatch(larder::Concat("tensor ", name, " of flight ",
                              training.rows.Find("flight_id")->Text(indices[i]), ": served ",
                              served, ", trained ", expected),
               result);
    }
  }
  return absl::OkStatus();
}

}  // namespace

Comparison& Comparison::operator+=(const Comparison& more) {
  requests += more.requests;
  rows += more.rows;
  values += more.values;
  tensor_values += more.tensor_values;
  if (mismatches == 0) first_mismatch = more.first_mismatch;
  mismatches += more.mismatches;
  return *this;
}

absl::StatusOr<Comparison> CompareWithServing(const larder::FeatureStore& store,
                                              const std::string& service,
                                              const larder::TrainingSet& training,
                                              std::span<const std::size_t> indices) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(service));
  LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));

  const std::span<const int64_t> times = AskTimes(training.rows);
  std::map<int64_t, std::vector<std::size_t>> by_instant;
  for (const std::size_t index : indices) by_instant[times[index]].push_back(index);

  Comparison result;
  for (const auto& [instant, rows] : by_instant) {
    const Timestamp as_of{instant};
    LARDER_ASSIGN_OR_RETURN(const larder::OnlineResponse response,
                            Serve(store, service, plan, training.rows, rows, as_of));
    LARDER_RETURN_IF_ERROR(CompareResponse(response, training, rows, &result));
    LARDER_RETURN_IF_ERROR(CompareTensor(session, plan, training, rows, as_of, &result));
    ++result.requests;
    result.rows += rows.size();
  }
  return result;
}

std::size_t CountOwnFlights(const larder::TrainingSet& training) {
  const Column& flights = *training.rows.Find("flight_id");
  std::size_t own = 0;
  for (const larder::TrainingFeature& feature : training.features) {
    if (feature.event_ids.size() == 0) continue;  // computed, or of a source without event ids
    for (std::size_t row = 0; row < flights.size(); ++row) {
      if (!feature.event_ids.IsValid(row)) continue;
      std::string own_id;
      larder::AppendKeyText(flights.Text(row), &own_id);
      if (feature.event_ids.Text(row) == own_id) ++own;
    }
  }
  return own;
}

absl::StatusOr<RequestColumns> RequestColumns::Make(const larder::ServingPlan& plan,
                                                    const Batch& rows,
                                                    std::span<const std::size_t> indices) {
  RequestColumns made;
  for (const larder::Field& input : plan.inputs()) {
    const Column* column = rows.Find(input.name);
    if (column == nullptr)
      return larder::InvalidArgumentError("no column for the input ", input.name);
    Storage& storage = made.storage_.emplace_back();
    for (const std::size_t row : indices) {
      switch (column->type().id()) {
        case TypeId::kString:
          storage.texts.push_back(column->Text(row));
          break;
        case TypeId::kFloat64:
          storage.doubles.push_back(column->Values<double>()[row]);
          break;
        default:
          storage.integers.push_back(column->Values<int64_t>()[row]);
      }
    }
  }
  for (const Storage& storage : made.storage_) {
    if (!storage.texts.empty()) {
      made.columns_.push_back(InputColumn::Of(std::span<const std::string_view>(storage.texts)));
    } else if (!storage.doubles.empty()) {
      made.columns_.push_back(InputColumn::Of(std::span<const double>(storage.doubles)));
    } else {
      made.columns_.push_back(InputColumn::Of(std::span<const int64_t>(storage.integers)));
    }
  }
  return made;
}

std::vector<InputColumn> RequestColumns::Row(std::size_t row) const {
  std::vector<InputColumn> one;
  for (const InputColumn& column : columns_) {
    switch (column.kind()) {
      case InputColumn::Kind::kText:
        one.push_back(InputColumn::Broadcast(column.text(row)));
        break;
      case InputColumn::Kind::kDouble:
        one.push_back(InputColumn::Broadcast(column.number(row)));
        break;
      default:
        one.push_back(InputColumn::Broadcast(column.integer(row)));
    }
  }
  return one;
}

}  // namespace flights
