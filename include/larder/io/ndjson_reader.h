// Reading JSON objects, one a line, into typed columns.
#pragma once

#include <memory>
#include <string>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/io/csv_reader.h"
#include "larder/io/record_reader.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// Opens every file that `source.path` names as OpenCsv does, gzip among them; blank lines are skipped.
//
// Each line is one object. A field's value is the member named Field::from (else Field::name); a missing member and
// null are null, other members are ignored, and a name twice in an object makes a bad row. Numbers, strings and
// booleans are read as ParseValue reads their text, arrays become vectors and lists, objects maps; a number never
// becomes a string and null tokens do not apply. Integers keep all their digits; others are read as float64 first.
// `""` is null but for string and bytes.
//
// Errors: as OpenCsv, without a header's. A line over kLineSizeMax refuses the file even when not strict.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> OpenNdjson(
    const Source& source, const TextReadOptions& options = {});

// The same over text in memory; `origin` stands for the file name in messages.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> OpenNdjsonText(
    std::string text, std::string origin, const Source& source, const TextReadOptions& options = {});

}  // namespace larder::inline LARDER_ABI
