#include "larder/column/validity.h"

#include <vector>

#include "support/catch.h"
#include "support/random.h"

namespace larder {
namespace {

void CheckSame(const Validity& validity, const std::vector<bool>& model) {
  REQUIRE(validity.size() == model.size());
  std::size_t nulls = 0;
  for (std::size_t i = 0; i < model.size(); ++i) {
    REQUIRE(validity.Test(i) == model[i]);
    if (!model[i]) ++nulls;
  }
  REQUIRE(validity.CountNulls() == nulls);
  if (model.size() % 64 != 0)
    REQUIRE(validity.words()[model.size() / 64] >> (model.size() % 64) == 0);
}

TEST_CASE("a bitmap grows, shrinks and counts as a vector of truth values does",
          "[column][validity][random]") {
  larder_test::Random random;
  INFO(random.Describe());
  for (int round = 0; round < 50; ++round) {
    Validity validity;
    std::vector<bool> model;
    for (int step = 0; step < 100; ++step) {
      switch (random.Between(0, 3)) {
        case 0: {
          const auto size = static_cast<std::size_t>(random.Between(0, 200));
          const bool valid = random.OneIn(2);
          validity.Resize(size, valid);
          model.resize(size, valid);
          break;
        }
        case 1:
          if (!model.empty()) {
            const auto at =
                static_cast<std::size_t>(random.Between(0, static_cast<int64_t>(model.size()) - 1));
            const bool valid = random.OneIn(2);
            validity.Set(at, valid);
            model[at] = valid;
          }
          break;
        default: {
          const bool valid = random.OneIn(2);
          validity.Append(valid);
          model.push_back(valid);
        }
      }
      CheckSame(validity, model);
    }
  }
}

TEST_CASE("words for bits round up", "[column][validity]") {
  CHECK(BitWords(0) == 0);
  CHECK(BitWords(1) == 1);
  CHECK(BitWords(64) == 1);
  CHECK(BitWords(65) == 2);
}

}  // namespace
}  // namespace larder
