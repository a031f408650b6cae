// Batches of more than one chunk, and what a chunk must not keep of the one before.
#include <bit>
#include <random>
#include <string>
#include <vector>

#include "larder/base/text.h"
#include "larder/transform/chunk_evaluator.h"
#include "larder/transform/program.h"
#include "support/allocations.h"
#include "support/catch.h"
#include "transform/random_program.h"

namespace larder_test {
namespace {

using larder::Column;
using larder::Datum;
using larder::Field;
using larder::Program;
using larder::TypeId;
using larder::Value;

constexpr larder::Timestamp kNow = {1741532645250000};
constexpr std::size_t kChunk = 512;

Field FieldOf(const char* name, TypeId type) {
  Field field;
  field.name = name;
  field.type = type;
  return field;
}

Program Compiled(const std::string& expression, const std::vector<Field>& fields) {
  const larder::NamedExpression named = {"e", expression};
  auto program = Program::Compile({&named, 1}, fields);
  INFO(expression);
  INFO(program.status().ToString());
  REQUIRE(program.ok());
  return *std::move(program);
}

Column TextColumn(const std::vector<std::string>& texts) {
  Column column(TypeId::kString);
  for (const std::string& text : texts) REQUIRE(column.Append(Value(text)).ok());
  return column;
}
Column BoolColumn(const std::vector<bool>& bools) {
  Column column(TypeId::kBool);
  for (const bool one : bools) REQUIRE(column.Append(Value(one)).ok());
  return column;
}

TEST_CASE("an argument after the 32nd may be constant, in every driver", "[transform]") {
  for (const std::size_t before : {31U, 32U, 33U, 64U, 70U}) {
    std::string list = "s";
    for (std::size_t i = 1; i < before; ++i) list += ", s";
    const Program program = Compiled(larder::Concat("concat(", list, ", 'C', s, 'D', null)"),
                                     {FieldOf("s", TypeId::kString)});
    INFO(before);
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < 1100; ++i) texts.push_back(std::to_string(i));
    const Column column = TextColumn(texts);
    const Column* input = &column;
    const auto batch = program.EvaluateBatch({&input, 1}, texts.size(), {&kNow, 1});
    REQUIRE(batch.ok());
    larder::RowEvaluator row(program);
    larder::ChunkEvaluator chunk(program, 70);
    for (std::size_t i = 0; i < 70; ++i) chunk.SetInput(0, i, Datum::Text(texts[i]));
    chunk.Evaluate(70, kNow);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::string expected;
      for (std::size_t k = 0; k < before; ++k) expected += texts[i];
      expected += "C" + texts[i] + "D";
      if ((*batch)[0].ValueAt(i) != Value(expected))
        REQUIRE((*batch)[0].ValueAt(i) == Value(expected));
      if (i >= 70) continue;
      REQUIRE(larder::ValueOf(chunk.Output(0, i), TypeId::kString) == Value(expected));
      Datum in = Datum::Text(texts[i]);
      Datum out;
      row.Evaluate({&in, 1}, kNow, {&out, 1});
      REQUIRE(larder::ValueOf(out, TypeId::kString) == Value(expected));
    }
  }
}

