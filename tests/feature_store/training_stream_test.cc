// Training sets made within a budget of memory, against the same sets made at once.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "feature_store/store_fixture.h"
#include "larder/io/record_reader.h"
#include "larder/training/dataset_content.h"
#include "support/random.h"

namespace {

using larder::Batch;
using larder::Concat;
using larder::HistoricalRequest;
using larder::TrainingSet;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::Random;
using larder_test::StoreFixture;

// Views over every kind of key: one, several, none, and one that is another view's feature; windows; features of any
// length; arrival times, ids of own events, and values made on demand.
constexpr std::string_view kDefinitions = R"json({"larder": 1, "project": "shop",
 "entities": [
  {"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]},
  {"name": "item", "join_keys": [{"name": "sku", "type": "string"}]},
  {"name": "seller", "join_keys": [{"name": "seller_id", "type": "int32"}]}],
 "sources": [
  {"name": "users", "kind": "csv", "path": "users.csv", "event_time": "at", "arrival_time": "known",
   "fields": [{"name": "user_id", "type": "int64"}, {"name": "at", "type": "timestamp"},
              {"name": "known", "type": "timestamp"}, {"name": "city", "type": "string"},
              {"name": "score", "type": "float64"}]},
  {"name": "items", "kind": "ndjson", "path": "items.ndjson", "event_time": "at",
   "fields": [{"name": "sku", "type": "string"}, {"name": "at", "type": "timestamp"},
              {"name": "seller_id", "type": "int32"}, {"name": "tags", "type": "list<string>"},
              {"name": "stock", "type": "map<string, int64>"}]},
  {"name": "sellers", "kind": "csv", "path": "sellers.csv", "event_time": "at",
   "fields": [{"name": "seller_id", "type": "int32"}, {"name": "at", "type": "timestamp"},
              {"name": "rating", "type": "float32"}]},
  {"name": "orders", "kind": "csv", "path": "orders.csv", "event_time": "at", "event_id": "order_id",
   "fields": [{"name": "order_id", "type": "string"}, {"name": "user_id", "type": "int64"},
              {"name": "sku", "type": "string"}, {"name": "at", "type": "timestamp"},
              {"name": "amount", "type": "float64"}]},
  {"name": "rates", "kind": "csv", "path": "rates.csv", "event_time": "at",
   "fields": [{"name": "at", "type": "timestamp"}, {"name": "rate", "type": "float64"}]}],
 "feature_views": [
  {"name": "profile", "entities": ["user"], "source": "users", "ttl": "40d",
   "features": [{"name": "city"}, {"name": "score"}]},
  {"name": "facts", "entities": ["item"], "source": "items",
   "features": [{"name": "seller_id"}, {"name": "tags"}, {"name": "stock"}]},
  {"name": "shop", "entities": ["seller"], "source": "sellers", "features": [{"name": "rating"}]},
  {"name": "bought", "entities": ["user", "item"], "source": "orders", "exclude_self": true,
   "features": [{"name": "amount"}]},
  {"name": "spend", "entities": ["user"], "source": "orders",
   "aggregates": [{"functions": ["sum", "count"], "input": "amount", "windows": ["30d", "5d"]}]},
  {"name": "exchange", "entities": [], "source": "rates", "features": [{"name": "rate"}]}],
 "on_demand_views": [
  {"name": "asked", "request": [{"name": "want", "type": "float64"}],
   "inputs": {"rate": "exchange:rate", "score": "profile:score"},
   "features": [{"name": "cost", "expr": "request.want * rate + score"}]}],
 "feature_services": [
  {"name": "all", "features": [{"view": "profile"}, {"view": "facts"},
    {"view": "shop", "join_keys": {"seller_id": "facts:seller_id"}}, {"view": "bought"}, {"view": "spend"},
    {"view": "exchange"}, {"view": "asked"}]}]})json";

std::string Instant(Random& random) {
  return larder::FormatTimestamp(
      At("2025-01-01T00:00:00Z").Plus(larder::Duration::Hours(random.Between(0, 24 * 60))));
}

