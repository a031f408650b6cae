#include "transform/parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "larder/base/text.h"
#include "larder/base/time.h"
#include "transform/diagnostics.h"
#include "transform/lexer.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

// Weakest first. A comparison does not chain: `a < b < c` is refused.
enum Precedence : int { kNone, kOr, kAnd, kNot, kComparison, kConcat, kSum, kProduct, kUnary };

struct BinaryOperator {
  std::string_view symbol;
  std::string_view function;
  Precedence precedence;
};
constexpr std::array<BinaryOperator, 16> kBinaryOperators = {{
    {"or", "or", kOr},
    {"and", "and", kAnd},
    {"=", "eq", kComparison},
    {"==", "eq", kComparison},
    {"!=", "ne", kComparison},
    {"<>", "ne", kComparison},
    {"<", "lt", kComparison},
    {"<=", "le", kComparison},
    {">", "gt", kComparison},
    {">=", "ge", kComparison},
    {"||", "concat_op", kConcat},
    {"+", "add", kSum},
    {"-", "sub", kSum},
    {"*", "mul", kProduct},
    {"/", "div", kProduct},
    {"//", "idiv", kProduct},
}};

constexpr std::array<std::string_view, 21> kReserved = {
    "case", "when", "then",     "else", "end",  "and",      "or",
    "not",  "in",   "is",       "null", "true", "false",    "between",
    "like", "cast", "try_cast", "as",   "from", "distinct", "ilike"};

// What signs and other functions are made of has names too, which are not for writing.
struct InnerName {
  std::string_view name;
  std::string_view instead;
};
constexpr std::array<InnerName, 19> kInnerNames = {{
    {"add", "x + y"},
    {"sub", "x - y"},
    {"mul", "x * y"},
    {"div", "x / y"},
    {"idiv", "x // y"},
    {"neg", "-x"},
    {"eq", "x = y"},
    {"ne", "x <> y"},
    {"lt", "x < y"},
    {"le", "x <= y"},
    {"gt", "x > y"},
    {"ge", "x >= y"},
    {"concat_op", "x || y"},
    {"is_true", "x is true"},
    {"is_false", "x is false"},
    {"is_null", "x is null"},
    {"is_distinct", "x is distinct from y"},
    {"hash_combine", "cross(x, y, ..., buckets)"},
    {"bucket_of_hash", "hash_bucket(x, buckets)"},
}};

// What extract takes.
constexpr std::array<std::string_view, 14> kParts = {
    "microsecond", "millisecond", "second", "minute", "hour",   "day", "week",
    "month",       "quarter",     "year",   "dow",    "isodow", "doy", "epoch"};

class Parser {
 public:
  Parser(std::string_view source, std::vector<Token> tokens, std::span<const Field> inputs,
         const ExpressionLimits& limits)
      : source_(source), tokens_(std::move(tokens)), inputs_(inputs), limits_(limits) {}

  absl::StatusOr<Ast> Run() {
    ast_.source = std::string(source_);
    TakeDefinedName();
    ast_.body = Peek().begin;
    if (Peek().kind == TokenKind::kEnd) return ErrorAt(source_, 0, 0, "the expression is empty");
    LARDER_ASSIGN_OR_RETURN(ast_.root, Expression(kNone));
    if (Peek().kind != TokenKind::kEnd)
      return Unexpected("an operator or the end of the expression");
    return std::move(ast_);
  }

