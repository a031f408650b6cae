// The kind of a source says where rows are kept, never what they mean: every kind loads and trains alike.
#include "feature_store/store_fixture.h"
#include "larder/base/text.h"
#include "larder/io/arrow_stream.h"
#include "larder/io/source_reader.h"
#include "larder/training/dataset_content.h"
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
std::string EverythingOf(StoreFixture& fixture, std::string_view source,
                         const std::vector<larder::SourceRows>& given = {}) {
  fixture.Apply(DefinitionsOver(source));
  larder::MaterializeOptions options;
  options.sources = given;
  const larder::MaterializeResult loaded = fixture.Materialize(options);
  std::string seen = larder::Concat(loaded.views.at(0).rows_read, " read");
  const std::vector<std::string> features = {"user_limit:city", "user_limit:limit",
                                             "user_limit:twice"};
  const auto online = fixture.Get(features, {{{"user_id", 1}}, {{"user_id", 2}}});
  for (std::size_t row = 0; row < 2; ++row) {
    for (const char* name : {"city", "limit", "twice"})
      seen += larder::Concat("; ", larder_test::Shown(online, name, row));
  }
  larder::HistoricalRequest training = TrainingRequest(features);
  training.sources = given;
  training.leakage = larder::LeakageAudit::kFail;
  const auto set = fixture.store().GetHistoricalFeatures(training);
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

// The same rows. Users are int32, which widens; nobody asks for the note.
larder::Batch RowsInMemory() {
  const std::vector<larder::Row> rows = {{{"user_id", int32_t{1}},
                                          {"city", "Faro"},
                                          {"limit", 100.5},
                                          {"changed_at", At("2025-01-01T00:00:00Z")},
                                          {"note", "a"}},
                                         {{"user_id", int32_t{1}},
                                          {"city", "Porto"},
                                          {"limit", 200.0},
                                          {"changed_at", At("2025-01-05T00:00:00Z")},
                                          {"note", "b"}},
                                         {{"user_id", int32_t{2}},
                                          {"city", larder::Value()},
                                          {"limit", 7.0},
                                          {"changed_at", At("2025-01-02T00:00:00Z")},
                                          {"note", "c"}}};
  const std::vector<larder::Field> fields = {{"user_id", larder::TypeId::kInt32, "", ""},
                                             {"city", larder::TypeId::kString, "", ""},
                                             {"limit", larder::TypeId::kFloat64, "", ""},
                                             {"changed_at", larder::TypeId::kTimestamp, "", ""},
                                             {"note", larder::TypeId::kString, "", ""}};
  return larder::Batch::FromRows(rows, fields).value();
}

TEST_CASE("rows in memory load and train as CSV does, in place of a file that need not be there",
          "[sources]") {
  constexpr std::string_view kNoFile = R"("kind": "csv", "path": "nowhere.csv")";
  SECTION("owned") {
    StoreFixture fixture;
    CHECK(EverythingOf(fixture, kNoFile,
                       {{"limits", std::make_shared<const larder::Batch>(RowsInMemory()), {}}}) ==
          kSeen);
  }
  SECTION("borrowed") {
    StoreFixture fixture;
    const larder::Batch rows = RowsInMemory();
    const std::shared_ptr<const larder::Batch> borrowed(std::shared_ptr<void>(), &rows);
    CHECK(EverythingOf(fixture, kNoFile, {{"limits", borrowed, {}}}) == kSeen);
  }
  SECTION("from a reader for each reading") {
    StoreFixture fixture;
    int opened = 0;
    const auto open = [&opened]() -> absl::StatusOr<std::unique_ptr<larder::RecordReader>> {
      ++opened;
      return larder::ReadBatch(RowsInMemory());
    };
    CHECK(EverythingOf(fixture, kNoFile, {{"limits", nullptr, open}}) == kSeen);
    CHECK(opened == 3);  // loading, training, its audit
  }
  SECTION("from an Arrow stream") {
    StoreFixture fixture;
    const auto open = []() -> absl::StatusOr<std::unique_ptr<larder::RecordReader>> {
      ArrowArrayStream stream;
      const auto rows = std::make_shared<const larder::Batch>(RowsInMemory());
      LARDER_RETURN_IF_ERROR(larder::ExportArrowStream(rows, &stream));
      return larder::ImportArrowStream(&stream);
    };
    CHECK(EverythingOf(fixture, kNoFile, {{"limits", nullptr, open}}) == kSeen);
  }
}

TEST_CASE("a manifest has the hash of rows that were given", "[sources]") {
  StoreFixture fixture;
  fixture.Apply(DefinitionsOver(R"("kind": "csv", "path": "nowhere.csv")"));
  larder::HistoricalRequest request = TrainingRequest({"user_limit:twice"});
  request.sources = {{"limits", std::make_shared<const larder::Batch>(RowsInMemory()), {}}};
  request.manifest = true;
  const auto set = fixture.store().GetHistoricalFeatures(request);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  REQUIRE(set->manifest->sources.size() == 1);
  CHECK(set->manifest->sources[0].files.empty());
  CHECK(set->manifest->sources[0].rows_sha256 == larder::ContentOf(RowsInMemory()).sha256);
}

TEST_CASE("rows given for no source that is read, twice or in no form are refused", "[sources]") {
  StoreFixture fixture;
  fixture.Apply(DefinitionsOver(R"("kind": "csv", "path": "nowhere.csv")"));
  const auto rows = std::make_shared<const larder::Batch>(RowsInMemory());
  const auto loaded = [&](std::vector<larder::SourceRows> given) {
    larder::MaterializeOptions options;
    options.sources = std::move(given);
    return fixture.store().Materialize(options).status().ToString();
  };
  CHECK_THAT(loaded({{"limit", rows, {}}}),
             ContainsSubstring("rows are given of source limit, which nothing asked for reads") &&
                 ContainsSubstring("limits"));
  CHECK_THAT(loaded({{"limits", rows, {}}, {"limits", rows, {}}}),
             ContainsSubstring("given twice"));
  CHECK_THAT(loaded({{"limits", nullptr, {}}}), ContainsSubstring("expected either rows or"));
  larder::HistoricalRequest request = TrainingRequest({"user_limit:twice"});
  request.sources = {{"limit", rows, {}}};
  CHECK_THAT(fixture.store().GetHistoricalFeatures(request).status().ToString(),
             ContainsSubstring("which nothing asked for reads"));
  // A bad row is named by its place in what was given.
  auto bad = std::make_shared<larder::Batch>(RowsInMemory());
  bad->mutable_column(0).mutable_validity().Set(1, false);
  CHECK_THAT(loaded({{"limits", bad, {}}}),
             ContainsSubstring("source limits:2: join key user_id is null"));
  // A column that cannot be the declared type is named with both.
  larder::Batch text;
  larder::Column users(larder::TypeId::kString);
  users.AppendText("one");
  REQUIRE(text.AddColumn("user_id", std::move(users)).ok());
  CHECK_THAT(loaded({{"limits", std::make_shared<const larder::Batch>(text), {}}}),
             ContainsSubstring("source limits, field user_id"));
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

TEST_CASE("a manifest names a source that has no hash, a query or the caller's reader",
          "[sources]") {
  StoreFixture fixture;
  larder::HistoricalRequest request = TrainingRequest({"user_limit:twice"});
  request.manifest = true;
  const auto check = [&] {
    const auto set = fixture.store().GetHistoricalFeatures(request);
    INFO(set.status().ToString());
    REQUIRE(set.ok());
    REQUIRE(set->manifest->sources.size() == 1);
    CHECK(set->manifest->sources[0].name == "limits");
    CHECK(set->manifest->sources[0].files.empty());
    CHECK_FALSE(set->manifest->sources[0].rows_sha256);
  };
  if (HasDuckDb()) {
    fixture.Apply(DefinitionsOver(SqlSource(larder::Concat("SELECT * FROM ", kValues))));
    check();
  }
  fixture.Apply(DefinitionsOver(R"("kind": "csv", "path": "nowhere.csv")"));
  request.sources = {{"limits", nullptr, [] { return larder::ReadBatch(RowsInMemory()); }}};
  check();
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
