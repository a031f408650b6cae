// The point-in-time join against DuckDB's row_number form of it, on every value.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "larder/base/text.h"
#include "larder/column/batch.h"
#include "larder/training/point_in_time_join.h"
#include "support/catch.h"
#include "support/duckdb_database.h"
#include "support/random.h"

namespace {

using larder::Batch;
using larder::Column;
using larder::Concat;
using larder::Duration;
using larder::TypeId;
using larder_test::DuckDbDatabase;
using larder_test::Random;

constexpr std::array<TypeId, 4> kFeatureTypes = {TypeId::kFloat64, TypeId::kInt64, TypeId::kString,
                                                 TypeId::kTimestamp};

// What one round is like.
struct Shape {
  int64_t events = 0;
  int64_t spine_rows = 0;
  int64_t keys = 0;
  int64_t hot_share = 0;  // one row in so many is of key 0; 0: none more than others
  int64_t span = 0;       // of instants: a short one has many ties
  bool two_keys = false;
  bool null_keys = false;
  bool deletes = false;
  std::optional<Duration> ttl;
  bool before = false;
  bool known = false;

  [[nodiscard]] std::string Describe() const {
    return Concat(events, " events, ", spine_rows, " rows, ", keys, " keys, hot 1/", hot_share,
                  ", span ", span, two_keys ? ", two keys" : "", null_keys ? ", null keys" : "",
                  deletes ? ", deletes" : "", ttl ? Concat(", ttl ", ttl->us) : "",
                  before ? ", before" : "", known ? ", known at spine" : "");
  }
};

Shape Draw(Random& random, int64_t spine_rows) {
  Shape shape;
  shape.spine_rows = spine_rows;
  shape.events = random.OneIn(8) ? random.Between(0, 3) : random.Between(10, 2 * spine_rows);
  shape.hot_share = random.OneIn(2) ? random.Between(4, 9) : 0;
  shape.keys = random.OneIn(6) ? 40 : random.Between(60, 4000);
  shape.span = random.OneIn(3) ? random.Between(1, 30) : 1'000'000'000;
  shape.two_keys = random.OneIn(2);
  shape.null_keys = random.OneIn(2);
  shape.deletes = random.OneIn(3);
  if (random.OneIn(2)) shape.ttl = Duration{random.Between(1, shape.span)};
  shape.before = random.OneIn(3);
  shape.known = random.OneIn(3);
  return shape;
}

void Append(Column& column, std::optional<int64_t> value) {
  if (!value) return column.AppendNull();
  switch (column.type().id()) {
    case TypeId::kFloat64:
      return column.AppendFixed(static_cast<double>(*value) / 7);
    case TypeId::kString:
      return column.AppendText(Concat("é", *value));
    default:
      return column.AppendFixed(*value);
  }
}

class Table {
 public:
  Column& Add(std::string name, TypeId type) {
    names_.push_back(std::move(name));
    return columns_.emplace_back(type);
  }
  Table() { columns_.reserve(20); }
  Batch Finish() && {
    Batch batch;
    for (std::size_t c = 0; c < columns_.size(); ++c)
      REQUIRE(batch.AddColumn(names_[c], std::move(columns_[c])).ok());
    return batch;
  }

