// Bars of putting data in: loads and durable pushes against plain LMDB on the same file system.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <thread>

#include "bar.h"
#include "larder/base/text.h"
#include "larder/feature_store.h"
#include "lmdb_yardstick.h"
#include "online_bars.h"
#include "online_store.h"
#include "serving_sides.h"

namespace larder_bench {
namespace {

using larder::Batch;
using larder::Concat;
using larder::FeatureStore;
using Clock = std::chrono::steady_clock;

double NsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

void RemoveFolder(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
}

// What this process gave the file systems to write, page by page.
int64_t BytesWritten() {
  std::ifstream file("/proc/self/io");
  std::string name;
  int64_t value = 0;
  while (file >> name >> value) {
    if (name == "write_bytes:") return value;
  }
  return 0;
}

absl::Status CheckLmdb(int code) {
  if (code == 0) return absl::OkStatus();
  return larder::InternalError("yardstick: ", mdb_strerror(code));
}

// O9: 1.2 events per key in random order, in memory as the other side's rows are, to the winners; against the winners
// appended in key order.
class LoadBar {
 public:
  explicit LoadBar(std::string folder) : folder_(std::move(folder)) {
    for (uint64_t entity = 0; entity < spec_.entities; ++entity) {
      winners_.push_back({entity, entity % 5 == 0 ? 1 : 0});
    }
    events_ = OneRowEach(spec_.entities);
    for (uint64_t entity = 0; entity < spec_.entities; entity += 5) events_.push_back({entity, 1});
    std::shuffle(events_.begin(), events_.end(), std::mt19937_64(9));
  }

