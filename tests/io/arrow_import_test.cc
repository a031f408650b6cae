// Streams of any Arrow producer: arrays built by hand, as other libraries lay them out.
#include <cerrno>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/rows_of_every_type.h"
#include "larder/io/arrow_stream.h"
#include "support/catch.h"

using Catch::Matchers::ContainsSubstring;
using larder::Batch;
using larder::FormatValue;

namespace {

// A producer whose arrays are written down, and which counts what is released.
class Producer {
 public:
  struct Node {
    std::string format;
    std::string name;
    int64_t length = 0;
    int64_t offset = 0;
    std::vector<std::string> buffers;  // empty: a null pointer
    std::vector<Node> children;
    std::shared_ptr<Node> dictionary;
    // What a broken producer leaves out.
    bool has_schema = true;
    bool has_array = true;
  };

  explicit Producer(Node root) : root_(std::move(root)) {}

  ArrowArrayStream Stream() {
    ArrowArrayStream stream = {};
    stream.get_schema = [](ArrowArrayStream* self, ArrowSchema* out) {
      Of(self)->Fill(Of(self)->root_, out);
      out->release = [](ArrowSchema* schema) {
        ++static_cast<Producer*>(schema->private_data)->schemas_released;
        schema->release = nullptr;
      };
      out->private_data = Of(self);
      return 0;
    };
    stream.get_next = [](ArrowArrayStream* self, ArrowArray* out) {
      *out = {};
      Producer& producer = *Of(self);
      if (producer.fails_with != 0 && producer.given == producer.arrays - 1)
        return producer.fails_with;
      if (producer.given == producer.arrays) return 0;
      ++producer.given;
      producer.Fill(producer.root_, out);
      out->release = [](ArrowArray* array) {
        ++static_cast<Producer*>(array->private_data)->arrays_released;
        array->release = nullptr;
      };
      out->private_data = &producer;
      return 0;
    };
    stream.get_last_error = [](ArrowArrayStream*) { return "the well is dry"; };
    stream.release = [](ArrowArrayStream* self) {
      ++Of(self)->streams_released;
      self->release = nullptr;
    };
    stream.private_data = this;
    return stream;
  }

  int arrays = 1;
  int fails_with = 0;  // instead of the last array
  int given = 0;
  int schemas_released = 0;
  int arrays_released = 0;
  int streams_released = 0;

 private:
  static Producer* Of(ArrowArrayStream* stream) {
    return static_cast<Producer*>(stream->private_data);
  }
  static void Ignore(ArrowSchema*) {}
  static void IgnoreArray(ArrowArray*) {}

  void Fill(const Node& node, ArrowSchema* out) {
    *out = {};
    out->format = node.format.c_str();
    out->name = node.name.c_str();
    auto& pointers = schema_pointers_.emplace_back();
    for (const Node& child : node.children) {
      pointers.push_back(child.has_schema ? &schemas_.emplace_back() : nullptr);
      if (child.has_schema) Fill(child, pointers.back());
    }
    out->n_children = std::ssize(node.children);
    out->children = pointers.data();
    if (node.dictionary != nullptr) {
      out->dictionary = &schemas_.emplace_back();
      Fill(*node.dictionary, out->dictionary);
    }
    out->release = &Ignore;
  }
  void Fill(const Node& node, ArrowArray* out) {
    *out = {};
    out->length = node.length;
    out->offset = node.offset;
    out->null_count = -1;
    auto& buffers = buffer_pointers_.emplace_back();
    for (const std::string& buffer : node.buffers)
      buffers.push_back(buffer.empty() ? nullptr : buffer.data());
    out->n_buffers = std::ssize(node.buffers);
    out->buffers = buffers.data();
    auto& pointers = array_pointers_.emplace_back();
    for (const Node& child : node.children) {
      pointers.push_back(child.has_array ? &arrays_.emplace_back() : nullptr);
      if (child.has_array) Fill(child, pointers.back());
    }
    out->n_children = std::ssize(node.children);
    out->children = pointers.data();
    if (node.dictionary != nullptr) {
      out->dictionary = &arrays_.emplace_back();
      Fill(*node.dictionary, out->dictionary);
    }
    out->release = &IgnoreArray;
  }

