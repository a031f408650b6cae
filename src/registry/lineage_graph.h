// The whole graph of one project: who reads what.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/registry/lineage.h"

namespace larder::inline LARDER_ABI {

class LineageGraph {
 public:
  // Current definitions, and every version the services pin.
  LineageGraph(const Catalog& catalog, std::string_view project);

  [[nodiscard]] const std::vector<LineageNode>& nodes() const LARDER_LIFETIME_BOUND {
    return nodes_;
  }
  // Nodes that read, or are read by, a node.
  [[nodiscard]] const std::vector<int>& Readers(int node) const LARDER_LIFETIME_BOUND {
    return readers_[static_cast<std::size_t>(node)];
  }
  [[nodiscard]] const std::vector<int>& Inputs(int node) const LARDER_LIFETIME_BOUND {
    return inputs_[static_cast<std::size_t>(node)];
  }
  [[nodiscard]] int Find(const LineageNode& node) const;  // -1 when absent

 private:
  int Node(LineageNode node);
  void Edge(int from, int to);
  int ViewNode(const Catalog& catalog, const ViewVersion& view);
  int OnDemandNode(const Catalog& catalog, const OnDemandVersion& view);
  void AddService(const Catalog& catalog, const ServiceVersion& service);

  std::vector<LineageNode> nodes_;
  std::vector<std::vector<int>> readers_, inputs_;
  std::map<std::string, int> by_name_;
};

}  // namespace larder::inline LARDER_ABI
