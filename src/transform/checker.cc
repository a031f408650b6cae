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

// Fills `pinned` and `uses`.
void Pin(const transform::Ast& ast, const transform::Analyzer& analyzer, CheckedExpression* result) {
  struct Name {
    std::size_t end = 0;
    std::string_view instead;
    bool is_input = false;
  };
  std::map<std::size_t, Name> names;  // by where they begin
  for (transform::NodeId id = 0; id < ast.nodes.size(); ++id) {
    const transform::Node& node = ast[id];
    const std::string_view note = analyzer.NoteOf(id);
    if (!note.empty()) {
      // A call begins with its name.
      const bool call = node.kind == transform::NodeKind::kCall;
      names[node.begin] = {call ? node.begin + node.text.size() : node.end, note, false};
    } else if (node.kind == transform::NodeKind::kColumn) {
      names[node.begin] = {node.end, node.text, true};
    }
  }
  const std::string_view source = ast.source;
  std::size_t at = 0;
  for (const auto& [begin, name] : names) {
    result->pinned += source.substr(at, begin - at);
    const std::size_t from = result->pinned.size();
    result->pinned += name.is_input ? source.substr(begin, name.end - begin) : name.instead;
    if (name.is_input)
      result->uses.push_back({std::string(name.instead), from, result->pinned.size()});
    at = name.end;
  }
  result->pinned += source.substr(at);
  result->body = ast.body;  // nothing in front of it is replaced
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
  Pin(ast, analyzer, &result);
  std::sort(result.inputs.begin(), result.inputs.end());
  result.inputs.erase(std::unique(result.inputs.begin(), result.inputs.end()), result.inputs.end());
  return result;
}

}  // namespace larder::inline LARDER_ABI
