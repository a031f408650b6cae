#include "larder/io/dense_writer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "io/folder.h"
#include "io/numpy_file.h"
#include "io/rows_of_every_type.h"
#include "larder/io/rows_writer.h"
#include "support/catch.h"

using larder::Batch;
using larder::DenseOptions;
using larder::NullRule;
using larder::TypeId;
using larder::Value;
using larder_test::Folder;
using larder_test::NumpyArray;

namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

Batch SmallRows() {
  return larder_test::MakeRows({{"id", {"a", "b", Value()}},
                                {"x", {1.5, Value(), kNan}},
                                {"n", {int64_t{1}, int64_t{2}, Value()}},
                                {"v", {std::vector<float>{1, 2}, std::vector<float>{3, 4}, Value()}},
                                {"bought", {true, false, true}},
                                {"asked", {uint64_t{7}, uint64_t{7}, uint64_t{9}}},
                                {"at", {larder::Timestamp{5}, larder::Timestamp{-1}, Value()}}},
                               {TypeId::kString, TypeId::kFloat64, TypeId::kInt64,
                                larder::DataType::Vector(TypeId::kFloat32, 2), TypeId::kBool,
                                TypeId::kUint64, TypeId::kTimestamp});
}

DenseOptions SmallOptions() {
  DenseOptions options;
  options.features = {"n", "x", "v"};
  options.label = "bought";
  options.query = "asked";
  options.durable = false;
  return options;
}

void Write(const std::string& path, const Batch& batch, const DenseOptions& options) {
  auto writer = larder::CreateRows(path, larder::FieldsOf(batch), options);
  INFO(writer.status().ToString());
  REQUIRE(writer.ok());
  const absl::Status written = (*writer)->Write(batch);
  INFO(written.ToString());
  REQUIRE(written.ok());
  REQUIRE((*writer)->Finish().ok());
}

std::string WriteError(const std::string& path, const Batch& batch, const DenseOptions& options) {
  auto writer = larder::CreateRows(path, larder::FieldsOf(batch), options);
  absl::Status status = writer.status();
  if (status.ok()) status = (*writer)->Write(batch);
  CHECK(status.code() == absl::StatusCode::kInvalidArgument);
  return std::string(larder::MessageOf(status));
}

std::string LibsvmText(const Batch& batch, const DenseOptions& options) {
  std::string text;
  auto writer = larder::WriteLibsvmText(&text, larder::FieldsOf(batch), options);
  INFO(writer.status().ToString());
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(batch).ok());
  REQUIRE((*writer)->Finish().ok());
  return text;
}

