#include "transform/lexer.h"

#include <array>

#include "larder/base/text.h"
#include "transform/diagnostics.h"

namespace larder::inline LARDER_ABI {
namespace transform {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

constexpr std::array<std::string_view, 9> kTwoByteSymbols = {
    "==", "!=", "<>", "<=", ">=", "||", "//", "::", "=>"};
constexpr std::string_view kOneByteSymbols = "()[],+-*/%=<>.";

bool IsDurationUnit(std::string_view unit) {
  for (const std::string_view known : {"us", "ms", "s", "m", "h", "d", "w"}) {
    if (unit == known) return true;
  }
  return false;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {}

  absl::StatusOr<std::vector<Token>> Run() {
    std::vector<Token> tokens;
    for (;;) {
      SkipBlanks();
      if (at_ >= source_.size()) break;
      LARDER_ASSIGN_OR_RETURN(const TokenKind kind, Next());
      tokens.push_back(Make(kind));
      begin_ = at_;
    }
    begin_ = at_;
    tokens.push_back(Make(TokenKind::kEnd));
    return tokens;
  }

 private:
  Token Make(TokenKind kind) const {
    return {kind, static_cast<uint32_t>(begin_), static_cast<uint32_t>(at_),
            source_.substr(begin_, at_ - begin_)};
  }
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }

  void SkipBlanks() {
    while (at_ < source_.size()) {
      if (IsBlank(source_[at_])) {
        ++at_;
      } else if (source_.substr(at_, 2) == "--") {
        while (at_ < source_.size() && source_[at_] != '\n') ++at_;
      } else {
        break;
      }
    }
    begin_ = at_;
  }

  absl::StatusOr<TokenKind> Next() {
    const char c = source_[at_];
    if (IsLetter(c)) return Name();
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number();
    if (c == '\'' || c == '"') return Quoted(c);
    for (const std::string_view symbol : kTwoByteSymbols) {
      if (source_.substr(at_, 2) == symbol) {
        at_ += 2;
        return TokenKind::kSymbol;
      }
    }
    if (kOneByteSymbols.find(c) != std::string_view::npos) {
      ++at_;
      return TokenKind::kSymbol;
    }
    return Unexpected(c);
  }

  absl::Status Unexpected(char c) const {
    std::size_t end = at_ + 1;
    while (end < source_.size() && (static_cast<unsigned char>(source_[end]) & 0xC0U) == 0x80U)
      ++end;
    std::string_view advice;
    if (c == '^') advice = "; a power is written pow(x, y)";
    if (c == '&' || c == '|') advice = "; write the words and, or";
    if (c == '!') advice = "; write the word not";
    if (c == '?') advice = "; a condition is written if(c, a, b)";
    if (static_cast<unsigned char>(c) < 0x20)
      return ErrorAt(source_, at_, end, "unexpected control character");
    return ErrorAt(source_, at_, end,
                   Concat("unexpected character \"", source_.substr(at_, end - at_), "\"", advice));
  }

  TokenKind Name() {
    for (;;) {
      while (IsLetter(Peek()) || IsDigit(Peek())) ++at_;
      if (Peek() == '.' && IsLetter(Peek(1))) {
        ++at_;
        continue;
      }
      // name@3: a C++ function or fitted constants in a version; name@3#0f2a: exactly those.
      if (Peek() == '@' && IsDigit(Peek(1))) {
        ++at_;
        while (IsDigit(Peek())) ++at_;
        if (Peek() == '#' && (IsDigit(Peek(1)) || IsLetter(Peek(1)))) {
          ++at_;
          while (IsDigit(Peek()) || IsLetter(Peek())) ++at_;
        }
      }
      return TokenKind::kName;
    }
  }

  absl::StatusOr<TokenKind> Number() {
    while (IsDigit(Peek())) ++at_;
    TokenKind kind = TokenKind::kInteger;
    if (Peek() == '.') {
      kind = TokenKind::kDecimal;
      ++at_;
      while (IsDigit(Peek())) ++at_;
    }
    if ((Peek() == 'e' || Peek() == 'E') &&
        (IsDigit(Peek(1)) || ((Peek(1) == '+' || Peek(1) == '-') && IsDigit(Peek(2))))) {
      kind = TokenKind::kDecimal;
      at_ += 2;
      while (IsDigit(Peek())) ++at_;
    }
    if (!IsLetter(Peek())) return kind;
    if (kind == TokenKind::kInteger) return DurationTail();
    return BadNumber();
  }

  // The digits have been read; what follows must be `unit (digits unit)*`.
  absl::StatusOr<TokenKind> DurationTail() {
    for (;;) {
      const std::size_t unit_begin = at_;
      while (IsLetter(Peek())) ++at_;
      if (!IsDurationUnit(source_.substr(unit_begin, at_ - unit_begin))) return BadNumber();
      if (!IsDigit(Peek())) return TokenKind::kDuration;
      while (IsDigit(Peek())) ++at_;
    }
  }

  absl::Status BadNumber() {
    while (IsLetter(Peek()) || IsDigit(Peek())) ++at_;
    return ErrorAt(
        source_, begin_, at_,
        Concat("\"", source_.substr(begin_, at_ - begin_),
               "\" is neither a number nor a duration (units are us, ms, s, m, h, d, w)"));
  }

  absl::StatusOr<TokenKind> Quoted(char quote) {
    ++at_;
    for (;;) {
      const std::size_t close = source_.find(quote, at_);
      if (close == std::string_view::npos) {
        return ErrorAt(source_, begin_, begin_ + 1,
                       quote == '\'' ? "this text has no closing quote"
                                     : "this quoted name has no closing quote");
      }
      at_ = close + 1;
      if (Peek() != quote) break;
      ++at_;
    }
    return quote == '\'' ? TokenKind::kString : TokenKind::kQuotedName;
  }

  std::string_view source_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<Token>> Tokenize(std::string_view source) {
  if (!IsValidUtf8(source)) return InvalidArgumentError("the expression is not valid UTF-8");
  return Lexer(source).Run();
}

std::string Unquote(std::string_view token) {
  const char quote = token.front();
  std::string out;
  for (std::size_t i = 1; i + 1 < token.size(); ++i) {
    out.push_back(token[i]);
    if (token[i] == quote) ++i;
  }
  return out;
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
