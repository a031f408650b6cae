#include "larder/base/float_environment.h"

#include <cfenv>

#include "larder/base/status.h"
#include "support/catch.h"
#include "support/float_settings.h"

namespace {

using larder::CheckFloatEnvironment;
using larder_test::FloatSettings;

TEST_CASE("a thread with default floating-point settings is accepted", "[base]") {
  CHECK(CheckFloatEnvironment().ok());
}

TEST_CASE("every rounding mode but to nearest is refused", "[base]") {
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    absl::Status status;
    {
      const FloatSettings settings;
      REQUIRE(std::fesetround(mode) == 0);
      status = CheckFloatEnvironment();
    }
    INFO(mode);
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(larder::MessageOf(status).find("FE_TONEAREST") != std::string_view::npos);
  }
  CHECK(CheckFloatEnvironment().ok());
}

#if defined(__x86_64__)
TEST_CASE("flushing results or operands to zero is refused", "[base]") {
  for (const unsigned bit : {FloatSettings::kFlushResults, FloatSettings::kFlushOperands}) {
    absl::Status status;
    {
      const FloatSettings settings;
      FloatSettings::Set(bit);
      status = CheckFloatEnvironment();
    }
    INFO(bit);
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(larder::MessageOf(status).find("FTZ") != std::string_view::npos);
  }
}
#endif

}  // namespace
