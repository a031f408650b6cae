// Serves one item's prices through the struct that the build made from definitions.json. Says what has changed, and does
// not start, where the store's service is another one.
#include <cstdio>
#include <vector>

#include "larder/feature_store.h"
#include "pricing.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: price_server STORE\n");
    return 2;
  }
  const larder::ServiceContract contract = larder::ContractOf<shop::Pricing>();
  larder::StoreOptions options;
  options.read_only = true;
  options.contracts = {contract};
  const absl::StatusOr<larder::FeatureStore> store = larder::FeatureStore::Open(argv[1], options);
  if (!store.ok()) {
    std::fprintf(stderr, "%s\n", std::string(store.status().message()).c_str());
    return 1;
  }
  const larder::ServingPlan plan = store->Bind(contract).value();
  larder::ServingSession session = store->OpenSession(plan).value();

  const shop::Pricing::Keys keys{.item_id = 7};
  const std::vector<larder::InputColumn> inputs = {larder::InputColumn::Broadcast(keys.item_id)};
  std::vector<double> tensor(plan.width());
  const absl::Status filled =
      session.Fill(inputs, store->Now(), larder::Tensor<double>{tensor.data(), 1, 0});
  if (!filled.ok()) {
    std::fprintf(stderr, "%s\n", std::string(filled.message()).c_str());
    return 1;
  }
  shop::Pricing row;
  row.price = tensor[0];
  row.with_tax = tensor[1];
  std::printf("item %lld: %g, with tax %g\n", static_cast<long long>(keys.item_id), *row.price,
              *row.with_tax);
  return 0;
}
