#include "larder/transform/checker.h"

#include <algorithm>
#include <map>

#include "larder/transform/program.h"
#include "transform/analyzer.h"
#include "transform/canonical.h"
#include "transform/codegen.h"
#include "transform/parser.h"

namespace larder::inline LARDER_ABI {
namespace {

std::string PinnedText(const transform::Ast& ast, const transform::Analyzer& analyzer) {
  std::map<std::size_t, std::pair<std::size_t, std::string_view>> names;  // begin -> end, instead
  for (transform::NodeId id = 0; id < ast.nodes.size(); ++id) {
    const transform::Node& node = ast[id];
    if (analyzer.NoteOf(id).empty()) continue;
    // A call begins with its name.
    const bool call = node.kind == transform::NodeKind::kCall;
    names[node.begin] = {call ? node.begin + node.text.size() : node.end, analyzer.NoteOf(id)};
  }
  std::string out;
  std::size_t at = 0;
  for (const auto& [begin, name] : names) {
    out += std::string_view(ast.source).substr(at, begin - at);
    out += name.second;
    at = name.first;
  }
  return out + ast.source.substr(at);
}

}  // namespace

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
  for (transform::NodeId id = 0; id < ast.nodes.size(); ++id) {
    if (ast[id].kind == transform::NodeKind::kColumn && analyzer.NoteOf(id).empty())
      result.inputs.push_back(ast[id].text);
  }
  result.pinned = PinnedText(ast, analyzer);
  std::sort(result.inputs.begin(), result.inputs.end());
  result.inputs.erase(std::unique(result.inputs.begin(), result.inputs.end()), result.inputs.end());
  return result;
}

}  // namespace larder::inline LARDER_ABI
