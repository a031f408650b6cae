#include "online/file_check.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>

#include "larder/base/bytes.h"
#include "online/file_descriptor.h"
#include "online/lmdb_status.h"
#include "online/page_walk.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint32_t kMagic = 0xBEEFC0DE;
constexpr uint32_t kDataVersion = 1;
constexpr uint16_t kMetaFlag = 0x08;
constexpr std::size_t kPageHeaderSize = 16;
constexpr std::size_t kMetaBytes = kPageHeaderSize + 24 + 2 * 48 + 16;
constexpr uint64_t kShortPagesMax = 16;

absl::Status Foreign(const std::string& path, std::string_view why) {
  return WithKind(FailedPreconditionError(path, " is not a larder store: ", why),
                  ErrorKind::kForeign);
}

absl::StatusOr<MetaPage> ParseMeta(const char* page, const std::string& path, int number) {
  const auto magic = LoadAs<uint32_t>(page + kPageHeaderSize);
  const auto version = LoadAs<uint32_t>(page + kPageHeaderSize + 4);
  if (magic != kMagic) return Foreign(path, "its head is not LMDB's");
  if (version != kDataVersion) {
    return WithKind(
        FailedPreconditionError(path, ": LMDB file format ", version, ", this build reads ",
                                kDataVersion, "; use larder dump and load"),
        ErrorKind::kVersion);
  }
  MetaPage meta;
  meta.map_size = LoadAs<uint64_t>(page + kPageHeaderSize + 16);
  const char* trees = page + kPageHeaderSize + 24;
  meta.page_size = LoadAs<uint32_t>(trees);
  meta.free_list = ParseTreeHead(trees);
  meta.main = ParseTreeHead(trees + 48);
  meta.last_page = LoadAs<uint64_t>(trees + 96);
  meta.txn_id = LoadAs<uint64_t>(trees + 104);
  const bool sound = (LoadAs<uint16_t>(page + 10) & kMetaFlag) != 0 &&
                     std::has_single_bit(meta.page_size) && meta.page_size >= 512 &&
                     meta.page_size <= 65536 && meta.last_page >= 1 &&
                     meta.last_page < (uint64_t{1} << 48) / meta.page_size;
  if (!sound) {
    return WithKind(DataLossError(path, ": meta page ", number, " is damaged"), ErrorKind::kCorrupt);
  }
  return meta;
}

}  // namespace

TreeHead ParseTreeHead(const char* bytes) {
  TreeHead head;
  head.flags = LoadAs<uint16_t>(bytes + 4);
  head.depth = LoadAs<uint16_t>(bytes + 6);
  head.branch_pages = LoadAs<uint64_t>(bytes + 8);
  head.leaf_pages = LoadAs<uint64_t>(bytes + 16);
  head.overflow_pages = LoadAs<uint64_t>(bytes + 24);
  head.entries = LoadAs<uint64_t>(bytes + 32);
  head.root = LoadAs<uint64_t>(bytes + 40);
  return head;
}

bool ReadExactly(int fd, void* to, std::size_t size, uint64_t offset) {
  auto* at = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t got = pread(fd, at, size, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    offset += static_cast<uint64_t>(got);
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

absl::StatusOr<MetaPage> ReadMetaPages(int fd, const std::string& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return SystemError(errno, "reading the size", path);
  if (info.st_size == 0) {
    return WithKind(DataLossError(path, " is empty: its store is lost"), ErrorKind::kTruncated);
  }
  char first[kMetaBytes];
  char second[kMetaBytes];
  // A commit may replace one page between the two reads: the pair is looked at again before it is called damaged.
  constexpr int kAttempts = 20;
  for (int attempt = 0;; ++attempt) {
    if (!ReadExactly(fd, first, sizeof(first), 0)) {
      return Foreign(path, Concat("only ", info.st_size, " bytes"));
    }
    LARDER_ASSIGN_OR_RETURN(const MetaPage a, ParseMeta(first, path, 0));
    if (!ReadExactly(fd, second, sizeof(second), a.page_size)) {
      return WithKind(DataLossError(path, " ends before its second meta page"),
                      ErrorKind::kTruncated);
    }
    LARDER_ASSIGN_OR_RETURN(const MetaPage b, ParseMeta(second, path, 1));
    const uint64_t newer = std::max(a.txn_id, b.txn_id);
    if (newer - std::min(a.txn_id, b.txn_id) <= 1 && (newer == 0 || a.txn_id != b.txn_id)) {
      return a.txn_id > b.txn_id ? a : b;
    }
    if (attempt == kAttempts) {
      return WithKind(DataLossError(path, ": the meta pages are of commits ", a.txn_id, " and ",
                                    b.txn_id, ", expected two in a row: one is damaged"),
                      ErrorKind::kCorrupt);
    }
    const timespec pause{0, 500'000};
    nanosleep(&pause, nullptr);
  }
}

absl::StatusOr<MetaPage> CheckDataFile(const std::string& path, uint64_t* missing_bytes) {
  *missing_bytes = 0;
  const FileDescriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!file.ok()) return SystemError(errno, "opening", path);
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return SystemError(errno, "reading the size", path);
  if (!S_ISREG(info.st_mode)) return Foreign(path, "not a regular file");
  LARDER_ASSIGN_OR_RETURN(MetaPage meta, ReadMetaPages(file.get(), path));
  // The file grows before the meta page that needs it is written, so its size is read after the meta pages.
  if (fstat(file.get(), &info) != 0) return SystemError(errno, "reading the size", path);
  const uint64_t expected = (meta.last_page + 1) * meta.page_size;
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size >= expected) return meta;
  const absl::Status truncated =
      WithKind(DataLossError(path, " is truncated: ", size, " bytes, expected at least ", expected),
               ErrorKind::kTruncated);
  if (expected - size > kShortPagesMax * meta.page_size) return truncated;
  PageWalk walk(file.get(), meta, size / meta.page_size);
  if (!walk.Run(nullptr) || !walk.problems().empty()) return truncated;
  *missing_bytes = expected - size;
  return meta;
}

}  // namespace larder::inline LARDER_ABI
