#include "cli/event_file.h"

#include <vector>

#include "larder/io/csv_reader.h"
#include "larder/io/ndjson_reader.h"
#include "larder/io/source_reader.h"

namespace larder::inline LARDER_ABI {
namespace cli {

absl::StatusOr<std::unique_ptr<RecordReader>> OpenEvents(const std::string& file, bool ndjson,
                                                         bool strict, const Source& source) {
  Source events = source;
  events.path = file == "-" ? "/dev/stdin" : file;
  TextReadOptions read;
  read.strict = strict;
  read.show_values = true;
  if (ndjson || KindOfFile(file) == SourceKind::kNdjson) {
    events.kind = SourceKind::kNdjson;
    return OpenNdjson(events, read);
  }
  events.kind = SourceKind::kCsv;
  return OpenCsvFiles(std::vector<std::string>{events.path}, events, read);
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
