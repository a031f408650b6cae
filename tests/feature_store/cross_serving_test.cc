// One user against many items, with expressions over both: what a chunk of rows is served is what each row is served
// alone, and what the typed read says.
#include <cmath>
#include <cstring>

#include "feature_store/store_fixture.h"

namespace {

using larder::FeatureStatus;
using larder::InputColumn;
using larder_test::At;
using larder_test::StoreFixture;

constexpr int64_t kItems = 90;  // several chunks, and a part of one

std::string Definitions(std::string_view missing, std::string_view dtype) {
  return larder::Concat(
      R"json({"larder": 1, "project": "shop",
   "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}]},
                {"name": "item", "join_keys": [{"name": "item_id", "type": "string"}]}],
   "sources": [
    {"name": "users", "kind": "csv", "path": "users.csv", "event_time": "at",
     "fields": [{"name": "user_id", "type": "int64"}, {"name": "budget", "type": "float64"},
                {"name": "city", "type": "string"}, {"name": "vip", "type": "bool"},
                {"name": "at", "type": "timestamp"}]},
    {"name": "items", "kind": "csv", "path": "items.csv", "event_time": "at",
     "fields": [{"name": "item_id", "type": "string"}, {"name": "price", "type": "float64"},
                {"name": "town", "type": "string"}, {"name": "stock", "type": "int32"},
                {"name": "size", "type": "float32"}, {"name": "count", "type": "int64"},
                {"name": "at", "type": "timestamp"}]}],
   "feature_views": [
    {"name": "person", "entities": ["user"], "source": "users",
     "features": [{"name": "budget", "default": 0}, {"name": "city", "default": ""}, {"name": "vip", "default": false}]},
    {"name": "thing", "entities": ["item"], "source": "items", "ttl": "100d",
     "features": [{"name": "price", "default": -1}, {"name": "town", "default": ""}, {"name": "stock", "default": -2},
                  {"name": "size", "default": -3}, {"name": "count", "default": -4}]}],
   "on_demand_views": [
    {"name": "cross", "inputs": {"budget": "person:budget", "price": "thing:price", "city": "person:city",
       "town": "thing:town", "stock": "thing:stock", "size": "thing:size", "count": "thing:count",
       "vip": "person:vip"},
     "request": [{"name": "factor", "type": "float64"}, {"name": "offset", "type": "int64"}],
     "features": [{"name": "left", "type": "float64", "expr": "budget - price * request.factor", "default": 7},
                  {"name": "near", "expr": "city = town", "default": false},
                  {"name": "many", "expr": "stock + 1", "default": 1},
                  {"name": "area", "expr": "size * size", "default": 1},
                  {"name": "later", "expr": "count + request.offset", "default": 1},
                  {"name": "odd", "type": "float64", "expr": "sqrt(price) / nullif(count, 3)", "default": 1},
                  {"name": "five", "expr": "2.5 + 2.5", "default": 1},
                  {"name": "is_vip", "expr": "vip", "default": false}]},
    {"name": "second", "inputs": {"left": "cross:left", "near": "cross:near"},
     "features": [{"name": "twice", "expr": "case when near then left * 2 else left end", "default": 3}]}],
   "feature_services": [{"name": "s", "dtype": ")json",
      dtype, R"(", "missing": ")", missing,
      R"json(", "features": ["person:budget", "person:vip", "thing:price", "thing:stock", "thing:size",
      {"view": "cross"}, "second:twice"]}]})json");
}

std::string ItemRows() {
  std::string rows = "item_id,price,town,stock,size,count,at\n";
  for (int64_t i = 0; i < kItems; ++i) {
    if (i % 11 == 5) continue;                                          // not found
    const std::string day = i % 13 == 4 ? "2024-01-01" : "2025-01-02";  // some are too old
    rows += larder::Concat("item", i, ",", i % 7 == 3 ? "" : larder::Concat(i, ".25"), ",",
                           i % 2 == 0 ? "Oslo" : "Bergen", ",", i % 5 == 2 ? "" : larder::Concat(i),
                           ",", i, ".5,", i % 4, ",", day, "\n");
  }
  return rows;
}

