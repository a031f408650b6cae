// docs/reference/functions.md: every example gives the result written beside it, and every function is there.
#include <fstream>
#include <set>

#include "larder/base/text.h"
#include "larder/transform/fitted.h"
#include "support/catch.h"
#include "transform/builtin.h"
#include "transform/expression_harness.h"

namespace larder_test {
namespace {

std::string Unescaped(std::string text) {
  for (std::size_t at = text.find("\\|"); at != std::string::npos; at = text.find("\\|"))
    text.erase(at, 1);
  return text;
}

// The last two cells of a table line, when both are code.
bool ExampleOf(const std::string& line, std::string* example, std::string* result) {
  std::vector<std::string> cells;
  std::string cell;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '|' && line[i - 1] != '\\') {
      cells.push_back(std::string(larder::TrimAscii(cell)));
      cell.clear();
    } else {
      cell.push_back(line[i]);
    }
  }
  if (line.empty() || line[0] != '|' || cells.size() < 2) return false;
  const std::string& a = cells[cells.size() - 2];
  const std::string& b = cells[cells.size() - 1];
  if (a.size() < 3 || a.front() != '`' || a.back() != '`' || b.size() < 2 || b.front() != '`' ||
      b.back() != '`')
    return false;
  *example = Unescaped(a.substr(1, a.size() - 2));
  *result = b.substr(1, b.size() - 2);
  return true;
}

TEST_CASE("every documented example gives its documented result", "[transform][docs]") {
  std::ifstream file(std::string(LARDER_SOURCE_DIR) + "/docs/reference/functions.md");
  REQUIRE(file.is_open());
  std::string line;
  std::string example;
  std::string result;
  int examples = 0;
  larder::FittedConstants fitted;
  REQUIRE(fitted.Add("fit", 1, {10, 5, 2, 0, 10, {2, 8}, {"b", "a"}}).ok());
  larder::CompileOptions options;
  options.fitted = &fitted;
  while (std::getline(file, line)) {
    if (!ExampleOf(line, &example, &result)) continue;
    ++examples;
    INFO(line);
    CHECK(Evaluate(example, options).text == result);
  }
  CHECK(examples >= 160);
}

TEST_CASE("every function has an example of its own", "[transform][docs]") {
  std::ifstream file(std::string(LARDER_SOURCE_DIR) + "/docs/reference/functions.md");
  std::string line;
  std::string result;
  std::string examples;
  while (std::getline(file, line)) {
    std::string example;
    if (ExampleOf(line, &example, &result)) examples += " " + example;
  }
  // Operators have signs, some are words, and what composites are made of is not for people.
  const std::set<std::string, std::less<>> others = {
      "add", "sub",     "mul",      "div",         "idiv",      "neg",          "eq",
      "ne",  "lt",      "le",       "gt",          "ge",        "is_true",      "is_false",
      "and", "or",      "not",      "is_null",     "concat_op", "hash_combine", "bucket_of_hash",
      "in",  "between", "distinct", "is_distinct", "ilike",     "like"};
  for (const std::string& name : larder::transform::BuiltinTable::Get().names()) {
    if (others.contains(name)) continue;
    INFO(name);
    CHECK((examples.find(" " + name + "(") != std::string::npos ||
           examples.find("(" + name + "(") != std::string::npos));
  }
}

}  // namespace
}  // namespace larder_test
