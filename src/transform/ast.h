// The syntax tree: nodes in one vector, children before parents, so that every pass is a loop and freeing it is too.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "larder/base/config.h"

namespace larder::inline LARDER_ABI {
namespace transform {

using NodeId = uint32_t;

enum class NodeKind : uint8_t {
  kNull,
  kBool,       // integer: 0 or 1
  kInteger,    // unsigned_integer; the sign is a kCall of "neg" above it
  kDecimal,    // number
  kString,     // text
  kDate,       // integer: days (date '2025-01-01')
  kTimestamp,  // integer: microseconds (timestamp '2025-01-01 12:00')
  kDuration,   // integer: microseconds (2h, duration '1h30m')
  kColumn,     // text: the name as written
  kList,       // [a, b, c]; children are the items
  kCall,       // text: lower-case function or operator name; children are the arguments
  kCase,       // children: condition, value, condition, value, ..., else (kNull when absent)
  kCast,       // text: type name; one child; flag: try_cast
};

struct Node {
  NodeKind kind = NodeKind::kNull;
  bool flag = false;
  uint32_t begin = 0;  // bytes of the source it came from
  uint32_t end = 0;
  uint32_t first_child = 0;  // into Ast::children
  uint32_t child_count = 0;
  int64_t integer = 0;
  uint64_t unsigned_integer = 0;
  double number = 0;
  std::string text;
};

struct Ast {
  std::string source;
  std::string defined_name;  // of a leading `name =`; empty without
  std::size_t body = 0;      // where the expression begins, behind that
  std::vector<Node> nodes;
  std::vector<NodeId> children;
  NodeId root = 0;

  const Node& operator[](NodeId id) const { return nodes[id]; }
  NodeId Child(const Node& node, std::size_t i) const { return children[node.first_child + i]; }
};

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
