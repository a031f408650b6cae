// libFuzzer: any bytes through lexer, parser, type checker, compiler and both drivers. Build with
// `-fsanitize=fuzzer,address,undefined`; run `expression_fuzz expression_corpus`.
#include <cstdlib>
#include <limits>
#include <string>
#include <vector>

#include "larder/column/column.h"
#include "larder/transform/checker.h"
#include "larder/transform/program.h"

namespace {

using larder::Column;
using larder::DataType;
using larder::Datum;
using larder::Field;
using larder::TypeId;
using larder::Value;

struct Input {
  std::string name;
  DataType type;
  std::vector<Value> values;
};

const std::vector<Input>& Inputs() {
  static const auto* const kInputs = new std::vector<Input>{
      {"b", TypeId::kBool, {Value(true), Value(), Value(false)}},
      {"i",
       TypeId::kInt64,
       {Value(std::numeric_limits<int64_t>::min()), Value(), Value(int64_t{-1})}},
      {"n", TypeId::kInt32, {Value(int32_t{7}), Value(), Value(int32_t{0})}},
      {"u",
       TypeId::kUint64,
       {Value(std::numeric_limits<uint64_t>::max()), Value(), Value(uint64_t{3})}},
      {"f",
       TypeId::kFloat64,
       {Value(std::numeric_limits<double>::quiet_NaN()), Value(), Value(-0.0)}},
      {"g", TypeId::kFloat32, {Value(1.5F), Value(), Value(-std::numeric_limits<float>::infinity())}},
      {"s", TypeId::kString, {Value("  Späte A1,b "), Value(), Value("")}},
      {"d",
       TypeId::kDate,
       {Value(larder::Date{std::numeric_limits<int32_t>::max()}), Value(), Value(larder::Date{-1})}},
      {"t",
       TypeId::kTimestamp,
       {Value(larder::Timestamp::Min()), Value(), Value(larder::Timestamp{1741532645250000})}},
      {"p",
       TypeId::kDuration,
       {Value(larder::Duration{std::numeric_limits<int64_t>::max()}), Value(),
        Value(larder::Duration{-5})}},
      {"v",
       DataType::Vector(TypeId::kFloat32, 2),
       {Value(std::vector<float>{0, 0}), Value(), Value(std::vector<float>{3, 4})}},
      {"l",
       DataType::List(TypeId::kInt64),
       {Value(larder::ListValue{TypeId::kInt64, {Value(int64_t{1}), Value()}}), Value(),
        Value(larder::ListValue{TypeId::kInt64, {}})}},
      {"w",
       DataType::List(TypeId::kString),
       {Value(larder::ListValue{TypeId::kString, {Value("a"), Value("")}}), Value(),
        Value(larder::ListValue{TypeId::kString, {}})}},
  };
  return *kInputs;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  std::vector<Field> fields;
  for (const Input& input : Inputs()) {
    Field field;
    field.name = input.name;
    field.type = input.type;
    fields.push_back(field);
  }
  const auto checked = larder::TransformChecker().Check(text, fields);
  const larder::NamedExpression expression = {"", text};
  const auto program = larder::Program::Compile({&expression, 1}, fields);
  if (checked.ok() != program.ok()) std::abort();
  if (!program.ok()) return 0;
  if (checked->type != program->outputs()[0].type) std::abort();

  constexpr std::size_t kRows = 3;
  std::vector<Column> columns;
  for (const Field& field : program->inputs()) {
    columns.emplace_back(field.type);
    for (const Input& input : Inputs()) {
      if (input.name != field.name) continue;
      for (const Value& value : input.values) {
        if (!columns.back().Append(value).ok()) std::abort();
      }
    }
  }
  std::vector<const Column*> inputs;
  for (const Column& column : columns) inputs.push_back(&column);
  const larder::Timestamp as_of = {1741532645250000};
  larder::EvalCounts counts;
  const auto batch = program->EvaluateBatch(inputs, kRows, {&as_of, 1}, &counts);
  if (!batch.ok()) std::abort();

  larder::RowEvaluator evaluator(*program);
  for (std::size_t row = 0; row < kRows; ++row) {
    std::vector<Value> values;
    std::vector<Datum> arguments;
    values.reserve(columns.size());
    for (const Column& column : columns) {
      if (column.type().id() == TypeId::kList && column.IsValid(row)) {
        const Column& child = *column.child();
        arguments.push_back(Datum::List(
            {child.data().data(), child.type().is_text() ? child.offsets().data() : nullptr,
             child.validity().words(), static_cast<std::size_t>(column.offsets()[row]),
             static_cast<std::size_t>(column.offsets()[row + 1] - column.offsets()[row])}));
        continue;
      }
      values.push_back(column.ValueAt(row));
      arguments.push_back(larder::DatumOf(values.back()));
    }
    Datum out;
    evaluator.Evaluate(arguments, as_of, {&out, 1});
    if (!(larder::ValueOf(out, program->outputs()[0].type) == (*batch)[0].ValueAt(row)))
      std::abort();
  }
  if (!(evaluator.counts() == counts)) std::abort();
  return 0;
}