 private:
  std::vector<std::string> names_;
  std::vector<Column> columns_;
};

std::optional<int64_t> KeyOf(Random& random, const Shape& shape) {
  if (shape.null_keys && random.OneIn(20)) return std::nullopt;
  if (shape.hot_share > 0 && random.OneIn(shape.hot_share)) return 0;
  return random.Between(0, shape.keys - 1);
}

Batch MakeEvents(Random& random, const Shape& shape) {
  Table table;
  Column& k1 = table.Add("k1", TypeId::kInt64);
  Column& k2 = table.Add("k2", TypeId::kString);
  Column& at = table.Add("at", TypeId::kTimestamp);
  Column& sequence = table.Add("seq", TypeId::kInt64);
  Column& known = table.Add("known", TypeId::kTimestamp);
  Column& deleted = table.Add("gone", TypeId::kBool);
  std::vector<Column*> features;
  for (std::size_t f = 0; f < kFeatureTypes.size(); ++f)
    features.push_back(&table.Add(Concat("f", f), kFeatureTypes[f]));
  std::vector<Column*> all = {&k1, &k2, &at, &sequence, &known, &deleted};
  all.insert(all.end(), features.begin(), features.end());
  for (int64_t i = 0; i < shape.events; ++i) {
    if (i > 0 && random.OneIn(10)) {  // delivered twice
      for (Column* column : all) REQUIRE(column->Append(column->ValueAt(column->size() - 1)).ok());
      continue;
    }
    Append(k1, KeyOf(random, shape));
    Append(k2, random.Between(0, 2));
    const int64_t instant = random.Between(0, shape.span);
    Append(at, instant);
    Append(sequence, i);  // settles every tie
    Append(known, random.OneIn(9) ? std::nullopt : std::optional(instant + random.Between(0, 9)));
    deleted.AppendFixed(static_cast<uint8_t>(shape.deletes && random.OneIn(6) ? 1 : 0));
    for (Column* column : features)
      Append(*column, random.OneIn(6) ? std::nullopt : std::optional(random.Between(-50, 50)));
  }
  return std::move(table).Finish();
}

Batch MakeSpine(Random& random, const Shape& shape) {
  Table table;
  Column& id = table.Add("id", TypeId::kInt64);
  Column& k1 = table.Add("k1", TypeId::kInt64);
  Column& k2 = table.Add("k2", TypeId::kString);
  Column& at = table.Add("at", TypeId::kTimestamp);
  for (int64_t i = 0; i < shape.spine_rows; ++i) {
    Append(id, i);
    Append(k1, KeyOf(random, shape));
    Append(k2, random.Between(0, 2));
    Append(at, random.Between(-1, shape.span + 1));
  }
  return std::move(table).Finish();
}

std::string RowNumberSql(const Shape& shape) {
  std::string on = "e.k1 = s.k1";
  if (shape.two_keys) on += " AND e.k2 = s.k2";
  on += shape.before ? " AND e.at < s.at" : " AND e.at <= s.at";
  if (shape.known) on += " AND e.known <= s.at";
  std::string wanted;
  for (std::size_t f = 0; f < kFeatureTypes.size(); ++f) {
    const std::string age =
        shape.ttl ? Concat(" AND epoch_us(asked) - epoch_us(happened) <= ", shape.ttl->us)
                  : std::string();
    wanted += Concat(", CASE WHEN NOT gone", age, " THEN f", f, " END AS f", f);
  }
  return Concat(
      "SELECT id", wanted,
      " FROM (SELECT s.id, s.at AS asked, e.at AS happened, e.*, row_number() OVER (PARTITION BY "
      "s.id ORDER BY"
      " e.at DESC NULLS LAST, e.seq DESC NULLS LAST) AS place FROM spine s LEFT JOIN events e ON ",
      on, ") WHERE place = 1 ORDER BY id");
}

larder::JoinedView Join(Random& random, const Shape& shape, const Batch& spine,
                        const Batch& events) {
  larder::JoinView view;
  view.name = "random";
  std::vector<const Column*> keys = {events.Find("k1")};
  view.spine_keys = {spine.Find("k1")};
  view.key_types = {TypeId::kInt64};
  if (shape.two_keys) {
    keys.push_back(events.Find("k2"));
    view.spine_keys.push_back(spine.Find("k2"));
    view.key_types.emplace_back(TypeId::kString);
  }
  std::vector<const Column*> features;
  for (std::size_t f = 0; f < kFeatureTypes.size(); ++f) {
    larder::Field& field = view.features.emplace_back();
    field.name = Concat("f", f);
    field.type = kFeatureTypes[f];
    features.push_back(events.Find(field.name));
  }
  view.ttl = shape.ttl;
  if (shape.before) view.boundary = larder::Boundary::kBefore;
  if (shape.known) view.known_at = larder::KnownAt::kSpine;
  larder::EventBatch batch;
  batch.row_count = events.row_count();
  batch.keys = keys;
  batch.features = features;
  batch.event_time = events.Find("at");
  batch.sequence = events.Find("seq");
  batch.arrival_time = events.Find("known");
  batch.is_delete = events.Find("gone");
  larder::JoinOptions options;
  options.thread_count = static_cast<int>(random.Between(1, 4));
  if (random.OneIn(2)) options.buffer_bytes = static_cast<std::size_t>(random.Between(1, 100'000));
  auto join = larder::PointInTimeJoin::Make(*spine.Find("at"), {view}, options);
  INFO(join.status().ToString());
  REQUIRE(join.ok());
  const absl::Status added = join->Add(0, batch);
  INFO(added.ToString());
  REQUIRE(added.ok());
  auto joined = std::move(*join).Finish();
  REQUIRE(joined.ok());
  return std::move((*joined)[0]);
}

}  // namespace

TEST_CASE("the join agrees with DuckDB's row_number form on every value",
          "[differential][training][random]") {
  Random random;
  INFO(random.Describe());
  auto database = DuckDbDatabase::Open();
  REQUIRE(database.ok());
#ifdef __OPTIMIZE__
  const int64_t rows_all = 100'000;
  const int64_t rows_most = 9'000;
#else
  const int64_t rows_all = 8'000;
  const int64_t rows_most = 2'000;
#endif
  int64_t rows = 0;
  while (rows < rows_all) {
    const Shape shape = Draw(random, random.Between(1, rows_most));
    CAPTURE(shape.Describe());
    const Batch events = MakeEvents(random, shape);
    const Batch spine = MakeSpine(random, shape);
    REQUIRE(database->PutTable("events", events).ok());
    REQUIRE(database->PutTable("spine", spine).ok());
    const auto theirs = database->Query(RowNumberSql(shape));
    INFO(theirs.status().ToString());
    REQUIRE(theirs.ok());
    const larder::JoinedView ours = Join(random, shape, spine, events);
    REQUIRE(theirs->row_count() == spine.row_count());
    for (std::size_t f = 0; f < kFeatureTypes.size(); ++f) {
      const Column& expected = theirs->column(1 + f);
      if (expected == ours.features[f]) continue;
      std::size_t row = 0;
      while (expected.ValueAt(row) == ours.features[f].ValueAt(row)) ++row;
      FAIL("feature f" << f << " of spine row " << row << " is "
                       << larder::FormatValue(ours.features[f].ValueAt(row)) << ", DuckDB has "
                       << larder::FormatValue(expected.ValueAt(row)));
    }
    rows += shape.spine_rows;
  }
}
