#include <cmath>
#include <limits>

#include "differential/shared_sql.h"
#include "larder/base/text.h"
#include "larder/base/time.h"

namespace larder_test {

using larder::Concat;
using larder::Value;

namespace {

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

struct ColumnKind {
  const char* name;
  SqlKind kind;
  larder::TypeId type;
};
constexpr ColumnKind kColumns[] = {
    {"b", SqlKind::kBool, larder::TypeId::kBool},
    {"i", SqlKind::kInt, larder::TypeId::kInt64},
    {"f", SqlKind::kFloat, larder::TypeId::kFloat64},
    {"t", SqlKind::kText, larder::TypeId::kString},
    {"d", SqlKind::kDate, larder::TypeId::kDate},
    {"w", SqlKind::kTimestamp, larder::TypeId::kTimestamp},
    {"a", SqlKind::kAscii, larder::TypeId::kString},
};

template <class T, std::size_t kSize>
const T& OneOf(Random& random, const T (&items)[kSize]) {
  return items[static_cast<std::size_t>(random.Between(0, static_cast<int64_t>(kSize) - 1))];
}

std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

double AnyFloat(Random& random) {
  static constexpr double kOdd[] = {0.0,
                                    -0.0,
                                    0.5,
                                    -0.5,
                                    1.5,
                                    2.5,
                                    -2.5,
                                    std::numeric_limits<double>::quiet_NaN(),
                                    std::numeric_limits<double>::infinity(),
                                    -std::numeric_limits<double>::infinity(),
                                    5e-324,
                                    std::numeric_limits<double>::max(),
                                    4503599627370495.5,
                                    9007199254740993.0,
                                    9223372036854775808.0,
                                    -9223372036854775808.0,
                                    0.49999999999999994,
                                    1e-300,
                                    0.1};
  if (random.OneIn(2)) return OneOf(random, kOdd);
  return static_cast<double>(random.Between(-1000, 1000)) / 8.0;
}

int64_t AnyInt(Random& random) {
  static constexpr int64_t kOdd[] = {
      0, 1, -1, kMin, kMin + 1, kMax, kMax - 1, 1 << 20, 4503599627370497, 9007199254740993, 86400};
  if (random.OneIn(3)) return OneOf(random, kOdd);
  return random.Between(-20, 20);
}

const std::string& AnyText(Random& random) {
  static const std::string kTexts[] = {"",
                                       " ",
                                       "a",
                                       "A b ",
                                       "  x",
                                       "12",
                                       "-7",
                                       "+7",
                                       "12.5",
                                       "12.0",
                                       "1e3",
                                       " 42 ",
                                       "nan",
                                       "inf",
                                       "true",
                                       "F",
                                       "yes",
                                       "9223372036854775808",
                                       "\xC3\xA9",
                                       "Stra\xC3\x9F"
                                       "e",
                                       "\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E",
                                       "\xCE\xA3\xCE\xB1",
                                       "\xF0\x9F\x98\x80!",
                                       "a,b,,c",
                                       "it's",
                                       "100%",
                                       "a_b",
                                       "AS 12-34",
                                       "2024-02-29",
                                       "2023-02-29",
                                       "2024-13-01",
                                       "1999-12-31 ",
                                       std::string(300, 'z')};
  return OneOf(random, kTexts);
}

int32_t AnyDays(Random& random) {
  // Most of DuckDB's functions take only days that are timestamps too, and no more than an int64 of microseconds apart.
  static constexpr int32_t kOdd[] = {0, -1, 11016, -719162, 2932896, 50000000, -50000000, -719529};
  if (random.OneIn(4)) return OneOf(random, kOdd);
  return static_cast<int32_t>(random.Between(-15000, 30000));
}

int64_t AnyMicros(Random& random) {
  static constexpr int64_t kOdd[] = {0,
                                     -1,
                                     1,
                                     999999,
                                     -86400000000,
                                     951782400000000,
                                     1741487999999999,
                                     253402300799999999,
                                     -62135596800000000,
                                     4000000000000000000,
                                     -4000000000000000000};
  if (random.OneIn(4)) return OneOf(random, kOdd);
  if (random.OneIn(3)) return random.Between(-20000, 20000) * 3600000000;
  return random.Between(-1500000000000000, 2500000000000000);
}

}  // namespace

const std::vector<larder::Field>& SharedExpressions::Fields() {
  static const auto* const kFields = [] {
    auto* fields = new std::vector<larder::Field>;
    for (const ColumnKind& column : kColumns) {
      for (const char* suffix : {"1", "2"}) {
        larder::Field field;
        field.name = Concat(column.name, suffix);
        field.type = column.type;
        fields->push_back(std::move(field));
      }
    }
    return fields;
  }();
  return *kFields;
}

Value SharedExpressions::AnyValue(SqlKind kind) {
  if (random_.OneIn(7)) return Value();
  switch (kind) {
    case SqlKind::kBool:
      return Value(random_.OneIn(2));
    case SqlKind::kInt:
      return Value(AnyInt(random_));
    case SqlKind::kFloat:
      return Value(AnyFloat(random_));
    case SqlKind::kDate:
      return Value(larder::Date{AnyDays(random_)});
    case SqlKind::kTimestamp:
      return Value(larder::Timestamp{AnyMicros(random_)});
    case SqlKind::kAscii:
      return Value(random_.Text(9, "abcAB 1"));
    default:
      return Value(AnyText(random_));
  }
}

larder::Batch SharedExpressions::MakeRows(std::size_t count) {
  larder::Batch batch;
  for (std::size_t c = 0; c < Fields().size(); ++c) {
    larder::Column column(Fields()[c].type);
    for (std::size_t i = 0; i < count; ++i) {
      if (!column.Append(AnyValue(kColumns[c / 2].kind)).ok()) std::abort();
    }
    if (!batch.AddColumn(Fields()[c].name, std::move(column)).ok()) std::abort();
  }
  return batch;
}

std::unique_ptr<SharedTree> SharedExpressions::MakeLeaf(SqlKind kind) {
  auto leaf = std::make_unique<SharedTree>();
  leaf->kind = kind;
  const auto same = [&](std::string text) {
    leaf->larder = std::move(text);
    leaf->sql = leaf->larder;
  };
  static const char* const kPatterns[] = {"'%'",    "'a%'",        "'%b_'",   "'_'",     "''",
                                          "'%z%z'", "'\xC3\xA9%'", "'STRA%'", "'100\\%'"};
  static const char* const kRegexes[] = {"'[0-9]+'", "'^a'", "'b$'",      "'(a|z)+'",
                                         "'.'",      "''",   "'[^a-z ]'", "'\\w\\s'"};
  switch (kind) {
    case SqlKind::kLikePattern:
      same(OneOf(random_, kPatterns));
      return leaf;
    case SqlKind::kRegex:
      same(OneOf(random_, kRegexes));
      return leaf;
    case SqlKind::kDigits:
      same(Concat(random_.Between(-3, 6)));
      return leaf;
    case SqlKind::kPosition:
      same(Concat(random_.Between(-4, 7)));
      return leaf;
    default:
      break;
  }
  if (kind == SqlKind::kAscii || !random_.OneIn(4)) {
    for (const ColumnKind& column : kColumns) {
      if (column.kind == kind) same(Concat(column.name, random_.Between(1, 2)));
    }
    return leaf;
  }
  const Value value = AnyValue(kind);
  static const char* const kTypes[] = {"bool", "int64", "float64", "string", "date", "timestamp"};
  static const char* const kSqlTypes[] = {"BOOLEAN", "BIGINT", "DOUBLE",
                                          "VARCHAR", "DATE",   "TIMESTAMP"};
  const auto index = static_cast<std::size_t>(kind);
  if (value.is_null()) {
    leaf->larder = Concat("cast(null as ", kTypes[index], ")");
    leaf->sql = Concat("CAST(NULL AS ", kSqlTypes[index], ")");
    return leaf;
  }
  switch (kind) {
    case SqlKind::kBool:
      same(*value.As<bool>() ? "true" : "false");
      break;
    case SqlKind::kText:
      same(Quoted(*value.As<std::string>()));
      break;
    case SqlKind::kDate:
      leaf->larder = Concat("(date '1970-01-01' + ", value.As<larder::Date>()->days, ")");
      leaf->sql = Concat("(DATE '1970-01-01' + ", value.As<larder::Date>()->days, ")");
      break;
    case SqlKind::kTimestamp:
      leaf->larder = Concat("make_timestamp(", value.As<larder::Timestamp>()->us, ")");
      leaf->sql = Concat("make_timestamp(", value.As<larder::Timestamp>()->us, "::BIGINT)");
      break;
    default: {
      const std::string text = Quoted(kind == SqlKind::kInt ? Concat(*value.As<int64_t>())
                                                            : Concat(*value.As<double>()));
      leaf->larder = Concat("cast(", text, " as ", kTypes[index], ")");
      leaf->sql = Concat("CAST(", text, " AS ", kSqlTypes[index], ")");
    }
  }
  return leaf;
}

std::unique_ptr<SharedTree> SharedExpressions::MakeTree(SqlKind kind, int depth) {
  const std::vector<SharedOperation>& all = SharedOperations();
  if (kind > SqlKind::kClose || (kind != SqlKind::kClose && (depth == 0 || random_.OneIn(9))))
    return MakeLeaf(kind);
  auto tree = std::make_unique<SharedTree>();
  tree->kind = kind;
  do {
    tree->operation = static_cast<int>(random_.Between(0, static_cast<int64_t>(all.size()) - 1));
  } while (all[static_cast<std::size_t>(tree->operation)].result != kind);
  for (const SqlKind argument : all[static_cast<std::size_t>(tree->operation)].arguments)
    tree->children.push_back(MakeTree(argument, depth - 1));
  return tree;
}

namespace {

std::string Fill(const std::string& pattern, const std::vector<std::string>& arguments) {
  std::string out;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '$' && i + 1 < pattern.size() && pattern[i + 1] >= '0' &&
        pattern[i + 1] <= '9') {
      out += arguments[static_cast<std::size_t>(pattern[++i] - '0')];
    } else {
      out += pattern[i];
    }
  }
  return out;
}

}  // namespace

std::string LarderText(const SharedTree& tree) {
  if (tree.operation < 0) return tree.larder;
  std::vector<std::string> arguments;
  for (const auto& child : tree.children) arguments.push_back(LarderText(*child));
  return Fill(SharedOperations()[static_cast<std::size_t>(tree.operation)].larder, arguments);
}

std::string SqlText(const SharedTree& tree) {
  if (tree.operation < 0) return tree.sql;
  std::vector<std::string> arguments;
  for (const auto& child : tree.children) arguments.push_back(SqlText(*child));
  const SharedOperation& operation = SharedOperations()[static_cast<std::size_t>(tree.operation)];
  return Fill(operation.sql.empty() ? operation.larder : operation.sql, arguments);
}

std::size_t SizeOf(const SharedTree& tree) {
  std::size_t size = 1;
  for (const auto& child : tree.children) size += SizeOf(*child);
  return size;
}

}  // namespace larder_test
