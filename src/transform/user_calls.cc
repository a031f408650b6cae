// Calls of C++ functions and of fitted transforms.
#include "larder/base/text.h"
#include "transform/analyzer.h"

namespace larder::inline LARDER_ABI {
namespace transform {

absl::StatusOr<IrId> Analyzer::LowerUserCall(NodeId, const Node& node, const Ids&) {
  return Error(node, Concat("unknown function \"", node.text, "\"", DidYouMean(node.text, BuiltinTable::Get().names())));
}
absl::StatusOr<IrId> Analyzer::LowerFitted(NodeId, const Node&, const Ids&) { return kNoIr; }

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
