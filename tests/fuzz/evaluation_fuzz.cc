// Bytes choose a well-typed expression and rows: row driver, batch driver and the naive walk give the same bits. Where
// expression_fuzz spends most of its time in errors, this one always evaluates.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "larder/transform/program.h"
#include "transform/random_program.h"

namespace {

using larder_test::Kind;
using larder_test::Maybe;
using larder_test::RandomPrograms;

// The bytes two at a time; after them numbers that go on differing, so that every choice ends.
class Choices {
 public:
  Choices(const uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  uint64_t operator()() {
    if (at_ + 2 <= size_) {
      const uint64_t choice =
          static_cast<uint64_t>(data_[at_]) | static_cast<uint64_t>(data_[at_ + 1]) << 8U;
      at_ += 2;
      return choice;
    }
    return after_ += 0x9E3779B97F4A7C15U;
  }

 private:
  const uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
  uint64_t after_ = 0;
};

bool IsNan(const larder::Value& value) {
  const double* x = value.As<double>();
  return x != nullptr && std::isnan(*x);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  RandomPrograms random{Choices(data, size)};
  const Kind kind = random.AnyKind();
  const std::unique_ptr<larder_test::Tree> tree = random.MakeTree(kind, 5);
  const larder::NamedExpression expression = {"e", larder_test::Print(*tree)};
  larder::CompileOptions options;
  options.limits.text_bytes = 1 << 20;
  options.limits.nodes = 1 << 16;
  const auto program = larder::Program::Compile({&expression, 1}, RandomPrograms::Fields(), options);
  if (!program.ok()) std::abort();

  // Mostly more rows than one word of bits has, now and then more than a chunk.
  const std::size_t row_count = random.Below(16) == 0 ? 600 : 70;
  constexpr larder::Timestamp kNow = {1741532645250000};
  std::vector<std::vector<Maybe>> rows;
  for (std::size_t i = 0; i < row_count; ++i) rows.push_back(random.MakeRow());
  std::vector<larder::Column> columns;
  std::vector<std::size_t> fields;
  for (const larder::Field& field : program->inputs()) {
    columns.emplace_back(field.type);
    std::size_t index = 0;
    while (RandomPrograms::Fields()[index].name != field.name) ++index;
    fields.push_back(index);
    for (const std::vector<Maybe>& row : rows) {
      const larder::Value value = larder_test::ToValue(row[index], static_cast<Kind>(index / 2));
      if (!columns.back().Append(value).ok()) std::abort();
    }
  }
  std::vector<const larder::Column*> inputs;
  for (const larder::Column& column : columns) inputs.push_back(&column);
  larder::EvalCounts counts;
  const auto batch = program->EvaluateBatch(inputs, row_count, {&kNow, 1}, &counts);
  if (!batch.ok()) std::abort();

  larder::RowEvaluator evaluator(*program);
  for (std::size_t i = 0; i < row_count; ++i) {
    std::vector<larder::Value> values;
    std::vector<larder::Datum> arguments;
    values.reserve(columns.size());
    for (const larder::Column& column : columns) {
      values.push_back(column.ValueAt(i));
      arguments.push_back(larder::DatumOf(values.back()));
    }
    larder::Datum out;
    evaluator.Evaluate(arguments, kNow, {&out, 1});
    const larder::Value row = larder::ValueOf(out, program->outputs()[0].type);
    const larder::Value naive = larder_test::ToValue(larder_test::Walk(*tree, rows[i]), tree->kind);
    // The naive walk keeps whichever NaN its compiler chose.
    if (!(row == naive) && !(IsNan(row) && IsNan(naive))) std::abort();
    if (!(row == (*batch)[0].ValueAt(i))) std::abort();
  }
  if (!(evaluator.counts() == counts)) std::abort();
  return 0;
}
