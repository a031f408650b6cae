// What a WriteTransaction holds, and the few ways it touches LMDB.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "larder/online/read_session.h"
#include "larder/online/write_transaction.h"
#include "online/environment_impl.h"
#include "online/view_rows.h"

namespace larder::inline LARDER_ABI {

struct WriteTransaction::State {
  struct Floors {
    ViewFloors value;
    bool changed = false;
  };

  std::shared_ptr<Environment> environment;
  std::shared_ptr<OpenFolder> home;  // of txn
  MDB_txn* txn = nullptr;            // null once ended
  HeadRow head;                      // as it will be committed
  bool failed = false;               // LMDB refused something: only Abort is left
  bool map_full = false;
  uint64_t writes = 0;                // changes made so far
  std::map<uint32_t, Floors> floors;  // of the views touched
  uint64_t ranked_rows = 0;           // rows given a place by TieOrder::kCommit
  std::vector<uint64_t> segments_written;
  std::vector<uint64_t> segments_deleted;
  std::string scratch;

  [[nodiscard]] Environment::Impl& impl() const { return environment->impl(); }
  // Where rows are read from: this transaction, whose own changes it sees. Everything is checked.
  [[nodiscard]] SegmentSource source() const {
    return {txn,     impl().records,         impl().segments, VerifyPolicy::kAlways,
            nullptr, impl().format.hash_seed};
  }
  [[nodiscard]] absl::Status CheckUsable() const;
  // Notes the failure and names it.
  absl::Status Fail(int code, std::string_view operation);
  absl::Status Put(MDB_dbi database, std::string_view key, std::string_view value);
  absl::StatusOr<bool> Delete(MDB_dbi database, std::string_view key);
  // Pads the value until LMDB gives it pages of its own, whatever their size: sessions rely on its place.
  absl::Status PutSegment(uint64_t id, const std::string& bytes);
  // Notes that something was half done: only Abort is left.
  absl::Status Spoil(absl::Status status) {
    if (!status.ok()) failed = true;
    return status;
  }

  absl::Status PutRecord(uint32_t table, std::string_view key, std::string_view value);
  absl::StatusOr<std::optional<std::string_view>> GetRecord(uint32_t table,
                                                            std::string_view key) const;
  absl::StatusOr<Floors*> FloorsOf(uint32_t view_id);
  void RaiseFloors(Floors* floors, Timestamp as_of, Timestamp known_at);
  // Ends the transaction, giving up what is not committed.
  void End();
};

// A view's number as a record key.
std::string FloorsKey(uint32_t view_id);

}  // namespace larder::inline LARDER_ABI
