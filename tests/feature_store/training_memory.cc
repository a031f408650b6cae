// Makes a training set within a budget of memory and says what it took: `STORE SPINE BUDGET`, for training_memory_test.cc.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "larder/feature_store.h"
#include "larder/io/record_reader.h"
#include "larder/training/dataset_content.h"
#include "support/process_memory.h"

namespace {

class HashRows : public larder::TrainingSink {
 public:
  absl::Status Begin(const larder::TrainingSet& set) override {
    hasher_.Add(set.rows);
    return absl::OkStatus();
  }
  absl::Status Take(const larder::TrainingSet& piece) override {
    hasher_.Add(piece.rows);
    return absl::OkStatus();
  }
  [[nodiscard]] std::string Sha256() && { return std::move(hasher_).Finish().sha256; }

 private:
  larder::DatasetHasher hasher_;
};

absl::Status Make(const std::string& path, const std::string& spine_path, uint64_t budget) {
  LARDER_ASSIGN_OR_RETURN(const larder::FeatureStore store, larder::FeatureStore::Open(path));
  larder::HistoricalRequest request;
  request.what.service = "model";
  request.time_column = "t";
  request.thread_count = 2;
  request.memory_budget = budget;
  LARDER_ASSIGN_OR_RETURN(const auto spine, store.OpenSpine(spine_path, &request));
  HashRows sink;
  const int64_t idle = larder_test::ProcessMemory("VmRSS:");
  LARDER_RETURN_IF_ERROR(store.StreamHistoricalFeatures(request, *spine, sink));
  std::cout << larder_test::ProcessMemory("VmHWM:") - idle << ' ' << std::move(sink).Sha256()
            << '\n';
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const absl::Status made = Make(argv[1], argv[2], std::strtoull(argv[3], nullptr, 10));
  if (!made.ok()) std::cerr << made << '\n';
  return made.ok() ? 0 : 1;
}
