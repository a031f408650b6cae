// Which key a made-up request asks for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// How requests spread over the keys: all alike, or key number i in proportion to 1 / (i + 1)^skew.
class KeyDraw {
 public:
  // skew 0: uniform. Requires: keys > 0, skew >= 0. Cost: 8 bytes per key unless uniform.
  KeyDraw(std::size_t keys, double skew);
  [[nodiscard]] std::size_t Next(std::mt19937_64& random) const;

 private:
  std::size_t keys_;
  std::vector<double> up_to_;  // the share of requests for keys 0 to i; empty: uniform
};

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
