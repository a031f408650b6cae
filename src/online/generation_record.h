// What the store keeps of a generation: which segments it is made of, and what became of it.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/generation.h"
#include "larder/online/read_session.h"
#include "online/view_directory.h"
#include "online/write_state.h"

namespace larder::inline LARDER_ABI {

struct GenerationRecord {
  GenerationInfo info;
  ViewFloors floors;  // what its building dropped
  ViewDirectory directory;

  [[nodiscard]] std::string Serialize() const;
  // Errors: kCorrupt.
  static absl::StatusOr<GenerationRecord> Parse(std::string_view bytes);
};

std::string GenerationKey(uint32_t view_id, uint64_t number);

// All of a view, oldest first; of all views without one.
struct NumberedGeneration {
  uint32_t view_id = 0;
  GenerationRecord record;
};
absl::StatusOr<std::vector<NumberedGeneration>> ReadGenerations(const WriteTransaction& transaction,
                                                                std::optional<uint32_t> view_id);

absl::Status PutGeneration(WriteTransaction::State& state, uint32_t view_id,
                           const GenerationRecord& record);
// Deletes the generation's record and those of its segments that are not in `kept`.
absl::Status DeleteGeneration(WriteTransaction::State& state, uint32_t view_id,
                              const GenerationRecord& record, const std::set<uint64_t>& kept);
// Makes generation `number` of `generations`, all there are of the view, live; 0: none. Those beyond kGenerationsKept go.
absl::Status MakeLive(WriteTransaction& transaction, uint32_t view_id,
                      std::vector<NumberedGeneration> generations, uint64_t number);
// Takes a key out of every generation of a view. Returns how many versions the live one had of it.
absl::StatusOr<uint64_t> EraseFromGenerations(WriteTransaction& transaction, uint32_t view_id,
                                              uint64_t hash, std::string_view key);
// Adds the numbers of a directory's segments.
void CollectSegments(const ViewDirectory& directory, std::set<uint64_t>* segments);

}  // namespace larder::inline LARDER_ABI