// NaN equals NaN here.
template <class T>
bool SameNumbers(const std::vector<T>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const bool same = std::isnan(b[i]) ? std::isnan(a[i]) : static_cast<double>(a[i]) == b[i];
    if (!same) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("an npy file is the matrix, nulls replaced by the rule", "[io][dense]") {
  const Folder folder;
  DenseOptions options = SmallOptions();
  options.label = options.query = "";
  Write(folder.Path("m.npy"), SmallRows(), options);
  NumpyArray array = larder_test::ParseNpy(larder_test::Slurp(folder.Path("m.npy")));
  CHECK(array.descr == "<f4");
  CHECK(array.shape == std::vector<uint64_t>{3, 4});
  CHECK(SameNumbers(array.Values<float>(), {1, 1.5, 1, 2, 2, kNan, 3, 4, kNan, kNan, kNan, kNan}));
  options.dtype = TypeId::kFloat64;
  options.nulls = *NullRule::Parse("-1");
  Write(folder.Path("m.npy"), SmallRows(), options);
  array = larder_test::ParseNpy(larder_test::Slurp(folder.Path("m.npy")));
  CHECK(array.descr == "<f8");
  CHECK(SameNumbers(array.Values<double>(), {1, 1.5, 1, 2, 2, -1, 3, 4, -1, kNan, -1, -1}));
}

TEST_CASE("an npz file holds the matrix, its mask, names, label, query and all other columns",
          "[io][dense]") {
  const Folder folder;
  for (const bool compress : {false, true}) {
    CAPTURE(compress);
    DenseOptions options = SmallOptions();
    options.compress = compress;
    Write(folder.Path("m.npz"), SmallRows(), options);
    const auto arrays = larder_test::ParseNpz(larder_test::Slurp(folder.Path("m.npz")));
    CHECK(arrays.size() == 11);
    const NumpyArray& x = arrays.at("X");
    CHECK(x.descr == "<f4");
    CHECK(x.shape == std::vector<uint64_t>{3, 4});
    CHECK(SameNumbers(x.Values<float>(), {1, 1.5, 1, 2, 2, kNan, 3, 4, kNan, kNan, kNan, kNan}));
    const NumpyArray& mask = arrays.at("mask");
    CHECK(mask.descr == "|b1");
    CHECK(mask.shape == x.shape);
    // The NaN of the last row is a value: only the mask tells.
    CHECK(mask.Values<uint8_t>() == std::vector<uint8_t>{0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 1});
    CHECK(arrays.at("names").Texts() == std::vector<std::string>{"n", "x", "v[0]", "v[1]"});
    CHECK(arrays.at("null_rule").Texts() == std::vector<std::string>{"nan"});
    CHECK(SameNumbers(arrays.at("y").Values<float>(), {1, 0, 1}));
    CHECK(arrays.at("y").shape == std::vector<uint64_t>{3});
    CHECK(arrays.at("y_mask").Values<uint8_t>() == std::vector<uint8_t>{0, 0, 0});
    CHECK(arrays.at("query").descr == "<u8");
    CHECK(arrays.at("query").Values<uint64_t>() == std::vector<uint64_t>{7, 7, 9});
    CHECK(arrays.at("columns/id").Texts() == std::vector<std::string>{"a", "b", ""});
    CHECK(arrays.at("columns/id.mask").Values<uint8_t>() == std::vector<uint8_t>{0, 0, 1});
    CHECK(arrays.at("columns/at").descr == "<M8[us]");
    CHECK(arrays.at("columns/at").Values<int64_t>() ==
          std::vector<int64_t>{5, -1, std::numeric_limits<int64_t>::min()});
  }
}

TEST_CASE("every type can stand beside the matrix of an npz file", "[io][dense]") {
  const Folder folder;
  DenseOptions options;
  options.features = {"float32"};
  Write(folder.Path("m.npz"), larder_test::RowsOfEveryType(), options);
  const auto arrays = larder_test::ParseNpz(larder_test::Slurp(folder.Path("m.npz")));
  const auto descr = [&](const char* name) {
    return arrays.at(std::string("columns/") + name).descr;
  };
  CHECK(descr("bool") == "|b1");
  CHECK(descr("int32") == "<i4");
  CHECK(descr("int64") == "<i8");
  CHECK(descr("uint64") == "<u8");
  CHECK(descr("float64") == "<f8");
  CHECK(descr("string") == "<U9");
  CHECK(arrays.at("columns/bytes").Texts() == std::vector<std::string>{"AP8K", "", ""});
  CHECK(descr("date") == "<M8[D]");
  CHECK(arrays.at("columns/date").Values<int64_t>() ==
        std::vector<int64_t>{-1, 20000, std::numeric_limits<int64_t>::min()});
  CHECK(descr("duration") == "<m8[us]");
  CHECK(arrays.at("columns/vector").shape == std::vector<uint64_t>{3, 2});
  CHECK(arrays.at("columns/bytevector").descr == "|i1");
  CHECK(arrays.at("columns/list").Texts() == std::vector<std::string>{"[1,null,-3]", "", "[]"});
}

TEST_CASE("npz files of many batches are those of one, byte for byte", "[io][dense]") {
  const Folder folder;
  larder::Column a(TypeId::kInt32);
  larder::Column b(TypeId::kFloat64);
  for (int32_t i = 0; i < 5'000; ++i) {
    a.AppendFixed(i);
    if (i % 7 == 0) {
      b.AppendNull();
    } else {
      b.AppendFixed(0.25 * i);
    }
  }
  Batch all;
  REQUIRE(all.AddColumn("a", a).ok());
  REQUIRE(all.AddColumn("b", b).ok());
  DenseOptions options;
  options.compress = true;
  Write(folder.Path("one.npz"), all, options);
  auto writer = larder::CreateNpz(folder.Path("many.npz"), larder::FieldsOf(all), options);
  REQUIRE(writer.ok());
  for (std::size_t begin = 0; begin < all.row_count(); begin += 617) {
    Batch part;
    for (std::size_t c = 0; c < 2; ++c) {
      larder::Column column(all.column(c).type());
      for (std::size_t i = begin; i < std::min(begin + 617, all.row_count()); ++i)
        column.AppendFrom(all.column(c), i);
      REQUIRE(part.AddColumn(all.name(c), std::move(column)).ok());
    }
    REQUIRE((*writer)->Write(part).ok());
  }
  REQUIRE((*writer)->Finish().ok());
  const std::string one = larder_test::Slurp(folder.Path("one.npz"));
  const auto x = larder_test::ParseNpz(one).at("X").Values<float>();
  REQUIRE(x.size() == 10'000);
  CHECK(x[2] == 1.0F);
  CHECK(x[3] == 0.25F);
  // zlib may cut blocks where it is fed, so compare the content.
  const auto many = larder_test::ParseNpz(larder_test::Slurp(folder.Path("many.npz")));
  for (const auto& [name, array] : larder_test::ParseNpz(one)) {
    CAPTURE(name);
    CHECK(many.at(name).bytes == array.bytes);
    CHECK(many.at(name).shape == array.shape);
  }
}

TEST_CASE("LibSVM lines have the label, the query and every value that is there", "[io][dense]") {
  DenseOptions options = SmallOptions();
  options.nulls = *NullRule::Parse("omit");
  CHECK(LibsvmText(SmallRows(), options) ==
        "1 qid:7 1:1 2:1.5 3:1 4:2\n"
        "0 qid:7 1:2 3:3 4:4\n"
        "1 qid:9 2:nan\n");
  options.query.clear();
  options.features = {"n"};
  options.nulls = *NullRule::Parse("0");
  CHECK(LibsvmText(SmallRows(), options) == "1 1:1\n0 1:2\n1 1:0\n");
  options.nulls = *NullRule::Parse("nan");
  CHECK(LibsvmText(SmallRows(), options) == "1 1:1\n0 1:2\n1 1:nan\n");
}

TEST_CASE("what a matrix cannot hold is refused, naming column and row", "[io][dense]") {
  const Folder folder;
  const std::string path = folder.Path("m.npy");
  const auto one = [](larder::DataType type, const Value& value) {
    return larder_test::MakeRows({{"c", {Value(), value}}}, {type});
  };
  DenseOptions options;
  CHECK(WriteError(path, one(TypeId::kInt64, int64_t{(1 << 24) + 1}), options) ==
        "column c, row 2: float32 cannot hold this value of type int64");
  CHECK(WriteError(path, one(TypeId::kFloat64, 1e39), options) ==
        "column c, row 2: float32 cannot hold this value of type float64");
  CHECK(WriteError(path, one(TypeId::kUint64, std::numeric_limits<uint64_t>::max()), options) ==
        "column c, row 2: float32 cannot hold this value of type uint64");
  CHECK(WriteError(path, one(TypeId::kTimestamp, larder::Timestamp{1}), options) ==
        "no column is left for the matrix: none is a number, bool or vector");
  options.features = {"c"};
  CHECK(WriteError(path, one(TypeId::kString, "a"), options) ==
        "column c is of type string, which has no place in a matrix of floats");
  options.features = {"amuont"};
  CHECK(WriteError(path, larder_test::MakeRows({{"amount", {1.0}}}, {TypeId::kFloat64}), options) ==
        "unknown column: amuont (did you mean \"amount\"?)");
  options.features = {"c", "c"};
  CHECK(WriteError(path, one(TypeId::kInt64, int64_t{1}), options) == "column c is used twice");
  options.features = {"c"};
  options.nulls = *NullRule::Parse("refuse");
  CHECK(WriteError(path, one(TypeId::kInt64, int64_t{1}), options) ==
        "column c, row 1: null, which the null rule refuses");
  options.nulls = *NullRule::Parse("omit");
  CHECK_THAT(WriteError(path, one(TypeId::kInt64, int64_t{1}), options),
             Catch::Matchers::ContainsSubstring("omit"));
  options = {};
  options.dtype = TypeId::kFloat64;
  for (const int64_t fits : {int64_t{1} << 53, std::numeric_limits<int64_t>::min()})
    Write(path, one(TypeId::kInt64, fits), options);
  for (const int64_t not_exact : {(int64_t{1} << 53) + 1, std::numeric_limits<int64_t>::max()}) {
    CHECK(WriteError(path, one(TypeId::kInt64, not_exact), options) ==
          "column c, row 2: float64 cannot hold this value of type int64");
  }
  options.label = "c";
  const std::string label =
      WriteError(folder.Path("m.libsvm"),
                 larder_test::MakeRows({{"c", {1.0, Value()}}, {"x", {1.0, 2.0}}},
                                       {TypeId::kFloat64, TypeId::kFloat64}),
                 options);
  CHECK(label == "column c, row 2: null, but every line of LibSVM's text has a label");
  CHECK_FALSE(NullRule::Parse("zero").ok());
  CHECK_FALSE(NullRule::Parse("inf").ok());
  CHECK(NullRule::Parse("-0.5")->ToString() == "-0.5");
}

TEST_CASE("a dense file has its name only once it is finished", "[io][dense]") {
  const Folder folder;
  for (const char* name : {"m.npy", "m.npz", "m.libsvm", "m.ndjson.gz"}) {
    CAPTURE(name);
    DenseOptions options;
    options.features = {"n"};
    if (std::string_view(name) == "m.libsvm") options.label = "bought";
    {
      auto writer = larder::CreateRows(folder.Path(name), larder::FieldsOf(SmallRows()), options);
      REQUIRE(writer.ok());
      REQUIRE((*writer)->Write(SmallRows()).ok());
    }
    CHECK(folder.CountFiles() == 0);
  }
}

TEST_CASE("no rows make an empty matrix", "[io][dense]") {
  const Folder folder;
  const Batch none =
      larder_test::MakeRows({{"x", {}}, {"s", {}}}, {TypeId::kFloat32, TypeId::kString});
  Write(folder.Path("m.npz"), none, {});
  const auto arrays = larder_test::ParseNpz(larder_test::Slurp(folder.Path("m.npz")));
  CHECK(arrays.at("X").shape == std::vector<uint64_t>{0, 1});
  CHECK(arrays.at("columns/s").shape == std::vector<uint64_t>{0});
}
