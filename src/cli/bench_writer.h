// Pushes at a steady rate beside the threads that serve.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store.h"

namespace larder::inline LARDER_ABI {
namespace cli {

struct WriterShape {
  std::string store;  // directory
  std::string project;
  std::string service;
  std::string source;  // these two as ReadBenchEvents
  std::string file;
  double rate = 0;        // rows a second
  std::size_t batch = 1;  // rows of a push
};

struct WriterResult {
  std::string source;
  uint64_t pushes = 0;
  uint64_t rows = 0;
  uint64_t written = 0;  // rows of views: a source may feed several
  uint64_t not_newer = 0;
  double seconds = 0;
  int64_t push_p50_ns = 0;
  int64_t push_p99_ns = 0;
  int64_t push_max_ns = 0;
};

using StoreOpener = std::function<absl::StatusOr<FeatureStore>(const std::string& path)>;

// A writer in a thread, or in a process of its own. Stops when it is destroyed.
class BenchWriter {
 public:
  virtual ~BenchWriter() = default;
  // Opens the store and reads the events; pushes from then on. Errors: what either answers.
  virtual absl::Status Start(const WriterShape& shape) = 0;
  // Errors: the first of a push, after which the writer had stopped.
  virtual absl::StatusOr<WriterResult> Stop() = 0;
};

[[nodiscard]] std::unique_ptr<BenchWriter> MakeThreadWriter(StoreOpener open);
// Forks at once, and the child waits. Requires: this process has no other thread yet and no store open that the child
// would use. Errors: kUnavailable when the system makes no process.
[[nodiscard]] absl::StatusOr<std::unique_ptr<BenchWriter>> MakeProcessWriter(StoreOpener open);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
