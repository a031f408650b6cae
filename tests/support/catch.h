// Catch2, version 2 or 3, under one set of names.
//
// Use Approx, WithinAbs, WithinRel, StartsWith, EndsWith and ContainsSubstring from larder_test (or Catch).
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>

namespace larder_test {
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
}  // namespace larder_test

namespace Catch {
using Matchers::ContainsSubstring;
using Matchers::EndsWith;
using Matchers::StartsWith;
using Matchers::WithinAbs;
using Matchers::WithinRel;
}  // namespace Catch

#else
#include <catch2/catch.hpp>

namespace Catch {
namespace Matchers {
// Version 3's name for version 2's Contains(string).
inline auto ContainsSubstring(const std::string& part,
                              CaseSensitive::Choice sensitivity = CaseSensitive::Yes) {
  return Contains(part, sensitivity);
}
}  // namespace Matchers
using Detail::Approx;  // Version 2 also has a matcher of this name.
using Matchers::ContainsSubstring;
using Matchers::EndsWith;
using Matchers::StartsWith;
using Matchers::WithinAbs;
using Matchers::WithinRel;
}  // namespace Catch

namespace larder_test {
using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
}  // namespace larder_test
#endif
