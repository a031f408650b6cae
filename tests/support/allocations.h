// Counting the heap's use. A program that links allocations.cc has its operator new replaced.
#pragma once

#include <cstddef>

namespace larder_test {

// By this thread since it began.
[[nodiscard]] std::size_t Allocations();
// Bytes of the largest since this was last asked, by this thread.
std::size_t TakeLargestAllocation();

}  // namespace larder_test
