#include "larder/training/dataset_diff.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>
#include <utility>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kNoRow = std::numeric_limits<std::size_t>::max();

absl::StatusOr<std::vector<const Column*>> KeyColumns(const Batch& batch,
                                                      const DatasetDiffOptions& options) {
  std::vector<const Column*> columns;
  for (const std::string& key : options.keys) {
    const Column* column = batch.Find(key);
    if (column == nullptr) {
      return InvalidArgumentError("key ", key, " is not a column of both",
                                  DidYouMean(key, batch.names()));
    }
    columns.push_back(column);
  }
  return columns;
}

std::string KeyOf(const std::vector<const Column*>& columns, std::size_t row) {
  std::string key;
  for (const Column* column : columns) AppendCanonicalBytes(column->ValueAt(row), &key);
  return key;
}

// Per row of `before` its match in `after`, or kNoRow.
absl::StatusOr<std::vector<std::size_t>> MatchRows(const Batch& before, const Batch& after,
                                                   const DatasetDiffOptions& options) {
  std::vector<std::size_t> matches(before.row_count(), kNoRow);
  if (options.keys.empty()) {
    for (std::size_t row = 0; row < std::min(before.row_count(), after.row_count()); ++row)
      matches[row] = row;
    return matches;
  }
  LARDER_ASSIGN_OR_RETURN(const auto keys_before, KeyColumns(before, options));
  LARDER_ASSIGN_OR_RETURN(const auto keys_after, KeyColumns(after, options));
  for (std::size_t k = 0; k < keys_before.size(); ++k) {
    if (keys_before[k]->type() == keys_after[k]->type()) continue;
    return InvalidArgumentError("key ", options.keys[k], " is of type ",
                                keys_before[k]->type().ToString(), " in one and ",
                                keys_after[k]->type().ToString(), " in the other");
  }
  std::unordered_map<std::string, std::vector<std::size_t>> rows_of;
  for (std::size_t row = after.row_count(); row-- > 0;)
    rows_of[KeyOf(keys_after, row)].push_back(row);
  for (std::size_t row = 0; row < before.row_count(); ++row) {
    const auto found = rows_of.find(KeyOf(keys_before, row));
    if (found == rows_of.end() || found->second.empty()) continue;
    matches[row] = found->second.back();
    found->second.pop_back();
  }
  return matches;
}

void CompareColumns(const Batch& before, const Batch& after, DatasetDiff* diff) {
  std::vector<std::size_t> places;
  for (std::size_t c = 0; c < before.column_count(); ++c) {
    const std::string& name = before.name(c);
    const std::optional<std::size_t> other = after.IndexOf(name);
    if (!other) {
      diff->removed_columns.push_back(name);
      continue;
    }
    places.push_back(*other);
    const DataType now = after.column(*other).type();
    if (before.column(c).type() != now)
      diff->changed_types.push_back({name, before.column(c).type(), now});
  }
  diff->columns_moved = !std::is_sorted(places.begin(), places.end());
  for (const std::string& name : after.names()) {
    if (!before.IndexOf(name)) diff->added_columns.push_back(name);
  }
}

void CompareRows(const std::vector<std::size_t>& matches, std::size_t rows_after,
                 std::size_t examples, DatasetDiff* diff) {
  std::vector<bool> matched(rows_after, false);
  std::size_t last = 0;
  for (std::size_t row = 0; row < matches.size(); ++row) {
    if (matches[row] == kNoRow) {
      ++diff->removed_rows;
      if (diff->removed_examples.size() < examples) diff->removed_examples.push_back(row + 1);
      continue;
    }
    matched[matches[row]] = true;
    diff->rows_moved = diff->rows_moved || matches[row] < last;
    last = matches[row];
  }
  for (std::size_t row = 0; row < rows_after; ++row) {
    if (matched[row]) continue;
    ++diff->added_rows;
    if (diff->added_examples.size() < examples) diff->added_examples.push_back(row + 1);
  }
}

DatasetDiff::ColumnChange CompareValues(const Column& before, const Column& after,
                                        const std::vector<std::size_t>& matches,
                                        std::size_t examples) {
  DatasetDiff::ColumnChange change;
  for (std::size_t row = 0; row < matches.size(); ++row) {
    if (matches[row] == kNoRow) continue;
    Value old_value = before.ValueAt(row);
    Value new_value = after.ValueAt(matches[row]);
    if (old_value == new_value) continue;
    ++change.values;
    if (change.examples.size() < examples) {
      change.examples.push_back(
          {row + 1, matches[row] + 1, std::move(old_value), std::move(new_value)});
    }
  }
  return change;
}

}  // namespace

bool DatasetDiff::empty() const {
  return removed_columns.empty() && added_columns.empty() && changed_types.empty() &&
         !columns_moved && removed_rows == 0 && added_rows == 0 && !rows_moved &&
         changed_columns.empty();
}

absl::StatusOr<DatasetDiff> CompareDatasets(const Batch& before, const Batch& after,
                                            const DatasetDiffOptions& options) {
  DatasetDiff diff;
  diff.rows_before = static_cast<int64_t>(before.row_count());
  diff.rows_after = static_cast<int64_t>(after.row_count());
  CompareColumns(before, after, &diff);
  LARDER_ASSIGN_OR_RETURN(const std::vector<std::size_t> matches, MatchRows(before, after, options));
  CompareRows(matches, after.row_count(), options.examples, &diff);
  for (std::size_t c = 0; c < before.column_count(); ++c) {
    const Column* other = after.Find(before.name(c));
    if (other == nullptr || other->type() != before.column(c).type()) continue;
    DatasetDiff::ColumnChange change =
        CompareValues(before.column(c), *other, matches, options.examples);
    if (change.values == 0) continue;
    change.column = before.name(c);
    diff.changed_columns.push_back(std::move(change));
  }
  return diff;
}

}  // namespace larder::inline LARDER_ABI
