// docs/reference/functions.md: every example gives the result written beside it, and every function is there.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "larder/base/text.h"
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
  while (std::getline(file, line)) {
    if (!ExampleOf(line, &example, &result)) continue;
    ++examples;
    INFO(line);
    CHECK(Evaluate(example).text == result);
  }
  CHECK(examples >= 90);
}

TEST_CASE("every built-in function is documented", "[transform][docs]") {
  std::ifstream file(std::string(LARDER_SOURCE_DIR) + "/docs/reference/functions.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string page = text.str();
  // Operators have signs, and what composites are made of is not for people.
  const std::string hidden[] = {"add",
                                "sub",
                                "mul",
                                "div",
                                "idiv",
                                "neg",
                                "eq",
                                "ne",
                                "lt",
                                "le",
                                "gt",
                                "ge",
                                "is_true",
                                "is_false",
                                "concat_op",
                                "hash_combine",
                                "bucket_of_hash"};
  for (const std::string& name : larder::transform::BuiltinTable::Get().names()) {
    if (std::find(std::begin(hidden), std::end(hidden), name) != std::end(hidden)) continue;
    INFO(name);
    CHECK(page.find(name) != std::string::npos);
  }
}

}  // namespace
}  // namespace larder_test
