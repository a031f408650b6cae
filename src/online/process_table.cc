#include "online/process_table.h"

#include <pthread.h>
#include <unistd.h>

#include <atomic>

namespace larder::inline LARDER_ABI {
namespace {

std::atomic<uint64_t> fork_count{0};

void BeforeFork() { ProcessTable::Get().mutex.lock(); }
void AfterForkInParent() { ProcessTable::Get().mutex.unlock(); }
void AfterForkInChild() {
  fork_count.fetch_add(1, std::memory_order_relaxed);
  ProcessTable& table = ProcessTable::Get();
  for (const int fd : table.writer_locks) close(fd);
  table.writer_locks.clear();
  table.mutex.unlock();
}

}  // namespace

uint64_t ForkCount() { return fork_count.load(std::memory_order_relaxed); }

ProcessTable& ProcessTable::Get() {
  // Never destroyed: environments with static storage may outlive any order of destruction.
  static auto* table = new ProcessTable();
  return *table;
}

ProcessTable::ProcessTable() { pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild); }

}  // namespace larder::inline LARDER_ABI
