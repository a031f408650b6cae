// Handing rows to any Arrow implementation in the same process, and taking them from one, through Arrow's C stream interface.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/io/arrow_c.h"
#include "larder/io/record_reader.h"

namespace larder::inline LARDER_ABI {

struct ArrowExportOptions {
  std::size_t array_rows = 0;  // rows of one array; 0: all in one
};

// Fills `*out`, whose old content is not released, with a stream of struct arrays, one field a column. The stream and
// every array from it keep the rows alive, in any order of release; nothing is copied but what Arrow lays out
// differently: bool (a bit each), and the offsets of maps (32 bits).
//
// | larder | Arrow |
// |---|---|
// | bool, int32, int64, uint64, float32, float64 | the same |
// | string, bytes | large_utf8, large_binary |
// | timestamp | timestamp[us, UTC] |
// | date, duration | date32, duration[us] |
// | vector | fixed_size_list |
// | list, map | large_list, map |
//
// Every field is nullable. Errors: kInvalidArgument for a map column whose entries need more than 32 bits to count.
// Threads: the stream is thread-bound; arrays are immutable, and may be released on any thread.
absl::Status ExportArrowStream(std::shared_ptr<const Batch> rows, ArrowArrayStream* out,
                               const ArrowExportOptions& options = {});

// The same for rows that are still to be read: every batch becomes one array when it is asked for. An error of the
// reader is the stream's, its message get_last_error's.
void ExportArrowStream(std::unique_ptr<RecordReader> reader, ArrowArrayStream* out);

// Takes over a stream of struct arrays, from any producer: `stream` is left released, and the reader releases the stream once,
// at its end, after an error, or when it goes. Values are copied into columns of these types, whatever offsets, chunks
// and bitmaps the arrays have:
//
// | Arrow | larder |
// |---|---|
// | bool; int8, 16, 32, uint8, 16; uint32, int64; uint64 | bool; int32; int64; uint64 |
// | float16, float32; float64 | float32; float64 |
// | utf8, large_utf8; binary, large_binary, fixed_size_binary | string (checked UTF-8); bytes |
// | timestamp of any unit and zone (none: UTC) | timestamp; nanoseconds are floored and counted |
// | date32, date64; duration of any unit | date; duration |
// | fixed_size_list of float32 or int8, without nulls inside | vector |
// | list, large_list, other fixed_size_lists of a scalar | list |
// | map of strings to int64 or float64 | map |
// | dictionary of any of the scalars | its values |
//
// `origin` is what messages and PlaceOf call it. Errors: kInvalidArgument naming the field and format larder has no type for,
//   and, from Next, arrays that are not as the schema says; the producer's own errors with its message: kUnavailable
//   (kIoError) for EIO, kResourceExhausted for ENOMEM, else kInvalidArgument.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> ImportArrowStream(
    ArrowArrayStream* stream, std::string origin = "Arrow stream");

}  // namespace larder::inline LARDER_ABI