  absl::Status Run(BarRun& run) {
    LARDER_RETURN_IF_ERROR(WriteSourceFile(spec_, folder_, 0, events_));
    LARDER_ASSIGN_OR_RETURN(Batch rows, RowsToPush(spec_, 0, events_));
    rows_ = std::make_shared<const Batch>(std::move(rows));
    PairOptions options = run.pair_options();
    options.pairs = 15;  // a side takes seconds
    LARDER_RETURN_IF_ERROR(Compare());
    std::vector<double> loads;
    std::vector<double> appends;
    for (int i = 0; i < options.pairs; ++i) {
      for (const bool candidate : {i % 2 == 0, i % 2 != 0}) {
        LARDER_ASSIGN_OR_RETURN(const double ns, candidate ? Load(false) : Append());
        (candidate ? loads : appends).push_back(ns);
      }
    }
    const PairStats stats = StatsOf(loads, appends, Sense::kAtLeast);
    std::vector<double> from_file;
    for (int i = 0; i < 3; ++i) {
      LARDER_ASSIGN_OR_RETURN(const double ns, Load(true));
      from_file.push_back(ns);
    }
    LARDER_ASSIGN_OR_RETURN(const double pushing, PushAtOnce());
    const double winners = static_cast<double>(winners_.size());
    run.Record(
        "O9", stats.median, stats.bound,
        Concat(std::lround(winners / stats.candidate_ns * 1e6), " k rows/s against ",
               std::lround(winners / stats.yardstick_ns * 1e6),
               " k appended; from a CSV file: ", Short(stats.yardstick_ns / Median(from_file)),
               " x; one durable push of the events: ", Short(stats.yardstick_ns / pushing), " x; ",
               kThreads, " threads"));
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<double> Load(bool from_file) {
    RemoveFolder(folder_ + "/store");
    LARDER_ASSIGN_OR_RETURN(FeatureStore store, MakeEmptyStore(spec_, folder_ + "/store", folder_,
                                                               larder::Durability::kDurable));
    larder::MaterializeOptions options;
    options.views = {"view0"};
    options.full = true;
    options.thread_count = kThreads;
    if (!from_file) options.sources.push_back({"batch0", rows_, nullptr});
    const Clock::time_point start = Clock::now();
    LARDER_RETURN_IF_ERROR(store.Materialize(options).status());
    return NsSince(start);
  }

  absl::StatusOr<double> Append() {
    const std::string path = folder_ + "/appended";
    RemoveFolder(path);
    std::filesystem::create_directories(path);
    MDB_env* env = nullptr;
    LARDER_RETURN_IF_ERROR(CheckLmdb(mdb_env_create(&env)));
    mdb_env_set_maxdbs(env, 1);
    mdb_env_set_mapsize(env, std::size_t{1} << 30);
    LARDER_RETURN_IF_ERROR(CheckLmdb(mdb_env_open(env, path.c_str(), MDB_NORDAHEAD, 0600)));
    const Clock::time_point start = Clock::now();
    MDB_txn* txn = nullptr;
    MDB_dbi database = 0;
    LARDER_RETURN_IF_ERROR(CheckLmdb(mdb_txn_begin(env, nullptr, 0, &txn)));
    LARDER_RETURN_IF_ERROR(CheckLmdb(mdb_dbi_open(txn, "view0", MDB_CREATE, &database)));
    for (const EventRow& row : winners_) {
      uint64_t big_endian = __builtin_bswap64(row.entity);
      double features[kRowFeatures];
      RowOf(row.entity, RowVariant(0, row.generation), features);
      MDB_val key{sizeof(big_endian), &big_endian};
      MDB_val value{sizeof(features), features};
      LARDER_RETURN_IF_ERROR(CheckLmdb(mdb_put(txn, database, &key, &value, MDB_APPEND)));
    }
    LARDER_RETURN_IF_ERROR(CheckLmdb(mdb_txn_commit(txn)));
    const double spent = NsSince(start);
    mdb_env_close(env);
    return spent;
  }

  // Every winner is served.
  absl::Status Compare() {
    LARDER_RETURN_IF_ERROR(Load(false).status());
    LARDER_ASSIGN_OR_RETURN(const FeatureStore store, OpenStore(folder_ + "/store"));
    const RandomKeys keys(spec_, 0, spec_.entities);
    LARDER_ASSIGN_OR_RETURN(const auto side, LarderSide::Make(store, keys, {.rows = 100'000}));
    LARDER_RETURN_IF_ERROR(side->Request(0));
    const float* served = side->tensor().data();
    for (std::size_t i = 0; i < 100'000; ++i) {
      double expected[kRowFeatures];
      const EventRow& winner = winners_[keys.entity(i)];
      RowOf(winner.entity, RowVariant(0, winner.generation), expected);
      for (const double number : expected) {
        if (*served++ == static_cast<float>(number)) continue;
        return larder::InternalError("O9: entity ", winner.entity, " is loaded wrong");
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<double> PushAtOnce() {
    std::vector<double> times;
    for (int i = 0; i < 3; ++i) {
      RemoveFolder(folder_ + "/store");
      LARDER_ASSIGN_OR_RETURN(FeatureStore store, MakeEmptyStore(spec_, folder_ + "/store", folder_,
                                                                 larder::Durability::kDurable));
      const Clock::time_point start = Clock::now();
      LARDER_RETURN_IF_ERROR(store.Push("live0", *rows_).status());
      times.push_back(NsSince(start));
    }
    return Median(times);
  }

  static constexpr int kThreads = 2;  // MaterializeOptions::thread_count
  StoreSpec spec_{.views = 1};
  std::string folder_;
  std::vector<EventRow> winners_;
  std::vector<EventRow> events_;
  std::shared_ptr<const Batch> rows_;  // the events
};

// O10: durable batches of 1,000 random rows into a full view, batch by batch in turn with raw puts of the same rows.
class PushBar {
 public:
  explicit PushBar(std::string folder) : folder_(std::move(folder)) {}

  absl::Status Run(BarRun& run) {
    constexpr std::size_t kBatchRows = 1'000;
    LARDER_RETURN_IF_ERROR(MakeStore(spec_, folder_ + "/store"));
    LARDER_ASSIGN_OR_RETURN(
        const auto yardstick,
        LmdbYardstick::Make(folder_ + "/yardstick", spec_.entities, KeyKind::kInteger, 1));
    LARDER_RETURN_IF_ERROR(yardstick->BecomeDurable());
    LARDER_ASSIGN_OR_RETURN(FeatureStore store,
                            OpenStore(folder_ + "/store", larder::Durability::kDurable));
    std::vector<uint64_t> order(spec_.entities);
    for (uint64_t entity = 0; entity < order.size(); ++entity) order[entity] = entity;
    std::shuffle(order.begin(), order.end(), std::mt19937_64(10));
    order.resize(spec_.entities / 5);

    std::vector<double> pushes;
    std::vector<double> puts;
    int64_t pushed_bytes = 0;
    int64_t put_bytes = 0;
    for (std::size_t first = 0; first < order.size(); first += kBatchRows) {
      std::vector<EventRow> rows;
      for (std::size_t i = first; i < first + kBatchRows; ++i) rows.push_back({order[i], 1});
      LARDER_ASSIGN_OR_RETURN(const Batch batch, RowsToPush(spec_, 0, rows));
      const bool even = first / kBatchRows % 2 == 0;
      for (const bool candidate : {even, !even}) {
        const int64_t bytes = BytesWritten();
        const Clock::time_point start = Clock::now();
        if (candidate) {
          LARDER_RETURN_IF_ERROR(store.Push("live0", batch).status());
          pushes.push_back(NsSince(start));
          pushed_bytes += BytesWritten() - bytes;
        } else {
          LARDER_RETURN_IF_ERROR(Put(*yardstick, rows));
          puts.push_back(NsSince(start));
          put_bytes += BytesWritten() - bytes;
        }
      }
    }
    LARDER_RETURN_IF_ERROR(Compare(store, *yardstick, order));
    const PairStats stats = StatsOfTotals(pushes, puts, Sense::kAtMost);
    const auto rows = static_cast<int64_t>(order.size());
    std::sort(pushes.begin(), pushes.end());
    run.Record("O10", stats.median, stats.bound,
               Concat(std::lround(stats.candidate_ns / 1e3), " us a batch (slowest ",
                      std::lround(pushes.back() / 1e3), ") against ",
                      std::lround(stats.yardstick_ns / 1e3), ", ", stats.pairs, " batches; ",
                      pushed_bytes / rows, " bytes written per row against ", put_bytes / rows));
    return absl::OkStatus();
  }

 private:
  static absl::Status Put(LmdbYardstick& yardstick, const std::vector<EventRow>& rows) {
    MDB_txn* txn = nullptr;
    LARDER_RETURN_IF_ERROR(CheckLmdb(mdb_txn_begin(yardstick.environment(), nullptr, 0, &txn)));
    for (const EventRow& row : rows) {
      uint64_t big_endian = __builtin_bswap64(row.entity);
      double features[kRowFeatures];
      RowOf(row.entity, RowVariant(0, row.generation), features);
      MDB_val key{sizeof(big_endian), &big_endian};
      MDB_val value{sizeof(features), features};
      LARDER_RETURN_IF_ERROR(CheckLmdb(mdb_put(txn, yardstick.database(0), &key, &value, 0)));
    }
    return CheckLmdb(mdb_txn_commit(txn));
  }

  absl::Status Compare(const FeatureStore& store, LmdbYardstick& yardstick,
                       const std::vector<uint64_t>& pushed) const {
    const RandomKeys keys(spec_, 0, spec_.entities);
    constexpr RequestShape kShape{"five_views", 1'000, false};
    LARDER_ASSIGN_OR_RETURN(const auto candidate, LarderSide::Make(store, keys, kShape));
    YardstickSide plain(yardstick, keys, spec_.keys, spec_.views, kShape);
    yardstick.Renew();
    float row[kRowFeatures];
    double expected[kRowFeatures];
    RowOf(pushed.back(), RowVariant(0, 1), expected);
    if (!yardstick.Get(0, pushed.back(), row) || row[0] != static_cast<float>(expected[0])) {
      return larder::InternalError("yardstick: the last put is not there");
    }
    return CompareSides(*candidate, plain, keys, kShape.rows);
  }

  StoreSpec spec_{.views = 1};
  std::string folder_;
};

}  // namespace

absl::Status RunLoadBars(BarRun& run) {
  if (run.Wants("O9")) {
    const std::string folder = run.options().scratch + "/o9";
    LARDER_RETURN_IF_ERROR(LoadBar(folder).Run(run));
    RemoveFolder(folder);
  }
  if (run.Wants("O10")) {
    const std::string folder = run.options().scratch + "/o10";
    std::filesystem::create_directories(folder);
    LARDER_RETURN_IF_ERROR(PushBar(folder).Run(run));
    RemoveFolder(folder);
  }
  return absl::OkStatus();
}

}  // namespace larder_bench
