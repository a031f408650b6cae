// The one door to the rows of a source, whatever they are kept in: loads, training sets and spines read through it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/io/csv_reader.h"
#include "larder/io/record_reader.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// What a file or glob keeps its rows as, by the end of its name: .parquet; .ndjson or .jsonl, perhaps with .gz after it;
// CSV under any other name.
[[nodiscard]] SourceKind KindOfFile(std::string_view path);

// Opens what `source` names, as the header of its kind says: csv_reader.h, ndjson_reader.h, duckdb_reader.h. Batches have columns named
// and typed as source.fields, whatever the kind.
//
// Errors: as the kind's own; kFailedPrecondition for a push source, which has no rows outside a store; kUnimplemented for
//   kinds that no reader is there for.
[[nodiscard]] absl::StatusOr<std::unique_ptr<RecordReader>> OpenSource(
    const Source& source, const TextReadOptions& options = {});

// Why no reader can open sources of this kind: `source clicks: ...`. Empty when one can.
[[nodiscard]] std::string WhyUnreadable(const Source& source);

}  // namespace larder::inline LARDER_ABI
