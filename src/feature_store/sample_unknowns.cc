#include "feature_store/sample_unknowns.h"

#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

std::size_t Index(int i) { return static_cast<std::size_t>(i); }

}  // namespace

SampleUnknowns::SampleUnknowns(const BoundService& service) : service_(service) {
  for (const BoundUse& use : service.uses) uses_.emplace_back(use.view->features.size());
}

void SampleUnknowns::AddUse(std::size_t u, const SampledRows& rows) {
  const BoundUse& use = service_.uses[u];
  std::string key_reason;
  for (const BoundKey& key : use.keys) {
    if (key.use >= 0) key_reason = uses_[Index(key.use)][Index(key.feature)];
    if (!key_reason.empty()) break;
  }
  for (std::size_t f = 0; f < uses_[u].size(); ++f) {
    const FeatureColumn& feature = use.view->features[f];
    std::string& reason = uses_[u][f];
    reason = key_reason;
    const auto look = [&](int stored) {
      const auto found = rows.missing.find(stored);
      if (found != rows.missing.end()) reason = found->second;
    };
    look(feature.stored);
    for (const FeatureColumn::Input& input : feature.inputs) look(input.stored);
  }
}

void SampleUnknowns::AddOnDemand() {
  for (const BoundOnDemand& view : service_.on_demand) {
    std::string reason;
    for (const BoundOnDemand::Input& input : view.inputs) {
      if (input.input >= 0) {
        const auto found = requests_.find(Index(input.input));
        if (found != requests_.end()) reason = found->second;
      } else {
        reason = input.use >= 0 ? uses_[Index(input.use)][Index(input.feature)]
                                : on_demand_[Index(input.on_demand)];
      }
      if (!reason.empty()) break;
    }
    on_demand_.push_back(std::move(reason));
  }
}

const std::string& SampleUnknowns::ReasonOf(const ServiceOutput& output) const {
  return output.on_demand ? on_demand_[Index(output.use)]
                          : uses_[Index(output.use)][Index(output.feature)];
}

}  // namespace larder::inline LARDER_ABI
