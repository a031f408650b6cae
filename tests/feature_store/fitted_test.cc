// Fitted constants from a training set to serving: one artefact, pinned by what uses it, the same bits everywhere.
#include <bit>
#include <cmath>

#include "feature_store/store_fixture.h"
#include "larder/base/text.h"
#include "larder/transform/function.h"

namespace {

using larder::Concat;
using larder_test::At;
using larder_test::ContainsSubstring;
using larder_test::Shown;
using larder_test::StoreFixture;

constexpr std::string_view kRows =
    "card,amount,city,at\n"
    "1,10,oslo,2025-01-01T00:00:00Z\n"
    "2,20.5,rome,2025-01-01T00:00:00Z\n"
    "3,35,oslo,2025-01-01T00:00:00Z\n"
    "4,,bern,2025-01-01T00:00:00Z\n";

constexpr std::string_view kSpine =
    "card,at\n"
    "1,2025-01-05T00:00:00Z\n"
    "2,2025-01-05T00:00:00Z\n"
    "3,2025-01-05T00:00:00Z\n"
    "4,2025-01-05T00:00:00Z\n";

// `z` is the expression of a stored feature, `served` of one computed on demand.
std::string Json(std::string_view z, std::string_view served) {
  return Concat(R"({"larder": 1, "project": "shop",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [{"name": "tx", "kind": "csv", "path": "tx.csv", "event_time": "at",
   "fields": [{"name": "card", "type": "int64"}, {"name": "amount", "type": "float64"},
              {"name": "city", "type": "string"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "plain", "entities": ["card"], "source": "tx",
   "features": [{"name": "amount"}, {"name": "city"}]},
  {"name": "cards", "entities": ["card"], "source": "tx",
   "features": [{"name": "z", "expr": ")",
                z, R"("}]}],
 "on_demand_views": [{"name": "live", "inputs": {"amount": "plain:amount", "city": "plain:city"},
   "features": [{"name": "served", "expr": ")",
                served, R"("}]}],
 "feature_services": [{"name": "model", "features": ["cards:z", "live:served"]}]})");
}

constexpr std::string_view kPlain = R"({"larder": 1, "project": "shop",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [{"name": "tx", "kind": "csv", "path": "tx.csv", "event_time": "at",
   "fields": [{"name": "card", "type": "int64"}, {"name": "amount", "type": "float64"},
              {"name": "city", "type": "string"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "plain", "entities": ["card"], "source": "tx",
   "features": [{"name": "amount"}, {"name": "city"}]}]})";

larder::TrainingSet Export(StoreFixture& fixture, const std::string& service,
                           std::vector<std::string> features = {}) {
  fixture.folder().Write("spine.csv", kSpine);
  larder::HistoricalRequest request;
  request.what.service = service;
  request.what.features = std::move(features);
  REQUIRE(fixture.store().LoadSpine(fixture.folder().File("spine.csv"), &request).ok());
  auto set = fixture.store().GetHistoricalFeatures(request);
  INFO(set.status());
  REQUIRE(set.ok());
  return *std::move(set);
}

// Fits `name` on a column of the training set of the plain view.
larder::FitResult FitColumn(StoreFixture& fixture, std::string_view name, std::string_view column) {
  const larder::TrainingSet set = Export(fixture, "", {"plain:amount", "plain:city"});
  auto fitted = fixture.store().Fit(name, *set.rows.Find(column));
  INFO(fitted.status());
  REQUIRE(fitted.ok());
  return *std::move(fitted);
}

larder::OnlineResponse Serve(StoreFixture& fixture, const std::string& service) {
  larder::OnlineRequest request;
  request.what.service = service;
  request.rows = {{{"card", 1}}, {{"card", 2}}, {{"card", 3}}, {{"card", 4}}};
  request.as_of = At("2025-01-05T00:00:00Z");
  auto response = fixture.store().GetOnlineFeatures(request);
  INFO(response.status());
  REQUIRE(response.ok());
  return *std::move(response);
}

// Tensor, typed read and training set of `service`, which must all hold the same bits.
std::vector<double> Everywhere(StoreFixture& fixture, const std::string& service) {
  const larder::OnlineResponse response = Serve(fixture, service);
  const larder::TrainingSet set = Export(fixture, service);
  const auto plan = fixture.store().Bind(service);
  INFO(plan.status());
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  const std::vector<int64_t> cards = {1, 2, 3, 4};
  std::vector<double> tensor(8);
  const larder::InputColumn inputs[] = {larder::InputColumn::Of(cards)};
  REQUIRE(
      session->Fill(inputs, At("2025-01-05T00:00:00Z"), larder::Tensor<double>{tensor.data(), 4, 0})
          .ok());
  for (std::size_t row = 0; row < 4; ++row) {
    for (std::size_t f = 0; f < 2; ++f) {
      const larder::Column& online = response.features[f].values;
      const larder::Column& exported = *set.rows.Find(response.features[f].name);
      INFO(service << " " << response.features[f].name << " row " << row);
      CHECK(online.ValueAt(row) == exported.ValueAt(row));
      if (!online.IsValid(row) || online.type() != larder::TypeId::kFloat64) continue;
      CHECK(std::bit_cast<uint64_t>(tensor[2 * row + f]) ==
            std::bit_cast<uint64_t>(online.Values<double>()[row]));
    }
  }
  return tensor;
}

