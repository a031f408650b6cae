#include "registry/lineage_graph.h"

#include <algorithm>

namespace larder::inline LARDER_ABI {
namespace {

LineageNode Plain(ObjectKind kind, std::string name) {
  LineageNode node;
  node.kind = kind;
  node.name = std::move(name);
  return node;
}

template <class V>
LineageNode Versioned(ObjectKind kind, const V& version, std::string feature = {}) {
  LineageNode node;
  node.kind = kind;
  node.name = version.name;
  node.version = version.version;
  node.feature = std::move(feature);
  return node;
}

}  // namespace

LineageGraph::LineageGraph(const Catalog& catalog, std::string_view project) {
  for (const Source* source : catalog.Sources(project)) {
    const int node = Node(Plain(ObjectKind::kSource, source->name));
    if (!source->batch_source.empty()) {
      Edge(Node(Plain(ObjectKind::kSource, source->batch_source)), node);
    }
  }
  for (const Entity* entity : catalog.Entities(project)) {
    Node(Plain(ObjectKind::kEntity, entity->name));
  }
  for (const ViewVersion* view : catalog.Views(project)) ViewNode(catalog, *view);
  for (const OnDemandVersion* view : catalog.OnDemandViews(project)) OnDemandNode(catalog, *view);
  for (const LabelVersion* label : catalog.Labels(project)) {
    const int node = Node(Plain(ObjectKind::kLabel, label->name));
    const ViewVersion* view = catalog.FindView(label->view_id);
    std::string feature = label->definition.feature;
    if (label->aggregate) feature = label->aggregate->input;
    ViewNode(catalog, *view);
    Edge(Node(Versioned(ObjectKind::kFeatureView, *view, feature)), node);
  }
  for (const ServiceVersion* service : catalog.Services(project)) AddService(catalog, *service);
}

int LineageGraph::Find(const LineageNode& node) const {
  const auto found = by_name_.find(node.ToString());
  return found == by_name_.end() ? -1 : found->second;
}

int LineageGraph::Node(LineageNode node) {
  const auto [found, fresh] = by_name_.emplace(node.ToString(), static_cast<int>(nodes_.size()));
  if (fresh) {
    nodes_.push_back(std::move(node));
    readers_.emplace_back();
    inputs_.emplace_back();
  }
  return found->second;
}

void LineageGraph::Edge(int from, int to) {
  auto& readers = readers_[static_cast<std::size_t>(from)];
  if (std::find(readers.begin(), readers.end(), to) != readers.end()) return;
  readers.push_back(to);
  inputs_[static_cast<std::size_t>(to)].push_back(from);
}

int LineageGraph::ViewNode(const Catalog& catalog, const ViewVersion& view) {
  const LineageNode self = Versioned(ObjectKind::kFeatureView, view);
  if (const int known = Find(self); known >= 0) return known;
  const int node = Node(self);
  for (const std::string& entity : view.definition.entities) {
    Edge(Node(Plain(ObjectKind::kEntity, entity)), node);
  }
  // A derived view reads its base's rows through a source of its own.
  const std::string& read = view.base_view ? view.definition.source : view.source.name;
  const int source = Node(Plain(ObjectKind::kSource, read));
  Edge(source, node);
  if (view.base_view) {
    Edge(ViewNode(catalog, *catalog.FindView(*view.base_view)), source);
  } else if (view.batch) {
    Edge(Node(Plain(ObjectKind::kSource, view.batch->name)), source);
  }
  for (const Source& other : view.union_sources) {
    if (!view.base_view) Edge(Node(Plain(ObjectKind::kSource, other.name)), node);
  }
  for (const FeatureColumn& feature : view.features) {
    Edge(node, Node(Versioned(ObjectKind::kFeatureView, view, feature.name)));
  }
  return node;
}

int LineageGraph::OnDemandNode(const Catalog& catalog, const OnDemandVersion& view) {
  const LineageNode self = Versioned(ObjectKind::kOnDemandView, view);
  if (const int known = Find(self); known >= 0) return known;
  const int node = Node(self);
  for (const OnDemandInput& input : view.inputs) {
    if (input.request) continue;
    const auto index = static_cast<std::size_t>(input.feature);
    if (input.on_demand) {
      const OnDemandVersion& other = *catalog.FindOnDemandView(input.view_id);
      OnDemandNode(catalog, other);
      Edge(Node(Versioned(ObjectKind::kOnDemandView, other, other.features[index].name)), node);
    } else {
      const ViewVersion& other = *catalog.FindView(input.view_id);
      ViewNode(catalog, other);
      Edge(Node(Versioned(ObjectKind::kFeatureView, other, other.features[index].name)), node);
    }
  }
  for (const FeatureColumn& feature : view.features) {
    Edge(node, Node(Versioned(ObjectKind::kOnDemandView, view, feature.name)));
  }
  return node;
}

void LineageGraph::AddService(const Catalog& catalog, const ServiceVersion& service) {
  const int node = Node(Versioned(ObjectKind::kFeatureService, service));
  const auto view_feature = [&](int use, int feature) {
    const ViewVersion& view =
        *catalog.FindView(service.views[static_cast<std::size_t>(use)].view_id);
    ViewNode(catalog, view);
    return Node(Versioned(ObjectKind::kFeatureView, view,
                          view.features[static_cast<std::size_t>(feature)].name));
  };
  for (const ServiceOutput& output : service.outputs) {
    if (!output.on_demand) {
      Edge(view_feature(output.use, output.feature), node);
      continue;
    }
    const OnDemandVersion& view =
        *catalog.FindOnDemandView(service.on_demand[static_cast<std::size_t>(output.use)].view_id);
    OnDemandNode(catalog, view);
    Edge(Node(Versioned(ObjectKind::kOnDemandView, view,
                        view.features[static_cast<std::size_t>(output.feature)].name)),
         node);
  }
  for (const ViewUse& use : service.views) {
    for (const KeyBinding& key : use.keys) {
      if (key.use >= 0) Edge(view_feature(key.use, key.feature), node);
    }
  }
}

}  // namespace larder::inline LARDER_ABI
