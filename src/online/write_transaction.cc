#include "larder/online/write_transaction.h"

#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "larder/base/bytes.h"
#include "larder/schema/entity_key.h"
#include "online/environment_impl.h"
#include "online/generation_record.h"
#include "online/layer_writer.h"
#include "online/lmdb_status.h"
#include "online/record_key.h"
#include "online/row_codec.h"
#include "online/row_encoding.h"
#include "online/settle_segments.h"
#include "online/write_state.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint64_t kCommitsPerReaderCheck = 64;
constexpr int kBatchIdsPurgedMax = 16;
constexpr int kBeginAttempts = 8;
constexpr int kGrowAttempts = 32;

std::string BigEndian(uint64_t value) {
  std::string bytes(8, '\0');
  StoreBigEndian(value, bytes.data());
  return bytes;
}

}  // namespace

std::string FloorsKey(uint32_t view_id) { return BigEndian(view_id).substr(4); }

// --- State ---

absl::Status WriteTransaction::State::CheckUsable() const {
  if (impl().forked()) return ForkedError();
  if (txn == nullptr) return FailedPreconditionError("the write transaction has ended");
  if (failed) return FailedPreconditionError("the write transaction has failed before: abort it");
  return absl::OkStatus();
}

absl::Status WriteTransaction::State::Fail(int code, std::string_view operation) {
  failed = true;
  if (code == MDB_MAP_FULL) map_full = true;
  return LmdbWriteError(code, operation, home->directory.data_path);
}

absl::Status WriteTransaction::State::Put(MDB_dbi database, std::string_view key,
                                          std::string_view value) {
  LARDER_DCHECK(key.size() % 8 == 0 && value.size() % 8 == 0);
  ++writes;
  MDB_val at = ToVal(key);
  MDB_val bytes = ToVal(value);
  const int code = mdb_put(txn, database, &at, &bytes, 0);
  return code == 0 ? absl::OkStatus() : Fail(code, "writing");
}

absl::Status WriteTransaction::State::PutSegment(uint64_t id, const std::string& bytes) {
  segments_written.push_back(id);
  char key[8];
  StoreBigEndian(id, key);
  const std::size_t alone = impl().format.page_size / 2;
  if (bytes.size() >= alone) return Put(impl().segments, {key, sizeof(key)}, bytes);
  std::string padded = bytes;
  padded.resize(PadTo8(alone));
  return Put(impl().segments, {key, sizeof(key)}, padded);
}

absl::StatusOr<bool> WriteTransaction::State::Delete(MDB_dbi database, std::string_view key) {
  MDB_val at = ToVal(key);
  const int code = mdb_del(txn, database, &at, nullptr);
  if (code == MDB_NOTFOUND) return false;
  ++writes;
  if (code != 0) return Fail(code, "deleting");
  if (database == impl().segments) segments_deleted.push_back(LoadBigEndian(key.data()));
  return true;
}

absl::Status WriteTransaction::State::PutRecord(uint32_t table, std::string_view key,
                                                std::string_view value) {
  if (key.size() > RecordKey::kMax) {
    return WithKind(
        InvalidArgumentError("a record key of ", key.size(), " bytes: at most ", RecordKey::kMax),
        ErrorKind::kTooLarge);
  }
  if (value.size() > UINT32_MAX - 16) {
    return WithKind(InvalidArgumentError("a record of ", value.size(), " bytes"),
                    ErrorKind::kTooLarge);
  }
  const RecordKey at(table, key);
  EncodeRecord(at.full(), value, &scratch);
  return Put(impl().records, at.full(), scratch);
}

absl::StatusOr<std::optional<std::string_view>> WriteTransaction::State::GetRecord(
    uint32_t table, std::string_view key) const {
  LARDER_RETURN_IF_ERROR(CheckUsable());
  if (key.size() > RecordKey::kMax) return std::optional<std::string_view>();
  const RecordKey wanted(table, key);
  MDB_val at = ToVal(wanted.full());
  MDB_val value{};
  const int code = mdb_get(txn, impl().records, &at, &value);
  if (code == MDB_NOTFOUND) return std::optional<std::string_view>();
  if (code != 0) return LmdbError(code, "reading a record");
  LARDER_ASSIGN_OR_RETURN(const std::string_view bytes,
                          DecodeRecord(wanted.full(), FromVal(value), true));
  return std::optional<std::string_view>(bytes);
}

