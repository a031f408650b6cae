// How long something took, for people.
#pragma once

#include <string>
#include <string_view>

#include "larder/base/latency_histogram.h"

namespace examples {

// A line of percentiles, then one per step of the histogram; each begins with two blanks and ends with a newline.
[[nodiscard]] std::string LatencyText(const larder::LatencyHistogram& latency,
                                      std::string_view what);

}  // namespace examples
