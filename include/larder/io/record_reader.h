// Rows out of a file or any other place, as batches of typed columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// No batch has more rows than this.
inline constexpr std::size_t kBatchRowsMax = 65'536;
// How many reasons of skipped rows are kept in words.
inline constexpr std::size_t kReasonsMax = 10;

// What reading has met so far. Nothing here is an error by itself.
struct ReadCounts {
  int64_t files = 0;                       // opened
  int64_t rows = 0;                        // handed out in batches
  int64_t bad_rows = 0;                    // skipped; always 0 for a strict reader
  int64_t floored_timestamps = 0;          // digits finer than a microsecond
  int64_t integral_decimals = 0;           // `12345.0` read as an integer
  std::vector<std::string> first_reasons;  // of bad rows, at most kReasonsMax, each `file:line: why`

  void AddBadRow(std::string reason) {
    ++bad_rows;
    if (first_reasons.size() < kReasonsMax) first_reasons.push_back(std::move(reason));
  }
};

// Threads: thread-bound.
class RecordReader {
 public:
  virtual ~RecordReader() = default;

  // The columns of every batch, in order: names and types, `from` and `unit` as declared.
  // Lifetime: as long as the reader.
  [[nodiscard]] virtual std::span<const Field> fields() const LARDER_LIFETIME_BOUND = 0;

  // Replaces `*out` by the next 1 to kBatchRowsMax rows; false, with `*out` empty, once there are no more.
  // Errors: a strict reader refuses the first bad row with kInvalidArgument naming place, column, found and expected;
  //   kUnavailable (kind kIoError) when the system refuses to read; kDataLoss for damaged compressed data.
  //   After an error the reader gives nothing more.
  virtual absl::StatusOr<bool> Next(Batch* out) = 0;

  // Where row `row` of the last batch came from, `flights.csv:17`, for messages of those who use the row.
  [[nodiscard]] virtual std::string PlaceOf(std::size_t row) const = 0;

  [[nodiscard]] virtual const ReadCounts& counts() const LARDER_LIFETIME_BOUND = 0;
};

// Hands out a batch already in memory, cut to kBatchRowsMax rows; `origin` is what PlaceOf names.
[[nodiscard]] std::unique_ptr<RecordReader> ReadBatch(Batch batch, std::string origin = "memory");

// Everything a reader has, in one batch. For files known to fit: spines, reference tables, tests.
[[nodiscard]] absl::StatusOr<Batch> ReadAll(RecordReader& reader);

}  // namespace larder::inline LARDER_ABI
