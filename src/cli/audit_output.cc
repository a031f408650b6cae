#include "cli/audit_output.h"

#include <filesystem>
#include <memory>
#include <utility>

#include "cli/table.h"
#include "larder/base/text.h"
#include "larder/io/rows_writer.h"
#include "larder/training/file_identity.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

std::string NameOf(const AuditedView& view) {
  return view.alias.empty() ? view.view.substr(0, view.view.find('@')) : view.alias;
}

absl::StatusOr<Batch> RowsOf(const TrainingSet& set) {
  Batch rows;
  Column numbers(TypeId::kInt64);
  for (std::size_t row = 0; row < set.leakage->spine_times.size(); ++row)
    numbers.AppendFixed(static_cast<int64_t>(row));
  // The spine may have that name for its times.
  const char* const number = set.time_column == "row" ? "spine_row" : "row";
  LARDER_RETURN_IF_ERROR(rows.AddColumn(number, std::move(numbers)));
  LARDER_RETURN_IF_ERROR(rows.AddColumn(set.time_column, set.leakage->spine_times));
  for (const AuditedView& view : set.leakage->views) {
    const std::string name = NameOf(view);
    LARDER_RETURN_IF_ERROR(rows.AddColumn(Concat(name, ".event_time"), view.newest_event_time));
    LARDER_RETURN_IF_ERROR(rows.AddColumn(Concat(name, ".known_time"), view.newest_known_time));
  }
  return rows;
}

}  // namespace

std::string AuditPath(const std::string& output) { return Concat(output, ".audit.csv"); }

absl::Status WriteAudit(const std::string& path, TrainingSet* set) {
  LARDER_ASSIGN_OR_RETURN(const Batch rows, RowsOf(*set));
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer,
                          CreateRows(path, FieldsOf(rows)));
  LARDER_RETURN_IF_ERROR(writer->Write(rows));
  LARDER_RETURN_IF_ERROR(writer->Finish());
  LARDER_ASSIGN_OR_RETURN(FileIdentity file, IdentifyFile(path));
  file.path = std::filesystem::path(path).filename().string();
  set->manifest->audit->file = std::move(file);
  return absl::OkStatus();
}

void PrintAuditTable(const LeakageReport& report, const std::string& path, Console& console) {
  int64_t rows = 0;
  for (const AuditedView& view : report.views) rows += view.is_on_demand ? 0 : view.rows_checked;
  console.out << "\naudit: " << report.leak_count()
              << (report.leak_count() == 1 ? " leak" : " leaks") << " in " << rows
              << " rows of views: " << Printable(path) << '\n';
  for (const std::string& line : report.ToLines())
    console.out << "leak: " << Printable(line) << '\n';
}

void PrintAuditJson(const LeakageReport& report, const std::string& path, JsonWriter* json) {
  json->Key("audit");
  json->BeginObject();
  json->Member("file", path);
  json->Member("leaks", report.leak_count());
  json->Key("views");
  json->BeginArray();
  for (const AuditedView& view : report.views) {
    json->BeginObject();
    json->Member("view", view.view);
    json->Member("alias", view.alias);
    json->Member("rows_checked", view.rows_checked);
    for (std::size_t kind = 0; kind < kLeakKinds; ++kind)
      json->Member(LeakKindName(static_cast<LeakKind>(kind)), view.leaks[kind]);
    json->Key("examples");
    json->BeginArray();
    for (const Leak& leak : view.examples) json->String(leak.ToString());
    json->EndArray();
    json->EndObject();
  }
  json->EndArray();
  json->Key("labels");
  json->BeginArray();
  for (const LabelLeak& leak : report.labels) json->String(leak.ToString());
  json->EndArray();
  json->EndObject();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
