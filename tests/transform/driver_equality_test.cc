// Random programs over random rows: the row driver, the chunk driver, the batch driver at every length, and a naive walk
// agree bit for bit. LARDER_SEED repeats a run, LARDER_CASES makes it longer (a case is one program over one row).
#include <cmath>
#include <cstdlib>
#include <deque>
#include <limits>

#include "larder/base/text.h"
#include "larder/transform/chunk_evaluator.h"
#include "larder/transform/program.h"
#include "support/catch.h"
#include "transform/random_program.h"
#include "transform/vector_width.h"

namespace larder_test {
namespace {

using larder::Column;
using larder::Datum;
using larder::NamedExpression;
using larder::Program;
using larder::Value;

constexpr larder::Timestamp kNow = {1741532645250000};
constexpr std::size_t kChunkMax = 70;  // more than a word of bits

bool IsNan(const Value& value) {
  const double* x = value.As<double>();
  return x != nullptr && std::isnan(*x);
}
// The naive walk keeps whichever NaN its compiler chose; the engine's own is one.
bool Same(const Value& engine, const Value& naive) {
  return engine == naive || (IsNan(engine) && IsNan(naive));
}

std::vector<Column> ColumnsOf(const std::vector<std::vector<Maybe>>& rows, std::size_t begin,
                              std::size_t count) {
  std::vector<Column> columns;
  for (std::size_t c = 0; c < RandomPrograms::Fields().size(); ++c) {
    columns.emplace_back(RandomPrograms::Fields()[c].type);
    for (std::size_t i = 0; i < count; ++i) {
      if (!columns.back().Append(ToValue(rows[begin + i][c], static_cast<Kind>(c / 2))).ok())
        std::abort();
    }
  }
  return columns;
}

std::vector<const Column*> InputsOf(const Program& program, const std::vector<Column>& columns) {
  std::vector<const Column*> inputs;
  for (const larder::Field& field : program.inputs()) {
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (RandomPrograms::Fields()[c].name == field.name) inputs.push_back(&columns[c]);
    }
  }
  return inputs;
}

TEST_CASE("random programs: row driver, batch driver and naive walk agree bit for bit",
          "[transform][random]") {
  const uint64_t seed = SeedFromEnvironment(20250309);
  const char* wanted = std::getenv("LARDER_CASES");
  const std::size_t cases = wanted == nullptr ? 20'000 : std::strtoull(wanted, nullptr, 10);
  INFO("LARDER_SEED=" << seed);
  RandomPrograms random(seed);
  std::size_t done = 0;
  while (done < cases) {
    std::vector<std::unique_ptr<Tree>> trees;
    std::vector<NamedExpression> expressions;
    for (std::size_t k = 0; k <= random.Below(3); ++k) {
      trees.push_back(random.MakeTree(random.AnyKind(), 1 + static_cast<int>(random.Below(5))));
      expressions.push_back({larder::Concat("e", k), Print(*trees.back())});
    }
    larder::CompileOptions options;
    options.limits.text_bytes = 1 << 20;
    options.limits.nodes = 1 << 16;
    const auto program = Program::Compile(expressions, RandomPrograms::Fields(), options);
    INFO(expressions[0].text);
    REQUIRE(program.ok());

    const std::size_t count = random.Below(8) == 0 ? 1000 + random.Below(1200) : random.Below(140);
    std::vector<std::vector<Maybe>> rows;
    for (std::size_t i = 0; i < count; ++i) rows.push_back(random.MakeRow());
    const std::vector<Column> columns = ColumnsOf(rows, 0, count);
    larder::EvalCounts batch_counts;
    const auto batch =
        program->EvaluateBatch(InputsOf(*program, columns), count, {&kNow, 1}, &batch_counts);
    REQUIRE(batch.ok());

    larder::RowEvaluator evaluator(*program);
    larder::ChunkEvaluator chunk(*program, kChunkMax);
    std::size_t in_chunk = 0;  // rows of it that are set
    std::vector<Datum> out(trees.size());
    std::deque<std::vector<Value>> kept;  // what the chunk borrows from
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<Value> values;
      for (std::size_t c = 0; c < rows[i].size(); ++c)
        values.push_back(ToValue(rows[i][c], static_cast<Kind>(c / 2)));
      std::vector<Datum> data;
      for (const larder::Field& field : program->inputs()) {
        for (std::size_t c = 0; c < values.size(); ++c) {
          if (RandomPrograms::Fields()[c].name == field.name)
            data.push_back(larder::DatumOf(values[c]));
        }
      }
      if (in_chunk == 0) kept.clear();
      kept.push_back(std::move(values));
      for (std::size_t input = 0; input < data.size(); ++input)
        chunk.SetInput(input, in_chunk, data[input]);
      if (++in_chunk == kChunkMax || i + 1 == count) {
        chunk.Evaluate(in_chunk, kNow);
        for (std::size_t row = 0; row < in_chunk; ++row) {
          for (std::size_t k = 0; k < trees.size(); ++k) {
            const Value expected = (*batch)[k].ValueAt(i + 1 - in_chunk + row);
            const Value got = larder::ValueOf(chunk.Output(k, row), program->outputs()[k].type);
            INFO(expressions[k].text << " seed " << seed);
            if (!(got == expected)) REQUIRE(got == expected);
            const larder::ChunkEvaluator::Doubles doubles = chunk.OutputDoubles(k);
            if (doubles.values == nullptr) continue;
            const bool valid =
                doubles.valid == nullptr || ((doubles.valid[row / 64] >> (row % 64)) & 1U) != 0;
            if (valid == expected.is_null()) REQUIRE(valid != expected.is_null());
            if (valid && !Same(Value(doubles.values[row]), expected))
              REQUIRE(Value(doubles.values[row]) == expected);
          }
        }
        in_chunk = 0;
      }
      evaluator.Evaluate(data, kNow, out);
      for (std::size_t k = 0; k < trees.size(); ++k) {
        const Value batch_value = (*batch)[k].ValueAt(i);
        const Value row_value = larder::ValueOf(out[k], program->outputs()[k].type);
        const Value naive = ToValue(Walk(*trees[k], rows[i]), trees[k]->kind);
        if (batch_value == row_value && Same(batch_value, naive)) continue;
        FAIL_CHECK(expressions[k].text << "\nbatch " << larder::FormatValue(batch_value)
                                       << "\nrow   " << larder::FormatValue(row_value) << "\nnaive "
                                       << larder::FormatValue(naive) << "\nseed " << seed);
        return;
      }
    }
    CHECK(evaluator.counts() == batch_counts);
    done += count * trees.size();
  }
}

