#include "larder/io/arrow_stream.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/arrow_values.h"
#include "io/rows_of_every_type.h"
#include "io/text_source.h"
#include "support/catch.h"

using larder::Batch;
using larder::Column;
using larder::TypeId;
using larder_test::ArrowText;

namespace {

// Releases what it holds, as every consumer must.
template <class T>
class Released {
 public:
  Released() = default;
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;
  ~Released() {
    if (value_.release != nullptr) value_.release(&value_);
  }
  T* get() { return &value_; }
  T* operator->() { return &value_; }
  T& operator*() { return value_; }

 private:
  T value_ = {};
};

std::shared_ptr<const Batch> Numbers(int64_t rows) {
  Column n(TypeId::kInt64);
  Column s(TypeId::kString);
  Column flag(TypeId::kBool);
  Column v(larder::DataType::Vector(TypeId::kInt8, 3));
  for (int64_t i = 0; i < rows; ++i) {
    n.AppendFixed(i);
    s.AppendText(larder::Concat("row ", i));
    const int8_t elements[] = {static_cast<int8_t>(i % 100), 0, 1};
    v.AppendRaw(elements, 3);
    if (i % 3 == 0) {
      flag.AppendNull();
    } else {
      flag.AppendFixed<uint8_t>(i % 2 == 0 ? 1 : 0);
    }
  }
  auto batch = std::make_shared<Batch>();
  REQUIRE(batch->AddColumn("n", std::move(n)).ok());
  REQUIRE(batch->AddColumn("s", std::move(s)).ok());
  REQUIRE(batch->AddColumn("flag", std::move(flag)).ok());
  REQUIRE(batch->AddColumn("v", std::move(v)).ok());
  return batch;
}

}  // namespace

TEST_CASE("an Arrow consumer sees every value of every type", "[io][arrow]") {
  const auto rows = std::make_shared<const Batch>(larder_test::RowsOfEveryType());
  Released<ArrowArrayStream> stream;
  REQUIRE(larder::ExportArrowStream(rows, stream.get()).ok());
  Released<ArrowSchema> schema;
  REQUIRE(stream->get_schema(stream.get(), schema.get()) == 0);
  REQUIRE(std::string(schema->format) == "+s");
  REQUIRE(schema->n_children == static_cast<int64_t>(rows->column_count()));
  Released<ArrowArray> array;
  REQUIRE(stream->get_next(stream.get(), array.get()) == 0);
  REQUIRE(array->length == 3);
  struct Case {
    const char* name;
    const char* format;
    std::vector<std::string> values;
    int64_t nulls = 1;
  };
  const Case cases[] = {
      {"bool", "b", {"true", "false", "null"}},
      {"int32", "i", {"-1", "-2147483648", "null"}},
      {"int64", "l", {"null", "-9223372036854775808", "7"}},
      {"uint64", "L", {"18446744073709551615", "null", "0"}},
      {"float32", "f", {"0.1", "-0", "null"}},
      {"float64", "g", {"nan", "null", "-inf"}},
      {"string", "U", {"''", "null", "'l\xC3\xA9\"\n\t\x01, \xF0\x9F\x98\x80'"}},
      {"bytes", "Z", {std::string("'\0\xFF\n'", 5), "null", "''"}},
      {"timestamp", "tsu:UTC", {"-1", "1672531481000001", "null"}},
      {"date", "tdD", {"-1", "20000", "null"}},
      {"duration", "tDu", {"90000000", "null", "-1"}},
      {"vector", "+w:2", {"[1.5,-0.1]", "null", "[0,2]"}},
      {"bytevector", "+w:3", {"[1,-128,127]", "null", "[0,0,1]"}},
      {"list", "+L", {"[1,null,-3]", "null", "[]"}},
      {"words", "+L", {"['a\"b',null]", "null", "[]"}},
      {"map", "+m", {"[{key:'a\"b',value:0.5},{key:'c',value:2}]", "null", "[]"}},
  };
  for (std::size_t c = 0; c < std::size(cases); ++c) {
    INFO(cases[c].name);
    const ArrowSchema& field = *schema->children[c];
    const ArrowArray& column = *array->children[c];
    CHECK(std::string(field.name) == cases[c].name);
    CHECK(std::string(field.format) == cases[c].format);
    CHECK((field.flags & ARROW_FLAG_NULLABLE) != 0);
    CHECK(column.length == 3);
    CHECK(column.null_count == cases[c].nulls);
    for (int64_t i = 0; i < 3; ++i)
      CHECK(ArrowText(field, column, i) == cases[c].values[static_cast<std::size_t>(i)]);
  }
  Released<ArrowArray> end;
  REQUIRE(stream->get_next(stream.get(), end.get()) == 0);
  CHECK(end->release == nullptr);
  CHECK(stream->get_last_error(stream.get()) == nullptr);
}

