#include "cli/training_parts.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "cli/arguments.h"
#include "larder/base/text.h"
#include "larder/base/time.h"
#include "larder/io/rows_writer.h"
#include "larder/training/split.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

using Shares = std::vector<std::pair<std::string, double>>;

absl::StatusOr<double> ParseShare(std::string_view text, std::string_view option) {
  const absl::StatusOr<Value> value = ParseValue(text, TypeId::kFloat64);
  if (!value.ok() || !(*value->As<double>() > 0 && *value->As<double>() <= 1)) {
    return UsageError(option, ": expected a share above 0 and at most 1, found ", Quoted(text));
  }
  return *value->As<double>();
}

absl::StatusOr<Shares> ParseShares(const std::vector<std::string>& texts) {
  if (texts.empty()) return Shares{{"train", 0.8}, {"test", 0.2}};
  Shares shares;
  for (const std::string& text : texts) {
    LARDER_ASSIGN_OR_RETURN(const auto pair, SplitAssignment(text, "--part"));
    if (!IsValidName(pair.first))
      return UsageError("--part: ", Quoted(pair.first), " cannot name a part");
    LARDER_ASSIGN_OR_RETURN(const double share, ParseShare(pair.second, "--part"));
    shares.emplace_back(pair.first, share);
  }
  return shares;
}

absl::StatusOr<std::vector<Timestamp>> ParseInstants(const std::vector<std::string>& texts) {
  std::vector<Timestamp> instants;
  for (const std::string& text : texts) {
    LARDER_ASSIGN_OR_RETURN(const std::optional<Timestamp> instant,
                            ParseInstant(text, "--split-at"));
    if (instant) instants.push_back(*instant);
  }
  return instants;
}

absl::StatusOr<Duration> ParseEmbargo(const std::string& text) {
  if (text.empty()) return Duration{};
  const absl::StatusOr<Duration> embargo = ParseDuration(text);
  if (!embargo.ok()) return UsageError("--embargo: ", MessageOf(embargo.status()));
  return *embargo;
}

std::vector<std::size_t> AllRows(std::size_t count) {
  std::vector<std::size_t> rows(count);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

// Rows where the expression, over the set's columns, is true.
absl::StatusOr<std::vector<std::size_t>> RowsWhere(const std::string& expression, const Batch& rows,
                                                   const Console& console) {
  CompileOptions options;
  options.functions = console.functions;
  const NamedExpression expressions[] = {{"--where", expression}};
  const std::vector<Field> fields = FieldsOf(rows);
  LARDER_ASSIGN_OR_RETURN(const Program program, Program::Compile(expressions, fields, options));
  if (program.outputs()[0].type.id() != TypeId::kBool) {
    return InvalidArgumentError("--where is of type ", program.outputs()[0].type.ToString(),
                                ", expected bool");
  }
  if (program.uses_clock())
    return InvalidArgumentError("--where must not depend on the time it is run");
  std::vector<const Column*> inputs;
  for (const Field& field : program.inputs()) inputs.push_back(rows.Find(field.name));
  LARDER_ASSIGN_OR_RETURN(const std::vector<Column> columns,
                          program.EvaluateBatch(inputs, rows.row_count(), {}));
  std::vector<std::size_t> kept;
  for (std::size_t row = 0; row < rows.row_count(); ++row) {
    if (columns[0].IsValid(row) && columns[0].Values<uint8_t>()[row] != 0) kept.push_back(row);
  }
  return kept;
}

absl::StatusOr<const Column*> ColumnNamed(const Batch& rows, const std::string& name,
                                          std::string_view option) {
  if (const Column* column = rows.Find(name)) return column;
  return InvalidArgumentError(option, ": unknown column: ", name, DidYouMean(name, rows.names()));
}

absl::StatusOr<Batch> TakeColumns(const Batch& rows, const std::vector<std::string>& names) {
  if (names.empty()) return rows;
  Batch taken;
  for (const std::string& name : names) {
    LARDER_ASSIGN_OR_RETURN(const Column* column, ColumnNamed(rows, name, "--column"));
    LARDER_RETURN_IF_ERROR(taken.AddColumn(name, *column));
  }
  return taken;
}

absl::StatusOr<std::vector<RowSplit>> Split(const SelectionArguments& arguments, const Batch& rows,
                                            const std::string& time_column) {
  if (!arguments.split_at.empty()) {
    LARDER_ASSIGN_OR_RETURN(const auto instants, ParseInstants(arguments.split_at));
    LARDER_ASSIGN_OR_RETURN(const Duration embargo, ParseEmbargo(arguments.embargo));
    LARDER_ASSIGN_OR_RETURN(const Column* times, ColumnNamed(rows, time_column, "--split-at"));
    return SplitByTime(*times, instants, embargo);
  }
  if (!arguments.split_by.empty()) {
    LARDER_ASSIGN_OR_RETURN(const Shares shares, ParseShares(arguments.parts));
    std::vector<const Column*> keys;
    for (const std::string& name : arguments.split_by) {
      LARDER_ASSIGN_OR_RETURN(const Column* key, ColumnNamed(rows, name, "--split-by"));
      keys.push_back(key);
    }
    return SplitByEntity(keys, shares, arguments.seed);
  }
  return std::vector<RowSplit>{{"", AllRows(rows.row_count())}};
}

}  // namespace

