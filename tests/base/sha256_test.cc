#include "larder/base/sha256.h"

#include <string>

#include "support/catch.h"

namespace {

std::string HashOf(std::string_view text) {
  larder::Sha256 hash;
  hash.Add(text);
  return hash.Finish();
}

}  // namespace

TEST_CASE("SHA-256 gives the standard's own answers", "[base]") {
  CHECK(HashOf("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(HashOf("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(HashOf("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(HashOf(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 does not depend on how the bytes are cut", "[base]") {
  std::string text;
  for (int i = 0; i < 300; ++i) text.push_back(static_cast<char>(i * 7));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string_view part = std::string_view(text).substr(0, size);
    const std::string expected = HashOf(part);
    for (const std::size_t step : {1, 3, 63, 64, 65}) {
      larder::Sha256 hash;
      for (std::size_t at = 0; at < size; at += step) hash.Add(part.substr(at, step));
      if (hash.Finish() != expected) FAIL(size << " bytes in steps of " << step);
    }
  }
}

TEST_CASE("SHA-256 goes on from what was saved, and from nothing else", "[base]") {
  std::string text;
  for (int i = 0; i < 200; ++i) text.push_back(static_cast<char>(i * 7));
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    larder::Sha256 first;
    first.Add(std::string_view(text).substr(0, cut));
    auto second = larder::Sha256::Restore(first.Save());
    REQUIRE(second.has_value());
    second->Add(std::string_view(text).substr(cut));
    if (second->Finish() != HashOf(text)) FAIL("cut at " << cut);
  }
  larder::Sha256 hash;
  hash.Add("abc");
  const std::string saved = hash.Save();
  for (std::size_t size = 0; size < saved.size(); ++size)
    CHECK_FALSE(larder::Sha256::Restore(saved.substr(0, size)).has_value());
  CHECK_FALSE(larder::Sha256::Restore(saved + "0").has_value());
  CHECK_FALSE(larder::Sha256::Restore("X" + saved.substr(1)).has_value());
}
