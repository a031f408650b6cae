#include <string>

#include "registry/example.h"
#include "registry/store.h"

using Catch::Matchers::ContainsSubstring;
using larder::DataType;
using larder::TypeId;
using larder_test::kFraudJson;
using larder_test::Replaced;
using larder_test::Store;

namespace {

// A change of the design's example, and what the plan must say about it.
struct Bad {
  const char* from;
  const char* to;
  const char* message;
};

const larder::ViewVersion& View(const Store& store, std::string_view name) {
  const auto view = store.catalog.GetView("", name);
  INFO(view.status());
  REQUIRE(view.ok());
  return **view;
}

}  // namespace

TEST_CASE("what a definition gets wrong is told with its place", "[registry][resolve]") {
  const Bad cases[] = {
      // Names.
      {R"("name": "card_spend", "entities")", R"("name": "card@spend", "entities")",
       "/feature_views/0/name: not a name: \"card@spend\""},
      {R"("name": "card_spend", "entities")", R"("name": "card:spend", "entities")", "not a name"},
      {R"("name": "card_spend", "entities")", R"("name": "", "entities")", "not a name"},
      {R"("name": "card_fraud", "entities")", R"("name": "Card_Spend", "entities")",
       "/feature_views/1/name: Card_Spend differs from card_spend only in case"},
      {R"("name": "card_fraud", "entities")", R"("name": "card_spend", "entities")",
       "repeated name: card_spend"},
      {R"("name": "ratios", "request")", R"("name": "CARD_SPEND", "request")",
       "/on_demand_views/0/name: CARD_SPEND is the name of a feature view already"},
      {R"("project": "fraud")", R"("project": "fr aud")", "/project: not a name"},
      // References.
      {R"("entities": ["card"], "source": "transactions_live")",
       R"("entities": ["crad"], "source": "transactions_live")",
       "/feature_views/0/entities/0: unknown entity: crad"},
      {R"("source": "transactions_live")", R"("source": "transaction_live")",
       "/feature_views/0/source: unknown source: transaction_live (did you mean "
       "\"transactions_live\"?)"},
      {R"("batch_source": "transactions")", R"("batch_source": "transaction")",
       "/sources/1/batch_source: unknown source: transaction (did you mean \"transactions\"?)"},
      {R"("batch_source": "transactions")", R"("batch_source": "transactions_live")",
       "is a push source itself"},
      {R"("card_spend:mean_amount_30d")", R"("card_spend:mean_amount_30")",
       "/on_demand_views/0/inputs/card_mean: unknown feature of card_spend: mean_amount_30 (did "
       "you mean \"mean_amount_30d\"?)"},
      {R"("card_profile:limit")", R"("card_profil:limit")",
       "/feature_services/0/features/2: unknown view: card_profil (did you mean "
       "\"card_profile\"?)"},
      {R"("card_profile:limit")", R"("card_profile:limt")",
       "unknown feature of card_profile: limt (did you mean \"limit\"?)"},
      {R"("card_profile:limit")", R"("card_profile@7:limit")", "card_profile has no version 7"},
      {R"("card_profile:limit")", R"("card_profile@abc:limit")", "/feature_services/0/features/2: "},
      {R"("card_profile:limit")", R"("card_profile@0:limit")", "/feature_services/0/features/2: "},
      {R"("view": "card_fraud", "aggregate")", R"("view": "card_frau", "aggregate")",
       "/labels/0/view: unknown view: card_frau"},
      // Sources.
      {R"("event_time": "at")", R"("event_time": "att")",
       "/sources/0/event_time: unknown field: att (did you mean \"at\"?)"},
      {R"("event_time": "at")", R"("event_time": "amount")",
       "/sources/0/event_time: event_time must be a timestamp or date, and amount is float64"},
      {R"("arrival_time": "loaded_at")", R"("arrival_time": "city")",
       "arrival_time must be a timestamp"},
      {R"("unit": "s")", R"("unit": "sec")", "unknown unit: \"sec\""},
      {R"({"name": "amount", "type": "float64", "from": "amt"})",
       R"({"name": "amount", "type": "float64", "unit": "s"})",
       "/sources/0/fields/1/unit: a unit is of a timestamp or duration"},
      {R"("path": "cities.csv", )", R"()", "/sources/3: a csv source needs \"path\""},
      {R"("kind": "csv", "path": "cities.csv")", R"("kind": "push", "path": "cities.csv")",
       "a push source has no path"},
      {R"("delimiter": "|")", R"("delimiter": "||")",
       "/sources/0/format/delimiter: a delimiter is one character"},
      {R"("late_by": "2d")", R"("late_by": "-2d")", "late_by cannot be negative"},
      {R"("late_by": "2d")", R"("order": "sequence")", "order: sequence needs the key \"sequence\""},
      {R"("late_by": "2d")", R"("time_zone": "Mars/Phobos")", "/sources/0/time_zone: "},
      {R"("path": "cities.csv")", R"("path": "cities.csv", "available_after": "1h")",
       "available_after needs an event_time"},
      // Views.
      {R"("ttl": "365d")", R"("ttl": "-1s")", "a ttl cannot be negative"},
      {R"("source": "cities", "features")", R"("source": "cities", "ttl": "1d", "features")",
       "/feature_views/3/ttl: source cities has no event_time, so its rows have no age"},
      {R"({"name": "population", "type": "int64"}]}],
 "on_demand)",
       R"({"name": "populaton", "type": "int64"}]}],
 "on_demand)",
       "/feature_views/3/features/0/name: unknown field of source cities: populaton (did you mean "
       "\"population\"?)"},
      {R"({"name": "limit", "type": "float64", "default": 0})",
       R"({"name": "limit", "type": "float32"})",
       "/feature_views/2/features/0/type: declared float32, but the field is float64"},
      {R"x("expr": "hash_bucket(lower(city), 1000)")x",
       R"x("expr": "hash_bucket(lower(cty), 1000)")x",
       "/feature_views/2/features/2/expr: 1:19: unknown name: cty"},
      {R"x("type": "int64", "expr": "hash_bucket(lower(city), 1000)")x",
       R"x("type": "int32", "expr": "hash_bucket(lower(city), 1000)")x",
       "declared int32, but the expression gives int64; write a cast in expr"},
      {R"({"name": "city", "type": "string"},
                {"name": "city_bucket")",
       R"({"name": "Limit", "expr": "limit"}, {"name": "city_bucket")",
       "/feature_views/2/features/1/name: repeated name: Limit"},
      {R"({"name": "is_fraud", "type": "bool"}]},
  {"name": "card_profile")",
       R"({"name": "cc_num", "type": "uint64"}]},
  {"name": "card_profile")",
       "cc_num is a join key of the view already"},
      {R"("features": [{"name": "is_fraud", "type": "bool"}])", R"("features": [])",
       "a view needs features or aggregates"},
      {R"("features": [{"name": "is_fraud", "type": "bool"}])",
       R"("exclude_self": true, "partial_updates": true,
        "aggregates": [{"function": "count", "window": "1h"}])",
       "aggregates have no partial updates"},
      {R"("join_keys": [{"name": "cc_num", "type": "uint64"}])",
       R"("join_keys": [{"name": "ccnum", "type": "uint64"}])",
       "has no column for join key ccnum (did you mean \"cc_num\"?)"},
      {R"("join_keys": [{"name": "cc_num", "type": "uint64"}])",
       R"("join_keys": [{"name": "cc_num", "type": "string"}])",
       "join key cc_num is string, but source transactions_live has uint64"},
      {R"("join_keys": [{"name": "cc_num", "type": "uint64"}])",
       R"("join_keys": [{"name": "cc_num", "type": "float64"}])",
       "/entities/0/join_keys/0/type: a join key cannot be float64"},
      {R"("join_keys": [{"name": "cc_num", "type": "uint64"}])", R"("join_keys": [])",
       "an entity needs a join key"},
      // Aggregates.
      {R"("functions": ["count", "sum", "mean"])", R"("functions": ["count", "summ"])",
       "/feature_views/0/aggregates/0/functions/1: unknown aggregate function: summ (did you mean "
       "\"sum\"?)"},
      {R"("windows": ["1h", "1d", "30d"])", R"("windows": ["1h", "0s"])",
       "/aggregates/0/windows/1: a window must be longer than 0"},
      {R"("windows": ["1h", "1d", "30d"])", R"("windows": ["1h", "x"])",
       "/feature_views/0/aggregates/0/windows/1: "},
      {R"("windows": ["1h", "1d", "30d"])", R"("windows": ["1h"], "rows": 3)",
       "give either rows or windows"},
      {R"("windows": ["1h", "1d", "30d"])", R"("windows": ["1h"], "name": "x")",
       "a name needs exactly one function"},
      {R"("windows": ["1h", "1d", "30d"])", R"("windows": ["89d"])",
       "needs events of 91d1h (window, delay, late_by and version_horizon), but source "
       "transactions_live keeps them for 90d"},
      {R"("input": "amount", )", R"("input": "trans_num", )",
       "sum takes a number, bool or duration, not string"},
      {R"("input": "amount", )", R"("input": "amont", )",
       "/aggregates/0/input: unknown field of source transactions_live: amont"},
      {R"("input": "amount", )", R"("input": "amount * 2", )", "needs a name of its own"},
      {R"("where": "amount > 0")", R"("where": "amount + 1")", "where must be bool, found float64"},
      {R"("where": "amount > 0")", R"("where": "current_date > 0")",
       "/feature_views/0/aggregates/0/where: current_date and now() have no meaning here"},
      {R"("where": "amount > 0")", R"("group_by": "amount")",
       "group_by takes a string, integer or bool"},
      {R"("where": "amount > 0")", R"("parameters": {"k": 3})",
       "unknown parameter of count, sum, mean"},
      {R"("functions": ["count", "sum", "mean"])", R"("functions": ["top_k"])",
       "top_k needs the parameter k"},
      {R"("functions": ["count", "sum", "mean"])",
       R"("functions": ["top_k"], "parameters": {"k": 0})", "k is a whole number from 1 to 1000"},
      {R"("source": "transactions_live",
   "aggregates": [{"input": "amount", )",
       R"("source": "transactions_live",
   "features": [{"name": "amount"}], "aggregates": [{"input": "amount", )",
       "either features or aggregates"},
      // On demand.
      {R"("expr": "request.amount / card_mean")", R"("expr": "request.amont / card_mean")",
       "/on_demand_views/0/features/0/expr: 1:1: unknown name: request.amont (did you mean "
       "\"request.amount\"?)"},
      {R"("expr": "request.amount / card_mean")", R"("default": 1.0)",
       "a feature computed on demand needs an expr"},
      {R"("type": "float64", "expr": "request.amount / card_mean")",
       R"("type": "float32", "expr": "request.amount / card_mean")",
       "declared float32, but the expression gives float64"},
      {R"("inputs": {"card_mean": "card_spend:mean_amount_30d"})",
       R"("inputs": {"card_mean": "card_spend"})", "/on_demand_views/0/inputs/card_mean: "},
      {R"("request": [{"name": "amount", "type": "float64"}], "inputs": {)",
       R"("request": [{"name": "amount", "type": "float64"}], "inputs": {"loop": "ratios:vs_card", )",
       "a cycle: on-demand view ratios"},
      // Labels.
      {R"("to": "7d")", R"("to": "0s")", "to must be after from"},
      {R"("from": "0s", "to": "7d")", R"("from": "-1d", "to": "7d")", "from cannot be negative"},
      {R"("input": "is_fraud"}, "from")", R"("input": "is_frau"}, "from")",
       "unknown feature of card_fraud: is_frau"},
      {R"("aggregate": {"function": "max", "input": "is_fraud"})",
       R"("aggregate": {"function": "max", "input": "is_fraud", "window": "1d"})",
       "its window is from and to"},
      {R"("aggregate": {"function": "max", "input": "is_fraud"}, )", "",
       "a label reads either a feature or an aggregate"},
      {R"("view": "card_fraud", "aggregate")", R"("view": "ratios", "aggregate")",
       "is an on-demand view"},
      // Services.
      {R"("join_keys": {"city": "card_profile:city"})",
       R"("join_keys": {"town": "card_profile:city"})", "unknown join key of city_facts: town"},
      {R"("join_keys": {"city": "card_profile:city"})",
       R"("join_keys": {"city": "card_profile:limit"})",
       "join key city is string, but card_profile:limit is float64"},
      {R"("join_keys": {"city": "card_profile:city"})", R"("join_keys": {"city": "ratios:vs_card"})",
       "a join key can come from a stored feature only"},
      {R"("join_keys": {"city": "card_profile:city"})",
       R"("join_keys": {"city": "home:population"})", "a cycle"},
      {R"("join_keys": {"city": "card_profile:city"})", R"("join_keys": {"city": "a b"})",
       "neither a column nor view:feature"},
      {R"("card_profile:limit")", R"("card_profile:limit", "card_profile:limit")",
       "two outputs are named limit"},
      {R"("dtype": "float32", "missing": "null")", R"("dtype": "float32", "missing": "default")",
       "/feature_services/0/missing: missing: default, but sum_amount_1h has no default"},
      {R"("dtype": "float32", "missing")",
       R"("dtype": "float32", "casts": {"limt": "float32"}, "missing")",
       "/feature_services/0/casts/limt: unknown output: limt (did you mean \"limit\"?)"},
      {R"("name": "fraud_model", "dtype")", R"("name": "fraud model", "dtype")",
       "/feature_services/0/name: not a name"},
  };
  Store store;
  for (const Bad& bad : cases) {
    INFO(bad.to << "\nexpects " << bad.message);
    CHECK_THAT(store.Refusal(Replaced(kFraudJson, bad.from, bad.to)),
               ContainsSubstring(bad.message));
  }
}

TEST_CASE("what windows need and a source does not keep is refused", "[registry][resolve]") {
  Store store;
  const auto refusal = [&](const char* source, const char* functions, const char* windows) {
    std::string json = Replaced(kFraudJson, R"("retention": "90d")", source);
    json = Replaced(json, R"("functions": ["count", "sum", "mean"])", functions);
    return store.Refusal(Replaced(json, R"("windows": ["1h", "1d", "30d"])", windows));
  };
  const char* const spans = R"("windows": ["1h", "1d", "30d"])";
  const char* const functions = R"("functions": ["count", "sum", "mean"])";
  CHECK_THAT(
      refusal(R"("retention": "30d")", functions, spans),
      ContainsSubstring("needs events of 4w4d1h") || ContainsSubstring("needs events of 32d1h"));
  CHECK_THAT(refusal(R"("retention": "90d")", functions,
                     R"("windows": ["1h", "1d", "30d"], "delay": "70d")"),
             ContainsSubstring("(window, delay, late_by and version_horizon)"));
  // A lifetime needs no event again, unless one that it shows may be deleted.
  const auto lifetime = [&](std::string_view function, const char* source) {
    const std::string one = larder::Concat(R"("functions": [")", function, R"("])");
    const bool has_k = function.ends_with("_k");
    return refusal(source, one.c_str(),
                   has_k ? R"("windows": [], "parameters": {"k": "3"})" : R"("windows": [])");
  };
  constexpr const char* kDeletes = R"("retention": "90d", "operation": "trans_num")";
  for (const char* function :
       {"min", "max", "first", "last", "first_k", "last_k", "distinct_k", "count_distinct",
        "approx_count_distinct", "drawdown", "time_since_first", "time_since_last"}) {
    INFO(function);
    CHECK_THAT(lifetime(function, kDeletes),
               ContainsSubstring(larder::Concat(
                   "a lifetime ", function, " over a source with deletes needs all events, ",
                   "but source transactions_live keeps them for 90d")));
    CHECK_THAT(lifetime(function, R"("retention": "90d")"), !ContainsSubstring("keeps them for"));
    CHECK_THAT(lifetime(function, R"("operation": "trans_num")"),
               !ContainsSubstring("keeps them for"));
  }
  for (const char* function : {"count", "sum", "mean", "stddev", "entropy", "slope"}) {
    INFO(function);
    CHECK_THAT(lifetime(function, kDeletes), !ContainsSubstring("keeps them for"));
  }
  // What is delayed must be there when it begins to count.
  constexpr const char* kDelayed = R"("windows": [], "delay": "89d")";
  CHECK_THAT(refusal(R"("retention": "91d")", functions, kDelayed),
             ContainsSubstring("needs events of 91d1h (delay, late_by and version_horizon)"));
  CHECK_THAT(refusal(R"("retention": "92d")", functions, kDelayed),
             !ContainsSubstring("keeps them for"));
  // The last events may be of any age.
  CHECK_THAT(
      refusal(R"("retention": "90d")", functions, R"("rows": 3)"),
      ContainsSubstring("the last 3 events may be of any age, but source transactions_live"));
  CHECK_THAT(refusal(R"("description": "")", functions, R"("rows": 3)"),
             !ContainsSubstring("keeps them for"));
  // A load reads the batch source, whatever the push source keeps.
  const std::string live =
      Replaced(kFraudJson, R"("kind": "push",)", R"("kind": "push", "retention": "365d",)");
  CHECK_THAT(store.Refusal(Replaced(live, R"("retention": "90d")", R"("retention": "30d")")),
             ContainsSubstring("but source transactions keeps them for 30d"));
  CHECK_THAT(refusal(R"("retention": "90d", "valid_to": "at")", functions, spans),
             ContainsSubstring("end at valid_to; events in a window leave with it"));
  const std::string no_id =
      Replaced(Replaced(kFraudJson, R"("retention": "90d")", R"("operation": "trans_num")"),
               R"("event_id": "trans_num", )", "");
  CHECK_THAT(store.Refusal(no_id), ContainsSubstring("has deletes but no event_id"));
}

TEST_CASE("all problems of a plan come at once, and none twice", "[registry][resolve]") {
  Store store;
  std::string json = kFraudJson;
  json = Replaced(json, R"("ttl": "365d")", R"("ttl": "-1s")");
  json = Replaced(json, R"("event_time": "at")", R"("event_time": "att")");
  json = Replaced(json, R"(lower(city))", R"(lower(cty))");
  // card_spend, card_fraud, the label, the on-demand view and the service only fail because of these three.
  const std::string message = store.Refusal(json);
  INFO(message);
  CHECK_THAT(message, Catch::Matchers::StartsWith("3 problems\n"));
}

TEST_CASE("the design's example resolves to what it means", "[registry][resolve]") {
  Store store;
  store.Apply(kFraudJson);
  SECTION("aggregates are written out by function, input and window, typed") {
    const auto& view = View(store, "card_spend");
    REQUIRE(view.features.size() == 9);
    CHECK(view.FindFeature("count_amount_1h") == 0);
    CHECK(view.FindFeature("mean_amount_30d") == 8);
    CHECK(view.features[0].type == DataType(TypeId::kInt64));
    CHECK(view.features[3].type == DataType(TypeId::kFloat64));
    CHECK(view.features[8].aggregate->window == larder::Duration::Days(30));
    CHECK(view.features[8].aggregate->where == "amount > 0");
    CHECK(view.boundary == larder::Boundary::kBefore);
    CHECK(view.is_aggregate());
  }
  SECTION("a push source inherits fields, event time and event id, and not when events are known") {
    const auto& view = View(store, "card_spend");
    CHECK(view.source.name == "transactions_live");
    CHECK(view.source.event_time == "at");
    CHECK(view.source.event_id == "trans_num");
    CHECK_FALSE(view.source.available_after);
    REQUIRE(view.batch);
    CHECK(view.offline_source().name == "transactions");
    CHECK(view.offline_source().available_after == larder::Duration::Seconds(45));
    const auto source = store.catalog.GetSource("fraud", "transactions_live");
    REQUIRE(source.ok());
    CHECK((*source)->fields.size() == 5);
  }
  SECTION("a version keeps the fields it reads") {
    const auto& view = View(store, "card_spend");
    std::vector<std::string> names;
    for (const auto& field : view.source.fields) names.push_back(field.name);
    CHECK(names == std::vector<std::string>{"cc_num", "amount", "at", "trans_num"});
  }
  SECTION("rows hold columns by name, and features say where they are") {
    const auto& view = View(store, "card_profile");
    REQUIRE(view.stored.size() == 3);
    CHECK(view.stored[0].name == "city");
    CHECK(view.stored[1].name == "city_bucket");
    CHECK(view.stored[1].expr == "hash_bucket(lower(city), 1000)");
    CHECK(view.stored[2].name == "limit");
    CHECK(view.features[0].stored == 2);
    CHECK(view.features[0].default_value == larder::Value(0.0));
    CHECK(view.keys[0].type == DataType(TypeId::kUint64));
  }
  SECTION("a service knows its closure, what to ask the caller for, and what it gives") {
    const auto found = store.catalog.GetService("fraud", "fraud_model@1");
    REQUIRE(found.ok());
    const larder::ServiceVersion& service = **found;
    REQUIRE(service.outputs.size() == 4);
    CHECK(service.outputs[0].name == "sum_amount_1h");
    CHECK(service.outputs[1].on_demand);
    CHECK(service.outputs[3].name == "population");
    REQUIRE(service.keys.size() == 1);
    CHECK(service.keys[0].name == "cc_num");
    REQUIRE(service.request.size() == 1);
    CHECK(service.request[0].name == "amount");
    // card_spend, card_profile (also for the key), city_facts after what its key comes from.
    REQUIRE(service.views.size() == 3);
    const auto& home = service.views[2];
    CHECK(home.alias == "home");
    REQUIRE(home.keys.size() == 1);
    REQUIRE(home.keys[0].use == 1);
    CHECK(store.catalog.FindView(service.views[1].view_id)->name == "card_profile");
    CHECK(home.keys[0].feature == 1);
    REQUIRE(service.on_demand.size() == 1);
    CHECK(service.on_demand[0].input_uses == std::vector<int>{-1, 0});
  }
  SECTION("a label is typed by its aggregate") {
    const auto label = store.catalog.GetLabel("fraud", "fraud_in_7d");
    REQUIRE(label.ok());
    CHECK((*label)->type == DataType(TypeId::kBool));
  }
}

TEST_CASE("an expression that reads the clock is evaluated on read, over stored inputs",
          "[registry][resolve]") {
  Store store;
  store.Apply(
      R"({"project": "p", "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]}],
    "sources": [{"name": "user_data", "kind": "csv", "path": "u.csv", "event_time": "t", "fields": [
      {"name": "user_id", "type": "int64"}, {"name": "birth_date", "type": "date"}, {"name": "t", "type": "timestamp"}]}],
    "feature_views": [{"name": "user_age", "entities": ["user"], "source": "user_data", "features": [
      {"name": "user_age", "expr": "age = current_date - birth_date"}, {"name": "birth_date"}]},
     {"name": "hidden", "entities": ["user"], "source": "user_data", "features": [
      {"name": "age", "expr": "current_date - birth_date"}]}]})");
  const auto& view = View(store, "user_age");
  CHECK(view.features[0].on_read);
  CHECK(view.features[0].type == DataType(TypeId::kInt64));
  REQUIRE(view.stored.size() == 1);
  CHECK(view.stored[0].name == "birth_date");
  CHECK(view.features[0].inputs == std::vector<larder::FeatureColumn::Input>{{"birth_date", 0}});
  CHECK(view.features[0].stored == -1);
  CHECK(view.features[1].stored == 0);
  const auto& hidden = View(store, "hidden");
  REQUIRE(hidden.stored.size() == 1);
  CHECK(hidden.stored[0].name == "$birth_date");
  CHECK(hidden.stored[0].field == "birth_date");
}

