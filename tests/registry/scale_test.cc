// A store of the size that has to stay quick. Bounds are those of an optimised build; others are only printed.
#include <chrono>
#include <iostream>

#include "registry/store.h"

namespace {

larder::Definitions Large(int views, int features) {
  larder::Definitions d = larder_test::Parsed(R"({"project": "large",
    "entities": [{"name": "e", "join_keys": [{"name": "k", "type": "int64"}]}]})");
  larder::Source source;
  source.name = "s";
  source.path = "s.csv";
  source.event_time = "t";
  const auto add = [&](std::string name, larder::DataType type) {
    larder::Field& field = source.fields.emplace_back();
    field.name = std::move(name);
    field.type = type;
  };
  add("k", larder::TypeId::kInt64);
  add("t", larder::TypeId::kTimestamp);
  for (int f = 0; f < features; ++f) add(larder::Concat("column_", f), larder::TypeId::kFloat64);
  d.sources.push_back(source);
  for (int v = 0; v < views; ++v) {
    larder::FeatureView& view = d.feature_views.emplace_back();
    view.name = larder::Concat("view_", v);
    view.entities = {"e"};
    view.source = "s";
    view.metadata.owner = "team";
    for (int f = 0; f < features; ++f) {
      larder::Feature& feature = view.features.emplace_back();
      feature.name = larder::Concat("column_", f);
      if (f % 2 == 1) {
        feature.name = larder::Concat("computed_", f);
        feature.expr = larder::Concat("column_", f, " * 2 + ", v);
      }
      feature.metadata.description = "a column";
    }
  }
  for (int m = 0; m < views / 10; ++m) {
    larder::FeatureService& service = d.feature_services.emplace_back();
    service.name = larder::Concat("model_", m);
    service.full_feature_names = true;
    for (int v = 0; v < 10; ++v)
      service.features.emplace_back().view = larder::Concat("view_", 10 * m + v);
  }
  return d;
}

template <class F>
double Milliseconds(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("a thousand views of twenty features apply, open and plan quickly",
          "[registry][scale][slow]") {
  const larder::Definitions definitions = Large(1000, 20);
  larder_test::FakeChecker checker;
  larder::Catalog catalog;
  const double apply = Milliseconds([&] {
    auto plan = larder::MakePlan(catalog, definitions, checker);
    REQUIRE(plan.ok());
    catalog = *larder::ApplyPlan(catalog, *plan);
  });
  std::string bytes;
  const double store = Milliseconds([&] { bytes = catalog.Serialize(); });
  double open = 1e9;
  for (int i = 0; i < 5; ++i) {
    open = std::min(open, Milliseconds([&] { catalog = *larder::Catalog::Parse(bytes); }));
  }
  larder::Definitions changed = definitions;
  changed.feature_views[500].ttl = larder::Duration::Days(3);
  double plan_ms = 1e9;
  for (int i = 0; i < 3; ++i) {
    plan_ms = std::min(plan_ms, Milliseconds([&] {
                         auto plan = larder::MakePlan(catalog, changed, checker);
                         REQUIRE(plan.ok());
                         REQUIRE(larder_test::Find(*plan, "view_500").version_after == 2);
                         REQUIRE(larder_test::Find(*plan, "model_50").version_after == 2);
                       }));
  }
  const std::string json = larder::DefinitionsToJson(definitions);
  const double parse =
      Milliseconds([&] { REQUIRE(larder::ParseDefinitions(json, "large.json").ok()); });
  std::cout << "1,000 views, 20,000 features: resolve and apply " << apply << " ms, serialise "
            << store << " ms (" << bytes.size() << " bytes), open " << open
            << " ms, plan of one line " << plan_ms << " ms, JSON of " << json.size() << " bytes "
            << parse << " ms\n";
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // A busy machine takes longer; ten times the promise is a defect.
  CHECK(apply < 20'000);
  CHECK(open < 200);
  CHECK(plan_ms < 2'000);
#endif
}
