// Random window aggregates over random events: what training sets and served reads say is what DuckDB makes of the same
// rows in plain SQL, for the functions that both have. docs/explanation/duckdb_differences.md lists them, with how near
// floats have to be. LARDER_SEED repeats a run, LARDER_ROUNDS makes it longer.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <set>

#include "differential/window_sql.h"
#include "feature_store/store_fixture.h"
#include "larder/base/text.h"
#include "support/duckdb_database.h"
#include "support/random.h"

namespace larder_test {
namespace {

using larder::Batch;
using larder::Column;
using larder::Concat;
using larder::FormatTimestamp;
using larder::FormatValue;
using larder::Row;
using larder::TypeId;
using larder::Value;

double FloatOf(const Value& value) {
  if (const auto* integer = value.As<int64_t>()) return static_cast<double>(*integer);
  return *value.As<double>();
}

// What DuckDB says of the numbers that a value was made from.
struct Inputs {
  double count = 0;
  double magnitudes = 0;  // the sum of |x|
  double squares = 0;     // the sum of x * x
};

// `larder` is the nearest double to the exact result (but for slopes and quantiles); DuckDB adds up doubles one by one.
bool IsNear(const Value& larder, const Value& sql, Nearness nearness, const Inputs& inputs) {
  if (larder.is_null() || sql.is_null() || nearness == Nearness::kEqual) return larder == sql;
  const double a = FloatOf(larder);
  const double b = FloatOf(sql);
  // A sum of n doubles in any order is off by at most (n - 1) * 2^-53 * sum |x|, but for terms in 2^-106.
  const double added = inputs.count * 0x1p-52 * inputs.magnitudes;
  const double mean_square = inputs.count > 0 ? inputs.squares / inputs.count : 0;
  switch (nearness) {
    case Nearness::kSum:
      return std::fabs(a - b) <= added;
    case Nearness::kMean:
      return std::fabs(a - b) <= added / inputs.count + 0x1p-52 * std::fabs(a);
    // Welford's recurrence: n * 2^-53 * the condition number sqrt(mean square / variance), times the variance; the
    // variance of a sample of two is up to twice the mean square.
    case Nearness::kVariance:
      return std::fabs(a - b) <= inputs.count * 0x1p-50 * mean_square;
    case Nearness::kDeviation:
      return std::fabs(a * a - b * b) <= inputs.count * 0x1p-50 * mean_square;
    case Nearness::kClose:
      return std::fabs(a - b) <= 1e-9 * std::max({1.0, std::fabs(a), std::fabs(b)});
    case Nearness::kNearerZero:
      return std::fabs(a) <= std::fabs(b) && std::fabs(a) >= std::fabs(b) * (1 - 0x1p-8) &&
             (a == 0 || std::signbit(a) == std::signbit(b));
    default:
      return false;
  }
}

// The rows of a world in a store, some loaded and some pushed, and in DuckDB.
class BothSides {
 public:
  BothSides(Random& random, SqlWorld world) : random_(random), world_(std::move(world)) {
    fixture_.folder().Write("tx.csv", world_.Csv({}));
    fixture_.Apply(world_.Definitions());
    auto opened = DuckDbDatabase::Open();
    REQUIRE(opened.ok());
    database_ = std::make_unique<DuckDbDatabase>(*std::move(opened));
    Bring();
    PutTables();
  }

  // Returns how many values were compared.
  std::size_t Compare() {
    fixture_.folder().Write("tx.csv", world_.Csv(world_.events));
    std::vector<std::string> names;
    for (const SqlFeature& feature : world_.features) names.push_back("spend:" + feature.name);
    larder::HistoricalRequest request;
    request.what.features = names;
    request.known_at = larder::KnownAt::kAny;
    request.spine = Questions({{"card", TypeId::kInt64, "", ""}, {"t", TypeId::kTimestamp, "", ""}});
    const auto trained = fixture_.store().GetHistoricalFeatures(request);
    INFO(trained.status().ToString());
    REQUIRE(trained.ok());
    std::vector<larder::OnlineResponse> served;
    for (const SqlQuestion& question : world_.questions)
      served.push_back(fixture_.Get(names, {{{"card", question.card}}}, question.as_of));
    std::size_t compared = 0;
    for (const SqlFeature& feature : world_.features) {
      const std::string sql = world_.Query(feature);
      const auto answers = database_->Query(sql);
      INFO(sql);
      INFO(answers.status().ToString());
      REQUIRE(answers.ok());
      REQUIRE(answers->row_count() == world_.questions.size());
      for (std::size_t q = 0; q < world_.questions.size(); ++q) {
        const Value expected = answers->Find("value")->ValueAt(q);
        Check(feature, q, "trained", trained->rows.Find(feature.name)->ValueAt(q), expected,
              *answers);
        Check(feature, q, "served", served[q].Find(feature.name)->values.ValueAt(0), expected,
              *answers);
        compared += 2;
      }
    }
    return compared;
  }

