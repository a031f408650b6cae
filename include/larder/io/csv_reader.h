// Reading delimited text (RFC 4180 and its common dialects) into typed columns.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/io/record_reader.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

inline constexpr std::size_t kLineSizeMax =
    std::size_t{1} << 20;  // bytes of one record, line ends inside quotes too
inline constexpr std::size_t kLineFieldsMax = 4096;

struct TextReadOptions {
  std::string base_path;  // where a relative Source::path starts; empty: the working directory
  // Messages quote the offending text. Off, they give its length only: data may be secret.
  bool show_values = false;
  std::optional<bool> strict;  // overrides Source::format.strict
  std::size_t batch_rows = kBatchRowsMax;
};

// Opens every file that `source.path` names, in order of name, as one stream. The path may hold `*`, `?` and `[a-z]`
// in any component, and `/dev/stdin`.
//
// Of each file: a UTF-8 byte order mark is skipped; the first record is the header, whose names are matched with
// Field::from (else Field::name) exactly; other columns are ignored; each file may order its columns differently.
// Lines end in LF or CRLF, the last one perhaps in nothing; blank lines are skipped unless the file has one column.
// A field may be quoted, `""` inside stands for `"`. An unquoted field equal to one of source.format.null_values is
// null, so is a quoted one unless it is empty: `""` is the empty string, and nothing between delimiters is null.
// For types other than string and bytes a quoted empty field is null too.
//
// Values: as ParseValue reads them, through `source.time_zone`. Timestamps and durations of a field with `unit` are
// numbers of that unit since 1970 (`1672531481`, `1698883648000.0`): exact, digits finer than a microsecond floored
// and counted. Without `unit` a number is not a timestamp.
//
// Files whose name ends in `.gz` are gzip (one or several members) unless source.format.compression says otherwise.
//
// Errors: kNotFound when no file matches (a glob that matches nothing too); kInvalidArgument for a source without
//   fields, a delimiter that is not one character, a bad header (empty, a name twice, a field's column missing, with a
//   suggestion); kUnimplemented for gzip where larder was built without zlib. Bad rows: see RecordReader::Next and
//   TextFormat::strict; a record over a limit or a quote that never closes refuses the file even when not strict.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> OpenCsv(
    const Source& source, const TextReadOptions& options = {});

// The same over the given files, in the given order; source.path is not used.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> OpenCsvFiles(
    std::span<const std::string> paths, const Source& source, const TextReadOptions& options = {});

// The same over text in memory; `origin` stands for the file name in messages.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> OpenCsvText(
    std::string text, std::string origin, const Source& source, const TextReadOptions& options = {});

// The files a path or glob names, sorted by name. Errors: kNotFound when there are none, naming the path.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> ExpandPath(const std::string& path,
                                                                  const std::string& base_path = {});

}  // namespace larder::inline LARDER_ABI
