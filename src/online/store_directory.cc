#include "online/store_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <vector>

#include "online/lmdb_status.h"

namespace larder::inline LARDER_ABI {
namespace {

struct FileSystemKind {
  uint32_t magic;
  std::string_view name;
};
// Memory maps or locks of these do not do what LMDB needs.
constexpr FileSystemKind kUnfit[] = {
    {0x6969, "NFS"},      {0x517B, "SMB"},        {0xFF534D42, "CIFS"}, {0xFE534D42, "SMB2"},
    {0x01021997, "9p"},   {0x65735546, "FUSE"},   {0x5346414F, "AFS"},  {0x73757245, "Coda"},
    {0x00C36400, "Ceph"}, {0x0BD00BD0, "Lustre"},
};
constexpr uint32_t kOverlay = 0x794C7630;

absl::Status Foreign(const std::string& path, std::string_view why) {
  return WithKind(FailedPreconditionError(path, " is not a larder store: ", why),
                  ErrorKind::kForeign);
}

absl::Status CheckFileSystem(const std::string& path, const EnvironmentOptions& options,
                             bool* is_overlay) {
  struct statfs info {};
  if (statfs(path.c_str(), &info) != 0)
    return SystemError(errno, "looking at the file system", path);
  const auto magic = static_cast<uint32_t>(info.f_type);
  *is_overlay = magic == kOverlay;
  for (const FileSystemKind& kind : kUnfit) {
    if (kind.magic == magic && !options.allow_any_filesystem) {
      return FailedPreconditionError(
          path, " is on ", kind.name,
          ", where memory maps and locks are not reliable; use a local disk");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckOwner(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return SystemError(errno, "looking at", path);
  if (!S_ISDIR(info.st_mode)) return Foreign(path, "not a directory");
  if ((info.st_mode & S_IWOTH) != 0) {
    return FailedPreconditionError(
        path, " may be written by every user; remove that permission (chmod o-w)");
  }
  return absl::OkStatus();
}

// Entries but `.` and `..`.
std::vector<std::string> ListDirectory(const std::string& path) {
  std::vector<std::string> names;
  DIR* directory = opendir(path.c_str());
  if (directory == nullptr) return names;
  while (const dirent* entry = readdir(directory)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  closedir(directory);
  return names;
}

bool IsEnvironmentName(std::string_view name) {
  return name.size() == kFirstEnvironment.size() && name.substr(0, 4) == "env-" &&
         std::all_of(name.begin() + 4, name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The environment folder's name, or empty when there is no CURRENT.
absl::StatusOr<std::string> ReadCurrent(const std::string& path) {
  const std::string file = path + "/CURRENT";
  const FileDescriptor current(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (!current.ok()) {
    if (errno == ENOENT) return std::string();
    return SystemError(errno, "opening", file);
  }
  char text[64];
  const ssize_t size = read(current.get(), text, sizeof(text));
  if (size < 0) return SystemError(errno, "reading", file);
  std::string_view name(text, static_cast<std::size_t>(size));
  if (!name.empty() && name.back() == '\n') name.remove_suffix(1);
  if (!IsEnvironmentName(name)) return Foreign(path, "CURRENT does not name an environment");
  return std::string(name);
}

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0) return SystemError(errno, "making the directory", path);
  if (chmod(path.c_str(), 0700) != 0) return SystemError(errno, "setting permissions", path);
  return absl::OkStatus();
}

absl::Status CopyPermissionsOf(const std::string& from, const std::string& to) {
  struct stat info {};
  if (stat(from.c_str(), &info) != 0) return SystemError(errno, "looking at", from);
  // Only members of a group may give files to it; others leave it as it is.
  static_cast<void>(chown(to.c_str(), static_cast<uid_t>(-1), info.st_gid) == 0);
  if (chmod(to.c_str(), info.st_mode & 0777U) != 0)
    return SystemError(errno, "setting permissions", to);
  return absl::OkStatus();
}

// `env-000012`, the name of a folder.
uint64_t NumberOf(std::string_view name) {
  uint64_t number = 0;
  for (const char c : name.substr(4)) number = number * 10 + static_cast<uint64_t>(c - '0');
  return number;
}

constexpr std::string_view kRemovedSuffix = ".removed";

// Empties and removes a folder that is no longer known by an environment's name.
absl::Status Discard(const std::string& path) {
  for (const std::string& name : ListDirectory(path)) {
    if (unlink((path + "/" + name).c_str()) != 0 && errno != ENOENT)
      return SystemError(errno, "removing", path + "/" + name);
  }
  if (rmdir(path.c_str()) != 0 && errno != ENOENT) return SystemError(errno, "removing", path);
  return absl::OkStatus();
}

StoreDirectory PathsOf(const std::string& path, std::string_view environment) {
  StoreDirectory directory;
  directory.path = path;
  directory.number = NumberOf(environment);
  directory.environment_path = Concat(path, "/", environment);
  directory.data_path = directory.environment_path + "/data.mdb";
  directory.lock_path = directory.environment_path + "/lock.mdb";
  return directory;
}

}  // namespace

absl::Status PrepareFolder(const StoreDirectory& directory) {
  // What a creation or a rewrite that did not finish left behind belongs to no store.
  unlink(directory.data_path.c_str());
  unlink(directory.lock_path.c_str());
  if (access(directory.environment_path.c_str(), F_OK) != 0) {
    LARDER_RETURN_IF_ERROR(MakeDirectory(directory.environment_path));
  }
  const FileDescriptor data(
      open(directory.data_path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!data.ok() || fchmod(data.get(), 0600) != 0)
    return SystemError(errno, "making", directory.data_path);
  return absl::OkStatus();
}

absl::Status CopyPermissions(const StoreDirectory& from, const StoreDirectory& to) {
  LARDER_RETURN_IF_ERROR(CopyPermissionsOf(from.data_path, to.data_path));
  LARDER_RETURN_IF_ERROR(CopyPermissionsOf(from.lock_path, to.lock_path));
  return CopyPermissionsOf(from.environment_path, to.environment_path);
}

StoreDirectory InFolder(const StoreDirectory& directory, uint64_t number) {
  char name[32];
  std::snprintf(name, sizeof(name), "env-%06llu", static_cast<unsigned long long>(number));
  return PathsOf(directory.path, name);
}

absl::StatusOr<uint64_t> CurrentFolder(const std::string& path) {
  LARDER_ASSIGN_OR_RETURN(const std::string current, ReadCurrent(path));
  if (current.empty()) return NotFoundError("no store in the directory ", path);
  return NumberOf(current);
}

absl::Status RemoveFolder(const StoreDirectory& directory) {
  const std::string removed = Concat(directory.environment_path, kRemovedSuffix);
  LARDER_RETURN_IF_ERROR(Discard(removed));
  if (rename(directory.environment_path.c_str(), removed.c_str()) != 0) {
    if (errno == ENOENT) return absl::OkStatus();
    return SystemError(errno, "removing", directory.environment_path);
  }
  return Discard(removed);
}

absl::Status RemoveOtherFolders(const StoreDirectory& directory) {
  for (const std::string& name : ListDirectory(directory.path)) {
    std::string_view folder = name;
    if (folder.ends_with(kRemovedSuffix)) folder.remove_suffix(kRemovedSuffix.size());
    if (!IsEnvironmentName(folder)) continue;
    if (folder.size() != name.size()) {
      LARDER_RETURN_IF_ERROR(Discard(directory.path + "/" + name));
    } else if (NumberOf(folder) != directory.number) {
      LARDER_RETURN_IF_ERROR(RemoveFolder(PathsOf(directory.path, folder)));
    }
  }
  return absl::OkStatus();
}

absl::Status SyncDirectory(const std::string& path) {
  const FileDescriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.ok() || fsync(directory.get()) != 0)
    return SystemError(errno, "syncing the directory", path);
  return absl::OkStatus();
}

absl::StatusOr<FileDescriptor> OpenWriterLock(const std::string& store_path) {
  const std::string path = store_path + "/writer.lock";
  FileDescriptor lock(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock.ok()) return SystemError(errno, "opening", path);
  return lock;
}

void ReleaseCreationLock(StoreDirectory* directory) {
  if (!directory->creation_lock.ok()) return;
  flock(directory->creation_lock.get(), LOCK_UN);
  directory->creation_lock.Close();
}

absl::Status CommitCurrent(StoreDirectory* directory) {
  LARDER_RETURN_IF_ERROR(SyncDirectory(directory->environment_path));
  const std::string temporary = directory->path + "/CURRENT.new";
  unlink(temporary.c_str());
  FileDescriptor file(
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const std::string text =
      Concat(directory->environment_path.substr(directory->path.size() + 1), "\n");
  if (!file.ok() || fchmod(file.get(), 0600) != 0 ||
      write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      fsync(file.get()) != 0) {
    return SystemError(errno, "writing", temporary);
  }
  const std::string current = directory->path + "/CURRENT";
  if (access(current.c_str(), F_OK) == 0)
    LARDER_RETURN_IF_ERROR(CopyPermissionsOf(current, temporary));
  if (rename(temporary.c_str(), current.c_str()) != 0)
    return SystemError(errno, "naming", temporary);
  directory->created = false;
  ReleaseCreationLock(directory);
  return SyncDirectory(directory->path);
}

absl::StatusOr<StoreDirectory> OpenStoreDirectory(const std::string& path,
                                                  const EnvironmentOptions& options) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT) return SystemError(errno, "opening the store", path);
    if (!options.create_if_missing || options.read_only) return NotFoundError("no store at ", path);
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
      return SystemError(errno, "making the store", path);
  } else if (!S_ISDIR(info.st_mode)) {
    return Foreign(path, "not a directory");
  }
  bool is_overlay = false;
  LARDER_RETURN_IF_ERROR(CheckFileSystem(path, options, &is_overlay));
  LARDER_ASSIGN_OR_RETURN(std::string current, ReadCurrent(path));
  FileDescriptor creation_lock;
  if (current.empty() && options.create_if_missing && !options.read_only) {
    LARDER_ASSIGN_OR_RETURN(creation_lock, OpenWriterLock(path));
    if (flock(creation_lock.get(), LOCK_EX) != 0)
      return SystemError(errno, "locking", path + "/writer.lock");
    LARDER_ASSIGN_OR_RETURN(current,
                            ReadCurrent(path));  // another process may have made it meanwhile
  }
  if (!current.empty()) {
    StoreDirectory directory = PathsOf(path, current);
    LARDER_RETURN_IF_ERROR(CheckOwner(directory.environment_path));
    if (is_overlay && options.read_only) {
      // A writer would move the file to the upper layer and leave this reader on the lower one, unnoticed: opening it
      // for writing moves it now.
      const FileDescriptor data(open(directory.data_path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
      if (!data.ok()) {
        return FailedPreconditionError(
            path, " is on overlayfs and not writable: readers could miss later commits");
      }
    }
    return directory;
  }

  for (const std::string& name : ListDirectory(path)) {
    if (name == "writer.lock" || name == "CURRENT.new" || name == kFirstEnvironment) continue;
    return Foreign(path, Concat("there is no CURRENT but \"", name, "\""));
  }
  if (!options.create_if_missing || options.read_only)
    return NotFoundError("no store in the directory ", path);
  if (chmod(path.c_str(), 0700) != 0) return SystemError(errno, "setting permissions", path);
  StoreDirectory directory = PathsOf(path, kFirstEnvironment);
  LARDER_RETURN_IF_ERROR(PrepareFolder(directory));
  directory.created = true;
  directory.creation_lock = std::move(creation_lock);
  return directory;
}

}  // namespace larder::inline LARDER_ABI