absl::StatusOr<WriteTransaction::State::Floors*> WriteTransaction::State::FloorsOf(uint32_t view_id) {
  const auto [at, is_new] = floors.try_emplace(view_id);
  if (is_new) {
    LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> stored,
                            GetRecord(kFloorsTable, FloorsKey(view_id)));
    if (stored && stored->size() == 16) {
      at->second.value = {{LoadAs<int64_t>(stored->data())}, {LoadAs<int64_t>(stored->data() + 8)}};
    }
  }
  return &at->second;
}

void WriteTransaction::State::RaiseFloors(Floors* floors_of_view, Timestamp as_of,
                                          Timestamp known_at) {
  ViewFloors& value = floors_of_view->value;
  if (as_of <= value.as_of && known_at <= value.known_at) return;
  value.as_of = std::max(value.as_of, as_of);
  value.known_at = std::max(value.known_at, known_at);
  floors_of_view->changed = true;
  head.as_of_floor = std::max(head.as_of_floor, value.as_of.us);
  head.known_floor = std::max(head.known_floor, value.known_at.us);
}

void WriteTransaction::State::End() {
  if (txn == nullptr) return;
  mdb_txn_abort(std::exchange(txn, nullptr));
  impl().UnlockWriter();
}

// --- WriteTransaction ---

WriteTransaction::WriteTransaction(std::unique_ptr<State> state) : state_(std::move(state)) {}
WriteTransaction::WriteTransaction(WriteTransaction&& other) noexcept = default;

WriteTransaction::~WriteTransaction() {
  if (state_ == nullptr) return;
  if (state_->impl().forked()) {
    // The transaction is the parent's; ending it here would end it there.
    static_cast<void>(state_.release());
    return;
  }
  state_->End();
}

absl::StatusOr<WriteTransaction> WriteTransaction::Begin(std::shared_ptr<Environment> environment) {
  Environment::Impl& impl = environment->impl();
  if (impl.forked()) return ForkedError();
  if (environment->read_only())
    return FailedPreconditionError(environment->path(), " is open read-only");
  LARDER_RETURN_IF_ERROR(impl.LockWriter());
  auto state = std::make_unique<State>();
  state->environment = std::move(environment);
  const auto fail = [&impl](absl::Status status) {
    impl.UnlockWriter();
    return status;
  };
  int code = 0;
  absl::StatusOr<HeadRow> head = HeadRow{};
  for (int attempt = 0; attempt < kBeginAttempts && state->txn == nullptr; ++attempt) {
    const uint64_t epoch_seen = impl.epoch.load();
    state->home = impl.Home();
    MDB_env* const env = state->home->env;
    code = env == nullptr ? MDB_PANIC : mdb_txn_begin(env, nullptr, 0, &state->txn);
    absl::Status status = absl::OkStatus();
    if (code == 0) {
      head = ReadHead(state->txn, true);
      if (!head.ok()) {
        status = head.status();
      } else if (head->moved_to != 0) {
        mdb_txn_abort(std::exchange(state->txn, nullptr));
        status = impl.Follow(epoch_seen, head->moved_to);
      } else {
        status = impl.CheckNotReplaced(*state->home);
      }
      if (!status.ok() && state->txn != nullptr) mdb_txn_abort(std::exchange(state->txn, nullptr));
    } else if (code == MDB_MAP_RESIZED) {
      status = impl.AdoptMapSize(epoch_seen, true);
    } else if (code == MDB_PANIC) {
      status = impl.Reopen(epoch_seen, true);
    } else if (code != 0) {
      status =
          LmdbWriteError(code, "beginning a write transaction", state->home->directory.data_path);
    }
    if (!status.ok()) return fail(std::move(status));
  }
  if (state->txn == nullptr) {
    return fail(WithKind(UnavailableError(impl.directory.path, ": the file changed ",
                                          kBeginAttempts, " times while beginning"),
                         ErrorKind::kBusy));
  }
  state->head = *head;
  state->head.commit_seq += 1;
  const Timestamp after_last = Timestamp{head->commit_time}.Plus({1});
  state->head.commit_time = std::max(impl.options.clock(), after_last).us;
  return WriteTransaction(std::move(state));
}

