#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "larder/online/read_session.h"
#include "larder/online/verify.h"
#include "online/environment_impl.h"
#include "online/lmdb_status.h"
#include "online/store_directory.h"
#include "online/verify_file.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::Status CopyTo(MDB_env* env, const std::string& path) {
  // LMDB's own file copy would make it readable by the group and not sync it.
  const FileDescriptor file(
      open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.ok() || fchmod(file.get(), 0600) != 0) return SystemError(errno, "making", path);
  int code = mdb_env_copyfd2(env, file.get(), MDB_CP_COMPACT);
  if (code == MDB_INCOMPATIBLE || code == MDB_CORRUPTED) {
    // A store that has lost a page cannot be compacted, but copied.
    if (ftruncate(file.get(), 0) != 0 || lseek(file.get(), 0, SEEK_SET) != 0) {
      return SystemError(errno, "starting again", path);
    }
    code = mdb_env_copyfd2(env, file.get(), 0);
  }
  if (code != 0) return LmdbWriteError(code, "copying", path);
  if (fsync(file.get()) != 0) return SystemError(errno, "syncing", path);
  return absl::OkStatus();
}

}  // namespace

absl::Status BackupStore(const std::shared_ptr<Environment>& environment,
                         const std::string& target) {
  Environment::Impl& impl = environment->impl();
  if (impl.forked()) return ForkedError();
  // A snapshot of our own keeps the gate shut to reopening while LMDB copies.
  LARDER_ASSIGN_OR_RETURN(ReadSession session, ReadSession::Open(environment));
  StoreDirectory directory;
  directory.path = target;
  directory.environment_path = Concat(target, "/", kFirstEnvironment);
  directory.data_path = directory.environment_path + "/data.mdb";
  if (mkdir(target.c_str(), 0700) != 0) return SystemError(errno, "making the directory", target);
  const std::string temporary = directory.environment_path + "/data.copy";
  const auto copy = [&]() -> absl::Status {
    if (mkdir(directory.environment_path.c_str(), 0700) != 0) {
      return SystemError(errno, "making the directory", directory.environment_path);
    }
    LARDER_RETURN_IF_ERROR(CopyTo(session.slot()->home->env, temporary));
    LARDER_ASSIGN_OR_RETURN(VerifyReport report, VerifyDataFile(temporary));
    while (report.ok() && report.moved_to != 0) {  // the copy's snapshot is later than ours
      unlink(temporary.c_str());
      LARDER_RETURN_IF_ERROR(session.Renew());
      LARDER_RETURN_IF_ERROR(CopyTo(session.slot()->home->env, temporary));
      LARDER_ASSIGN_OR_RETURN(report, VerifyDataFile(temporary));
    }
    if (!report.ok()) {
      return WithKind(DataLossError("the copy of ", environment->path(),
                                    " does not verify: ", report.problems.front()),
                      ErrorKind::kCorrupt);
    }
    if (rename(temporary.c_str(), directory.data_path.c_str()) != 0) {
      return SystemError(errno, "naming", directory.data_path);
    }
    return CommitCurrent(&directory);
  };
  absl::Status status = copy();
  if (!status.ok()) {
    unlink(temporary.c_str());
    unlink(directory.data_path.c_str());
    unlink((target + "/CURRENT.new").c_str());
    rmdir(directory.environment_path.c_str());
    rmdir(target.c_str());
  }
  return status;
}

}  // namespace larder::inline LARDER_ABI