absl::Status CheckSelection(const SelectionArguments& arguments) {
  if (!arguments.sample.empty()) LARDER_RETURN_IF_ERROR(ParseShare(arguments.sample, "--sample"));
  LARDER_ASSIGN_OR_RETURN(const auto instants, ParseInstants(arguments.split_at));
  LARDER_ASSIGN_OR_RETURN(const Duration embargo, ParseEmbargo(arguments.embargo));
  LARDER_ASSIGN_OR_RETURN(const Shares shares, ParseShares(arguments.parts));
  if (!arguments.split_at.empty() && !arguments.split_by.empty())
    return UsageError("give either --split-at or --split-by");
  if (arguments.part_rows > 0 && !(arguments.split_at.empty() && arguments.split_by.empty()))
    return UsageError("give either --part-rows or a split");
  if (!arguments.embargo.empty() && arguments.split_at.empty())
    return UsageError("--embargo goes with --split-at");
  if (!arguments.parts.empty() && arguments.split_by.empty())
    return UsageError("--part goes with --split-by");
  // Tried on no rows, so that what the split itself refuses is said before the join too.
  const Column none(TypeId::kTimestamp);
  const Column* const keys[] = {&none};
  absl::Status status;
  if (!instants.empty()) status = SplitByTime(none, instants, embargo).status();
  if (!arguments.split_by.empty()) status = SplitByEntity(keys, shares).status();
  if (!status.ok()) return UsageError(MessageOf(status));
  return absl::OkStatus();
}

std::vector<std::string> PartNames(const SelectionArguments& arguments) {
  if (arguments.split_at.size() == 1) return {"train", "test"};
  if (arguments.split_at.size() == 2) return {"train", "validation", "test"};
  if (arguments.split_by.empty()) return {""};
  std::vector<std::string> names;
  const absl::StatusOr<Shares> shares = ParseShares(arguments.parts);
  if (!shares.ok()) return names;
  for (const auto& [name, share] : *shares) names.push_back(name);
  return names;
}

absl::StatusOr<std::vector<TrainingPart>> SelectParts(const SelectionArguments& arguments,
                                                      const Batch& piece,
                                                      const std::string& time_column,
                                                      const Console& console, int64_t* kept) {
  Batch rows = piece;
  if (!arguments.where.empty()) {
    LARDER_ASSIGN_OR_RETURN(const auto chosen, RowsWhere(arguments.where, rows, console));
    rows = TakeRows(rows, chosen);
  }
  const auto first = static_cast<uint64_t>(*kept);
  *kept += static_cast<int64_t>(rows.row_count());
  if (!arguments.sample.empty()) {
    LARDER_ASSIGN_OR_RETURN(const double share, ParseShare(arguments.sample, "--sample"));
    LARDER_ASSIGN_OR_RETURN(const auto chosen,
                            SampleRows(rows.row_count(), share, arguments.seed, first));
    rows = TakeRows(rows, chosen);
  }
  LARDER_ASSIGN_OR_RETURN(const std::vector<RowSplit> splits, Split(arguments, rows, time_column));
  LARDER_ASSIGN_OR_RETURN(const Batch columns, TakeColumns(rows, arguments.columns));
  std::vector<TrainingPart> parts;
  for (const RowSplit& split : splits) parts.push_back({split.name, TakeRows(columns, split.rows)});
  return parts;
}

std::optional<DatasetManifest::Selection> DescribeSelection(const SelectionArguments& arguments,
                                                            const std::string& part) {
  const bool everything = arguments.where.empty() && arguments.sample.empty() &&
                          arguments.columns.empty() && part.empty();
  if (everything) return std::nullopt;
  DatasetManifest::Selection selection;
  selection.where = arguments.where;
  selection.sample = arguments.sample;
  selection.columns = arguments.columns;
  if (!arguments.split_at.empty()) {
    selection.split = Concat("at ", Join(arguments.split_at, " "));
    if (!arguments.embargo.empty()) selection.split += Concat(" embargo ", arguments.embargo);
  } else if (!arguments.split_by.empty()) {
    selection.split = Concat("by ", Join(arguments.split_by, " "));
    if (!arguments.parts.empty()) selection.split += Concat(" ", Join(arguments.parts, " "));
  } else if (arguments.part_rows > 0) {
    selection.split = Concat("every ", arguments.part_rows, " rows");
  }
  selection.part = part;
  selection.seed = arguments.seed;
  return selection;
}

std::string NumberedPart(std::size_t number) {
  const std::string digits = Concat(number + 1);
  return std::string(digits.size() < 5 ? 5 - digits.size() : 0, '0') + digits;
}

std::string PartPath(const std::string& file, std::string_view part) {
  if (part.empty()) return file;
  const std::size_t name = file.rfind('/') == std::string::npos ? 0 : file.rfind('/') + 1;
  std::size_t end = file.ends_with(".gz") ? file.size() - 3 : file.size();
  const std::size_t dot = file.rfind('.', end - 1);
  if (dot != std::string::npos && dot > name) end = dot;
  return Concat(file.substr(0, end), ".", part, file.substr(end));
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
