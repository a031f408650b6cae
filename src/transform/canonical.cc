#include "transform/canonical.h"

#include <vector>

#include "larder/base/text.h"
#include "larder/base/time.h"
#include "transform/conversion.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

std::string Quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out.push_back(c);
    if (c == quote) out.push_back(c);
  }
  out.push_back(quote);
  return out;
}

std::string NumberText(double value) {
  std::string text = Concat(value);
  // 1e22 and 100 are decimals too: without a mark they would read back as integers.
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::string CanonicalText(const Ast& ast, const Analyzer& analyzer) {
  std::vector<uint32_t> uses(ast.nodes.size(), 0);
  for (const NodeId child : ast.children) ++uses[child];
  std::vector<std::string> texts(ast.nodes.size());
  std::string shared;
  std::size_t shared_count = 0;
  for (NodeId id = 0; id < ast.nodes.size(); ++id) {
    const Node& node = ast[id];
    std::string text;
    const auto list_children = [&] {
      for (std::size_t i = 0; i < node.child_count; ++i) {
        if (i != 0) text += ", ";
        const NodeId child = ast.Child(node, i);
        text += uses[child] == 1 ? std::move(texts[child]) : texts[child];
      }
    };
    switch (node.kind) {
      case NodeKind::kNull:
        text = "null";
        break;
      case NodeKind::kBool:
        text = node.integer != 0 ? "true" : "false";
        break;
      case NodeKind::kInteger:
        text = Concat(node.unsigned_integer);
        break;
      case NodeKind::kDecimal:
        text = NumberText(node.number);
        break;
      case NodeKind::kString:
        text = Quoted(node.text, '\'');
        break;
      case NodeKind::kDate:
        text = Concat("date '", FormatDate({static_cast<int32_t>(node.integer)}), "'");
        break;
      case NodeKind::kTimestamp:
        text = Concat("timestamp '", FormatTimestamp({node.integer}), "'");
        break;
      case NodeKind::kDuration:
        text = Concat("duration '", FormatDuration({node.integer}), "'");
        break;
      case NodeKind::kColumn:
        text =
            analyzer.NoteOf(id).empty() ? Quoted(node.text, '"') : std::string(analyzer.NoteOf(id));
        break;
      case NodeKind::kList:
        text = "[";
        list_children();
        text += "]";
        break;
      case NodeKind::kCall:
        text = Concat(analyzer.NoteOf(id).empty() ? node.text : analyzer.NoteOf(id), "(");
        list_children();
        text += ")";
        break;
      case NodeKind::kCase:
        text = "case(";
        list_children();
        text += ")";
        break;
      case NodeKind::kCast:
        text = node.flag ? "try_cast(" : "cast(";
        list_children();
        text += Concat(
            " as ", TypeNamed(node.text).has_value() ? TypeName(*TypeNamed(node.text)) : node.text,
            ")");
        break;
    }
    if (uses[id] > 1 && node.child_count != 0) {
      shared += Concat("#", ++shared_count, " := ", text, "; ");
      text = Concat("#", shared_count);
    }
    texts[id] = std::move(text);
  }
  return shared + texts[ast.root];
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
