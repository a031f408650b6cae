// The table of bars. Sizes and yardsticks: README.md.
#include "bar.h"

namespace larder_bench {
namespace {

constexpr Sense kLeast = Sense::kAtLeast;
constexpr Sense kMost = Sense::kAtMost;

constexpr BarSpec kBars[] = {
    {"O1", "one entity, one view, 6 features, snapshot renewed", "one get, transaction renewed",
     kMost, 0.5, 0.3},
    {"O1h", "the same in a held session, nothing new", "one get", kMost, 0.35, 0.2},
    {"O2", "one entity, five views, snapshot renewed", "five gets", kMost, 0.12, 0.06},
    {"O3", "1,000 entities x 5 views into a float32 tensor", "5,000 gets and copy", kMost, 0.04,
     0.02},
    {"O3v", "O3 with verify: always", "5,000 gets and copy", kMost, 0.06},
    {"O4", "O3 with 1 % in the overlay, minus O3", "gets of the overlaid pairs", kMost, 1.5, 0.5},
    {"O5", "p99 of the first request after each commit", "p99 of the other requests", kMost, 5, 2},
    {"O6", "O3 at 5 M entities", "the same gets at 5 M", kMost, 0.05, 0.025, "x", false},
    {"O7", "O3 with 24-byte string keys", "gets with the same keys", kMost, 0.05, 0.025},
    {"O8", "heap allocations and system calls per request", "counted", kMost, 0, std::nullopt,
     "count"},
    {"O9", "full materialization from unsorted input", "MDB_APPEND of presorted winners", kLeast, 2,
     4},
    {"O10", "durable pushes of 1,000 rows until 20 % is rewritten", "raw durable puts", kMost, 1.0,
     0.3},
    {"O10g", "durable pushes of 10 rows from 8 threads", "the same, a commit for each", kLeast, 2},
    {"O11", "file after one materialization", "payload + 20 B a view row + 24 B an entity", kMost,
     1},
    {"O12", "open a 5 M-entity store and serve once", "mdb_env_open and one get", kMost, 3,
     std::nullopt, "x", false},
    {"O12b", "open a 5 M-entity store and serve once", "the same of 50,000", kMost, 1.5,
     std::nullopt, "x", false},
    {"O13", "roll back 5 M entities", "one durable one-row commit", kMost, 3, 1.5, "x", false},
    {"O14", "1,000 entities x 5 features", "Redis, pipelined HMGET", kMost, 0.05, 0.02, "x", false,
     "Redis"},
    {"O15", "stage one event and read the vector it changes", "the same read without it", kMost,
     1.5},
    {"O16", "p99 of a durable push during a materialization", "the same, idle", kMost, 3},
    {"O17", "1 user x 1,000 items, 20 + 20 features, 5 cross", "the item gathers alone", kMost, 1.3},
    {"O18", "O3 on two threads", "O3 on one", kLeast, 1.8},
    {"O19", "O3 with all keys absent", "O3", kMost, 1},
    {"O20", "first 1,000 requests after a publish", "the same warm", kMost, 5},
    {"O20p", "O20 with prefault", "the same warm", kMost, 1.5},
    {"O21", "page faults per entity, page cache dropped", "counted", kMost, 2, std::nullopt,
     "count"},

    {"T1", "case with ln and sqrt, batch", "hand-written with libm", kMost, 0.8, 0.5},
    {"T2", "division, nullif and in, batch", "hand-written", kMost, 1.3, 1.0},
    {"T3", "T1 one row at a time", "a hand-written function call", kMost, 12, 5},
    {"T4", "lower(trim(s)) = 'late', batch", "hand-written", kMost, 1.5, 1.0},
    {"T5", "T1", "muParser's bulk mode", kMost, 0.5, 0.2, "x", false, "muParser"},

    {"W1", "serve four 30 d aggregates of a hot key", "cursor fold of its events", kMost, 0.0003},
    {"W2", "the same", "at 10 k events", kMost, 3},
    {"W2g", "the same", "12 gets", kMost, 1},
    {"W3", "durable ingest of 1,000 events into 4 windows", "raw puts keyed (entity, time)", kMost,
     1.0, 0.3},
    {"W3i", "W3 with event ids", "raw puts keyed (entity, time)", kMost, 1.0, 0.3},
    {"W4", "backfill: 10 M events, 1 h sum at 1 M times", "DuckDB, 2 threads", kMost, 0.2, 0.1, "x",
     false, "DuckDB"},
    {"W5", "1,000 keys x 4 windows x 3 functions, served", "4,000 gets", kMost, 0.3, 0.1},

    {"P1", "point-in-time join, 10 M events x 1 M rows", "DuckDB ASOF JOIN", kMost, 0.2, 0.1, "x",
     false, "DuckDB"},
    {"P2", "P1 with a 7 d TTL and 3 views", "three ASOF joins", kMost, 0.2, 0.1, "x", false,
     "DuckDB"},
    {"P3", "peak memory above idle, streaming", "spine + output bytes", kMost, 3, 2},
    {"P4", "P1 with 20 M events", "P1 with 10 M", kMost, 2.2},
    {"P5", "CSV to typed columns, one thread", "DuckDB read_csv", kLeast, 1, 2, "x", false,
     "DuckDB"},
    {"P6", "Parquet out: the hand-over", "the engine's own COPY", kMost, 0.2, std::nullopt, "x",
     false, "DuckDB"},
    {"P7", "10^8 rows, 10^9 events: time per row", "P1's, scaled", kMost, 1.5, std::nullopt, "x",
     false},

    {"G1", "apply 1,000 views, 20,000 features to a new store", "none: a time", kMost, 2000,
     std::nullopt, "ms"},
    {"G2", "open that store and read its catalog", "none: a time", kMost, 20, std::nullopt, "ms"},
    {"G3", "plan a change of one line in it", "none: a time", kMost, 200, std::nullopt, "ms"},
};

}  // namespace

std::span<const BarSpec> AllBars() { return kBars; }

}  // namespace larder_bench