std::vector<uint64_t> Bits(const std::vector<double>& values) {
  std::vector<uint64_t> bits;
  for (const double x : values) bits.push_back(std::bit_cast<uint64_t>(x));
  return bits;
}

TEST_CASE("constants fitted on a training set give the same bits in serving and in training",
          "[store]") {
  StoreFixture fixture;
  fixture.folder().Write("tx.csv", kRows);
  fixture.Apply(kPlain);
  fixture.Materialize();
  const larder::FitResult amount = FitColumn(fixture, "amount_fit", "amount");
  CHECK(amount.fresh);
  CHECK(amount.entry.version == 1);
  CHECK(amount.entry.values.count == 3);
  CHECK(FitColumn(fixture, "city_fit", "city").entry.values.vocabulary ==
        std::vector<std::string>{"oslo", "bern", "rome"});
  fixture.Apply(Json("zscore(amount, amount_fit)",
                     "minmax(amount, amount_fit) + vocabulary_index(city, city_fit)"));
  fixture.Materialize();
  const std::vector<double> tensor = Everywhere(fixture, "model");
  const larder::FittedValues& values = amount.entry.values;
  CHECK(tensor[0] == (10 - values.mean) / values.deviation);
  CHECK(tensor[1] == 0);
  CHECK(tensor[3] == (20.5 - 10) / 25 + 2);
  CHECK(std::isnan(tensor[6]));
}

TEST_CASE("fitting again makes a version, and moves nothing that names the old one", "[store]") {
  StoreFixture fixture;
  fixture.folder().Write("tx.csv", kRows);
  fixture.Apply(kPlain);
  fixture.Materialize();
  FitColumn(fixture, "fit", "amount");
  const std::string bare = Json("zscore(amount, fit)", "minmax(amount, fit)");
  const uint64_t first = fixture.Apply(bare).revision;
  fixture.Materialize();
  const std::vector<double> before = Everywhere(fixture, "model@1");

  // The same values again: the same artefact.
  CHECK_FALSE(FitColumn(fixture, "fit", "amount").fresh);
  fixture.folder().Write("tx.csv", Concat(kRows, "5,1000,oslo,2025-01-01T00:00:00Z\n"));
  fixture.Materialize();
  larder::Column more(larder::TypeId::kFloat64);
  for (const double x : {10.0, 20.5, 35.0, 1000.0}) more.AppendFixed(x);
  const auto again = fixture.store().Fit("fit", more);
  REQUIRE(again.ok());
  CHECK(again->fresh);
  CHECK(again->entry.version == 2);
  const auto all = fixture.store().Fitted();
  REQUIRE(all.ok());
  REQUIRE(all->size() == 2);
  CHECK((*all)[1].Identity() == again->entry.Identity());
  const auto history = fixture.store().History();
  REQUIRE(history.ok());
  CHECK(history->back().kind == larder::HistoryKind::kFit);
  CHECK(history->back().detail == "fit@2 on 4 values");

  // The text applied before means what it meant, after a load and in a store opened anew as well.
  CHECK_FALSE(fixture.Apply(bare).changed);
  fixture.Materialize();
  CHECK(Bits(Everywhere(fixture, "model")) == Bits(before));

  // A text that names the new version is a new version of view and service; the old ones stay.
  const larder::ApplyResult moved =
      fixture.Apply(Json("zscore(amount, fit@2)", "minmax(amount, fit@2)"));
  CHECK(moved.changed);
  fixture.Materialize();
  const std::vector<double> after = Everywhere(fixture, "model@2");
  CHECK(after[0] == (10 - again->entry.values.mean) / again->entry.values.deviation);
  CHECK(Bits(after) != Bits(before));
  CHECK(Bits(Everywhere(fixture, "model@1")) == Bits(before));

  // And back, by text or by rollback.
  const auto rolled = fixture.store().Rollback(first);
  INFO(rolled.status());
  REQUIRE(rolled.ok());
  CHECK(Serve(fixture, "model").service == "model@1");
  CHECK(Bits(Everywhere(fixture, "model")) == Bits(before));
}

TEST_CASE("the version that was the latest when a text was first applied is written into it",
          "[store]") {
  StoreFixture fixture;
  fixture.folder().Write("tx.csv", kRows);
  fixture.Apply(kPlain);
  fixture.Materialize();
  FitColumn(fixture, "fit", "amount");
  fixture.Apply(Json("zscore(amount, fit)", "minmax(amount, fit)"));
  // To name that very version means the same.
  CHECK(fixture.Apply(Json("zscore(amount, fit@1)", "minmax(amount, fit@1)")).plan.changes.size() >
        0);
  const auto catalog = fixture.store().GetCatalog();
  REQUIRE(catalog.ok());
  const auto service = catalog->GetService("shop", "model");
  REQUIRE(service.ok());
  CHECK((*service)->version == 1);
}

