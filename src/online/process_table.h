// Which environments this process has open, by file identity: LMDB must never open one twice. And what fork() does
// to them.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "larder/base/config.h"
#include "larder/online/environment.h"

namespace larder::inline LARDER_ABI {

using DeviceInode = std::pair<dev_t, ino_t>;

// Grows by one in every child made by fork(). What was opened under another number is the parent's.
uint64_t ForkCount();

class ProcessTable {
 public:
  static ProcessTable& Get();

  // Guards the table; held while one environment is closed, and across fork().
  std::mutex mutex;
  std::condition_variable changed;
  struct Entry {
    std::weak_ptr<Environment> environment;  // empty while it is being opened
    uint64_t fork_count = 0;
    DeviceInode store;    // the directory
    uint64_t folder = 0;  // in it
  };
  // An entry stands from before LMDB opens the file until it has closed it.
  std::map<DeviceInode, Entry> open;
  std::set<int> writer_locks;  // a child closes its copies: they would keep the parent's lock alive

 private:
  ProcessTable();
};

}  // namespace larder::inline LARDER_ABI
