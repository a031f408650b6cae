#include "larder/training/split.h"

#include <cmath>
#include <set>
#include <string_view>

#include "larder/base/hash.h"
#include "larder/base/text.h"
#include "larder/schema/entity_key.h"

namespace larder::inline LARDER_ABI {
namespace {

// A share as a bound on hashes: the hash of a row is below it with that probability.
struct HashBound {
  uint64_t below = 0;
  bool all = false;
  [[nodiscard]] bool Holds(uint64_t hash) const { return all || hash < below; }
};

HashBound BoundOf(double share) {
  if (share >= 1) return {0, true};
  return {static_cast<uint64_t>(std::ldexp(share, 64)), false};
}

absl::Status CheckShare(double share) {
  if (share > 0 && share <= 1) return absl::OkStatus();
  return InvalidArgumentError("a share is above 0 and at most 1, found ", share);
}

absl::Status CheckParts(std::span<const std::pair<std::string, double>> parts) {
  if (parts.empty()) return InvalidArgumentError("a split needs parts");
  double sum = 0;
  std::set<std::string_view> names;
  for (const auto& [name, share] : parts) {
    LARDER_RETURN_IF_ERROR(CheckShare(share));
    if (name.empty() || !names.insert(name).second)
      return InvalidArgumentError("part ", Quoted(name), " needs a name of its own");
    sum += share;
  }
  // Shares are typed in decimals: 0.8 + 0.1 + 0.1 may be a little over 1.
  constexpr double kRounding = 1e-9;
  if (sum > 1 + kRounding) return InvalidArgumentError("the shares add up to ", sum, ", over 1");
  return absl::OkStatus();
}

// The bytes of one row's keys; a null key has none, as no key that is there has.
absl::StatusOr<std::string> KeyBytes(std::span<const Column* const> keys, std::size_t row) {
  std::string bytes;
  for (const Column* key : keys) {
    const Value value = key->ValueAt(row);
    const DataType type = key->type();
    bool has_null = false;
    LARDER_RETURN_IF_ERROR(
        AppendEntityKey(std::span(&value, 1), std::span(&type, 1), &bytes, &has_null));
    if (has_null) return std::string();
  }
  return bytes;
}

}  // namespace

absl::StatusOr<std::vector<RowSplit>> SplitByTime(const Column& times,
                                                  std::span<const Timestamp> at, Duration embargo) {
  if (at.empty() || at.size() > 2)
    return InvalidArgumentError("a split by time is at one or two instants, found ", at.size());
  if (at.size() == 2 && at[0].us >= at[1].us)
    return InvalidArgumentError("the instants of a split must rise");
  if (embargo.us < 0) return InvalidArgumentError("an embargo is no negative duration");
  std::vector<RowSplit> splits;
  splits.push_back({"train", {}});
  if (at.size() == 2) splits.push_back({"validation", {}});
  splits.push_back({"test", {}});
  for (std::size_t row = 0; row < times.size(); ++row) {
    if (!times.IsValid(row))
      return InvalidArgumentError("row ", row + 1, " has no time to split by");
    const Timestamp time{times.Values<int64_t>()[row]};
    std::size_t part = 0;
    while (part < at.size() && time.us >= at[part].us) ++part;
    const bool embargoed = part < at.size() && time.us >= at[part].Minus(embargo).us;
    if (!embargoed) splits[part].rows.push_back(row);
  }
  return splits;
}

absl::StatusOr<std::vector<RowSplit>> SplitByEntity(
    std::span<const Column* const> keys, std::span<const std::pair<std::string, double>> parts,
    uint64_t seed) {
  if (keys.empty()) return InvalidArgumentError("a split by entity needs a key column");
  for (const Column* key : keys) {
    if (!key->type().is_key_type())
      return InvalidArgumentError("a column of type ", key->type().ToString(), " is no key");
  }
  LARDER_RETURN_IF_ERROR(CheckParts(parts));
  std::vector<RowSplit> splits;
  std::vector<HashBound> bounds;
  double sum = 0;
  for (const auto& [name, share] : parts) {
    splits.push_back({name, {}});
    sum += share;
    constexpr double kRounding = 1e-9;
    bounds.push_back(BoundOf(sum > 1 - kRounding ? 1 : sum));
  }
  for (std::size_t row = 0; row < keys[0]->size(); ++row) {
    LARDER_ASSIGN_OR_RETURN(const std::string bytes, KeyBytes(keys, row));
    const uint64_t hash = Hash64(bytes, seed);
    for (std::size_t part = 0; part < splits.size(); ++part) {
      if (!bounds[part].Holds(hash)) continue;
      splits[part].rows.push_back(row);
      break;
    }
  }
  return splits;
}

absl::StatusOr<std::vector<std::size_t>> SampleRows(std::size_t row_count, double share,
                                                    uint64_t seed, uint64_t first_row) {
  LARDER_RETURN_IF_ERROR(CheckShare(share));
  const HashBound bound = BoundOf(share);
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < row_count; ++row) {
    std::string bytes;
    AppendKeyUnsigned(first_row + row, &bytes);
    if (bound.Holds(Hash64(bytes, seed))) rows.push_back(row);
  }
  return rows;
}

}  // namespace larder::inline LARDER_ABI
