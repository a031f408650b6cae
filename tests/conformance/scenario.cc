#include "conformance/scenario.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>

#include "larder/io/csv_reader.h"

namespace larder_test {
namespace {

using larder::Concat;
using larder::DataType;
using larder::Field;
using larder::FormatTimestamp;
using larder::FormatValue;
using larder::Row;
using larder::Timestamp;
using larder::TypeId;
using larder::Value;

constexpr std::string_view kNow = "2030-01-01T00:00:00Z";

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string KeyName(std::size_t i) { return i == 0 ? "k" : Concat("k", i + 1); }

std::string TypeOf(const Scenario& scenario, const std::string& column) {
  const std::vector<std::string> key_types = Split(scenario.key_types, '|');
  for (std::size_t i = 0; i < key_types.size(); ++i) {
    if (column == KeyName(i)) return key_types[i];
  }
  if (column == "value") return scenario.value_type;
  if (column == "seq") return "int64";
  return column == "id" || column == "op" ? "string" : "timestamp";
}

std::string FieldJson(const std::string& name, const std::string& type) {
  return Concat(R"({"name": ")", name, R"(", "type": ")", type, R"("})");
}

std::string DefinitionsOf(const Scenario& scenario) {
  std::vector<std::string> fields;
  bool timed = false;
  for (const std::string& column : Split(scenario.columns, ',')) {
    fields.push_back(FieldJson(column, TypeOf(scenario, column)));
    timed = timed || column == "at";
  }
  std::vector<std::string> keys;
  const std::vector<std::string> key_types = Split(scenario.key_types, '|');
  for (std::size_t i = 0; i < key_types.size(); ++i)
    keys.push_back(FieldJson(KeyName(i), key_types[i]));
  std::string shared = R"("version_horizon": "3650d")";
  if (timed) shared += R"(, "event_time": "at")";
  if (*scenario.source != '\0') shared += Concat(", ", scenario.source);
  const std::string entity =
      Concat(R"({"name": "thing", "join_keys": [)", larder::Join(keys, ", "), "]}");
  return Concat(
      R"({"project": "p", "entities": [)", keys.empty() ? "" : entity,
      R"(], "sources": [{"name": "table", "kind": "csv", "path": "table.csv", "fields": [)",
      larder::Join(fields, ", "), "], ", shared,
      R"(}, {"name": "pushes", "kind": "push", "batch_source": "table", )", shared,
      R"(}], "feature_views": [{"name": "v", "source": "pushes", "entities": [)",
      keys.empty() ? "" : R"("thing")", R"(], "features": [{"name": "value"}])",
      *scenario.view == '\0' ? "" : ", ", scenario.view,
      R"(}], "feature_services": [{"name": "s", "features": ["v:value"]}]})");
}

std::string FileOf(const Scenario& scenario) {
  std::string text = Concat(scenario.columns, "\n");
  for (const char* row : scenario.rows) text += Concat(row, "\n");
  return text;
}

Row KeysOf(const Scenario& scenario, const Ask& ask) {
  Row row;
  const std::vector<std::string> parts = Split(ask.key, '|');
  REQUIRE(parts.size() == Split(scenario.key_types, '|').size());
  for (std::size_t i = 0; i < parts.size(); ++i)
    row.emplace_back(KeyName(i), parts[i] == "-" ? Value() : Value(parts[i]));
  return row;
}

// What was expected may leave out the time.
void CheckShown(const std::string& found, const Ask& ask) {
  const std::string expected = ask.expected;
  const bool with_time = expected.find("Z") == expected.size() - 1 && expected.size() > 1;
  CHECK((with_time ? found : found.substr(0, expected.size())) == expected);
}

enum class Route { kLoaded, kLoadedInParts, kPushed, kPushedReversed, kPushedTogether };

void PutIn(StoreFixture& fixture, const Scenario& scenario, Route route) {
  if (route == Route::kLoaded) {
    fixture.Materialize();
    return;
  }
  const auto catalog = fixture.store().GetCatalog();
  REQUIRE(catalog.ok());
  const auto source = catalog->GetSource("p", "table");
  REQUIRE(source.ok());
  if (route == Route::kLoadedInParts) {
    // The file grows a row at a time and is loaded again each time.
    std::string text = Concat(scenario.columns, "\n");
    for (const char* row : scenario.rows) {
      text += Concat(row, "\n");
      fixture.folder().Write("table.csv", text);
      fixture.Materialize();
    }
    return;
  }
  auto reader = larder::OpenCsvText(FileOf(scenario), "rows", **source);
  REQUIRE(reader.ok());
  const auto rows = larder::ReadAll(**reader);
  INFO(rows.status().ToString());
  REQUIRE(rows.ok());
  if (route == Route::kPushedTogether) {
    const auto pushed = fixture.store().Push("pushes", *rows);
    INFO(pushed.status().ToString());
    REQUIRE(pushed.ok());
    return;
  }
  for (std::size_t i = 0; i < rows->row_count(); ++i) {
    const std::size_t at = route == Route::kPushedReversed ? rows->row_count() - 1 - i : i;
    fixture.Push("pushes", {rows->RowAt(at)});
  }
}

void CheckOnline(StoreFixture& fixture, const Scenario& scenario) {
  for (const Ask& ask : scenario.asks) {
    larder::OnlineRequest request;
    request.rows = {KeysOf(scenario, ask)};
    request.as_of = At(ask.at);
    if (ask.known_at == larder::KnownAt::kSpine) request.known_at = request.as_of;
    INFO("online, key " << ask.key << " at " << ask.at);
    request.what.features = {"v:value"};
    const auto by_feature = fixture.store().GetOnlineFeatures(request);
    INFO(by_feature.status().ToString());
    REQUIRE(by_feature.ok());
    CheckShown(ShownWithTime(*by_feature, "value", 0), ask);
    request.what.features.clear();
    request.what.service = "s";
    const auto by_service = fixture.store().GetOnlineFeatures(request);
    REQUIRE(by_service.ok());
    CHECK(ShownWithTime(*by_service, "value", 0) == ShownWithTime(*by_feature, "value", 0));
    if (ask.known_at == larder::KnownAt::kAny) {
      const Row& row = request.rows[0];
      const bool has_null =
          std::any_of(row.begin(), row.end(), [](const auto& e) { return e.second.is_null(); });
      if (!has_null) CheckFill(fixture.store(), "s", request.rows, *request.as_of);
    }
  }
}

void CheckTraining(StoreFixture& fixture, const Scenario& scenario) {
  fixture.folder().Write("table.csv", FileOf(scenario));
  for (const larder::KnownAt known_at : {larder::KnownAt::kAny, larder::KnownAt::kSpine}) {
    std::vector<const Ask*> asks;
    std::vector<Row> rows;
    std::vector<std::string> times;
    for (const Ask& ask : scenario.asks) {
      if (ask.known_at != known_at) continue;
      asks.push_back(&ask);
      rows.push_back(KeysOf(scenario, ask));
      times.emplace_back(ask.at);
    }
    if (asks.empty()) continue;
    std::vector<Field> fields;
    for (const auto& [name, value] : rows[0]) fields.push_back({name, TypeId::kString, "", ""});
    larder::HistoricalRequest request;
    request.what.features = {"v:value"};
    request.known_at = known_at;
    request.spine = SpineOf(fields, rows, times);
    const larder::TrainingSet set = Train(fixture.store(), std::move(request));
    REQUIRE(set.rows.row_count() == asks.size());
    for (std::size_t i = 0; i < asks.size(); ++i) {
      INFO("training, key " << asks[i]->key << " at " << asks[i]->at);
      CheckShown(ShownWithTime(set, "value", i), *asks[i]);
    }
  }
}

std::string TimeText(const larder::Column& times, std::size_t row) {
  if (!times.IsValid(row)) return "";
  return " " + FormatTimestamp(Timestamp{times.Values<int64_t>()[row]});
}

}  // namespace

std::string ShownWithTime(const larder::OnlineResponse& response, std::string_view feature,
                          std::size_t row) {
  const larder::FeatureValues* values = response.Find(feature);
  if (values == nullptr) return "no such output";
  return Shown(response, feature, row) + TimeText(values->event_times, row);
}

std::string ShownWithTime(const larder::TrainingSet& set, std::string_view feature,
                          std::size_t row) {
  const larder::TrainingFeature* values = set.Find(feature);
  if (values == nullptr) return "no such output";
  return Shown(set, feature, row) + TimeText(values->event_times, row);
}

std::vector<double> TensorElements(const Value& value, const DataType& type) {
  if (type.is_text() || type.id() == TypeId::kList || type.id() == TypeId::kMap) return {};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  if (type.id() == TypeId::kVector) {
    std::vector<double> elements(type.length(), nan);
    if (const auto* floats = value.As<std::vector<float>>()) {
      std::copy(floats->begin(), floats->end(), elements.begin());
    } else if (const auto* bytes = value.As<std::vector<int8_t>>()) {
      std::copy(bytes->begin(), bytes->end(), elements.begin());
    }
    return elements;
  }
  if (const auto* v = value.As<bool>()) return {*v ? 1.0 : 0.0};
  if (const auto* v = value.As<int32_t>()) return {static_cast<double>(*v)};
  if (const auto* v = value.As<int64_t>()) return {static_cast<double>(*v)};
  if (const auto* v = value.As<uint64_t>()) return {static_cast<double>(*v)};
  if (const auto* v = value.As<float>()) return {static_cast<double>(*v)};
  if (const auto* v = value.As<double>()) return {*v};
  if (const auto* v = value.As<Timestamp>()) return {static_cast<double>(v->us)};
  if (const auto* v = value.As<larder::Duration>()) return {static_cast<double>(v->us)};
  if (const auto* v = value.As<larder::Date>()) return {static_cast<double>(v->days)};
  return {nan};
}

FillInputs::FillInputs(const larder::ServingPlan& plan, const std::vector<Row>& rows)
    : data_(plan.inputs().size()) {
  for (std::size_t i = 0; i < data_.size(); ++i) {
    const Field& field = plan.inputs()[i];
    Data& data = data_[i];
    for (const Row& row : rows) {
      const auto given = std::find_if(row.begin(), row.end(),
                                      [&](const auto& entry) { return entry.first == field.name; });
      REQUIRE(given != row.end());
      const bool decimal = field.type.id() == TypeId::kString && !given->second.is_null() &&
                           given->second.type().is_integer();
      auto converted = larder::ConvertValue(
          decimal ? Value(FormatValue(given->second)) : given->second, field.type, true);
      INFO(converted.status().ToString());
      REQUIRE(converted.ok());
      REQUIRE(!converted->is_null());
      if (const auto* v = converted->As<bool>()) data.integers.push_back(*v ? 1 : 0);
      if (const auto* v = converted->As<int32_t>()) data.integers.push_back(*v);
      if (const auto* v = converted->As<int64_t>()) data.integers.push_back(*v);
      if (const auto* v = converted->As<Timestamp>()) data.integers.push_back(v->us);
      if (const auto* v = converted->As<larder::Duration>()) data.integers.push_back(v->us);
      if (const auto* v = converted->As<larder::Date>()) data.integers.push_back(v->days);
      if (const auto* v = converted->As<uint64_t>()) data.unsigned_integers.push_back(*v);
      if (const auto* v = converted->As<double>()) data.doubles.push_back(*v);
      if (const auto* v = converted->As<float>()) data.doubles.push_back(double{*v});
      if (const auto* v = converted->As<std::string>()) data.texts.push_back(*v);
      if (const auto* v = converted->As<larder::Bytes>()) data.texts.push_back(v->data);
    }
    for (const std::string& text : data.texts) data.views.emplace_back(text);
    using larder::InputColumn;
    if (field.type.is_text()) {
      columns_.push_back(InputColumn::Of(std::span<const std::string_view>(data.views)));
    } else if (field.type.is_float()) {
      columns_.push_back(InputColumn::Of(std::span<const double>(data.doubles)));
    } else if (field.type.id() == TypeId::kUint64) {
      columns_.push_back(InputColumn::Of(std::span<const uint64_t>(data.unsigned_integers)));
    } else {
      columns_.push_back(InputColumn::Of(std::span<const int64_t>(data.integers)));
    }
  }
}

void CheckFill(larder::FeatureStore& store, std::string_view service, const std::vector<Row>& rows,
               Timestamp as_of) {
  INFO("filled by " << service);
  const auto plan = store.Bind(service);
  INFO(plan.status().ToString());
  REQUIRE(plan.ok());
  auto session = store.OpenSession(*plan);
  REQUIRE(session.ok());
  const FillInputs inputs(*plan, rows);
  // A wider stride than needed, so that writing past a row would show.
  const std::size_t stride = plan->width() + 2;
  constexpr double kUntouched = 12345.678;
  std::vector<double> tensor(rows.size() * stride + 1, kUntouched);
  std::vector<larder::FeatureStatus> statuses(rows.size() * plan->outputs().size());
  const absl::Status filled = session->Fill(
      inputs.columns(), as_of, larder::Tensor<double>{tensor.data(), rows.size(), stride}, statuses);
  INFO(filled.ToString());
  REQUIRE(filled.ok());

  larder::OnlineRequest request;
  request.what.service = std::string(service);
  request.rows = rows;
  request.as_of = as_of;
  const auto response = store.GetOnlineFeatures(request);
  REQUIRE(response.ok());
  for (std::size_t row = 0; row < rows.size(); ++row) {
    for (std::size_t o = 0; o < plan->outputs().size(); ++o) {
      const larder::FeatureValues* feature = response->Find(plan->outputs()[o]);
      REQUIRE(feature != nullptr);
      CHECK(statuses[row * plan->outputs().size() + o] == feature->statuses[row]);
      const std::vector<double> expected =
          TensorElements(feature->values.ValueAt(row), feature->values.type());
      const double* found = tensor.data() + row * stride + plan->offsets()[o];
      for (std::size_t e = 0; e < expected.size(); ++e) {
        INFO(feature->name << ", row " << row << ", element " << e << ": " << found[e] << " and "
                           << expected[e]);
        const bool same = std::memcmp(&found[e], &expected[e], sizeof(double)) == 0;
        CHECK((same || (std::isnan(found[e]) && std::isnan(expected[e]))));
      }
    }
    CHECK(tensor[row * stride + plan->width()] == kUntouched);
  }
  CHECK(tensor.back() == kUntouched);
}

larder::Batch SpineOf(const std::vector<Field>& fields, std::vector<Row> rows,
                      const std::vector<std::string>& times) {
  std::vector<Field> all = fields;
  all.push_back({"t", TypeId::kTimestamp, "", ""});
  REQUIRE(rows.size() == times.size());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].emplace_back("t", At(times[i]));
  auto spine = larder::Batch::FromRows(rows, all);
  INFO(spine.status().ToString());
  REQUIRE(spine.ok());
  return *std::move(spine);
}

larder::TrainingSet Train(larder::FeatureStore& store, larder::HistoricalRequest request) {
  auto set = store.GetHistoricalFeatures(request);
  INFO(set.status().ToString());
  REQUIRE(set.ok());
  return *std::move(set);
}

void RunScenario(const Scenario& scenario) {
  std::vector<std::pair<Route, const char*>> routes = {{Route::kLoaded, "loaded"}};
  if (!scenario.rows.empty()) {
    routes.emplace_back(Route::kLoadedInParts, "loaded in parts");
    routes.emplace_back(Route::kPushed, "pushed");
    routes.emplace_back(Route::kPushedTogether, "pushed together");
    if (scenario.any_order) routes.emplace_back(Route::kPushedReversed, "pushed in reverse");
  }
  for (const auto& [route, what] : routes) {
    INFO(what);
    StoreFixture fixture(kNow);
    fixture.folder().Write("table.csv", FileOf(scenario));
    fixture.Apply(DefinitionsOf(scenario));
    PutIn(fixture, scenario, route);
    CheckOnline(fixture, scenario);
    if (route == Route::kLoaded) CheckTraining(fixture, scenario);
  }
}

}  // namespace larder_test
