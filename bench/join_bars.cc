// The point-in-time join against DuckDB's ASOF JOIN on the same data, both in memory on two threads.
#include <string>
#include <utility>
#include <vector>

#include "join_world.h"
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
using larder::Concat;
using larder::JoinedView;

Side JoinSide(const Batch& spine, const JoinEvents& events, int views,
              std::optional<larder::Duration> ttl) {
  return [&spine, &events, views, ttl](benchmark::State& state) {
    for (auto _ : state) {
      auto joined = JoinOnce(spine, events, views, ttl);
      benchmark::DoNotOptimize(joined);
    }
  };
}

absl::Status MeasureScale(BarRun& run, const Batch& spine, const Batch& events) {
  if (!run.Wants("P4")) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(const Batch twice, MakeJoinEvents(2 * kJoinEvents));
  const JoinEvents one(events);
  const JoinEvents two(twice);
  return run.Measure(
      "P4", JoinSide(spine, two, 1, std::nullopt), JoinSide(spine, one, 1, std::nullopt),
      [] { return absl::OkStatus(); }, "2 threads");
}

#ifdef LARDER_HAVE_DUCKDB

using larder_test::DuckDbDatabase;

// `where` is applied to each value of the nearest row: a TTL, or nothing.
std::string AsofSql(int number, bool ttl) {
  std::string columns;
  for (int f = 0; f < kJoinFeatures; ++f) {
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
  for (std::size_t f = 0; f < kJoinFeatures; ++f) {
    if (theirs.column(f) == joined.features[f]) continue;
    return larder::InternalError("the joins differ in feature f", f);
  }
  return absl::OkStatus();
}

absl::Status MeasurePeer(BarRun& run, const Batch& spine, const Batch& events, const char* id,
                         int views, std::optional<larder::Duration> ttl, DuckDbDatabase& database,
                         const std::string& detail) {
  if (!run.Wants(id)) return absl::OkStatus();
  const JoinEvents borrowed(events);
  absl::Status failed;
  const Side theirs = [&](benchmark::State& state) {
    for (auto _ : state) {
      for (int v = 0; v < views; ++v) failed.Update(database.Run(AsofSql(v, ttl.has_value())));
    }
  };
  const auto compare = [&]() -> absl::Status {
    LARDER_ASSIGN_OR_RETURN(const std::vector<JoinedView> joined,
                            JoinOnce(spine, borrowed, views, ttl));
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
  LARDER_RETURN_IF_ERROR(database.Run(Concat("SET threads = ", kJoinThreads)));
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
  if (run.Wants("P7")) {
    run.RecordNotRun("P7", "no source of binary columns to read 10^9 events from");
  }
  if (!run.Wants("P1") && !run.Wants("P2") && !run.Wants("P3") && !run.Wants("P4"))
    return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(const Batch spine, MakeJoinSpine());
  LARDER_ASSIGN_OR_RETURN(const Batch events, MakeJoinEvents(kJoinEvents));
  LARDER_RETURN_IF_ERROR(MeasurePeers(run, spine, events));
  LARDER_RETURN_IF_ERROR(MeasureJoinMemory(run, spine, events));
  return MeasureScale(run, spine, events);
}

}  // namespace larder_bench
