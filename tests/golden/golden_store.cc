#include "golden/golden_store.h"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <vector>

#include "larder/base/hash.h"
#include "larder/base/text.h"
#include "larder/registry/definitions_json.h"

namespace golden {
namespace {

using larder::Concat;
using larder::Duration;
using larder::FeatureStore;
using larder::Row;
using larder::Timestamp;
using larder::Value;

constexpr int kCustomers = 12;

constexpr char kDefinitions[] = R"json({
  "larder": 1, "project": "golden",
  "entities": [
    {"name": "customer", "join_keys": [{"name": "customer_id", "type": "int64"}]},
    {"name": "item", "join_keys": [{"name": "sku", "type": "string"}]}],
  "sources": [
    {"name": "accounts", "kind": "csv", "path": "accounts.csv", "event_time": "at", "arrival_time": "arrived",
     "operation": "op", "version_horizon": "30d",
     "fields": [
       {"name": "customer_id", "type": "int64"}, {"name": "at", "type": "timestamp"},
       {"name": "arrived", "type": "timestamp"}, {"name": "op", "type": "string"},
       {"name": "flag", "type": "bool"}, {"name": "i32", "type": "int32"}, {"name": "i64", "type": "int64"},
       {"name": "u64", "type": "uint64"}, {"name": "f32", "type": "float32"}, {"name": "f64", "type": "float64"},
       {"name": "text", "type": "string"}, {"name": "raw", "type": "bytes"}, {"name": "moment", "type": "timestamp"},
       {"name": "day", "type": "date"}, {"name": "span", "type": "duration"}]},
    {"name": "orders", "kind": "push", "event_time": "at", "version_horizon": "30d", "operation": "op",
     "fields": [
       {"name": "customer_id", "type": "int64"}, {"name": "sku", "type": "string"}, {"name": "at", "type": "timestamp"},
       {"name": "op", "type": "string"}, {"name": "amount", "type": "float64"}, {"name": "pieces", "type": "int32"}]},
    {"name": "profile", "kind": "push", "event_time": "at", "version_horizon": "30d",
     "fields": [
       {"name": "customer_id", "type": "int64"}, {"name": "at", "type": "timestamp"},
       {"name": "email", "type": "string"}, {"name": "score", "type": "float64"}, {"name": "visits", "type": "int64"}]},
    {"name": "catalogue", "kind": "csv", "path": "catalogue.csv",
     "fields": [{"name": "sku", "type": "string"}, {"name": "title", "type": "string"}, {"name": "weight", "type": "float64"}]},
    {"name": "contents", "kind": "push", "event_time": "at", "version_horizon": "30d",
     "fields": [
       {"name": "sku", "type": "string"}, {"name": "at", "type": "timestamp"},
       {"name": "embedding", "type": "vector<float32, 768>"}, {"name": "codes", "type": "vector<int8, 16>"},
       {"name": "tags", "type": "list<string>"}, {"name": "prices", "type": "list<float64>"},
       {"name": "stock", "type": "map<string, int64>"}, {"name": "manual", "type": "string"}]},
    {"name": "rates", "kind": "push", "event_time": "at", "version_horizon": "30d",
     "fields": [{"name": "at", "type": "timestamp"}, {"name": "rate", "type": "float64"}]}],
  "feature_views": [
    {"name": "account", "entities": ["customer"], "source": "accounts", "ttl": "20d",
     "features": [
       {"name": "flag"}, {"name": "i32"}, {"name": "i64"}, {"name": "u64"}, {"name": "f32"}, {"name": "f64"},
       {"name": "text"}, {"name": "raw"}, {"name": "moment"}, {"name": "day"}, {"name": "span"},
       {"name": "twice", "expr": "f64 * 2"}, {"name": "age_days", "expr": "epoch(now() - at) / 86400"}]},
    {"name": "last_order", "entities": ["customer", "item"], "source": "orders", "boundary": "before",
     "features": [{"name": "amount"}, {"name": "pieces", "default": -1}]},
    {"name": "contact", "entities": ["customer"], "source": "profile", "partial_updates": true, "ttl": "10d",
     "features": [{"name": "email"}, {"name": "score"}, {"name": "visits"}]},
    {"name": "product", "entities": ["item"], "source": "catalogue",
     "features": [{"name": "title"}, {"name": "weight"}]},
    {"name": "content", "entities": ["item"], "source": "contents",
     "features": [{"name": "embedding"}, {"name": "codes"}, {"name": "tags"}, {"name": "prices"}, {"name": "stock"},
                  {"name": "manual"}]},
    {"name": "exchange", "entities": [], "source": "rates", "features": [{"name": "rate"}]}],
  "on_demand_views": [
    {"name": "asked", "request": [{"name": "want", "type": "float64"}],
     "inputs": {"amount": "last_order:amount", "rate": "exchange:rate", "weight": "product:weight"},
     "features": [{"name": "ratio", "expr": "request.want / amount"}, {"name": "cost", "expr": "rate * coalesce(weight, 1)"}]}],
  "feature_services": [
    {"name": "wide", "features": [{"view": "account"}, {"view": "last_order"}, {"view": "contact"}, {"view": "product"}, {"view": "exchange"}, {"view": "asked"}]},
    {"name": "narrow", "dtype": "float32",
     "features": [{"view": "content"}, "last_order:pieces", "asked:cost"]},
    {"name": "filled", "missing": "default", "features": ["last_order:pieces"]}]
})json";

