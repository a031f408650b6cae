#include "feature_store/store_fixture.h"
#include "larder/registry/rollback.h"

namespace {

using larder::RollbackOptions;
using larder::RollbackPart;
using larder_test::ContainsSubstring;
using larder_test::Shown;
using larder_test::StoreFixture;

// A view over a file and one over a stream; no service pins their versions.
std::string Shop(std::string_view price, std::string_view left, std::string_view window = "7d") {
  return larder::Concat(R"({"larder": 1, "project": "shop",
   "entities": [{"name": "item", "join_keys": [{"name": "item_id", "type": "int64"}]}],
   "sources": [{"name": "prices", "kind": "csv", "path": "prices.csv", "event_time": "at",
     "fields": [{"name": "item_id", "type": "int64"}, {"name": "price", "type": "float64"},
                {"name": "at", "type": "timestamp"}]},
     {"name": "stock_live", "kind": "push", "event_time": "at",
     "fields": [{"name": "item_id", "type": "int64"}, {"name": "pieces", "type": "int64"},
                {"name": "at", "type": "timestamp"}]}],
   "feature_views": [{"name": "item_price", "entities": ["item"], "source": "prices",
     "rollback_window": ")",
                        window, R"(", "features": [{"name": "shown", "expr": ")", price, R"("}]},
     {"name": "stock", "entities": ["item"], "source": "stock_live",
     "features": [{"name": "left", "expr": ")",
                        left, R"("}]}]})");
}

std::vector<std::string> Loaded(const larder::MaterializeResult& result) {
  std::vector<std::string> views;
  for (const auto& load : result.views) views.push_back(load.view);
  return views;
}

std::vector<std::string> Fed(const larder::PushResult& result) {
  std::vector<std::string> views;
  for (const auto& view : result.views) views.push_back(view.view);
  return views;
}

std::vector<larder::Row> Pieces(int pieces, std::string_view at) {
  return {{{"item_id", 1}, {"pieces", pieces}, {"at", larder_test::At(at)}}};
}

std::string Refused(StoreFixture& fixture, uint64_t number, const RollbackOptions& options = {}) {
  const auto rolled = fixture.store().Rollback(number, options);
  REQUIRE_FALSE(rolled.ok());
  return std::string(larder::MessageOf(rolled.status()));
}

std::string Price(StoreFixture& fixture) {
  return Shown(fixture.Get({"item_price:shown"}, {{{"item_id", 1}}}), "shown", 0);
}

TEST_CASE("loads and pushes keep a replaced version up until its rollback_window ends",
          "[store][rollback]") {
  StoreFixture fixture("2025-01-10T00:00:00Z");
  fixture.folder().Write("prices.csv", "item_id,price,at\n1,10,2025-01-01\n");
  const uint64_t first = fixture.Apply(Shop("price", "pieces")).revision;
  fixture.Materialize();
  fixture.SetNow("2025-01-11T00:00:00Z");
  fixture.Apply(Shop("price * 2", "pieces * 2"));
  CHECK(Loaded(fixture.Materialize()) == std::vector<std::string>{"item_price@2", "item_price@1"});
  CHECK(Fed(fixture.Push("stock_live", Pieces(5, "2025-01-11"))) ==
        std::vector<std::string>{"stock@1", "stock@2"});

  fixture.SetNow("2025-01-17T23:59:59Z");
  fixture.folder().Write("prices.csv", "item_id,price,at\n1,11,2025-01-17\n");
  CHECK(Loaded(fixture.Materialize()) == std::vector<std::string>{"item_price@2", "item_price@1"});
  REQUIRE(fixture.store().PlanRollback(first).ok());

  fixture.SetNow("2025-01-18T00:00:00Z");
  CHECK(Loaded(fixture.Materialize()) == std::vector<std::string>{"item_price@2"});
  CHECK(Fed(fixture.Push("stock_live", Pieces(6, "2025-01-17"))) ==
        std::vector<std::string>{"stock@2"});
}

