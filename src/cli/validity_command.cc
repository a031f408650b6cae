// get-validity-intervals.
#include <filesystem>
#include <memory>
#include <optional>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "larder/feature_store/validity.h"
#include "larder/io/rows_writer.h"

namespace larder::inline LARDER_ABI {
namespace cli {

absl::Status GetValidityIntervals(const ValidityArguments& arguments, Console& console) {
  ValidityRequest request;
  request.project = arguments.target.project;
  request.features = {arguments.feature};
  request.thread_count = arguments.thread_count;
  LARDER_ASSIGN_OR_RETURN(request.known_at, ParseKnownAt(arguments.known_at));
  LARDER_ASSIGN_OR_RETURN(const auto start, ParseInstant(arguments.start, "--start"));
  LARDER_ASSIGN_OR_RETURN(const auto end, ParseInstant(arguments.end, "--end"));
  if (!start || !end) return UsageError("--start and --end are needed");
  request.start = *start;
  request.end = *end;
  const absl::StatusOr<RowsFormat> format = FormatOfPath(arguments.output);
  if (!format.ok()) return UsageError("--output: ", MessageOf(format.status()));
  if (IsDense(*format)) return UsageError("--output: intervals are no matrix; name a .csv file");
  std::error_code ignored;
  if (!arguments.force && std::filesystem::exists(arguments.output, ignored))
    return AlreadyExistsError(arguments.output, " exists; --force replaces it");

  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const std::vector<FeatureIntervals> made,
                          store.GetValidityIntervals(request));
  const FeatureIntervals& intervals = made.front();
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer,
                          CreateRows(arguments.output, FieldsOf(intervals.rows)));
  LARDER_RETURN_IF_ERROR(writer->Write(intervals.rows));
  LARDER_RETURN_IF_ERROR(writer->Finish());
  console.out << intervals.rows.row_count() << " intervals of " << Printable(intervals.feature)
              << ": " << Printable(arguments.output) << '\n';
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