TEST_CASE("names collide as G6 to G8 and G11 say", "[registry][resolve][conformance]") {
  const std::string head =
      R"({"project": "p", "entities": [{"name": "e", "join_keys": [{"name": "k", "type": "int64"}]}],
    "sources": [{"name": "s", "kind": "csv", "path": "s.csv", "event_time": "t", "fields": [{"name": "k", "type": "int64"},
      {"name": "x", "type": "int64"}, {"name": "y", "type": "float64"}, {"name": "t", "type": "timestamp"}]}],
    "feature_views": [{"name": "a", "entities": ["e"], "source": "s", "features": [{"name": "x"}, {"name": "y"}]},
                      {"name": "b", "entities": ["e"], "source": "s", "features": [{"name": "x"}]}],
    "on_demand_views": [{"name": "g", "inputs": {"u": "b:x", "v": "a:y"}, "features": [{"name": "z", "expr": "u + v"}]}],
    "feature_services": [{"name": "m", )";
  Store store;
  CHECK_THAT(store.Refusal(head + R"("features": ["a:x", "b:x"]}]})"),
             ContainsSubstring("two outputs are named x: a:x and b:x; set full_feature_names"));
  store.Apply(head + R"("full_feature_names": true, "features": ["a:x", "b:x"]}]})");
  const auto full = store.catalog.GetService("p", "m");
  REQUIRE(full.ok());
  CHECK((*full)->outputs[0].name == "a__x");
  CHECK((*full)->outputs[1].name == "b__x");
  CHECK_THAT(store.Refusal(head + R"("full_feature_names": true, "features": ["a:x", "a:x"]}]})"),
             ContainsSubstring("two outputs are named a__x"));
  SECTION("one view under two aliases with their own keys") {
    store.Apply(head + R"("full_feature_names": true, "features": [
      {"view": "a", "as": "from", "join_keys": {"k": "k_from"}, "features": ["x"]},
      {"view": "a", "as": "to", "join_keys": {"k": "k_to"}, "features": ["x"]}]}]})");
    const auto service = store.catalog.GetService("p", "m");
    REQUIRE(service.ok());
    CHECK((*service)->outputs[0].name == "from__x");
    CHECK((*service)->outputs[1].name == "to__x");
    CHECK((*service)->views.size() == 2);
    REQUIRE((*service)->keys.size() == 2);
    CHECK((*service)->keys[0].name == "k_from");
  }
  SECTION("two versions of one view stand beside each other") {
    store.Apply(Replaced(head, R"([{"name": "x"}, {"name": "y"}])",
                         R"([{"name": "x", "expr": "x + 1"}, {"name": "y"}])") +
                R"("full_feature_names": true, "features": ["a@1:x", "a@2:x"]}]})");
    const auto service = store.catalog.GetService("p", "m");
    REQUIRE(service.ok());
    CHECK((*service)->outputs[0].name == "a_v1__x");
    CHECK((*service)->outputs[1].name == "a_v2__x");
    CHECK((*service)->views.size() == 2);
  }
  SECTION("what an on-demand view needs is fetched and not returned") {
    store.Apply(head + R"("features": ["g:z"]}]})");
    const auto service = store.catalog.GetService("p", "m");
    REQUIRE(service.ok());
    REQUIRE((*service)->outputs.size() == 1);
    CHECK((*service)->views.size() == 2);
    CHECK((*service)->keys.size() == 1);
  }
  SECTION("cycles through derived views are found") {
    CHECK_THAT(
        store.Refusal(R"({"project": "q", "sources": [{"name": "d", "kind": "view", "view": "v"}],
      "feature_views": [{"name": "v", "source": "d", "features": [{"name": "x"}]}]})"),
        ContainsSubstring("a cycle"));
  }
}

