// The transactions of the data set.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/column/batch.h"

namespace fraud {

struct Transaction {
  std::string id;
  int64_t card = 0;
  larder::Timestamp at;
  std::string category;
  std::string merchant;
  double amount = 0;
  bool is_fraud = false;  // what comes to light later
};

// By time. Reads what the definitions' source `transactions` reads, and the label beside it.
[[nodiscard]] absl::StatusOr<std::vector<Transaction>> ReadTransactions(const std::string& file);

// An event of the source `transactions_live`.
[[nodiscard]] larder::Row EventOf(const Transaction& transaction);

// The requests that the transactions cause: keys, what comes along, the time, and the label `is_fraud`. Nothing of them
// is drawn from a source: a request is asked with its own transaction already in the store, as it is served.
[[nodiscard]] absl::StatusOr<larder::Batch> SpineOf(std::span<const Transaction> transactions);

}  // namespace fraud
