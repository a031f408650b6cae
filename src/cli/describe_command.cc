// describe.
#include <algorithm>
#include <optional>
#include <variant>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/description.h"
#include "cli/listing.h"
#include "larder/registry/definitions_json.h"
#include "larder/registry/rollback.h"
#include "larder/schema/reference.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

using Object = std::variant<const Entity*, const Source*, const ViewVersion*,
                            const OnDemandVersion*, const LabelVersion*, const ServiceVersion*>;

struct Found {
  std::string kind;
  Object object;
};

// Every object of that name; the reason where a name is known but not this version of it.
class Finder {
 public:
  Finder(const Catalog& catalog, const std::string& project, const std::string& name,
         const std::string& kind)
      : kind_(kind) {
    Take("entity", catalog.GetEntity(project, name));
    Take("source", catalog.GetSource(project, name));
    Take("feature view", catalog.GetView(project, name));
    Take("on-demand view", catalog.GetOnDemandView(project, name));
    Take("label", catalog.GetLabel(project, name));
    Take("feature service", catalog.GetService(project, name));
  }
  [[nodiscard]] const std::vector<Found>& found() const { return found_; }
  // Of a call that found nothing.
  [[nodiscard]] const absl::Status& reason() const { return reason_; }

 private:
  template <class T>
  void Take(const char* kind, const absl::StatusOr<T>& result) {
    if (!kind_.empty() && kind_ != kind) return;
    if (result.ok()) {
      found_.push_back({kind, *result});
    } else if (MessageOf(result.status()).find("unknown ") != 0) {
      reason_ = result.status();
    }
  }
  std::string kind_;
  std::vector<Found> found_;
  absl::Status reason_;
};

std::vector<std::string> AllNames(const Catalog& catalog, const std::string& project) {
  ListArguments everything;
  everything.target.project = project;
  std::vector<std::string> names;
  for (const ListedObject& object : ListObjects(catalog, "", everything)) {
    names.push_back(object.name.substr(0, object.name.find('@')));
  }
  return names;
}

absl::StatusOr<Found> Find(const Catalog& catalog, const DescribeArguments& arguments,
                           const std::string& kind) {
  const Finder finder(catalog, arguments.target.project, arguments.name, kind);
  if (finder.found().size() == 1) return finder.found()[0];
  if (finder.found().empty()) {
    if (!finder.reason().ok()) return finder.reason();
    const std::string bare = arguments.name.substr(0, arguments.name.find('@'));
    const std::vector<std::string> names = AllNames(catalog, arguments.target.project);
    if (std::find(names.begin(), names.end(), bare) != names.end()) {
      return NotFoundError("no such version: ", arguments.name,
                           "; larder list --all-versions shows those there are");
    }
    return NotFoundError("unknown name: ", arguments.name, DidYouMean(bare, names));
  }
  std::vector<std::string> kinds;
  for (const Found& found : finder.found()) kinds.push_back(found.kind);
  return InvalidArgumentError(arguments.name, " is the name of several: ", Join(kinds, ", "),
                              "; say which with --kind");
}

absl::StatusOr<std::string> KindOf(const std::string& typed) {
  if (typed.empty()) return std::string();
  std::vector<std::string> names;
  for (const ListableKind& kind : ListableKinds()) {
    if (typed == kind.typed || typed == kind.kind || kind.kind == Concat("feature ", typed)) {
      return std::string(kind.kind);
    }
    names.emplace_back(kind.kind);
  }
  return UsageError("unknown kind: ", typed, DidYouMean(typed, names));
}

// A project as definitions say it, so that a push source shows what was written, not what it inherited.
const Source* AsWritten(const Definitions& definitions, const Source& resolved) {
  for (const Source& source : definitions.sources) {
    if (source.name == resolved.name) return &source;
  }
  return &resolved;
}

// The only project that knows the object, for lists of what uses it.
std::string OwnerOf(const Catalog& catalog, const std::string& asked, const Object& object) {
  if (!asked.empty()) return asked;
  for (const std::string& project : catalog.Projects()) {
    if (const auto* entity = std::get_if<const Entity*>(&object)) {
      for (const Entity* known : catalog.Entities(project)) {
        if (known == *entity) return project;
      }
    }
    if (const auto* source = std::get_if<const Source*>(&object)) {
      for (const Source* known : catalog.Sources(project)) {
        if (known == *source) return project;
      }
    }
  }
  return {};
}