// In the first chunk every row takes both branches and its texts are large; in the second no row takes the inner branch
// under the outer one, so that what makes its texts does not run.
TEST_CASE("a guarded kernel never follows the texts of an earlier chunk", "[transform]") {
  const std::vector<Field> fields = {FieldOf("p", TypeId::kBool), FieldOf("q", TypeId::kBool),
                                     FieldOf("s", TypeId::kString)};
  std::vector<bool> p;
  std::vector<bool> q;
  std::vector<std::string> s;
  for (std::size_t i = 0; i < 2 * kChunk; ++i) {
    const bool first = i < kChunk;
    p.push_back(first || i % 2 == 0);
    q.push_back(first || i % 2 == 1);
    s.push_back(first ? std::string(4000 + i, 'Z') : "ZZZ");
  }
  const Column columns[] = {BoolColumn(p), BoolColumn(q), TextColumn(s)};
  const std::string inner = "case when q then lower(s) else 't' end";
  for (const char* form : {"length(greatest(?, 'zzz'))",
                           "length(least(?, 'zzzz'))",
                           "length(greatest('zzz', ?))",
                           "cast(? = 'zzz' as int64)",
                           "cast(? < 'zzz' as int64)",
                           "cast(? in ('zzz', 'y') as int64)",
                           "length(concat(?, 'zzz'))",
                           "length(? || 'zzz')",
                           "length(lower(?))",
                           "length(reverse(?))",
                           "length(replace(?, 'z', 'y'))",
                           "cast(? like '%z' as int64)",
                           "strpos(?, 'zz')",
                           "cast(hash64(?) % 1000 as int64)",
                           "length(substr(?, 2))",
                           "levenshtein(left(?, 3), 'zzy')",
                           "try_cast(? as int64)",
                           "cast(lower(?) = 'zzz' as int64)",
                           "length(nullif(?, 'zzz'))",
                           "vocabulary_index(?, ['zzz', 'y'])",
                           "length(coalesce(nullif(?, 'zzz'), 'y'))",
                           "length(regexp_extract(?, 'z+'))",
                           "length(split_part(?, 'z', 2))",
                           "length(trim(?))",
                           "cast(? is distinct from 'zzz' as int64)"}) {
    std::string call = form;
    call.replace(call.find('?'), 1, inner);
    const Program program =
        Compiled(larder::Concat("case when p then ", call, " else -1 end"), fields);
    INFO(call);
    std::vector<const Column*> inputs;
    std::vector<std::size_t> used;
    for (const Field& field : program.inputs()) {
      used.push_back(field.name == "p" ? 0 : field.name == "q" ? 1 : 2);
      inputs.push_back(&columns[used.back()]);
    }
    const auto batch = program.EvaluateBatch(inputs, s.size(), {&kNow, 1});
    REQUIRE(batch.ok());
    larder::RowEvaluator row(program);
    for (std::size_t i = 0; i < s.size(); ++i) {
      const Datum all[] = {Datum::Bool(p[i]), Datum::Bool(q[i]), Datum::Text(s[i])};
      std::vector<Datum> data;
      for (const std::size_t k : used) data.push_back(all[k]);
      Datum out;
      row.Evaluate(data, kNow, {&out, 1});
      const Value expected = larder::ValueOf(out, program.outputs()[0].type);
      if ((*batch)[0].ValueAt(i) != expected) REQUIRE((*batch)[0].ValueAt(i) == expected);
    }
  }
}

// A random text expression over p, q and s, guards within guards.
std::string RandomText(std::mt19937_64* random, int depth) {
  const auto below = [random](uint64_t n) { return (*random)() % n; };
  const auto text = [&] { return RandomText(random, depth - 1); };
  if (depth == 0) {
    const char* kLeaves[] = {"s", "lower(s)", "'t'", "'zzz'", "reverse(s)"};
    return kLeaves[below(5)];
  }
  const char* kForms[] = {"greatest(?, ?)",
                          "least(?, ?)",
                          "concat(?, ?)",
                          "? || ?",
                          "lower(?)",
                          "reverse(?)",
                          "replace(?, 'z', 'y')",
                          "nullif(?, ?)",
                          "coalesce(?, ?)",
                          "substr(?, 2)",
                          "trim(?)",
                          "left(?, 3)"};
  const char* kConditions[] = {"p", "q", "? = ?", "? < ?", "? like 'z%'", "? in ('zzz', 't')"};
  std::string form = kForms[below(12)];
  if (below(2) == 0)
    form = larder::Concat("case when ", kConditions[below(6)], " then ? else ? end");
  std::string out;
  for (const char c : form) out += c == '?' ? text() : std::string(1, c);
  return "(" + out + ")";
}

