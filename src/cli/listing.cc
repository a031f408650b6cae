#include "cli/listing.h"

#include <algorithm>
#include <utility>

#include "cli/definition_text.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

bool ContainsIgnoringCase(std::string_view text, std::string_view part) {
  return ToLowerAscii(text).find(ToLowerAscii(part)) != std::string::npos;
}

// `*` any text, `?` any character; without either, a part of the name. Case does not count.
bool MatchesPattern(std::string_view pattern, std::string_view name) {
  const std::string wanted = ToLowerAscii(pattern);
  const std::string text = ToLowerAscii(name);
  if (wanted.find_first_of("*?") == std::string::npos)
    return text.find(wanted) != std::string::npos;
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string::npos;
  std::size_t star_text = 0;
  while (t < text.size()) {
    if (p < wanted.size() && wanted[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < wanted.size() && (wanted[p] == '?' || wanted[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < wanted.size() && wanted[p] == '*') ++p;
  return p == wanted.size();
}

bool HasTag(const std::map<std::string, std::string>& tags, const std::string& wanted) {
  const std::size_t equals = wanted.find('=');
  const auto found = tags.find(wanted.substr(0, equals));
  return found != tags.end() &&
         (equals == std::string::npos || found->second == wanted.substr(equals + 1));
}

bool Passes(const ListedObject& object, const ListArguments& filters) {
  // A pattern is about the name, not about `@version`; for features about both halves.
  const std::string_view name = std::string_view(object.name).substr(0, object.name.rfind('@'));
  const std::size_t colon = object.name.rfind(':');
  const std::string_view bare =
      colon == std::string::npos ? name : std::string_view(object.name).substr(colon + 1);
  if (!filters.name.empty() && !MatchesPattern(filters.name, object.name) &&
      !MatchesPattern(filters.name, bare)) {
    return false;
  }
  if (!filters.text.empty() && !ContainsIgnoringCase(bare, filters.text) &&
      !ContainsIgnoringCase(object.metadata.description, filters.text)) {
    return false;
  }
  if (!filters.type.empty() && object.detail != filters.type) return false;
  if (!filters.owner.empty() && object.metadata.owner != filters.owner) return false;
  if (!filters.entity.empty() && std::find(object.entities.begin(), object.entities.end(),
                                           filters.entity) == object.entities.end()) {
    return false;
  }
  return std::all_of(filters.tags.begin(), filters.tags.end(),
                     [&](const std::string& tag) { return HasTag(object.metadata.tags, tag); });
}

std::string Counted(std::size_t count, std::string_view what) {
  return Concat(count, " ", what, count == 1 ? "" : "s");
}

// A feature without its own owner and tags is found by its view's.
Metadata Inherited(Metadata own, const Metadata& from) {
  if (own.owner.empty()) own.owner = from.owner;
  own.tags.insert(from.tags.begin(), from.tags.end());
  return own;
}

class Collector {
 public:
  Collector(const Catalog& catalog, const ListArguments& filters)
      : catalog_(catalog), filters_(filters) {}

  void Projects() {
    for (const std::string& project : catalog_.Projects()) {
      Add({"project",
           project,
           project,
           Concat("revision ", catalog_.ProjectRevision(project)),
           {},
           catalog_.DefinitionsOf(project).metadata});
    }
  }
  void Entities() {
    for (const std::string& project : ProjectNames()) {
      for (const Entity* entity : catalog_.Entities(project)) {
        Add({"entity",
             project,
             entity->name,
             FieldsText(entity->join_keys),
             {entity->name},
             entity->metadata});
      }
    }
  }
  void Sources() {
    for (const std::string& project : ProjectNames()) {
      for (const Source* source : catalog_.Sources(project)) {
        Add({"source", project, source->name, SourceText(*source), {}, source->metadata});
      }
    }
  }
  void Views() {
    for (const ViewVersion* view : catalog_.Views(filters_.target.project, filters_.all_versions)) {
      Add({"feature view", view->project, view->ToString(),
           Concat(Counted(view->features.size(), "feature"), " from ", view->source.name),
           view->definition.entities, view->definition.metadata});
    }
  }
  void OnDemandViews() {
    for (const OnDemandVersion* view :
         catalog_.OnDemandViews(filters_.target.project, filters_.all_versions)) {
      Add({"on-demand view", view->project, view->ToString(),
           Counted(view->features.size(), "feature"), EntitiesOf(*view), view->definition.metadata});
    }
  }
  void Labels() {
    for (const std::string& project : ProjectNames()) {
      for (const LabelVersion* label : catalog_.Labels(project)) {
        Add({"label",
             project,
             label->name,
             Concat(label->definition.view, " from ", FormatDuration(label->definition.from),
                    " to ", FormatDuration(label->definition.to)),
             {},
             label->definition.metadata});
      }
    }
  }
  void Services() {
    for (const ServiceVersion* service :
         catalog_.Services(filters_.target.project, filters_.all_versions)) {
      std::vector<std::string> entities;
      for (const ViewUse& use : service->views) {
        const ViewVersion* view = catalog_.FindView(use.view_id);
        if (view != nullptr) AddNew(view->definition.entities, &entities);
      }
      Add({"feature service", service->project, service->ToString(),
           Concat(Counted(service->outputs.size(), "feature"), " by ", FieldNames(service->keys)),
           std::move(entities), service->definition.metadata});
    }
  }
  void Features() {
    for (const ViewVersion* view : catalog_.Views(filters_.target.project, filters_.all_versions)) {
      AddFeatures(*view, view->definition.entities);
    }
    for (const OnDemandVersion* view :
         catalog_.OnDemandViews(filters_.target.project, filters_.all_versions)) {
      AddFeatures(*view, EntitiesOf(*view));
    }
  }

  [[nodiscard]] std::vector<ListedObject> Take() && { return std::move(objects_); }

 private:
  void Add(ListedObject object) {
    if (Passes(object, filters_)) objects_.push_back(std::move(object));
  }
  template <class View>
  void AddFeatures(const View& view, const std::vector<std::string>& entities) {
    const std::string name = filters_.all_versions ? view.ToString() : view.name;
    for (const FeatureColumn& feature : view.features) {
      Add({"feature", view.project, Concat(name, ":", feature.name), feature.type.ToString(),
           entities, Inherited(feature.metadata, view.definition.metadata)});
    }
  }
  [[nodiscard]] std::vector<std::string> ProjectNames() const {
    if (!filters_.target.project.empty()) return {filters_.target.project};
    return catalog_.Projects();
  }
  // Those of the views an on-demand view reads, however deep.
  [[nodiscard]] std::vector<std::string> EntitiesOf(const OnDemandVersion& view) const {
    std::vector<std::string> entities;
    for (const OnDemandInput& input : view.inputs) {
      if (input.request) continue;
      if (const auto* below = input.on_demand ? catalog_.FindOnDemandView(input.view_id) : nullptr) {
        AddNew(EntitiesOf(*below), &entities);
      } else if (const auto* read = input.on_demand ? nullptr : catalog_.FindView(input.view_id)) {
        AddNew(read->definition.entities, &entities);
      }
    }
    return entities;
  }
  static void AddNew(const std::vector<std::string>& names, std::vector<std::string>* to) {
    for (const std::string& name : names) {
      if (std::find(to->begin(), to->end(), name) == to->end()) to->push_back(name);
    }
  }

  const Catalog& catalog_;
  const ListArguments& filters_;
  std::vector<ListedObject> objects_;
};

}  // namespace

const std::vector<ListableKind>& ListableKinds() {
  static const std::vector<ListableKind> kinds = {{"entities", "entity"},
                                                  {"sources", "source"},
                                                  {"views", "feature view"},
                                                  {"feature-views", "feature view"},
                                                  {"on-demand-views", "on-demand view"},
                                                  {"labels", "label"},
                                                  {"services", "feature service"},
                                                  {"feature-services", "feature service"},
                                                  {"features", "feature"},
                                                  {"projects", "project"}};
  return kinds;
}

std::vector<ListedObject> ListObjects(const Catalog& catalog, std::string_view kind,
                                      const ListArguments& filters) {
  Collector collector(catalog, filters);
  const bool all = kind.empty();
  if (kind == "project") collector.Projects();
  if (all || kind == "entity") collector.Entities();
  if (all || kind == "source") collector.Sources();
  if (all || kind == "feature view") collector.Views();
  if (all || kind == "on-demand view") collector.OnDemandViews();
  if (all || kind == "label") collector.Labels();
  if (all || kind == "feature service") collector.Services();
  if (kind == "feature") collector.Features();
  return std::move(collector).Take();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
