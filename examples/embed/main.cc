// Defines a feature, pushes one event, serves the feature. Run it twice: the store is still there.
#include <cstdio>

#include "larder/feature_store.h"
#include "larder/registry/definitions_json.h"

constexpr char kDefinitions[] = R"({"larder": 1, "project": "shop",
  "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]}],
  "sources": [{"name": "carts", "kind": "push", "event_time": "at", "fields": [
    {"name": "user_id", "type": "int64"}, {"name": "net", "type": "float64"},
    {"name": "at", "type": "timestamp"}]}],
  "feature_views": [{"name": "cart", "entities": ["user"], "source": "carts",
                     "features": [{"name": "gross", "expr": "net * 1.25"}]}]})";

int main() {
  larder::FeatureStore store = larder::FeatureStore::Open("embed_store").value();
  store.Apply(larder::ParseDefinitions(kDefinitions, "main.cc").value()).value();
  const std::vector<larder::Row> events = {{{"user_id", 12345}, {"net", 8.0}, {"at", store.Now()}}};
  store.Push("carts", events).value();

  larder::OnlineRequest request;
  request.what.features = {"cart:gross"};
  request.rows = {{{"user_id", 12345}}};
  const larder::OnlineResponse response = store.GetOnlineFeatures(request).value();
  const larder::FeatureValues& gross = response.features[0];
  std::printf("user 12345: gross = %s\n", larder::FormatValue(gross.values.ValueAt(0)).c_str());
}
