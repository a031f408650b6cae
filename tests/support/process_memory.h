// What the system says of this process's memory.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

namespace larder_test {

// In bytes: `VmRSS:`, what it has now, or `VmHWM:`, the most it had. -1 where the system does not say.
inline int64_t ProcessMemory(std::string_view line) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    int64_t kib = 0;
    if (word == line && status >> kib) return kib * 1024;
  }
  return -1;
}

}  // namespace larder_test
