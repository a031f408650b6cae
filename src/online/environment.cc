#include "larder/online/environment.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <random>

#include "online/environment_impl.h"
#include "online/file_check.h"
#include "online/lmdb_status.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint64_t kMapSizeMin = uint64_t{1} << 26;

absl::StatusOr<DeviceInode> IdentityOfFolder(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return SystemError(errno, "looking at", path);
  return DeviceInode{info.st_dev, info.st_ino};
}

// The map's size: what was asked, unless the process may not reserve that much.
uint64_t AllowedMapSize(uint64_t wanted, uint64_t used) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    wanted = std::min<uint64_t>(wanted, limit.rlim_cur / 4);
  }
  // Never less than what is there: LMDB would leave no room at all.
  const uint64_t size = std::max({wanted, used + used / 4 + (uint64_t{1} << 20), uint64_t{1} << 20});
  return (size + 65535) / 65536 * 65536;
}

// A file a crash left a few unneeded pages short must be as long as it says before it is mapped. fallocate, because it
// cannot shorten what a writer lengthened meanwhile.
absl::Status ExtendDataFile(const std::string& path, uint64_t missing_bytes) {
  const FileDescriptor file(open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!file.ok() || fstat(file.get(), &info) != 0 ||
      fallocate(file.get(), 0, info.st_size, static_cast<off_t>(missing_bytes)) != 0) {
    return SystemError(errno, Concat("extending by ", missing_bytes, " bytes"), path);
  }
  return absl::OkStatus();
}