TEST_CASE("every length and every offset of a batch gives the same bits", "[transform][random]") {
  RandomPrograms random(SeedFromEnvironment(7));
  std::vector<std::vector<Maybe>> rows;
  for (std::size_t i = 0; i < 260; ++i) rows.push_back(random.MakeRow());
  std::vector<NamedExpression> expressions;
  for (std::size_t k = 0; k < 20; ++k)
    expressions.push_back({larder::Concat("e", k), Print(*random.MakeTree(random.AnyKind(), 4))});
  expressions.push_back({"ln", "ln(f1 * f1 + 1) + exp(f2) * sin(f1) + pow(abs(f1), f2)"});
  const auto program = Program::Compile(expressions, RandomPrograms::Fields());
  REQUIRE(program.ok());
  const std::vector<Column> all = ColumnsOf(rows, 0, rows.size());
  const auto whole = program->EvaluateBatch(InputsOf(*program, all), rows.size(), {&kNow, 1});
  REQUIRE(whole.ok());
  for (std::size_t length = 0; length <= 130; ++length) {
    const std::size_t begin = (length * 37) % (rows.size() - length);
    const std::vector<Column> part = ColumnsOf(rows, begin, length);
    const auto some = program->EvaluateBatch(InputsOf(*program, part), length, {&kNow, 1});
    REQUIRE(some.ok());
    for (std::size_t k = 0; k < expressions.size(); ++k) {
      REQUIRE((*some)[k].size() == length);
      for (std::size_t i = 0; i < length; ++i) {
        if (!((*some)[k].ValueAt(i) == (*whole)[k].ValueAt(begin + i))) {
          INFO(expressions[k].text << " row " << begin + i << " length " << length);
          REQUIRE((*some)[k].ValueAt(i) == (*whole)[k].ValueAt(begin + i));
        }
      }
    }
  }
}

