// Random expressions of the shared language over random tables: larder and DuckDB give the same values, but for the
// differences that docs/explanation/duckdb_differences.md lists. LARDER_SEED repeats a run, LARDER_CASES makes it longer.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <set>

#include "differential/differences_page.h"
#include "differential/shared_sql.h"
#include "larder/base/text.h"
#include "larder/transform/program.h"
#include "support/catch.h"
#include "support/duckdb_database.h"

namespace larder_test {
namespace {

using larder::Column;
using larder::Concat;
using larder::Value;

absl::StatusOr<DuckDbDatabase> OpenWithMacros() {
  LARDER_ASSIGN_OR_RETURN(DuckDbDatabase database, DuckDbDatabase::Open());
  // What is compared is the meaning of SQL: DuckDB 1.4.4's optimizer rewrites `day <> date_trunc(...)` into something
  // that is true for null.
  LARDER_RETURN_IF_ERROR(database.Run("PRAGMA disable_optimizer"));
  for (const std::string& macro : SharedMacros())
    LARDER_RETURN_IF_ERROR(database.Run(Concat("CREATE MACRO ", macro)));
  return database;
}

absl::StatusOr<Column> LarderColumn(const SharedTree& tree, const larder::Batch& rows) {
  const larder::NamedExpression expression = {"e", LarderText(tree)};
  larder::CompileOptions options;
  options.limits.text_bytes = 1 << 20;
  options.limits.nodes = 1 << 16;
  LARDER_ASSIGN_OR_RETURN(
      const larder::Program program,
      larder::Program::Compile({&expression, 1}, SharedExpressions::Fields(), options));
  LARDER_ASSIGN_OR_RETURN(std::vector<Column> columns, program.EvaluateBatch(rows, {}));
  return std::move(columns[0]);
}

absl::StatusOr<Column> SqlColumn(DuckDbDatabase& database, const SharedTree& tree) {
  LARDER_ASSIGN_OR_RETURN(const larder::Batch batch,
                          database.Query(Concat("SELECT ", SqlText(tree), " AS e FROM t")));
  return batch.column(0);
}

// How many doubles apart.
uint64_t UlpsApart(double a, double b) {
  const auto magnitude = [](double x) { return std::bit_cast<uint64_t>(std::fabs(x)); };
  if (std::signbit(a) != std::signbit(b)) return magnitude(a) + magnitude(b);
  return std::max(magnitude(a), magnitude(b)) - std::min(magnitude(a), magnitude(b));
}

// The C library that DuckDB calls is off by up to 4 units in the last place (cbrt), SLEEF by 1.
constexpr uint64_t kUlpsApart = 5;

bool Same(const Value& larder, const Value& sql, bool close) {
  const double* a = larder.As<double>();
  const double* b = sql.As<double>();
  if (a == nullptr || b == nullptr) return larder == sql;
  if (std::isnan(*a) || std::isnan(*b)) return std::isnan(*a) && std::isnan(*b);
  return close ? UlpsApart(*a, *b) <= kUlpsApart
               : std::bit_cast<uint64_t>(*a) == std::bit_cast<uint64_t>(*b);
}

// The first row that differs, or the number of rows.
std::size_t FirstDifference(const Column& larder, const Column& sql, bool close) {
  std::size_t row = 0;
  while (row < larder.size() && Same(larder.ValueAt(row), sql.ValueAt(row), close)) ++row;
  return row;
}

// Empty when both agree. Otherwise about the smallest part that does not.
std::string Disagreement(DuckDbDatabase& database, const larder::Batch& rows,
                         const SharedTree& tree) {
  for (const auto& child : tree.children) {
    if (child->kind > SqlKind::kClose) continue;
    std::string inner = Disagreement(database, rows, *child);
    if (!inner.empty()) return inner;
  }
  const std::string texts = Concat("larder: ", LarderText(tree), "\nduckdb: ", SqlText(tree), "\n");
  const absl::StatusOr<Column> larder = LarderColumn(tree, rows);
  if (!larder.ok()) return Concat(texts, larder::MessageOf(larder.status()));
  const absl::StatusOr<Column> sql = SqlColumn(database, tree);
  if (!sql.ok()) return Concat(texts, larder::MessageOf(sql.status()));
  if (larder->type() != sql->type())
    return Concat(texts, larder->type().ToString(), " and ", sql->type().ToString());
  const std::size_t row = FirstDifference(*larder, *sql, tree.kind == SqlKind::kClose);
  if (row == larder->size()) return "";
  std::string inputs;
  for (std::size_t c = 0; c < rows.column_count(); ++c) {
    if (texts.find(rows.name(c)) != std::string::npos)
      inputs += Concat(rows.name(c), " = ", larder::FormatValue(rows.column(c).ValueAt(row)), "  ");
  }
  return Concat(texts, inputs, "\nlarder gives ", larder::FormatValue(larder->ValueAt(row)),
                ", duckdb ", larder::FormatValue(sql->ValueAt(row)));
}

void CountOperations(const SharedTree& tree, std::vector<int>* used) {
  if (tree.operation >= 0) ++(*used)[static_cast<std::size_t>(tree.operation)];
  for (const auto& child : tree.children) CountOperations(*child, used);
}

TEST_CASE("larder and DuckDB give the same for random expressions of the shared language",
          "[differential][random]") {
  Random random;
  std::cout << random.Describe() << "\n";
  INFO(random.Describe());
  const char* wanted = std::getenv("LARDER_CASES");
  const std::size_t cases = wanted == nullptr ? 6'000 : std::strtoull(wanted, nullptr, 10);
  constexpr std::size_t kRows = 48;
  constexpr std::size_t kPerQuery = 20;
  constexpr std::size_t kSizeMax = 60;

  auto database = OpenWithMacros();
  REQUIRE(database.ok());
  SharedExpressions expressions(&random);
  std::vector<int> used(SharedOperations().size());
  std::size_t done = 0;
  std::set<std::string> reports;
  while (done < cases && reports.size() < 10) {
    const larder::Batch rows = expressions.MakeRows(kRows);
    REQUIRE(database->PutTable("t", rows).ok());
    std::vector<std::unique_ptr<SharedTree>> trees;
    std::vector<std::string> columns;
    while (trees.size() < kPerQuery) {
      auto tree =
          expressions.MakeTree(expressions.AnyRoot(), static_cast<int>(random.Between(1, 4)));
      if (SizeOf(*tree) > kSizeMax) continue;
      CountOperations(*tree, &used);
      columns.push_back(Concat(SqlText(*tree), " AS e", trees.size()));
      trees.push_back(std::move(tree));
    }
    const auto batch = database->Query(Concat("SELECT ", larder::Join(columns, ", "), " FROM t"));
    for (std::size_t k = 0; k < trees.size(); ++k) {
      const auto mine = LarderColumn(*trees[k], rows);
      if (batch.ok() && mine.ok() && mine->type() == batch->column(k).type() &&
          mine->size() == batch->column(k).size() &&
          FirstDifference(*mine, batch->column(k), trees[k]->kind == SqlKind::kClose) == kRows) {
        continue;
      }
      std::string report = Disagreement(*database, rows, *trees[k]);
      // A query that fails as a whole is the fault of one of its columns.
      if (report.empty() && !batch.ok()) continue;
      if (report.empty()) {
        report = Concat("only in company of others: ", LarderText(*trees[k]),
                        "\nduckdb: ", SqlText(*trees[k]));
      }
      if (reports.insert(report).second) FAIL_CHECK(report);
    }
    done += trees.size();
  }
  std::cout << done << " expressions over " << kRows << " rows each\n";
  REQUIRE(done >= cases);
  for (std::size_t k = 0; k < used.size(); ++k) {
    INFO(SharedOperations()[k].larder << " was never drawn");
    CHECK(used[k] > 0);
  }
}

std::string SqlResult(DuckDbDatabase& database, const std::string& expression) {
  const auto batch = database.Query(Concat("SELECT CAST((", expression, ") AS VARCHAR) AS e"));
  if (!batch.ok()) return "error";
  return batch->column(0).IsValid(0) ? std::string(batch->column(0).Text(0)) : "null";
}

std::string LarderResult(const std::string& expression) {
  const larder::NamedExpression named = {"e", expression};
  const auto program = larder::Program::Compile({&named, 1}, {});
  if (!program.ok()) return "error";
  const auto values = larder::EvaluateRow(*program, {}, {});
  return values.ok() ? larder::FormatValue((*values)[0]) : "error";
}

TEST_CASE("every listed difference is one, and is as listed", "[differential][docs]") {
  auto database = DuckDbDatabase::Open();
  REQUIRE(database.ok());
  const std::vector<ListedDifference> listed = ReadDifferencesPage();
  REQUIRE(listed.size() >= 20);
  for (const ListedDifference& difference : listed) {
    INFO(difference.rule << ": " << difference.larder << " | " << difference.sql);
    CHECK(LarderResult(difference.larder) == difference.larder_gives);
    CHECK(SqlResult(*database, difference.sql) == difference.sql_gives);
    CHECK(difference.larder_gives != difference.sql_gives);
    CHECK(!difference.reason.empty());
  }
}

TEST_CASE("the comparison excuses nothing that the page does not list", "[differential][docs]") {
  std::set<std::string> rules;
  for (const ListedDifference& difference : ReadDifferencesPage()) rules.insert(difference.rule);
  for (const SharedOperation& operation : SharedOperations()) {
    if (operation.rule.empty()) continue;
    INFO(operation.rule << " of " << operation.larder);
    CHECK(rules.count(operation.rule) == 1);
  }
}

}  // namespace
}  // namespace larder_test