TEST_CASE("random guarded texts over chunks unlike each other: batches and rows agree",
          "[transform][random]") {
  const uint64_t seed = SeedFromEnvironment(41);
  INFO("LARDER_SEED=" << seed);
  std::mt19937_64 random(seed);
  const std::vector<Field> fields = {FieldOf("p", TypeId::kBool), FieldOf("q", TypeId::kBool),
                                     FieldOf("s", TypeId::kString)};
  for (int program_index = 0; program_index < 60; ++program_index) {
    const std::string expression = larder::Concat("length(", RandomText(&random, 4), ")");
    const Program program = Compiled(expression, fields);
    std::vector<bool> p;
    std::vector<bool> q;
    std::vector<std::string> s;
    for (std::size_t chunk = 0; chunk < 3; ++chunk) {
      // Never, always, or here and there; the two together, apart, or as it comes.
      const uint64_t often = random() % 3;
      const uint64_t together = random() % 3;
      const std::size_t size = chunk == 0 ? 2000 : random() % 4;
      for (std::size_t i = 0; i < kChunk; ++i) {
        p.push_back(often == 2 ? random() % 2 == 0 : often == 1);
        q.push_back(together == 0 ? p.back() : together == 1 ? !p.back() : random() % 2 == 0);
        s.emplace_back(size, random() % 2 == 0 ? 'Z' : 'z');
      }
    }
    const Column columns[] = {BoolColumn(p), BoolColumn(q), TextColumn(s)};
    std::vector<const Column*> inputs;
    std::vector<std::size_t> used;
    for (const Field& field : program.inputs()) {
      used.push_back(field.name == "p" ? 0 : field.name == "q" ? 1 : 2);
      inputs.push_back(&columns[used.back()]);
    }
    larder::EvalCounts counts;
    const auto batch = program.EvaluateBatch(inputs, s.size(), {&kNow, 1}, &counts);
    INFO(expression);
    REQUIRE(batch.ok());
    larder::RowEvaluator row(program);
    for (std::size_t i = 0; i < s.size(); ++i) {
      const Datum all[] = {Datum::Bool(p[i]), Datum::Bool(q[i]), Datum::Text(s[i])};
      std::vector<Datum> data;
      for (const std::size_t k : used) data.push_back(all[k]);
      Datum out;
      row.Evaluate(data, kNow, {&out, 1});
      const Value expected = larder::ValueOf(out, program.outputs()[0].type);
      if ((*batch)[0].ValueAt(i) != expected) REQUIRE((*batch)[0].ValueAt(i) == expected);
    }
    CHECK(row.counts() == counts);
  }
}

// Five texts of a megabyte for each row: 64 rows of them are more than an arena may hold.
TEST_CASE("large texts make chunks short instead of memory large", "[transform]") {
  const std::string letters(64, 'a');
  const std::string large = larder::Concat("replace(replace('", letters, "', 'a', '", letters,
                                           "'), 'a', '", std::string(250, 'b'), "')");
  const Program program =
      Compiled(larder::Concat("length(concat(concat(concat(concat(s || ", large, ")))) || s)"),
               {FieldOf("s", TypeId::kString)});
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 130; ++i) {
    // Row 70 is too long at once, which concat leaves out; row 100 is with the last s.
    texts.emplace_back(i == 70 ? 30'000 : i == 100 ? 13'000 : i, 'c');
  }
  const Column column = TextColumn(texts);
  const Column* input = &column;
  larder::EvalCounts counts;
  TakeLargestAllocation();
  const auto batch = program.EvaluateBatch({&input, 1}, texts.size(), {&kNow, 1}, &counts);
  CHECK(TakeLargestAllocation() <= std::size_t{128} << 20U);
  REQUIRE(batch.ok());
  larder::RowEvaluator row(program);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Datum in = Datum::Text(texts[i]);
    Datum out;
    row.Evaluate({&in, 1}, kNow, {&out, 1});
    const Value expected = larder::ValueOf(out, TypeId::kInt64);
    INFO(i);
    CHECK(expected.is_null() == (i == 100));
    CHECK((*batch)[0].ValueAt(i) == expected);
  }
  CHECK(counts.overflow == 2);
  CHECK(row.counts() == counts);
}

