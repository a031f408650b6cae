// The store directory: one LMDB environment, shared by everything in the process that opens the same file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "larder/base/config.h"
#include "larder/base/hash.h"
#include "larder/base/status.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {

enum class Durability : uint8_t {
  kDurable,  // a commit that returned survives a power cut
  kRelaxed,  // the last commit may be lost at a power cut; never part of one, never an earlier one
};

// When a read compares a row with its stored check.
enum class VerifyPolicy : uint8_t {
  kFirstTouch,  // the first time this process reads the row
  kAlways,
  kNever,
};

// How scattered pushed rows may lie. A push writes a segment into each partition it touches and merges it with smaller
// ones before it, which keeps a partition at a few segments; these are for what that does not reach.
struct PushBudget {
  uint32_t segments_soft =
      8;  // above: a push merges the view's fullest partition within its own commit
  uint32_t segments_hard =
      64;  // at: a push that touches the partition is refused, kResourceExhausted
};

struct EnvironmentOptions {
  bool create_if_missing = false;
  bool read_only = false;
  Durability durability = Durability::kDurable;
  VerifyPolicy verify = VerifyPolicy::kFirstTouch;

  // Address space reserved once; costs no memory or disk. Where the process may not reserve as much (RLIMIT_AS), what
  // it may is used and the map grows when needed (see RunWriteTransaction).
  uint64_t map_size_bytes = uint64_t{1} << 40;
  // Reader slots shared by all processes; the first opener's figure counts. Idle sessions keep theirs.
  uint32_t readers_max = 1024;

  PushBudget push_budget;

  // A snapshot older than this answers kSessionExpired until renewed; zero: never. While any process holds a snapshot,
  // pages freed since cannot be used again, so a forgotten one shows up as a file that only grows.
  Duration session_age_max{0};
  // How long a writer waits for another writer, in any process, before kBusy names it.
  Duration write_lock_wait = Duration::Seconds(30);
  // How long map growth and reopening wait for this process's snapshots to be released.
  Duration drain_wait = Duration::Seconds(5);
  // Also open on file systems known to break memory maps or locks (NFS, SMB, FUSE, 9p).
  bool allow_any_filesystem = false;

  // The only clock the store reads. Required unless read_only.
  std::function<Timestamp()> clock;
};

struct EnvironmentStats {
  uint64_t file_size_bytes = 0;
  uint64_t map_size_bytes = 0;
  uint64_t used_size_bytes = 0;  // up to the last page ever used, free pages included
  uint64_t record_count = 0;
  uint64_t row_count = 0;      // row versions of all views
  uint64_t sessions_open = 0;  // in this process, holding a snapshot
  uint64_t readers_used = 0;   // slots taken, all processes
  uint64_t readers_max = 0;
  uint64_t oldest_reader_lag = 0;  // commits since the oldest snapshot of any process
  uint64_t reopen_count = 0;       // drains for growth or after an I/O error, this process
  std::string lmdb_version;
};

// A store directory holds `CURRENT`, naming one environment folder with LMDB's two files. Directories are made 0700,
// files 0600. What is at the path is checked before it is used: sizes, both meta pages, format, file identity.
//
// Opening the same store again in one process shares the environment that is open, whatever the path it is reached by
// (LMDB must not be opened twice); the first opener's clock, sizes and policies count. A read-only open shares a
// writable environment; a writable open of one that is open read-only is kFailedPrecondition.
//
// After fork() the child must not use what it inherited: every call there answers kForked, every destructor does
// nothing. It may open its own.
//
// Never copy, move or truncate files in the directory while it is open; use Backup().
//
// Threads: thread-safe.
class Environment : public std::enable_shared_from_this<Environment> {
 public:
  // Errors: kNotFound (nothing there, not create_if_missing); kForeign, kVersion, kCorrupt, kTruncated as they say;
  //   kFailedPrecondition for a symbolic link, an unfit file system, other options than the open one's;
  //   kPermissionDenied; kIoError.
  static absl::StatusOr<std::shared_ptr<Environment>> Open(const std::string& path,
                                                           const EnvironmentOptions& options);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  [[nodiscard]] const std::string& path() const LARDER_LIFETIME_BOUND;  // as first opened
  [[nodiscard]] const EnvironmentOptions& options() const LARDER_LIFETIME_BOUND;
  [[nodiscard]] bool read_only() const;
  // Drawn at creation: names the store in receipts and manifests, whatever happens to its path.
  [[nodiscard]] Hash128 store_id() const;
  // Random per store; seeds every hash table built over keys that others may choose.
  [[nodiscard]] uint64_t hash_seed() const;
  // What EnvironmentOptions::clock says. Requires: not read_only.
  [[nodiscard]] Timestamp Now() const;

  // Cost: a few system calls and one read transaction.
  [[nodiscard]] absl::StatusOr<EnvironmentStats> Stats() const;

  struct Impl;
  [[nodiscard]] Impl& impl() const { return *impl_; }  // for larder's own sources

 private:
  explicit Environment(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace larder::inline LARDER_ABI
