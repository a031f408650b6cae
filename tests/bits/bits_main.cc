// Prints one hash of what random programs give over random rows, row by row and in a batch. Whatever compiler, level of
// optimisation and C library built it and runs it, the line is that of expected.txt: `larder_bits PROGRAMS SEED`.
#include <cfenv>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <string>

#include "larder/base/hash.h"
#include "larder/base/text.h"
#include "larder/transform/program.h"
#include "transform/random_program.h"

int main(int argc, char** argv) {
  using larder_test::Kind;
  // A program linked with -Ofast starts with subnormal numbers flushed to zero; larder refuses to serve like that.
  if (std::fesetenv(FE_DFL_ENV) != 0) return 1;
  const std::size_t programs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000;
  larder_test::RandomPrograms random(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1);
  constexpr larder::Timestamp kNow = {1741532645250000};
  static const char* const kElementary[] = {"exp(f1)",
                                            "ln(f1) + log2(f2)",
                                            "log10(f2) - expm1(f1)",
                                            "sin(f1) * cos(f2)",
                                            "pow(abs(f1), f2)",
                                            "atan2(f1, f2)",
                                            "tanh(f2) + sinh(f1) / cosh(f2)",
                                            "cbrt(f1) + log1p(f2)",
                                            "asin(f1) + acos(f2) * atan(f1)",
                                            "tan(f1) / sqrt(abs(f2))",
                                            "log_scale(f1) + zscore(f2, 0.1, 3.7)",
                                            "minmax(f1, -3.3, 1e300) * f2 + f1"};
  larder::Hash128 hash;
  std::size_t cases = 0;
  for (std::size_t p = 0; p < programs; ++p) {
    // One draw a statement: compilers order the arguments of a call as they like.
    const Kind kind = random.AnyKind();
    const int depth = 1 + static_cast<int>(random.Below(5));
    const std::vector<larder::NamedExpression> expressions = {
        {"a", larder_test::Print(*random.MakeTree(kind, depth))},
        {"b", kElementary[random.Below(std::size(kElementary))]}};
    larder::CompileOptions options;
    options.limits.text_bytes = 1 << 20;
    options.limits.nodes = 1 << 16;
    const auto program =
        larder::Program::Compile(expressions, larder_test::RandomPrograms::Fields(), options);
    if (!program.ok()) {
      std::fprintf(stderr, "%s\n", expressions[0].text.c_str());
      return 1;
    }
    larder::RowEvaluator evaluator(*program);
    const std::size_t rows = 10;
    std::vector<larder::Column> columns;
    for (const larder::Field& field : program->inputs()) columns.emplace_back(field.type);
    std::string bytes;
    for (std::size_t i = 0; i < rows; ++i) {
      const std::vector<larder_test::Maybe> row = random.MakeRow();
      std::vector<larder::Value> values;
      for (std::size_t k = 0; k < columns.size(); ++k) {
        for (std::size_t c = 0; c < row.size(); ++c) {
          if (larder_test::RandomPrograms::Fields()[c].name == program->inputs()[k].name) {
            values.push_back(larder_test::ToValue(row[c], static_cast<Kind>(c / 2)));
          }
        }
        if (!columns[k].Append(values.back()).ok()) return 1;
      }
      std::vector<larder::Datum> data;
      for (const larder::Value& value : values) data.push_back(larder::DatumOf(value));
      std::vector<larder::Datum> out(2);
      evaluator.Evaluate(data, kNow, out);
      for (std::size_t k = 0; k < 2; ++k) {
        larder::AppendCanonicalBytes(larder::ValueOf(out[k], program->outputs()[k].type), &bytes);
        ++cases;
      }
    }
    std::vector<const larder::Column*> inputs;
    for (const larder::Column& column : columns) inputs.push_back(&column);
    const auto batch = program->EvaluateBatch(inputs, rows, {&kNow, 1});
    if (!batch.ok()) return 1;
    for (std::size_t i = 0; i < rows; ++i) {
      for (const larder::Column& column : *batch)
        larder::AppendCanonicalBytes(column.ValueAt(i), &bytes);
    }
    bytes += larder::ToHex(hash);
    hash = larder::HashWide(bytes);
  }
  std::printf("%zu programs: %s over %zu values\n", programs, larder::ToHex(hash).c_str(), cases);
  return 0;
}