// Small and the same everywhere: the standard library's distributions are not.
class Dice {
 public:
  uint64_t Bits() { return engine_(); }
  int64_t Below(int64_t n) { return static_cast<int64_t>(engine_() % static_cast<uint64_t>(n)); }
  bool OneIn(int64_t n) { return Below(n) == 0; }
  double Number() { return static_cast<double>(Below(2'000'001) - 1'000'000) / 1000; }

 private:
  std::mt19937_64 engine_{20250101};
};

Timestamp Day(int day, int64_t us = 0) {
  return {larder::DaysFromCivil(2025, 1, 1) * larder::kMicrosPerDay +
          (day - 1) * larder::kMicrosPerDay + us};
}

std::string SkuOf(int i) { return Concat("sku-", i % 3 == 0 ? "ü" : "", i); }

// One generation of accounts: the second one has later rows, deletes, and rows that came late.
std::string AccountsCsv(int generation, Dice& dice) {
  std::string csv = "customer_id,at,arrived,op,flag,i32,i64,u64,f32,f64,text,raw,moment,day,span\n";
  for (int customer = 0; customer < kCustomers; ++customer) {
    for (int day = 1; day <= 4 + 2 * generation; day += 2) {
      const Timestamp at = Day(day, dice.Below(larder::kMicrosPerDay));
      const bool remove = generation == 2 && day == 7 && customer % 8 == 3;
      csv += Concat(customer % 6 == 5 ? -customer : customer, ",", FormatTimestamp(at), ",",
                    FormatTimestamp(at.Plus(Duration::Hours(dice.Below(48)))), ",",
                    remove ? "delete" : "insert", ",");
      const auto cell = [&](const std::string& text) { return dice.OneIn(6) ? "" : text; };
      csv += cell(dice.OneIn(2) ? "true" : "false") + ",";
      csv += cell(Concat(dice.OneIn(5) ? std::numeric_limits<int32_t>::min()
                                       : static_cast<int32_t>(dice.Below(1000)))) +
             ",";
      csv += cell(Concat(dice.OneIn(5) ? std::numeric_limits<int64_t>::max() : dice.Below(1000))) +
             ",";
      csv += cell(Concat(dice.Bits())) + ",";
      csv += cell(dice.OneIn(5) ? "NaN" : Concat(static_cast<float>(dice.Number()))) + ",";
      csv += cell(dice.OneIn(5) ? "-Infinity" : Concat(dice.Number())) + ",";
      csv += cell(dice.OneIn(4) ? "\"\"" : Concat("größe ", dice.Below(100))) + ",";
      csv += cell("AP8=") + ",";
      csv += cell(FormatTimestamp(Day(static_cast<int>(dice.Below(1000))))) + ",";
      csv +=
          cell(larder::FormatDate(larder::Date{static_cast<int32_t>(dice.Below(40'000) - 20'000)})) +
          ",";
      csv += cell(larder::FormatDuration(Duration{dice.Below(1'000'000'000)})) + "\n";
    }
  }
  return csv;
}

std::vector<Row> Orders(int round, Dice& dice) {
  std::vector<Row> rows;
  for (int customer = 0; customer < kCustomers; customer += 2) {
    for (int item = customer % 3; item < 6; item += 3) {
      Row row = {{"customer_id", customer},
                 {"sku", SkuOf(item)},
                 {"at", Day(5 + round, dice.Below(larder::kMicrosPerDay))},
                 {"op", round == 2 && item == 4 ? "delete" : "insert"},
                 {"amount", dice.OneIn(6) ? Value() : Value(dice.Number())},
                 {"pieces", dice.OneIn(4) ? Value() : Value(static_cast<int32_t>(dice.Below(9)))}};
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::vector<Row> Contents(Dice& dice) {
  std::vector<Row> rows;
  for (int item = 0; item < 6; ++item) {
    std::vector<float> embedding;
    for (int i = 0; i < 768; ++i) embedding.push_back(static_cast<float>(dice.Number()));
    std::vector<int8_t> codes;
    for (int i = 0; i < 16; ++i) codes.push_back(static_cast<int8_t>(dice.Below(256) - 128));
    larder::ListValue tags{larder::TypeId::kString, {}};
    for (int i = 0; i < item; ++i)
      tags.items.emplace_back(i == 2 ? Value() : Value(Concat("tag ", i)));
    larder::ListValue prices{larder::TypeId::kFloat64, {}};
    for (int i = 0; i < 5 - item; ++i) prices.items.emplace_back(dice.Number());
    larder::MapValue stock{larder::TypeId::kInt64, {}};
    for (int i = 0; i < item; ++i) stock.items.emplace_back(Concat("shop ", i), dice.Below(50));
    std::string manual;
    if (item == 1) {
      while (manual.size() < 100'000) manual += Concat("line ", dice.Below(1000), "\n");
    }
    rows.push_back({{"sku", SkuOf(item)},
                    {"at", Day(6)},
                    {"embedding", item == 4 ? Value() : Value(std::move(embedding))},
                    {"codes", std::move(codes)},
                    {"tags", item == 5 ? Value() : Value(std::move(tags))},
                    {"prices", std::move(prices)},
                    {"stock", std::move(stock)},
                    {"manual", manual.empty() ? Value() : Value(std::move(manual))}});
  }
  return rows;
}

absl::Status Write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  return out.good() ? absl::OkStatus() : larder::UnavailableError("cannot write ", file.string());
}

// A folder for the files that are loaded; gone with the object.
struct Folder {
  Folder() : path(std::filesystem::temp_directory_path() / Concat("larder-golden-", getpid())) {
    std::filesystem::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path path;
};

// Long values by their hash.
std::string Shown(const std::string& text) {
  if (text.size() <= 120) return text;
  return Concat(text.size(), " bytes ", ToHex(larder::HashWide(text)));
}

std::vector<Row> EveryKey() {
  std::vector<Row> rows;
  for (int customer = -1; customer <= kCustomers; ++customer) {
    const int64_t id = customer % 6 == 5 ? -customer : customer;
    for (int item = 0; item < (customer % 4 == 0 ? 6 : 1); ++item)
      rows.push_back({{"customer_id", id}, {"sku", SkuOf(item)}, {"want", 10.0}});
  }
  return rows;
}

absl::Status AddReads(const FeatureStore& store, const std::string& service, Timestamp as_of,
                      std::optional<Timestamp> known_at, std::string* out) {
  larder::OnlineRequest request;
  request.what.service = service;
  request.rows = EveryKey();
  request.as_of = as_of;
  request.known_at = known_at;
  request.ignore_unknown_columns = true;
  *out += Concat("read ", service, " as of ", FormatTimestamp(as_of),
                 known_at ? Concat(" known at ", FormatTimestamp(*known_at)) : std::string(), "\n");
  const absl::StatusOr<larder::OnlineResponse> response = store.GetOnlineFeatures(request);
  if (!response.ok()) {
    *out += Concat("  ", larder::MessageOf(response.status()), "\n");
    return absl::OkStatus();
  }
  for (std::size_t row = 0; row < response->row_count; ++row) {
    *out += Concat(" ", FormatValue(request.rows[row][0].second), " ",
                   FormatValue(request.rows[row][1].second), "\n");
    for (const larder::FeatureValues& feature : response->features) {
      const Value value = feature.values.ValueAt(row);
      *out += Concat("  ", feature.name, " ", Shown(FormatValue(value)), " ",
                     FeatureStatusName(feature.statuses[row]), " ",
                     FormatValue(feature.event_times.ValueAt(row)), "\n");
    }
  }
  return absl::OkStatus();
}

template <class T>
absl::Status AddTensor(const FeatureStore& store, const std::string& service, Timestamp as_of,
                       std::string* out) {
  LARDER_ASSIGN_OR_RETURN(const larder::ServingPlan plan, store.Bind(service));
  LARDER_ASSIGN_OR_RETURN(larder::ServingSession session, store.OpenSession(plan));
  std::vector<int64_t> customers;
  std::vector<std::string> skus;
  for (const Row& row : EveryKey()) {
    customers.push_back(*row[0].second.As<int64_t>());
    skus.push_back(*row[1].second.As<std::string>());
  }
  const std::vector<std::string_view> texts(skus.begin(), skus.end());
  std::vector<larder::InputColumn> inputs;
  for (const larder::Field& input : plan.inputs()) {
    if (input.name == "customer_id") {
      inputs.push_back(larder::InputColumn::Of(std::span<const int64_t>(customers)));
    } else if (input.name == "sku") {
      inputs.push_back(larder::InputColumn::Of(std::span<const std::string_view>(texts)));
    } else {
      inputs.push_back(larder::InputColumn::Broadcast(10.0));
    }
  }
  std::vector<T> tensor(customers.size() * plan.width());
  LARDER_RETURN_IF_ERROR(
      session.Fill(inputs, as_of, larder::Tensor<T>{tensor.data(), customers.size(), 0}));
  *out += Concat("tensor ", plan.service(), " as of ", FormatTimestamp(as_of), "\n");
  for (std::size_t row = 0; row < customers.size(); ++row) {
    // All NaNs are one.
    std::string bytes;
    for (std::size_t c = 0; c < plan.width(); ++c) {
      T value = tensor[row * plan.width() + c];
      if (value != value) value = std::numeric_limits<T>::quiet_NaN();
      bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
    }
    *out += Concat("  ", customers[row], " ", skus[row], " ", ToHex(larder::HashWide(bytes)), "\n");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MakeStore(const std::string& path) {
  const Folder folder;
  Dice dice;
  auto now = std::make_shared<Timestamp>(Day(9));
  larder::StoreOptions options;
  options.clock = [now] { return *now; };
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, FeatureStore::Open(path, options));
  LARDER_ASSIGN_OR_RETURN(larder::Definitions definitions,
                          larder::ParseDefinitions(kDefinitions, "golden.json"));
  definitions.base_path = folder.path.string();
  LARDER_RETURN_IF_ERROR(store.Apply(definitions, {}, {"ann", "first"}).status());
  LARDER_RETURN_IF_ERROR(
      Write(folder.path / "catalogue.csv",
            "sku,title,weight\nsku-ü0,Zange,0.5\nsku-1,\"a \"\"b\"\", c\",\nsku-2,,2.25\n"));
  LARDER_RETURN_IF_ERROR(Write(folder.path / "accounts.csv", AccountsCsv(1, dice)));
  LARDER_RETURN_IF_ERROR(store.Materialize().status());
  LARDER_RETURN_IF_ERROR(store.Push("orders", Orders(1, dice)).status());
  LARDER_RETURN_IF_ERROR(store.Push("contents", Contents(dice)).status());
  LARDER_RETURN_IF_ERROR(
      store.Push("rates", std::vector<Row>{{{"at", Day(2)}, {"rate", 1.25}}}).status());

  *now = Day(12);
  LARDER_RETURN_IF_ERROR(Write(folder.path / "accounts.csv", AccountsCsv(2, dice)));
  LARDER_RETURN_IF_ERROR(store.Materialize().status());  // the second generation
  larder::PushOptions once;
  once.batch_id = "orders of day 7";
  LARDER_RETURN_IF_ERROR(store.Push("orders", Orders(2, dice), once).status());
  for (int customer = 0; customer < kCustomers; customer += 3) {
    // Each of the three features alone, and out of order.
    const std::vector<Row> parts[] = {
        {{{"customer_id", customer},
          {"at", Day(10)},
          {"email", Concat("c", customer, "@example.org")}}},
        {{{"customer_id", customer}, {"at", Day(8)}, {"score", dice.Number()}}},
        {{{"customer_id", customer}, {"at", Day(9)}, {"visits", dice.Below(99)}, {"score", Value()}}}};
    for (const std::vector<Row>& part : parts)
      LARDER_RETURN_IF_ERROR(store.Push("profile", part).status());
  }
  LARDER_RETURN_IF_ERROR(
      store.Push("rates", std::vector<Row>{{{"at", Day(11)}, {"rate", 0.75}}}).status());

  // A second version of a service, and a view on hold. From here on nothing is loaded: the store need not keep where the
  // files of this run were.
  definitions.base_path = "golden";
  *now = Day(13);
  for (larder::FeatureService& service : definitions.feature_services) {
    if (service.name == "wide") service.features.pop_back();
  }
  LARDER_RETURN_IF_ERROR(store.Apply(definitions, {}, {"bob", "without what is asked"}).status());
  LARDER_RETURN_IF_ERROR(
      store.Hold("product", {}, {"bob", "the catalogue is being mended"}).status());
  return absl::OkStatus();
}

absl::StatusOr<std::string> AnswersOf(const FeatureStore& store) {
  std::string out;
  LARDER_ASSIGN_OR_RETURN(const larder::Catalog catalog, store.GetCatalog());
  larder::Definitions definitions = catalog.DefinitionsOf("golden");
  out +=
      Concat("definitions ", ToHex(larder::HashWide(larder::DefinitionsToJson(definitions))), "\n");
  LARDER_ASSIGN_OR_RETURN(const std::vector<larder::HistoryEntry> history, store.History());
  for (const larder::HistoryEntry& entry : history) {
    out += Concat("history ", entry.number, " ", FormatTimestamp(entry.time), " ", entry.author,
                  " ", entry.message, "\n");
  }
  LARDER_ASSIGN_OR_RETURN(const std::vector<larder::ViewState> states, store.ViewStates());
  for (const larder::ViewState& state : states) {
    out += Concat("state ", state.view, " ", state.has_data, " ", state.keys, " ", state.pushed_rows,
                  " ", state.loaded_to ? FormatTimestamp(*state.loaded_to) : "-", "\n");
  }
  for (const char* service : {"wide@1", "wide@2", "narrow", "filled"}) {
    for (const Timestamp as_of : {Day(7, 1), Day(12), Day(30)})
      LARDER_RETURN_IF_ERROR(AddReads(store, service, as_of, std::nullopt, &out));
  }
  LARDER_RETURN_IF_ERROR(AddReads(store, "wide@1", Day(12), Day(9, 1), &out));
  for (const Timestamp as_of : {Day(7, 1), Day(12)}) {
    LARDER_RETURN_IF_ERROR(AddTensor<double>(store, "wide@1", as_of, &out));
    LARDER_RETURN_IF_ERROR(AddTensor<float>(store, "narrow", as_of, &out));
    LARDER_RETURN_IF_ERROR(AddTensor<double>(store, "filled", as_of, &out));
  }
  return out;
}

}  // namespace golden
