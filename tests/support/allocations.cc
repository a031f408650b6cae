#include "support/allocations.h"

#include <cstdlib>
#include <new>

namespace {
thread_local std::size_t allocations = 0;
thread_local std::size_t largest = 0;

void Note(std::size_t size) {
  ++allocations;
  if (size > largest) largest = size;
}
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"  // it does not see that both are replaced
#endif

// malloc and free, so that sanitizers still see every block.
void* operator new(std::size_t size) {
  Note(size);
  void* block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  Note(size);
  return std::malloc(size == 0 ? 1 : size);
}
void operator delete(void* block, const std::nothrow_t&) noexcept { std::free(block); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace larder_test {

std::size_t Allocations() { return allocations; }
std::size_t TakeLargestAllocation() {
  const std::size_t size = largest;
  largest = 0;
  return size;
}

}  // namespace larder_test