std::string UserOf(Random& random) {
  // One user in three has most of the rows; some rows have none.
  if (random.OneIn(40)) return "";
  return Concat(random.OneIn(3) ? 7 : random.Between(1, 60));
}

void WriteHistory(Random& random, int64_t size, const StoreFixture& fixture) {
  std::string users = "user_id,at,known,city,score\n";
  std::string items;
  std::string sellers = "seller_id,at,rating\n";
  std::string orders = "order_id,user_id,sku,at,amount\n";
  std::string rates = "at,rate\n";
  for (int64_t i = 0; i < size; ++i) {
    users +=
        Concat(UserOf(random), ",", Instant(random), ",", random.OneIn(9) ? "" : Instant(random),
               ",", std::string(static_cast<std::size_t>(random.Between(0, 12)), 'x'), ",",
               random.OneIn(9) ? "" : Concat(random.Between(-5, 5)), "\n");
    items += Concat(R"({"sku": "s)", random.Between(1, 9), R"(", "at": ")", Instant(random),
                    R"(", "seller_id": )", random.OneIn(9) ? "null" : Concat(random.Between(1, 5)),
                    R"(, "tags": )", random.OneIn(5) ? "null" : R"(["a", null, "bc"])",
                    R"(, "stock": )", random.OneIn(5) ? "{}" : R"({"x": 1, "y": null})", "}\n");
    sellers += Concat(random.Between(1, 5), ",", Instant(random), ",", random.Between(1, 5), "\n");
    orders += Concat("o", random.Between(1, size), ",", UserOf(random), ",s", random.Between(1, 3),
                     ",", Instant(random), ",", random.Between(1, 100), ".25\n");
    if (i % 4 == 0) rates += Concat(Instant(random), ",", random.Between(1, 9), "\n");
  }
  fixture.folder().Write("users.csv", users);
  fixture.folder().Write("items.ndjson", items);
  fixture.folder().Write("sellers.csv", sellers);
  fixture.folder().Write("orders.csv", orders);
  fixture.folder().Write("rates.csv", rates);
}

std::string Spine(Random& random, int64_t rows) {
  std::string spine = "label,user_id,sku,t,want,order_id\n";
  for (int64_t i = 0; i < rows; ++i) {
    spine += Concat(i, ",", UserOf(random), ",s", random.Between(1, 10), ",", Instant(random), ",",
                    random.Between(0, 3), ".5,o", random.Between(1, rows), "\n");
  }
  return spine;
}

// Puts the pieces together again.
class Collect : public larder::TrainingSink {
 public:
  absl::Status Begin(const TrainingSet& set) override {
    CHECK_FALSE(begun_);
    begun_ = true;
    CHECK(set.rows.row_count() == 0);
    set_ = set;
    return absl::OkStatus();
  }
  absl::Status Take(const TrainingSet& piece) override {
    CHECK(begun_);
    ++pieces_;
    hasher_.Add(piece.rows);
    set_.rows.AppendRows(piece.rows);
    for (std::size_t f = 0; f < set_.features.size(); ++f) {
      auto& statuses = set_.features[f].statuses;
      statuses.insert(statuses.end(), piece.features[f].statuses.begin(),
                      piece.features[f].statuses.end());
      Append(piece.features[f].event_ids, &set_.features[f].event_ids);
      Append(piece.features[f].known_times, &set_.features[f].known_times);
    }
    return pieces_ == stop_after ? absl::CancelledError("enough") : absl::OkStatus();
  }
  [[nodiscard]] const TrainingSet& set() const { return set_; }
  [[nodiscard]] std::string Sha256() && { return std::move(hasher_).Finish().sha256; }
  [[nodiscard]] int pieces() const { return pieces_; }
  int stop_after = 0;

