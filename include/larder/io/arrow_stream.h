// Handing rows to any Arrow implementation in the same process, through Arrow's C stream interface.
#pragma once

#include <cstddef>
#include <memory>

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

}  // namespace larder::inline LARDER_ABI