TEST_CASE("a row whose texts fit in no arena is refused by name, not by an exception",
          "[transform]") {
  larder::CompileOptions options;
  options.limits.result_bytes = std::size_t{1} << 28U;
  const larder::NamedExpression named = {"huge", "length((s || s) || s)"};
  const auto program =
      Program::Compile({&named, 1}, std::vector{FieldOf("s", TypeId::kString)}, options);
  REQUIRE(program.ok());
  const Column column = TextColumn({"a", std::string(std::size_t{40} << 20U, 'b'), "c"});
  const Column* input = &column;
  const auto batch = program->EvaluateBatch({&input, 1}, 3, {&kNow, 1});
  CHECK(batch.status().code() == absl::StatusCode::kResourceExhausted);
  CHECK(batch.status().message() ==
        "row 1: the texts that huge makes of one row take more than 128 MiB together");
}

TEST_CASE("an input that is passed on keeps its bits in every driver", "[transform]") {
  const std::vector<uint32_t> patterns = {0x7F800001, 0xFF800001, 0x7FA00000, 0x7FBFFFFF,
                                          0xFFBFFFFF, 0x7FC00000, 0xFFC12345, 0x7FFFFFFF,
                                          0x7F800000, 0xFF800000, 0x80000000, 1,
                                          0x807FFFFF, 0x3FC00000, 0x7F7FFFFF};
  const std::vector<Field> fields = {FieldOf("x", TypeId::kFloat32), FieldOf("y", TypeId::kFloat64)};
  const larder::NamedExpression named[] = {
      {"x_whole", "x"}, {"y_whole", "y"}, {"x_sum", "x + 1"}, {"x_chosen", "coalesce(x, 0)"}};
  const auto program = Program::Compile(named, fields);
  REQUIRE(program.ok());
  Column x(TypeId::kFloat32);
  Column y(TypeId::kFloat64);
  std::vector<std::vector<Datum>> rows;
  for (const uint32_t pattern : patterns) {
    const uint64_t wide = static_cast<uint64_t>(pattern) << 32U | 1U;
    x.AppendFixed(std::bit_cast<float>(pattern));
    y.AppendFixed(std::bit_cast<double>(wide));
    rows.push_back({Datum::Float32(std::bit_cast<float>(pattern)),
                    Datum::Float64(std::bit_cast<double>(wide))});
  }
  const Column* inputs[] = {&x, &y};
  const auto batch = program->EvaluateBatch(inputs, rows.size(), {&kNow, 1});
  REQUIRE(batch.ok());
  larder::RowEvaluator row(*program);
  larder::ChunkEvaluator chunk(*program, rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t k = 0; k < 2; ++k) chunk.SetInput(k, i, rows[i][k]);
  }
  chunk.Evaluate(rows.size(), kNow);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    INFO(std::hex << patterns[i]);
    Datum out[4];
    row.Evaluate(rows[i], kNow, out);
    CHECK(std::bit_cast<uint32_t>((*batch)[0].Values<float>()[i]) == patterns[i]);
    CHECK(std::bit_cast<uint32_t>(out[0].f32) == patterns[i]);
    CHECK(std::bit_cast<uint32_t>(chunk.Output(0, i).f32) == patterns[i]);
    CHECK(std::bit_cast<uint64_t>(chunk.Output(1, i).f64) ==
          std::bit_cast<uint64_t>(rows[i][1].f64));
    CHECK(std::bit_cast<uint64_t>(out[1].f64) == std::bit_cast<uint64_t>(rows[i][1].f64));
    for (std::size_t k = 2; k < 4; ++k) {
      const larder::DataType type = program->outputs()[k].type;
      const Value expected = (*batch)[k].ValueAt(i);
      CHECK(larder::ValueOf(out[k], type) == expected);
      CHECK(larder::ValueOf(chunk.Output(k, i), type) == expected);
    }
  }
}

}  // namespace
}  // namespace larder_test
