#include "feature_store/training_manifest.h"

#include <algorithm>
#include <map>
#include <system_error>
#include <tuple>
#include <utility>

#include "feature_store/historical_read.h"
#include "larder/io/csv_reader.h"
#include "larder/io/remote_path.h"
#include "larder/transform/libraries.h"

namespace larder::inline LARDER_ABI {
namespace {

const BoundUse* UseOf(const BoundService& service, const std::string& view) {
  for (const BoundUse& use : service.uses) {
    if (use.view->ToString() == view) return &use;
  }
  return nullptr;
}

DatasetManifest::View DescribeView(const BoundService& service, const TrainingViewReport& report) {
  DatasetManifest::View view;
  view.view = report.view;
  view.alias = report.alias;
  view.known_at = report.known_at == KnownAt::kSpine ? "spine" : "any";
  if (const BoundUse* use = UseOf(service, report.view)) {
    const Source& source = use->view->offline_source();
    // Of what it was pushed the store knows the commit's time.
    view.event_time_only =
        report.known_at == KnownAt::kAny && !report.from_store && !source.has_known_time();
  }
  view.timeless = report.timeless;
  view.events = report.counts.events;
  view.rows_found = report.counts.rows_found;
  view.rows_outside_max_age = report.counts.rows_outside_max_age;
  view.rows_not_found = report.counts.rows_not_found;
  view.rows_ambiguous = report.counts.rows_ambiguous;
  view.cells_changed_by_other_known_at = report.counts.cells_changed_by_other_known_at;
  return view;
}

std::vector<DatasetManifest::Definition> DefinitionsOf(const BoundService& service) {
  std::vector<DatasetManifest::Definition> definitions;
  if (!service.name.empty()) {
    definitions.push_back(
        {"service", service.service->ToString(), ToHex(service.service->meaning_hash)});
  }
  for (const BoundUse& use : service.uses)
    definitions.push_back({"view", use.view->ToString(), ToHex(use.view->meaning_hash)});
  for (const BoundOnDemand& use : service.on_demand)
    definitions.push_back({"on_demand_view", use.view->ToString(), ToHex(use.view->meaning_hash)});
  // A view that is used twice is one definition.
  const auto key = [](const auto& d) { return std::tie(d.kind, d.name); };
  std::sort(definitions.begin(), definitions.end(),
            [&](const auto& a, const auto& b) { return key(a) < key(b); });
  definitions.erase(std::unique(definitions.begin(), definitions.end()), definitions.end());
  return definitions;
}

DatasetManifest::Audit DescribeAudit(const LeakageReport& report) {
  DatasetManifest::Audit audit;
  for (const AuditedView& view : report.views) {
    DatasetManifest::Audit::View& out = audit.views.emplace_back();
    out.view = view.view;
    out.alias = view.alias;
    out.rows_checked = view.rows_checked;
    for (std::size_t kind = 0; kind < kLeakKinds; ++kind) {
      if (view.leaks[kind] == 0) continue;
      out.leaks.push_back(
          {std::string(LeakKindName(static_cast<LeakKind>(kind))), view.leaks[kind]});
    }
  }
  for (const LabelLeak& leak : report.labels) audit.labels.push_back(leak.ToString());
  return audit;
}

}  // namespace

absl::StatusOr<HistoryFiles::File> HistoryFiles::LookAt(const std::string& path) {
  File file;
  file.path = path;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return file;
  file.bytes = std::filesystem::file_size(path, error);
  if (!error) file.changed = std::filesystem::last_write_time(path, error);
  if (error) return UnavailableError("cannot look at ", path, ": ", error.message());
  return file;
}

absl::StatusOr<HistoryFiles> HistoryFiles::Look(const BoundService& service,
                                                const HistoricalRequest& request) {
  std::map<std::string, Source> by_name;
  for (const BoundUse& use : service.uses) {
    const std::string base_path = service.catalog.DefinitionsOf(use.view->project).base_path;
    for (const larder::Source* source : use.view->offline_sources()) {
      const SourceRows* const given = PlacesOf(service, *use.view, request).Find(source->name);
      const bool is_read = !source->path.empty() || source->kind == SourceKind::kSql;
      if ((!is_read && given == nullptr) || by_name.contains(source->name)) continue;
      Source& looked = by_name[source->name];
      looked.name = source->name;
      if (given != nullptr) {
        looked.rows = given->rows;
        continue;
      }
      if (source->kind == SourceKind::kSql)
        continue;  // named alone: what a query reads has no hash
      if (source->kind == SourceKind::kParquet && IsRemotePath(source->path)) {
        looked.remote = source->path;
        continue;
      }
      LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> paths,
                              ExpandPath(source->path, base_path));
      for (const std::string& path : paths) {
        LARDER_ASSIGN_OR_RETURN(File file, LookAt(path));
        looked.files.push_back(std::move(file));
      }
    }
  }
  HistoryFiles files;
  for (auto& [name, source] : by_name) files.sources_.push_back(std::move(source));
  return files;
}

absl::StatusOr<std::vector<DatasetManifest::Source>> HistoryFiles::Identify() const {
  std::vector<DatasetManifest::Source> identified;
  for (const Source& source : sources_) {
    DatasetManifest::Source& out = identified.emplace_back();
    out.name = source.name;
    if (source.rows != nullptr) out.rows_sha256 = ContentOf(*source.rows).sha256;
    if (!source.remote.empty()) out.files.emplace_back().path = source.remote;
    for (const File& file : source.files) {
      LARDER_ASSIGN_OR_RETURN(FileIdentity identity, IdentifyFile(file.path));
      LARDER_ASSIGN_OR_RETURN(const File now, LookAt(file.path));
      if (now.bytes != file.bytes || now.changed != file.changed) {
        return AbortedError("source ", source.name, ": ", file.path,
                            " changed while the training set was made from it");
      }
      out.files.push_back(std::move(identity));
    }
  }
  return identified;
}

absl::StatusOr<DatasetManifest> DescribeTrainingSet(const BoundService& service,
                                                    const HistoricalRequest& request,
                                                    const TrainingSet& set,
                                                    const std::string& spine_sha256,
                                                    const HistoryFiles& files) {
  DatasetManifest manifest;
  manifest.larder_version = LARDER_VERSION;
  manifest.libraries = LibraryVersions();
  manifest.project = service.service->project;
  manifest.service = set.service;
  manifest.features = request.what.features;
  manifest.time_column = set.time_column;
  manifest.revision = set.revision;
  manifest.definitions = DefinitionsOf(service);
  for (const TrainingViewReport& report : set.views)
    manifest.views.push_back(DescribeView(service, report));
  LARDER_ASSIGN_OR_RETURN(manifest.sources, files.Identify());
  manifest.commit_seq = set.commit_seq;
  manifest.spine_sha256 = spine_sha256;
  manifest.spine_sources = request.spine_sources;
  if (set.leakage) manifest.audit = DescribeAudit(*set.leakage);
  return manifest;
}

}  // namespace larder::inline LARDER_ABI