absl::Status CheckReadOnlyAccess(const StoreDirectory& directory) {
  // Looked at by name only. Without write access LMDB would read without a lock and be given reused pages.
  const bool exists = access(directory.lock_path.c_str(), F_OK) == 0;
  const std::string& needed = exists ? directory.lock_path : directory.environment_path;
  if (access(needed.c_str(), W_OK) != 0) {
    return WithKind(
        MakeStatus(absl::StatusCode::kPermissionDenied,
                   Concat("readers need write access to ", needed,
                          " to announce themselves; give the group that access or use a backup")),
        ErrorKind::kIoError);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DeviceInode> IdentityOf(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return SystemError(errno, "looking at", path);
  if (S_ISLNK(info.st_mode)) {
    return WithKind(
        FailedPreconditionError(path, " is a symbolic link, which is not followed here"),
        ErrorKind::kForeign);
  }
  return DeviceInode{info.st_dev, info.st_ino};
}

void EvenOutFile(MDB_env* env) {
  MDB_envinfo info{};
  MDB_stat stat{};
  int fd = -1;
  struct stat file {};
  mdb_env_info(env, &info);
  mdb_env_stat(env, &stat);
  const auto size = static_cast<off_t>((info.me_last_pgno + 1) * stat.ms_psize);
  if (mdb_env_get_fd(env, &fd) != 0 || fstat(fd, &file) != 0 || file.st_size >= size) return;
  if (ftruncate(fd, size) != 0) {
    // The next open walks the pages and finds the same.
  }
}

void OpenFolder::Close() {
  if (env != nullptr) mdb_env_close(std::exchange(env, nullptr));
}

OpenFolder::~OpenFolder() {
  if (!left.load()) {
    Close();
    return;
  }
  ProcessTable& table = ProcessTable::Get();
  {
    const std::lock_guard lock(table.mutex);
    Close();
    table.open.erase(data_identity);
  }
  table.changed.notify_all();
}

void ReadSession::Slot::Drop() {
  if (txn != nullptr) mdb_txn_abort(std::exchange(txn, nullptr));
  views.clear();
  home.reset();
}

absl::Status Environment::Impl::OpenLmdb(OpenFolder& folder, uint64_t map_size) {
  const StoreDirectory& place = folder.directory;
  MDB_env*& env = folder.env;
  uint64_t missing_bytes = 0;
  uint64_t used = 0;
  if (!place.created) {
    LARDER_ASSIGN_OR_RETURN(const MetaPage meta, CheckDataFile(place.data_path, &missing_bytes));
    used = (meta.last_page + 1) * meta.page_size;
    if (missing_bytes > 0) LARDER_RETURN_IF_ERROR(ExtendDataFile(place.data_path, missing_bytes));
    if (options.read_only) LARDER_RETURN_IF_ERROR(CheckReadOnlyAccess(place));
  }
  unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;
  if (options.read_only) flags |= MDB_RDONLY;
  if (options.durability == Durability::kRelaxed) flags |= MDB_NOMETASYNC;

  uint64_t size = AllowedMapSize(map_size, used);
  int code = 0;
  for (int attempt = 0; attempt < 64; ++attempt) {
    code = mdb_env_create(&env);
    if (code != 0) return LmdbError(code, "making an environment");
    mdb_env_set_maxdbs(env, 4);
    mdb_env_set_maxreaders(env, options.readers_max);
    mdb_env_set_mapsize(env, size);
    code = mdb_env_open(env, place.environment_path.c_str(), flags, 0600);
    if (code == 0) break;
    folder.Close();
    if (code == ENOMEM && size / 2 >= std::max(used * 2, kMapSizeMin)) {
      size /= 2;
    } else if (code == EAGAIN || code == EBUSY || code == ENOENT) {
      const timespec pause{0, 2'000'000};  // another process opens or closes it at this moment
      nanosleep(&pause, nullptr);
    } else {
      break;
    }
  }
  if (code != 0) return LmdbWriteError(code, "opening", place.environment_path);

  int fd = -1;
  if (mdb_env_get_fd(env, &fd) == 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
  MDB_txn* txn = nullptr;
  MDB_dbi records_here = 0;
  MDB_dbi segments_here = 0;
  code = mdb_txn_begin(env, nullptr, place.created ? 0 : MDB_RDONLY, &txn);
  if (code == 0) {
    const unsigned create = place.created ? MDB_CREATE : 0;
    code = mdb_dbi_open(txn, kRecordsName, create, &records_here);
    if (code == 0) code = mdb_dbi_open(txn, kSegmentsName, create, &segments_here);
    if (code == 0) {
      code = mdb_txn_commit(txn);
    } else {
      mdb_txn_abort(txn);
    }
  }
  absl::Status status = absl::OkStatus();
  if (code == MDB_NOTFOUND) {
    status = WithKind(FailedPreconditionError(
                          directory.path, " is not a larder store: another program's LMDB file"),
                      ErrorKind::kForeign);
  } else if (code != 0) {
    status = LmdbWriteError(code, "opening the databases", place.environment_path);
  }
  if (!status.ok()) {
    folder.Close();
    return status;
  }
  // LMDB numbers them as they are opened; sessions that go on elsewhere read these while another folder is opened.
  if (records == 0) {
    records = records_here;
    segments = segments_here;
  }
  LARDER_DCHECK(records == records_here && segments == segments_here);
  return absl::OkStatus();
}

absl::Status Environment::Impl::OpenStore() {
  LARDER_RETURN_IF_ERROR(OpenLmdb(*home, options.map_size_bytes));
  LARDER_ASSIGN_OR_RETURN(home->lock_identity, IdentityOf(home->directory.lock_path));
  if (directory.created) {
    LARDER_RETURN_IF_ERROR(WriteFormat());
    LARDER_RETURN_IF_ERROR(CommitCurrent(&directory));
    home->directory.created = false;
  }
  LARDER_RETURN_IF_ERROR(CheckFormat());
  int dead = 0;
  mdb_reader_check(home->env, &dead);
  return absl::OkStatus();
}

void Environment::Impl::CloseLmdb() {
  if (home == nullptr) return;
  for (const auto& slot : slots) slot->Drop();
  home->Close();
}

absl::Status Environment::Impl::WriteFormat() {
  MDB_stat stat{};
  mdb_env_stat(home->env, &stat);
  std::random_device random;
  const auto draw = [&random] { return (uint64_t{random()} << 32) | random(); };
  format = FormatRow{};
  format.store_id_high = draw();
  format.store_id_low = draw();
  format.hash_seed = draw();
  format.created_at = options.clock().us;

  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(home->env, nullptr, 0, &txn);
  if (code != 0) return LmdbError(code, "beginning the first commit");
  absl::Status status = WriteFormatRow(txn, format, stat.ms_psize);
  if (status.ok()) status = WriteHead(txn, HeadRow{});
  if (!status.ok()) {
    mdb_txn_abort(txn);
    return status;
  }
  code = mdb_txn_commit(txn);
  return code == 0 ? absl::OkStatus()
                   : LmdbWriteError(code, "the first commit", home->directory.data_path);
}

absl::Status Environment::Impl::CheckFormat() {
  MDB_txn* txn = nullptr;
  const int code = mdb_txn_begin(home->env, nullptr, MDB_RDONLY, &txn);
  if (code != 0) return LmdbError(code, "reading the format row");
  format = LoadFormatRow(txn);
  const absl::StatusOr<HeadRow> head = ReadHead(txn, true);
  mdb_txn_abort(txn);
  LARDER_RETURN_IF_ERROR(CheckUsable(format, options.read_only, directory.path));
  format_is_older = format.format_version < FormatRow::kFormatVersion;
  format.format_version = FormatRow::kFormatVersion;
  return Annotate(head.status(), directory.path);
}

absl::Status Environment::Impl::CheckNotReplaced(const OpenFolder& folder) const {
  const auto replaced = [this](std::string_view what) {
    return WithKind(
        FailedPreconditionError(directory.path, ": ", what,
                                " since it was opened; what would be written would be lost"),
        ErrorKind::kStoreReplaced);
  };
  if (folder.env != nullptr) {
    struct stat info {};
    int fd = -1;
    mdb_env_get_fd(folder.env, &fd);
    if (fstat(fd, &info) != 0) return SystemError(errno, "looking at", folder.directory.data_path);
    if (info.st_nlink == 0) return replaced("the data file was removed");
  }
  const auto identity_is = [](const std::string& path, const DeviceInode& expected) {
    struct stat now {};
    return lstat(path.c_str(), &now) == 0 && DeviceInode{now.st_dev, now.st_ino} == expected;
  };
  if (!identity_is(folder.directory.data_path, folder.data_identity))
    return replaced("the data file was replaced or moved");
  if (!identity_is(folder.directory.lock_path, folder.lock_identity))
    return replaced("the lock file was replaced or removed");
  return absl::OkStatus();
}

namespace {

// Whether an open environment can stand for this request.
absl::Status CheckShareable(const Environment& open, const EnvironmentOptions& options) {
  if (open.read_only() && !options.read_only) {
    return FailedPreconditionError(open.path(),
                                   " is open read-only in this process; close it before writing");
  }
  if (!options.read_only && open.options().durability != options.durability) {
    return FailedPreconditionError(open.path(), " is open in this process with another durability");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<Environment>> Environment::Open(const std::string& path,
                                                               const EnvironmentOptions& options) {
  if (!options.read_only && !options.clock) {
    return InvalidArgumentError("a writable environment needs a clock: ", path);
  }
  // A rewrite may take a folder away just after CURRENT named it.
  constexpr int kAttempts = 8;
  for (int attempt = 1;; ++attempt) {
    uint64_t folder = 0;
    absl::StatusOr<std::shared_ptr<Environment>> environment =
        Impl::OpenCurrent(path, options, &folder);
    if (environment.ok() || folder == 0 || attempt == kAttempts) return environment;
    const absl::StatusOr<uint64_t> now = CurrentFolder(path);
    if (!now.ok() || *now == folder) return environment;
  }
}

absl::StatusOr<std::shared_ptr<Environment>> Environment::Impl::OpenCurrent(
    const std::string& path, const EnvironmentOptions& options, uint64_t* folder) {
  ProcessTable& table = ProcessTable::Get();
  std::unique_lock lock(table.mutex);
  LARDER_ASSIGN_OR_RETURN(StoreDirectory directory, OpenStoreDirectory(path, options));
  *folder = directory.number;
  LARDER_ASSIGN_OR_RETURN(const DeviceInode store, IdentityOfFolder(path));
  LARDER_ASSIGN_OR_RETURN(const DeviceInode identity, IdentityOf(directory.data_path));
  for (;;) {
    auto entry = table.open.find(identity);
    if (entry == table.open.end() || entry->second.fork_count != ForkCount()) {
      // It may be open in the folder it was rewritten from: its next snapshot goes on to this one.
      entry = std::find_if(table.open.begin(), table.open.end(), [&](const auto& candidate) {
        return candidate.second.store == store && candidate.second.folder != directory.number &&
               candidate.second.fork_count == ForkCount();
      });
    }
    if (entry == table.open.end()) break;
    if (std::shared_ptr<Environment> open = entry->second.environment.lock()) {
      lock.unlock();  // should this have become the last owner, its end takes the lock
      LARDER_RETURN_IF_ERROR(CheckShareable(*open, options));
      return open;
    }
    table.changed.wait(lock);  // another thread is opening it, or its last owner closing it
  }

  // From here on the entry is this thread's; others that want the file wait. The table itself must not stay locked: a
  // new store's first commit takes LMDB's write lock, and a thread that holds such a lock may open or fork.
  table.open[identity] = {{}, ForkCount(), store, directory.number};
  auto impl = std::make_unique<Impl>();
  impl->home = std::make_shared<OpenFolder>();
  impl->home->directory = InFolder(directory, directory.number);
  impl->home->directory.created = directory.created;
  impl->home->data_identity = identity;
  impl->directory = std::move(directory);
  impl->options = options;
  // Closes what is open and gives the entry back, however this ends.
  std::shared_ptr<Environment> environment(new Environment(std::move(impl)));
  lock.unlock();
  LARDER_RETURN_IF_ERROR(environment->impl_->OpenStore());

  environment->impl_->self = environment;
  lock.lock();
  if (!options.read_only) {
    absl::StatusOr<FileDescriptor> writer_lock = OpenWriterLock(environment->path());
    if (!writer_lock.ok()) {
      lock.unlock();  // the environment's end takes it
      return writer_lock.status();
    }
    environment->impl_->writer_lock = *std::move(writer_lock);
    table.writer_locks.insert(environment->impl_->writer_lock.get());
  }
  table.open[identity].environment = environment;
  lock.unlock();
  table.changed.notify_all();
  return environment;
}

Environment::Environment(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Environment::~Environment() {
  if (impl_->forked()) {
    // Everything in it is the parent's, LMDB's shared slots included.
    static_cast<void>(impl_.release());
    return;
  }
  ProcessTable& table = ProcessTable::Get();
  for (const auto& slot : impl_->slots) {
    if (slot->home != impl_->home) slot->Drop();  // closing a folder that was left takes the lock
  }
  {
    const std::lock_guard lock(table.mutex);
    impl_->CloseLmdb();
    ReleaseCreationLock(&impl_->directory);
    table.writer_locks.erase(impl_->writer_lock.get());
    impl_->writer_lock.Close();
    const auto entry = table.open.find(impl_->home->data_identity);
    if (entry != table.open.end() && entry->second.environment.expired()) table.open.erase(entry);
  }
  table.changed.notify_all();
}

const std::string& Environment::path() const { return impl_->directory.path; }
const EnvironmentOptions& Environment::options() const { return impl_->options; }
bool Environment::read_only() const { return impl_->options.read_only; }
Hash128 Environment::store_id() const {
  return {impl_->format.store_id_high, impl_->format.store_id_low};
}
uint64_t Environment::hash_seed() const { return impl_->format.hash_seed; }
Timestamp Environment::Now() const { return impl_->options.clock(); }

}  // namespace larder::inline LARDER_ABI
