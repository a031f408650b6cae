// Any bytes through lexer and parser: tokens lie in order inside the text and there are no more of them than bytes; a
// tree has children before parents, holds to its limits, and comes from the same text again.
#include <cstdlib>
#include <string>
#include <string_view>

#include "larder/schema/definitions.h"
#include "transform/lexer.h"
#include "transform/parser.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

bool Same(const larder::transform::Node& a, const larder::transform::Node& b) {
  return a.kind == b.kind && a.flag == b.flag && a.begin == b.begin && a.end == b.end &&
         a.first_child == b.first_child && a.child_count == b.child_count && a.text == b.text &&
         a.integer == b.integer && a.unsigned_integer == b.unsigned_integer;
}

void CheckTokens(std::string_view text) {
  using larder::transform::TokenKind;
  const auto tokens = larder::transform::Tokenize(text);
  if (!tokens.ok()) return;
  Require(!tokens->empty() && tokens->size() <= text.size() + 1);
  Require(tokens->back().kind == TokenKind::kEnd);
  std::size_t at = 0;
  for (const larder::transform::Token& token : *tokens) {
    Require(at <= token.begin && token.begin <= token.end && token.end <= text.size());
    if (token.kind != TokenKind::kEnd) {
      Require(token.begin < token.end &&
              token.text == text.substr(token.begin, token.end - token.begin));
    }
    if (token.kind == TokenKind::kString || token.kind == TokenKind::kQuotedName) {
      Require(larder::transform::Unquote(token.text).size() + 2 <= token.text.size());
    }
    at = token.end;
  }
}

void CheckTree(std::string_view text, const larder::ExpressionLimits& limits) {
  larder::Field field;
  field.name = "f";
  field.type = larder::TypeId::kFloat64;
  const auto tree = larder::transform::Parse(text, {&field, 1}, limits);
  const auto again = larder::transform::Parse(std::string(text), {&field, 1}, limits);
  Require(tree.ok() == again.ok());
  if (!tree.ok()) return;
  Require(!tree->nodes.empty() && tree->nodes.size() <= limits.nodes);
  Require(tree->root < tree->nodes.size() && tree->nodes.size() == again->nodes.size());
  for (std::size_t id = 0; id < tree->nodes.size(); ++id) {
    const larder::transform::Node& node = tree->nodes[id];
    Require(node.begin <= node.end && node.end <= text.size());
    Require(Same(node, again->nodes[id]));
    for (std::size_t i = 0; i < node.child_count; ++i) {
      Require(node.first_child + i < tree->children.size() && tree->Child(node, i) < id);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CheckTokens(text);
  CheckTree(text, {});
  CheckTree(text, larder::ExpressionLimits::Hardened());
  return 0;
}
