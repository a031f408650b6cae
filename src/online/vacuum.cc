#include "larder/online/vacuum.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "larder/online/generation.h"
#include "larder/online/read_session.h"
#include "larder/online/write_transaction.h"
#include "online/environment_impl.h"
#include "online/lmdb_status.h"
#include "online/record_key.h"
#include "online/verify_file.h"
#include "online/write_state.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kStepSize = std::size_t{16}
                                  << 20;            // copied in one transaction and one snapshot
constexpr uint64_t kDeltaSize = uint64_t{1} << 20;  // little enough to let writers wait for
constexpr int kRoundsMax = 6;
constexpr uint64_t kFolderMax = 999'999;
constexpr uint64_t kPagesOfSwitch = 256;  // more than the last commit of a file can need

uint64_t FileSize(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
}

// Closes an LMDB cursor.
class Cursor {
 public:
  Cursor(MDB_txn* txn, MDB_dbi database, const std::string& from) {
    code_ = mdb_cursor_open(txn, database, &cursor_);
    if (code_ != 0) return;
    key_ = ToVal(from);
    code_ = mdb_cursor_get(cursor_, &key_, &value_, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
  }
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;
  ~Cursor() {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  }
  void Next() { code_ = mdb_cursor_get(cursor_, &key_, &value_, MDB_NEXT); }
  [[nodiscard]] bool at_end() const { return code_ != 0; }
  [[nodiscard]] absl::Status status() const {
    return code_ == 0 || code_ == MDB_NOTFOUND ? absl::OkStatus()
                                               : LmdbError(code_, "reading what is to be copied");
  }
  [[nodiscard]] std::string_view key() const { return FromVal(key_); }
  [[nodiscard]] std::string_view value() const { return FromVal(value_); }

 private:
  MDB_cursor* cursor_ = nullptr;
  int code_ = 0;
  MDB_val key_{};
  MDB_val value_{};
};

// The copy, open for nobody else.
class Copy {
 public:
  explicit Copy(StoreDirectory directory) : directory_(std::move(directory)) {}
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy() { Close(); }

  [[nodiscard]] const StoreDirectory& directory() const { return directory_; }
  [[nodiscard]] uint64_t bytes_done() const { return bytes_done_; }

