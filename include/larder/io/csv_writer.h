// Writing delimited text that OpenCsv reads back to the same values.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/io/record_writer.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

struct CsvWriteOptions {
  char delimiter = ',';
  bool durable = true;  // fsync file and folder before and after the rename
};

// Creates `path` with a header of the fields' names; it appears, complete, at Finish(). Until then the rows are in a
// temporary file of the same folder, removed when the writer is destroyed. A name that ends in `.gz` is packed by gzip.
//
// Text forms: FormatValue's, floats the shortest that reads back to the same bits (NaN payloads apart), timestamps
// ISO 8601 in UTC, booleans true and false, bytes base64, vectors, lists and maps JSON. Null is nothing between the
// delimiters, an empty string is `""`, so the two differ. Fields with a delimiter, quote, line end or outer blank are
// quoted; in a file of one column so is nothing, and null is an empty line. Lines end in LF.
//
// Errors: kInvalidArgument for no fields, a name twice or an unfit delimiter; kUnimplemented for `.gz` without zlib;
//   else as RecordWriter::Write.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordWriter>> CreateCsv(
    const std::string& path, std::span<const Field> fields, const CsvWriteOptions& options = {});

// Appends the same text to `*out`, header first: for standard output, tests and small answers.
// Lifetime: `*out` must outlive the writer.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordWriter>> WriteCsvText(
    std::string* out LARDER_LIFETIME_BOUND, std::span<const Field> fields,
    const CsvWriteOptions& options = {});

}  // namespace larder::inline LARDER_ABI
