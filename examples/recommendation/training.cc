#include "examples/recommendation/training.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <utility>

#include "examples/parts/logistic_regression.h"
#include "larder/base/text.h"

namespace recommendation {
namespace {

using larder::Batch;
using larder::Column;
using larder::FeatureStatus;
using larder::InputColumn;
using larder::Timestamp;
using larder::TypeId;

class SpineBuilder {
 public:
  void Add(int64_t household, std::string_view product, Timestamp at, bool bought) {
    households_.AppendFixed(household);
    products_.AppendText(product);
    times_.AppendFixed(at.us);
    bought_.AppendFixed(static_cast<uint8_t>(bought));
  }
  absl::StatusOr<Batch> Finish() && {
    Batch batch;
    LARDER_RETURN_IF_ERROR(batch.AddColumn("household_id", std::move(households_)));
    LARDER_RETURN_IF_ERROR(batch.AddColumn("product_id", std::move(products_)));
    LARDER_RETURN_IF_ERROR(batch.AddColumn("asked_at", std::move(times_)));
    LARDER_RETURN_IF_ERROR(batch.AddColumn("bought", std::move(bought_)));
    return batch;
  }

 private:
  Column households_{TypeId::kInt64};
  Column products_{TypeId::kString};
  Column times_{TypeId::kTimestamp};
  Column bought_{TypeId::kBool};
};

bool Holds(const Basket& basket, const std::string& product) {
  return std::any_of(basket.lines.begin(), basket.lines.end(),
                     [&](const Line& line) { return line.product == product; });
}

}  // namespace

absl::StatusOr<Batch> SpineOf(std::span<const Basket> baskets, std::span<const std::string> popular,
                              Timestamp from, Timestamp to) {
  SpineBuilder spine;
  std::mt19937_64 random(1);
  for (const Basket& basket : baskets) {
    if (basket.bought_at < from || basket.bought_at >= to) continue;
    const Timestamp asked_at = basket.bought_at.Minus(larder::Duration::Seconds(1));
    for (const Line& line : basket.lines) {
      spine.Add(basket.household, line.product, asked_at, true);
      const std::string& other = popular[random() % popular.size()];
      if (!Holds(basket, other)) spine.Add(basket.household, other, asked_at, false);
    }
  }
  return std::move(spine).Finish();
}

absl::StatusOr<Batch> PairsAt(std::span<const Basket> baskets, std::span<const std::string> popular,
                              std::size_t count, Timestamp instant) {
  SpineBuilder spine;
  std::mt19937_64 random(2);
  for (std::size_t i = 0; i < count; ++i) {
    const Basket& basket = baskets[random() % baskets.size()];
    const std::string& product =
        i % 2 == 0 ? basket.lines[0].product : popular[random() % popular.size()];
    spine.Add(basket.household, product, instant, false);
  }
  return std::move(spine).Finish();
}

absl::StatusOr<larder::TrainingSet> MakeTrainingSet(const larder::FeatureStore& store, Batch spine) {
  larder::HistoricalRequest request;
  request.what.service = kService;
  request.spine = std::move(spine);
  request.time_column = "asked_at";
  return store.GetHistoricalFeatures(request);
}

absl::StatusOr<Agreement> CompareWithServing(const larder::FeatureStore& store,
                                             const larder::TrainingSet& set, Timestamp instant) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(kService));
  LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
  LARDER_ASSIGN_OR_RETURN(const examples::Examples expected,
                          examples::ExamplesOf(plan, set, "bought"));
  std::vector<std::string_view> products;
  for (std::size_t row = 0; row < expected.rows(); ++row)
    products.push_back(set.rows.Find("product_id")->Text(row));
  const InputColumn inputs[] = {InputColumn::Of(set.rows.Find("household_id")->Values<int64_t>()),
                                InputColumn::Of(std::span<const std::string_view>(products))};
  std::vector<float> tensor(expected.features.size());
  std::vector<FeatureStatus> statuses(expected.rows() * plan.outputs().size());
  LARDER_RETURN_IF_ERROR(session.Fill(
      inputs, instant, larder::Tensor<float>{tensor.data(), expected.rows(), 0}, statuses));

  Agreement result;
  for (std::size_t i = 0; i < tensor.size(); ++i) {
    const std::size_t row = i / plan.width();
    // Every output is one number wide.
    const std::string& name = plan.outputs()[i % plan.width()];
    const FeatureStatus trained = set.Find(name)->statuses[row];
    ++result.values;
    if (trained == FeatureStatus::kPresent) ++result.present;
    const bool same =
        std::bit_cast<uint32_t>(tensor[i]) == std::bit_cast<uint32_t>(expected.features[i]) ||
        (std::isnan(tensor[i]) && std::isnan(expected.features[i]));
    if (same && statuses[i] == trained) continue;
    if (result.mismatches++ > 0) continue;
    result.first_mismatch = larder::Concat(
        name, " of household ", set.rows.Find("household_id")->Values<int64_t>()[row], ", product ",
        products[row], " at ", FormatTimestamp(instant), ": served ", tensor[i], " ",
        FeatureStatusName(statuses[i]), ", trained ", expected.features[i], " ",
        FeatureStatusName(trained));
  }
  return result;
}

}  // namespace recommendation
