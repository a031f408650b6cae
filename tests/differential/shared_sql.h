// The part of the language that larder and DuckDB share, as operations with a spelling for each, and random expressions
// over it. Where the two differ on purpose an operation names the rule (docs/explanation/duckdb_differences.md) and its
// SQL spelling says in SQL what larder's means, so that nothing is left out of the comparison.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "larder/column/batch.h"
#include "larder/schema/definitions.h"
#include "support/random.h"

namespace larder_test {

enum class SqlKind {
  kBool,
  kInt,
  kFloat,
  kText,
  kDate,
  kTimestamp,
  kClose,  // a float64 that may differ in its last bits; only at the root
  // Only as arguments:
  kAscii,        // a column of ASCII texts
  kLikePattern,  // constants
  kRegex,
  kDigits,
  kPosition,
};

struct SharedOperation {
  SqlKind result;
  std::vector<SqlKind> arguments;
  std::string larder;  // $0, $1, ... are the arguments
  std::string sql;     // empty: the same
  std::string rule;    // the rule of the differences page that made `sql` another text; empty: none
};

// Built once.
const std::vector<SharedOperation>& SharedOperations();
// SQL that defines what the spellings above use.
const std::vector<std::string>& SharedMacros();

struct SharedTree {
  SqlKind kind = SqlKind::kInt;
  int operation = -1;  // index into SharedOperations(); -1: a leaf
  std::string larder;  // of a leaf
  std::string sql;
  std::vector<std::unique_ptr<SharedTree>> children;
};

class SharedExpressions {
 public:
  explicit SharedExpressions(Random* random) : random_(*random) {}

  static const std::vector<larder::Field>& Fields();
  // Nulls, NaN, both zeros, infinities, extreme integers and dates, empty and odd texts.
  larder::Batch MakeRows(std::size_t count);
  std::unique_ptr<SharedTree> MakeTree(SqlKind kind, int depth);
  SqlKind AnyRoot() { return static_cast<SqlKind>(random_.Between(0, 6)); }

 private:
  larder::Value AnyValue(SqlKind kind);
  std::unique_ptr<SharedTree> MakeLeaf(SqlKind kind);
  Random& random_;
};

std::string LarderText(const SharedTree& tree);
std::string SqlText(const SharedTree& tree);
std::size_t SizeOf(const SharedTree& tree);

}  // namespace larder_test