TEST_CASE("no vector width changes a bit or a count of a batch", "[transform][random]") {
  const uint64_t seed = SeedFromEnvironment(17);
  INFO("LARDER_SEED=" << seed);
  RandomPrograms random(seed);
  for (int program_index = 0; program_index < 60; ++program_index) {
    std::vector<NamedExpression> expressions;
    for (std::size_t k = 0; k < 4; ++k) {
      expressions.push_back({larder::Concat("e", k),
                             Print(*random.MakeTree(random.AnyKind(), 2 + static_cast<int>(k)))});
    }
    const auto program = Program::Compile(expressions, RandomPrograms::Fields());
    if (!program.ok()) continue;  // over the limits of a text
    std::vector<std::vector<Maybe>> rows;
    for (std::size_t i = 0; i < 300; ++i) rows.push_back(random.MakeRow());
    const std::vector<Column> columns = ColumnsOf(rows, 0, rows.size());
    std::vector<std::vector<Column>> results;
    std::vector<larder::EvalCounts> counts;
    for (const std::size_t bytes : {16, 32, 64}) {
      larder::transform::LimitVectorBytesForTesting(bytes);
      counts.emplace_back();
      auto batch = program->EvaluateBatch(InputsOf(*program, columns), rows.size(), {&kNow, 1},
                                          &counts.back());
      larder::transform::LimitVectorBytesForTesting(64);
      REQUIRE(batch.ok());
      results.push_back(*std::move(batch));
    }
    for (std::size_t other = 1; other < results.size(); ++other) {
      CHECK(counts[other] == counts[0]);
      for (std::size_t k = 0; k < expressions.size(); ++k) {
        INFO(expressions[k].text);
        CHECK(results[other][k] == results[0][k]);
      }
    }
  }
}

TEST_CASE("elementary functions give the same bits alone and in any batch", "[transform][random]") {
  const char* functions[] = {"exp", "expm1", "ln",   "log2", "log10", "log1p", "sin",  "cos",
                             "tan", "asin",  "acos", "atan", "sinh",  "cosh",  "tanh", "cbrt"};
  std::mt19937_64 random(SeedFromEnvironment(11));
  std::vector<NamedExpression> expressions;
  for (const char* function : functions)
    expressions.push_back({function, larder::Concat(function, "(f1)")});
  expressions.push_back({"pow", "pow(f1, f2)"});
  expressions.push_back({"atan2", "atan2(f1, f2)"});
  const auto program = Program::Compile(expressions, RandomPrograms::Fields());
  REQUIRE(program.ok());
  Column f1(larder::TypeId::kFloat64);
  Column f2(larder::TypeId::kFloat64);
  constexpr std::size_t kRows = 20'011;
  for (std::size_t i = 0; i < kRows; ++i) {
    const double wild = std::bit_cast<double>(random());
    const double tame = static_cast<double>(static_cast<int64_t>(random())) / 4.6e17;
    f1.AppendFixed(i % 3 == 0 ? wild : tame);
    f2.AppendFixed(i % 5 == 0 ? std::bit_cast<double>(random()) : tame / 3);
  }
  const Column* inputs[] = {&f1, &f2};
  const auto batch = program->EvaluateBatch(inputs, kRows, {&kNow, 1});
  REQUIRE(batch.ok());
  larder::RowEvaluator evaluator(*program);
  std::vector<Datum> out(expressions.size());
  for (std::size_t i = 0; i < kRows; ++i) {
    const Datum data[] = {Datum::Float64(f1.Values<double>()[i]),
                          Datum::Float64(f2.Values<double>()[i])};
    evaluator.Evaluate(data, kNow, out);
    for (std::size_t k = 0; k < expressions.size(); ++k) {
      const Value row = larder::ValueOf(out[k], larder::TypeId::kFloat64);
      if (row == (*batch)[k].ValueAt(i)) continue;
      INFO(expressions[k].text << " of " << f1.Values<double>()[i] << ", "
                               << f2.Values<double>()[i]);
      REQUIRE(larder::FormatValue(row) == larder::FormatValue((*batch)[k].ValueAt(i)));
    }
  }
}

}  // namespace
}  // namespace larder_test
