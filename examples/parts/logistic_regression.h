// A small model: logistic regression over a service's tensor.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "larder/base/status.h"
#include "larder/feature_store.h"

namespace examples {

// Rows of features and what happened.
struct Examples {
  std::size_t width = 0;
  std::vector<float> features;  // row-major; NaN where there is none
  std::vector<bool> happened;
  [[nodiscard]] std::size_t rows() const { return happened.size(); }
  [[nodiscard]] std::span<const float> Row(std::size_t i) const {
    return std::span<const float>(features).subspan(i * width, width);
  }
};

// A training set as the model's tensor, in the plan's order; the bool column `label` says what happened. Every output is
// one number wide.
[[nodiscard]] absl::StatusOr<Examples> ExamplesOf(const larder::ServingPlan& plan,
                                                  const larder::TrainingSet& set,
                                                  const std::string& label);

class Model {
 public:
  // The same examples give the same model.
  static Model Train(const Examples& examples);

  // The higher, the likelier. One per row of `tensor`.
  void Score(std::span<const float> tensor, std::span<float> scores) const;
  [[nodiscard]] std::span<const float> weights() const { return weights_; }

 private:
  [[nodiscard]] float ScoreRow(std::span<const float> row) const;
  std::vector<float> means_;   // of the features as Shaped has them
  std::vector<float> scales_;  // one over their deviation
  std::vector<float> weights_;
  float bias_ = 0;
};

// How often a row where it happened has a higher score than one where it did not: 0.5 is chance, 1 is perfect.
[[nodiscard]] double AreaUnderCurve(std::span<const float> scores,
                                    const std::vector<bool>& happened);

}  // namespace examples
