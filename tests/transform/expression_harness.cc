#include "transform/expression_harness.h"

#include <limits>

#include "larder/base/text.h"
#include "larder/column/column.h"

namespace larder_test {

using larder::Column;
using larder::Concat;
using larder::DataType;
using larder::Datum;
using larder::Field;
using larder::Row;
using larder::TypeId;
using larder::Value;

namespace {

struct Cell {
  std::string name;
  DataType type;
  Value value;
};

const std::vector<Cell>& Cells() {
  static const auto* const kCells = new std::vector<Cell>{
      {"yes", TypeId::kBool, Value(true)},
      {"no", TypeId::kBool, Value(false)},
      {"i32", TypeId::kInt32, Value(int32_t{7})},
      {"i64", TypeId::kInt64, Value(int64_t{-42})},
      {"zero", TypeId::kInt64, Value(int64_t{0})},
      {"max64", TypeId::kInt64, Value(std::numeric_limits<int64_t>::max())},
      {"min64", TypeId::kInt64, Value(std::numeric_limits<int64_t>::min())},
      {"u64", TypeId::kUint64, Value(uint64_t{18446744073709551615ULL})},
      {"f32", TypeId::kFloat32, Value(1.5F)},
      {"f64", TypeId::kFloat64, Value(2.5)},
      {"neg", TypeId::kFloat64, Value(-2.5)},
      {"nan", TypeId::kFloat64, Value(std::numeric_limits<double>::quiet_NaN())},
      {"inf", TypeId::kFloat64, Value(std::numeric_limits<double>::infinity())},
      {"nzero", TypeId::kFloat64, Value(-0.0)},
      {"s", TypeId::kString, Value("  Late ")},
      {"word", TypeId::kString, Value("straße")},
      {"empty", TypeId::kString, Value("")},
      {"blob", TypeId::kBytes, Value(larder::Bytes{"ab"})},
      {"birth", TypeId::kDate, Value(larder::Date{11016})},  // 2000-02-29
      {"day", TypeId::kDate, Value(larder::Date{20156})},    // 2025-03-09
      {"ts", TypeId::kTimestamp, Value(larder::Timestamp{1741532645250000})},
      {"dur", TypeId::kDuration, Value(larder::Duration::Minutes(90))},
      {"v", DataType::Vector(TypeId::kFloat32, 3), Value(std::vector<float>{3.0F, 0.0F, 4.0F})},
      {"w", DataType::Vector(TypeId::kFloat32, 3), Value(std::vector<float>{1.0F, 2.0F, 2.0F})},
      {"v8", DataType::Vector(TypeId::kInt8, 2), Value(std::vector<int8_t>{-3, 4})},
      {"nums", DataType::List(TypeId::kInt64),
       Value(larder::ListValue{TypeId::kInt64, {Value(int64_t{5}), Value(), Value(int64_t{9})}})},
      {"tags", DataType::List(TypeId::kString),
       Value(larder::ListValue{TypeId::kString, {Value("red"), Value("blue")}})},
      {"bigs", DataType::List(TypeId::kUint64),
       Value(larder::ListValue{
           TypeId::kUint64,
           {Value(uint64_t{18446744073709551615ULL}), Value(), Value(uint64_t{3})}})},
      {"days", DataType::List(TypeId::kDate),
       Value(larder::ListValue{TypeId::kDate,
                               {Value(larder::Date{20156}), Value(larder::Date{11016})}})},
      {"none", DataType::List(TypeId::kFloat64), Value(larder::ListValue{TypeId::kFloat64, {}})},
      {"null_b", TypeId::kBool, Value()},
      {"null_i", TypeId::kInt64, Value()},
      {"null_f", TypeId::kFloat64, Value()},
      {"null_s", TypeId::kString, Value()},
      {"null_d", TypeId::kDate, Value()},
      {"null_v", DataType::Vector(TypeId::kFloat32, 3), Value()},
      {"request.x", TypeId::kFloat64, Value(8.0)},
  };
  return *kCells;
}

}  // namespace

const std::vector<Field>& SampleFields() {
  static const auto* const kFields = [] {
    auto* fields = new std::vector<Field>;
    for (const Cell& cell : Cells()) {
      Field field;
      field.name = cell.name;
      field.type = cell.type;
      fields->push_back(field);
    }
    return fields;
  }();
  return *kFields;
}

const Row& SampleRow() {
  static const auto* const kRow = [] {
    auto* row = new Row;
    for (const Cell& cell : Cells()) row->emplace_back(cell.name, cell.value);
    return row;
  }();
  return *kRow;
}

Outcome Evaluate(std::string_view expression, const larder::CompileOptions& options) {
  Outcome outcome;
  const larder::NamedExpression named = {"", std::string(expression)};
  const absl::StatusOr<larder::Program> program =
      larder::Program::Compile({&named, 1}, SampleFields(), options);
  if (!program.ok()) {
    outcome.text = Concat("error: ", larder::MessageOf(program.status()));
    return outcome;
  }
  const DataType type = program->outputs()[0].type;
  outcome.type = type.ToString();
  const absl::StatusOr<std::vector<Value>> values =
      larder::EvaluateRow(*program, SampleRow(), kAsOf, &outcome.counts);
  if (!values.ok()) {
    outcome.text = Concat("error: ", larder::MessageOf(values.status()));
    return outcome;
  }
  outcome.text = larder::FormatValue((*values)[0]);

  for (const std::size_t rows : {std::size_t{1}, std::size_t{63}, std::size_t{130}}) {
    std::vector<Column> columns;
    for (const Field& field : program->inputs()) {
      columns.emplace_back(field.type);
      for (const auto& [name, value] : SampleRow()) {
        if (name != field.name) continue;
        for (std::size_t i = 0; i < rows; ++i) {
          if (!columns.back().Append(value).ok()) outcome.text = "error: append";
        }
      }
    }
    std::vector<const Column*> inputs;
    for (const Column& column : columns) inputs.push_back(&column);
    larder::EvalCounts counts;
    const auto batch = program->EvaluateBatch(inputs, rows, {&kAsOf, 1}, &counts);
    if (!batch.ok()) {
      outcome.text = Concat("error: ", larder::MessageOf(batch.status()));
      return outcome;
    }
    for (std::size_t i = 0; i < rows; ++i) {
      if (!((*batch)[0].ValueAt(i) == (*values)[0])) {
        outcome.text += Concat(" but row ", i, " of ", rows, " is ",
                               larder::FormatValue((*batch)[0].ValueAt(i)));
        return outcome;
      }
    }
    if (counts.total() != outcome.counts.total() * static_cast<int64_t>(rows))
      outcome.text += " but counts differ";
    if (rows != 1) continue;

    // The row driver reads lists as the batch driver lays them out.
    std::vector<Datum> data;
    for (const Column& column : columns) {
      if (column.type().id() == TypeId::kList && column.IsValid(0)) {
        const Column& child = *column.child();
        data.push_back(Datum::List(
            {child.data().data(), child.type().is_text() ? child.offsets().data() : nullptr,
             child.validity().words(), static_cast<std::size_t>(column.offsets()[0]),
             static_cast<std::size_t>(column.offsets()[1] - column.offsets()[0])}));
        continue;
      }
      for (const auto& [name, value] : SampleRow()) {
        if (name == program->inputs()[data.size()].name) {
          data.push_back(larder::DatumOf(value));
          break;
        }
      }
    }
    larder::RowEvaluator evaluator(*program);
    std::vector<Datum> out(1);
    evaluator.Evaluate(data, kAsOf, out);
    const Value row_value = larder::ValueOf(out[0], type);
    if (!(row_value == (*values)[0]))
      outcome.text += Concat(" but the row driver says ", larder::FormatValue(row_value));
    if (!(evaluator.counts() == outcome.counts))
      outcome.text += " but the row driver counts otherwise";
  }
  return outcome;
}

}  // namespace larder_test
