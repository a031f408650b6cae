// A load test's outcome, for people and for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/bench_check.h"
#include "cli/bench_run.h"
#include "cli/bench_writer.h"
#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace cli {

struct BenchReport {
  std::string service;  // `fraud_model@2`
  std::size_t features = 0;
  std::size_t keys = 0;  // requests are drawn from
  double skew = 0;
  LoadShape shape;
  LoadResult load;
  ServingCheck check;
  std::optional<WriterResult> writer;
  double writes = 0;  // rows a second asked for
  std::string writer_kind;
};

[[nodiscard]] std::string BenchText(const BenchReport& report);
[[nodiscard]] std::string BenchJson(const BenchReport& report);

// `12.3 us`: three digits.
[[nodiscard]] std::string LatencyText(double ns);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
