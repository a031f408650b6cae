#include "aggregate/window_columns.h"

#include <memory>
#include <optional>

namespace larder::inline LARDER_ABI {
namespace aggregate {
namespace {

absl::Status Append(const AggregateResult& result, Column* column, int64_t* refused) {
  *refused += result.refused ? 1 : 0;
  if (const double* number = result.value.As<double>()) {
    column->AppendFixed(*number);
    return {};
  }
  return column->Append(result.value);
}

}  // namespace

absl::StatusOr<SpecParts> SplitSpecs(std::span<const AggregateSpec> specs) {
  SpecParts parts;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    LARDER_ASSIGN_OR_RETURN(const auto state, MakeAccumulator(specs[i]));
    SpecPart& part = state->algebra().subtractable ? parts.sliding : parts.others;
    part.specs.push_back(specs[i]);
    part.columns.push_back(i);
  }
  return parts;
}

absl::StatusOr<WindowResults> EmptyResults(std::size_t windows, std::span<const AggregateSpec> specs,
                                           std::size_t instants) {
  WindowResults results;
  for (std::size_t w = 0; w < windows; ++w) {
    for (const AggregateSpec& spec : specs) {
      LARDER_ASSIGN_OR_RETURN(const DataType type, AggregateResultType(spec));
      results.columns.emplace_back(type);
      results.columns.back().Reserve(instants);
      results.refused.push_back(0);
    }
  }
  return results;
}

absl::Status AppendResults(const AccumulatorSet& sums, const SpecPart& part,
                           std::size_t first_column, Timestamp as_of, WindowResults* out) {
  for (std::size_t i = 0; i < part.columns.size(); ++i) {
    const std::size_t column = first_column + part.columns[i];
    LARDER_RETURN_IF_ERROR(
        Append(sums.Result(i, as_of), &out->columns[column], &out->refused[column]));
  }
  return {};
}

absl::Status AppendFromTree(const TreeWindows& of, std::span<const std::size_t> asked,
                            const SpecPart& part, Timestamp as_of, WindowResults* out) {
  std::vector<TimeRange> ranges;
  for (const std::size_t w : asked)
    ranges.push_back(of.windows[w].rows ? TimeRange{} : of.windows[w].RangeAt(as_of));
  of.folder.SetRanges(ranges);
  LARDER_RETURN_IF_ERROR(of.folder.Fold(of.store, of.tree.root()));
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const AggregateWindow& window = of.windows[asked[i]];
    std::optional<AccumulatorSet> last;
    if (window.rows) {
      LARDER_ASSIGN_OR_RETURN(last, of.tree.FoldLast(window.RangeAt(as_of).to_us, *window.rows));
    }
    LARDER_RETURN_IF_ERROR(
        AppendResults(last ? *last : of.folder.sum(i), part, asked[i] * of.spec_count, as_of, out));
  }
  return {};
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