 private:
  void Bring() {
    std::set<std::string> ids_in_file;
    for (const SqlEvent& event : world_.events) {
      if (random_.OneIn(2)) ids_in_file.insert(event.id);
    }
    std::vector<SqlEvent> in_file;
    std::vector<Row> pushed;
    for (const SqlEvent& event : world_.events) {
      const bool is_in_file = ids_in_file.count(event.id) > 0;
      if (is_in_file) in_file.push_back(event);
      // Told again by the stream: one event still.
      if (!is_in_file || random_.OneIn(5)) pushed.push_back(SqlWorld::RowOf(event));
    }
    std::shuffle(pushed.begin(), pushed.end(), random_.engine());
    std::shuffle(in_file.begin(), in_file.end(), random_.engine());
    fixture_.folder().Write("tx.csv", world_.Csv(in_file));
    fixture_.Materialize();
    for (std::size_t done = 0; done < pushed.size();) {
      const auto end =
          std::min(pushed.size(), done + static_cast<std::size_t>(random_.Between(1, 60)));
      fixture_.Push("live", {pushed.begin() + static_cast<std::ptrdiff_t>(done),
                             pushed.begin() + static_cast<std::ptrdiff_t>(end)});
      done = end;
    }
  }

  [[nodiscard]] Batch Questions(const std::vector<larder::Field>& fields) const {
    std::vector<Row> rows;
    for (std::size_t q = 0; q < world_.questions.size(); ++q) {
      rows.push_back({{"card", world_.questions[q].card}, {"t", world_.questions[q].as_of}});
      if (fields.size() == 3) rows.back().emplace_back("q", static_cast<int64_t>(q));
    }
    return *Batch::FromRows(rows, fields);
  }

  void PutTables() {
    std::vector<Row> rows;
    for (const SqlEvent& event : world_.events) rows.push_back(SqlWorld::RowOf(event));
    REQUIRE(database_->PutTable("events", *Batch::FromRows(rows, SqlWorld::Fields())).ok());
    REQUIRE(database_
                ->PutTable("questions", Questions({{"card", TypeId::kInt64, "", ""},
                                                   {"t", TypeId::kTimestamp, "", ""},
                                                   {"q", TypeId::kInt64, "", ""}}))
                .ok());
  }

  void Check(const SqlFeature& feature, std::size_t q, const char* how, const Value& found,
             const Value& expected, const Batch& answers) const {
    const auto number = [&](const char* column) {
      const Value value = answers.Find(column)->ValueAt(q);
      return value.is_null() ? 0 : FloatOf(value);
    };
    const Inputs inputs = {number("n"), number("magnitudes"), number("squares")};
    if (IsNear(TextOfNested(found), expected, feature.function->nearness, inputs)) return;
    FAIL(how << " " << feature.name << " (" << feature.function->name << ") of card "
             << world_.questions[q].card << " at " << FormatTimestamp(world_.questions[q].as_of)
             << " is " << FormatValue(found) << ", DuckDB says " << FormatValue(expected) << "\n"
             << world_.Query(feature) << "\n"
             << world_.Csv(world_.events));
  }

  Random& random_;
  SqlWorld world_;
  StoreFixture fixture_;
  std::unique_ptr<DuckDbDatabase> database_;
};

TEST_CASE("larder and DuckDB give the same window aggregates, trained and served",
          "[differential][windows][random]") {
  Random random;
  std::cout << random.Describe() << "\n";
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  int64_t rounds = 12;
#else
  int64_t rounds = 3;
#endif
  if (const char* text = std::getenv("LARDER_ROUNDS")) rounds = std::atol(text);
  std::size_t compared = 0;
  for (int64_t round = 0; round < rounds; ++round) {
    // Rounds take their functions in turn, so that a run meets every one.
    SqlWorld world =
        SqlWorld::Draw(random, static_cast<std::size_t>(round), 12,
                       random.OneIn(5) ? random.Between(0, 4) : random.Between(20, 300));
    INFO(world.Definitions());
    BothSides sides(random, std::move(world));
    compared += sides.Compare();
  }
  std::cout << compared << " values compared\n";
  CHECK(compared > 0);
}

}  // namespace
}  // namespace larder_test