 private:
  static void Append(const larder::Column& from, larder::Column* to) {
    for (std::size_t row = 0; row < from.size(); ++row) to->AppendFrom(from, row);
  }
  TrainingSet set_;
  larder::DatasetHasher hasher_;
  bool begun_ = false;
  int pieces_ = 0;
};

absl::Status Stream(StoreFixture& fixture, HistoricalRequest request, Collect* out) {
  const std::string path = fixture.folder().File("spine.csv");
  auto spine = fixture.store().OpenSpine(path, &request);
  INFO(spine.status().ToString());
  REQUIRE(spine.ok());
  request.temporary_folder = fixture.folder().path().string();
  return fixture.store().StreamHistoricalFeatures(request, **spine, *out);
}

HistoricalRequest Request() {
  HistoricalRequest request;
  request.what.service = "all";
  request.time_column = "t";
  request.manifest = true;
  request.spine_sources = {};
  return request;
}

std::ptrdiff_t FilesIn(const StoreFixture& fixture) {
  return std::distance(std::filesystem::directory_iterator(fixture.folder().path()), {});
}

}  // namespace

TEST_CASE("a training set within any budget of memory is the one made at once",
          "[store][training][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  const int rounds = 6;
#else
  const int rounds = 3;
#endif
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    StoreFixture fixture;
    const int64_t rows = round == 0 ? 0 : random.Between(1, 9000);
    WriteHistory(random, random.Between(0, 3000), fixture);
    fixture.folder().Write("spine.csv", Spine(random, rows));
    fixture.Apply(kDefinitions);

    HistoricalRequest request = Request();
    request.audit = round % 2 == 0;
    HistoricalRequest loaded = request;
    REQUIRE(fixture.store().LoadSpine(fixture.folder().File("spine.csv"), &loaded).ok());
    const auto whole = fixture.store().GetHistoricalFeatures(loaded);
    INFO(whole.status().ToString());
    REQUIRE(whole.ok());
    for (const uint64_t budget : {0, 30'000, 2'000'000, 1'000'000'000}) {
      CAPTURE(budget);
      request.memory_budget = budget;
      request.thread_count = static_cast<int>(random.Between(1, 4));
      Collect out;
      const absl::Status made = Stream(fixture, request, &out);
      INFO(made.ToString());
      REQUIRE(made.ok());
      if (budget == 30'000 && rows > 3000) CHECK(out.pieces() > 1);
      for (std::size_t c = 0; c < whole->rows.column_count(); ++c) {
        INFO(whole->rows.name(c));
        REQUIRE(out.set().rows.column(c) == whole->rows.column(c));
      }
      for (std::size_t f = 0; f < whole->features.size(); ++f) {
        REQUIRE(out.set().features[f].statuses == whole->features[f].statuses);
        REQUIRE(out.set().features[f].event_ids == whole->features[f].event_ids);
        REQUIRE(out.set().features[f].known_times == whole->features[f].known_times);
      }
      larder::DatasetManifest manifest = *out.set().manifest;
      manifest.content = whole->manifest->content;
      CHECK(manifest.ToJson() == whole->manifest->ToJson());
      CHECK(std::move(out).Sha256() == whole->manifest->content.sha256);
      for (std::size_t v = 0; v < whole->views.size(); ++v) {
        CHECK(out.set().views[v].counts.events_null_key == whole->views[v].counts.events_null_key);
        CHECK(out.set().views[v].counts.rows_null_key == whole->views[v].counts.rows_null_key);
      }
    }
    CHECK(FilesIn(fixture) == 7);  // five sources, the spine and the store: nothing is left
  }
}

