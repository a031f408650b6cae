// pinned_reader STORE SERVICE: the tensor of SERVICE for items 1 to 4 as of 2025-01-10, as bytes on standard output.
#include <cstdio>
#include <vector>

#include "larder/feature_store.h"

namespace {

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  larder::StoreOptions options;
  options.create_if_missing = false;
  const auto store = larder::FeatureStore::Open(argv[1], options);
  if (!store.ok()) return Fail(store.status());
  const auto plan = store->Bind(argv[2]);
  if (!plan.ok()) return Fail(plan.status());
  auto session = store->OpenSession(*plan);
  if (!session.ok()) return Fail(session.status());
  const std::vector<int64_t> items = {1, 2, 3, 4};
  const std::vector<larder::InputColumn> inputs = {larder::InputColumn::Of(items),
                                                   larder::InputColumn::Broadcast(0.3)};
  std::vector<float> tensor(items.size() * plan->width());
  const larder::Timestamp as_of = larder::ParseTimestamp("2025-01-10T00:00:00Z")->value;
  const absl::Status filled =
      session->Fill(inputs, as_of, larder::Tensor<float>{tensor.data(), items.size(), 0});
  if (!filled.ok()) return Fail(filled);
  return std::fwrite(tensor.data(), sizeof(float), tensor.size(), stdout) == tensor.size() ? 0 : 1;
}