  // The map is of `map_size`, or less where the process may not reserve as much again: room for twice `used` is asked for.
  absl::Status Open(uint64_t map_size, uint64_t used) {
    constexpr uint64_t kMapSizeMin = uint64_t{1} << 26;
    LARDER_RETURN_IF_ERROR(PrepareFolder(directory_));
    int code = 0;
    for (map_size_ = map_size;; map_size_ /= 2) {
      code = mdb_env_create(&env_);
      if (code != 0) return LmdbError(code, "making an environment");
      mdb_env_set_maxdbs(env_, 4);
      mdb_env_set_mapsize(env_, map_size_);
      // Synced as a whole before anything names it.
      code = mdb_env_open(env_, directory_.environment_path.c_str(),
                          MDB_NOLOCK | MDB_NOSYNC | MDB_NORDAHEAD, 0600);
      if (code != ENOMEM || map_size_ / 2 < std::max(used * 2, kMapSizeMin)) break;
      Close();
    }
    MDB_txn* txn = nullptr;
    int fd = -1;
    if (code == 0 && mdb_env_get_fd(env_, &fd) == 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (code == 0) code = mdb_txn_begin(env_, nullptr, 0, &txn);
    if (code == 0) code = mdb_dbi_open(txn, kRecordsName, MDB_CREATE, &records_);
    if (code == 0) code = mdb_dbi_open(txn, kSegmentsName, MDB_CREATE, &segments_);
    if (code == 0) {
      code = mdb_txn_commit(std::exchange(txn, nullptr));
    } else if (txn != nullptr) {
      mdb_txn_abort(txn);
    }
    return code == 0 ? absl::OkStatus() : WriteError(code);
  }

  // Copies what the next step of the source's database has and the copy has not, and deletes what the source has no more.
  // `from`: where to begin, and then where to go on. Returns whether it came to the end.
  // `is_constant`: values never change under a key, so equal keys are enough.
  absl::StatusOr<bool> Step(MDB_txn* source, MDB_dbi database, bool is_constant, std::string* from) {
    for (;;) {
      const std::string began = *from;
      map_full_ = false;
      absl::StatusOr<bool> ended = TryStep(source, database, is_constant, from);
      if (ended.ok() || !map_full_) return ended;
      // The source has grown since. Nobody else has the copy open.
      *from = began;
      map_size_ *= 2;
      if (const int code = mdb_env_set_mapsize(env_, map_size_); code != 0) return WriteError(code);
    }
  }

  absl::StatusOr<bool> TryStep(MDB_txn* source, MDB_dbi database, bool is_constant,
                               std::string* from) {
    MDB_txn* txn = nullptr;
    int code = mdb_txn_begin(env_, nullptr, 0, &txn);
    if (code != 0) return WriteError(code);
    const MDB_dbi own = is_constant ? segments_ : records_;
    absl::StatusOr<bool> ended = CopyStep(source, database, txn, own, is_constant, from);
    if (!ended.ok()) {
      mdb_txn_abort(txn);
      return ended;
    }
    code = mdb_txn_commit(txn);
    return code == 0 ? ended : WriteError(code);
  }

  absl::Status PutFixedRows(const FormatRow& format, HeadRow head) {
    MDB_stat stat{};
    mdb_env_stat(env_, &stat);
    MDB_txn* txn = nullptr;
    int code = mdb_txn_begin(env_, nullptr, 0, &txn);
    if (code != 0) return WriteError(code);
    head.moved_to = 0;
    absl::Status status = WriteFormatRow(txn, format, stat.ms_psize);
    if (status.ok()) status = WriteHead(txn, head);
    if (!status.ok()) {
      mdb_txn_abort(txn);
      return status;
    }
    code = mdb_txn_commit(txn);
    return code == 0 ? absl::OkStatus() : WriteError(code);
  }

  absl::Status Sync() {
    EvenOutFile(env_);
    const int code = mdb_env_sync(env_, 1);
    return code == 0 ? absl::OkStatus() : WriteError(code);
  }

  void Close() {
    if (env_ != nullptr) mdb_env_close(std::exchange(env_, nullptr));
  }

  // Opens it once as others will, which makes its lock file: who must go on in it needs nothing written then.
  // Requires: Close.
  absl::Status MakeLockFile(uint32_t readers_max) {
    int code = mdb_env_create(&env_);
    if (code != 0) return LmdbError(code, "making an environment");
    mdb_env_set_mapsize(env_, map_size_);
    mdb_env_set_maxreaders(env_, readers_max);
    code = mdb_env_open(env_, directory_.environment_path.c_str(), MDB_NOTLS | MDB_NORDAHEAD, 0600);
    Close();
    return code == 0 ? absl::OkStatus() : WriteError(code);
  }

 private:
  absl::Status WriteError(int code) {
    map_full_ = code == MDB_MAP_FULL;
    return LmdbWriteError(code, "rewriting the store", directory_.data_path);
  }

  absl::StatusOr<bool> CopyStep(MDB_txn* source, MDB_dbi database, MDB_txn* txn, MDB_dbi own,
                                bool is_constant, std::string* from) {
    // Changes wait until both walks are done: they would move the cursors.
    struct Put {
      std::string_view key;
      std::string_view value;
      bool is_last = false;  // behind everything the copy has
    };
    std::vector<Put> puts;
    std::vector<std::string> deleted;
    std::size_t size = 0;
    bool ended = false;
    {
      Cursor theirs(source, database, *from);
      Cursor ours(txn, own, *from);
      while (size < kStepSize) {
        LARDER_RETURN_IF_ERROR(theirs.status());
        LARDER_RETURN_IF_ERROR(ours.status());
        ended = theirs.at_end() && ours.at_end();
        if (ended) break;
        const int order = theirs.at_end() ? 1
                          : ours.at_end() ? -1
                                          : theirs.key().compare(ours.key());
        if (order > 0) {
          deleted.emplace_back(ours.key());
          ours.Next();
          continue;
        }
        if (order < 0 || (!is_constant && theirs.value() != ours.value())) {
          puts.push_back({theirs.key(), theirs.value(), ours.at_end()});
          size += theirs.key().size() + theirs.value().size();
        }
        theirs.Next();
        if (order == 0) ours.Next();
      }
      if (!ended) {
        if (theirs.at_end() || (!ours.at_end() && ours.key() < theirs.key())) {
          *from = ours.key();
        } else {
          *from = theirs.key();
        }
      }
    }
    for (const std::string& gone : deleted) {
      MDB_val key = ToVal(gone);
      if (const int code = mdb_del(txn, own, &key, nullptr); code != 0) return WriteError(code);
    }
    for (const Put& put : puts) {
      MDB_val key = ToVal(put.key);
      MDB_val value = ToVal(put.value);
      const int code = mdb_put(txn, own, &key, &value, put.is_last ? MDB_APPEND : 0);
      if (code != 0) return WriteError(code);
    }
    bytes_done_ += size;
    return ended;
  }

  StoreDirectory directory_;
  MDB_env* env_ = nullptr;
  MDB_dbi records_ = 0;
  MDB_dbi segments_ = 0;
  uint64_t map_size_ = 0;
  bool map_full_ = false;  // the last error's cause
  uint64_t bytes_done_ = 0;
};

// What the databases take up.
absl::StatusOr<uint64_t> BytesInUse(const Environment::Impl& impl, MDB_txn* txn) {
  uint64_t bytes = 0;
  for (const MDB_dbi database : {kMainDatabase, impl.records, impl.segments}) {
    MDB_stat stat{};
    if (const int code = mdb_stat(txn, database, &stat); code != 0)
      return LmdbError(code, "counting pages");
    bytes += (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize;
  }
  return bytes;
}

absl::Status CheckRoom(const std::string& path, uint64_t bytes) {
  const uint64_t needed = bytes + bytes / 8 + (uint64_t{1} << 20);
  const uint64_t free = FreeBytesAt(path);
  if (free >= needed) return absl::OkStatus();
  return WithKind(
      ResourceExhaustedError(path, ": rewriting needs ", needed, " bytes beside the store, and ",
                             free, " are free: ", needed - free, " are missing"),
      ErrorKind::kDiskFull);
}

class Vacuum {
 public:
  Vacuum(const std::shared_ptr<Environment>& environment, const VacuumOptions& options)
      : environment_(environment), options_(options) {}

  absl::StatusOr<VacuumResult> Run() {
    // Nobody else builds, compacts or rewrites meanwhile; it also takes away what was left unfinished.
    LARDER_ASSIGN_OR_RETURN(const LoadLease lease, LoadLease::Acquire(environment_));
    Environment::Impl& impl = environment_->impl();
    LARDER_ASSIGN_OR_RETURN(ReadSession session, ReadSession::Open(environment_));
    const StoreDirectory& home = session.slot()->home->directory;
    const StoreDirectory before = InFolder(home, home.number);
    if (before.number >= kFolderMax)
      return FailedPreconditionError(before.path, " was rewritten ", kFolderMax, " times");
    MDB_envinfo info{};
    mdb_env_info(session.slot()->home->env, &info);
    LARDER_ASSIGN_OR_RETURN(bytes_, BytesInUse(impl, session.slot()->txn));
    LARDER_RETURN_IF_ERROR(CheckRoom(before.path, bytes_));

    Copy copy(InFolder(before, before.number + 1));
    VacuumResult result;
    result.folder = copy.directory().number;
    result.size_before = FileSize(before.data_path);
    bool may_have_moved = false;
    absl::Status status = copy.Open(info.me_mapsize, bytes_);
    if (status.ok()) status = CopyMost(&copy, &session);
    session.Release();
    if (status.ok()) status = Switch(&copy, &result, &may_have_moved);
    copy.Close();
    if (!status.ok()) {
      if (may_have_moved) return status;
      // The error that is told is the first one.
      static_cast<void>(RemoveFolder(copy.directory()));
      return status;
    }
    result.size_after = FileSize(copy.directory().data_path);
    StoreDirectory now = InFolder(before, result.folder);
    if (absl::Status named = CommitCurrent(&now); !named.ok()) {
      return Annotate(named, Concat("the store is in ", now.environment_path,
                                    ", but CURRENT could not be replaced; the next load or vacuum "
                                    "does it"));
    }
    // The store has moved. What cannot be followed or removed now is with the next snapshot, load or vacuum.
    if (impl.Follow(impl.epoch.load(), now.number).ok()) static_cast<void>(RemoveFolder(before));
    return result;
  }

 private:
  // Everything, step by step in snapshots of their own, so that pages freed meanwhile are not held for long; then what
  // has changed since, until that is little.
  absl::Status CopyMost(Copy* copy, ReadSession* session) {
    LARDER_RETURN_IF_ERROR(CopyAll(copy, session, nullptr, true));
    for (int round = 0; round < kRoundsMax; ++round) {
      const uint64_t before = copy->bytes_done();
      LARDER_RETURN_IF_ERROR(session->Renew());
      LARDER_RETURN_IF_ERROR(CopyAll(copy, session, nullptr, false));
      LARDER_ASSIGN_OR_RETURN(const HeadRow head, ReadHead(session->slot()->txn, true));
      LARDER_RETURN_IF_ERROR(copy->PutFixedRows(environment_->impl().format, head));
      if (round == 0) {
        session->Release();
        LARDER_ASSIGN_OR_RETURN(const VerifyReport report,
                                VerifyDataFile(copy->directory().data_path));
        if (!report.ok()) {
          return WithKind(DataLossError("the copy of ", environment_->path(),
                                        " does not verify: ", report.problems.front()),
                          ErrorKind::kCorrupt);
        }
      } else if (copy->bytes_done() - before < kDeltaSize) {
        break;
      }
    }
    session->Release();
    return copy->Sync();
  }

  // Of the session's snapshot, or of the write transaction if given.
  absl::Status CopyAll(Copy* copy, ReadSession* session, MDB_txn* writer, bool renew) {
    const Environment::Impl& impl = environment_->impl();
    for (const bool is_constant : {false, true}) {
      std::string from;
      for (bool ended = false; !ended;) {
        if (renew) LARDER_RETURN_IF_ERROR(session->Renew());
        MDB_txn* const source = writer != nullptr ? writer : session->slot()->txn;
        LARDER_ASSIGN_OR_RETURN(ended, copy->Step(source, is_constant ? impl.segments : impl.records,
                                                  is_constant, &from));
        if (options_.progress && writer == nullptr)
          options_.progress({copy->bytes_done(), std::max(bytes_, copy->bytes_done())});
      }
    }
    return absl::OkStatus();
  }

  // The commit of Switch must not find the map full: what it has done until then cannot be repeated.
  [[nodiscard]] absl::StatusOr<WriteTransaction> BeginSwitch() const {
    LARDER_ASSIGN_OR_RETURN(WriteTransaction transaction, WriteTransaction::Begin(environment_));
    Environment::Impl& impl = environment_->impl();
    const uint64_t epoch_seen = impl.epoch.load();
    MDB_envinfo info{};
    mdb_env_info(transaction.state().home->env, &info);
    if (info.me_last_pgno + kPagesOfSwitch < info.me_mapsize / impl.format.page_size)
      return transaction;
    transaction.Abort();
    LARDER_RETURN_IF_ERROR(impl.GrowMap(epoch_seen, false));
    return WriteTransaction::Begin(environment_);
  }

  // The rest, with writers waiting; from the commit on, the store is the copy.
  absl::Status Switch(Copy* copy, VacuumResult* result, bool* may_have_moved) {
    LARDER_ASSIGN_OR_RETURN(WriteTransaction transaction, BeginSwitch());
    WriteTransaction::State& state = transaction.state();
    const std::shared_ptr<OpenFolder> old = state.home;
    LARDER_RETURN_IF_ERROR(CopyAll(copy, nullptr, state.txn, false));
    LARDER_RETURN_IF_ERROR(copy->PutFixedRows(environment_->impl().format, state.head));
    LARDER_RETURN_IF_ERROR(copy->Sync());
    copy->Close();
    LARDER_RETURN_IF_ERROR(copy->MakeLockFile(environment_->options().readers_max));
    LARDER_RETURN_IF_ERROR(CopyPermissions(old->directory, copy->directory()));
    LARDER_RETURN_IF_ERROR(SyncDirectory(copy->directory().environment_path));
    LARDER_RETURN_IF_ERROR(SyncDirectory(copy->directory().path));
    state.head.moved_to = copy->directory().number;
    // What is committed in the copy from here on must not come back to this file after a power cut: this commit is
    // synced whatever the store's durability is.
    const bool relaxed = environment_->options().durability == Durability::kRelaxed;
    if (relaxed) mdb_env_set_flags(old->env, MDB_NOMETASYNC, 0);
    absl::StatusOr<uint64_t> committed = transaction.Commit();
    if (relaxed) mdb_env_set_flags(old->env, MDB_NOMETASYNC, 1);
    *may_have_moved = committed.ok() || KindOf(committed.status()) == ErrorKind::kInDoubt;
    if (!committed.ok()) return committed.status();
    result->commit_seq = *committed;
    return absl::OkStatus();
  }

  const std::shared_ptr<Environment>& environment_;
  const VacuumOptions& options_;
  uint64_t bytes_ = 0;
};

}  // namespace

absl::StatusOr<VacuumResult> VacuumStore(const std::shared_ptr<Environment>& environment,
                                         const VacuumOptions& options) {
  return Vacuum(environment, options).Run();
}

}  // namespace larder::inline LARDER_ABI
