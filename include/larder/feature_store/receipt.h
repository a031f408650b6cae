// What a served response was made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {

// One line in a log that says which values were served, whichever way they were read. Borrows the service's name.
struct LARDER_VIEW Receipt {
  std::string_view service;  // `fraud_model@2`; `features` for single features
  uint64_t revision = 0;     // of the definitions the names were resolved with
  uint64_t commit_seq = 0;   // of the snapshot everything was read through
  Timestamp as_of;
  std::optional<Timestamp> known_at{};  // absent: by that commit
  uint64_t staged = 0;                  // events that only this session saw

  // `fraud_model@2 revision 5 commit 812 as_of 2025-03-04T00:00:00Z`, with ` known_at T` and ` staged 1` where they apply.
  [[nodiscard]] std::string ToString() const;
  // Reads what ToString wrote. Errors: kInvalidArgument.
  static absl::StatusOr<Receipt> Parse(std::string_view text LARDER_LIFETIME_BOUND);
  friend bool operator==(const Receipt&, const Receipt&) = default;
};

}  // namespace larder::inline LARDER_ABI