  Node root_;
  std::deque<ArrowSchema> schemas_;
  std::deque<ArrowArray> arrays_;
  std::deque<std::vector<ArrowSchema*>> schema_pointers_;
  std::deque<std::vector<ArrowArray*>> array_pointers_;
  std::deque<std::vector<const void*>> buffer_pointers_;
};

using Node = Producer::Node;

template <class T>
std::string Raw(std::initializer_list<T> values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

// Bits, least significant first: `101` is the first and the third.
std::string Bits(std::string_view bits) {
  std::string bytes((bits.size() + 7) / 8, '\0');
  for (std::size_t i = 0; i < bits.size(); ++i) {
    if (bits[i] == '1') bytes[i / 8] = static_cast<char>(bytes[i / 8] | (1 << (i % 8)));
  }
  return bytes;
}

Node Struct(int64_t length, std::vector<Node> children, int64_t offset = 0) {
  return {"+s", "", length, offset, {""}, std::move(children), nullptr};
}

absl::StatusOr<Batch> Import(Producer& producer) {
  ArrowArrayStream stream = producer.Stream();
  auto reader = larder::ImportArrowStream(&stream);
  CHECK(stream.release == nullptr);  // moved
  if (!reader.ok()) return reader.status();
  return larder::ReadAll(**reader);
}

// Every value of a one-column struct.
std::string ValuesOf(Node column, int64_t length, int64_t offset = 0) {
  column.name = "c";
  Producer producer(Struct(length, {std::move(column)}, offset));
  const auto batch = Import(producer);
  CHECK(producer.streams_released == 1);
  CHECK(producer.schemas_released == 1);
  CHECK(producer.arrays_released == producer.given);
  if (!batch.ok()) return std::string(larder::MessageOf(batch.status()));
  std::string text = batch->column(0).type().ToString() + ":";
  for (std::size_t row = 0; row < batch->row_count(); ++row)
    text += " " + FormatValue(batch->column(0).ValueAt(row));
  return text;
}

}  // namespace

TEST_CASE("what larder hands out through Arrow it takes back unchanged", "[io][arrow]") {
  const auto rows = std::make_shared<const Batch>(larder_test::RowsOfEveryType());
  for (const std::size_t array_rows : {std::size_t{0}, std::size_t{1}}) {
    ArrowArrayStream stream;
    REQUIRE(larder::ExportArrowStream(rows, &stream, {array_rows}).ok());
    auto reader = larder::ImportArrowStream(&stream);
    INFO(reader.status().ToString());
    REQUIRE(reader.ok());
    const auto back = larder::ReadAll(**reader);
    INFO(back.status().ToString());
    REQUIRE(back.ok());
    REQUIRE(back->HasShapeOf(*rows));
    for (std::size_t c = 0; c < rows->column_count(); ++c) {
      INFO(rows->name(c));
      CHECK(back->column(c) == rows->column(c));
    }
  }
}

TEST_CASE("more rows than a batch has come through Arrow in several, in order", "[io][arrow]") {
  larder::Column n(larder::TypeId::kInt64);
  larder::Column s(larder::TypeId::kString);
  for (int64_t i = 0; i < 150'000; ++i) {
    if (i % 7 == 0) {
      n.AppendNull();
      s.AppendNull();
    } else {
      n.AppendFixed(i);
      s.AppendText(std::to_string(i));
    }
  }
  auto rows = std::make_shared<Batch>();
  REQUIRE(rows->AddColumn("n", std::move(n)).ok());
  REQUIRE(rows->AddColumn("s", std::move(s)).ok());
  ArrowArrayStream stream;
  REQUIRE(larder::ExportArrowStream(rows, &stream).ok());
  auto reader = larder::ImportArrowStream(&stream, "events");
  REQUIRE(reader.ok());
  Batch batch;
  std::size_t seen = 0;
  while ((*reader)->Next(&batch).value()) {
    REQUIRE(batch.row_count() <= larder::kBatchRowsMax);
    for (std::size_t row = 0; row < batch.row_count(); ++row) {
      REQUIRE(batch.column(0).ValueAt(row) == rows->column(0).ValueAt(seen + row));
      REQUIRE(batch.column(1).ValueAt(row) == rows->column(1).ValueAt(seen + row));
    }
    CHECK((*reader)->PlaceOf(2) == "events:" + std::to_string(seen + 3));
    seen += batch.row_count();
  }
  CHECK(seen == 150'000);
  CHECK((*reader)->counts().rows == 150'000);
}

TEST_CASE("Arrow types of other producers become larder's", "[io][arrow]") {
  CHECK(ValuesOf({"c", "", 3, 0, {Bits("101"), Raw<int8_t>({-128, 5, 127})}, {}, nullptr}, 3) ==
        "int32: -128 null 127");
  CHECK(ValuesOf({"C", "", 2, 0, {"", Raw<uint8_t>({0, 255})}, {}, nullptr}, 2) == "int32: 0 255");
  CHECK(ValuesOf({"s", "", 1, 0, {"", Raw<int16_t>({-30000})}, {}, nullptr}, 1) == "int32: -30000");
  CHECK(ValuesOf({"S", "", 1, 0, {"", Raw<uint16_t>({60000})}, {}, nullptr}, 1) == "int32: 60000");
  CHECK(ValuesOf({"I", "", 1, 0, {"", Raw<uint32_t>({4'000'000'000U})}, {}, nullptr}, 1) ==
        "int64: 4000000000");
  CHECK(ValuesOf({"e", "", 4, 0, {"", Raw<uint16_t>({0x3C00, 0xC100, 0x7C00, 0x0001})}, {}, nullptr},
                 4) == "float32: 1 -2.5 Infinity 5.9604645e-08");
  CHECK(ValuesOf({"u", "", 3, 0, {Bits("110"), Raw<int32_t>({0, 2, 2, 2}), "ab"}, {}, nullptr},
                 3) == "string: ab  null");
  CHECK(ValuesOf({"z", "", 1, 0, {"", Raw<int32_t>({0, 1}), "a"}, {}, nullptr}, 1) ==
        "bytes: YQ==");
  CHECK(ValuesOf({"w:2", "", 2, 0, {"", "abcd"}, {}, nullptr}, 2) == "bytes: YWI= Y2Q=");
  CHECK(ValuesOf({"tdm", "", 2, 0, {"", Raw<int64_t>({86'400'000, -1})}, {}, nullptr}, 2) ==
        "date: 1970-01-02 1969-12-31");
  CHECK(ValuesOf({"tss:Europe/Rome", "", 1, 0, {"", Raw<int64_t>({1})}, {}, nullptr}, 1) ==
        "timestamp: 1970-01-01T00:00:01Z");
  CHECK(ValuesOf({"tsn:", "", 2, 0, {"", Raw<int64_t>({1'999, -1})}, {}, nullptr}, 2) ==
        "timestamp: 1970-01-01T00:00:00.000001Z 1969-12-31T23:59:59.999999Z");
  CHECK(ValuesOf({"tDm", "", 1, 0, {"", Raw<int64_t>({1'500})}, {}, nullptr}, 1) ==
        "duration: 1s500ms");
  CHECK(ValuesOf({"n", "", 2, 0, {}, {}, nullptr}, 2) == "string: null null");
  const Node list{"+l",
                  "",
                  2,
                  0,
                  {"", Raw<int32_t>({0, 2, 3})},
                  {{"i", "item", 3, 0, {Bits("101"), Raw<int32_t>({7, 8, 9})}, {}, nullptr}},
                  nullptr};
  CHECK(ValuesOf(list, 2) == "list<int32>: [7,null] [9]");
  const Node pair{"+w:2", "",   2,
                  0,      {""}, {{"g", "item", 4, 0, {"", Raw<double>({1, 2, 3, 4})}, {}, nullptr}},
                  nullptr};
  CHECK(ValuesOf(pair, 2) == "list<float64>: [1,2] [3,4]");
}

TEST_CASE("Arrow offsets count, of the rows, of a column and of what is inside it", "[io][arrow]") {
  // Rows 2 and 3 of a struct whose column begins at its third value.
  const Node numbers{"i", "",     5, 2, {Bits("1111101"), Raw<int32_t>({0, 1, 2, 3, 4, 5, 6})},
                     {},  nullptr};
  CHECK(ValuesOf(numbers, 3, 2) == "int32: 4 null 6");
  const Node flags{"b", "", 4, 1, {"", Bits("01011")}, {}, nullptr};
  CHECK(ValuesOf(flags, 3, 1) == "bool: false true true");
  const Node texts{"u", "", 2, 1, {"", Raw<int32_t>({0, 1, 3, 6}), "abbccc"}, {}, nullptr};
  CHECK(ValuesOf(texts, 2) == "string: bb ccc");
  const Node lists{"+L",
                   "",
                   2,
                   1,
                   {"", Raw<int64_t>({0, 1, 1, 3})},
                   {{"u", "item", 3, 1, {"", Raw<int32_t>({0, 1, 2, 3, 4}), "abcd"}, {}, nullptr}},
                   nullptr};
  CHECK(ValuesOf(lists, 2) == "list<string>: [] [\"c\",\"d\"]");
  const Node vectors{"+w:2",
                     "",
                     2,
                     1,
                     {Bits("101")},
                     {{"f", "item", 6, 0, {"", Raw<float>({0, 1, 2, 3, 4, 5})}, {}, nullptr}},
                     nullptr};
  CHECK(ValuesOf(vectors, 2) == "vector<float32, 2>: null [4,5]");
}

TEST_CASE("dictionaries are their values", "[io][arrow]") {
  const auto words = std::make_shared<Node>(
      Node{"u", "", 2, 0, {"", Raw<int32_t>({0, 2, 5}), "noyes"}, {}, nullptr});
  CHECK(ValuesOf({"c", "", 4, 0, {Bits("1101"), Raw<int8_t>({1, 0, 9, 1})}, {}, words}, 4) ==
        "string: yes no null yes");
  CHECK_THAT(ValuesOf({"c", "", 1, 0, {"", Raw<int8_t>({2})}, {}, words}, 1),
             ContainsSubstring("field c, value 0 of an array: a place outside its dictionary"));
}

TEST_CASE("what larder has no type for, or what is no array of its type, is refused by name",
          "[io][arrow]") {
  CHECK_THAT(ValuesOf({"d:10,2", "", 0, 0, {"", ""}, {}, nullptr}, 0),
             ContainsSubstring("Arrow field c: larder has no type for format \"d:10,2\""));
  CHECK_THAT(ValuesOf({"+s", "", 0, 0, {""}, {}, nullptr}, 0), ContainsSubstring("no type"));
  CHECK_THAT(ValuesOf({"u", "", 1, 0, {"", Raw<int32_t>({0, 1}), "\xFF"}, {}, nullptr}, 1),
             ContainsSubstring("field c, value 0 of an array: a string that is not UTF-8"));
  CHECK_THAT(ValuesOf({"u", "", 1, 0, {"", Raw<int32_t>({2, 1}), "ab"}, {}, nullptr}, 1),
             ContainsSubstring("offsets that do not rise"));
  CHECK_THAT(ValuesOf({"i", "", 2, 0, {""}, {}, nullptr}, 2),
             ContainsSubstring("1 buffers, expected 2"));
  CHECK_THAT(ValuesOf({"i", "", 2, 0, {"", ""}, {}, nullptr}, 2),
             ContainsSubstring("without values"));
  CHECK_THAT(ValuesOf({"i", "", 1, 0, {"", Raw<int32_t>({1})}, {}, nullptr}, 2),
             ContainsSubstring("an array of 1"));
  CHECK_THAT(ValuesOf({"tss:", "", 1, 0, {"", Raw<int64_t>({INT64_MAX})}, {}, nullptr}, 1),
             ContainsSubstring("out of the range of timestamp"));
  CHECK_THAT(ValuesOf({"tDn", "", 1, 0, {"", Raw<int64_t>({1})}, {}, nullptr}, 1),
             ContainsSubstring("finer than a duration can be"));
  Node rows = Struct(2, {{"i", "c", 2, 0, {"", Raw<int32_t>({1, 2})}, {}, nullptr}});
  rows.buffers = {Bits("10")};
  Producer producer(rows);
  CHECK_THAT(std::string(larder::MessageOf(Import(producer).status())),
             ContainsSubstring("row 1 of an array is null as a whole"));
}

// A map of one entry, `a` and the value 7, under keys of either width.
Node MapOf(bool wide, const std::string& value_format, std::string value) {
  const Node keys = wide ? Node{"U", "key", 1, 0, {"", Raw<int64_t>({0, 1}), "a"}, {}, nullptr}
                         : Node{"u", "key", 1, 0, {"", Raw<int32_t>({0, 1}), "a"}, {}, nullptr};
  const Node values{value_format, "value", 1, 0, {"", std::move(value)}, {}, nullptr};
  const Node entries{"+s", "entries", 1, 0, {""}, {keys, values}, nullptr};
  return {"+m", "", 1, 0, {"", Raw<int32_t>({0, 1})}, {entries}, nullptr};
}

TEST_CASE("maps are of strings to int64 or float64, whatever the width of their keys",
          "[io][arrow]") {
  for (const bool wide : {false, true}) {
    CHECK(ValuesOf(MapOf(wide, "l", Raw<int64_t>({7})), 1) == "map<string, int64>: {\"a\":7}");
    CHECK(ValuesOf(MapOf(wide, "g", Raw<double>({7})), 1) == "map<string, float64>: {\"a\":7}");
    CHECK_THAT(ValuesOf(MapOf(wide, "i", Raw<int32_t>({7})), 1), ContainsSubstring("no type"));
    CHECK_THAT(ValuesOf(MapOf(wide, "u", Raw<int32_t>({0, 0})), 1), ContainsSubstring("no type"));
  }
}

TEST_CASE("an Arrow array that lacks a part or counts beyond all numbers is refused",
          "[io][arrow]") {
  const Node number{"i", "item", 1, 0, {"", Raw<int32_t>({7})}, {}, nullptr};
  const Node element{"f", "item", 2, 0, {"", Raw<float>({1, 2})}, {}, nullptr};
  const auto without = [](Node node) {
    node.has_array = false;
    return node;
  };
  Node absent = number;
  absent.has_schema = false;
  CHECK_THAT(ValuesOf(absent, 1), ContainsSubstring("Arrow field 0 is not there"));
  CHECK_THAT(ValuesOf(without(number), 1), ContainsSubstring("without its column c"));
  CHECK_THAT(ValuesOf({"+l", "", 1, 0, {"", Raw<int32_t>({0, 1})}, {without(number)}, nullptr}, 1),
             ContainsSubstring("field c: an array without its items"));
  CHECK_THAT(ValuesOf({"+w:2", "", 1, 0, {""}, {without(element)}, nullptr}, 1),
             ContainsSubstring("without its items"));
  for (const std::size_t part : {0U, 1U}) {
    Node map = MapOf(false, "l", Raw<int64_t>({7}));
    map.children[0].children[part].has_array = false;
    CHECK_THAT(ValuesOf(map, 1), ContainsSubstring("a map without keys and values"));
  }
  Node map = MapOf(true, "l", Raw<int64_t>({7}));
  map.children[0].offset = INT64_MAX;
  CHECK_THAT(ValuesOf(map, 1), ContainsSubstring("entries: an array that ends behind"));

  Producer rows(Struct(1, {number}, INT64_MAX));
  CHECK_THAT(std::string(larder::MessageOf(Import(rows).status())),
             ContainsSubstring("an array that ends behind"));
  CHECK_THAT(ValuesOf({"i", "", 1, INT64_MAX / 2, {"", Raw<int32_t>({7})}, {}, nullptr}, 1),
             ContainsSubstring("field c: an array that ends behind"));
  CHECK_THAT(ValuesOf({"+w:1000", "", 1, INT64_MAX / 100, {""}, {element}, nullptr}, 1),
             ContainsSubstring("field c: an array that ends behind"));
  const auto list_at = [&](std::initializer_list<int64_t> offsets) {
    return Node{"+L", "", 1, 0, {"", Raw<int64_t>(offsets)}, {number}, nullptr};
  };
  CHECK_THAT(ValuesOf(list_at({INT64_MIN, 1}), 1), ContainsSubstring("offsets that do not rise"));
  CHECK_THAT(ValuesOf(list_at({1, INT64_MIN}), 1), ContainsSubstring("offsets that do not rise"));
  CHECK_THAT(ValuesOf(list_at({0, INT64_MAX}), 1), ContainsSubstring("items beyond"));
}

TEST_CASE("the first of all Arrow instants is rounded down like any other", "[io][arrow]") {
  CHECK(ValuesOf({"tsn:", "", 1, 0, {"", Raw<int64_t>({INT64_MIN})}, {}, nullptr}, 1) ==
        "timestamp: 1677-09-21T00:12:43.145224Z");
}

TEST_CASE("a producer's error is the reader's, and everything is released once", "[io][arrow]") {
  const Node rows = Struct(1, {{"i", "c", 1, 0, {"", Raw<int32_t>({1})}, {}, nullptr}});
  for (const int code : {EIO, EINVAL, ENOMEM}) {
    Producer producer(rows);
    producer.arrays = 3;
    producer.fails_with = code;
    const absl::Status status = Import(producer).status();
    CHECK_THAT(std::string(larder::MessageOf(status)), ContainsSubstring("the well is dry"));
    CHECK(status.code() == (code == EIO      ? absl::StatusCode::kUnavailable
                            : code == ENOMEM ? absl::StatusCode::kResourceExhausted
                                             : absl::StatusCode::kInvalidArgument));
    CHECK(producer.arrays_released == 2);
    CHECK(producer.streams_released == 1);
  }
  // A reader that is dropped half way.
  Producer producer(rows);
  producer.arrays = 3;
  {
    ArrowArrayStream stream = producer.Stream();
    auto reader = larder::ImportArrowStream(&stream);
    REQUIRE(reader.ok());
    Batch batch;
    CHECK((*reader)->Next(&batch).value());
  }
  CHECK(producer.arrays_released == 1);
  CHECK(producer.streams_released == 1);
  // A stream that is there no more.
  ArrowArrayStream gone = {};
  CHECK_THAT(larder::ImportArrowStream(&gone, "orders").status().ToString(),
             ContainsSubstring("orders: the Arrow stream has been released"));
}