TEST_CASE("a name that nothing was fitted under is refused with its place and the nearest",
          "[store]") {
  StoreFixture fixture;
  fixture.folder().Write("tx.csv", kRows);
  fixture.Apply(kPlain);
  fixture.Materialize();
  FitColumn(fixture, "amount_fit", "amount");
  for (const std::string name : {"amount_fat", "amount_fit@7"}) {
    const auto plan =
        fixture.store().Plan(fixture.Parse(Json(Concat("zscore(amount, ", name, ")"), "amount")));
    REQUIRE_FALSE(plan.ok());
    const std::string message(larder::MessageOf(plan.status()));
    CHECK_THAT(message, ContainsSubstring(Concat("unknown name \"", name, "\"")));
    CHECK_THAT(message, ContainsSubstring("amount_fit@1"));
    CHECK_THAT(message, ContainsSubstring("^"));
  }
  larder::Column empty(larder::TypeId::kFloat64);
  CHECK_THAT(std::string(larder::MessageOf(fixture.store().Fit("x", empty).status())),
             ContainsSubstring("fit x: nothing to fit"));
  larder::Column one(larder::TypeId::kFloat64);
  one.AppendFixed(1.0);
  CHECK(fixture.store().Fit("not a name", one).status().code() ==
        absl::StatusCode::kInvalidArgument);
}

larder::FunctionDefinition Scaled(int version, double factor) {
  larder::FunctionDefinition definition;
  definition.name = "scaled";
  definition.version = version;
  definition.arguments = {larder::TypeId::kFloat64};
  definition.scalar = [factor](std::span<const larder::Datum> arguments,
                               larder::FunctionResult* result) {
    result->SetFloat(arguments[0].f64 * factor);
  };
  definition.probes = {{larder::Value(1.0)}};
  return definition;
}

TEST_CASE("a bound service keeps the version of a C++ function it was applied with", "[store]") {
  larder_test::TempFolder folder;
  folder.Write("tx.csv", kRows);
  const auto open = [&](const larder::FunctionRegistry* functions) {
    larder::StoreOptions options;
    options.clock = [] { return At("2025-01-10T00:00:00Z"); };
    options.functions = functions;
    auto store = larder::FeatureStore::Open(folder.File("store"), options);
    REQUIRE(store.ok());
    return *std::move(store);
  };
  const auto first = [](const larder::FeatureStore& store, const std::string& feature) {
    larder::OnlineRequest request;
    request.what.service = "model";
    request.rows = {{{"card", 1}}};
    const auto response = store.GetOnlineFeatures(request);
    return response.ok() ? Shown(*response, feature, 0)
                         : std::string(larder::MessageOf(response.status()));
  };
  const std::string json = Json("scaled(amount)", "scaled(amount) + 1");
  auto definitions = larder::ParseDefinitions(json, "test.json");
  REQUIRE(definitions.ok());
  definitions->base_path = folder.path().string();
  {
    larder::FunctionRegistry one;
    REQUIRE(one.Register(Scaled(1, 2)).ok());
    larder::FeatureStore store = open(&one);
    REQUIRE(store.Apply(*definitions).ok());
    REQUIRE(store.Materialize().ok());
    CHECK(first(store, "served") == "21 PRESENT");
  }
  {
    larder::FunctionRegistry both;
    REQUIRE(both.Register(Scaled(1, 2)).ok());
    REQUIRE(both.Register(Scaled(2, 100)).ok());
    larder::FeatureStore store = open(&both);
    CHECK(first(store, "served") == "21 PRESENT");
    REQUIRE(store.Materialize().ok());
    CHECK(first(store, "z") == "20 PRESENT");
    const auto again = store.Apply(*definitions);
    REQUIRE(again.ok());
    CHECK_FALSE(again->changed);
  }
  {
    // Without the function the rest works.
    larder::FeatureStore store = open(nullptr);
    CHECK_THAT(first(store, "served"),
               ContainsSubstring("function scaled@1 is not registered in this process"));
    CHECK(store.Bind("model").status().code() == absl::StatusCode::kFailedPrecondition);
    larder::OnlineRequest request;
    request.what.features = {"cards:z", "plain:amount"};
    request.rows = {{{"card", 1}}};
    const auto stored = store.GetOnlineFeatures(request);
    INFO(stored.status());
    REQUIRE(stored.ok());
    CHECK(Shown(*stored, "z", 0) == "20 PRESENT");
    const auto same = store.Apply(*definitions);
    INFO(same.status());
    REQUIRE(same.ok());
    CHECK_FALSE(same->changed);
  }
  {
    larder::FunctionRegistry changed;
    REQUIRE(changed.Register(Scaled(1, 3)).ok());
    larder::FeatureStore store = open(&changed);
    CHECK_THAT(first(store, "served"), ContainsSubstring("scaled@1 answers its probes otherwise"));
  }
}

}  // namespace
