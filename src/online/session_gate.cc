// Snapshots and the one way to stop them: growing the map, adopting another process's and reopening after a failed
// write of the file's head all need that nothing of this process touches the map.
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <memory>

#include "online/environment_impl.h"
#include "online/lmdb_status.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr int kBeginAttempts = 8;

void Pause(int64_t micros) {
  const timespec pause{micros / 1'000'000, (micros % 1'000'000) * 1000};
  nanosleep(&pause, nullptr);
}

}  // namespace

int64_t MonotonicNanos() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

absl::Status ForkedError() {
  return WithKind(
      FailedPreconditionError("the store was opened before fork(): open it again in this process"),
      ErrorKind::kForked);
}

ReadSession::Slot* Environment::Impl::TakeSlot() {
  const std::lock_guard lock(slots_mutex);
  if (free_slots.empty()) {
    slots.push_back(std::make_unique<ReadSession::Slot>());
    free_slots.reserve(slots.size());
    return slots.back().get();
  }
  ReadSession::Slot* slot = free_slots.back();
  free_slots.pop_back();
  return slot;
}

void Environment::Impl::GiveSlot(ReadSession::Slot* slot) {
  const std::lock_guard lock(slots_mutex);
  free_slots.push_back(slot);
}

absl::Status Environment::Impl::BeginSnapshot(ReadSession::Slot* slot) {
  bool cleared_readers = false;
  for (int attempt = 0; attempt < kBeginAttempts;) {
    // The store of `active` must be seen before the gate is read, and the drainer's the other way round.
    slot->active.store(kSlotBeginning, std::memory_order_seq_cst);
    const uint64_t epoch_seen = epoch.load(std::memory_order_acquire);
    if (gate_closed.load(std::memory_order_seq_cst)) {
      slot->active.store(kSlotIdle, std::memory_order_seq_cst);
      std::unique_lock lock(gate_mutex);
      gate_opened.wait(lock, [this] { return !gate_closed.load(); });
      continue;
    }
    ++attempt;
    if (slot->epoch != epoch_seen && slot->home != home) slot->Drop();
    int code = MDB_PANIC;  // also when a reopen has failed: try again
    if (home->env != nullptr) {
      code = slot->txn != nullptr ? mdb_txn_renew(slot->txn)
                                  : mdb_txn_begin(home->env, nullptr, MDB_RDONLY, &slot->txn);
    }
    if (code == 0) {
      if (slot->home == nullptr) slot->home = home;
      slot->txn_id = mdb_txn_id(slot->txn);
      // A drain may have moved the map.
      if (slot->epoch != epoch_seen) slot->views.clear();
      slot->epoch = epoch_seen;
      ++slot->snapshot;
      slot->active.store(kSlotHolding, std::memory_order_release);
      return absl::OkStatus();
    }
    // Still inside the gate: what follows looks at the environment.
    absl::Status full = absl::OkStatus();
    if (code == MDB_READERS_FULL) {
      int dead = 0;
      if (cleared_readers) full = ReadersFullError();
      if (!cleared_readers) mdb_reader_check(home->env, &dead);
    }
    slot->active.store(kSlotIdle, std::memory_order_seq_cst);
    if (code == MDB_READERS_FULL) {
      if (!full.ok()) return full;
      cleared_readers = true;
    } else if (code == MDB_MAP_RESIZED) {
      LARDER_RETURN_IF_ERROR(AdoptMapSize(epoch_seen, false));
    } else if (code == MDB_PANIC) {
      LARDER_RETURN_IF_ERROR(Reopen(epoch_seen, false));
    } else {
      return Annotate(LmdbError(code, "beginning a snapshot"), directory.path);
    }
  }
  return WithKind(UnavailableError(directory.path, ": the map changed ", kBeginAttempts,
                                   " times while beginning"),
                  ErrorKind::kBusy);
}

void Environment::Impl::EndSnapshot(ReadSession::Slot* slot) {
  if (slot->epoch == epoch.load(std::memory_order_acquire)) {
    mdb_txn_reset(slot->txn);
  } else {
    slot->Drop();  // its folder was left meanwhile: the last one closes it
  }
  slot->active.store(kSlotIdle, std::memory_order_release);
}