TEST_CASE("a derived view reads the rows of another", "[registry][resolve]") {
  Store store;
  const std::string json =
      R"({"project": "p", "entities": [{"name": "e", "join_keys": [{"name": "k", "type": "int64"}]}],
    "sources": [{"name": "s", "kind": "csv", "path": "s.csv", "event_time": "t", "fields": [{"name": "k", "type": "int64"},
      {"name": "x", "type": "int64"}, {"name": "t", "type": "timestamp"}]}, {"name": "d", "kind": "view", "view": "a"}],
    "feature_views": [{"name": "b", "entities": ["e"], "source": "d", "aggregates": [{"function": "max", "input": "x", "window": "7d"}]},
                      {"name": "a", "entities": ["e"], "source": "s", "features": [{"name": "x"}]}]})";
  store.Apply(json);
  const auto& derived = View(store, "b");
  REQUIRE(derived.base_view);
  CHECK(store.catalog.FindView(*derived.base_view)->ToString() == "a@1");
  CHECK(derived.source.event_time == "t");
  CHECK(derived.features[0].name == "max_x_7d");
  CHECK(derived.features[0].type == DataType(TypeId::kInt64));
  // The base's meaning is part of the derived view's.
  store.Apply(Replaced(json, R"([{"name": "x"}])", R"([{"name": "x", "expr": "x + 1"}])"));
  CHECK(View(store, "b").version == 2);
  // Its rows are those of the base's source, and expressions say so.
  CHECK(View(store, "b").source.name == "s");
  CHECK(View(store, "b").features[0].aggregate->input == "(x + 1\n)");
}