std::string AsJson(const Object& object, const Catalog& catalog, const std::string& project) {
  if (const auto* entity = std::get_if<const Entity*>(&object)) return ToJson(**entity);
  if (const auto* source = std::get_if<const Source*>(&object)) {
    const Definitions definitions = catalog.DefinitionsOf(project);
    return ToJson(*AsWritten(definitions, **source));
  }
  if (const auto* view = std::get_if<const ViewVersion*>(&object))
    return ToJson((*view)->definition);
  if (const auto* view = std::get_if<const OnDemandVersion*>(&object))
    return ToJson((*view)->definition);
  if (const auto* label = std::get_if<const LabelVersion*>(&object))
    return ToJson((*label)->definition);
  return ToJson(std::get<const ServiceVersion*>(object)->definition);
}

ViewUpkeep UpkeepOf(const ViewVersion& view, const Catalog& catalog, Timestamp now) {
  ViewUpkeep upkeep;
  const absl::StatusOr<const ViewVersion*> current = catalog.GetView(view.project, view.name);
  upkeep.current = current.ok() && (*current)->id == view.id;
  const auto is_kept_at = [&](Timestamp time) {
    const std::vector<const ViewVersion*> kept = catalog.MaintainedViews(view.project, time);
    return std::any_of(kept.begin(), kept.end(),
                       [&](const ViewVersion* other) { return other->data_id == view.data_id; });
  };
  upkeep.kept = is_kept_at(now);
  upkeep.left_at = catalog.LeftAt(view);
  if (upkeep.left_at) {
    const Timestamp end = upkeep.left_at->Plus(catalog.RollbackWindowOf(view));
    if (!is_kept_at(std::max(now, end))) upkeep.until = end;
  }
  for (const larder::Hold& hold : Holds(catalog)) {
    if (hold.project == view.project && hold.view == view.name) upkeep.held_by = hold.number;
  }
  return upkeep;
}

absl::StatusOr<std::string> AsText(const Object& object, const Catalog& catalog,
                                   const std::string& project, const FeatureStore& store) {
  if (const auto* entity = std::get_if<const Entity*>(&object))
    return DescribeEntity(**entity, catalog, project);
  if (const auto* source = std::get_if<const Source*>(&object))
    return DescribeSource(**source, catalog, project, store.Now());
  if (const auto* view = std::get_if<const OnDemandVersion*>(&object))
    return DescribeOnDemandView(**view, catalog);
  if (const auto* label = std::get_if<const LabelVersion*>(&object)) return DescribeLabel(**label);
  if (const auto* service = std::get_if<const ServiceVersion*>(&object))
    return DescribeService(**service, catalog);
  const ViewVersion& view = *std::get<const ViewVersion*>(object);
  LARDER_ASSIGN_OR_RETURN(const ViewState state, store.GetViewState(view.ToString(), view.project));
  return DescribeView(view, state, UpkeepOf(view, catalog, store.Now()));
}

absl::Status DescribeOneFeature(const DescribeArguments& arguments, const Catalog& catalog,
                                Console& console) {
  LARDER_ASSIGN_OR_RETURN(const FeatureReference reference, ParseFeatureReference(arguments.name));
  const std::string& project = arguments.target.project;
  const std::vector<FeatureColumn>* features = nullptr;
  std::string view_name;
  const absl::StatusOr<const ViewVersion*> view =
      catalog.GetView(project, reference.view.ToString());
  if (view.ok()) {
    features = &(*view)->features;
    view_name = (*view)->ToString();
  } else {
    const absl::StatusOr<const OnDemandVersion*> on_demand =
        catalog.GetOnDemandView(project, reference.view.ToString());
    if (!on_demand.ok()) return view.status();
    features = &(*on_demand)->features;
    view_name = (*on_demand)->ToString();
  }
  std::vector<std::string> names;
  for (const FeatureColumn& feature : *features) {
    if (feature.name == reference.feature) {
      console.out << (arguments.format == Format::kJson ? FeatureJson(feature, view_name)
                                                        : DescribeFeature(feature, view_name));
      return absl::OkStatus();
    }
    names.push_back(feature.name);
  }
  return NotFoundError("unknown feature: ", view_name, ":", reference.feature,
                       DidYouMean(reference.feature, names));
}

