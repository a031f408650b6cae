// Whether the rows that a join gave are rows of the source, and could have been read at the spine's instants.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "feature_store/audit_record.h"
#include "feature_store/event_mapper.h"
#include "feature_store/key_encoding.h"
#include "larder/base/config.h"
#include "larder/base/hash.h"

namespace larder::inline LARDER_ABI {

// Independent of the join: it only takes from it which key, event time and values a row is said to have, and looks these up
// among the events of the source, which then say themselves when they became known and ended.
//
// Memory: a small multiple of the spine. Threads: thread-bound.
class RowAudit {
 public:
  // Borrows all it is given until Finish.
  explicit RowAudit(const AuditedUse& of);

  void Add(const MappedEvents& events);
  [[nodiscard]] AuditedView Finish() &&;

 private:
  // Rows of the spine that are said to have the same values of the same key and event time.
  struct Claim {
    bool is_found = false;
    int64_t known_us = Contribution::kNever;  // the first that it could be known
    int64_t ends_us = std::numeric_limits<int64_t>::min();
    std::string id;
    bool has_other_ids = false;
  };
  static constexpr uint32_t kNoClaim = ~uint32_t{0};
  using HashWords = std::pair<uint64_t, uint64_t>;

  // The columns that share outcome `outcome`.
  [[nodiscard]] std::pair<std::size_t, std::size_t> ColumnsOf(std::size_t outcome) const;
  // Of a key and an event time, then of what a row has in the columns of an outcome.
  static HashWords HashOfInstant(std::string_view key, const Column* times, std::size_t row);
  template <class ColumnAt>
  [[nodiscard]] HashWords HashOfValues(const HashWords& instant, std::size_t outcome,
                                       std::size_t row, const ColumnAt& column_at) const;
  void Check(std::size_t row, std::size_t outcome, AuditRecord* record) const;

  const AuditedUse& of_;
  const Source& source_;
  const EncodedKeys keys_;
  std::vector<std::vector<uint32_t>> claim_of_;  // by outcome, by row
  absl::flat_hash_map<HashWords, uint32_t> numbers_;
  std::vector<Claim> claims_;
  absl::flat_hash_map<HashWords, int64_t> first_known_;  // of a key and event time, any values
};

}  // namespace larder::inline LARDER_ABI
