// Where values of a snapshot of the store come from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "feature_store/explanation_steps.h"
#include "larder/base/config.h"
#include "larder/base/time.h"
#include "larder/online/read_session.h"

namespace larder::inline LARDER_ABI {

// Borrows the session.
class StoredOrigins final : public ValueOrigins {
 public:
  // `commit_max`: as FetchStored has it. `items_max`: versions or events told of each row or window.
  StoredOrigins(const ReadSession& session, Timestamp as_of, std::optional<Timestamp> known_at,
                std::optional<uint64_t> commit_max, std::size_t items_max)
      : session_(session),
        as_of_(as_of),
        known_at_(known_at),
        commit_max_(commit_max),
        items_max_(items_max) {}

  [[nodiscard]] absl::StatusOr<Versions> VersionsOf(const BoundUse& use, std::string_view key,
                                                    std::span<const int> columns) override;
  [[nodiscard]] absl::StatusOr<WindowSteps> WindowOf(const BoundUse& use, std::string_view key,
                                                     std::size_t feature) override;

 private:
  // The rows that count for columns, found as serving finds them; null: none.
  [[nodiscard]] absl::StatusOr<std::vector<const char*>> Winners(const BoundUse& use,
                                                                 std::string_view key,
                                                                 std::span<const int> columns) const;
  [[nodiscard]] std::string NoteOf(const RowView& row, Timestamp last_visible) const;

  const ReadSession& session_;
  const Timestamp as_of_;
  const std::optional<Timestamp> known_at_;
  const std::optional<uint64_t> commit_max_;
  const std::size_t items_max_;
};

}  // namespace larder::inline LARDER_ABI
