#include "larder/feature_store.h"

std::size_t Use(const larder::FeatureStore& store) {
#ifdef LARDER_MISTAKE
  const std::span<const std::string> outputs = store.Bind("s").value().outputs();
#else
  const larder::ServingPlan plan = store.Bind("s").value();
  const std::span<const std::string> outputs = plan.outputs();
#endif
  return outputs.size();
}