TEST_CASE("an Arrow array points at the column's own memory", "[io][arrow]") {
  const auto rows = Numbers(5);
  Released<ArrowArrayStream> stream;
  REQUIRE(larder::ExportArrowStream(rows, stream.get()).ok());
  Released<ArrowArray> array;
  REQUIRE(stream->get_next(stream.get(), array.get()) == 0);
  CHECK(array->children[0]->buffers[0] == nullptr);  // no nulls, no bitmap
  CHECK(array->children[0]->buffers[1] == rows->column(0).data().data());
  CHECK(array->children[1]->buffers[1] == rows->column(1).offsets().data());
  CHECK(array->children[1]->buffers[2] == rows->column(1).data().data());
  CHECK(array->children[2]->buffers[0] == rows->column(2).validity().words());
  CHECK(array->children[3]->children[0]->buffers[1] == rows->column(3).data().data());
}

TEST_CASE("an Arrow stream cut into arrays has every row once, in order", "[io][arrow]") {
  const auto rows = Numbers(1000);
  for (const std::size_t array_rows : {1, 64, 100, 999, 1000, 5000}) {
    CAPTURE(array_rows);
    Released<ArrowArrayStream> stream;
    REQUIRE(larder::ExportArrowStream(rows, stream.get(), {array_rows}).ok());
    Released<ArrowSchema> schema;
    REQUIRE(stream->get_schema(stream.get(), schema.get()) == 0);
    int64_t row = 0;
    for (;;) {
      Released<ArrowArray> array;
      REQUIRE(stream->get_next(stream.get(), array.get()) == 0);
      if (array->release == nullptr) break;
      int64_t nulls = 0;
      for (int64_t i = 0; i < array->length; ++i, ++row) {
        const std::string flag = row % 3 == 0 ? "null" : row % 2 == 0 ? "true" : "false";
        nulls += row % 3 == 0 ? 1 : 0;
        const std::string expected = larder::Concat("{n:", row, ",s:'row ", row, "',flag:", flag,
                                                    ",v:[", row % 100, ",0,1]}");
        if (ArrowText(*schema, *array, i) != expected)
          CHECK(ArrowText(*schema, *array, i) == expected);
      }
      CHECK(array->children[2]->null_count == nulls);
    }
    CHECK(row == 1000);
  }
}

TEST_CASE("a column moved out of an array lives on after stream, array and rows", "[io][arrow]") {
  auto rows = Numbers(70);
  const std::weak_ptr<const Batch> watch = rows;
  Released<ArrowArray> moved;
  Released<ArrowSchema> field;
  {
    Released<ArrowArrayStream> stream;
    REQUIRE(larder::ExportArrowStream(std::move(rows), stream.get()).ok());
    Released<ArrowSchema> schema;
    REQUIRE(stream->get_schema(stream.get(), schema.get()) == 0);
    Released<ArrowArray> array;
    REQUIRE(stream->get_next(stream.get(), array.get()) == 0);
    // How the specification moves: copy the struct, then mark the source released.
    *moved = *array->children[1];
    array->children[1]->release = nullptr;
    *field = *schema->children[1];
    schema->children[1]->release = nullptr;
  }
  CHECK_FALSE(watch.expired());
  CHECK(ArrowText(*field, *moved, 69) == "'row 69'");
  moved->release(moved.get());
  CHECK(moved->release == nullptr);
  CHECK(watch.expired());
}

TEST_CASE("an Arrow stream reads a file as it is asked for", "[io][arrow]") {
  const larder::Source source =
      larder_test::MakeSource({larder_test::MakeField("n", TypeId::kInt64)});
  larder::TextReadOptions options;
  options.batch_rows = 2;
  auto reader = larder::OpenCsvText("n\n1\n2\nthree\n", "rows.csv", source, options);
  REQUIRE(reader.ok());
  Released<ArrowArrayStream> stream;
  larder::ExportArrowStream(*std::move(reader), stream.get());
  Released<ArrowSchema> schema;
  REQUIRE(stream->get_schema(stream.get(), schema.get()) == 0);
  Released<ArrowArray> first;
  REQUIRE(stream->get_next(stream.get(), first.get()) == 0);
  CHECK(first->length == 2);
  CHECK(ArrowText(*schema, *first, 1) == "{n:2}");
  Released<ArrowArray> second;
  CHECK(stream->get_next(stream.get(), second.get()) != 0);
  CHECK(second->release == nullptr);
  CHECK_THAT(stream->get_last_error(stream.get()),
             Catch::Matchers::ContainsSubstring("rows.csv:4"));
}

TEST_CASE("no rows are an Arrow stream with a schema and no arrays", "[io][arrow]") {
  Released<ArrowArrayStream> stream;
  REQUIRE(larder::ExportArrowStream(Numbers(0), stream.get()).ok());
  Released<ArrowSchema> schema;
  REQUIRE(stream->get_schema(stream.get(), schema.get()) == 0);
  CHECK(schema->n_children == 4);
  Released<ArrowArray> array;
  REQUIRE(stream->get_next(stream.get(), array.get()) == 0);
  CHECK(array->release == nullptr);
}
