#include "feature_store/window_world.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <tuple>

#include "aggregate/naive_aggregate.h"
#include "larder/base/text.h"

namespace larder_test {
namespace {

using larder::AggregateFunction;
using larder::Concat;
using larder::Duration;
using larder::FormatTimestamp;
using larder::FormatValue;
using larder::Timestamp;
using larder::Value;

const Timestamp kStart{int64_t{1'735'689'600} * 1'000'000};  // 2025-01-01T00:00:00Z
constexpr int64_t kMinutes = 300;

struct Named {
  AggregateFunction function;
  const char* name;
};
using enum AggregateFunction;
constexpr Named kOfNumbers[] = {{kSum, "sum"},
                                {kSumOrNull, "sum_or_null"},
                                {kMean, "mean"},
                                {kMin, "min"},
                                {kMax, "max"},
                                {kStddevSamp, "stddev"},
                                {kVarPop, "var_pop"},
                                {kSkew, "skew"},
                                {kKurtosis, "kurtosis"},
                                {kApproxPercentile, "approx_percentile"},
                                {kDrawdown, "drawdown"},
                                {kSlope, "slope"},
                                {kDecayedSum, "decayed_sum"},
                                {kEwma, "ewma"}};
constexpr Named kOfAll[] = {{kCount, "count"},
                            {kCountAll, "count_all"},
                            {kFirst, "first"},
                            {kLast, "last"},
                            {kFirstK, "first_k"},
                            {kLastK, "last_k"},
                            {kDistinctK, "distinct_k"},
                            {kCountDistinct, "count_distinct"},
                            {kApproxCountDistinct, "approx_count_distinct"},
                            {kTopK, "top_k"},
                            {kHistogram, "histogram"},
                            {kEntropy, "entropy"},
                            {kTimeSinceFirst, "time_since_first"},
                            {kTimeSinceLast, "time_since_last"}};

larder::DataType TypeOf(const std::string& input) {
  if (input == "count") return larder::TypeId::kInt64;
  if (input == "shop") return larder::TypeId::kString;
  return larder::TypeId::kFloat64;
}

larder::AggregateSpec SpecOf(const WorldFeature& feature) {
  larder::AggregateSpec spec;
  spec.function = feature.function;
  if (!feature.input.empty()) spec.input = TypeOf(feature.input);
  spec.k = feature.k;
  spec.p = feature.p;
  spec.half_life = feature.half_life;
  spec.include_nulls = feature.include_nulls;
  return spec;
}

// Whether a map by category can hold what the function gives.
bool FitsMap(const WorldFeature& feature) {
  const auto type = larder::AggregateResultType(SpecOf(feature));
  return type.ok() && (*type == larder::DataType(larder::TypeId::kInt64) ||
                       *type == larder::DataType(larder::TypeId::kFloat64));
}

WorldFeature RandomFeature(Random& random, std::string name) {
  WorldFeature feature;
  feature.given_name = std::move(name);
  const auto pick = [&](const auto& from) {
    return from[static_cast<std::size_t>(random.Between(0, std::ssize(from) - 1))];
  };
  constexpr const char* kInputs[] = {"amount", "amount", "count", "shop", "amount * 2", ""};
  feature.input = pick(kInputs);
  Named named = pick(kOfAll);
  const bool number = !feature.input.empty() && feature.input != "shop";
  if (number && random.OneIn(2)) named = pick(kOfNumbers);
  if (feature.input.empty() && named.function != kTimeSinceFirst && named.function != kTimeSinceLast)
    named = {kCountAll, "count_all"};
  if (named.function == kCountAll) feature.input.clear();
  feature.function = named.function;
  feature.function_name = named.name;
  feature.k = random.Between(1, 4);
  feature.p = static_cast<double>(random.Between(0, 4)) / 4;
  feature.half_life = Duration::Minutes(random.Between(1, 90));
  const bool takes_nulls = named.function == kFirst || named.function == kLast ||
                           named.function == kFirstK || named.function == kLastK;
  feature.include_nulls = takes_nulls && random.OneIn(2);
  const int64_t kind = random.Between(0, 5);
  if (kind == 0) feature.rows = random.Between(1, 5);
  if (kind >= 2) feature.window = Duration::Minutes(random.Between(1, random.OneIn(2) ? 9 : 200));
  if (random.OneIn(4)) feature.delay = Duration::Minutes(random.Between(1, 30));
  if (random.OneIn(4)) feature.where = random.OneIn(2) ? "amount > 0" : "shop = 'a'";
  if (random.OneIn(4)) {
    feature.grouped = true;
    feature.category = random.OneIn(2) ? "a" : "b";
    const bool map = random.OneIn(2);
    if (map && FitsMap(feature)) feature.category.clear();
  }
  feature.name = feature.given_name;
  if (!feature.category.empty()) feature.name += Concat("_", feature.category);
  return feature;
}

// Bytes that order events which nothing else tells apart.
std::string CanonicalOf(const Value& value) {
  if (value.is_null()) return std::string(1, '\0');
  std::string out(1, '\1');
  uint64_t word = 0;
  if (const auto* text = value.As<std::string>()) return out + *text;
  if (const auto* number = value.As<double>()) std::memcpy(&word, number, 8);
  if (const auto* integer = value.As<int64_t>()) word = static_cast<uint64_t>(*integer);
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(word >> static_cast<unsigned>(shift)));
  return out;
}

Value InputOf(const WorldEvent& event, const std::string& input) {
  if (input == "amount") return event.amount;
  if (input == "count") return event.count;
  if (input == "shop") return event.shop;
  if (input.empty() || event.amount.is_null()) return {};
  return *event.amount.As<double>() * 2;
}

bool Passes(const WorldEvent& event, const WorldFeature& feature) {
  if (feature.where == "amount > 0") {
    if (event.amount.is_null() || !(*event.amount.As<double>() > 0)) return false;
  } else if (!feature.where.empty()) {
    if (!(event.shop == Value("a"))) return false;
  }
  if (!feature.grouped) return true;
  if (event.shop.is_null()) return false;
  return feature.category.empty() || event.shop == Value(feature.category);
}

}  // namespace

WindowWorld WindowWorld::Draw(Random& random, std::size_t event_count, bool may_exclude_self) {
  WindowWorld world;
  world.has_ids = random.OneIn(2);
  world.has_deletes = world.has_ids && random.OneIn(2);
  world.has_sequence = random.OneIn(3);
  world.in_order = world.has_ids && random.OneIn(2);
  const int64_t known = random.Between(0, 2);
  world.has_arrival = known == 1;
  if (known == 2) world.available_after = Duration::Minutes(random.Between(1, 20));
  world.at = random.OneIn(3);
  world.exclude_self = may_exclude_self && world.has_ids && random.OneIn(3);
  const int64_t features = random.Between(2, 7);
  for (int64_t f = 0; f < features; ++f)
    world.features.push_back(RandomFeature(random, Concat("f", f)));
  for (std::size_t i = 0; i < event_count; ++i) {
    WorldEvent event;
    event.card = random.Between(1, 3);
    event.time = kStart.Plus(Duration::Minutes(random.Between(0, kMinutes)));
    if (world.has_ids) event.id = Concat("e", i);  // by bytes e10 comes before e9
    if (world.has_sequence && !random.OneIn(4)) event.sequence = random.Between(-2, 2);
    if (world.has_arrival && !random.OneIn(9))
      event.arrival =
          event.time.Plus(Duration::Minutes(random.Between(-2, random.OneIn(3) ? 90 : 3)));
    if (!random.OneIn(6))
      event.amount = static_cast<double>(random.Between(-300, 900)) / (random.OneIn(2) ? 7 : 1e-3);
    if (!random.OneIn(6)) event.count = random.Between(-3, 3);
    if (!random.OneIn(6))
      event.shop = Value(std::string(1, static_cast<char>('a' + random.Between(0, 2))));
    if (!world.events.empty() && world.has_ids && random.OneIn(4)) {
      const WorldEvent& old =
          world.events[static_cast<std::size_t>(random.Between(0, std::ssize(world.events) - 1))];
      if (random.OneIn(3)) {
        event = old;  // told again
      } else {
        // Corrected or deleted: at another time, or as known later.
        event.card = old.card;
        event.id = old.id;
        event.is_delete = world.has_deletes && random.OneIn(2);
        const bool ambiguous =
            !world.in_order &&
            std::any_of(world.events.begin(), world.events.end(), [&](const WorldEvent& other) {
              return other.id == event.id && other.card == event.card && other.time == event.time;
            });
        if (ambiguous) continue;
      }
    }
    world.events.push_back(std::move(event));
  }
  return world;
}

std::string WindowWorld::Definitions(bool pushed) const {
  std::string fields =
      R"({"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"}, )"
      R"({"name": "amount", "type": "float64"}, {"name": "count", "type": "int64"}, )"
      R"({"name": "shop", "type": "string"})";
  std::string roles;
  const auto role = [&](bool is_there, const char* name, const char* type, const char* key) {
    if (!is_there) return;
    fields += Concat(R"(, {"name": ")", name, R"(", "type": ")", type, R"("})");
    roles += Concat(R"(, ")", key, R"(": ")", name, R"(")");
  };
  role(has_ids, "id", "string", "event_id");
  role(has_deletes, "op", "string", "operation");
  role(has_sequence, "seq", "int64", "sequence");
  role(has_arrival, "seen", "timestamp", "arrival_time");
  if (available_after)
    roles += Concat(R"(, "available_after": ")", larder::FormatDuration(*available_after), R"(")");
  if (in_order) roles += R"(, "order": "commit")";
  std::string aggregates;
  for (const WorldFeature& feature : features) {
    std::string line = Concat(R"({"name": ")", feature.given_name, R"(", "functions": [")",
                              feature.function_name, R"("])");
    if (!feature.input.empty()) line += Concat(R"(, "input": ")", feature.input, R"(")");
    if (feature.window)
      line += Concat(R"(, "windows": [")", larder::FormatDuration(*feature.window), R"("])");
    if (feature.rows) line += Concat(R"(, "rows": )", *feature.rows);
    if (!feature.where.empty()) line += Concat(R"(, "where": ")", feature.where, R"(")");
    if (feature.delay.us > 0)
      line += Concat(R"(, "delay": ")", larder::FormatDuration(feature.delay), R"(")");
    if (feature.grouped) line += R"(, "group_by": "shop")";
    if (!feature.category.empty())
      line += Concat(R"(, "categories": [")", feature.category, R"("])");
    if (feature.include_nulls) line += R"(, "include_nulls": true)";
    std::string parameter;
    if (feature.function == kFirstK || feature.function == kLastK ||
        feature.function == kDistinctK || feature.function == kTopK)
      parameter = Concat(R"("k": ")", feature.k, R"(")");
    if (feature.function == kApproxPercentile)
      parameter = Concat(R"("p": ")", FormatValue(Value(feature.p)), R"(")");
    if (feature.function == kDecayedSum || feature.function == kEwma)
      parameter = Concat(R"("half_life": ")", larder::FormatDuration(feature.half_life), R"(")");
    if (!parameter.empty()) line += Concat(R"(, "parameters": {)", parameter, "}");
    aggregates += Concat(aggregates.empty() ? "" : ",\n  ", line, "}");
  }
  std::string live;
  if (pushed) live = R"(, {"name": "live", "kind": "push", "batch_source": "tx"})";
  return Concat(R"({"larder": 1, "project": "windows",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [{"name": "tx", "kind": "csv", "path": "tx.csv", "event_time": "at", "version_horizon": "30d", "fields": [)",
                fields, "]", roles, "}", live, R"(],
 "feature_views": [{"name": "spend", "entities": ["card"], "source": ")",
                pushed ? "live" : "tx", R"(", "boundary": ")", at ? "at" : "before",
                R"(", "exclude_self": )", exclude_self ? "true" : "false", R"(, "aggregates": [
  )",
                aggregates, R"(]}]})");
}

std::string WindowWorld::Csv(const std::vector<WorldEvent>& rows) const {
  std::string text = "card,at,amount,count,shop,id,op,seq,seen\n";
  const auto shown = [](const Value& value) {
    return value.is_null() ? std::string() : FormatValue(value);
  };
  for (const WorldEvent& row : rows) {
    text +=
        Concat(row.card, ",", FormatTimestamp(row.time), ",", shown(row.amount), ",",
               shown(row.count), ",", shown(row.shop), ",", row.id, ",",
               row.is_delete ? "delete" : "insert", ",", row.sequence ? Concat(*row.sequence) : "",
               ",", row.arrival ? FormatTimestamp(*row.arrival) : "", "\n");
  }
  return text;
}

larder::Row WindowWorld::RowOf(const WorldEvent& event) const {
  larder::Row row = {{"card", event.card},
                     {"at", event.time},
                     {"amount", event.amount},
                     {"count", event.count},
                     {"shop", event.shop}};
  if (has_ids) row.emplace_back("id", Value(event.id));
  if (has_deletes) row.emplace_back("op", Value(event.is_delete ? "delete" : "insert"));
  if (has_sequence) row.emplace_back("seq", event.sequence ? Value(*event.sequence) : Value());
  if (has_arrival) row.emplace_back("seen", event.arrival ? Value(*event.arrival) : Value());
  return row;
}

Timestamp WindowWorld::RandomInstant(Random& random) const {
  const Timestamp instant = kStart.Plus(Duration::Minutes(random.Between(-5, kMinutes + 60)));
  return random.OneIn(3) ? instant.Plus(Duration{random.Between(-1, 1)}) : instant;
}

std::vector<const WorldEvent*> WindowWorld::Visible(const WorldFeature& feature,
                                                    const Question& question) const {
  const Timestamp end = question.as_of.Minus(feature.delay).Plus(Duration{at ? 1 : 0});
  std::vector<const WorldEvent*> seen;
  std::map<std::string, const WorldEvent*> last;
  const auto place = [this](const WorldEvent& event) {
    return std::tuple(event.time, event.sequence, event.arrival, !in_order && event.is_delete);
  };
  for (const WorldEvent& event : events) {
    if (event.card != question.card || event.time >= end) continue;
    if (question.known_at) {
      if (has_arrival && (!event.arrival || *event.arrival > *question.known_at)) continue;
      if (event.time.Plus(available_after.value_or(Duration{})) > *question.known_at) continue;
    }
    if (!has_ids) {
      seen.push_back(&event);
      continue;
    }
    const WorldEvent*& version = last[event.id];
    const bool is_later = version == nullptr || place(*version) < place(event);
    if (is_later || (in_order && place(*version) == place(event))) version = &event;
  }
  for (const auto& [id, event] : last) {
    if (!event->is_delete && id != question.excluded_id) seen.push_back(event);
  }
  std::erase_if(seen, [&](const WorldEvent* event) {
    const bool left = feature.window && event->time < end.Minus(*feature.window);
    return left || !Passes(*event, feature);
  });
  return seen;
}

Value WindowWorld::Answer(const WorldFeature& feature, const Question& question) const {
  if (feature.grouped && feature.category.empty()) {
    std::set<std::string> shops;
    for (const WorldEvent& event : events) {
      if (const auto* shop = event.shop.As<std::string>()) shops.insert(*shop);
    }
    larder::MapValue map;
    WorldFeature one = feature;
    WorldFeature how_many = feature;
    how_many.function = kCountAll;
    map.value = larder::AggregateResultType(SpecOf(feature))->id();
    for (const std::string& shop : shops) {
      one.category = how_many.category = shop;
      if (!(Answer(how_many, question) == Value(int64_t{0})))
        map.items.emplace_back(shop, Answer(one, question));
    }
    return map;
  }
  std::vector<NaiveEvent> in_window;
  for (const WorldEvent* event : Visible(feature, question)) {
    NaiveEvent naive;
    naive.time_us = event->time.us;
    naive.has_sequence = event->sequence.has_value();
    if (event->sequence)
      naive.sequence = static_cast<uint64_t>(*event->sequence) ^ (uint64_t{1} << 63U);
    naive.event_id = event->id;
    naive.value = InputOf(*event, feature.input);
    naive.row = CanonicalOf(naive.value);
    in_window.push_back(std::move(naive));
  }
  std::sort(in_window.begin(), in_window.end(), ComesBefore);
  if (feature.rows && std::ssize(in_window) > *feature.rows)
    in_window.erase(in_window.begin(), in_window.end() - *feature.rows);
  return NaiveAggregate(SpecOf(feature), in_window, question.as_of).value;
}

}  // namespace larder_test
