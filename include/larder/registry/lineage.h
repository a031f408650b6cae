// Where things come from and what hangs on them, and finding them in the first place.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/registry/catalog.h"
#include "larder/registry/history.h"

namespace larder::inline LARDER_ABI {

// An object, or one feature of a view.
struct LineageNode {
  ObjectKind kind = ObjectKind::kSource;
  std::string name;
  int version = 0;      // 0: not a versioned kind
  std::string feature;  // of a view, when not the whole
  // `feature card_spend@1:sum_amount_1h`, `source transactions`.
  [[nodiscard]] std::string ToString() const;
  friend bool operator==(const LineageNode&, const LineageNode&) = default;
};

// A directed graph without cycles, cut out around one node.
struct Lineage {
  std::vector<LineageNode> nodes;  // the first is the one asked about
  struct Edge {
    int from = 0;  // is read by `to`
    int to = 0;
  };
  std::vector<Edge> edges;

  // Two indented trees: what it is made from, and what reads it. Repeated subtrees are marked, not repeated.
  [[nodiscard]] std::string ToText() const;
  // {"node", "nodes": [...], "edges": [[from, to]...]}
  [[nodiscard]] std::string ToJson() const;
};

// `name`: a source, entity, view, label or service, with a version where it has one, or `view:feature`. Follows current
// definitions; a named version is followed by what it pinned.
// Errors: kNotFound with a suggestion; kInvalidArgument when several kinds of object have the name (write `service:` or
// another kind before it, as in `source transactions`).
[[nodiscard]] absl::StatusOr<Lineage> LineageOf(const Catalog& catalog, std::string_view project,
                                                std::string_view name);

struct SearchQuery {
  std::string project;  // empty: all
  std::string text;     // in name or description, ignoring case
  std::string owner;
  std::string tag;               // `tier` or `tier=1`
  std::string entity;            // views and features keyed by it
  std::optional<DataType> type;  // features of this type
  std::optional<ObjectKind> kind;
};

struct SearchHit {
  std::string project;
  LineageNode object;
  std::optional<DataType> type;  // of a feature
  Metadata metadata;
};

// Objects and features for which every given criterion holds, by project, kind and name. A feature without an owner or
// with no tag of that name has its view's.
[[nodiscard]] std::vector<SearchHit> Search(const Catalog& catalog, const SearchQuery& query);

}  // namespace larder::inline LARDER_ABI
