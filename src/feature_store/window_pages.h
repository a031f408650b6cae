// The pages of aggregate trees, as records of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "feature_store/tables.h"
#include "feature_store/window_records.h"
#include "larder/aggregate/node_store.h"
#include "larder/base/config.h"
#include "larder/online/read_session.h"
#include "larder/online/write_transaction.h"

namespace larder::inline LARDER_ABI {

// A page, if there is one.
inline absl::StatusOr<std::string_view> WindowPage(std::optional<std::string_view> page, NodeId id) {
  if (page) return *page;
  return WithKind(DataLossError("window page ", id, " is missing"), ErrorKind::kCorrupt);
}

struct FoundPage {
  NodeId id = 0;
  std::string_view page;
};

// Pages of one data id in a snapshot; some of them may be found already. Borrows the session and what is found. Threads:
// thread-bound.
class SnapshotPages final : public NodeStore {
 public:
  SnapshotPages(const ReadSession& session, uint32_t data_id, std::span<const FoundPage> found = {})
      : session_(session), data_id_(data_id), found_(found) {}
  [[nodiscard]] absl::StatusOr<std::string_view> Read(NodeId id) const override {
    for (const FoundPage& one : found_) {
      if (one.id == id) return one.page;
    }
    LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> page,
                            session_.GetRecord(kWindowPageTable, WindowPageName(data_id_, id)));
    return WindowPage(page, id);
  }
  absl::StatusOr<NodeId> Allocate() override { return ReadOnly(); }
  absl::Status Write(NodeId, std::string_view) override { return ReadOnly(); }
  absl::Status Free(NodeId) override { return ReadOnly(); }

 private:
  static absl::Status ReadOnly() { return InternalError("a snapshot's pages cannot be written"); }
  const ReadSession& session_;
  const uint32_t data_id_;
  const std::span<const FoundPage> found_;
};

// Pages of one data id in a transaction, which sees its own. Borrows both. Threads: thread-bound.
class TransactionPages final : public NodeStore {
 public:
  TransactionPages(WriteTransaction& transaction, uint32_t data_id, WindowRecord* record)
      : transaction_(transaction), data_id_(data_id), record_(record) {}
  [[nodiscard]] absl::StatusOr<std::string_view> Read(NodeId id) const override {
    LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> page,
                            transaction_.GetRecord(kWindowPageTable, WindowPageName(data_id_, id)));
    return WindowPage(page, id);
  }
  absl::StatusOr<NodeId> Allocate() override { return record_->next_page++; }
  absl::Status Write(NodeId id, std::string_view page) override {
    return transaction_.PutRecord(kWindowPageTable, WindowPageName(data_id_, id), page);
  }
  absl::Status Free(NodeId id) override {
    return transaction_.DeleteRecord(kWindowPageTable, WindowPageName(data_id_, id)).status();
  }

 private:
  WriteTransaction& transaction_;
  const uint32_t data_id_;
  WindowRecord* record_;
};

}  // namespace larder::inline LARDER_ABI
