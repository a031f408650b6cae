#include "larder/feature_store.h"

larder::ServingPlan MakePlan();

#ifdef LARDER_MISTAKE
std::span<const std::string> Use() {
  const larder::ServingPlan plan = MakePlan();
  return plan.outputs();
}
#else
std::size_t Use() {
  const larder::ServingPlan plan = MakePlan();
  return plan.outputs().size();
}
#endif
