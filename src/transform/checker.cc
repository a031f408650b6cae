#include "larder/transform/checker.h"

#include <algorithm>

#include "larder/transform/program.h"
#include "transform/analyzer.h"
#include "transform/canonical.h"
#include "transform/codegen.h"
#include "transform/parser.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<CheckedExpression> TransformChecker::Check(std::string_view text,
                                                          std::span<const Field> inputs) const {
  LARDER_ASSIGN_OR_RETURN(const transform::Ast ast, transform::Parse(text, inputs, options_.limits));
  transform::IrGraph graph(options_.limits.program_nodes);
  transform::Analyzer analyzer(&graph, inputs, options_);
  LARDER_ASSIGN_OR_RETURN(const transform::IrId root, analyzer.Lower(ast));

  CheckedExpression result;
  result.type = graph[root].type;
  result.uses_clock = graph[root].clock;
  result.canonical = transform::CanonicalText(ast, analyzer);
  // What is written counts as used even where folding dropped it: meaning must not depend on the optimiser.
  for (const transform::Node& node : ast.nodes) {
    if (node.kind == transform::NodeKind::kColumn) result.inputs.push_back(node.text);
  }
  std::sort(result.inputs.begin(), result.inputs.end());
  result.inputs.erase(std::unique(result.inputs.begin(), result.inputs.end()), result.inputs.end());
  return result;
}

}  // namespace larder::inline LARDER_ABI