TEST_CASE("a derived view is checked again when its base's source changes", "[registry][resolve]") {
  Store store;
  const std::string json =
      R"({"project": "p", "entities": [{"name": "e", "join_keys": [{"name": "k", "type": "int64"}]}],
    "sources": [{"name": "s", "kind": "push", "event_time": "t", "retention": "30d", "fields": [{"name": "k", "type": "int64"},
      {"name": "x", "type": "int64"}, {"name": "t", "type": "timestamp"}]}, {"name": "d", "kind": "view", "view": "a"}],
    "feature_views": [{"name": "b", "entities": ["e"], "source": "d", "aggregates": [{"function": "max", "input": "x", "window": "7d"}]},
                      {"name": "a", "entities": ["e"], "source": "s", "features": [{"name": "x"}]}]})";
  store.Apply(json);
  CHECK_THAT(store.Refusal(Replaced(json, R"("retention": "30d")", R"("retention": "1d")")),
             ContainsSubstring("max_x_7d needs events of"));
}

TEST_CASE("what a derived view cannot read is refused", "[registry][resolve]") {
  const std::string json =
      R"({"project": "p", "entities": [{"name": "e", "join_keys": [{"name": "k", "type": "int64"}]},
      {"name": "g", "join_keys": [{"name": "code", "type": "int64"}]}],
    "sources": [{"name": "s", "kind": "push", "event_time": "t", "fields": [{"name": "k", "type": "int64"},
      {"name": "x", "type": "int64"}, {"name": "t", "type": "timestamp"}]}, {"name": "d", "kind": "view", "view": "a"},
      {"name": "other", "kind": "push", "event_time": "t", "fields": [{"name": "k", "type": "int64"},
      {"name": "x", "type": "int64"}, {"name": "t", "type": "timestamp"}]}],
    "feature_views": [{"name": "b", "entities": ["e"], "source": "d", "aggregates": [{"function": "max", "input": "x", "window": "7d"}]},
                      {"name": "a", "entities": ["e"], "source": "s", "features": [{"name": "x"}, {"name": "code", "expr": "x + 1"}]}]})";
  const struct {
    const char* from;
    const char* to;
    const char* says;
  } cases[] = {
      {R"("features": [{"name": "x"}, {"name": "code", "expr": "x + 1"}])",
       R"("aggregates": [{"name": "x", "function": "sum", "input": "x", "window": "1d"}])",
       "aggregates of aggregates are not computed yet"},
      {R"("source": "s", "features")", R"("source": "s", "partial_updates": true, "features")",
       "feature view a has partial updates: its rows do not hold all features"},
      {R"("entities": ["e"], "source": "d")", R"("entities": ["g"], "source": "d")",
       "join key code is computed or widened by feature view a; it must be a field of source s"},
      {R"("input": "x", "window": "7d")", R"("input": "x", "window": "7d", "group_by": "code")",
       "group_by code is computed or widened by feature view a"},
      {R"("kind": "view", "view": "a")", R"("kind": "view", "view": "a", "late_by": "1h")",
       "source d has the rows of feature view a as they are"},
      {R"("source": "d", "aggregates")", R"("source": "d", "union": ["other"], "aggregates")",
       "a derived view reads the rows of one view only"},
      {R"({"name": "code", "expr": "x + 1"})",
       R"j({"name": "code", "expr": "x + 1"}, {"name": "t", "expr": "now()"})j",
       "event time t is computed or widened by feature view a"},
      {R"("input": "x")", R"("input": "y")", "unknown field of source d: y"},
  };
  for (const auto& c : cases) {
    INFO(c.to);
    Store store;
    CHECK_THAT(store.Refusal(Replaced(json, c.from, c.to)), ContainsSubstring(c.says));
  }
  Store store;
  store.Apply(json);
}

