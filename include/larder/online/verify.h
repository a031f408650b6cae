// Checking and copying a whole store.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/hash.h"
#include "larder/base/status.h"
#include "larder/online/environment.h"

namespace larder::inline LARDER_ABI {

struct VerifyReport {
  uint64_t commit_seq = 0;
  uint64_t pages = 0;         // in the file
  uint64_t pages_free = 0;    // on the free list
  uint64_t pages_unused = 0;  // neither reachable nor free: lost until a rewrite, harmless
  uint64_t records = 0;
  uint64_t rows = 0;  // versions
  uint64_t views = 0;
  uint64_t moved_to = 0;  // number of the folder that the file was rewritten into; 0: none
  std::vector<std::string> problems;  // empty: every page, count and check holds; at most 100
  [[nodiscard]] bool ok() const { return problems.empty(); }
};

// Reads everything: file size, both meta pages, every reachable page by plain reads (so that damage is an answer, not a
// signal), key order, counts, the check of every record and row. Needs no open environment and takes no lock, so run it
// on a backup or while nothing writes: pages reused by a commit meanwhile would look damaged; it is then repeated, and
// kBusy is the answer when commits never pause. Problems are in the report; errors are for what could not be read.
absl::StatusOr<VerifyReport> VerifyStore(const std::string& path);

// A checked copy of the newest commit as a store of its own in the new directory `target`, made while others read and
// write: written to a file of mode 0600, synced, verified, then named. Free pages are left out.
// Errors: kAlreadyExists; kDiskFull; kIoError; kCorrupt when the copy does not verify (it is removed).
absl::Status BackupStore(const std::shared_ptr<Environment>& environment, const std::string& target);

// Equal for stores with the same records, rows and floors, whatever the order and split of the commits that made them:
// commit numbers and times are left out. For tests and comparisons.
absl::StatusOr<Hash128> HashContents(const std::shared_ptr<Environment>& environment);
// The same as text, one line per record and row.
absl::StatusOr<std::string> DumpContents(const std::shared_ptr<Environment>& environment);

}  // namespace larder::inline LARDER_ABI