 private:
  const Token& Peek(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  const Token& Take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool IsSymbol(std::string_view symbol, std::size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kSymbol && Peek(ahead).text == symbol;
  }
  bool IsWord(std::string_view word, std::size_t ahead = 0) const {
    return Peek(ahead).kind == TokenKind::kName && EqualsIgnoreCase(Peek(ahead).text, word);
  }
  bool TakeSymbol(std::string_view symbol) { return IsSymbol(symbol) && (Take(), true); }
  bool TakeWord(std::string_view word) { return IsWord(word) && (Take(), true); }

  absl::Status Unexpected(std::string_view expected) const {
    const Token& token = Peek();
    if (token.kind == TokenKind::kEnd) {
      return ErrorAt(source_, token.begin, token.end,
                     Concat("the expression ends where ", expected, " was expected"));
    }
    return ErrorAt(source_, token.begin, token.end,
                   Concat("unexpected ", token.text, ", expected ", expected));
  }
  absl::Status Expect(std::string_view symbol, std::string_view expected) {
    if (TakeSymbol(symbol)) return absl::OkStatus();
    return Unexpected(expected);
  }
  absl::Status ExpectWord(std::string_view word, std::string_view expected) {
    if (TakeWord(word)) return absl::OkStatus();
    return Unexpected(expected);
  }

  void TakeDefinedName() {
    if ((Peek().kind != TokenKind::kName && Peek().kind != TokenKind::kQuotedName) ||
        !IsSymbol("=", 1))
      return;
    const std::string name =
        Peek().kind == TokenKind::kName ? std::string(Peek().text) : Unquote(Peek().text);
    if (!IsValidName(name)) return;
    for (const std::string_view word : kReserved) {
      if (EqualsIgnoreCase(word, name)) return;
    }
    if (EqualsIgnoreCase(name, "current_date")) return;
    for (const Field& input : inputs_) {
      if (input.name == name) return;
    }
    ast_.defined_name = name;
    at_ += 2;
  }

  // --- nodes -------------------------------------------------------------------------------------------------------
  absl::StatusOr<NodeId> Add(Node node, std::span<const NodeId> children = {}) {
    if (ast_.nodes.size() >= limits_.nodes) {
      return WithKind(ErrorAt(source_, node.begin, node.end,
                              Concat("the expression has more than ", limits_.nodes, " parts")),
                      ErrorKind::kTooLarge);
    }
    node.first_child = static_cast<uint32_t>(ast_.children.size());
    node.child_count = static_cast<uint32_t>(children.size());
    ast_.children.insert(ast_.children.end(), children.begin(), children.end());
    ast_.nodes.push_back(std::move(node));
    return static_cast<NodeId>(ast_.nodes.size() - 1);
  }
  absl::StatusOr<NodeId> Call(std::string_view function, std::size_t begin,
                              std::span<const NodeId> arguments) {
    Node node;
    node.kind = NodeKind::kCall;
    node.text = std::string(function);
    node.begin = static_cast<uint32_t>(begin);
    node.end = LastEnd();
    return Add(std::move(node), arguments);
  }
  absl::StatusOr<NodeId> Call(std::string_view function, std::size_t begin,
                              std::initializer_list<NodeId> arguments) {
    return Call(function, begin, std::span<const NodeId>(arguments.begin(), arguments.size()));
  }
  uint32_t LastEnd() const { return at_ == 0 ? 0 : tokens_[at_ - 1].end; }
  Node Leaf(NodeKind kind, const Token& token) const {
    Node node;
    node.kind = kind;
    node.begin = token.begin;
    node.end = token.end;
    return node;
  }

  struct DepthGuard {
    explicit DepthGuard(std::size_t& d) : depth(d) { ++depth; }
    ~DepthGuard() { --depth; }
    std::size_t& depth;
  };
  absl::Status CheckDepth() const {
    if (depth_ <= limits_.depth) return absl::OkStatus();
    return WithKind(ErrorAt(source_, Peek().begin, Peek().end,
                            Concat("the expression is nested more than ", limits_.depth, " deep")),
                    ErrorKind::kTooLarge);
  }

  // --- operators ---------------------------------------------------------------------------------------------------
  // Parses an operand and every operator binding tighter than `floor`. Recursion between two nested operands is at
  // most one frame per precedence level, so depth_ bounds the stack.
  absl::StatusOr<NodeId> Expression(int floor) {
    LARDER_ASSIGN_OR_RETURN(NodeId left, Prefix());
    for (;;) {
      const std::size_t begin = ast_[left].begin;
      if (floor < kComparison &&
          (IsWord("is") || IsWord("in") || IsWord("between") || IsWord("like") || IsWord("ilike") ||
           (IsWord("not") && !IsSymbol("(", 1)))) {
        LARDER_ASSIGN_OR_RETURN(left, WordComparison(left));
        LARDER_RETURN_IF_ERROR(RefuseChain());
        continue;
      }
      const BinaryOperator* op = FindBinary();
      if (op == nullptr || op->precedence <= floor) return left;
      Take();
      LARDER_ASSIGN_OR_RETURN(const NodeId right, Expression(op->precedence));
      LARDER_ASSIGN_OR_RETURN(left, Call(op->function, begin, {left, right}));
      if (op->precedence == kComparison) LARDER_RETURN_IF_ERROR(RefuseChain());
    }
  }

  absl::Status RefuseChain() const {
    const BinaryOperator* next = FindBinary();
    if (next == nullptr || next->precedence != kComparison) return absl::OkStatus();
    return ErrorAt(source_, Peek().begin, Peek().end,
                   "comparisons do not chain; write a < b and b < c, or use parentheses");
  }

  const BinaryOperator* FindBinary() const {
    const Token& token = Peek();
    if (token.kind != TokenKind::kSymbol && token.kind != TokenKind::kName) return nullptr;
    static constexpr BinaryOperator kModulo = {"%", "mod", kProduct};
    if (token.text == "%") return &kModulo;
    for (const BinaryOperator& op : kBinaryOperators) {
      if (token.kind == TokenKind::kSymbol ? token.text == op.symbol
                                           : EqualsIgnoreCase(token.text, op.symbol))
        return &op;
    }
    return nullptr;
  }

  // `is [not] null | true | false | distinct from x`, `[not] in (...)`, `[not] between a and b`, `[not] like p`.
  absl::StatusOr<NodeId> WordComparison(NodeId left) {
    const std::size_t begin = ast_[left].begin;
    if (TakeWord("is")) {
      const bool negated = TakeWord("not");
      absl::StatusOr<NodeId> test = IsTest(left, begin);
      if (!test.ok() || !negated) return test;
      return Call("not", begin, {*test});
    }
    const bool negated = TakeWord("not");
    absl::StatusOr<NodeId> test = MembershipTest(left, begin);
    if (!test.ok() || !negated) return test;
    return Call("not", begin, {*test});
  }

  absl::StatusOr<NodeId> IsTest(NodeId left, std::size_t begin) {
    if (TakeWord("null")) return Call("is_null", begin, {left});
    if (TakeWord("true")) return Call("is_true", begin, {left});
    if (TakeWord("false")) return Call("is_false", begin, {left});
    if (TakeWord("distinct")) {
      LARDER_RETURN_IF_ERROR(ExpectWord("from", "from after is distinct"));
      LARDER_ASSIGN_OR_RETURN(const NodeId right, Expression(kComparison));
      return Call("is_distinct", begin, {left, right});
    }
    return Unexpected("null, true, false or distinct from after is");
  }

  absl::StatusOr<NodeId> MembershipTest(NodeId left, std::size_t begin) {
    if (TakeWord("in")) {
      const bool bracket = IsSymbol("[");
      if (!bracket) LARDER_RETURN_IF_ERROR(Expect("(", "( after in"));
      if (bracket) Take();
      std::vector<NodeId> arguments = {left};
      LARDER_RETURN_IF_ERROR(ArgumentList(bracket ? "]" : ")", &arguments));
      if (arguments.size() == 1)
        return ErrorAt(source_, begin, LastEnd(), "in needs at least one value");
      return Call("in", begin, arguments);
    }
    if (TakeWord("between")) {
      LARDER_ASSIGN_OR_RETURN(const NodeId low, Expression(kComparison));
      LARDER_RETURN_IF_ERROR(ExpectWord("and", "and between the two bounds"));
      LARDER_ASSIGN_OR_RETURN(const NodeId high, Expression(kComparison));
      LARDER_ASSIGN_OR_RETURN(const NodeId above, Call("ge", begin, {left, low}));
      LARDER_ASSIGN_OR_RETURN(const NodeId below, Call("le", begin, {left, high}));
      return Call("and", begin, {above, below});
    }
    if (IsWord("like") || IsWord("ilike")) {
      const std::string function = ToLowerAscii(Take().text);
      LARDER_ASSIGN_OR_RETURN(const NodeId pattern, Expression(kComparison));
      return Call(function, begin, {left, pattern});
    }
    return Unexpected("in, between or like after not");
  }

  absl::StatusOr<NodeId> Prefix() {
    const DepthGuard guard(depth_);
    LARDER_RETURN_IF_ERROR(CheckDepth());
    const std::size_t begin = Peek().begin;
    if (TakeSymbol("-")) {
      LARDER_ASSIGN_OR_RETURN(const NodeId operand, Expression(kUnary));
      return Call("neg", begin, {operand});
    }
    if (TakeSymbol("+")) return Expression(kUnary);
    if (TakeWord("not")) {
      LARDER_ASSIGN_OR_RETURN(const NodeId operand, Expression(kNot));
      return Call("not", begin, {operand});
    }
    LARDER_ASSIGN_OR_RETURN(NodeId operand, Primary());
    for (;;) {
      if (TakeSymbol("::")) {
        LARDER_ASSIGN_OR_RETURN(operand, CastTo(operand, begin, false));
      } else if (TakeSymbol("[")) {
        LARDER_ASSIGN_OR_RETURN(const NodeId index, Expression(kNone));
        LARDER_RETURN_IF_ERROR(Expect("]", "] after the index"));
        LARDER_ASSIGN_OR_RETURN(operand, Call("element", begin, {operand, index}));
      } else {
        return operand;
      }
    }
  }

  // --- operands ----------------------------------------------------------------------------------------------------
  absl::StatusOr<NodeId> Primary() {
    const Token token = Peek();
    switch (token.kind) {
      case TokenKind::kInteger:
        return Integer(Take());
      case TokenKind::kDecimal:
        return Decimal(Take());
      case TokenKind::kDuration: {
        Take();
        return Literal(NodeKind::kDuration, token, token.text);
      }
      case TokenKind::kString: {
        Node node = Leaf(NodeKind::kString, Take());
        node.text = Unquote(token.text);
        return Add(std::move(node));
      }
      case TokenKind::kQuotedName: {
        Node node = Leaf(NodeKind::kColumn, Take());
        node.text = Unquote(token.text);
        return Add(std::move(node));
      }
      case TokenKind::kName:
        return NameOrCall();
      case TokenKind::kSymbol:
        if (TakeSymbol("(")) {
          LARDER_ASSIGN_OR_RETURN(const NodeId inner, Expression(kNone));
          LARDER_RETURN_IF_ERROR(Expect(")", "a closing )"));
          return inner;
        }
        if (TakeSymbol("[")) {
          std::vector<NodeId> items;
          LARDER_RETURN_IF_ERROR(ArgumentList("]", &items));
          Node node = Leaf(NodeKind::kList, token);
          node.end = LastEnd();
          return Add(std::move(node), items);
        }
        break;
      case TokenKind::kEnd:
        break;
    }
    return Unexpected("a value");
  }

  absl::StatusOr<NodeId> Integer(const Token& token) {
    Node node = Leaf(NodeKind::kInteger, token);
    const char* end = token.text.data() + token.text.size();
    const auto result = std::from_chars(token.text.data(), end, node.unsigned_integer);
    if (result.ec != std::errc() || result.ptr != end) {
      return ErrorAt(source_, token.begin, token.end,
                     "this integer is larger than 18446744073709551615");
    }
    return Add(std::move(node));
  }

  absl::StatusOr<NodeId> Decimal(const Token& token) {
    Node node = Leaf(NodeKind::kDecimal, token);
    const char* end = token.text.data() + token.text.size();
    const auto result = std::from_chars(token.text.data(), end, node.number);
    if (result.ec != std::errc() || result.ptr != end) {
      return ErrorAt(source_, token.begin, token.end, "this number does not fit float64");
    }
    return Add(std::move(node));
  }

  absl::StatusOr<NodeId> Literal(NodeKind kind, const Token& token, std::string_view text) {
    Node node = Leaf(kind, token);
    absl::Status status;
    if (kind == NodeKind::kDate) {
      const absl::StatusOr<Date> value = ParseDate(text);
      if (value.ok()) node.integer = value->days;
      status = value.status();
    } else if (kind == NodeKind::kTimestamp) {
      const absl::StatusOr<ParsedTimestamp> value = ParseTimestamp(text);
      if (value.ok()) node.integer = value->value.us;
      status = value.status();
    } else {
      const absl::StatusOr<Duration> value = ParseDuration(text);
      if (value.ok()) node.integer = value->us;
      status = value.status();
    }
    if (!status.ok()) return ErrorAt(source_, token.begin, token.end, MessageOf(status));
    return Add(std::move(node));
  }

  absl::StatusOr<NodeId> NameOrCall() {
    const Token token = Peek();
    const std::string word = ToLowerAscii(token.text);
    if (Peek(1).kind == TokenKind::kString &&
        (word == "date" || word == "timestamp" || word == "duration")) {
      Take();
      const Token text = Take();
      const NodeKind kind = word == "date"        ? NodeKind::kDate
                            : word == "timestamp" ? NodeKind::kTimestamp
                                                  : NodeKind::kDuration;
      return Literal(kind, text, Unquote(text.text));
    }
    if (word == "interval" && !IsSymbol("(", 1)) {
      return ErrorAt(source_, token.begin, token.end,
                     "durations are written 90s, 15m, 12h, 7d, 2w, or duration '1h30m'");
    }
    if (word == "case") return Case();
    if (word == "cast" || word == "try_cast") return CastCall(word == "try_cast");
    if (word == "extract" && IsSymbol("(", 1)) return Extract();
    if (word == "true" || word == "false") {
      Node node = Leaf(NodeKind::kBool, Take());
      node.integer = word == "true";
      return Add(std::move(node));
    }
    if (word == "null") return Add(Leaf(NodeKind::kNull, Take()));
    if (word == "current_date") {
      Take();
      std::vector<NodeId> arguments;
      if (TakeSymbol("(")) LARDER_RETURN_IF_ERROR(ArgumentList(")", &arguments));
      return Call("current_date", token.begin, arguments);
    }
    if (std::find(kReserved.begin(), kReserved.end(), word) != kReserved.end())
      return Unexpected("a value");
    Take();
    if (TakeSymbol("(")) return FunctionCall(word, token);
    Node node = Leaf(NodeKind::kColumn, token);
    node.text = std::string(token.text);
    return Add(std::move(node));
  }

  absl::StatusOr<NodeId> FunctionCall(const std::string& name, const Token& token) {
    std::vector<NodeId> arguments;
    LARDER_RETURN_IF_ERROR(ArgumentList(")", &arguments));
    if (const std::string_view instead = WrittenInstead(name); !instead.empty()) {
      return ErrorAt(source_, token.begin, LastEnd(),
                     Concat(name, " is not a function; write ", instead));
    }
    if (name != "if") return Call(name, token.begin, arguments);
    if (arguments.size() != 2 && arguments.size() != 3) {
      return ErrorAt(source_, token.begin, LastEnd(),
                     "if takes a condition, a value and another value");
    }
    return MakeCase(std::move(arguments), token.begin);
  }

  absl::Status ArgumentList(std::string_view close, std::vector<NodeId>* arguments) {
    if (TakeSymbol(close)) return absl::OkStatus();
    for (;;) {
      LARDER_ASSIGN_OR_RETURN(const NodeId argument, Expression(kNone));
      arguments->push_back(argument);
      if (TakeSymbol(close)) return absl::OkStatus();
      LARDER_RETURN_IF_ERROR(Expect(",", Concat(", or ", close)));
    }
  }

  absl::StatusOr<NodeId> Case() {
    const std::size_t begin = Take().begin;
    std::vector<NodeId> parts;
    NodeId subject = 0;
    const bool has_subject = !IsWord("when");
    if (has_subject) {
      LARDER_ASSIGN_OR_RETURN(subject, Expression(kNone));
      if (!IsWord("when")) return Unexpected("when");
    }
    while (TakeWord("when")) {
      LARDER_ASSIGN_OR_RETURN(NodeId condition, Expression(kNone));
      if (has_subject) {
        LARDER_ASSIGN_OR_RETURN(condition, Call("eq", ast_[condition].begin, {subject, condition}));
      }
      parts.push_back(condition);
      LARDER_RETURN_IF_ERROR(ExpectWord("then", "then"));
      LARDER_ASSIGN_OR_RETURN(const NodeId value, Expression(kNone));
      parts.push_back(value);
    }
    if (TakeWord("else")) {
      LARDER_ASSIGN_OR_RETURN(const NodeId value, Expression(kNone));
      parts.push_back(value);
    }
    LARDER_RETURN_IF_ERROR(ExpectWord("end", "when, else or end"));
    return MakeCase(std::move(parts), begin);
  }

  absl::StatusOr<NodeId> MakeCase(std::vector<NodeId> parts, std::size_t begin) {
    Node node;
    node.begin = static_cast<uint32_t>(begin);
    node.end = LastEnd();
    if (parts.size() % 2 == 0) {
      LARDER_ASSIGN_OR_RETURN(const NodeId otherwise, Add(node));
      parts.push_back(otherwise);
    }
    node.kind = NodeKind::kCase;
    return Add(std::move(node), parts);
  }

  absl::StatusOr<NodeId> CastCall(bool lenient) {
    const std::size_t begin = Take().begin;
    LARDER_RETURN_IF_ERROR(Expect("(", "( after cast"));
    LARDER_ASSIGN_OR_RETURN(const NodeId operand, Expression(kNone));
    LARDER_RETURN_IF_ERROR(ExpectWord("as", "as and a type"));
    LARDER_ASSIGN_OR_RETURN(const NodeId cast, CastTo(operand, begin, lenient));
    LARDER_RETURN_IF_ERROR(Expect(")", "a closing )"));
    ast_.nodes[cast].end = LastEnd();
    return cast;
  }

  absl::StatusOr<NodeId> CastTo(NodeId operand, std::size_t begin, bool lenient) {
    if (Peek().kind != TokenKind::kName) return Unexpected("a type");
    Node node;
    node.kind = NodeKind::kCast;
    node.flag = lenient;
    node.text = ToLowerAscii(Take().text);
    node.begin = static_cast<uint32_t>(begin);
    node.end = LastEnd();
    const NodeId child[] = {operand};
    return Add(std::move(node), child);
  }

  // extract(year from x) is year(x).
  absl::StatusOr<NodeId> Extract() {
    const std::size_t begin = Take().begin;
    Take();
    if (Peek().kind != TokenKind::kName) return Unexpected("a part such as year");
    const Token token = Take();
    const std::string part = ToLowerAscii(token.text);
    if (std::find(kParts.begin(), kParts.end(), part) == kParts.end()) {
      const std::vector<std::string> known(kParts.begin(), kParts.end());
      return ErrorAt(source_, token.begin, token.end,
                     Concat("unknown part \"", part, "\"", DidYouMean(part, known), "; known are ",
                            Join(known, ", ")));
    }
    LARDER_RETURN_IF_ERROR(ExpectWord("from", "from"));
    LARDER_ASSIGN_OR_RETURN(const NodeId operand, Expression(kNone));
    LARDER_RETURN_IF_ERROR(Expect(")", "a closing )"));
    return Call(part, begin, {operand});
  }

  std::string_view source_;
  std::vector<Token> tokens_;
  std::span<const Field> inputs_;
  ExpressionLimits limits_;
  Ast ast_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace

std::string_view WrittenInstead(std::string_view name) {
  for (const InnerName& inner : kInnerNames) {
    if (inner.name == name) return inner.instead;
  }
  return {};
}

bool IsReservedWord(std::string_view word) {
  return std::find(kReserved.begin(), kReserved.end(), word) != kReserved.end();
}

absl::StatusOr<Ast> Parse(std::string_view source, std::span<const Field> inputs,
                          const ExpressionLimits& limits) {
  if (source.size() > limits.text_bytes) {
    return WithKind(InvalidArgumentError("the expression is ", source.size(),
                                         " bytes long, the limit is ", limits.text_bytes),
                    ErrorKind::kTooLarge);
  }
  LARDER_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(source));
  return Parser(source, std::move(tokens), inputs, limits).Run();
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
