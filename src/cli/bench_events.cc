#include "cli/bench_events.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "cli/console.h"
#include "cli/event_file.h"
#include "larder/io/csv_reader.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

// A push source, and the files of events there are for it; no kind of file: none.
struct Pushed {
  const Source* source = nullptr;
  const Source* files = nullptr;
};

Pushed FindPushed(const Catalog& catalog, const ServiceVersion& service, const std::string& source,
                  bool any_file) {
  for (const ViewUse& use : service.views) {
    const ViewVersion& view = *catalog.FindView(use.view_id);
    if (view.source.kind != SourceKind::kPush) continue;
    if (!source.empty() && view.source.name != source) continue;
    if (!any_file && !view.batch) continue;
    return {&view.source, view.batch ? &*view.batch : nullptr};
  }
  return {};
}

absl::StatusOr<std::unique_ptr<RecordReader>> Open(const Catalog& catalog, const Source& pushed,
                                                   const Source& files, const std::string& file,
                                                   const std::string& project) {
  if (!file.empty()) return OpenEvents(file, /*ndjson=*/false, /*strict=*/true, pushed);
  TextReadOptions read;
  read.base_path = catalog.DefinitionsOf(project).base_path;
  return OpenCsv(files, read);
}

}  // namespace

absl::StatusOr<Batch> BenchEvents::Take(std::size_t first, std::size_t count, Timestamp now) const {
  Batch batch;
  for (std::size_t c = 0; c < rows.column_count(); ++c) {
    const Column& from = rows.column(c);
    Column column(from.type());
    column.Reserve(count);
    const bool is_time = rows.name(c) == event_time;
    for (std::size_t i = 0; i < count; ++i) {
      if (is_time) {
        column.AppendFixed(now.us - static_cast<int64_t>(count - 1 - i));
      } else {
        column.AppendFrom(from, (first + i) % rows.row_count());
      }
    }
    LARDER_RETURN_IF_ERROR(batch.AddColumn(rows.name(c), std::move(column)));
  }
  return batch;
}

absl::StatusOr<BenchEvents> ReadBenchEvents(const FeatureStore& store, const std::string& project,
                                            const std::string& service, const std::string& source,
                                            const std::string& file, std::size_t rows_max) {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const ServiceVersion* version, catalog.GetService(project, service));
  const Pushed pushed = FindPushed(catalog, *version, source, !file.empty());
  if (pushed.source == nullptr) {
    return UsageError(
        "--writes: ", version->ToString(), " reads no push source ",
        source.empty() ? std::string() : Concat(Quoted(source), " "),
        file.empty() ? "with a batch_source whose file could be pushed: see --write-file" : "");
  }
  BenchEvents events;
  events.project = version->project;
  events.source = pushed.source->name;
  LARDER_ASSIGN_OR_RETURN(
      const std::unique_ptr<RecordReader> reader,
      Open(catalog, *pushed.source, pushed.files == nullptr ? *pushed.source : *pushed.files, file,
           version->project));
  Batch batch;
  std::vector<Column> columns;
  std::vector<std::string> names;
  for (const Field& field : reader->fields()) {
    columns.emplace_back(field.type);
    names.push_back(field.name);
  }
  while (columns.empty() || columns[0].size() < rows_max) {
    LARDER_ASSIGN_OR_RETURN(const bool more, reader->Next(&batch));
    if (!more) break;
    const std::size_t left = rows_max - columns[0].size();
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const Column& from = *batch.Find(names[c]);
      for (std::size_t i = 0; i < std::min(left, from.size()); ++i) columns[c].AppendFrom(from, i);
    }
  }
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (names[c] == pushed.source->event_time && columns[c].type().id() == TypeId::kTimestamp)
      events.event_time = names[c];
    LARDER_RETURN_IF_ERROR(events.rows.AddColumn(names[c], std::move(columns[c])));
  }
  if (events.rows.row_count() == 0)
    return InvalidArgumentError("--writes: the file of source ", events.source, " has no rows");
  return events;
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
