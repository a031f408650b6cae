#include "larder/feature_store.h"

std::size_t Use(const larder::FeatureStore& store) {
#ifdef LARDER_MISTAKE
  const std::span<const larder::Field> inputs = (*store.Bind("s")).inputs();
#else
  const larder::ServingPlan plan = store.Bind("s").value();
  const std::span<const larder::Field> inputs = plan.inputs();
#endif
  return inputs.size();
}
