#include "larder/io/ndjson_writer.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include "io/folder.h"
#include "io/rows_of_every_type.h"
#include "io/text_source.h"
#include "larder/io/ndjson_reader.h"
#include "larder/io/rows_writer.h"
#include "support/catch.h"

using larder::Batch;
using larder::TypeId;
using larder_test::MakeSource;

namespace {

std::string TextOf(const Batch& batch) {
  std::string text;
  auto writer = larder::WriteNdjsonText(&text, larder::FieldsOf(batch));
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(batch).ok());
  REQUIRE((*writer)->Finish().ok());
  CHECK((*writer)->rows_written() == static_cast<int64_t>(batch.row_count()));
  return text;
}

Batch ReadBack(const std::string& text, const Batch& like) {
  auto reader = larder::OpenNdjsonText(text, "rows.ndjson", MakeSource(larder::FieldsOf(like)));
  REQUIRE(reader.ok());
  auto batch = larder::ReadAll(**reader);
  INFO(batch.status().ToString());
  REQUIRE(batch.ok());
  return *std::move(batch);
}

}  // namespace

TEST_CASE("a row becomes one line with every column", "[io][ndjson]") {
  const Batch batch = larder_test::MakeRows(
      {{"id", {int64_t{1}, int64_t{2}}}, {"na\"me", {"a\nb", larder::Value()}}, {"x", {0.5, -0.0}}},
      {TypeId::kInt64, TypeId::kString, TypeId::kFloat64});
  CHECK(TextOf(batch) ==
        "{\"id\": 1, \"na\\\"me\": \"a\\u000ab\", \"x\": 0.5}\n"
        "{\"id\": 2, \"na\\\"me\": null, \"x\": -0.0}\n");
}

TEST_CASE("lines of JSON are read back to the same bits, whatever the type", "[io][ndjson]") {
  const Batch batch = larder_test::RowsOfEveryType();
  const std::string text = TextOf(batch);
  CAPTURE(text);
  const Batch back = ReadBack(text, batch);
  for (std::size_t c = 0; c < batch.column_count(); ++c) {
    CAPTURE(batch.name(c));
    CHECK(back.column(c) == batch.column(c));
  }
}

TEST_CASE("random doubles and floats keep their bits through JSON", "[io][ndjson][random]") {
  const char* fixed = std::getenv("LARDER_SEED");
  const uint64_t seed =
      fixed != nullptr ? std::strtoull(fixed, nullptr, 10) : std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  larder::Column doubles(TypeId::kFloat64);
  larder::Column floats(TypeId::kFloat32);
  while (doubles.size() < 20'000) {
    const uint64_t bits = random();
    double d = 0;
    float f = 0;
    std::memcpy(&d, &bits, 8);
    std::memcpy(&f, &bits, 4);
    if (std::isnan(d) || std::isnan(f)) continue;
    doubles.AppendFixed(d);
    floats.AppendFixed(f);
  }
  Batch batch;
  REQUIRE(batch.AddColumn("d", std::move(doubles)).ok());
  REQUIRE(batch.AddColumn("f", std::move(floats)).ok());
  const Batch back = ReadBack(TextOf(batch), batch);
  CHECK(back.column(0) == batch.column(0));
  CHECK(back.column(1) == batch.column(1));
}

TEST_CASE("a packed file is the same text, and the same bytes each time", "[io][ndjson][csv]") {
  const larder_test::Folder folder;
  const Batch batch = larder_test::RowsOfEveryType();
  for (const char* end : {".csv", ".ndjson", ".tsv"}) {
    CAPTURE(end);
    const auto write = [&](const std::string& name) {
      auto writer = larder::CreateRows(folder.Path(name), larder::FieldsOf(batch));
      if (writer.status().code() == absl::StatusCode::kUnimplemented) return false;
      REQUIRE(writer.ok());
      REQUIRE((*writer)->Write(batch).ok());
      REQUIRE((*writer)->Finish().ok());
      return true;
    };
    const std::string plain = std::string("plain") + end;
    if (!write(plain + ".gz")) return;  // built without zlib
    REQUIRE(write(plain));
    REQUIRE(write("again" + plain + ".gz"));
    larder::Source source = MakeSource(larder::FieldsOf(batch));
    source.path = folder.Path(plain + ".gz");
    if (std::string_view(end) == ".tsv") source.format.delimiter = "\t";
    auto reader =
        std::string_view(end) == ".ndjson" ? larder::OpenNdjson(source) : larder::OpenCsv(source);
    REQUIRE(reader.ok());
    const auto back = larder::ReadAll(**reader);
    INFO(back.status().ToString());
    REQUIRE(back.ok());
    for (std::size_t c = 0; c < batch.column_count(); ++c) {
      CAPTURE(batch.name(c));
      CHECK(back->column(c) == batch.column(c));
    }
    const auto slurp = [&](const std::string& name) {
      std::ifstream in(folder.Path(name), std::ios::binary);
      return std::string(std::istreambuf_iterator<char>(in), {});
    };
    CHECK(slurp(plain + ".gz") == slurp("again" + plain + ".gz"));
    CHECK(slurp(plain + ".gz").substr(0, 2) == "\x1F\x8B");
  }
}

TEST_CASE("the end of a name says the format", "[io]") {
  using larder::RowsFormat;
  CHECK(*larder::FormatOfPath("a.csv") == RowsFormat::kCsv);
  CHECK(*larder::FormatOfPath("a.tsv.gz") == RowsFormat::kCsv);
  CHECK(*larder::FormatOfPath("a.jsonl") == RowsFormat::kNdjson);
  CHECK(*larder::FormatOfPath("a.ndjson.gz") == RowsFormat::kNdjson);
  CHECK(*larder::FormatOfPath("a.npy") == RowsFormat::kNpy);
  CHECK(*larder::FormatOfPath("a.npz") == RowsFormat::kNpz);
  CHECK(*larder::FormatOfPath("a.svm") == RowsFormat::kLibsvm);
  CHECK(larder::FormatOfPath("a.npz.gz").status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(larder::FormatOfPath("a.xlsx").status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(larder::FormatOfPath("csv").status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(larder::FormatOfPath("a.parquet").value() == larder::RowsFormat::kParquet);
}
