// The kind of a source says where rows are kept, never what they mean: every kind loads and trains alike.
#include "feature_store/store_fixture.h"
#include "larder/base/text.h"
#include "larder/io/source_reader.h"
#include "schema/json_text.h"

namespace {

using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::StoreFixture;

std::string DefinitionsOver(std::string_view source) {
  return larder::Concat(R"({"larder": 1, "project": "shop",
 "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]}],
 "sources": [{"name": "limits", )",
                        source, R"(, "event_time": "changed_at",
   "fields": [{"name": "user_id", "type": "int64"}, {"name": "city", "type": "string"},
              {"name": "limit", "type": "float64"},
              {"name": "changed_at", "type": "timestamp", "from": "changed"}]}],
 "feature_views": [{"name": "user_limit", "entities": ["user"], "source": "limits",
   "features": [{"name": "city", "type": "string"}, {"name": "limit", "type": "float64"},
                {"name": "twice", "type": "float64", "expr": "limit * 2"}]}]})");
}

larder::HistoricalRequest TrainingRequest(const std::vector<std::string>& features) {
  larder::HistoricalRequest request;
  request.what.features = features;
  const std::vector<larder::Row> spine = {{{"user_id", 1}, {"at", At("2025-01-02T00:00:00Z")}},
                                          {{"user_id", 1}, {"at", At("2025-01-06T00:00:00Z")}},
                                          {{"user_id", 2}, {"at", At("2025-01-06T00:00:00Z")}}};
  larder::Field key;
  key.name = "user_id";
  larder::Field at;
  at.name = "at";
  at.type = larder::TypeId::kTimestamp;
  request.spine = larder::Batch::FromRows(spine, std::vector{key, at}).value();
  return request;
}

// Loads, reads online and trains, all as one text.
std::string EverythingOf(StoreFixture& fixture, std::string_view source) {
  fixture.Apply(DefinitionsOver(source));
  const larder::MaterializeResult loaded = fixture.Materialize();
  std::string seen = larder::Concat(loaded.views.at(0).rows_read, " read");
  const std::vector<std::string> features = {"user_limit:city", "user_limit:limit",
                                             "user_limit:twice"};
  const auto online = fixture.Get(features, {{{"user_id", 1}}, {{"user_id", 2}}});
  for (std::size_t row = 0; row < 2; ++row) {
    for (const char* name : {"city", "limit", "twice"})
      seen += larder::Concat("; ", larder_test::Shown(online, name, row));
  }
  const auto set = fixture.store().GetHistoricalFeatures(TrainingRequest(features));
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  for (std::size_t row = 0; row < 3; ++row)
    seen += larder::Concat("; ", larder_test::Shown(*set, "twice", row));
  return seen;
}

constexpr std::string_view kSeen =
    "3 read; Porto PRESENT; 200 PRESENT; 400 PRESENT; null NULL_VALUE; 7 PRESENT; 14 "
    "PRESENT; "
    "201 PRESENT; 400 PRESENT; 14 PRESENT";

TEST_CASE("CSV sources load and train", "[sources]") {
  StoreFixture fixture;
  fixture.folder().Write("limits.csv",
                         "user_id,city,limit,changed\n"
                         "1,Faro,100.5,2025-01-01T00:00:00Z\n"
                         "1,Porto,200.0,2025-01-05T00:00:00Z\n"
                         "2,,7,2025-01-02T00:00:00Z\n");
  CHECK(EverythingOf(fixture, R"("kind": "csv", "path": "limits.csv")") == kSeen);
}

TEST_CASE("NDJSON sources load and train as CSV does", "[sources]") {
  StoreFixture fixture;
  fixture.folder().Write(
      "a.ndjson",
      R"({"user_id": 1, "city": "Faro", "limit": 100.5, "changed": "2025-01-01T00:00:00Z"}
{"user_id": 1, "changed": "2025-01-05T00:00:00Z", "limit": 200, "city": "Porto"}
)");
  fixture.folder().Write(
      "b.ndjson", R"({"user_id": 2, "city": null, "limit": 7, "changed": "2025-01-02T00:00:00Z"})");
  CHECK(EverythingOf(fixture, R"("kind": "ndjson", "path": "*.ndjson")") == kSeen);
}

