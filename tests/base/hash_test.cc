#include "larder/base/hash.h"

#include <set>

#include "support/catch.h"

namespace larder {
namespace {

TEST_CASE("hashes are the published XXH3 values on every machine", "[base][hash][format]") {
  CHECK(Hash64("") == 0x2D06800538D394C2ULL);
  CHECK(ToHex(HashWide("")) == "99aa06d3014798d86001c324468d497f");
}

TEST_CASE("a seed and every byte change the hash", "[base][hash]") {
  std::set<uint64_t> seen;
  std::string text(300, 'a');
  seen.insert(Hash64(text));
  seen.insert(Hash64(text, 1));
  for (std::size_t i = 0; i < text.size(); ++i) {
    text[i] = 'b';
    seen.insert(Hash64(text));
  }
  CHECK(seen.size() == 302);
}

TEST_CASE("hexadecimal hashes keep leading zeros and put the high half first", "[base][hash]") {
  CHECK(ToHex({0, 0}) == std::string(32, '0'));
  CHECK(ToHex({0x0123456789ABCDEFULL, 0xFEDCBA9876543210ULL}) ==
        "0123456789abcdeffedcba9876543210");
}

}  // namespace
}  // namespace larder
