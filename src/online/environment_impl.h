// What an Environment is made of, for this module's sources.
#pragma once

#include <lmdb.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "larder/online/environment.h"
#include "larder/online/read_session.h"
#include "online/file_descriptor.h"
#include "online/fixed_rows.h"
#include "online/group_commit.h"
#include "online/process_table.h"
#include "online/store_directory.h"
#include "online/view_rows.h"

namespace larder::inline LARDER_ABI {

inline constexpr const char* kRecordsName = "records1";
inline constexpr const char* kSegmentsName = "segments1";

// Tables of the module's own records.
inline constexpr uint32_t kFloorsTable = 0xFFFF0001;
inline constexpr uint32_t kBatchTable = 0xFFFF0002;
inline constexpr uint32_t kBatchByCommitTable = 0xFFFF0003;
inline constexpr uint32_t kDirectoryTable = 0xFFFF0004;
inline constexpr uint32_t kGenerationTable = 0xFFFF0005;

// LMDB open in one of the store's folders. Snapshots and the writer that began in it keep it open while the process goes
// on in the folder it was rewritten into.
struct OpenFolder {
  OpenFolder() = default;
  OpenFolder(const OpenFolder&) = delete;
  OpenFolder& operator=(const OpenFolder&) = delete;
  ~OpenFolder();
  void Close();

  StoreDirectory directory;
  DeviceInode data_identity;
  DeviceInode lock_identity;
  MDB_env* env = nullptr;  // null only after a reopen failed; changed inside the closed gate
  // The process went on in another folder: closing this one takes its own entry from the process's table.
  std::atomic<bool> left{false};
};

// What a slot is doing. The gate waits until none is beginning, or for changes of the map itself until all are idle.
enum SlotState : uint32_t { kSlotIdle = 0, kSlotBeginning = 1, kSlotHolding = 2 };

// A reader's place: LMDB's transaction is reset between snapshots, not ended, so that renewing it allocates nothing.
struct ReadSession::Slot {
  std::atomic<uint32_t> active{kSlotIdle};
  std::shared_ptr<OpenFolder> home;  // of txn
  MDB_txn* txn = nullptr;
  std::size_t txn_id = 0;
  uint64_t epoch = 0;     // Impl::epoch when the snapshot began
  uint64_t snapshot = 0;  // how many began
  // The head row read last, of which transaction and in which epoch; 0: none.
  HeadRow head;
  std::size_t head_txn_id = 0;
  uint64_t head_epoch = 0;
  // What was looked up of the views read so far, while the map stays where it is. Pointers, since sessions keep them.
  std::vector<std::unique_ptr<ViewRows>> views;

  // Gives LMDB its place back.
  void Drop();
};

struct Environment::Impl {
  TouchRegistry touches;
  StoreDirectory directory;  // as opened: the folder may be another by now
  EnvironmentOptions options;
  FormatRow format;
  // The file still says an earlier format than what is written into it from now on: the next commit says so.
  std::atomic<bool> format_is_older{false};
  uint64_t fork_count = ForkCount();
  std::weak_ptr<Environment> self;

  // The folder everything new begins in. Replaced in the closed gate while nothing is beginning; who is neither inside
  // the gate nor its keeper asks Home().
  std::shared_ptr<OpenFolder> home;
  // The same numbers in every folder.
  MDB_dbi records = 0;
  MDB_dbi segments = 0;
  FileDescriptor writer_lock;

  [[nodiscard]] bool forked() const { return fork_count != ForkCount(); }
  // Whether records are compared with their checks.
  [[nodiscard]] bool verifies() const { return options.verify != VerifyPolicy::kNever; }

  // What CURRENT names now, in `folder`.
  static absl::StatusOr<std::shared_ptr<Environment>> OpenCurrent(const std::string& path,
                                                                  const EnvironmentOptions& options,
                                                                  uint64_t* folder);
  // Opens what is in `home`'s directory, making it when it is new, and checks it. On an error the destructor closes.
  absl::Status OpenStore();
  // Opens LMDB in the folder and its databases. On an error nothing stays open.
  absl::Status OpenLmdb(OpenFolder& folder, uint64_t map_size);
  void CloseLmdb();
  absl::Status WriteFormat();  // the first commit of a new store
  absl::Status CheckFormat();
  // Whether the files at the path are still the ones that are open or, after a reopen that failed, were.
  absl::Status CheckNotReplaced(const OpenFolder& folder) const;
  [[nodiscard]] absl::Status ReadersFullError() const;

  // --- the gate (session_gate.cc) ---
  ReadSession::Slot* TakeSlot();
  void GiveSlot(ReadSession::Slot* slot);
  // Gives the slot a snapshot. Errors leave it without one.
  absl::Status BeginSnapshot(ReadSession::Slot* slot);
  void EndSnapshot(ReadSession::Slot* slot);
  // Waits until this process reads and writes nothing here, then runs `change` alone. Does nothing when another thread
  // has done so since `epoch_seen`. Requires: the caller holds no snapshot and, unless `writer_held`, no write lock.
  absl::Status Drain(uint64_t epoch_seen, bool writer_held,
                     const std::function<absl::Status()>& change);
  // Closes and opens LMDB. When that fails `env` stays null, and the next snapshot or write tries again.
  absl::Status Reopen(uint64_t epoch_seen, bool writer_held);
  absl::Status AdoptMapSize(uint64_t epoch_seen, bool writer_held);
  absl::Status GrowMap(uint64_t epoch_seen, bool writer_held);
  [[nodiscard]] std::shared_ptr<OpenFolder> Home();
  // Goes on in folder `number`, which this one was rewritten into, or in the one that CURRENT names when that is later.
  // Snapshots that are held keep what they see, and their folder open. Does nothing when the folder has changed since
  // `epoch_seen`. Requires: the caller holds no snapshot.
  absl::Status Follow(uint64_t epoch_seen, uint64_t number);
  // Makes the folder home. Requires: the gate is closed and nothing is beginning.
  absl::Status OpenNext(uint64_t number, uint64_t map_size);

  // --- one writer (session_gate.cc) ---
  absl::Status LockWriter();
  void UnlockWriter();
  // Waits until no thread of this process writes, then takes its place; false when the deadline comes first.
  bool ClaimWriter(std::chrono::steady_clock::time_point deadline);
  void FreeWriter();

  std::atomic<uint64_t> epoch{0};  // drains so far
  std::atomic<bool> gate_closed{false};
  std::mutex gate_mutex;
  std::condition_variable gate_opened;

  std::mutex slots_mutex;
  std::vector<std::unique_ptr<ReadSession::Slot>> slots;
  std::vector<ReadSession::Slot*> free_slots;

  // A flag instead of a std::timed_mutex: GCC 12's thread sanitizer does not see the latter being locked.
  std::mutex writer_mutex;
  std::condition_variable writer_freed;
  bool writer_claimed = false;  // guarded by writer_mutex
  std::atomic<std::thread::id> writer_thread{};
  uint64_t commits_here = 0;  // guarded by the write lock
  GroupCommit group_commit;
};

absl::StatusOr<DeviceInode> IdentityOf(const std::string& path);
// LMDB does not write unused pages at the file's end. A file shorter than its last page looks truncated when opened.
void EvenOutFile(MDB_env* env);

// This process's clock for ages and deadlines; never for data.
int64_t MonotonicNanos();

// Errors of an environment used on the other side of fork().
absl::Status ForkedError();

}  // namespace larder::inline LARDER_ABI
