#include "examples/parts/logistic_regression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace examples {
namespace {

using larder::Column;
using larder::TypeId;

constexpr int kPasses = 15;
constexpr float kStep = 0.05F;
constexpr float kShrink = 1e-4F;

// Counts and sums have long tails; what is not there counts as nothing.
float Shaped(float value) { return std::isnan(value) ? 0 : std::asinh(value); }

float TensorValue(const Column& column, std::size_t row) {
  if (!column.IsValid(row)) return std::numeric_limits<float>::quiet_NaN();
  switch (column.type().id()) {
    case TypeId::kBool:
      return static_cast<float>(column.Values<uint8_t>()[row]);
    case TypeId::kInt64:
      return static_cast<float>(column.Values<int64_t>()[row]);
    default:
      return static_cast<float>(column.Values<double>()[row]);
  }
}

}  // namespace

absl::StatusOr<Examples> ExamplesOf(const larder::ServingPlan& plan, const larder::TrainingSet& set,
                                    const std::string& label) {
  Examples examples;
  examples.width = plan.width();
  examples.features.resize(set.rows.row_count() * plan.width());
  for (std::size_t output = 0; output < plan.outputs().size(); ++output) {
    const Column* column = set.rows.Find(plan.outputs()[output]);
    if (column == nullptr) return larder::InternalError("not trained: ", plan.outputs()[output]);
    for (std::size_t row = 0; row < column->size(); ++row)
      examples.features[row * plan.width() + plan.offsets()[output]] = TensorValue(*column, row);
  }
  const Column* happened = set.rows.Find(label);
  if (happened == nullptr) return larder::InternalError("no label in the training set: ", label);
  for (const uint8_t value : happened->Values<uint8_t>()) examples.happened.push_back(value != 0);
  return examples;
}

Model Model::Train(const Examples& examples) {
  const std::size_t width = examples.width;
  Model model;
  model.means_.assign(width, 0);
  model.scales_.assign(width, 1);
  model.weights_.assign(width, 0);
  if (examples.rows() == 0) return model;
  const auto rows = static_cast<double>(examples.rows());
  for (std::size_t c = 0; c < width; ++c) {
    double sum = 0, squares = 0;
    for (std::size_t r = 0; r < examples.rows(); ++r) {
      const double value = static_cast<double>(Shaped(examples.Row(r)[c]));
      sum += value;
      squares += value * value;
    }
    const double mean = sum / rows;
    const double variance = squares / rows - mean * mean;
    model.means_[c] = static_cast<float>(mean);
    model.scales_[c] = variance > 1e-9 ? static_cast<float>(1 / std::sqrt(variance)) : 0;
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    const float step = kStep / static_cast<float>(1 + pass);
    for (std::size_t r = 0; r < examples.rows(); ++r) {
      const std::span<const float> row = examples.Row(r);
      const float chance = 1 / (1 + std::exp(-model.ScoreRow(row)));
      const float error = (examples.happened[r] ? 1.0F : 0.0F) - chance;
      for (std::size_t c = 0; c < width; ++c) {
        const float value = (Shaped(row[c]) - model.means_[c]) * model.scales_[c];
        model.weights_[c] += step * (error * value - kShrink * model.weights_[c]);
      }
      model.bias_ += step * error;
    }
  }
  return model;
}

float Model::ScoreRow(std::span<const float> row) const {
  float score = bias_;
  for (std::size_t c = 0; c < weights_.size(); ++c)
    score += weights_[c] * (Shaped(row[c]) - means_[c]) * scales_[c];
  return score;
}

void Model::Score(std::span<const float> tensor, std::span<float> scores) const {
  const std::size_t width = weights_.size();
  for (std::size_t r = 0; r < scores.size(); ++r)
    scores[r] = ScoreRow(tensor.subspan(r * width, width));
}

double AreaUnderCurve(std::span<const float> scores, const std::vector<bool>& happened) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  double positives = 0, negatives = 0, above = 0;
  for (std::size_t i = 0; i < order.size();) {
    // Equal scores count half.
    double tied_positives = 0, tied_negatives = 0;
    std::size_t end = i;
    for (; end < order.size() && scores[order[end]] == scores[order[i]]; ++end)
      (happened[order[end]] ? tied_positives : tied_negatives) += 1;
    above += tied_positives * (negatives + tied_negatives / 2);
    positives += tied_positives;
    negatives += tied_negatives;
    i = end;
  }
  return positives == 0 || negatives == 0 ? 0.5 : above / (positives * negatives);
}

}  // namespace examples
