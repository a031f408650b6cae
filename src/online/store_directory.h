// The folder around the environment: CURRENT, the folder it names, who may reach them, on what file system.
#pragma once

#include <cstdint>
#include <string>

#include "larder/base/status.h"
#include "larder/online/environment.h"
#include "online/file_descriptor.h"

namespace larder::inline LARDER_ABI {

struct StoreDirectory {
  std::string path;
  std::string environment_path;  // path/env-000001
  std::string data_path;         // .../data.mdb
  std::string
      lock_path;  // .../lock.mdb: LMDB's own. Never open it: closing it would drop this process's locks
  uint64_t number = 0;           // of the environment folder
  bool created = false;          // nothing in it yet; CommitCurrent() makes it a store
  FileDescriptor creation_lock;  // keeps others from creating the same store meanwhile
};

// Finds, checks or prepares the directory. A new one has its folders and an empty data file but no CURRENT.
absl::StatusOr<StoreDirectory> OpenStoreDirectory(const std::string& path,
                                                  const EnvironmentOptions& options);

// Writes CURRENT, synced: from then on the directory is a store.
absl::Status CommitCurrent(StoreDirectory* directory);

// The same store in another of its environment folders, which may not be there.
StoreDirectory InFolder(const StoreDirectory& directory, uint64_t number);

// The number of the folder that CURRENT names. Errors: kNotFound without CURRENT; kForeign.
absl::StatusOr<uint64_t> CurrentFolder(const std::string& path);

// Makes the folder, with an empty data file in it.
absl::Status PrepareFolder(const StoreDirectory& directory);

// Gives the folder `to` and its files the permissions and the group of `from`: whoever may use the one may use the other.
absl::Status CopyPermissions(const StoreDirectory& from, const StoreDirectory& to);

// Takes away a folder and what LMDB keeps in it. It is renamed first: whoever comes by its name finds all of it or
// nothing. A process that has it open goes on; the space is free when the last one has closed it.
absl::Status RemoveFolder(const StoreDirectory& directory);

// Takes away every environment folder but the directory's own: what rewrites left that did not finish, or did not get
// as far as removing what they replaced. Requires: no rewrite is going on, and CURRENT names the directory's own.
absl::Status RemoveOtherFolders(const StoreDirectory& directory);

// Lets others create the store, also when a child made by fork() has inherited the lock.
void ReleaseCreationLock(StoreDirectory* directory);

absl::Status SyncDirectory(const std::string& path);

// The file whose flock says who writes, holding that process's id.
absl::StatusOr<FileDescriptor> OpenWriterLock(const std::string& store_path);

inline constexpr std::string_view kFirstEnvironment = "env-000001";

}  // namespace larder::inline LARDER_ABI
