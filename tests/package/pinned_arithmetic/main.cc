// Prints one hash of the bits that a host gets from every route: expressions in a batch and row by row, stored and
// on-demand features in tensors of both types and in typed reads, a training set. The flags of the host must not show.
#include <bit>
#include <cfenv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "larder/base/hash.h"
#include "larder/feature_store.h"
#include "larder/registry/definitions_json.h"
#include "larder/transform/program.h"

namespace {

constexpr char kDefinitions[] = R"json({"larder": 1, "project": "bits",
  "entities": [{"name": "thing", "join_keys": [{"name": "id", "type": "int64"}]}],
  "sources": [{"name": "events", "kind": "push", "event_time": "at", "fields": [
    {"name": "id", "type": "int64"}, {"name": "x", "type": "float64"}, {"name": "y", "type": "float64"},
    {"name": "at", "type": "timestamp"}]}],
  "feature_views": [{"name": "stored", "entities": ["thing"], "source": "events", "features": [
    {"name": "x"}, {"name": "y"},
    {"name": "narrow", "type": "float32", "expr": "cast(x * 1.1 + y as float32)"},
    {"name": "curve", "expr": "ln(abs(x) + 1) * y - x / nullif(y, 0) + sqrt(abs(x)) * y"},
    {"name": "waves", "expr": "sin(x) + exp(y / 700) * 0.1 + pow(abs(x), 0.3)"}]}],
  "on_demand_views": [{"name": "live", "inputs": {"x": "stored:x", "y": "stored:y"},
    "request": [{"name": "z", "type": "float64"}],
    "features": [{"name": "ratio", "expr": "(x - y) / (x + y) * request.z + x * y"},
                 {"name": "scaled", "expr": "zscore(x, 0.1, 3.7) + tanh(y) * request.z"}]}],
  "feature_services": [
    {"name": "singles", "features": [{"view": "stored"}, {"view": "live"}], "dtype": "float32"},
    {"name": "doubles", "features": [{"view": "stored"}, {"view": "live"}], "dtype": "float64"}]})json";
constexpr std::size_t kRows = 2000;
constexpr larder::Timestamp kStart = {1'700'000'000'000'000};

// Made of bits: this file's own arithmetic may be anything.
double RandomDouble(uint64_t* state) {
  *state += 0x9E3779B97F4A7C15U;
  uint64_t z = *state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  z ^= z >> 31;
  const uint64_t kind = z % 16;
  const uint64_t exponent = kind == 0 ? 0 : kind == 1 ? 1 + (z >> 8) % 2046 : 1003 + (z >> 8) % 40;
  return std::bit_cast<double>((z & 0x800F'FFFF'FFFF'FFFFU) | exponent << 52);
}

class Bits {
 public:
  template <class T>
  void Add(const std::vector<T>& values) {
    bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  void Add(const larder::Column& column) {
    for (std::size_t i = 0; i < column.size(); ++i) {
      larder::AppendCanonicalBytes(column.ValueAt(i), &bytes_);
    }
  }
  [[nodiscard]] std::string Hash() const { return larder::ToHex(larder::HashWide(bytes_)); }

 private:
  std::string bytes_;
};

template <class T>
void AddTensor(const larder::FeatureStore& store, const char* service,
               std::span<const larder::InputColumn> inputs, Bits* bits) {
  const larder::ServingPlan plan = store.Bind(service).value();
  larder::ServingSession session = store.OpenSession(plan).value();
  std::vector<T> cells(kRows * plan.width());
  const larder::Tensor<T> tensor = {cells.data(), kRows, 0};
  if (!session.Fill(inputs, larder::Timestamp{kStart.us + 10'000'000}, tensor).ok()) std::abort();
  bits->Add(cells);
}

}  // namespace

int main() {
  // -Ofast at the link sets a start-up routine that flushes subnormal numbers. Larder says so instead of serving others.
  const auto refused = larder::FeatureStore::Open("refused_store");
  std::fprintf(stderr, "%s\n", refused.ok() ? "opened" : refused.status().ToString().c_str());
  if (std::fesetenv(FE_DFL_ENV) != 0) return 1;

  uint64_t state = 20250309;
  std::vector<double> x(kRows);
  std::vector<double> y(kRows);
  std::vector<double> z(kRows);
  std::vector<int64_t> ids(kRows);
  larder::Column x_column(larder::TypeId::kFloat64);
  larder::Column y_column(larder::TypeId::kFloat64);
  std::vector<larder::Row> events;
  for (std::size_t i = 0; i < kRows; ++i) {
    x[i] = RandomDouble(&state);
    y[i] = RandomDouble(&state);
    z[i] = RandomDouble(&state);
    ids[i] = static_cast<int64_t>(i);
    if (!x_column.Append(x[i]).ok() || !y_column.Append(y[i]).ok()) return 1;
    events.push_back({{"id", ids[i]},
                      {"x", x[i]},
                      {"y", y[i]},
                      {"at", larder::Timestamp{kStart.us + static_cast<int64_t>(i)}}});
  }

  Bits bits;
  larder::Field field_x;
  field_x.name = "x";
  field_x.type = larder::TypeId::kFloat64;
  larder::Field field_y = field_x;
  field_y.name = "y";
  const std::vector<larder::Field> fields = {field_x, field_y};
  const larder::NamedExpression expression = {
      "e", "case when x > y then ln(abs(x) + 1) * y else x / y + cbrt(y) - atan2(x, y) end"};
  const auto program = larder::Program::Compile({&expression, 1}, fields).value();
  const std::vector<const larder::Column*> columns = {&x_column, &y_column};
  const auto batch = program.EvaluateBatch(columns, kRows, {&kStart, 1}).value();
  bits.Add(batch[0]);
  larder::RowEvaluator evaluator(program);
  std::vector<double> rows;
  for (std::size_t i = 0; i < kRows; ++i) {
    const std::vector<larder::Datum> row = {larder::Datum::Float64(x[i]),
                                            larder::Datum::Float64(y[i])};
    larder::Datum out;
    evaluator.Evaluate(row, kStart, {&out, 1});
    rows.push_back(out.valid ? out.f64 : 0.0);
  }
  bits.Add(rows);

  larder::FeatureStore store = larder::FeatureStore::Open("bits_store").value();
  store.Apply(larder::ParseDefinitions(kDefinitions, "main.cc").value()).value();
  store.Push("events", events).value();
  const std::vector<larder::InputColumn> inputs = {
      larder::InputColumn::Of(std::span<const int64_t>(ids)),
      larder::InputColumn::Of(std::span<const double>(z))};
  AddTensor<float>(store, "singles", inputs, &bits);
  AddTensor<double>(store, "doubles", inputs, &bits);

  larder::OnlineRequest online;
  online.what.service = "doubles";
  online.as_of = larder::Timestamp{kStart.us + 10'000'000};
  for (std::size_t i = 0; i < kRows; ++i) online.rows.push_back({{"id", ids[i]}, {"z", z[i]}});
  const larder::OnlineResponse response = store.GetOnlineFeatures(online).value();
  for (const larder::FeatureValues& feature : response.features) bits.Add(feature.values);
  std::printf("%s over %zu rows\n", bits.Hash().c_str(), kRows);
}
