// Random histories, written to a file and pushed and loaded in random batches, compared with the model: online at
// random instants, in tensors, and in joins. Values, statuses and times, bit for bit.
#include "model/feature_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "feature_store/store_fixture.h"
#include "larder/feature_store/explain.h"
#include "support/random.h"

namespace {

using larder::Concat;
using larder::Duration;
using larder::FeatureStatus;
using larder::Field;
using larder::FormatTimestamp;
using larder::FormatValue;
using larder::Row;
using larder::Timestamp;
using larder::TypeId;
using larder::Value;
using larder_test::At;
using larder_test::ModelAnswer;
using larder_test::ModelEvent;
using larder_test::ModelKnownAt;
using larder_test::ModelView;
using larder_test::Random;
using larder_test::StoreFixture;

// Sorted by name, as rows hold them, so that the model's tie rule sees the same bytes.
struct FeatureSpec {
  const char* name;
  TypeId type;
};
constexpr FeatureSpec kFeatures[] = {{"a_int", TypeId::kInt64},
                                     {"b_float", TypeId::kFloat64},
                                     {"c_text", TypeId::kString},
                                     {"d_bool", TypeId::kBool}};
constexpr std::size_t kFeatureCount = std::size(kFeatures);
constexpr int64_t kKeys = 4;
constexpr int64_t kSteps = 40;                               // instants an event may have
const Timestamp kStart{int64_t{1'735'689'600} * 1'000'000};  // 2025-01-01T00:00:00Z

Timestamp StepAt(int64_t step) { return kStart.Plus(Duration::Seconds(step)); }

// What a world may have; every combination is drawn sooner or later.
struct World {
  bool arrival = false;
  bool available_after = false;
  bool sequence = false;
  bool operation = false;
  bool valid_to = false;
  bool timeless = false;
  bool partial = false;
  std::optional<Duration> ttl;

  static World Draw(Random& random) {
    World world;
    world.timeless = random.OneIn(8);
    world.sequence = random.OneIn(2);
    world.operation = random.OneIn(3);
    world.partial = random.OneIn(4);
    if (world.timeless) return world;
    world.arrival = random.OneIn(3);
    world.available_after = !world.arrival && random.OneIn(3);
    world.valid_to = random.OneIn(3);
    if (random.OneIn(2)) world.ttl = Duration::Seconds(random.Between(0, kSteps / 2));
    return world;
  }

  [[nodiscard]] std::string Describe() const {
    return Concat("arrival ", arrival, ", available_after ", available_after, ", sequence ",
                  sequence, ", operation ", operation, ", valid_to ", valid_to, ", timeless ",
                  timeless, ", partial ", partial, ", ttl ", ttl ? FormatDuration(*ttl) : "none");
  }

  [[nodiscard]] std::vector<Field> Fields() const {
    std::vector<Field> fields = {{"k", TypeId::kInt64, "", ""}};
    for (const FeatureSpec& feature : kFeatures)
      fields.push_back({feature.name, feature.type, "", ""});
    if (!timeless) fields.push_back({"at", TypeId::kTimestamp, "", ""});
    if (arrival) fields.push_back({"arrived", TypeId::kTimestamp, "", ""});
    if (sequence) fields.push_back({"seq", TypeId::kInt64, "", ""});
    if (operation) fields.push_back({"op", TypeId::kString, "", ""});
    if (valid_to) fields.push_back({"until", TypeId::kTimestamp, "", ""});
    return fields;
  }

  [[nodiscard]] larder::Definitions Definitions(const std::string& folder) const {
    larder::Definitions definitions;
    definitions.project = "p";
    definitions.base_path = folder;
    larder::Entity entity;
    entity.name = "thing";
    entity.join_keys = {{"k", TypeId::kInt64, "", ""}};
    definitions.entities = {entity};
    larder::Source table;
    table.name = "table";
    table.path = "table.csv";
    table.fields = Fields();
    if (!timeless) table.event_time = "at";
    if (arrival) table.arrival_time = "arrived";
    if (available_after) table.available_after = Duration::Seconds(3);
    if (sequence) table.sequence = "seq";
    if (operation) table.operation = "op";
    if (valid_to) table.valid_to = "until";
    table.version_horizon = Duration::Days(400);
    larder::Source pushes;
    pushes.name = "pushes";
    pushes.kind = larder::SourceKind::kPush;
    pushes.batch_source = "table";
    pushes.arrival_time = table.arrival_time;
    pushes.available_after = table.available_after;
    definitions.sources = {table, pushes};
    larder::FeatureView view;
    view.name = "v";
    view.entities = {"thing"};
    view.source = "pushes";
    view.ttl = ttl;
    view.partial_updates = partial;
    larder::FeatureService service;
    service.name = "s";
    for (const FeatureSpec& spec : kFeatures) {
      larder::Feature feature;
      feature.name = spec.name;
      view.features.push_back(feature);
      larder::FeatureSelection selection;
      selection.view = "v";
      selection.features = {spec.name};
      service.features.push_back(selection);
    }
    definitions.feature_views = {view};
    definitions.feature_services = {service};
    return definitions;
  }

  [[nodiscard]] ModelView Model() const {
    ModelView view;
    view.feature_count = kFeatureCount;
    view.is_timeless = timeless;
    view.has_arrival_time = arrival;
    view.is_push = true;
    if (available_after) view.available_after = Duration::Seconds(3);
    view.ttl = ttl;
    view.partial_updates = partial;
    return view;
  }
};

Value RandomFeature(Random& random, TypeId type) {
  if (random.OneIn(5)) return {};
  switch (type) {
    case TypeId::kInt64:
      return random.AnyInteger();
    case TypeId::kFloat64:
      if (random.OneIn(10)) return std::numeric_limits<double>::quiet_NaN();
      if (random.OneIn(10)) return -0.0;
      return static_cast<double>(random.Between(-5, 5)) / 4;
    case TypeId::kBool:
      return random.OneIn(2);
    default:
      return random.Text(3, "ab,\" ");
  }
}

ModelEvent RandomEvent(Random& random, const World& world) {
  ModelEvent event;
  event.key = std::to_string(random.Between(1, kKeys));
  if (!world.timeless) event.event_time = StepAt(random.Between(0, kSteps));
  if (world.arrival && !random.OneIn(8))
    event.arrival_time = event.event_time->Plus(Duration::Seconds(random.Between(0, 10)));
  if (world.sequence && !random.OneIn(5)) event.sequence = random.Between(-2, 2);
  event.is_delete = world.operation && random.OneIn(4);
  if (world.valid_to && random.OneIn(2))
    event.valid_to = event.event_time->Plus(Duration::Seconds(random.Between(0, 12)));
  for (const FeatureSpec& feature : kFeatures)
    event.features.push_back(RandomFeature(random, feature.type));
  return event;
}

// The row as it is pushed; `carried` of a partial update.
Row RowOf(const World& world, const ModelEvent& event) {
  Row row = {{"k", static_cast<int64_t>(std::stoll(*event.key))}};
  for (std::size_t f = 0; f < kFeatureCount; ++f) {
    if (!event.carries.empty() && !event.carries[f]) continue;
    row.emplace_back(kFeatures[f].name, event.features[f]);
  }
  const auto time = [](const std::optional<Timestamp>& t) { return t ? Value(*t) : Value(); };
  if (!world.timeless) row.emplace_back("at", time(event.event_time));
  if (world.arrival) row.emplace_back("arrived", time(event.arrival_time));
  if (world.sequence) row.emplace_back("seq", event.sequence ? Value(*event.sequence) : Value());
  if (world.operation) row.emplace_back("op", event.is_delete ? "delete" : "update");
  if (world.valid_to) row.emplace_back("until", time(event.valid_to));
  return row;
}

std::string CellOf(const Value& value) {
  if (value.is_null()) return "";
  const std::string* text = value.As<std::string>();
  if (text == nullptr) return FormatValue(value);
  std::string quoted = "\"";
  for (const char c : *text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string FileOf(const World& world, const std::vector<ModelEvent>& events) {
  std::string text;
  for (const Field& field : world.Fields()) text += Concat(text.empty() ? "" : ",", field.name);
  text += "\n";
  for (const ModelEvent& event : events) {
    std::string line;
    for (const auto& [name, value] : RowOf(world, event))
      line += Concat(line.empty() ? "" : ",", CellOf(value));
    text += line + "\n";
  }
  return text;
}

std::string Said(const Value& value, FeatureStatus status, const std::optional<Timestamp>& time) {
  std::string bytes;
  larder::AppendCanonicalBytes(value, &bytes);
  return Concat(FormatValue(value), " ", larder::FeatureStatusName(status), " ",
                time ? FormatTimestamp(*time) : "-", " ", larder::Quoted(bytes));
}

std::string Said(const ModelAnswer& answer) {
  return Said(answer.value, answer.status, answer.event_time);
}

std::string Said(const larder::Column& values, const std::vector<FeatureStatus>& statuses,
                 const larder::Column& times, std::size_t row) {
  std::optional<Timestamp> time;
  if (times.IsValid(row)) time = Timestamp{times.Values<int64_t>()[row]};
  return Said(values.ValueAt(row), statuses[row], time);
}

double NumberOf(const Value& value) {
  if (const auto* v = value.As<int64_t>()) return static_cast<double>(*v);
  if (const auto* v = value.As<double>()) return *v;
  if (const auto* v = value.As<bool>()) return *v ? 1 : 0;
  return std::numeric_limits<double>::quiet_NaN();
}

class Run {
 public:
  explicit Run(Random& random) : random_(random), world_(World::Draw(random)) {
    INFO(random.Describe() << ": " << world_.Describe());
    const auto applied =
        fixture_.store().Apply(world_.Definitions(fixture_.folder().path().string()));
    INFO(applied.status().ToString());
    REQUIRE(applied.ok());
    for (int64_t n = random.Between(0, 60); n > 0; --n)
      events_.push_back(RandomEvent(random, world_));
    fixture_.folder().Write("table.csv", FileOf(world_, events_));
  }

  // The file's rows through pushes, loads or both, each at least once, in any order.
  void WriteHistory() {
    std::vector<std::size_t> order(events_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random_.engine());
    const bool load_too = random_.OneIn(2);
    for (std::size_t i = 0; i < order.size();) {
      const auto size = static_cast<std::size_t>(random_.Between(1, 15));
      std::vector<Row> rows;
      for (; i < order.size() && rows.size() < size; ++i)
        rows.push_back(RowOf(world_, events_[order[i]]));
      if (random_.OneIn(4) && !rows.empty()) rows.push_back(rows.front());
      fixture_.Push("pushes", rows);
    }
    if (load_too || events_.empty()) fixture_.Materialize();
  }

  // Rows that carry only some features; a file has no way to say so, hence only after the joins were compared.
  void PushParts() {
    if (!world_.partial) return;
    for (int64_t n = random_.Between(1, 40); n > 0; --n) {
      ModelEvent event = RandomEvent(random_, world_);
      for (std::size_t f = 0; f < kFeatureCount; ++f) event.carries.push_back(random_.OneIn(2));
      if (event.is_delete) event.carries.clear();
      events_.push_back(event);
      fixture_.Push("pushes", {RowOf(world_, event)});
    }
  }

  int64_t CompareOnline() {
    int64_t checks = 0;
    for (int round = 0; round < 6; ++round) {
      larder::OnlineRequest request;
      request.what.service = "s";
      request.as_of = RandomInstant();
      const bool known_time = world_.arrival || world_.available_after;
      if (known_time && random_.OneIn(2)) request.known_at = RandomInstant();
      std::vector<std::optional<std::string>> keys;
      for (int64_t n = random_.Between(1, 8); n > 0; --n) {
        const int64_t key = random_.Between(0, kKeys + 1);
        keys.push_back(key == 0 ? std::nullopt : std::optional(std::to_string(key)));
        request.rows.push_back({{"k", key == 0 ? Value() : Value(key)}});
      }
      const auto response = fixture_.store().GetOnlineFeatures(request);
      INFO(random_.Describe() << ": " << world_.Describe());
      INFO(response.status().ToString());
      REQUIRE(response.ok());
      ModelKnownAt known_at = ModelKnownAt::Any();
      if (request.known_at) known_at = ModelKnownAt::Time(*request.known_at);
      for (std::size_t row = 0; row < keys.size(); ++row) {
        const auto answers = AskModel(world_.Model(), events_, keys[row], *request.as_of, known_at);
        for (std::size_t f = 0; f < kFeatureCount; ++f) {
          const larder::FeatureValues& feature = response->features[f];
          const std::string found = Said(feature.values, feature.statuses, feature.event_times, row);
          ++checks;
          if (found == Said(answers[f])) continue;
          INFO("key " << keys[row].value_or("null") << ", " << feature.name << " at "
                      << FormatTimestamp(*request.as_of));
          CHECK(found == Said(answers[f]));
        }
      }
      if (!request.known_at) checks += CompareFill(request, *response);
      const auto row = static_cast<std::size_t>(random_.Between(0, std::ssize(keys) - 1));
      larder::ExplainRequest explain;
      explain.what = request.what;
      explain.row = request.rows[row];
      explain.as_of = request.as_of;
      explain.known_at = request.known_at;
      const larder::FeatureValues& feature = response->features[AnyFeature()];
      CheckExplained(explain, feature.name,
                     Said(feature.values, feature.statuses, feature.event_times, row));
    }
    return checks;
  }

  int64_t CompareTraining() {
    int64_t checks = 0;
    const bool known_time = world_.arrival || world_.available_after;
    for (const larder::KnownAt known_at : {larder::KnownAt::kAny, larder::KnownAt::kSpine}) {
      if (known_at == larder::KnownAt::kSpine && !known_time) continue;
      std::vector<Row> rows;
      for (int64_t n = random_.Between(0, 60); n > 0; --n) {
        const int64_t key = random_.Between(0, kKeys + 1);
        rows.push_back({{"k", key == 0 ? Value() : Value(key)}, {"t", RandomInstant()}});
      }
      const std::vector<Field> fields = {{"k", TypeId::kInt64, "", ""},
                                         {"t", TypeId::kTimestamp, "", ""}};
      larder::HistoricalRequest request;
      request.what.service = "s";
      request.known_at = known_at;
      request.thread_count = static_cast<int>(random_.Between(1, 3));
      request.spine = *larder::Batch::FromRows(rows, fields);
      // Any known time but the row's own may be late; all else the audit must find in order.
      const bool may_be_late = known_time && known_at == larder::KnownAt::kAny;
      request.leakage = may_be_late ? larder::LeakageAudit::kReport : larder::LeakageAudit::kFail;
      const auto set = fixture_.store().GetHistoricalFeatures(request);
      INFO(random_.Describe() << ": " << world_.Describe());
      INFO(set.status().ToString());
      REQUIRE(set.ok());
      for (const larder::AuditedView& view : set->leakage->views) {
        CHECK(view.LeaksOf(larder::LeakKind::kUntraced) == 0);
        CHECK(view.LeaksOf(larder::LeakKind::kFutureEvent) == 0);
        CHECK(view.LeaksOf(larder::LeakKind::kTtl) == 0);
      }
      REQUIRE(set->rows.row_count() == rows.size());
      for (std::size_t row = 0; row < rows.size(); ++row) {
        const Timestamp t = *rows[row][1].second.As<Timestamp>();
        std::optional<std::string> key;
        if (const auto* k = rows[row][0].second.As<int64_t>()) key = std::to_string(*k);
        const auto answers = AskModel(
            world_.Model(), events_, key, t,
            known_at == larder::KnownAt::kSpine ? ModelKnownAt::Time(t) : ModelKnownAt::Any());
        for (std::size_t f = 0; f < kFeatureCount; ++f) {
          const larder::TrainingFeature& feature = set->features[f];
          const std::string found =
              Said(*set->rows.Find(feature.name), feature.statuses, feature.event_times, row);
          ++checks;
          if (found == Said(answers[f])) continue;
          INFO("key " << key.value_or("null") << ", " << feature.name << " at "
                      << FormatTimestamp(t));
          CHECK(found == Said(answers[f]));
        }
      }
      if (rows.empty()) continue;
      const auto row = static_cast<std::size_t>(random_.Between(0, std::ssize(rows) - 1));
      larder::ExplainRequest explain;
      explain.training = request;
      explain.training->spine = *larder::Batch::FromRows({&rows[row], 1}, fields);
      const larder::TrainingFeature& feature = set->features[AnyFeature()];
      CheckExplained(
          explain, feature.name,
          Said(*set->rows.Find(feature.name), feature.statuses, feature.event_times, row));
    }
    return checks;
  }

 private:
  Timestamp RandomInstant() {
    Timestamp t = StepAt(random_.Between(-2, kSteps + 30));
    if (random_.OneIn(4)) t = t.Plus(Duration{random_.Between(-1, 1)});
    return t;
  }

  std::size_t AnyFeature() {
    return static_cast<std::size_t>(random_.Between(0, int64_t{kFeatureCount} - 1));
  }

  // An explanation ends in the value that was read, and names the version it is from.
  void CheckExplained(larder::ExplainRequest& request, const std::string& feature,
                      const std::string& said) {
    request.feature = feature;
    const auto explained = fixture_.store().Explain(request);
    INFO(feature << ": " << explained.status().ToString());
    REQUIRE(explained.ok());
    CHECK(Said(explained->value, explained->status, explained->event_time) == said);
    CHECK(explained->steps.back().value == explained->value);
    using Kind = larder::ExplanationStep::Kind;
    const auto counts = std::count_if(explained->steps.begin(), explained->steps.end(),
                                      [](const larder::ExplanationStep& step) {
                                        return step.kind == Kind::kVersion && step.note == "counts";
                                      });
    CHECK(counts == (explained->status == FeatureStatus::kNotFound ? 0 : 1));
  }

  int64_t CompareFill(const larder::OnlineRequest& request, const larder::OnlineResponse& response) {
    std::vector<int64_t> keys;
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < request.rows.size(); ++i) {
      const auto* key = request.rows[i][0].second.As<int64_t>();
      if (key == nullptr) continue;
      keys.push_back(*key);
      rows.push_back(i);
    }
    if (!session_) {
      const auto plan = fixture_.store().Bind("s");
      REQUIRE(plan.ok());
      plan_ = *plan;
      auto session = fixture_.store().OpenSession(*plan);
      REQUIRE(session.ok());
      session_ = *std::move(session);
    }
    REQUIRE(session_->Refresh().ok());
    const std::size_t width = plan_->width();
    REQUIRE(width == 3);  // all but the text
    std::vector<double> tensor(keys.size() * width);
    std::vector<FeatureStatus> statuses(keys.size() * width);
    const std::vector<larder::InputColumn> inputs = {
        larder::InputColumn::Of(std::span<const int64_t>(keys))};
    const absl::Status filled = session_->Fill(
        inputs, *request.as_of, larder::Tensor<double>{tensor.data(), keys.size(), 0}, statuses);
    INFO(filled.ToString());
    REQUIRE(filled.ok());
    int64_t checks = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      for (std::size_t o = 0; o < width; ++o) {
        const larder::FeatureValues& feature = *response.Find(plan_->outputs()[o]);
        const double found = tensor[i * width + o];
        const double expected = NumberOf(feature.values.ValueAt(rows[i]));
        const bool same = std::memcmp(&found, &expected, sizeof found) == 0 ||
                          (std::isnan(found) && std::isnan(expected));
        ++checks;
        if (same && statuses[i * width + o] == feature.statuses[rows[i]]) continue;
        INFO(feature.name << " of key " << keys[i] << ": " << found << " and " << expected);
        CHECK(same);
        CHECK(statuses[i * width + o] == feature.statuses[rows[i]]);
      }
    }
    return checks;
  }

  Random& random_;
  World world_;
  StoreFixture fixture_{"2025-02-01T00:00:00Z"};
  std::vector<ModelEvent> events_;
  std::optional<larder::ServingPlan> plan_;
  std::optional<larder::ServingSession> session_;
};

}  // namespace

TEST_CASE("the store answers what the model answers, online, in tensors and in joins",
          "[store][model][random]") {
  Random random;
  int64_t checks = 0;
  for (int world = 0; world < 60; ++world) {
    INFO(random.Describe() << ", world " << world);
    Run run(random);
    run.WriteHistory();
    checks += run.CompareTraining();
    checks += run.CompareOnline();
    run.PushParts();
    checks += run.CompareOnline();
  }
  INFO(random.Describe());
  CHECK(checks >= 10'000);
}
