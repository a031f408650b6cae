#include "io/file_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 20;

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status StatusOfErrno(int error, std::string_view what, const std::string& path) {
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return WithKind(ResourceExhaustedError("cannot ", what, " ", path, ": ", std::strerror(error)),
                    ErrorKind::kDiskFull);
  }
  if (error == ENOENT || error == ENOTDIR) {
    return NotFoundError("cannot ", what, " ", path, ": no such folder");
  }
  return WithKind(UnavailableError("cannot ", what, " ", path, ": ", std::strerror(error)),
                  ErrorKind::kIoError);
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileWriter>> FileWriter::Create(const std::string& path,
                                                               bool durable) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) {
    return InvalidArgumentError(path, " is a folder, expected a file name");
  }
  // The name says whose it is and which process left it, should one be left after a crash.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    std::string temporary = Concat(path, ".partial-", ::getpid(), "-", attempt);
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0)
      return std::unique_ptr<FileWriter>(new FileWriter(path, std::move(temporary), fd, durable));
    if (errno != EEXIST) return StatusOfErrno(errno, "create", path);
  }
  return WithKind(UnavailableError("cannot create ", path, ": too many partial files beside it"),
                  ErrorKind::kIoError);
}

FileWriter::FileWriter(std::string path, std::string temporary, int fd, bool durable)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd), durable_(durable) {
  buffer_.reserve(kBufferSize);
}

FileWriter::~FileWriter() {
  if (fd_ >= 0) ::close(fd_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

absl::Status FileWriter::Failed(std::string_view what) const {
  return StatusOfErrno(errno, what, path_);
}

absl::Status FileWriter::Append(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferSize) LARDER_RETURN_IF_ERROR(Flush());
  buffer_.append(bytes);
  return absl::OkStatus();
}

absl::Status FileWriter::Flush() {
  std::size_t at = 0;
  while (at < buffer_.size()) {
    const ssize_t put = ::write(fd_, buffer_.data() + at, buffer_.size() - at);
    if (put < 0) {
      if (errno == EINTR) continue;
      return Failed("write");
    }
    at += static_cast<std::size_t>(put);
  }
  flushed_ += buffer_.size();
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status FileWriter::Replace(uint64_t offset, std::string_view bytes) {
  LARDER_DCHECK(offset + bytes.size() <= size());
  LARDER_RETURN_IF_ERROR(Flush());
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t put =
        ::pwrite(fd_, bytes.data() + at, bytes.size() - at, static_cast<off_t>(offset + at));
    if (put < 0) {
      if (errno == EINTR) continue;
      return Failed("write");
    }
    at += static_cast<std::size_t>(put);
  }
  return absl::OkStatus();
}

absl::Status FileWriter::Finish() {
  LARDER_RETURN_IF_ERROR(Flush());
  if (durable_ && ::fsync(fd_) != 0) return Failed("sync");
  const int fd = std::exchange(fd_, -1);
  if (::close(fd) != 0) return Failed("close");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return Failed("rename to");
  temporary_.clear();
  if (!durable_) return absl::OkStatus();
  const int folder = ::open(FolderOf(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return Failed("open the folder of");
  const int synced = ::fsync(folder);
  ::close(folder);
  return synced == 0 ? absl::OkStatus() : Failed("sync the folder of");
}

}  // namespace larder::inline LARDER_ABI
