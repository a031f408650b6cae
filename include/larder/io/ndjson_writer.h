// Writing JSON objects, one a line, that OpenNdjson reads back to the same values.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/io/record_writer.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

struct NdjsonWriteOptions {
  bool durable = true;  // fsync file and folder before and after the rename
};

// Creates `path` as CreateCsv does, `.gz` too; each row is an object with every column, in order.
//
// Numbers keep all their digits; NaN and the infinities are the strings "NaN", "Infinity" and "-Infinity", times ISO
// 8601 in UTC, bytes base64, vectors and lists arrays, maps objects; null is null.
//
// Errors: kInvalidArgument for no fields or a name twice; else as CreateCsv.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordWriter>> CreateNdjson(
    const std::string& path, std::span<const Field> fields, const NdjsonWriteOptions& options = {});

// Appends the same text to `*out`. Lifetime: `*out` must outlive the writer.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordWriter>> WriteNdjsonText(
    std::string* out LARDER_LIFETIME_BOUND, std::span<const Field> fields);

}  // namespace larder::inline LARDER_ABI
