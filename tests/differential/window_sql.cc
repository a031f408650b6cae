#include "differential/window_sql.h"

#include <algorithm>

#include "larder/base/text.h"

namespace larder_test {
namespace {

using larder::Concat;
using larder::Duration;
using larder::FormatTimestamp;
using larder::FormatValue;
using larder::Timestamp;
using larder::TypeId;
using larder::Value;

const Timestamp kStart{int64_t{1'735'689'600} * 1'000'000};  // 2025-01-01T00:00:00Z
constexpr int64_t kMinutes = 300;

// Over nothing larder's counts and `sum` are 0. Of texts only what compares their bytes.
constexpr SharedAggregate kAggregates[] = {
    {"count", "count($x)", "aus"},
    {"count_all", "count(made)", ""},
    {"count_distinct", "count(DISTINCT $x)", "aus"},
    {"sum", "coalesce(sum($x), 0)", "a", Nearness::kSum},
    {"sum", "CAST(coalesce(sum($x), 0) AS BIGINT)", "u"},
    {"sum_or_null", "sum($x)", "a", Nearness::kSum},
    {"sum_or_null", "CAST(sum($x) AS BIGINT)", "u"},
    {"mean", "avg($x)", "au", Nearness::kMean},
    {"min", "min($x)", "aus"},
    {"max", "max($x)", "aus"},
    {"variance", "var_samp($x)", "au", Nearness::kVariance},
    {"var_pop", "var_pop($x)", "au", Nearness::kVariance},
    {"stddev", "stddev_samp($x)", "au", Nearness::kDeviation},
    {"stddev_pop", "stddev_pop($x)", "au", Nearness::kDeviation},
    // DuckDB makes these from sums of powers, which are exact over small integers alone.
    {"skew", "CASE WHEN count(DISTINCT $x) > 1 THEN skewness($x) END", "u", Nearness::kClose},
    {"kurtosis", "CASE WHEN count(DISTINCT $x) > 1 THEN kurtosis($x) END", "u", Nearness::kClose},
    {"slope",
     "CASE WHEN count(DISTINCT made) FILTER (WHERE $x IS NOT NULL) > 1 THEN regr_slope($x, "
     "epoch_us(made) / 1e6 - 1735689600) END",
     "u", Nearness::kClose},
    {"first", "first($x ORDER BY made, id)", "aus"},
    {"last", "last($x ORDER BY made, id)", "aus"},
    {"first_k", "coalesce(array_to_string(list($x ORDER BY made, id)[1:$k], ' '), '')", "us"},
    {"last_k", "coalesce(array_to_string(list($x ORDER BY made DESC, id DESC)[1:$k], ' '), '')",
     "us"},
    // Where the rank is whole quantile_cont is one of the values; else larder takes the lower of the two around it.
    {"approx_percentile",
     "CASE WHEN ($p * (count($x) - 1)) % 1 = 0 THEN CAST(quantile_cont($x, $p) AS DOUBLE) "
     "ELSE CAST(list_sort(list($x))[1 + CAST(floor($p * (count($x) - 1)) AS BIGINT)] AS DOUBLE) "
     "END",
     "au", Nearness::kNearerZero},
    {"histogram",
     "coalesce(array_to_string(list_transform(map_entries(histogram($x)), "
     "e -> concat(e.key, '=', e.value)), ' '), '')",
     "s"},
    {"entropy", "CASE WHEN count($x) > 0 THEN entropy($x) END", "us", Nearness::kClose},
    {"time_since_first", "epoch_us(any_value(t)) - epoch_us(min(made))", ""},
    {"time_since_last", "epoch_us(any_value(t)) - epoch_us(max(made))", ""},
};

bool IsEnd(const SharedAggregate& function) {
  const std::string_view name = function.name;
  return name == "first" || name == "last" || name == "first_k" || name == "last_k";
}

std::string Replaced(std::string text, std::string_view mark, const std::string& with) {
  for (std::size_t at = text.find(mark); at != std::string::npos;
       at = text.find(mark, at + with.size()))
    text.replace(at, mark.size(), with);
  return text;
}

SqlFeature RandomFeature(Random& random, const SharedAggregate& function, std::string name) {
  SqlFeature feature;
  feature.function = &function;
  feature.given_name = std::move(name);
  const std::string_view inputs = function.inputs;
  if (!inputs.empty()) {
    const char input = inputs[static_cast<std::size_t>(random.Between(0, std::ssize(inputs) - 1))];
    feature.input = input == 'a' ? "amount" : input == 'u' ? "units" : "shop";
    if (input == 'a' && random.OneIn(3)) feature.input = "amount * 2";
  }
  feature.k = random.Between(1, 4);
  feature.p = static_cast<double>(random.Between(0, 4)) / 4;
  const bool is_list = function.name[std::string_view(function.name).size() - 1] == 'k';
  feature.include_nulls = IsEnd(function) && !is_list && random.OneIn(2);
  const int64_t kind = random.Between(0, 5);
  if (kind == 0) feature.rows = random.Between(1, 9);
  if (kind >= 2)
    feature.window = Duration::Minutes(random.Between(1, random.OneIn(2) ? 15 : kMinutes));
  if (random.OneIn(4)) feature.delay = Duration::Minutes(random.Between(1, 30));
  if (random.OneIn(3)) feature.where = random.OneIn(2) ? "amount > 0" : "shop = 'a'";
  feature.name = feature.given_name;
  if (random.OneIn(4)) {
    feature.category = random.OneIn(2) ? "a" : "b";
    feature.name += "_" + feature.category;
  }
  return feature;
}

SqlEvent RandomEvent(Random& random, const std::vector<SqlEvent>& before) {
  SqlEvent event;
  event.card = random.Between(1, 3);
  event.at = kStart.Plus(Duration::Minutes(random.Between(0, kMinutes)));
  event.id = Concat("e", 10'000 + before.size());
  if (!random.OneIn(6)) {
    const double scale = random.OneIn(3) ? 1e6 : random.OneIn(2) ? 0.25 : 1.0 / 7;
    event.amount = static_cast<double>(random.Between(-40, 90)) * scale + 0.0;
  }
  if (!random.OneIn(6)) event.units = random.Between(-3, 5);
  if (!random.OneIn(6)) event.shop = std::string(1, static_cast<char>('a' + random.Between(0, 2)));
  if (before.empty() || !random.OneIn(4)) return event;
  const SqlEvent& old = before[static_cast<std::size_t>(random.Between(0, std::ssize(before) - 1))];
  if (random.OneIn(3)) return old;  // told again
  // Corrected or deleted: a later version of the same event, or an earlier one that comes late.
  event.card = old.card;
  event.id = old.id;
  event.is_delete = random.OneIn(2);
  return event;
}

std::string JsonList(std::string list, const std::string& item) {
  return list.empty() ? item : Concat(list, ",\n  ", item);
}

std::string Microseconds(Duration duration) { return Concat("to_microseconds(", duration.us, ")"); }

}  // namespace

std::span<const SharedAggregate> SharedAggregates() { return kAggregates; }

SqlWorld SqlWorld::Draw(Random& random, std::size_t turn, std::size_t feature_count,
                        int64_t event_count) {
  SqlWorld world;
  world.at = random.OneIn(2);
  for (std::size_t f = 0; f < feature_count; ++f) {
    const SharedAggregate& function =
        kAggregates[(turn * feature_count + f) % std::size(kAggregates)];
    world.features.push_back(RandomFeature(random, function, Concat("f", f)));
  }
  while (std::ssize(world.events) < event_count) {
    SqlEvent event = RandomEvent(random, world.events);
    // Two versions of one event at one time would be told apart by what SQL does not say here.
    const bool is_unclear =
        std::any_of(world.events.begin(), world.events.end(), [&](const SqlEvent& other) {
          return other.id == event.id && other.at == event.at &&
                 !(other.amount == event.amount && other.units == event.units &&
                   other.shop == event.shop && other.is_delete == event.is_delete);
        });
    if (!is_unclear) world.events.push_back(std::move(event));
  }
  for (int64_t n = 30; n > 0; --n) {
    SqlQuestion question = {random.Between(1, 4),
                            kStart.Plus(Duration::Minutes(random.Between(-5, kMinutes + 60)))};
    if (random.OneIn(3)) question.as_of = question.as_of.Plus(Duration{random.Between(-1, 1)});
    world.questions.push_back(question);
  }
  return world;
}

std::string SqlWorld::Definitions() const {
  std::string aggregates;
  for (const SqlFeature& feature : features) {
    std::string line = Concat(R"({"name": ")", feature.given_name, R"(", "function": ")",
                              feature.function->name, R"(")");
    if (!feature.input.empty()) line += Concat(R"(, "input": ")", feature.input, R"(")");
    if (feature.window)
      line += Concat(R"(, "window": ")", larder::FormatDuration(*feature.window), R"(")");
    if (feature.rows) line += Concat(R"(, "rows": )", *feature.rows);
    if (feature.delay.us > 0)
      line += Concat(R"(, "delay": ")", larder::FormatDuration(feature.delay), R"(")");
    if (!feature.where.empty()) line += Concat(R"(, "where": ")", feature.where, R"(")");
    if (!feature.category.empty())
      line += Concat(R"(, "group_by": "shop", "categories": [")", feature.category, R"("])");
    if (feature.include_nulls) line += R"(, "include_nulls": true)";
    const std::string_view sql = feature.function->sql;
    if (sql.find("$k") != sql.npos)
      line += Concat(R"(, "parameters": {"k": ")", feature.k, R"("})");
    if (sql.find("$p") != sql.npos)
      line += Concat(R"(, "parameters": {"p": ")", FormatValue(Value(feature.p)), R"("})");
    aggregates = JsonList(aggregates, line + "}");
  }
  std::string fields;
  for (const larder::Field& field : Fields())
    fields = JsonList(fields, Concat(R"({"name": ")", field.name, R"(", "type": ")",
                                     field.type.ToString(), R"("})"));
  return Concat(R"({"larder": 1, "project": "windows",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [{"name": "tx", "kind": "csv", "path": "tx.csv", "event_time": "made", "event_id": "id",
   "operation": "op", "version_horizon": "30d", "fields": [)",
                fields, R"(]},
  {"name": "live", "kind": "push", "batch_source": "tx"}],
 "feature_views": [{"name": "spend", "entities": ["card"], "source": "live", "boundary": ")",
                at ? "at" : "before", R"(", "aggregates": [
  )",
                aggregates, "]}]}");
}

std::string SqlWorld::Csv(const std::vector<SqlEvent>& rows) const {
  std::string text = "card,made,id,op,amount,units,shop\n";
  const auto shown = [](const Value& value) {
    return value.is_null() ? std::string() : FormatValue(value);
  };
  for (const SqlEvent& row : rows) {
    text += Concat(row.card, ",", FormatTimestamp(row.at), ",", row.id, ",",
                   row.is_delete ? "delete" : "insert", ",", shown(row.amount), ",",
                   shown(row.units), ",", shown(row.shop), "\n");
  }
  return text;
}

const std::vector<larder::Field>& SqlWorld::Fields() {
  static const std::vector<larder::Field> fields = {
      {"card", TypeId::kInt64, "", ""},     {"made", TypeId::kTimestamp, "", ""},
      {"id", TypeId::kString, "", ""},      {"op", TypeId::kString, "", ""},
      {"amount", TypeId::kFloat64, "", ""}, {"units", TypeId::kInt64, "", ""},
      {"shop", TypeId::kString, "", ""}};
  return fields;
}

larder::Row SqlWorld::RowOf(const SqlEvent& event) {
  return {{"card", event.card},     {"made", event.at},
          {"id", event.id},         {"op", event.is_delete ? "delete" : "insert"},
          {"amount", event.amount}, {"units", event.units},
          {"shop", event.shop}};
}

std::string SqlWorld::Query(const SqlFeature& feature) const {
  // An event counts when it is before the end of its window, and as its last version by then says.
  const std::string end = Concat("(t - ", Microseconds(feature.delay), ")");
  const char* before_end = at ? "<=" : "<";
  std::string kept = "version = 1 AND op <> 'delete'";
  if (feature.window) {
    kept += Concat(" AND made ", at ? ">" : ">=", " ", end, " - ", Microseconds(*feature.window));
  }
  if (!feature.where.empty()) kept += Concat(" AND ", feature.where);
  if (!feature.category.empty()) kept += Concat(" AND shop = '", feature.category, "'");
  std::string counted = Concat(
      "SELECT * FROM (SELECT q, t, events.*, row_number() OVER (PARTITION BY q, id ORDER BY made "
      "DESC) AS version "
      "FROM questions JOIN events ON events.card = questions.card AND made ",
      before_end, " ", end, ") WHERE ", kept);
  if (feature.rows) {
    counted = Concat("SELECT * FROM (", counted,
                     ") QUALIFY row_number() OVER (PARTITION BY q ORDER BY made DESC, id DESC) <= ",
                     *feature.rows);
  }
  const std::string input = feature.input.empty() ? "NULL" : Concat("(", feature.input, ")");
  const bool is_number = !feature.input.empty() && feature.input != "shop";
  std::string sql = Replaced(feature.function->sql, "$x", "x");
  sql = Replaced(sql, "$k", Concat(feature.k));
  sql = Replaced(sql, "$p", Concat(FormatValue(Value(feature.p)), "::DOUBLE"));
  // first, last and lists take nulls in SQL; the others pass over them.
  if (IsEnd(*feature.function) && !feature.include_nulls)
    counted = Concat("SELECT * FROM (", counted, ") WHERE ", input, " IS NOT NULL");
  return Concat("SELECT questions.q AS q, ", sql, " AS value, CAST(count(x) AS DOUBLE) AS n, ",
                is_number ? "CAST(sum(abs(x)) AS DOUBLE)" : "0::DOUBLE", " AS magnitudes, ",
                is_number ? "CAST(sum(x * x) AS DOUBLE)" : "0::DOUBLE",
                " AS squares FROM questions LEFT JOIN (SELECT q AS event_q, made, id, ", input,
                " AS x FROM (", counted,
                ")) ON event_q = questions.q GROUP BY questions.q ORDER BY questions.q");
}

larder::Value TextOfNested(const Value& value) {
  std::vector<std::string> items;
  if (const auto* list = value.As<larder::ListValue>()) {
    for (const Value& item : list->items) items.push_back(FormatValue(item));
  } else if (const auto* map = value.As<larder::MapValue>()) {
    for (const auto& [key, count] : map->items)
      items.push_back(Concat(key, "=", FormatValue(count)));
  } else if (const auto* duration = value.As<Duration>()) {
    return duration->us;
  } else {
    return value;
  }
  return larder::Join(items, " ");
}

}  // namespace larder_test
