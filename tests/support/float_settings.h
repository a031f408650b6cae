// Changes this thread's floating-point settings for one scope.
#pragma once

#include <cfenv>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace larder_test {

// Restores on destruction what it found.
class FloatSettings {
 public:
  FloatSettings() { std::fegetenv(&before_); }
  ~FloatSettings() { std::fesetenv(&before_); }
  FloatSettings(const FloatSettings&) = delete;
  FloatSettings& operator=(const FloatSettings&) = delete;

#if defined(__x86_64__)
  static constexpr unsigned kFlushResults = 0x8000;  // FTZ
  static constexpr unsigned kFlushOperands = 0x40;   // DAZ
  static void Set(unsigned bit) { _mm_setcsr(_mm_getcsr() | bit); }
#endif

 private:
  std::fenv_t before_;
};

}  // namespace larder_test
