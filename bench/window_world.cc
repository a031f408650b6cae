#include "window_world.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "larder/base/text.h"
#include "larder/registry/definitions_json.h"

namespace larder_bench {
namespace {

using larder::Batch;
using larder::Column;
using larder::Concat;
using larder::FeatureStore;
using larder::TypeId;

constexpr int64_t kMinuteUs = 60'000'000;
constexpr int64_t kSpanUs = 30LL * 24 * 60 * kMinuteUs - 10 * kMinuteUs;
constexpr std::size_t kPushedAtOnce = 200'000;
constexpr std::size_t kPutAtOnce = 100'000;

absl::Status Check(int code) {
  if (code == 0) return absl::OkStatus();
  return larder::InternalError("raw events: ", mdb_strerror(code));
}

struct RawKey {
  uint64_t words[3];
};

RawKey KeyOf(uint64_t card, int64_t time_us, uint64_t number) {
  return {{__builtin_bswap64(card), __builtin_bswap64(static_cast<uint64_t>(time_us)),
           __builtin_bswap64(number)}};
}

std::string DefinitionsOf(const WindowStoreSpec& spec) {
  return Concat(R"({"larder": 1, "project": "bench",
 "entities": [{"name": "card", "join_keys": [{"name": "card", "type": "int64"}]}],
 "sources": [{"name": "live", "kind": "push", "event_time": "at", )",
                spec.has_ids ? R"("event_id": "id", )" : "",
                R"("fields": [{"name": "card", "type": "int64"}, {"name": "at", "type": "timestamp"},
   {"name": "amount", "type": "float64"})",
                spec.has_ids ? R"(, {"name": "id", "type": "int64"})" : "", R"(]}],
 "feature_views": [{"name": "spend", "entities": ["card"], "source": "live", "aggregates": [)",
                spec.aggregates, R"(]}],
 "feature_services": [{"name": "model", "dtype": "float64", "features": [{"view": "spend"}]}]})");
}

}  // namespace

WindowEvent EventOf(uint64_t card, larder::Timestamp time, uint64_t number) {
  return {card, time.us, number, static_cast<double>((card * 31 + number * 7) % 100'003) / 8};
}

std::vector<WindowEvent> EvenEvents(uint64_t cards, uint64_t each) {
  std::vector<WindowEvent> events;
  events.reserve(cards * each);
  const int64_t step = kSpanUs / static_cast<int64_t>(each);
  for (uint64_t i = 0; i < each; ++i) {
    for (uint64_t card = 0; card < cards; ++card) {
      const int64_t after = static_cast<int64_t>(i) * step + static_cast<int64_t>(card % 1000);
      events.push_back(EventOf(card, {kNow.us - kSpanUs - kMinuteUs + after}, events.size()));
    }
  }
  return events;
}

std::vector<WindowEvent> HotEvents(uint64_t card, uint64_t count, uint64_t first_number) {
  std::vector<WindowEvent> events;
  events.reserve(count);
  const auto half = static_cast<int64_t>(count / 2);
  for (int64_t i = 0; i < static_cast<int64_t>(count); ++i) {
    const int64_t after = i < half ? (kSpanUs - kMinuteUs) * i / half
                                   : kSpanUs - kMinuteUs + kMinuteUs * (i - half) / half;
    events.push_back(EventOf(card, {kNow.us - kSpanUs - kMinuteUs + after},
                             first_number + static_cast<uint64_t>(i)));
  }
  return events;
}

absl::StatusOr<FeatureStore> MakeWindowStore(const WindowStoreSpec& spec, const std::string& path,
                                             larder::Durability durability) {
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(path, durability));
  LARDER_ASSIGN_OR_RETURN(const larder::Definitions definitions,
                          larder::ParseDefinitions(DefinitionsOf(spec), "bench"));
  LARDER_RETURN_IF_ERROR(store.Apply(definitions).status());
  return store;
}

Batch EventsToPush(const WindowStoreSpec& spec, std::span<const WindowEvent> events) {
  Column cards(TypeId::kInt64);
  Column times(TypeId::kTimestamp);
  Column amounts(TypeId::kFloat64);
  Column ids(TypeId::kInt64);
  for (const WindowEvent& event : events) {
    cards.AppendFixed(static_cast<int64_t>(event.card));
    times.AppendFixed(event.time_us);
    amounts.AppendFixed(event.amount);
    ids.AppendFixed(static_cast<int64_t>(event.number));
  }
  Batch batch;
  absl::Status added = batch.AddColumn("card", std::move(cards));
  if (added.ok()) added = batch.AddColumn("at", std::move(times));
  if (added.ok()) added = batch.AddColumn("amount", std::move(amounts));
  if (added.ok() && spec.has_ids) added = batch.AddColumn("id", std::move(ids));
  return added.ok() ? batch : Batch();
}

absl::Status PushAll(const WindowStoreSpec& spec, std::span<const WindowEvent> events,
                     FeatureStore* store) {
  for (std::size_t first = 0; first < events.size(); first += kPushedAtOnce) {
    const auto some = events.subspan(first, std::min(kPushedAtOnce, events.size() - first));
    LARDER_RETURN_IF_ERROR(store->Push("live", EventsToPush(spec, some)).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RawEvents>> RawEvents::Make(const std::string& path) {
  std::filesystem::create_directories(path);
  std::unique_ptr<RawEvents> made(new RawEvents);
  LARDER_RETURN_IF_ERROR(Check(mdb_env_create(&made->env_)));
  LARDER_RETURN_IF_ERROR(Check(mdb_env_set_maxdbs(made->env_, 1)));
  LARDER_RETURN_IF_ERROR(Check(mdb_env_set_mapsize(made->env_, std::size_t{16} << 30)));
  LARDER_RETURN_IF_ERROR(
      Check(mdb_env_open(made->env_, path.c_str(), MDB_NORDAHEAD | MDB_NOSYNC, 0600)));
  MDB_txn* txn = nullptr;
  LARDER_RETURN_IF_ERROR(Check(mdb_txn_begin(made->env_, nullptr, 0, &txn)));
  LARDER_RETURN_IF_ERROR(Check(mdb_dbi_open(txn, "events", MDB_CREATE, &made->events_)));
  LARDER_RETURN_IF_ERROR(Check(mdb_txn_commit(txn)));
  return made;
}

RawEvents::~RawEvents() {
  if (read_ != nullptr) mdb_txn_abort(read_);
  if (env_ != nullptr) mdb_env_close(env_);
}

absl::Status RawEvents::Put(std::span<const WindowEvent> events) {
  if (events.size() > kPutAtOnce) {
    LARDER_RETURN_IF_ERROR(Put(events.first(kPutAtOnce)));
    return Put(events.subspan(kPutAtOnce));
  }
  MDB_txn* txn = nullptr;
  LARDER_RETURN_IF_ERROR(Check(mdb_txn_begin(env_, nullptr, 0, &txn)));
  for (const WindowEvent& event : events) {
    RawKey raw = KeyOf(event.card, event.time_us, event.number);
    double amount = event.amount;
    MDB_val key{sizeof(raw), &raw};
    MDB_val value{sizeof(amount), &amount};
    LARDER_RETURN_IF_ERROR(Check(mdb_put(txn, events_, &key, &value, 0)));
  }
  return Check(mdb_txn_commit(txn));
}

absl::Status RawEvents::BecomeDurable() {
  LARDER_RETURN_IF_ERROR(Check(mdb_env_set_flags(env_, MDB_NOSYNC, 0)));
  return Check(mdb_env_sync(env_, 1));
}

absl::StatusOr<RawEvents::Totals> RawEvents::Fold(uint64_t card, int64_t from_us) {
  if (read_ == nullptr) {
    LARDER_RETURN_IF_ERROR(Check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &read_)));
  }
  MDB_cursor* cursor = nullptr;
  LARDER_RETURN_IF_ERROR(Check(mdb_cursor_open(read_, events_, &cursor)));
  RawKey first = KeyOf(card, from_us, 0);
  MDB_val key{sizeof(first), &first};
  MDB_val value;
  Totals totals;
  for (int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
       code == 0 && std::memcmp(key.mv_data, first.words, sizeof(uint64_t)) == 0;
       code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
    double amount = 0;
    std::memcpy(&amount, value.mv_data, sizeof(amount));
    totals.sum += amount;
    totals.max = totals.count == 0 ? amount : std::max(totals.max, amount);
    ++totals.count;
  }
  mdb_cursor_close(cursor);
  return totals;
}

}  // namespace larder_bench
