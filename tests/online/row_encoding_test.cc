// Rows on their way into the store.
#include "online/row_encoding.h"

#include <algorithm>

#include "support/catch.h"
#include "support/random.h"

namespace larder_test {
namespace {

using larder::NewRow;
using larder::NewRows;

TEST_CASE("many rows are sorted as comparing would sort them", "[online][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  constexpr int kRounds = 30;
#else
  constexpr int kRounds = 6;
#endif
  for (int round = 0; round < kRounds; ++round) {
    NewRows made;
    // Spread hashes, a few that many rows share, and keys that share a hash.
    const int64_t spread = random.OneIn(3) ? 3 : random.OneIn(2) ? 1'000 : 1'000'000;
    const auto count = static_cast<std::size_t>(random.Between(0, 20'000));
    for (std::size_t i = 0; i < count; ++i) {
      const std::string key = "key " + std::to_string(random.Between(0, 3));
      NewRow& row = made.rows.emplace_back();
      row.hash = static_cast<uint64_t>(random.Between(0, spread)) * 0x9E3779B97F4A7C15U;
      if (random.OneIn(2)) row.hash = random.Bits();
      row.data = made.arena.Copy(key).data();
      row.size = static_cast<uint32_t>(key.size());
      row.key_size = row.size;
    }
    std::vector<NewRow> expected = made.rows;
    std::stable_sort(expected.begin(), expected.end(), [](const NewRow& a, const NewRow& b) {
      return a.hash != b.hash ? a.hash < b.hash : a.key() < b.key();
    });
    larder::SortByKey(&made.rows);
    const bool same = std::equal(
        made.rows.begin(), made.rows.end(), expected.begin(), expected.end(),
        [](const NewRow& a, const NewRow& b) { return a.hash == b.hash && a.data == b.data; });
    REQUIRE(same);
  }
}

TEST_CASE("what an arena gave stays until it is cleared", "[online][random]") {
  Random random;
  INFO(random.Describe());
  larder::RowArena arena;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::pair<std::string, std::string_view>> given;
    for (int64_t n = random.Between(0, 200); n > 0; --n) {
      const auto size = static_cast<std::size_t>(random.OneIn(50) ? random.Between(0, 600'000)
                                                                  : random.Between(0, 300));
      const std::string text(size, static_cast<char>(random.Between(1, 100)));
      given.emplace_back(text, arena.Copy(text));
    }
    const bool same = std::all_of(given.begin(), given.end(),
                                  [](const auto& pair) { return pair.first == pair.second; });
    REQUIRE(same);
    arena.Clear();
  }
}

}  // namespace
}  // namespace larder_test