TEST_CASE("a rollback to a version that fell behind says how far, and the load it names mends it",
          "[store][rollback]") {
  StoreFixture fixture("2025-01-10T00:00:00Z");
  fixture.folder().Write("prices.csv", "item_id,price,at\n1,10,2025-01-01\n");
  const uint64_t first = fixture.Apply(Shop("price", "pieces")).revision;
  fixture.Materialize();
  fixture.Apply(Shop("price * 2", "pieces"));
  fixture.SetNow("2025-01-30T00:00:00Z");
  fixture.folder().Write("prices.csv", "item_id,price,at\n1,12,2025-01-30\n");
  fixture.Materialize();

  RollbackOptions names_only;
  names_only.part = RollbackPart::kDefinitions;
  const auto refused = fixture.store().Rollback(first);
  CHECK(refused.status().code() == absl::StatusCode::kFailedPrecondition);
  CHECK(larder::KindOf(refused.status()) == larder::ErrorKind::kNotReady);
  const std::string why(larder::MessageOf(refused.status()));
  CHECK_THAT(why, ContainsSubstring("item_price@1 was last written to at 2025-01-10T00:00:00") &&
                      ContainsSubstring("20d before the rows of item_price@2") &&
                      ContainsSubstring("rollback_window is 7d") &&
                      ContainsSubstring("larder materialize --view item_price@1") &&
                      ContainsSubstring("--definitions"));
  CHECK_FALSE(fixture.store().PlanRollback(first).ok());
  CHECK(fixture.store().PlanRollback(first, names_only).ok());
  CHECK(Price(fixture) == "24 PRESENT");

  larder::MaterializeOptions mend;
  mend.views = {"item_price@1"};
  fixture.Materialize(mend);
  REQUIRE(fixture.store().Rollback(first).ok());
  CHECK(Price(fixture) == "12 PRESENT");
}

TEST_CASE("a version outside its window that missed nothing may be rolled back to",
          "[store][rollback]") {
  StoreFixture fixture("2025-01-10T00:00:00Z");
  fixture.folder().Write("prices.csv", "item_id,price,at\n1,10,2025-01-01\n");
  const uint64_t first = fixture.Apply(Shop("price", "pieces")).revision;
  fixture.Apply(Shop("price * 2", "pieces"));
  fixture.Materialize();
  fixture.SetNow("2025-03-01T00:00:00Z");
  REQUIRE(fixture.store().Rollback(first).ok());
  CHECK(Price(fixture) == "10 PRESENT");
}

TEST_CASE("a stream's version that missed pushes goes back only as definitions",
          "[store][rollback]") {
  StoreFixture fixture("2025-01-10T00:00:00Z");
  fixture.folder().Write("prices.csv", "item_id,price,at\n1,10,2025-01-01\n");
  const uint64_t first = fixture.Apply(Shop("price", "pieces")).revision;
  fixture.Push("stock_live", Pieces(5, "2025-01-09"));
  fixture.Apply(Shop("price", "pieces * 2"));
  fixture.SetNow("2025-01-20T00:00:00Z");
  fixture.Push("stock_live", Pieces(6, "2025-01-19"));
  CHECK_THAT(Refused(fixture, first),
             ContainsSubstring("stock@1") && ContainsSubstring("no file to load"));
  RollbackOptions names_only;
  names_only.part = RollbackPart::kDefinitions;
  REQUIRE(fixture.store().Rollback(first, names_only).ok());
  CHECK(Shown(fixture.Get({"stock:left"}, {{{"item_id", 1}}}), "left", 0) == "5 PRESENT");
  const auto history = fixture.store().History();
  REQUIRE(history.ok());
  CHECK(history->back().detail == "to 1, definitions only");
  // Live again, it is pushed to again.
  CHECK(Fed(fixture.Push("stock_live", Pieces(7, "2025-01-19T12:00:00Z"))) ==
        std::vector<std::string>{"stock@1", "stock@2"});
}

TEST_CASE("a rollback_window of 0 gives a replaced version up at once, and one of 30d keeps it",
          "[store][rollback]") {
  for (const auto& [window, kept] : {std::pair("0s", false), std::pair("30d", true)}) {
    INFO(window);
    StoreFixture fixture("2025-01-10T00:00:00Z");
    fixture.folder().Write("prices.csv", "item_id,price,at\n1,10,2025-01-01\n");
    fixture.Apply(Shop("price", "pieces", window));
    fixture.Materialize();
    fixture.Apply(Shop("price * 2", "pieces", window));
    fixture.SetNow("2025-01-20T00:00:00Z");
    CHECK(Loaded(fixture.Materialize()).size() == (kept ? 2 : 1));
  }
}

TEST_CASE("a version that a service reads is kept up for as long as the service is there",
          "[store][rollback]") {
  StoreFixture fixture("2025-01-10T00:00:00Z");
  fixture.folder().Write("prices.csv", "item_id,price,at\n1,10,2025-01-01\n");
  const auto with_service = [](std::string text) {
    text.insert(text.rfind('}'),
                R"(, "feature_services": [{"name": "pricing", "features": ["item_price:shown"]}])");
    return text;
  };
  const uint64_t first = fixture.Apply(with_service(Shop("price", "pieces"))).revision;
  fixture.Apply(with_service(Shop("price * 2", "pieces")));
  fixture.SetNow("2025-06-01T00:00:00Z");
  CHECK(Loaded(fixture.Materialize()).size() == 2);
  CHECK(fixture.store().PlanRollback(first).ok());
}