TEST_CASE("rows before the first one asked for are only hashed", "[store][training]") {
  Random random(3);
  StoreFixture fixture;
  WriteHistory(random, 300, fixture);
  fixture.folder().Write("spine.csv", Spine(random, 5000));
  fixture.Apply(kDefinitions);
  HistoricalRequest request = Request();
  Collect all;
  REQUIRE(Stream(fixture, request, &all).ok());
  for (const uint64_t budget : {0, 100'000}) {
    request.memory_budget = budget;
    for (const int64_t first : {1, 3210, 5000}) {
      request.first_row = first;
      Collect rest;
      REQUIRE(Stream(fixture, request, &rest).ok());
      CHECK(rest.set().manifest->spine_sha256 == all.set().manifest->spine_sha256);
      REQUIRE(rest.set().rows.row_count() == static_cast<std::size_t>(5000 - first));
      CHECK(rest.set().rows.column_count() == all.set().rows.column_count());
      for (std::size_t row = 0; row < rest.set().rows.row_count(); row += 7) {
        REQUIRE(rest.set().rows.RowAt(row) ==
                all.set().rows.RowAt(row + static_cast<std::size_t>(first)));
      }
    }
    for (const int64_t first : {-1, 5001}) {
      request.first_row = first;
      Collect none;
      CHECK_THAT(std::string(larder::MessageOf(Stream(fixture, request, &none))),
                 ContainsSubstring(Concat("first_row is ", first, ", the spine has 5000 rows")));
    }
    request.first_row = 0;
  }
}

TEST_CASE("progress and a sink can stop a training set within a budget", "[store][training]") {
  Random random(5);
  StoreFixture fixture;
  WriteHistory(random, 300, fixture);
  fixture.folder().Write("spine.csv", Spine(random, 4000));
  fixture.Apply(kDefinitions);
  HistoricalRequest request = Request();
  request.memory_budget = 100'000;
  int calls = 0;
  request.progress = [&calls](const larder::TrainingProgress&) {
    ++calls;
    return absl::OkStatus();
  };
  Collect all;
  REQUIRE(Stream(fixture, request, &all).ok());
  const int of = calls;
  REQUIRE(of > 20);
  for (const int stop : {1, 2, of / 2, of - 1, of}) {
    CAPTURE(stop, of);
    calls = 0;
    request.progress = [&calls, stop](const larder::TrainingProgress&) {
      return ++calls == stop ? absl::CancelledError("stopped") : absl::OkStatus();
    };
    Collect out;
    const absl::Status stopped = Stream(fixture, request, &out);
    CHECK(stopped.code() == absl::StatusCode::kCancelled);
    CHECK(calls == stop);
  }
  request.progress = nullptr;
  Collect out;
  out.stop_after = 2;
  CHECK(Stream(fixture, request, &out) == absl::CancelledError("enough"));
  CHECK(FilesIn(fixture) == 7);
}

TEST_CASE("a folder for temporary files that is not there is named", "[store][training]") {
  Random random(7);
  StoreFixture fixture;
  WriteHistory(random, 10, fixture);
  fixture.Apply(kDefinitions);
  fixture.folder().Write("spine.csv", Spine(random, 10));
  HistoricalRequest request = Request();
  request.memory_budget = 100'000;
  auto spine = fixture.store().OpenSpine(fixture.folder().File("spine.csv"), &request);
  REQUIRE(spine.ok());
  request.temporary_folder = fixture.folder().File("nowhere");
  Collect out;
  const absl::Status made = fixture.store().StreamHistoricalFeatures(request, **spine, out);
  CHECK(made.code() == absl::StatusCode::kNotFound);
  CHECK_THAT(std::string(larder::MessageOf(made)),
             ContainsSubstring("cannot create a temporary file in " + request.temporary_folder));
}

TEST_CASE("what is wrong with a spine's row is said by its number within a budget too",
          "[store][training]") {
  Random random(7);
  StoreFixture fixture;
  WriteHistory(random, 10, fixture);
  fixture.Apply(kDefinitions);
  fixture.folder().Write("spine.csv", Spine(random, 3000) + "x,1,s1,,1.5,o1\n");
  HistoricalRequest request = Request();
  request.memory_budget = 100'000;
  Collect out;
  const std::string message(larder::MessageOf(Stream(fixture, request, &out)));
  CHECK_THAT(message, ContainsSubstring("rows counted from spine row 2048") &&
                          ContainsSubstring("the first being row 952"));
}
