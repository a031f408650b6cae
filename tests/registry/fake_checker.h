// A small expression checker for tests of this module, which must not know transform/: names, numbers, texts, a few
// operators and functions, enough for types to matter.
#pragma once

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/text.h"
#include "larder/schema/expression_checker.h"

namespace larder_test {

// Types: a comparison is bool; / is float64; text functions give string; hash_bucket and date differences int64; else
// the widest number read. The canonical form is the tokens with single blanks.
class FakeChecker : public larder::ExpressionChecker {
 public:
  mutable int calls = 0;

  absl::StatusOr<larder::CheckedExpression> Check(
      std::string_view text, std::span<const larder::Field> inputs) const override {
    using larder::DataType;
    using larder::TypeId;
    ++calls;
    larder::CheckedExpression out;
    out.pinned = text;
    std::set<std::string> names;
    std::vector<std::string> known;
    for (const larder::Field& field : inputs) known.push_back(field.name);
    std::vector<std::string> tokens;
    std::vector<std::size_t> places;
    if (!Tokens(text, &tokens, &places) || tokens.empty()) {
      return larder::InvalidArgumentError("1:1: cannot read ", larder::Quoted(text));
    }
    // `name = expression` names its result.
    if (tokens.size() > 2 && tokens[1] == "=") {
      tokens.erase(tokens.begin(), tokens.begin() + 2);
      places.erase(places.begin(), places.begin() + 2);
      out.body = places.front();
    }
    bool comparison = false, division = false, text_result = false, integer_result = false;
    bool has_float = false, has_number = false;
    std::vector<DataType> types;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const std::string& token = tokens[i];
      const bool call = i + 1 < tokens.size() && tokens[i + 1] == "(";
      if (token == "current_date" || token == "now") {
        out.uses_clock = true;
        types.emplace_back(token == "now" ? TypeId::kTimestamp : TypeId::kDate);
      } else if (token == ">" || token == "<" || token == ">=" || token == "<=") {
        comparison = true;
      } else if (token == "/") {
        division = true;
      } else if (call && (token == "lower" || token == "upper")) {
        text_result = true;
      } else if (call && (token == "hash_bucket" || token == "years_between")) {
        integer_result = true;
      } else if (std::isdigit(static_cast<unsigned char>(token[0])) != 0) {
        has_number = true;
        has_float = has_float || token.find('.') != std::string::npos;
      } else if (std::isalpha(static_cast<unsigned char>(token[0])) != 0 && !call) {
        const auto found = std::find(known.begin(), known.end(), token);
        if (found == known.end()) {
          return larder::InvalidArgumentError("1:", text.find(token) + 1, ": unknown name: ", token,
                                              larder::DidYouMean(token, known));
        }
        types.push_back(inputs[static_cast<std::size_t>(found - known.begin())].type);
        names.insert(token);
        const std::size_t quotes = text[places[i]] == '"' ? 2 : 0;
        out.uses.push_back({token, places[i], places[i] + token.size() + quotes});
      }
    }
    DataType widest = has_float ? TypeId::kFloat64 : TypeId::kInt64;
    if (!types.empty() && !has_float) widest = types.front();
    for (const DataType& type : types) {
      if (type.is_float()) widest = TypeId::kFloat64;
    }
    const bool dates = types.size() == 2 && tokens.size() == 3 && tokens[1] == "-" &&
                       types[0].id() == TypeId::kDate && types[1].id() == TypeId::kDate;
    out.type = comparison                ? DataType(TypeId::kBool)
               : integer_result || dates ? DataType(TypeId::kInt64)
               : text_result             ? DataType(TypeId::kString)
               : division                ? DataType(TypeId::kFloat64)
                                         : widest;
    (void)has_number;
    out.inputs.assign(names.begin(), names.end());
    out.canonical = larder::Join(tokens, " ");
    return out;
  }

 private:
  static bool Tokens(std::string_view text, std::vector<std::string>* out,
                     std::vector<std::size_t>* places) {
    for (std::size_t i = 0; i < text.size();) {
      const auto c = static_cast<unsigned char>(text[i]);
      std::size_t end = i + 1;
      if (std::isspace(c) != 0) {
        ++i;
        continue;
      }
      if (std::isalnum(c) != 0 || c == '_') {
        while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 ||
                                     text[end] == '_' || text[end] == '.')) {
          ++end;
        }
      } else if (c == '"') {
        end = text.find('"', i + 1);
        if (end == std::string_view::npos) return false;
        out->emplace_back(text.substr(i + 1, end - i - 1));
        places->push_back(i);
        i = end + 1;
        continue;
      } else if (std::string_view("+-*/(),<>=").find(text[i]) == std::string_view::npos) {
        return false;
      }
      out->emplace_back(text.substr(i, end - i));
      places->push_back(i);
      i = end;
    }
    return true;
  }
};

}  // namespace larder_test