uint64_t WriteTransaction::commit_seq() const { return state_->head.commit_seq; }
Timestamp WriteTransaction::commit_time() const { return {state_->head.commit_time}; }
absl::StatusOr<uint64_t> WriteTransaction::NextRank() {
  return NextRankOf(state_->head.commit_seq, &state_->ranked_rows);
}
void WriteTransaction::MarkLayoutChanged() {
  state_->head.layout_seq = state_->head.commit_seq;
  ++state_->writes;
}

absl::StatusOr<std::optional<std::string_view>> WriteTransaction::GetRecord(
    uint32_t table, std::string_view key) const& {
  return state_->GetRecord(table, key);
}

absl::Status WriteTransaction::ListRecords(
    uint32_t table, const std::function<bool(std::string_view key, std::string_view value)>& visit,
    std::string_view from) const {
  LARDER_RETURN_IF_ERROR(state_->CheckUsable());
  MDB_cursor* cursor = nullptr;
  if (const int code = mdb_cursor_open(state_->txn, state_->impl().records, &cursor); code != 0) {
    return LmdbError(code, "opening a cursor");
  }
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> owner(cursor, mdb_cursor_close);
  const RecordKey wanted(table, from.substr(0, RecordKey::kMax));
  MDB_val at = ToVal(wanted.lower_bound());
  MDB_val value{};
  int code = mdb_cursor_get(cursor, &at, &value, MDB_SET_RANGE);
  for (; code == 0; code = mdb_cursor_get(cursor, &at, &value, MDB_NEXT)) {
    const ParsedRecordKey key = ParseRecordKey(FromVal(at));
    if (!key.ok) return WithKind(DataLossError("a record key is damaged"), ErrorKind::kCorrupt);
    if (key.table != table) return absl::OkStatus();
    LARDER_ASSIGN_OR_RETURN(const std::string_view bytes,
                            DecodeRecord(FromVal(at), FromVal(value), true));
    if (!visit(key.key, bytes)) return absl::OkStatus();
  }
  return code == MDB_NOTFOUND ? absl::OkStatus() : LmdbError(code, "listing records");
}

absl::Status WriteTransaction::PutRecord(uint32_t table, std::string_view key,
                                         std::string_view value) {
  LARDER_RETURN_IF_ERROR(state_->CheckUsable());
  if (table >= kRecordTableMax)
    return InvalidArgumentError("record table ", table, " is larder's own");
  return state_->PutRecord(table, key, value);
}

absl::StatusOr<bool> WriteTransaction::DeleteRecord(uint32_t table, std::string_view key) {
  LARDER_RETURN_IF_ERROR(state_->CheckUsable());
  if (table >= kRecordTableMax)
    return InvalidArgumentError("record table ", table, " is larder's own");
  if (key.size() > RecordKey::kMax) return false;
  return state_->Delete(state_->impl().records, RecordKey(table, key).full());
}

absl::StatusOr<uint64_t> WriteTransaction::DropView(uint32_t view_id) {
  LARDER_RETURN_IF_ERROR(state_->CheckUsable());
  LARDER_ASSIGN_OR_RETURN(const std::vector<NumberedGeneration> generations,
                          ReadGenerations(*this, view_id));
  uint64_t dropped = 0;
  for (const NumberedGeneration& generation : generations) {
    const GenerationRecord& record = generation.record;
    if (record.info.state == GenerationState::kLive) dropped += record.info.row_count;
    LARDER_RETURN_IF_ERROR(DeleteGeneration(*state_, view_id, record, {}));
  }
  LARDER_RETURN_IF_ERROR(
      state_
          ->Delete(state_->impl().records,
                   RecordKey(kDirectoryTable, DirectoryKey(view_id, Layer::kLoaded)).full())
          .status());
  LayerWriter writer(state_.get(), view_id, std::nullopt, Layer::kPushed);
  LARDER_RETURN_IF_ERROR(writer.Open());
  LARDER_ASSIGN_OR_RETURN(const uint64_t pushed, writer.Drop());
  state_->floors.erase(view_id);
  LARDER_RETURN_IF_ERROR(
      state_->Delete(state_->impl().records, RecordKey(kFloorsTable, FloorsKey(view_id)).full())
          .status());
  return dropped + pushed;
}

