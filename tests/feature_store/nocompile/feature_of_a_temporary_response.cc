#include "larder/feature_store.h"

bool Use(const larder::FeatureStore& store, const larder::OnlineRequest& request) {
#ifdef LARDER_MISTAKE
  const larder::FeatureValues* feature = store.GetOnlineFeatures(request).value().Find("f");
#else
  const larder::OnlineResponse response = store.GetOnlineFeatures(request).value();
  const larder::FeatureValues* feature = response.Find("f");
#endif
  return feature != nullptr;
}
