#include "larder/transform/expression_steps.h"

#include <algorithm>
#include <map>
#include <utility>

#include "larder/base/text.h"
#include "transform/analyzer.h"
#include "transform/codegen.h"
#include "transform/parser.h"
#include "transform/program_impl.h"

namespace larder::inline LARDER_ABI {
namespace {

using transform::Ast;
using transform::IrId;
using transform::Node;
using transform::NodeId;
using transform::NodeKind;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// On one line, runs of blanks outside quotes as one; `open` becomes how many `)` have no `(` before them.
std::string OneLine(std::string_view text, std::size_t* open) {
  std::string out;
  std::size_t depth = 0;
  *open = 0;
  char quote = '\0';
  for (const char c : text) {
    if (quote != '\0') {
      if (c == quote) quote = '\0';
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (c == ')') {
      ++*open;
    } else if (IsBlank(c)) {
      if (out.empty() || out.back() != ' ') out.push_back(' ');
      continue;
    }
    out.push_back(c);
  }
  return std::string(TrimAscii(out));
}

// A node begins where its first operand does, which leaves out the parentheses around that.
std::string TextOf(const Ast& ast, NodeId id) {
  const Node& node = ast[id];
  std::size_t begin = node.begin;
  std::size_t open = 0;
  std::string text = OneLine(std::string_view(ast.source).substr(begin, node.end - begin), &open);
  while (open > 0 && begin > 0) {
    begin = ast.source.rfind('(', begin - 1);
    if (begin == std::string::npos) return text;
    text = OneLine(std::string_view(ast.source).substr(begin, node.end - begin), &open);
  }
  // `case subject when value`: the comparison stands nowhere.
  const bool is_case_test =
      node.kind == NodeKind::kCall && node.text == "eq" && ast[ast.Child(node, 0)].end < node.begin;
  return is_case_test ? Concat(TextOf(ast, ast.Child(node, 0)), " = ", text) : text;
}

bool IsLeaf(const Node& node) {
  return node.child_count == 0 && node.kind != NodeKind::kCall && node.kind != NodeKind::kCase;
}

// Goes through the nodes of a tree, children first.
class Collector {
 public:
  Collector(const Ast& ast, const transform::IrGraph& graph, const transform::Analyzer& analyzer)
      : ast_(ast), graph_(graph), analyzer_(analyzer), reads_(ast.nodes.size()) {}

  void Run() {
    // What is the whole text of its parent is no step of its own: `not` of `is not null`.
    std::vector<std::string> texts(ast_.nodes.size());
    std::vector<bool> hidden(ast_.nodes.size(), false);
    for (NodeId id = 0; id < ast_.nodes.size(); ++id) {
      texts[id] = TextOf(ast_, id);
      for (std::size_t i = 0; i < ast_[id].child_count; ++i) {
        const NodeId child = ast_.Child(ast_[id], i);
        if (texts[child] == texts[id]) hidden[child] = true;
      }
    }
    for (NodeId id = 0; id < ast_.nodes.size(); ++id) {
      const IrId ir = analyzer_.IrOf(id);
      Gather(id);
      if (id == ast_.root || (!hidden[id] && !IsLeaf(ast_[id]) && IsComputed(ir)))
        AddStep(id, ir, std::move(texts[id]));
    }
  }

  std::vector<ExpressionStep> steps;
  std::vector<IrId> roots;

 private:
  // What a node and the hidden ones below it read.
  struct Reads {
    std::vector<std::string> fields;
    std::vector<std::size_t> steps;
  };
  [[nodiscard]] bool IsComputed(IrId ir) const {
    return ir != transform::kNoIr && graph_[ir].op != transform::IrOp::kConstant;
  }

  template <class T>
  static void AddNew(const T& item, std::vector<T>* to) {
    if (std::find(to->begin(), to->end(), item) == to->end()) to->push_back(item);
  }

  void Gather(NodeId id) {
    const Node& node = ast_[id];
    Reads& reads = reads_[id];
    const IrId ir = analyzer_.IrOf(id);
    if (node.kind == NodeKind::kColumn && ir != transform::kNoIr) reads.fields.push_back(node.text);
    for (std::size_t i = 0; i < node.child_count; ++i) {
      const Reads& child = reads_[ast_.Child(node, i)];
      for (const std::string& field : child.fields) AddNew(field, &reads.fields);
      for (const std::size_t step : child.steps) AddNew(step, &reads.steps);
    }
  }

  void AddStep(NodeId id, IrId ir, std::string text) {
    const auto [at, is_new] = known_.try_emplace({ir, text}, steps.size());
    // The whole expression is the last, also when it stands inside itself.
    if (is_new || id == ast_.root) {
      at->second = steps.size();
      steps.push_back({std::move(text), std::move(reads_[id].fields), std::move(reads_[id].steps)});
      roots.push_back(ir);
    }
    reads_[id] = {{}, {at->second}};
  }

  const Ast& ast_;
  const transform::IrGraph& graph_;
  const transform::Analyzer& analyzer_;
  std::vector<Reads> reads_;
  std::map<std::pair<IrId, std::string>, std::size_t> known_;
};

}  // namespace

absl::StatusOr<ExpressionSteps> ExpressionSteps::Make(const NamedExpression& expression,
                                                      std::span<const Field> inputs,
                                                      const CompileOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const Ast ast, transform::Parse(expression.text, inputs, options.limits));
  transform::IrGraph graph(options.limits.program_nodes);
  transform::Analyzer analyzer(&graph, inputs, options);
  LARDER_RETURN_IF_ERROR(analyzer.Lower(ast).status());
  Collector collector(ast, graph, analyzer);
  collector.Run();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < collector.roots.size(); ++i) names.push_back(Concat("step_", i));
  return ExpressionSteps(Program(transform::Generate(graph, collector.roots, names, inputs)),
                         std::move(collector.steps));
}

}  // namespace larder::inline LARDER_ABI