TEST_CASE("a removed view is kept up inside its window and comes back with its rows",
          "[store][rollback]") {
  StoreFixture fixture("2025-01-10T00:00:00Z");
  fixture.folder().Write("prices.csv", "item_id,price,at\n1,10,2025-01-01\n");
  const uint64_t first = fixture.Apply(Shop("price", "pieces")).revision;
  fixture.Materialize();
  std::string without = Shop("price", "pieces");
  const std::size_t begin = without.find(R"({"name": "item_price")");
  without.erase(begin, without.find(R"({"name": "stock",)") - begin);
  larder::PlanOptions prune;
  prune.prune = true;
  REQUIRE(fixture.store().Apply(fixture.Parse(without), prune).ok());
  fixture.SetNow("2025-01-12T00:00:00Z");
  fixture.folder().Write("prices.csv", "item_id,price,at\n1,11,2025-01-11\n");
  CHECK(Loaded(fixture.Materialize()) == std::vector<std::string>{"item_price@1"});
  fixture.SetNow("2025-01-25T00:00:00Z");
  CHECK(Loaded(fixture.Materialize()).empty());
  CHECK_THAT(Refused(fixture, first), ContainsSubstring("item_price@1"));
  RollbackOptions names_only;
  names_only.part = RollbackPart::kDefinitions;
  REQUIRE(fixture.store().Rollback(first, names_only).ok());
  CHECK(Price(fixture) == "11 PRESENT");
}

TEST_CASE("rows alone go back to the load that was live then, while it is kept",
          "[store][rollback]") {
  StoreFixture fixture("2025-01-10T00:00:00Z");
  fixture.folder().Write("prices.csv", "item_id,price,at\n1,10,2025-01-01\n");
  fixture.Apply(Shop("price", "pieces"));
  fixture.Materialize();
  RollbackOptions rows_only;
  rows_only.part = RollbackPart::kData;
  const auto same = fixture.store().Rollback(2, rows_only);
  REQUIRE(same.ok());
  CHECK_FALSE(same->changed);
  // Before the first load there is nothing to go back to: rows are not taken away.
  CHECK_FALSE(fixture.store().Rollback(1, rows_only)->changed);

  fixture.folder().Write("prices.csv", "item_id,price,at\n1,12,2025-01-02\n");
  fixture.Materialize();
  CHECK(Price(fixture) == "12 PRESENT");
  const auto back = fixture.store().Rollback(2, rows_only);
  REQUIRE(back.ok());
  CHECK(back->changed);
  CHECK(back->restored == std::vector<std::string>{"item_price@1: generation 1"});
  CHECK(Price(fixture) == "10 PRESENT");
  CHECK(fixture.store().History()->back().kind == larder::HistoryKind::kRollback);
  CHECK(Loaded(fixture.Materialize()).empty());  // on hold
  CHECK(Price(fixture) == "10 PRESENT");

  // And forward again: definitions with rows.
  const auto forward = fixture.store().Rollback(3);
  REQUIRE(forward.ok());
  CHECK(forward->restored == std::vector<std::string>{"item_price@1: generation 2"});
  CHECK(Price(fixture) == "12 PRESENT");

  REQUIRE(fixture.store().Release("item_price").ok());
  for (int load = 0; load < 3; ++load) fixture.Materialize();
  const auto gone = fixture.store().Rollback(2, rows_only);
  CHECK(larder::KindOf(gone.status()) == larder::ErrorKind::kNotReady);
  const auto names = fixture.store().Rollback(2);
  REQUIRE(names.ok());
  CHECK(names->not_restored == std::vector<std::string>{"item_price@1: generation 1"});
  CHECK(Price(fixture) == "12 PRESENT");
}

TEST_CASE("nothing goes back to before the first entry", "[store][rollback]") {
  StoreFixture fixture;
  fixture.Apply(Shop("price", "pieces"));
  CHECK(fixture.store().Rollback(0).status().code() == absl::StatusCode::kInvalidArgument);
  CHECK_THAT(Refused(fixture, 0), ContainsSubstring("entry 1"));
  CHECK_FALSE(fixture.store().PlanRollback(0).ok());
}

}  // namespace
