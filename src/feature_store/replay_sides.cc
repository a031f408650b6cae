#include "feature_store/replay_sides.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "larder/io/source_reader.h"
#include "larder/registry/catalog.h"
#include "larder/registry/plan.h"
#include "larder/transform/checker.h"

namespace larder::inline LARDER_ABI {
namespace {

// The names of the sources whose events change what the service gives.
absl::StatusOr<std::set<std::string>> SourcesRead(const Catalog& catalog,
                                                  const ServiceVersion& service) {
  std::set<std::string> names;
  for (const ViewUse& use : service.views) {
    const ViewVersion& view = *catalog.FindView(use.view_id);
    if (view.definition.exclude_self) {
      return UnimplementedError("feature view ", view.ToString(),
                                " has exclude_self, which serving knows nothing of: there is",
                                " nothing to compare");
    }
    names.insert(view.source.name);
    for (const Source& other : view.union_sources) names.insert(other.name);
  }
  return names;
}

Source* FindSource(Definitions* definitions, std::string_view name) {
  for (Source& source : definitions->sources) {
    if (source.name == name) return &source;
  }
  return nullptr;
}

// The source whose events the file has, when the caller does not say.
absl::StatusOr<std::string> OnlySource(const Catalog& catalog, const std::string& project,
                                       const std::set<std::string>& names, const std::string& path) {
  std::vector<std::string> timed;
  for (const std::string& name : names) {
    LARDER_ASSIGN_OR_RETURN(const Source* source, catalog.GetSource(project, name));
    if (!source->event_time.empty()) timed.push_back(name);
  }
  if (timed.size() == 1) return timed[0];
  return InvalidArgumentError("of which source are the events in ", path, "? The service reads ",
                              Join(names, ", "));
}

void ReadFrom(const std::string& path, Source* source) {
  source->kind = KindOfFile(path);
  source->path = std::filesystem::absolute(path).string();
  source->query.clear();
}

// The same events and the same meaning, but pushed. `file` says when they are known where `source` does not.
Source AsPushed(Source source, const Source& file) {
  source.kind = SourceKind::kPush;
  source.path.clear();
  source.query.clear();
  source.batch_source.clear();
  source.format = TextFormat();
  if (source.arrival_time.empty() && !source.available_after) {
    source.arrival_time = file.arrival_time;
    source.available_after = file.available_after;
  }
  return source;
}

absl::Status UseFiles(const Catalog& catalog, const std::set<std::string>& names,
                      const ReplayOptions& options, Definitions* trained) {
  for (const ReplayFile& events : options.events) {
    std::string name = events.source;
    if (name.empty()) {
      LARDER_ASSIGN_OR_RETURN(name, OnlySource(catalog, trained->project, names, events.path));
    }
    LARDER_RETURN_IF_ERROR(catalog.GetSource(trained->project, name).status());
    Source* source = FindSource(trained, name);
    if (!source->batch_source.empty()) source = FindSource(trained, source->batch_source);
    ReadFrom(events.path, source);
  }
  return absl::OkStatus();
}

absl::StatusOr<Catalog> CatalogOf(const Definitions& definitions, const ReplayOptions& options) {
  CompileOptions compile;
  compile.functions = options.functions;
  LARDER_ASSIGN_OR_RETURN(const ChangePlan plan,
                          MakePlan(Catalog(), definitions, TransformChecker(compile)));
  return Catalog(plan.outcome);
}

}  // namespace

absl::StatusOr<ReplaySides> ReplaySides::Make(const Definitions& definitions,
                                              std::string_view service,
                                              const ReplayOptions& options) {
  ReplaySides sides;
  sides.trained = definitions;
  const std::string& project = definitions.project;
  std::set<std::string> names;
  {
    LARDER_ASSIGN_OR_RETURN(const Catalog catalog, CatalogOf(definitions, options));
    LARDER_ASSIGN_OR_RETURN(const ServiceVersion* version, catalog.GetService(project, service));
    LARDER_ASSIGN_OR_RETURN(names, SourcesRead(catalog, *version));
    LARDER_RETURN_IF_ERROR(UseFiles(catalog, names, options, &sides.trained));
  }
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, CatalogOf(sides.trained, options));
  sides.served = sides.trained;
  for (const std::string& name : names) {
    LARDER_ASSIGN_OR_RETURN(const Source* source, catalog.GetSource(project, name));
    const Source* file = source;
    if (!source->batch_source.empty()) {
      LARDER_ASSIGN_OR_RETURN(file, catalog.GetSource(project, source->batch_source));
    }
    if (file->kind == SourceKind::kPush) {
      return FailedPreconditionError("push source ", name,
                                     " has no batch_source: give a file of its events");
    }
    Source pushed = AsPushed(*source, *file);
    *FindSource(&sides.served, name) = pushed;
    sides.streams.push_back({std::move(pushed), *file});
  }
  return sides;
}

}  // namespace larder::inline LARDER_ABI