absl::StatusOr<uint64_t> WriteTransaction::EraseKey(uint32_t view_id, std::string_view key) {
  LARDER_RETURN_IF_ERROR(state_->CheckUsable());
  if (key.size() > kEntityKeySizeMax) return uint64_t{0};
  const uint64_t hash = Hash64(key, state_->impl().format.hash_seed);
  const auto erase = [&]() -> absl::StatusOr<uint64_t> {
    LARDER_ASSIGN_OR_RETURN(const uint64_t loaded, EraseFromGenerations(*this, view_id, hash, key));
    LayerWriter writer(state_.get(), view_id, std::nullopt, Layer::kPushed);
    LARDER_RETURN_IF_ERROR(writer.Open());
    LARDER_ASSIGN_OR_RETURN(const uint64_t pushed, writer.Erase(hash, key));
    return loaded + pushed;
  };
  absl::StatusOr<uint64_t> erased = erase();
  if (!erased.ok()) return state_->Spoil(erased.status());
  return erased;
}

absl::StatusOr<RetractedRows> WriteTransaction::RetractRows(uint32_t view_id, uint64_t first,
                                                            uint64_t last) {
  LARDER_RETURN_IF_ERROR(state_->CheckUsable());
  LARDER_ASSIGN_OR_RETURN(const State::Floors* const floors, state_->FloorsOf(view_id));
  LayerWriter writer(state_.get(), view_id, std::nullopt, Layer::kPushed);
  LARDER_RETURN_IF_ERROR(writer.Open());
  absl::StatusOr<RetractedRows> retracted = writer.Retract(first, last, floors->value.as_of);
  if (!retracted.ok()) return state_->Spoil(retracted.status());
  return retracted;
}

absl::StatusOr<std::optional<uint64_t>> WriteTransaction::FindBatch(std::string_view id) const {
  LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> stored,
                          state_->GetRecord(kBatchTable, id));
  if (!stored || stored->size() != 8) return std::optional<uint64_t>();
  const auto commit = LoadAs<uint64_t>(stored->data());
  if (commit + kBatchIdsKept < state_->head.commit_seq) return std::optional<uint64_t>();
  return std::optional<uint64_t>(commit);
}

absl::Status WriteTransaction::RememberBatch(std::string_view id) {
  LARDER_ASSIGN_OR_RETURN(const std::optional<uint64_t> earlier, FindBatch(id));
  if (earlier) return AlreadyExistsError("batch \"", id, "\" was commit ", *earlier);
  constexpr std::size_t kIdSizeMax = 400;
  if (id.empty() || id.size() > kIdSizeMax) {
    return InvalidArgumentError("a batch id of ", id.size(), " bytes, expected 1 to ", kIdSizeMax);
  }
  const uint64_t commit = state_->head.commit_seq;
  std::vector<std::string> expired;
  LARDER_RETURN_IF_ERROR(
      ListRecords(kBatchByCommitTable, [&](std::string_view key, std::string_view) {
        if (LoadBigEndian(key.data()) + kBatchIdsKept >= commit) return false;
        expired.emplace_back(key);
        return expired.size() < kBatchIdsPurgedMax;
      }));
  for (const std::string& key : expired) {
    MDB_dbi records = state_->impl().records;
    LARDER_RETURN_IF_ERROR(state_->Delete(records, RecordKey(kBatchByCommitTable, key).full()));
    const std::string batch = key.substr(8);
    LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> stored,
                            state_->GetRecord(kBatchTable, batch));
    // The same id may have been used again since.
    if (stored && LoadAs<uint64_t>(stored->data()) == LoadBigEndian(key.data())) {
      LARDER_RETURN_IF_ERROR(state_->Delete(records, RecordKey(kBatchTable, batch).full()));
    }
  }
  std::string value(8, '\0');
  std::memcpy(value.data(), &commit, sizeof(commit));
  LARDER_RETURN_IF_ERROR(state_->PutRecord(kBatchTable, id, value));
  return state_->PutRecord(kBatchByCommitTable, Concat(std::string_view(BigEndian(commit)), id), "");
}

