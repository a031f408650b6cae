// The folder around the environment: CURRENT, the folder it names, who may reach them, on what file system.
#pragma once

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
  bool created = false;          // nothing in it yet; CommitCurrent() makes it a store
  FileDescriptor creation_lock;  // keeps others from creating the same store meanwhile
};

// Finds, checks or prepares the directory. A new one has its folders and an empty data file but no CURRENT.
absl::StatusOr<StoreDirectory> OpenStoreDirectory(const std::string& path,
                                                  const EnvironmentOptions& options);

// Writes CURRENT, synced: from then on the directory is a store.
absl::Status CommitCurrent(StoreDirectory* directory);

// Lets others create the store, also when a child made by fork() has inherited the lock.
void ReleaseCreationLock(StoreDirectory* directory);

absl::Status SyncDirectory(const std::string& path);

// The file whose flock says who writes, holding that process's id.
absl::StatusOr<FileDescriptor> OpenWriterLock(const std::string& store_path);

inline constexpr std::string_view kFirstEnvironment = "env-000001";

}  // namespace larder::inline LARDER_ABI
