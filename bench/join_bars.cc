// The point-in-time join against DuckDB's ASOF JOIN on the same data, both in memory on two threads.
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "larder/base/text.h"
#include "larder/column/batch.h"
#include "larder/training/point_in_time_join.h"
#include "training_bars.h"

#ifdef LARDER_HAVE_DUCKDB
#include "support/duckdb_database.h"
#endif

namespace larder_bench {
namespace {

using larder::Batch;
using larder::Column;
using larder::Concat;
using larder::DataType;
using larder::EventBatch;
using larder::JoinedView;
using larder::JoinOptions;
using larder::JoinView;
using larder::PointInTimeJoin;
using larder::TypeId;

constexpr std::size_t kEvents = 10'000'000;
constexpr std::size_t kSpineRows = 1'000'000;
constexpr int64_t kEntities = 100'000;
constexpr int64_t kSpanMicros = int64_t{365} * 86'400 * 1'000'000;
constexpr int kThreads = 2;
constexpr int kFeatures = 4;

Column Uniform(TypeId type, std::size_t rows, int64_t below, std::mt19937_64* random) {
  Column column(type);
  column.Reserve(rows);
  for (std::size_t i = 0; i < rows; ++i)
    column.AppendFixed(static_cast<int64_t>((*random)() % static_cast<uint64_t>(below)));
  return column;
}

absl::StatusOr<Batch> MakeEvents(std::size_t rows) {
  std::mt19937_64 random(7);
  Batch events;
  LARDER_RETURN_IF_ERROR(
      events.AddColumn("entity", Uniform(TypeId::kInt64, rows, kEntities, &random)));
  LARDER_RETURN_IF_ERROR(
      events.AddColumn("at", Uniform(TypeId::kTimestamp, rows, kSpanMicros, &random)));
  for (int f = 0; f < kFeatures; ++f) {
    Column column(TypeId::kFloat64);
    column.Reserve(rows);
    for (std::size_t i = 0; i < rows; ++i)
      column.AppendFixed(static_cast<double>(random() >> 11) * 0x1p-53);
    LARDER_RETURN_IF_ERROR(events.AddColumn(Concat("f", f), std::move(column)));
  }
  return events;
}

absl::StatusOr<Batch> MakeSpine() {
  std::mt19937_64 random(11);
  Batch spine;
  Column id(TypeId::kInt64);
  for (std::size_t i = 0; i < kSpineRows; ++i) id.AppendFixed(static_cast<int64_t>(i));
  LARDER_RETURN_IF_ERROR(spine.AddColumn("id", std::move(id)));
  LARDER_RETURN_IF_ERROR(
      spine.AddColumn("entity", Uniform(TypeId::kInt64, kSpineRows, kEntities, &random)));
  LARDER_RETURN_IF_ERROR(
      spine.AddColumn("at", Uniform(TypeId::kTimestamp, kSpineRows, kSpanMicros, &random)));
  return spine;
}

// The first `rows` of the events, borrowed.
struct Events {
  const Batch* batch;
  std::vector<const Column*> keys;
  std::vector<const Column*> features;

