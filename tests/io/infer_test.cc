#include "larder/io/infer.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include <unistd.h>

#include "io/folder.h"
#include "larder/base/text.h"
#include "larder/io/csv_reader.h"
#include "larder/io/record_reader.h"
#include "larder/io/source_reader.h"
#include "support/catch.h"

namespace {

using larder_test::Folder;

// `name:type` or `name<from:type` of every field.
std::string Inferred(const std::string& text, std::string* rest = nullptr,
                     const std::string& file = "my data.csv") {
  std::string folder = "/tmp/larder-infer-XXXXXX";
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  std::ofstream(folder + "/" + file, std::ios::binary) << text;
  larder::InferOptions options;
  options.base_path = folder;
  const auto source = larder::InferSource(file, options);
  std::string out;
  if (!source.ok()) {
    out = std::string(larder::MessageOf(source.status()));
  } else {
    for (const auto& field : source->fields) {
      if (!out.empty()) out += " ";
      out += field.name + (field.from.empty() ? "" : "<" + field.from) + ":" + field.type.ToString();
    }
    if (rest != nullptr) {
      *rest = source->name + " " + source->format.delimiter + " " +
              larder::Join(source->format.null_values, "/") + " " + source->event_time;
    }
    // A guess from the whole file must read the whole file.
    larder::TextReadOptions reading;
    reading.base_path = folder;
    auto reader = larder::OpenCsv(*source, reading);
    REQUIRE(reader.ok());
    CHECK(larder::ReadAll(**reader).ok());
  }
  REQUIRE(std::system(("rm -r '" + folder + "'").c_str()) == 0);
  return out;
}

TEST_CASE("the end of a file's name says what its rows are kept as", "[io][infer]") {
  using larder::SourceKind;
  for (const char* name : {"a.csv", "a.csv.gz", "a.tsv", "a", "", ".gz", "parquet", "a.parquet.gz"})
    CHECK(larder::KindOfFile(name) == SourceKind::kCsv);
  for (const char* name : {"a.ndjson", "dir/*.jsonl", "a.jsonl.gz", "a.b.ndjson.gz"})
    CHECK(larder::KindOfFile(name) == SourceKind::kNdjson);
  CHECK(larder::KindOfFile("s3://lake/day=*/part.parquet") == SourceKind::kParquet);
}

TEST_CASE("a file of JSON objects gives a field for every member", "[io][infer]") {
  const Folder folder;
  std::ofstream(folder.Path("events.ndjson"))
      << R"({"id": 1, "amount": 2, "code": "007", "at": "2025-01-01T00:00:00Z", "ok": true, "odd": 1}
{"id": 2, "amount": 2.5, "code": "8", "at": null, "tags": ["a", null], "odd": "x", "counts": {"a": 1}, "my name": 3}
not json
{"v": [1, 2.5], "deep": [[1]], "none": null}
)";
  const auto source = larder::InferSource(folder.Path("events.ndjson"));
  REQUIRE(source.ok());
  std::string fields;
  for (const larder::Field& field : source->fields)
    fields += field.name + (field.from.empty() ? "" : " from " + field.from) + " " +
              field.type.ToString() + "; ";
  CHECK(fields ==
        "id int64; amount float64; code string; at timestamp; ok bool; tags list<string>; "
        "counts map<string, int64>; my_name from my name int64; v list<float64>; none string; ");
  CHECK(source->kind == larder::SourceKind::kNdjson);
  CHECK(source->name == "events");
  CHECK(source->event_time == "at");
}

TEST_CASE("a Parquet file says its own fields", "[io][infer][duckdb]") {
  const Folder folder;
  larder::Source writing;
  writing.kind = larder::SourceKind::kSql;
  writing.fields.resize(1);
  writing.fields[0].name = "a";
  writing.query =
      "COPY (SELECT 1::SMALLINT AS id, 1.5::DECIMAL(9,2) AS \"the amount\", TIMESTAMPTZ "
      "'2025-01-01 00:00:00Z'"
      " AS at, {'x': 1} AS gone, [1.5::DOUBLE] AS v, 'a' AS s) TO '" +
      folder.Path("x.parquet") + "'; SELECT 1 AS a";
  if (!larder::OpenSource(writing).ok()) {
    WARN("DuckDB is not installed: not tested");
    return;
  }
  const auto source = larder::InferSource(folder.Path("x.parquet"));
  REQUIRE(source.ok());
  std::string fields;
  for (const larder::Field& field : source->fields)
    fields += field.name + " " + field.type.ToString() + "; ";
  CHECK(fields == "id int32; the_amount float64; at timestamp; v list<float64>; s string; ");
  CHECK(source->event_time == "at");
  const auto reader = larder::OpenSource(*source);
  REQUIRE(reader.ok());
  CHECK(larder::ReadAll(**reader)->row_count() == 1);
}

}  // namespace

TEST_CASE("each column gets the narrowest type that all its values are written in", "[io][infer]") {
  CHECK(Inferred("a,b,c,d,e,f\n1,1.5,true,2024-01-01,2024-01-01T00:00:00Z,x\n") ==
        "a:int64 b:float64 c:bool d:date e:timestamp f:string");
  CHECK(Inferred("a,b,c,d\n1,1,true,2024-01-01\n2.5,x,1,2024-01-01T00:00:00Z\n") ==
        "a:float64 b:string c:string d:timestamp");
  CHECK(Inferred("zip,id,year,neg\n00501,99999999999999999999,0,-7\n10001,1,2014,-0.5\n") ==
        "zip:string id:string year:int64 neg:float64");
  CHECK(Inferred("a,b\n,\n,\n") == "a:string b:string");
  CHECK(Inferred("a,b\n") == "a:string b:string");
  CHECK(Inferred("flag\n0\n1\n") == "flag:int64");
  CHECK(Inferred("x\n9e+05\n4.0128e+10\n") == "x:float64");
}

TEST_CASE("words for null are found where they are all that keeps a column from its type",
          "[io][infer]") {
  std::string rest;
  CHECK(Inferred("a,b,at\n1,x,2024-01-01 00:00:00\nN/A,NA,2024-01-02 00:00:00\n", &rest) ==
        "a:int64 b:string at:timestamp");
  CHECK(rest == "my_data , /N/A at");
  CHECK(Inferred("a\n1.5\nNaN\n", &rest) == "a:float64");
  CHECK(rest == "my_data ,  ");
}

TEST_CASE("the delimiter is the one that cuts all lines alike", "[io][infer]") {
  std::string rest;
  CHECK(Inferred("a|b\nx, y|1\nz|2\n", &rest, "tx.psv") == "a:string b:int64");
  CHECK(rest == "tx |  ");
  CHECK(Inferred("a\tb\n1\t2\n") == "a:int64 b:int64");
  CHECK(Inferred("a;b\n1,5;2\n1,7;3\n") == "a:string b:int64");
  CHECK(Inferred("a,b\n\"x;y;z\",2\n") == "a:string b:int64");
}

TEST_CASE("headers that are no names are kept as the field's column", "[io][infer]") {
  CHECK(
      Inferred("Trip Distance (km),a,,a-b,a_b,1st\n1,2,3,4,5,6\n") ==
      "Trip_Distance_km<Trip Distance (km):int64 a:int64 a_b_2<a-b:int64 a_b:int64 _1st<1st:int64");
}
