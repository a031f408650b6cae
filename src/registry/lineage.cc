#include "larder/registry/lineage.h"

#include <algorithm>
#include <functional>
#include <set>

#include "larder/schema/reference.h"
#include "registry/json_tree.h"
#include "registry/lineage_graph.h"

namespace larder::inline LARDER_ABI {
namespace {

struct Asked {
  std::optional<ObjectKind> kind;
  VersionedName name;
  std::string feature;
};

absl::StatusOr<Asked> ParseAsked(std::string_view text) {
  Asked out;
  for (const ObjectKind kind :
       {ObjectKind::kEntity, ObjectKind::kSource, ObjectKind::kFeatureView,
        ObjectKind::kOnDemandView, ObjectKind::kLabel, ObjectKind::kFeatureService}) {
    const std::string prefix = Concat(ObjectKindName(kind), " ");
    if (text.substr(0, prefix.size()) == prefix) {
      out.kind = kind;
      text.remove_prefix(prefix.size());
      break;
    }
  }
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    out.feature = std::string(text.substr(colon + 1));
    text = text.substr(0, colon);
  }
  LARDER_ASSIGN_OR_RETURN(out.name, ParseVersionedName(text));
  return out;
}

// Follows `next` from `start`; adds what it meets to `lineage`.
void Collect(const LineageGraph& graph, int start, bool readers, std::map<int, int>* index,
             Lineage* lineage) {
  std::vector<int> open = {start};
  std::set<int> seen = {start};
  while (!open.empty()) {
    const int node = open.back();
    open.pop_back();
    for (const int other : readers ? graph.Readers(node) : graph.Inputs(node)) {
      const auto [place, fresh] = index->emplace(other, static_cast<int>(lineage->nodes.size()));
      if (fresh) lineage->nodes.push_back(graph.nodes()[static_cast<std::size_t>(other)]);
      const int here = index->at(node);
      lineage->edges.push_back(readers ? Lineage::Edge{here, place->second}
                                       : Lineage::Edge{place->second, here});
      if (seen.insert(other).second) open.push_back(other);
    }
  }
}

void AppendTree(const Lineage& lineage, int node, bool readers, std::size_t depth,
                std::set<int>* seen, std::string* out) {
  for (const Lineage::Edge& edge : lineage.edges) {
    if ((readers ? edge.from : edge.to) != node) continue;
    const int other = readers ? edge.to : edge.from;
    const bool again = !seen->insert(other).second;
    out->append(2 * depth + 2, ' ');
    out->append(lineage.nodes[static_cast<std::size_t>(other)].ToString());
    out->append(again ? " (above)\n" : "\n");
    if (!again) AppendTree(lineage, other, readers, depth + 1, seen, out);
  }
}

}  // namespace

std::string LineageNode::ToString() const {
  const std::string versioned = version == 0 ? name : Concat(name, "@", version);
  if (feature.empty()) return Concat(ObjectKindName(kind), " ", versioned);
  return Concat("feature ", versioned, ":", feature);
}

std::string Lineage::ToText() const {
  if (nodes.empty()) return "";
  std::string out = Concat(nodes.front().ToString(), "\n");
  for (const bool readers : {false, true}) {
    std::string tree;
    std::set<int> seen;
    AppendTree(*this, 0, readers, 0, &seen, &tree);
    out += readers ? "read by\n" : "made from\n";
    out += tree.empty() ? "  nothing\n" : tree;
  }
  return out;
}

std::string Lineage::ToJson() const {
  JsonNode root = JsonObject();
  if (!nodes.empty()) root.Add("node", JsonText(nodes.front().ToString()));
  JsonNode list = JsonArray();
  for (const LineageNode& node : nodes) {
    JsonNode item = JsonObject();
    item.Add("id", JsonText(node.ToString()));
    item.Add("kind", JsonText(node.feature.empty() ? ObjectKindName(node.kind) : "feature"));
    item.Add("name", JsonText(node.name));
    if (node.version != 0) item.Add("version", JsonNumber(Concat(node.version)));
    if (!node.feature.empty()) item.Add("feature", JsonText(node.feature));
    list.items.push_back(std::move(item));
  }
  root.Add("nodes", std::move(list));
  JsonNode pairs = JsonArray();
  for (const Edge& edge : edges) {
    JsonNode pair = JsonArray();
    pair.items.push_back(JsonNumber(Concat(edge.from)));
    pair.items.push_back(JsonNumber(Concat(edge.to)));
    pairs.items.push_back(std::move(pair));
  }
  root.Add("edges", std::move(pairs));
  return FormatJson(root);
}

absl::StatusOr<Lineage> LineageOf(const Catalog& catalog, std::string_view project,
                                  std::string_view name) {
  LARDER_ASSIGN_OR_RETURN(const Asked asked, ParseAsked(name));
  const LineageGraph graph(catalog, project);
  // Bare names mean the current version, which the catalog knows.
  std::vector<int> found;
  std::vector<std::string> known;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const LineageNode& node = graph.nodes()[i];
    known.push_back(node.feature.empty() ? node.name : Concat(node.name, ":", node.feature));
    if (node.name != asked.name.name || node.feature != asked.feature) continue;
    if (asked.kind && node.kind != *asked.kind) continue;
    int wanted = asked.name.version.value_or(0);
    if (wanted == 0 && node.version != 0) {
      if (node.kind == ObjectKind::kFeatureView) {
        const auto view = catalog.GetView(project, node.name);
        wanted = view.ok() ? (*view)->version : node.version;
      } else if (node.kind == ObjectKind::kOnDemandView) {
        const auto view = catalog.GetOnDemandView(project, node.name);
        wanted = view.ok() ? (*view)->version : node.version;
      } else {
        wanted = node.version;
      }
    }
    if (wanted == node.version) found.push_back(static_cast<int>(i));
  }
  if (found.empty()) {
    return NotFoundError("unknown object: ", name, DidYouMean(name, known));
  }
  if (found.size() > 1) {
    std::vector<std::string> names;
    for (const int node : found) {
      names.push_back(Quoted(graph.nodes()[static_cast<std::size_t>(node)].ToString()));
    }
    return InvalidArgumentError("several objects are named ", name, ": say ", Join(names, " or "));
  }
  Lineage out;
  std::map<int, int> index = {{found.front(), 0}};
  out.nodes.push_back(graph.nodes()[static_cast<std::size_t>(found.front())]);
  Collect(graph, found.front(), /*readers=*/false, &index, &out);
  Collect(graph, found.front(), /*readers=*/true, &index, &out);
  return out;
}

}  // namespace larder::inline LARDER_ABI