  explicit Events(const Batch& events) : batch(&events), keys({&events.column(0)}) {
    for (std::size_t f = 0; f < kFeatures; ++f) features.push_back(&events.column(2 + f));
  }
  [[nodiscard]] EventBatch Take() const {
    EventBatch out;
    out.row_count = batch->row_count();
    out.keys = keys;
    out.features = features;
    out.event_time = &batch->column(1);
    return out;
  }
};

JoinView MakeView(const Batch& spine, std::optional<larder::Duration> ttl) {
  JoinView view;
  view.name = "events";
  view.spine_keys = {&spine.column(1)};
  view.key_types = {TypeId::kInt64};
  for (int f = 0; f < kFeatures; ++f) {
    larder::Field field;
    field.name = Concat("f", f);
    field.type = TypeId::kFloat64;
    view.features.push_back(field);
  }
  view.ttl = ttl;
  return view;
}

absl::StatusOr<std::vector<JoinedView>> JoinViews(const Batch& spine, const Events& events,
                                                  int views, std::optional<larder::Duration> ttl) {
  std::vector<JoinView> wanted;
  for (int v = 0; v < views; ++v) wanted.push_back(MakeView(spine, ttl));
  JoinOptions options;
  options.thread_count = kThreads;
  LARDER_ASSIGN_OR_RETURN(PointInTimeJoin join,
                          PointInTimeJoin::Make(spine.column(2), std::move(wanted), options));
  for (int v = 0; v < views; ++v)
    LARDER_RETURN_IF_ERROR(join.Add(static_cast<std::size_t>(v), events.Take()));
  return std::move(join).Finish();
}

Side JoinSide(const Batch& spine, const Events& events, int views,
              std::optional<larder::Duration> ttl) {
  return [&spine, &events, views, ttl](benchmark::State& state) {
    for (auto _ : state) {
      auto joined = JoinViews(spine, events, views, ttl);
      benchmark::DoNotOptimize(joined);
    }
  };
}

absl::Status MeasureScale(BarRun& run, const Batch& spine, const Batch& events) {
  if (!run.Wants("P4")) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(const Batch twice, MakeEvents(2 * kEvents));
  const Events one(events);
  const Events two(twice);
  return run.Measure(
      "P4", JoinSide(spine, two, 1, std::nullopt), JoinSide(spine, one, 1, std::nullopt),
      [] { return absl::OkStatus(); }, "2 threads");
}

#ifdef LARDER_HAVE_DUCKDB

using larder_test::DuckDbDatabase;

// `where` is applied to each value of the nearest row: a TTL, or nothing.
std::string AsofSql(int number, bool ttl) {
  std::string columns;
  for (int f = 0; f < kFeatures; ++f) {
    const std::string value = Concat("e.f", f);
    columns += Concat(
        ", ", ttl ? Concat("CASE WHEN s.at - e.at <= INTERVAL 7 DAY THEN ", value, " END") : value,
        " AS f", f);
  }
  return Concat("CREATE OR REPLACE TABLE joined", number, " AS SELECT s.id, s.entity, s.at", columns,
                " FROM spine s ASOF LEFT JOIN events e ON s.entity = e.entity AND s.at >= e.at");
}

absl::Status SameValues(DuckDbDatabase& database, int number, const JoinedView& joined) {
  LARDER_ASSIGN_OR_RETURN(
      const Batch theirs,
      database.Query(Concat("SELECT f0, f1, f2, f3 FROM joined", number, " ORDER BY id")));
  for (std::size_t f = 0; f < kFeatures; ++f) {
    if (theirs.column(f) == joined.features[f]) continue;
    return larder::InternalError("the joins differ in feature f", f);
  }
  return absl::OkStatus();
}

absl::Status MeasurePeer(BarRun& run, const Batch& spine, const Batch& events, const char* id,
                         int views, std::optional<larder::Duration> ttl, DuckDbDatabase& database,
                         const std::string& detail) {
  if (!run.Wants(id)) return absl::OkStatus();
  const Events borrowed(events);
  absl::Status failed;
  const Side theirs = [&](benchmark::State& state) {
    for (auto _ : state) {
      for (int v = 0; v < views; ++v) failed.Update(database.Run(AsofSql(v, ttl.has_value())));
    }
  };
  const auto compare = [&]() -> absl::Status {
    LARDER_ASSIGN_OR_RETURN(const std::vector<JoinedView> joined,
                            JoinViews(spine, borrowed, views, ttl));
    for (int v = 0; v < views; ++v) {
      LARDER_RETURN_IF_ERROR(database.Run(AsofSql(v, ttl.has_value())));
      LARDER_RETURN_IF_ERROR(SameValues(database, v, joined[static_cast<std::size_t>(v)]));
    }
    return absl::OkStatus();
  };
  LARDER_RETURN_IF_ERROR(
      run.Measure(id, JoinSide(spine, borrowed, views, ttl), theirs, compare, detail));
  return failed;
}

absl::Status MeasurePeers(BarRun& run, const Batch& spine, const Batch& events) {
  if (!run.Wants("P1") && !run.Wants("P2")) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(DuckDbDatabase database, DuckDbDatabase::Open());
  LARDER_RETURN_IF_ERROR(database.Run(Concat("SET threads = ", kThreads)));
  LARDER_RETURN_IF_ERROR(database.PutTable("spine", spine));
  LARDER_RETURN_IF_ERROR(database.PutTable("events", events));
  LARDER_ASSIGN_OR_RETURN(const Batch version, database.Query("SELECT version() AS v"));
  const std::string detail = Concat("DuckDB ", version.column(0).Text(0), ", 2 threads each");
  LARDER_RETURN_IF_ERROR(MeasurePeer(run, spine, events, "P1", 1, std::nullopt, database, detail));
  return MeasurePeer(run, spine, events, "P2", 3, larder::Duration::Days(7), database, detail);
}

#else

absl::Status MeasurePeers(BarRun& run, const Batch&, const Batch&) {
  for (const char* id : {"P1", "P2"}) {
    if (run.Wants(id)) run.RecordNotRun(id, "built without DuckDB: scripts/fetch_duckdb.sh");
  }
  return absl::OkStatus();
}

#endif

}  // namespace

absl::Status RunJoinBars(BarRun& run) {
  if (!run.Wants("P1") && !run.Wants("P2") && !run.Wants("P4")) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(const Batch spine, MakeSpine());
  LARDER_ASSIGN_OR_RETURN(const Batch events, MakeEvents(kEvents));
  LARDER_RETURN_IF_ERROR(MeasurePeers(run, spine, events));
  return MeasureScale(run, spine, events);
}

}  // namespace larder_bench
