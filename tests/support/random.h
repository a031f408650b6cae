// Random tests: one engine whose seed can be given back. Show it with INFO(random.Describe()).
#pragma once

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <string_view>

namespace larder_test {

class Random {
 public:
  // The seed is the environment's LARDER_SEED, or a new one for every run.
  Random() : Random(SeedFromEnvironment()) {}
  explicit Random(uint64_t seed) : seed_(seed), engine_(seed) {}

  [[nodiscard]] std::string Describe() const { return "LARDER_SEED=" + std::to_string(seed_); }
  [[nodiscard]] uint64_t seed() const { return seed_; }
  [[nodiscard]] std::mt19937_64& engine() { return engine_; }

  uint64_t Bits() { return engine_(); }
  // Uniform over [low, high].
  int64_t Between(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine_);
  }
  bool OneIn(int64_t n) { return Between(1, n) == 1; }
  // Any integer, small and extreme ones far more often than chance would have it.
  int64_t AnyInteger() {
    switch (Between(0, 3)) {
      case 0:
        return Between(-3, 12);
      case 1:
        return std::numeric_limits<int64_t>::min() + Between(0, 3);
      case 2:
        return std::numeric_limits<int64_t>::max() - Between(0, 3);
      default:
        return static_cast<int64_t>(Bits()) >> Between(0, 62);
    }
  }
  // Up to `size_max` bytes drawn from `alphabet`.
  std::string Text(std::size_t size_max, std::string_view alphabet) {
    std::string text(static_cast<std::size_t>(Between(0, static_cast<int64_t>(size_max))), '\0');
    for (char& c : text) {
      c = alphabet[static_cast<std::size_t>(Between(0, static_cast<int64_t>(alphabet.size()) - 1))];
    }
    return text;
  }

 private:
  static uint64_t SeedFromEnvironment() {
    if (const char* text = std::getenv("LARDER_SEED")) return std::strtoull(text, nullptr, 10);
    return std::random_device{}();
  }

  uint64_t seed_;
  std::mt19937_64 engine_;
};

}  // namespace larder_test
