#include "larder/feature_store.h"

bool Use(const larder::FeatureStore& store, const larder::HistoricalRequest& request) {
#ifdef LARDER_MISTAKE
  const larder::TrainingFeature* feature = store.GetHistoricalFeatures(request).value().Find("f");
#else
  const larder::TrainingSet set = store.GetHistoricalFeatures(request).value();
  const larder::TrainingFeature* feature = set.Find("f");
#endif
  return feature != nullptr;
}
