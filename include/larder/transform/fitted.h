// Constants fitted on a training set (mean, deviation, range, quantile boundaries, vocabulary), used by name in
// expressions: `zscore(amount, amount_fit)`. Training and serving compile with the same ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
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

// Threads: thread-compatible. Programs copy what they use.
class FittedConstants {
 public:
  struct Entry {
    int version = 1;
    FittedValues values;
    Hash128 hash;  // of the values' bits
  };
  // Errors: kInvalidArgument for a bad name.
  absl::Status Add(std::string name, int version, FittedValues values);
  // Null when there is none.
  [[nodiscard]] const Entry* Find(std::string_view name) const LARDER_LIFETIME_BOUND;
  [[nodiscard]] std::vector<std::string> names() const;

  // The portable form, for a versioned artefact; Parse reads it back to the same bits.
  [[nodiscard]] std::string Serialize() const;
  // Errors: kDataLoss for bytes that Serialize did not write.
  static absl::StatusOr<FittedConstants> Parse(std::string_view bytes);

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace larder::inline LARDER_ABI