absl::Status Environment::Impl::Drain(uint64_t epoch_seen, bool writer_held,
                                      const std::function<absl::Status()>& change) {
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::microseconds(options.drain_wait.us);
  std::unique_ptr<Impl, void (*)(Impl*)> claim(nullptr, [](Impl* impl) { impl->FreeWriter(); });
  if (!writer_held) {
    if (writer_thread.load() != std::this_thread::get_id() && ClaimWriter(deadline)) {
      claim.reset(this);
    } else {
      return WithKind(
          UnavailableError(directory.path, ": the map must change while this process writes"),
          ErrorKind::kBusy);
    }
  }
  std::unique_lock gate(gate_mutex);
  if (epoch.load() != epoch_seen) return absl::OkStatus();
  gate_closed.store(true, std::memory_order_seq_cst);
  const auto reopen_gate = [&] {
    gate_closed.store(false, std::memory_order_seq_cst);
    gate.unlock();
    gate_opened.notify_all();
  };
  for (;;) {
    std::size_t active = 0;
    {
      const std::lock_guard lock(slots_mutex);
      active =
          static_cast<std::size_t>(std::count_if(slots.begin(), slots.end(), [](const auto& slot) {
            return slot->active.load() != kSlotIdle;
          }));
    }
    if (active == 0) break;
    if (std::chrono::steady_clock::now() >= deadline) {
      reopen_gate();
      return WithKind(UnavailableError(directory.path, ": the map must change but ", active,
                                       " snapshots of this process were not released within ",
                                       FormatDuration(options.drain_wait)),
                      ErrorKind::kBusy);
    }
    Pause(100);
  }
  const absl::Status status = change();
  epoch.fetch_add(1, std::memory_order_release);
  reopen_gate();
  return status;
}

absl::Status Environment::Impl::Reopen(uint64_t epoch_seen, bool writer_held) {
  return Drain(epoch_seen, writer_held, [this]() -> absl::Status {
    uint64_t map_size = options.map_size_bytes;
    if (home->env != nullptr) {
      MDB_envinfo info{};
      mdb_env_info(home->env, &info);
      map_size = std::max<uint64_t>(map_size, info.me_mapsize);
    }
    {
      const std::lock_guard lock(slots_mutex);
      CloseLmdb();
    }
    // Rewritten and taken away meanwhile.
    const absl::StatusOr<uint64_t> current = CurrentFolder(directory.path);
    if (current.ok() && *current > home->directory.number) return OpenNext(*current, map_size);
    // Another file in its place is another store. LMDB makes a lock file that is missing, so this comes first.
    LARDER_RETURN_IF_ERROR(CheckNotReplaced(*home));
    return OpenLmdb(*home, map_size);
  });
}

absl::Status Environment::Impl::AdoptMapSize(uint64_t epoch_seen, bool writer_held) {
  return Drain(epoch_seen, writer_held, [this]() -> absl::Status {
    const int code = mdb_env_set_mapsize(home->env, 0);
    return code == 0 ? absl::OkStatus()
                     : LmdbError(code, "adopting the map another process enlarged");
  });
}

absl::Status Environment::Impl::GrowMap(uint64_t epoch_seen, bool writer_held) {
  return Drain(epoch_seen, writer_held, [this]() -> absl::Status {
    constexpr uint64_t kStepMax = uint64_t{1} << 36;
    MDB_envinfo info{};
    mdb_env_info(home->env, &info);
    const uint64_t step = std::min<uint64_t>(info.me_mapsize, kStepMax);
    const int code = mdb_env_set_mapsize(home->env, info.me_mapsize + step);
    return code == 0 ? absl::OkStatus()
                     : LmdbError(code, Concat("enlarging the map of ", info.me_mapsize, " bytes"));
  });
}

std::shared_ptr<OpenFolder> Environment::Impl::Home() {
  const std::lock_guard gate(gate_mutex);
  return home;
}

absl::Status Environment::Impl::OpenNext(uint64_t number, uint64_t map_size) {
  LARDER_DCHECK(number > home->directory.number);
  auto next = std::make_shared<OpenFolder>();
  next->directory = InFolder(directory, number);
  LARDER_ASSIGN_OR_RETURN(next->data_identity, IdentityOf(next->directory.data_path));
  ProcessTable& table = ProcessTable::Get();
  ProcessTable::Entry entry;
  {
    const std::lock_guard lock(table.mutex);
    const auto own = table.open.find(home->data_identity);
    if (own != table.open.end()) entry = own->second;
    entry.environment = self;
    entry.fork_count = ForkCount();
    entry.folder = number;
    table.open[next->data_identity] = entry;
  }
  const auto open = [&]() -> absl::Status {
    LARDER_RETURN_IF_ERROR(OpenLmdb(*next, map_size));
    LARDER_ASSIGN_OR_RETURN(next->lock_identity, IdentityOf(next->directory.lock_path));
    LARDER_ASSIGN_OR_RETURN(const FormatRow row, ReadFormat(next->env));
    if (row.store_id_high == format.store_id_high && row.store_id_low == format.store_id_low) {
      return absl::OkStatus();
    }
    return WithKind(FailedPreconditionError(next->directory.environment_path,
                                            " is of another store than the one it should replace"),
                    ErrorKind::kStoreReplaced);
  };
  next->left.store(true);  // until it is home, its end takes the entry back
  LARDER_RETURN_IF_ERROR(open());
  next->left.store(false);
  home->left.store(true);
  home = std::move(next);
  touches.Clear();
  return absl::OkStatus();
}

