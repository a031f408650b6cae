#include "cli/bench_requests.h"

#include <algorithm>
#include <utility>

#include "cli/console.h"
#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

using Kind = InputColumn::Kind;

Kind KindOf(TypeId type) {
  switch (type) {
    case TypeId::kUint64:
      return Kind::kUnsigned;
    case TypeId::kFloat32:
    case TypeId::kFloat64:
      return Kind::kDouble;
    case TypeId::kString:
    case TypeId::kBytes:
      return Kind::kText;
    default:
      return Kind::kInteger;
  }
}

int64_t IntegerAt(const Column& column, std::size_t row) {
  switch (column.type().id()) {
    case TypeId::kBool:
      return column.Values<uint8_t>()[row];
    case TypeId::kInt32:
    case TypeId::kDate:
      return column.Values<int32_t>()[row];
    case TypeId::kUint64:
      return static_cast<int64_t>(column.Values<uint64_t>()[row]);
    default:
      return column.Values<int64_t>()[row];
  }
}

double NumberAt(const Column& column, std::size_t row) {
  if (column.type().id() == TypeId::kFloat32)
    return static_cast<double>(column.Values<float>()[row]);
  return column.Values<double>()[row];
}

// The same value for all rows.
absl::StatusOr<Column> Given(const Field& field, const Row& request, std::size_t rows) {
  for (const auto& [name, value] : request) {
    if (name != field.name) continue;
    const absl::StatusOr<Value> converted = ConvertValue(value, field.type, /*from_text=*/true);
    if (!converted.ok())
      return AsUsageError(Annotate(converted.status(), Concat("--request ", name)));
    Column column(field.type);
    for (std::size_t row = 0; row < rows; ++row) LARDER_RETURN_IF_ERROR(column.Append(*converted));
    return column;
  }
  return UsageError("the service takes the request field ", field.name,
                    ": give it a value with --request ", field.name, "=VALUE");
}

}  // namespace

absl::Status RequestTable::AddColumn(const Field& field, const Column& column, RequestTable* table) {
  Input input;
  input.name = field.name;
  input.kind = KindOf(field.type.id());
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (!column.IsValid(row))
      return InvalidArgumentError("--request ", field.name, ": a value is needed");
    input.values.push_back(column.ValueAt(row));
    switch (input.kind) {
      case Kind::kText:
        input.texts.emplace_back(column.Text(row));
        break;
      case Kind::kDouble:
        input.doubles.push_back(NumberAt(column, row));
        break;
      default:
        input.integers.push_back(IntegerAt(column, row));
    }
  }
  table->inputs_.push_back(std::move(input));
  return absl::OkStatus();
}

absl::StatusOr<RequestTable> RequestTable::Make(const ServingPlan& plan, Batch keys,
                                                const Row& request) {
  std::vector<std::string> names;
  for (const Field& field : plan.inputs()) {
    if (keys.Find(field.name) == nullptr) names.push_back(field.name);
  }
  for (const auto& [name, value] : request) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return UsageError("--request: the service takes no request field ", name,
                        DidYouMean(name, names));
    }
  }
  RequestTable table;
  table.rows_ = std::max<std::size_t>(1, keys.row_count());
  for (const Field& field : plan.inputs()) {
    if (const Column* column = keys.Find(field.name); column != nullptr) {
      LARDER_RETURN_IF_ERROR(AddColumn(field, *column, &table));
    } else {
      LARDER_ASSIGN_OR_RETURN(const Column given, Given(field, request, table.rows_));
      LARDER_RETURN_IF_ERROR(AddColumn(field, given, &table));
    }
  }
  return table;
}

Row RequestTable::RowAt(std::size_t row) const {
  Row out;
  for (const Input& input : inputs_) out.emplace_back(input.name, input.values[row]);
  return out;
}

RequestColumns::RequestColumns(const RequestTable& table, std::size_t size)
    : table_(table), buffers_(table.inputs_.size()) {
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    Buffer& buffer = buffers_[i];
    switch (table.inputs_[i].kind) {
      case Kind::kInteger:
        buffer.integers.resize(size);
        columns_.push_back(InputColumn::Of(std::span<const int64_t>(buffer.integers)));
        break;
      case Kind::kUnsigned:
        buffer.unsigneds.resize(size);
        columns_.push_back(InputColumn::Of(std::span<const uint64_t>(buffer.unsigneds)));
        break;
      case Kind::kDouble:
        buffer.doubles.resize(size);
        columns_.push_back(InputColumn::Of(std::span<const double>(buffer.doubles)));
        break;
      case Kind::kText:
        buffer.texts.resize(size);
        columns_.push_back(InputColumn::Of(std::span<const std::string_view>(buffer.texts)));
        break;
    }
  }
}

void RequestColumns::Take(std::span<const std::size_t> rows) {
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    const RequestTable::Input& input = table_.inputs_[i];
    Buffer& buffer = buffers_[i];
    for (std::size_t r = 0; r < rows.size(); ++r) {
      switch (input.kind) {
        case Kind::kInteger:
          buffer.integers[r] = input.integers[rows[r]];
          break;
        case Kind::kUnsigned:
          buffer.unsigneds[r] = static_cast<uint64_t>(input.integers[rows[r]]);
          break;
        case Kind::kDouble:
          buffer.doubles[r] = input.doubles[rows[r]];
          break;
        case Kind::kText:
          buffer.texts[r] = input.texts[rows[r]];
          break;
      }
    }
  }
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
