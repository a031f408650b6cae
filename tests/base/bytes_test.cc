#include "larder/base/bytes.h"

#include <limits>

#include "support/catch.h"
#include "support/random.h"

namespace larder {
namespace {

TEST_CASE("bytes written come back in order, and nothing is left", "[base][bytes]") {
  ByteWriter writer;
  writer.Put(uint8_t{7});
  writer.Put(int64_t{-2});
  writer.PutText(std::string_view("a\0b", 3));
  writer.PutText("");
  writer.Put(1.5);
  writer.Put(std::numeric_limits<uint64_t>::max());

  ByteReader reader(writer.view());
  CHECK(reader.Get<uint8_t>() == 7);
  CHECK(reader.Get<int64_t>() == -2);
  CHECK(reader.GetText() == std::string_view("a\0b", 3));
  CHECK(reader.GetText().empty());
  CHECK(reader.Get<double>() == 1.5);
  CHECK(reader.Get<uint64_t>() == std::numeric_limits<uint64_t>::max());
  CHECK(reader.ok());
  CHECK(reader.remaining() == 0);
}

TEST_CASE("a read past the end gives zeros from then on", "[base][bytes]") {
  ByteWriter writer;
  writer.Put(uint32_t{5});
  ByteReader reader(writer.view());
  CHECK(reader.Get<uint64_t>() == 0);
  CHECK_FALSE(reader.ok());
  CHECK(reader.Get<uint8_t>() == 0);
  CHECK(reader.GetText().empty());
  CHECK(reader.remaining() == 0);
}

TEST_CASE("a length beyond the bytes fails instead of reading them", "[base][bytes]") {
  ByteWriter writer;
  writer.Put(std::numeric_limits<uint32_t>::max());
  writer.PutRaw("abc");
  ByteReader reader(writer.view());
  CHECK(reader.GetText().empty());
  CHECK_FALSE(reader.ok());
}

TEST_CASE("every cut of a record is noticed", "[base][bytes]") {
  ByteWriter writer;
  writer.Put(uint16_t{1});
  writer.PutText("driver");
  writer.Put(int64_t{9});
  const std::string whole(writer.view());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ByteReader reader(std::string_view(whole).substr(0, size));
    reader.Get<uint16_t>();
    reader.GetText();
    reader.Get<int64_t>();
    CHECK_FALSE(reader.ok());
  }
}

TEST_CASE("padding reaches the next multiple and no further", "[base][bytes]") {
  for (std::size_t size = 0; size <= 17; ++size) {
    ByteWriter writer;
    writer.PutRaw(std::string(size, 'x'));
    writer.PadTo(8);
    CHECK(writer.size() == PadTo8(size));
    CHECK(writer.size() % 8 == 0);
    CHECK(writer.size() < size + 8);
  }
}

}  // namespace
}  // namespace larder
