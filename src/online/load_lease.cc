#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <set>
#include <utility>

#include "larder/online/generation.h"
#include "online/environment_impl.h"
#include "online/file_descriptor.h"
#include "online/generation_record.h"
#include "online/lmdb_status.h"

namespace larder::inline LARDER_ABI {
namespace {

// What earlier holders began and did not publish: with the lease in hand, nobody else can be at it.
absl::Status FreeUnfinished(const std::shared_ptr<Environment>& environment) {
  const auto is_unfinished = [](const NumberedGeneration& generation) {
    return generation.record.info.state == GenerationState::kBuilding ||
           generation.record.info.state == GenerationState::kReady;
  };
  LARDER_ASSIGN_OR_RETURN(ReadSession session, ReadSession::Open(environment));
  bool found = false;
  LARDER_RETURN_IF_ERROR(
      session.ListRecords(kGenerationTable, [&found](std::string_view, std::string_view bytes) {
        const absl::StatusOr<GenerationRecord> record = GenerationRecord::Parse(bytes);
        found = found || (record.ok() && (record->info.state == GenerationState::kBuilding ||
                                          record->info.state == GenerationState::kReady));
        return true;
      }));
  session.Release();  // the map may have to grow
  if (!found) return absl::OkStatus();
  const auto change = [&](WriteTransaction& transaction) -> absl::Status {
    LARDER_ASSIGN_OR_RETURN(const std::vector<NumberedGeneration> all,
                            ReadGenerations(transaction, std::nullopt));
    std::set<uint64_t> kept;
    for (const NumberedGeneration& generation : all) {
      if (!is_unfinished(generation)) CollectSegments(generation.record.directory, &kept);
    }
    for (const NumberedGeneration& generation : all) {
      if (!is_unfinished(generation)) continue;
      LARDER_RETURN_IF_ERROR(
          DeleteGeneration(transaction.state(), generation.view_id, generation.record, kept));
    }
    return absl::OkStatus();
  };
  return RunWriteTransaction(environment, change).status();
}

// What a rewrite left that was cut short: CURRENT behind the folder it moved to, and the folders it left behind.
absl::Status FinishRewrite(Environment::Impl& impl) {
  const std::shared_ptr<OpenFolder> home = impl.Home();
  StoreDirectory directory = InFolder(home->directory, home->directory.number);
  LARDER_ASSIGN_OR_RETURN(const uint64_t current, CurrentFolder(directory.path));
  if (current != directory.number) LARDER_RETURN_IF_ERROR(CommitCurrent(&directory));
  return RemoveOtherFolders(directory);
}

}  // namespace

absl::StatusOr<LoadLease> LoadLease::Acquire(std::shared_ptr<Environment> environment) {
  Environment::Impl& impl = environment->impl();
  if (impl.forked()) return ForkedError();
  if (environment->read_only())
    return FailedPreconditionError(environment->path(), " is open read-only");
  const std::string path = impl.directory.path + "/load.lock";
  // A descriptor of its own for every holder: flock then also keeps threads of one process apart.
  FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok()) return SystemError(errno, "opening", path);
  if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError(errno, "locking", path);
    char text[32] = {};
    const ssize_t size = pread(file.get(), text, sizeof(text) - 1, 0);
    return WithKind(UnavailableError(environment->path(), ": process ",
                                     size > 0 ? std::strtoll(text, nullptr, 10) : 0,
                                     " is loading views; one load at a time"),
                    ErrorKind::kBusy);
  }
  const std::string own = Concat(getpid(), "\n");
  if (ftruncate(file.get(), 0) != 0 ||
      pwrite(file.get(), own.data(), own.size(), 0) != static_cast<ssize_t>(own.size())) {
    // Only for messages.
  }
  {
    ProcessTable& table = ProcessTable::Get();
    const std::lock_guard lock(table.mutex);
    table.writer_locks.insert(file.get());
  }
  LoadLease lease(std::move(environment), file.Release());
  LARDER_RETURN_IF_ERROR(lease.FreeUnfinished());
  LARDER_RETURN_IF_ERROR(FinishRewrite(lease.environment_->impl()));
  return lease;
}

absl::Status LoadLease::FreeUnfinished() const { return larder::FreeUnfinished(environment_); }

LoadLease::LoadLease(LoadLease&& other) noexcept
    : environment_(std::move(other.environment_)), fd_(std::exchange(other.fd_, -1)) {}

LoadLease::~LoadLease() {
  if (fd_ < 0 || environment_->impl().forked()) return;
  ProcessTable& table = ProcessTable::Get();
  const std::lock_guard lock(table.mutex);
  table.writer_locks.erase(fd_);
  close(fd_);
}

}  // namespace larder::inline LARDER_ABI