constexpr std::string_view kValues =
    "(VALUES (1, 'Faro', 100.5::DOUBLE, TIMESTAMP '2025-01-01'), (1, 'Porto', 200, TIMESTAMP "
    "'2025-01-05'),"
    " (2, NULL, 7, TIMESTAMP '2025-01-02')) t(user_id, city, \"limit\", changed)";

bool HasDuckDb() {
  larder::Source source;
  source.kind = larder::SourceKind::kSql;
  source.query = "SELECT 1 AS a";
  source.fields.resize(1);
  source.fields[0].name = "a";
  const bool has = larder::OpenSource(source).ok();
  if (!has) WARN("DuckDB is not installed: not tested");
  return has;
}

std::string SqlSource(std::string_view query) {
  return larder::Concat(R"("kind": "sql", "query": )", larder::QuoteJson(query));
}

TEST_CASE("SQL sources load and train as CSV does", "[sources]") {
  if (!HasDuckDb()) return;
  StoreFixture fixture;
  CHECK(EverythingOf(fixture, SqlSource(larder::Concat("SELECT * FROM ", kValues))) == kSeen);
}

void WriteParquet(StoreFixture& fixture) {
  larder::Source writing;
  writing.kind = larder::SourceKind::kSql;
  writing.query = larder::Concat("COPY (FROM ", kValues, ") TO '",
                                 fixture.folder().File("limits.parquet"), "'; SELECT 1 AS a");
  writing.fields.resize(1);
  writing.fields[0].name = "a";
  REQUIRE(larder::OpenSource(writing).ok());
}

TEST_CASE("Parquet sources load and train as CSV does, and so does a query over their file",
          "[sources]") {
  if (!HasDuckDb()) return;
  StoreFixture fixture;
  WriteParquet(fixture);
  CHECK(EverythingOf(fixture, R"("kind": "parquet", "path": "*.parquet")") == kSeen);
  // A relative path in a query starts at the definitions file as well.
  CHECK(EverythingOf(fixture, SqlSource("FROM 'limits.parquet'")) == kSeen);
}

TEST_CASE("a manifest names a Parquet source that DuckDB finds by its address, without a hash",
          "[sources]") {
  if (!HasDuckDb()) return;
  StoreFixture fixture;
  WriteParquet(fixture);
  const std::string address = larder::Concat("file://", fixture.folder().File("limits.parquet"));
  fixture.Apply(DefinitionsOver(
      larder::Concat(R"("kind": "parquet", "path": )", larder::QuoteJson(address))));
  larder::HistoricalRequest request = TrainingRequest({"user_limit:twice"});
  request.manifest = true;
  const auto set = fixture.store().GetHistoricalFeatures(request);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  CHECK(larder_test::Shown(*set, "twice", 1) == "400 PRESENT");
  const std::vector<larder::DatasetManifest::Source>& sources = set->manifest->sources;
  REQUIRE(sources.size() == 1);
  REQUIRE(sources[0].files.size() == 1);
  CHECK(sources[0].files[0].path == address);
  CHECK(sources[0].files[0].bytes == 0);
  CHECK(sources[0].files[0].sha256.empty());
}

TEST_CASE("a bad line of an NDJSON source is named when it is loaded and when it is trained from",
          "[sources]") {
  StoreFixture fixture;
  fixture.folder().Write("a.ndjson", R"({"user_id": 1, "changed": "2025-01-05T00:00:00Z"}
{"user_id": "one", "changed": "2025-01-05T00:00:00Z"}
)");
  fixture.Apply(DefinitionsOver(R"("kind": "ndjson", "path": "a.ndjson")"));
  const auto loaded = fixture.store().Materialize({});
  CHECK_THAT(std::string(larder::MessageOf(loaded.status())),
             ContainsSubstring("a.ndjson:2: member user_id"));
}

}  // namespace
