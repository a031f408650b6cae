// verify, backup, compact and vacuum.
#include <utility>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/json_writer.h"
#include "larder/online/verify.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

void PrintReportJson(const VerifyReport& report, const std::string& path, Console& console) {
  JsonWriter json;
  json.BeginObject();
  json.Member("store", path);
  json.Member("ok", report.ok());
  json.Member("commit_seq", report.commit_seq);
  json.Member("pages", report.pages);
  json.Member("pages_free", report.pages_free);
  json.Member("pages_unused", report.pages_unused);
  json.Member("records", report.records);
  json.Member("rows", report.rows);
  json.Key("problems");
  json.BeginArray();
  for (const std::string& problem : report.problems) json.String(problem);
  json.EndArray();
  json.EndObject();
  console.out << std::move(json).Finish();
}

// May need functions or rights that reading the file does not.
absl::StatusOr<std::vector<std::string>> VerifyWindows(const Target& target,
                                                       const Console& console) {
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store, OpenStore(target, Access::kRead, console));
  return store.VerifyWindows();
}

}  // namespace

absl::Status Verify(const VerifyArguments& arguments, Console& console) {
  // Not through OpenStore: a store too damaged to open is what this command is for.
  const std::string path = StorePath(arguments.target, console);
  LARDER_ASSIGN_OR_RETURN(VerifyReport report, VerifyStore(path));
  if (report.ok()) {
    absl::StatusOr<std::vector<std::string>> problems = VerifyWindows(arguments.target, console);
    if (problems.ok()) {
      report.problems = *std::move(problems);
    } else {
      console.err << "window aggregates were not checked: " << MessageOf(problems.status()) << '\n';
    }
  }
  if (arguments.format == Format::kJson) PrintReportJson(report, path, console);
  if (!report.ok()) {
    return DataLossError(path, " is damaged: ", report.problems.size(),
                         report.problems.size() == 1 ? " problem" : " problems", "\n  ",
                         Join(report.problems, "\n  "));
  }
  if (arguments.format != Format::kJson) {
    console.out << Printable(path) << " is whole: commit " << report.commit_seq << ", "
                << report.rows << " rows and " << report.records << " records in " << report.pages
                << " pages, " << report.pages_free + report.pages_unused << " of them free\n";
  }
  return absl::OkStatus();
}

absl::Status Backup(const BackupArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_RETURN_IF_ERROR(BackupStore(store.environment(), arguments.folder));
  // The copy may be of a later commit than the store had when it was opened: the copy knows.
  LARDER_ASSIGN_OR_RETURN(const VerifyReport report, VerifyStore(arguments.folder));
  if (arguments.format == Format::kJson) {
    PrintReportJson(report, arguments.folder, console);
  } else {
    console.out << "checked copy of commit " << report.commit_seq << " in "
                << Printable(arguments.folder) << ": use it with --store "
                << Printable(arguments.folder) << '\n';
  }
  return absl::OkStatus();
}

absl::Status Compact(const CompactArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kWrite, console));
  LARDER_ASSIGN_OR_RETURN(const CompactionResult result,
                          store.Compact(arguments.views, arguments.target.project));
  if (arguments.format == Format::kJson) {
    JsonWriter json;
    json.BeginObject();
    json.Member("partitions", result.partitions);
    json.Member("segments_before", result.segments_before);
    json.Member("segments_after", result.segments_after);
    json.Member("bytes_written", result.bytes_written);
    json.Member("commits", result.commits);
    json.EndObject();
    console.out << std::move(json).Finish();
  } else if (result.partitions == 0) {
    console.out << "nothing to compact\n";
  } else {
    console.out << "compacted: " << result.segments_before << " segments into "
                << result.segments_after << ", " << result.bytes_written << " bytes written in "
                << result.commits << (result.commits == 1 ? " commit" : " commits") << '\n';
  }
  return absl::OkStatus();
}

absl::Status Vacuum(const VacuumArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kWrite, console));
  VacuumOptions options;
  if (console.err_is_terminal) {
    options.progress = [&console](const VacuumProgress& now) {
      console.err << "\r\x1b[K" << now.bytes_done << " of about " << now.bytes << " bytes copied"
                  << std::flush;
    };
  }
  const absl::StatusOr<VacuumResult> result = store.Vacuum(options);
  if (console.err_is_terminal) console.err << "\r\x1b[K" << std::flush;
  if (!result.ok()) return result.status();
  if (arguments.format == Format::kJson) {
    JsonWriter json;
    json.BeginObject();
    json.Member("commit_seq", result->commit_seq);
    json.Member("size_before", result->size_before);
    json.Member("size_after", result->size_after);
    json.Member("folder", result->folder);
    json.EndObject();
    console.out << std::move(json).Finish();
  } else {
    console.out << "rewritten: " << result->size_before << " bytes before, " << result->size_after
                << " after; commit " << result->commit_seq << '\n';
  }
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
