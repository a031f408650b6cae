// Elementary functions at every vector width this processor has.
#include "transform/elementary.h"

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "support/catch.h"
#include "transform/random_program.h"
#include "transform/vector_width.h"

namespace larder_test {
namespace {

namespace elementary = larder::transform::elementary;

struct Function {
  const char* name;
  double (*one)(double);
  void (*many)(const double*, double*, std::size_t);
};

constexpr Function kFunctions[] = {
#define LARDER_ROW(name) {#name, elementary::name::One, elementary::name::Many},
    LARDER_ELEMENTARY_FUNCTIONS(LARDER_ROW)
#undef LARDER_ROW
};

bool SameBits(double a, double b) {
  return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

TEST_CASE("no vector width changes a bit of an elementary function", "[transform][random]") {
  const uint64_t seed = SeedFromEnvironment(31);
  INFO("LARDER_SEED=" << seed);
  std::mt19937_64 random(seed);
  std::vector<double> x = {0.0,  -0.0, 1.0, -1.0,     5e-324,   2.2250738585072014e-308,
                           1e16, 1e22, 709, 1e308,    -745.2,   1.7976931348623157e308,
                           0.5,  -0.5, NAN, INFINITY, -INFINITY};
  while (x.size() < 60'003) {  // of any size, and of those most functions are used with
    const uint64_t bits = random();
    x.push_back(x.size() % 3 == 0 ? std::bit_cast<double>(bits)
                                  : static_cast<double>(static_cast<int64_t>(bits)) / 4.6e17);
  }
  std::vector<double> out(x.size());
  for (const std::size_t bytes : {16, 32, 64}) {
    if (larder::transform::LimitVectorBytesForTesting(bytes) != bytes) continue;
    for (const Function& function : kFunctions) {
      function.many(x.data(), out.data(), x.size());
      for (std::size_t i = 0; i < x.size(); ++i) {
        if (SameBits(out[i], function.one(x[i]))) continue;
        INFO(function.name << "(" << x[i] << ") in " << bytes << " bytes");
        REQUIRE(std::bit_cast<uint64_t>(out[i]) == std::bit_cast<uint64_t>(function.one(x[i])));
      }
    }
  }
  larder::transform::LimitVectorBytesForTesting(64);
}

}  // namespace
}  // namespace larder_test
