#include "cli/key_draw.h"

#include <algorithm>
#include <cmath>

namespace larder::inline LARDER_ABI {
namespace cli {

KeyDraw::KeyDraw(std::size_t keys, double skew) : keys_(keys) {
  if (skew == 0) return;
  up_to_.reserve(keys);
  double sum = 0;
  for (std::size_t i = 0; i < keys; ++i) {
    sum += std::pow(static_cast<double>(i + 1), -skew);
    up_to_.push_back(sum);
  }
  for (double& share : up_to_) share /= sum;
}

std::size_t KeyDraw::Next(std::mt19937_64& random) const {
  // 53 bits in [0, 1): the standard distributions give other numbers in other libraries.
  const double at = static_cast<double>(random() >> 11) * 0x1p-53;
  if (up_to_.empty()) {
    return std::min(keys_ - 1, static_cast<std::size_t>(at * static_cast<double>(keys_)));
  }
  const auto found = std::upper_bound(up_to_.begin(), up_to_.end(), at);
  return std::min(keys_ - 1, static_cast<std::size_t>(found - up_to_.begin()));
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