void WriteTransaction::Abort() { state_->End(); }

absl::StatusOr<uint64_t> WriteTransaction::Commit() {
  State& state = *state_;
  Environment::Impl& impl = state.impl();
  LARDER_RETURN_IF_ERROR(state.CheckUsable());
  for (const auto& [view_id, floors] : state.floors) {
    if (!floors.changed) continue;
    std::string value(16, '\0');
    std::memcpy(value.data(), &floors.value.as_of.us, 8);
    std::memcpy(value.data() + 8, &floors.value.known_at.us, 8);
    LARDER_RETURN_IF_ERROR(state.PutRecord(kFloorsTable, FloorsKey(view_id), value));
  }
  if (impl.format_is_older) {
    const FormatRow format_row = WithCheck(impl.format);
    LARDER_RETURN_IF_ERROR(
        state.Put(kMainDatabase, kFormatKey,
                  {reinterpret_cast<const char*>(&format_row), sizeof(format_row)}));
  }
  const HeadRow head_row = WithCheck(state.head);
  LARDER_RETURN_IF_ERROR(state.Put(kMainDatabase, kHeadKey,
                                   {reinterpret_cast<const char*>(&head_row), sizeof(head_row)}));
  const uint64_t epoch_seen = impl.epoch.load();
  const int code = mdb_txn_commit(std::exchange(state.txn, nullptr));
  if (code == 0) {
    impl.format_is_older = false;
    EvenOutFile(state.home->env);
    if (++impl.commits_here % kCommitsPerReaderCheck == 0) {
      int dead = 0;
      mdb_reader_check(state.home->env, &dead);
    }
    impl.UnlockWriter();
    SettleSegments(state.environment, state.segments_written, state.segments_deleted);
    return state.head.commit_seq;
  }
  state.map_full = code == MDB_MAP_FULL;
  absl::Status status = LmdbWriteError(code, "committing", state.home->directory.data_path);
  // A failed write of the file's head leaves the environment unusable, and the file with either head.
  MDB_txn* probe = nullptr;
  const int probed = mdb_txn_begin(state.home->env, nullptr, MDB_RDONLY, &probe);
  if (probe != nullptr) mdb_txn_abort(probe);
  if (probed == MDB_PANIC) {
    bool may_have_happened = true;
    if (impl.Reopen(epoch_seen, true).ok() &&
        mdb_txn_begin(impl.Home()->env, nullptr, MDB_RDONLY, &probe) == 0) {
      const absl::StatusOr<HeadRow> head = ReadHead(probe, true);
      may_have_happened = !head.ok() || head->commit_seq >= state.head.commit_seq;
      mdb_txn_abort(probe);
    }
    if (may_have_happened) {
      status = WithKind(Annotate(status, Concat("commit ", state.head.commit_seq,
                                                " may or may not have happened")),
                        ErrorKind::kInDoubt);
    }
  }
  impl.UnlockWriter();
  return status;
}

absl::StatusOr<uint64_t> RunWriteTransaction(
    const std::shared_ptr<Environment>& environment,
    const std::function<absl::Status(WriteTransaction&)>& change) {
  for (int attempt = 0;; ++attempt) {
    LARDER_ASSIGN_OR_RETURN(WriteTransaction transaction, WriteTransaction::Begin(environment));
    const uint64_t epoch_seen = environment->impl().epoch.load();
    absl::Status status = change(transaction);
    if (status.ok()) {
      absl::StatusOr<uint64_t> committed = transaction.Commit();
      if (committed.ok()) return committed;
      status = committed.status();
    }
    const bool map_full = transaction.state_->map_full;
    transaction.Abort();
    if (!map_full || attempt == kGrowAttempts) return status;
    LARDER_RETURN_IF_ERROR(environment->impl().GrowMap(epoch_seen, false));
  }
}

}  // namespace larder::inline LARDER_ABI
