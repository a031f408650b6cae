// feature create, update and delete.
#include <utility>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/plan_output.h"
#include "larder/registry/definitions_json.h"
#include "larder/schema/reference.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

// What begins with a brace is the definition itself; everything else names a file.
absl::StatusOr<Feature> ReadFeature(const std::string& definition) {
  if (TrimAscii(definition).substr(0, 1) == "{") return ParseFeature(definition, "the feature");
  LARDER_ASSIGN_OR_RETURN(const std::string text, ReadText(definition));
  return ParseFeature(text, definition == "-" ? "standard input" : definition);
}

struct Opened {
  FeatureStore store;
  std::string project;
};

absl::StatusOr<Opened> OpenForChange(const FeatureArguments& arguments, const Console& console) {
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kWrite, console));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(std::string project, ProjectOf(arguments.target, catalog));
  return Opened{std::move(store), std::move(project)};
}

}  // namespace

absl::Status CreateFeature(const FeatureArguments& arguments, Console& console) {
  NewFeature feature;
  feature.view = arguments.view;
  feature.source = arguments.source;
  feature.entities = arguments.entities;
  if (!arguments.ttl.empty()) {
    const absl::StatusOr<Duration> ttl = ParseDuration(arguments.ttl);
    if (!ttl.ok()) return AsUsageError(Annotate(ttl.status(), "--ttl"));
    feature.ttl = *ttl;
  }
  LARDER_ASSIGN_OR_RETURN(feature.feature, ReadFeature(arguments.definition));
  LARDER_ASSIGN_OR_RETURN(Opened opened, OpenForChange(arguments, console));
  feature.project = opened.project;
  LARDER_ASSIGN_OR_RETURN(const ApplyResult result,
                          opened.store.CreateFeature(feature, MakeInfo(arguments.note, console)));
  PrintApplied(result, arguments.format, console);
  return absl::OkStatus();
}

absl::Status UpdateFeature(const FeatureArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const Feature feature, ReadFeature(arguments.definition));
  LARDER_ASSIGN_OR_RETURN(Opened opened, OpenForChange(arguments, console));
  LARDER_ASSIGN_OR_RETURN(const ApplyResult result,
                          opened.store.UpdateFeature(arguments.view, feature, opened.project,
                                                     MakeInfo(arguments.note, console)));
  PrintApplied(result, arguments.format, console);
  return absl::OkStatus();
}

absl::Status DeleteFeature(const FeatureArguments& arguments, Console& console) {
  absl::StatusOr<FeatureReference> reference = ParseFeatureReference(arguments.view);
  if (!reference.ok()) return AsUsageError(reference.status());
  if (reference->view.version) {
    return UsageError("versions never change: say ", reference->view.name, ":", reference->feature,
                      ", and what the bare name means will be without it");
  }
  LARDER_ASSIGN_OR_RETURN(Opened opened, OpenForChange(arguments, console));
  absl::StatusOr<ApplyResult> result =
      opened.store.DeleteFeature(reference->view.name, reference->feature, arguments.force,
                                 opened.project, MakeInfo(arguments.note, console));
  if (result.status().code() == absl::StatusCode::kFailedPrecondition && !arguments.force) {
    return FailedPreconditionError(MessageOf(result.status()),
                                   "\n--force takes it out of these as well");
  }
  if (!result.ok()) return result.status();
  PrintApplied(*result, arguments.format, console);
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
