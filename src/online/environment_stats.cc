// What an environment says of itself: its figures, and who reads it.
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <string>

#include "online/environment_impl.h"
#include "online/view_directory.h"

namespace larder::inline LARDER_ABI {

absl::Status Environment::Impl::ReadersFullError() const {
  struct Readers {
    std::map<int64_t, int> by_pid;
  } readers;
  mdb_reader_list(
      home->env,
      [](const char* line, void* context) {
        char* end = nullptr;
        const int64_t pid = std::strtoll(line, &end, 10);
        if (end != line) ++static_cast<Readers*>(context)->by_pid[pid];
        return 0;
      },
      &readers);
  std::string holders;
  for (const auto& [pid, count] : readers.by_pid) {
    AppendTo(holders, holders.empty() ? "" : ", ");
    AppendTo(holders, Concat("process ", pid, " holds ", count));
  }
  unsigned int most = 0;
  mdb_env_get_maxreaders(home->env, &most);
  return WithKind(
      ResourceExhaustedError(directory.path, ": all ", most, " reader slots are taken: ", holders),
      ErrorKind::kReadersFull);
}

absl::StatusOr<EnvironmentStats> Environment::Stats() const {
  LARDER_ASSIGN_OR_RETURN(
      const ReadSession session,
      ReadSession::Open(std::const_pointer_cast<Environment>(shared_from_this())));
  Impl& impl = *impl_;
  MDB_env* const env = session.slot()->home->env;  // open as long as the session
  EnvironmentStats stats;
  struct stat file {};
  if (::stat(session.slot()->home->directory.data_path.c_str(), &file) == 0)
    stats.file_size_bytes = static_cast<uint64_t>(file.st_size);
  MDB_envinfo info{};
  MDB_stat pages{};
  mdb_env_info(env, &info);
  mdb_env_stat(env, &pages);
  stats.map_size_bytes = info.me_mapsize;
  stats.used_size_bytes = (info.me_last_pgno + 1) * pages.ms_psize;
  stats.readers_max = info.me_maxreaders;
  MDB_txn* txn = nullptr;
  if (mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) == 0) {
    if (mdb_stat(txn, impl.records, &pages) == 0) stats.record_count = pages.ms_entries;
    mdb_txn_abort(txn);
  }
  LARDER_RETURN_IF_ERROR(
      session.ListRecords(kDirectoryTable, [&stats](std::string_view, std::string_view bytes) {
        const absl::StatusOr<ViewDirectory> directory = ViewDirectory::Parse(bytes);
        if (directory.ok()) stats.row_count += directory->row_count;
        return true;
      }));
  {
    const std::lock_guard lock(impl.slots_mutex);
    stats.sessions_open = static_cast<uint64_t>(
        std::count_if(impl.slots.begin(), impl.slots.end(),
                      [](const auto& slot) { return slot->active.load() != 0; }));
    --stats.sessions_open;  // this call's own
  }
  struct Readers {
    uint64_t used = 0;
    uint64_t oldest = UINT64_MAX;
  } readers;
  // Lines of pid, thread and transaction number; `-` for a slot without a snapshot.
  mdb_reader_list(
      env,
      [](const char* line, void* context) {
        auto* out = static_cast<Readers*>(context);
        char* end = nullptr;
        std::strtoll(line, &end, 10);
        if (end == line) return 0;
        ++out->used;
        std::strtoull(end, &end, 16);
        char* last = nullptr;
        const uint64_t txn_id = std::strtoull(end, &last, 10);
        if (last != end) out->oldest = std::min(out->oldest, txn_id);
        return 0;
      },
      &readers);
  stats.readers_used = readers.used;
  if (readers.oldest < info.me_last_txnid)
    stats.oldest_reader_lag = info.me_last_txnid - readers.oldest;
  stats.reopen_count = impl.epoch.load();
  stats.lmdb_version = mdb_version(nullptr, nullptr, nullptr);
  return stats;
}

}  // namespace larder::inline LARDER_ABI
