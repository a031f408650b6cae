#include "online/lmdb_status.h"

#include <lmdb.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <iterator>
#include <limits>

namespace larder::inline LARDER_ABI {
namespace {

using Code = absl::StatusCode;
using Kind = ErrorKind;

constexpr LmdbCodeRow kTable[] = {
    {MDB_KEYEXIST, Code::kInternal, Kind::kNone, "the key is there already"},
    {MDB_NOTFOUND, Code::kInternal, Kind::kNone, "an entry that must exist is missing"},
    {MDB_PAGE_NOTFOUND, Code::kDataLoss, Kind::kCorrupt, "a page the tree needs is missing"},
    {MDB_CORRUPTED, Code::kDataLoss, Kind::kCorrupt, "a page is not of the kind the tree says"},
    {MDB_PANIC, Code::kUnavailable, Kind::kIoError,
     "an earlier write of the file's head failed; it must be reopened"},
    {MDB_VERSION_MISMATCH, Code::kFailedPrecondition, Kind::kVersion,
     "written by another LMDB file format"},
    {MDB_INVALID, Code::kFailedPrecondition, Kind::kForeign, "not an LMDB file"},
    {MDB_MAP_FULL, Code::kResourceExhausted, Kind::kNone, "the memory map is full"},
    {MDB_DBS_FULL, Code::kInternal, Kind::kNone, "too many named databases"},
    {MDB_READERS_FULL, Code::kResourceExhausted, Kind::kReadersFull, "every reader slot is taken"},
    {MDB_TLS_FULL, Code::kResourceExhausted, Kind::kNone, "too many thread-local keys"},
    {MDB_TXN_FULL, Code::kResourceExhausted, Kind::kTooLarge,
     "the transaction changes too many pages"},
    {MDB_CURSOR_FULL, Code::kDataLoss, Kind::kCorrupt, "the tree is deeper than any sound one"},
    {MDB_PAGE_FULL, Code::kInternal, Kind::kNone, "a page has no room for the entry"},
    {MDB_MAP_RESIZED, Code::kUnavailable, Kind::kBusy, "another process enlarged the map"},
    {MDB_INCOMPATIBLE, Code::kFailedPrecondition, Kind::kForeign,
     "a database is of another kind than larder's"},
    {MDB_BAD_RSLOT, Code::kInternal, Kind::kNone, "a reader slot was used twice"},
    {MDB_BAD_TXN, Code::kInternal, Kind::kNone,
     "the transaction has failed before and can only be ended"},
    {MDB_BAD_VALSIZE, Code::kInvalidArgument, Kind::kTooLarge,
     "a key or value is of a size LMDB refuses"},
    {MDB_BAD_DBI, Code::kInternal, Kind::kNone, "a database handle is out of date"},
    {ENOSPC, Code::kResourceExhausted, Kind::kDiskFull, "no space is left on the device"},
    {EDQUOT, Code::kResourceExhausted, Kind::kDiskFull, "the disk quota is used up"},
    {EFBIG, Code::kResourceExhausted, Kind::kDiskFull, "the file would exceed the file size limit"},
    {EIO, Code::kUnavailable, Kind::kIoError, "the device reported an error"},
    {ENOMEM, Code::kResourceExhausted, Kind::kNone, "not enough memory or address space"},
    {EACCES, Code::kPermissionDenied, Kind::kIoError, "permission denied"},
    {EPERM, Code::kPermissionDenied, Kind::kIoError, "operation not permitted"},
    {EROFS, Code::kPermissionDenied, Kind::kIoError, "the file system is read-only"},
    {ENOENT, Code::kNotFound, Kind::kIoError, "no such file or directory"},
    {ENOTDIR, Code::kNotFound, Kind::kIoError, "not a directory"},
    {ELOOP, Code::kFailedPrecondition, Kind::kForeign,
     "a symbolic link, which is not followed here"},
    {EEXIST, Code::kAlreadyExists, Kind::kIoError, "it exists already"},
    {EAGAIN, Code::kUnavailable, Kind::kBusy, "another process is opening, closing or locking it"},
    {EBUSY, Code::kUnavailable, Kind::kBusy, "it is in use"},
    {EINVAL, Code::kInternal, Kind::kNone, "an argument was refused"},
    {EMFILE, Code::kResourceExhausted, Kind::kIoError, "too many open files in this process"},
    {ENFILE, Code::kResourceExhausted, Kind::kIoError, "too many open files in the system"},
    {0, Code::kUnavailable, Kind::kIoError, "unexpected error"},
};

bool FileSizeLimitReached(const std::string& path) {
  rlimit limit{};
  struct stat info {};
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return false;
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return false;
  // A commit appends at most a few hundred pages before it fails; within that distance the limit is the likely cause.
  constexpr rlim_t kNear = rlim_t{1} << 22;
  return static_cast<rlim_t>(info.st_size) + kNear >= limit.rlim_cur;
}

}  // namespace

const LmdbCodeRow& FindLmdbCode(int code) {
  for (const LmdbCodeRow& row : kTable) {
    if (row.code == code) return row;
  }
  return *(std::end(kTable) - 1);
}

absl::Status LmdbError(int code, std::string_view operation) {
  const LmdbCodeRow& row = FindLmdbCode(code);
  absl::Status status =
      MakeStatus(row.status, Concat(operation, ": ", row.phrase, " (", mdb_strerror(code), ")"));
  return row.kind == ErrorKind::kNone ? status : WithKind(std::move(status), row.kind);
}

uint64_t FreeBytesAt(const std::string& path) {
  struct statvfs info {};
  if (statvfs(path.c_str(), &info) != 0) return std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

absl::Status LmdbWriteError(int code, std::string_view operation, const std::string& path) {
  if (code == EIO) {
    // Less than what any commit needs: the short write behind this EIO was the disk's end, not its failure.
    constexpr uint64_t kLow = uint64_t{1} << 20;
    const uint64_t free_bytes = FreeBytesAt(path);
    if (free_bytes < kLow) {
      return WithKind(ResourceExhaustedError(operation, ": no space is left on the device of ",
                                             path, ", ", free_bytes, " bytes free"),
                      ErrorKind::kDiskFull);
    }
    if (FileSizeLimitReached(path)) {
      return WithKind(
          ResourceExhaustedError(operation, ": the file size limit of this process stops ", path),
          ErrorKind::kDiskFull);
    }
  }
  return Annotate(LmdbError(code, operation), path);
}

absl::Status SystemError(int error_number, std::string_view operation, const std::string& path) {
  return LmdbWriteError(error_number, operation, path);
}

}  // namespace larder::inline LARDER_ABI
