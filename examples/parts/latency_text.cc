#include "examples/parts/latency_text.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "larder/base/text.h"

namespace examples {
namespace {

std::string Milliseconds(int64_t ns, int width) {
  char text[32];
  std::snprintf(text, sizeof text, "%*.3f", width, static_cast<double>(ns) * 1e-6);
  return text;
}

}  // namespace

std::string LatencyText(const larder::LatencyHistogram& latency, std::string_view what) {
  const auto at = [&](double quantile) { return Milliseconds(latency.ValueAt(quantile), 0); };
  std::string text = larder::Concat("  ", what, ": p50 ", at(0.5), " ms, p90 ", at(0.9), ", p99 ",
                                    at(0.99), ", p99.9 ", at(0.999), ", max ", at(1), "\n");
  uint64_t highest = 1;
  for (const larder::LatencyHistogram::Step& step : latency.Steps())
    highest = std::max(highest, step.count);
  for (const larder::LatencyHistogram::Step& step : latency.Steps()) {
    const auto marks = static_cast<std::size_t>((step.count * 50 + highest - 1) / highest);
    char count[32];
    std::snprintf(count, sizeof count, "%8llu", static_cast<unsigned long long>(step.count));
    text += larder::Concat("  up to ", Milliseconds(step.high_ns, 8), " ms ", count, "  ",
                           std::string(marks, '#'), "\n");
  }
  return text;
}

}  // namespace examples