TEST_CASE("leaks that definitions show are warned of", "[registry][lint]") {
  struct Finding {
    const char* from;
    const char* to;
    const char* rule;
    const char* object;
  };
  const Finding cases[] = {
      {"", "", "timeless-source", "feature view city_facts"},
      {R"("source": "transactions_live",)", R"("source": "transactions_live", "boundary": "at",)",
       "self-join", "feature view card_spend"},
      {R"("card_profile:limit")", R"("card_profile:limit", "card_fraud:is_fraud")",
       "label-source-among-features", "feature service fraud_model"},
      {R"({"name": "at", "type": "timestamp", "from": "unix_time", "unit": "s"}, {"name": "trans_num", "type": "string"}],
   "event_time": "at", "event_id": "trans_num", "available_after": "45s",)",
       R"({"name": "at", "type": "date"}, {"name": "trans_num", "type": "string"}], "event_time": "at",)",
       "day-dated-aggregate", "feature view card_spend"},
      {R"("inputs": {)", R"("inputs": {"unread": "card_profile:limit", )", "unread-input",
       "on-demand view ratios"},
      {R"("ratios:vs_card", )", "", "unread-view", "on-demand view ratios"},
  };
  Store store;
  for (const Finding& c : cases) {
    const std::string json =
        c.from[0] == '\0' ? std::string(kFraudJson) : Replaced(kFraudJson, c.from, c.to);
    const auto plan = store.Plan(json);
    const bool found = std::any_of(plan.warnings.begin(), plan.warnings.end(),
                                   [&](const larder::LintFinding& warning) {
                                     return warning.rule == c.rule && warning.object == c.object;
                                   });
    INFO(c.rule << "\n" << plan.ToText());
    CHECK(found);
  }
  const auto clean = store.Plan(kFraudJson);
  CHECK(clean.warnings.size() == 1);
}

TEST_CASE("a timestamp in a float32 tensor needs a cast", "[registry][resolve]") {
  const std::string json = Replaced(
      Replaced(
          kFraudJson, R"({"name": "city", "type": "string"},
                {"name": "city_bucket")",
          R"({"name": "city", "type": "string"}, {"name": "changed_at"}, {"name": "city_bucket")"),
      R"("card_profile:limit")", R"("card_profile:limit", "card_profile:changed_at")");
  Store store;
  CHECK_THAT(store.Refusal(json),
             ContainsSubstring("/feature_services/0/dtype: changed_at is timestamp"));
  store.Apply(Replaced(json, R"("dtype": "float32")",
                       R"("dtype": "float32", "casts": {"changed_at": "float32"})"));
  store.Apply(Replaced(json, R"("dtype": "float32")", R"("dtype": "float64")"));
}