template <class T>
void Check(std::string_view missing, std::string_view dtype) {
  INFO(missing << " " << dtype);
  StoreFixture fixture;
  fixture.folder().Write("users.csv",
                         "user_id,budget,city,vip,at\n1,100,Oslo,true,2025-01-01\n"
                         "2,,Bergen,,2025-01-01\n");
  fixture.folder().Write("items.csv", ItemRows());
  fixture.Apply(Definitions(missing, dtype));
  fixture.Materialize();
  const larder::Timestamp as_of = At("2025-01-09");
  const auto plan = fixture.store().Bind("s");
  INFO(plan.status());
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  const std::size_t width = plan->width();
  const std::size_t outputs = plan->outputs().size();

  std::vector<std::string> names;
  for (int64_t i = 0; i < kItems; ++i) names.push_back(larder::Concat("item", i));
  std::vector<std::string_view> items(names.begin(), names.end());
  std::vector<int64_t> offsets;
  for (int64_t i = 0; i < kItems; ++i) offsets.push_back(i * 10);
  const auto inputs_of = [&](int64_t user, std::size_t first, std::size_t count) {
    std::vector<InputColumn> inputs;
    for (const larder::Field& input : plan->inputs()) {
      if (input.name == "user_id") {
        inputs.push_back(InputColumn::Broadcast(user));
      } else if (input.name == "item_id") {
        inputs.push_back(InputColumn::Of(std::span(items).subspan(first, count)));
      } else if (input.name == "factor") {
        inputs.push_back(InputColumn::Broadcast(1.5));
      } else {
        inputs.push_back(InputColumn::Of(std::span(offsets).subspan(first, count)));
      }
    }
    return inputs;
  };

  for (const int64_t user : {1, 2, 9}) {
    INFO("user " << user);
    std::vector<T> tensor(kItems * width);
    std::vector<FeatureStatus> statuses(kItems * outputs);
    const absl::Status filled = session->Fill(
        inputs_of(user, 0, kItems), as_of,
        larder::Tensor<T>{tensor.data(), static_cast<std::size_t>(kItems), 0}, statuses);
    INFO(filled);
    REQUIRE(filled.ok());

    larder::OnlineRequest online;
    online.what.service = "s";
    online.as_of = as_of;
    for (int64_t i = 0; i < kItems; ++i) {
      online.rows.push_back({{"user_id", user},
                             {"item_id", names[static_cast<std::size_t>(i)]},
                             {"factor", 1.5},
                             {"offset", i * 10}});
    }
    const auto read = fixture.store().GetOnlineFeatures(online);
    INFO(read.status());
    REQUIRE(read.ok());
    for (std::size_t i = 0; i < static_cast<std::size_t>(kItems); ++i) {
      std::vector<T> alone(width);
      std::vector<FeatureStatus> own(outputs);
      REQUIRE(session->Fill(inputs_of(user, i, 1), as_of, larder::Tensor<T>{alone.data(), 1, 0}, own)
                  .ok());
      INFO("item " << i);
      CHECK(std::memcmp(alone.data(), tensor.data() + i * width, width * sizeof(T)) == 0);
      CHECK(std::equal(own.begin(), own.end(),
                       statuses.begin() + static_cast<std::ptrdiff_t>(i * outputs)));
      for (std::size_t f = 0; f < outputs; ++f) {
        const larder::FeatureValues* typed = read->Find(plan->outputs()[f]);
        REQUIRE(typed != nullptr);
        INFO(plan->outputs()[f]);
        CHECK(own[f] == typed->statuses[i]);
        const larder::Value value = typed->values.ValueAt(i);
        const T served = alone[f];
        if (value.is_null()) {
          CHECK(std::isnan(served));
        } else if (const auto* number = value.As<double>()) {
          CHECK(((std::isnan(served) && std::isnan(*number)) || served == static_cast<T>(*number)));
        } else if (const auto* integer = value.As<int64_t>()) {
          CHECK(served == static_cast<T>(*integer));
        } else if (const auto* flag = value.As<bool>()) {
          CHECK(served == (*flag ? T{1} : T{0}));
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("expressions over a user and many items are served as for each item alone",
          "[store][serving]") {
  for (const std::string_view missing : {"null", "default"}) {
    Check<float>(missing, "float32");
    Check<double>(missing, "float64");
  }
}