absl::Status DescribeProject(const DescribeArguments& arguments, const Catalog& catalog,
                             Console& console) {
  LARDER_ASSIGN_OR_RETURN(const std::string project, ProjectOf(arguments.target, catalog));
  console.out << TrimAscii(DefinitionsToJson(catalog.DefinitionsOf(project))) << '\n';
  return absl::OkStatus();
}

// The objects of that name in a definitions file, as kind and JSON.
struct Written {
  std::string kind;
  std::string json;
};

std::vector<Written> FindWritten(const Definitions& definitions, const std::string& name,
                                 const std::string& kind, std::vector<std::string>* names) {
  std::vector<Written> found;
  const auto look = [&](const char* list_kind, const auto& list) {
    if (!kind.empty() && kind != list_kind) return;
    for (const auto& object : list) {
      names->push_back(object.name);
      if (object.name == name) found.push_back({list_kind, ToJson(object)});
    }
  };
  look("entity", definitions.entities);
  look("source", definitions.sources);
  look("feature view", definitions.feature_views);
  look("on-demand view", definitions.on_demand_views);
  look("label", definitions.labels);
  look("feature service", definitions.feature_services);
  return found;
}

// What a name, or the whole project, said at an earlier moment: always as a definitions file has it.
absl::Status DescribeThen(const DescribeArguments& arguments, const std::string& kind,
                          const FeatureStore& store, const Catalog& catalog, Console& console) {
  if (arguments.name.find_first_of(":@") != std::string::npos) {
    return UsageError("--at goes with a bare name: what ", arguments.name,
                      " means never changes, what its name meant did");
  }
  LARDER_ASSIGN_OR_RETURN(const std::string project, ProjectOf(arguments.target, catalog));
  LARDER_ASSIGN_OR_RETURN(const uint64_t number, ParseMoment(arguments.at, "--at", store));
  LARDER_ASSIGN_OR_RETURN(const Definitions definitions, store.DefinitionsAt(number, project));
  if (arguments.name.empty()) {
    console.out << TrimAscii(DefinitionsToJson(definitions)) << '\n';
    return absl::OkStatus();
  }
  std::vector<std::string> names;
  const std::vector<Written> found = FindWritten(definitions, arguments.name, kind, &names);
  if (found.empty()) {
    return NotFoundError("unknown name at entry ", number, ": ", arguments.name,
                         DidYouMean(arguments.name, names));
  }
  if (found.size() > 1) {
    std::vector<std::string> kinds;
    for (const Written& object : found) kinds.push_back(object.kind);
    return InvalidArgumentError(arguments.name, " was the name of several: ", Join(kinds, ", "),
                                "; say which with --kind");
  }
  console.out << TrimAscii(found[0].json) << '\n';
  return absl::OkStatus();
}

}  // namespace

absl::Status Describe(const DescribeArguments& arguments, Console& console) {
  LARDER_ASSIGN_OR_RETURN(const std::string kind, KindOf(arguments.kind));
  LARDER_ASSIGN_OR_RETURN(const FeatureStore store,
                          OpenStore(arguments.target, Access::kRead, console));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, store.GetCatalog());
  if (!arguments.at.empty()) return DescribeThen(arguments, kind, store, catalog, console);
  if (arguments.name.empty()) return DescribeProject(arguments, catalog, console);
  if (arguments.name.find(':') != std::string::npos)
    return DescribeOneFeature(arguments, catalog, console);
  LARDER_ASSIGN_OR_RETURN(const Found found, Find(catalog, arguments, kind));
  const std::string project = OwnerOf(catalog, arguments.target.project, found.object);
  if (arguments.format == Format::kJson) {
    console.out << TrimAscii(AsJson(found.object, catalog, project)) << '\n';
    return absl::OkStatus();
  }
  LARDER_ASSIGN_OR_RETURN(const std::string text, AsText(found.object, catalog, project, store));
  console.out << text;
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
