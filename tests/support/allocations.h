// Counting the heap's use. A program that links allocations.cc has its operator new replaced.
#pragma once

#include <cstddef>

namespace larder_test {

// By this thread since it began.
[[nodiscard]] std::size_t Allocations();

}  // namespace larder_test