absl::Status Environment::Impl::Follow(uint64_t epoch_seen, uint64_t number) {
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::microseconds(options.drain_wait.us);
  std::shared_ptr<OpenFolder> before;  // closed, when nobody else uses it, once the gate is open
  std::unique_lock gate(gate_mutex);
  if (epoch.load() != epoch_seen) return absl::OkStatus();
  const absl::StatusOr<uint64_t> current = CurrentFolder(directory.path);
  if (current.ok()) number = std::max(number, *current);
  // Another thread was here first. Opening a folder twice in one process would take its readers' places from them.
  if (home->directory.number >= number) return absl::OkStatus();
  gate_closed.store(true, std::memory_order_seq_cst);
  absl::Status status = absl::OkStatus();
  for (bool beginning = true; beginning && status.ok();) {
    {
      const std::lock_guard lock(slots_mutex);
      beginning = std::any_of(slots.begin(), slots.end(), [](const auto& slot) {
        return slot->active.load() == kSlotBeginning;
      });
    }
    if (!beginning) break;
    if (std::chrono::steady_clock::now() >= deadline) {
      status =
          WithKind(UnavailableError(directory.path, ": snapshots of this process do not begin"),
                   ErrorKind::kBusy);
    } else {
      Pause(20);
    }
  }
  if (status.ok()) {
    uint64_t map_size = options.map_size_bytes;
    MDB_envinfo info{};
    if (home->env != nullptr && mdb_env_info(home->env, &info) == 0)
      map_size = std::max<uint64_t>(map_size, info.me_mapsize);
    before = home;
    status = OpenNext(number, map_size);
  }
  if (status.ok()) {
    epoch.fetch_add(1);
    const std::lock_guard lock(slots_mutex);
    for (const auto& slot : slots) {
      if (slot->active.load() == kSlotIdle) slot->Drop();
    }
  }
  gate_closed.store(false, std::memory_order_seq_cst);
  gate.unlock();
  gate_opened.notify_all();
  return status;
}

bool Environment::Impl::ClaimWriter(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(writer_mutex);
  if (!writer_freed.wait_until(lock, deadline, [this] { return !writer_claimed; })) return false;
  writer_claimed = true;
  return true;
}

void Environment::Impl::FreeWriter() {
  {
    const std::lock_guard lock(writer_mutex);
    writer_claimed = false;
  }
  writer_freed.notify_one();
}

absl::Status Environment::Impl::LockWriter() {
  if (writer_thread.load() == std::this_thread::get_id()) {
    return FailedPreconditionError("this thread already holds a write transaction of ",
                                   directory.path);
  }
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::microseconds(options.write_lock_wait.us);
  if (!ClaimWriter(deadline)) {
    return WithKind(
        UnavailableError(directory.path, ": another thread of this process has been writing for ",
                         FormatDuration(options.write_lock_wait)),
        ErrorKind::kBusy);
  }
  int64_t pause_us = 20;
  while (flock(writer_lock.get(), LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error == EINTR) continue;
    if (error != EWOULDBLOCK || std::chrono::steady_clock::now() >= deadline) {
      FreeWriter();
      if (error != EWOULDBLOCK)
        return SystemError(error, "locking", directory.path + "/writer.lock");
      char pid[32] = {};
      const ssize_t size = pread(writer_lock.get(), pid, sizeof(pid) - 1, 0);
      const std::string_view holder(pid, size > 0 ? static_cast<std::size_t>(size) : 0);
      return WithKind(
          UnavailableError(directory.path, ": process ",
                           holder.empty() ? "(unknown)" : TrimAscii(holder),
                           " has been writing for ", FormatDuration(options.write_lock_wait)),
          ErrorKind::kBusy);
    }
    Pause(pause_us);
    pause_us = std::min<int64_t>(pause_us * 2, 1000);
  }
  const std::string pid = Concat(static_cast<int64_t>(getpid()), "\n          ");
  if (pwrite(writer_lock.get(), pid.data(), pid.size(), 0) < 0) {
    // Only the name in another process's message is lost.
  }
  writer_thread.store(std::this_thread::get_id());
  return absl::OkStatus();
}

void Environment::Impl::UnlockWriter() {
  writer_thread.store(std::thread::id());
  flock(writer_lock.get(), LOCK_UN);
  FreeWriter();
}

}  // namespace larder::inline LARDER_ABI
