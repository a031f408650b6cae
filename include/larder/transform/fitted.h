// Constants fitted on a training set (mean, deviation, range, quantile boundaries, vocabulary), used by name in
// expressions: `zscore(amount, amount_fit)`, or `amount_fit@2` for one version. Training and serving use the same ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/hash.h"
#include "larder/base/status.h"
#include "larder/column/column.h"

namespace larder::inline LARDER_ABI {

struct FittedValues {
  int64_t count = 0;  // valid, finite values seen
  double mean = 0;
  double deviation = 0;  // of the population
  double minimum = 0;
  double maximum = 0;
  std::vector<double> boundaries;       // ascending quantiles, without repeats
  std::vector<std::string> vocabulary;  // most frequent first, ties by text
  friend bool operator==(const FittedValues&, const FittedValues&) = default;
};

struct FitOptions {
  std::size_t buckets = 10;       // quantile boundaries: buckets - 1 before repeats are dropped
  std::size_t vocabulary = 1000;  // at most so many words
};

// A function of the set of values, bit for bit, whatever their order. Nulls, NaN and infinities are left out.
// Errors: kInvalidArgument for a column that is neither numeric nor string, or holds no value at all.
[[nodiscard]] absl::StatusOr<FittedValues> Fit(const Column& column, const FitOptions& options = {});

// Named values in one version, which never changes.
struct FittedEntry {
  std::string name;
  int version = 1;
  FittedValues values;
  Hash128 hash;  // of the values' bits
  // `name@version#hash`.
  [[nodiscard]] std::string Identity() const;

  // Errors: kInvalidArgument for a bad name or version.
  static absl::StatusOr<FittedEntry> Make(std::string name, int version, FittedValues values);
  // The portable form; Parse reads it back to the same bits. Errors: kDataLoss for bytes that Serialize did not write.
  [[nodiscard]] std::string Serialize() const;
  static absl::StatusOr<FittedEntry> Parse(std::string_view bytes);
};

// Where expressions find fitted constants: in a store, or given by hand.
class FittedLookup {
 public:
  virtual ~FittedLookup() = default;
  // Version 0 means the latest. Null when there is none.
  [[nodiscard]] virtual absl::StatusOr<std::shared_ptr<const FittedEntry>> Find(
      std::string_view name, int version) const = 0;
  // `name@version` of all, in order.
  [[nodiscard]] virtual std::vector<std::string> Names() const = 0;
};

// Given by hand: for tools and tests. Threads: thread-compatible. Programs copy what they use.
class FittedConstants : public FittedLookup {
 public:
  // Replaces what has that name and version. Errors: as FittedEntry::Make.
  absl::Status Add(std::string name, int version, FittedValues values);
  [[nodiscard]] absl::StatusOr<std::shared_ptr<const FittedEntry>> Find(std::string_view name,
                                                                        int version) const override;
  [[nodiscard]] std::vector<std::string> Names() const override;

 private:
  std::map<std::string, std::map<int, std::shared_ptr<const FittedEntry>>, std::less<>> entries_;
};

}  // namespace larder::inline LARDER_ABI
