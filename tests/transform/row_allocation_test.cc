// The row driver on a serving path: no heap once it has seen the longest texts.
#include "larder/base/text.h"
#include "larder/transform/program.h"
#include "support/allocations.h"
#include "support/catch.h"
#include "transform/random_program.h"

namespace larder_test {
namespace {

using larder::Datum;
using larder::Program;

constexpr larder::Timestamp kNow = {1741532645250000};

// The rows as the row driver takes them; the values that texts point into live beside them.
struct Rows {
  std::vector<std::vector<larder::Value>> values;
  std::vector<std::vector<Datum>> data;
};

Rows RowsFor(const Program& program, const std::vector<std::vector<Maybe>>& from) {
  Rows rows;
  for (const std::vector<Maybe>& row : from) {
    std::vector<larder::Value> values;
    for (const larder::Field& field : program.inputs()) {
      for (std::size_t c = 0; c < row.size(); ++c) {
        if (RandomPrograms::Fields()[c].name == field.name)
          values.push_back(ToValue(row[c], static_cast<Kind>(c / 2)));
      }
    }
    rows.values.push_back(std::move(values));
  }
  for (const std::vector<larder::Value>& values : rows.values) {
    rows.data.emplace_back();
    for (const larder::Value& value : values) rows.data.back().push_back(larder::DatumOf(value));
  }
  return rows;
}

// Allocations of one pass over the rows after one pass over the same rows; -1 when the text does not compile.
int64_t AllocationsAfterWarmUp(const std::string& text,
                               const std::vector<std::vector<Maybe>>& from) {
  const larder::NamedExpression expression = {"e", text};
  larder::CompileOptions options;
  options.limits.text_bytes = 1 << 20;
  options.limits.nodes = 1 << 16;
  const auto program = Program::Compile({&expression, 1}, RandomPrograms::Fields(), options);
  if (!program.ok()) return -1;
  const Rows rows = RowsFor(*program, from);
  larder::RowEvaluator evaluator(*program);
  Datum out;
  for (const std::vector<Datum>& row : rows.data) evaluator.Evaluate(row, kNow, {&out, 1});
  const std::size_t before = Allocations();
  for (const std::vector<Datum>& row : rows.data) evaluator.Evaluate(row, kNow, {&out, 1});
  return static_cast<int64_t>(Allocations() - before);
}

std::vector<std::vector<Maybe>> RandomRows(RandomPrograms& random, std::size_t count) {
  std::vector<std::vector<Maybe>> rows;
  for (std::size_t i = 0; i < count; ++i) rows.push_back(random.MakeRow());
  return rows;
}

TEST_CASE("rows of random programs are evaluated without an allocation after warm-up",
          "[transform][random]") {
  const uint64_t seed = SeedFromEnvironment(20250310);
  INFO("LARDER_SEED=" << seed);
  RandomPrograms random(seed);
  std::size_t evaluated = 0;
  while (evaluated < 10'000) {
    const std::vector<std::vector<Maybe>> rows = RandomRows(random, 100);
    const std::string text =
        Print(*random.MakeTree(random.AnyKind(), 1 + static_cast<int>(random.Below(5))));
    INFO(text);
    REQUIRE(AllocationsAfterWarmUp(text, rows) == 0);
    evaluated += rows.size();
  }
}

TEST_CASE("functions of every family are evaluated a row at a time without an allocation",
          "[transform]") {
  RandomPrograms random(5);
  const std::vector<std::vector<Maybe>> rows = RandomRows(random, 400);
  const char* const texts[] = {
      "case when f1 > 50 then ln(f1 + 1) * f2 else sqrt(f2) + f1 end",
      "(f1 - f2) / nullif(f1, 0) > 0.5 and i1 in (1, 2, 3)",
      "lower(trim(t1)) = 'late'",
      "upper(t1) || reverse(t2) || substr(t1, 2, 3)",
      "replace(t1, 'a', 'bb') || split_part(t2, ',', 1)",
      "concat(t1, '-', t2, '-', i1::string, f1::string)",
      "levenshtein(t1, t2)",
      "t1 like '%b_' or t2 ilike 'A%' or contains(t1, t2)",
      "t1 in ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j')",
      "pow(abs(f1), f2) + atan2(f1, f2) + tanh(f1) + round(f2, 2)",
      "greatest(i1, i2) // 3 % 5 + sign(i1) * abs(i2)",
      "try_cast(t1 as float64) + coalesce(try_cast(t2 as int64), 0)",
      "date_trunc('month', d1) - d2 + date_diff('week', d1, current_date)",
      "years_between(d1, current_date('Asia/Tokyo')) + extract(dow from d2)",
      "hash_bucket(t1, 1000) + cross(t1, i1, 100) + bucketize(f1, [1, 2.5, 10])",
      "zscore(f1, 2.0, 3.0) + sigmoid(f2) + clamp(f1, 0, 1) + log_scale(abs(f2))",
      "one_hot(t1, ['a', 'b', 'c'])",
      "current_date - d1",
  };
  for (const char* text : texts) {
    INFO(text);
    CHECK(AllocationsAfterWarmUp(text, rows) == 0);
  }
}

}  // namespace
}  // namespace larder_test
