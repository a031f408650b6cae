// One numbered entry of the store's history: what changed, when, by whom, why.
//
// The store numbers everything its readers can notice. Entries that change definitions are made by
// ApplyPlan and the functions of rollback.h; the store makes those for publications itself, from
// the same counter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {

// Stored: never renumber.
enum class ObjectKind : uint8_t {
  kEntity = 1,
  kSource = 2,
  kFeatureView = 3,
  kOnDemandView = 4,
  kLabel = 5,
  kFeatureService = 6,
  kProject = 7,  // its description and folder
};
[[nodiscard]] std::string_view ObjectKindName(ObjectKind kind);  // `feature view`

// Stored: never renumber.
enum class HistoryKind : uint8_t {
  kApply = 1,
  kPublish = 2,
  kRollback = 3,
  kHold = 4,
  kRelease = 5,
  kRetract = 6,
  kForget = 7,
  kFit = 8,
};
[[nodiscard]] std::string_view HistoryKindName(HistoryKind kind);  // `apply`

// What happened to one object. Object ids name archived texts inside the catalog; 0 means there
// was, or is, none.
struct ObjectChange {
  ObjectKind kind = ObjectKind::kEntity;
  std::string project;
  std::string name;
  uint32_t object_before = 0;
  uint32_t object_after = 0;
  int version_before = 0;  // 0: none, or not a versioned kind
  int version_after = 0;
  friend bool operator==(const ObjectChange&, const ObjectChange&) = default;
};

struct HistoryEntry {
  uint64_t number = 0;
  Timestamp time;
  HistoryKind kind = HistoryKind::kApply;
  std::string author;
  std::string message;
  std::string detail;  // of entries that change no definition: view, generation, source, commits
  std::vector<ObjectChange> changes;
  friend bool operator==(const HistoryEntry&, const HistoryEntry&) = default;

  [[nodiscard]] std::string Serialize() const;
  // Errors: kDataLoss (kind kCorrupt), or kind kVersion for a newer format.
  static absl::StatusOr<HistoryEntry> Parse(std::string_view bytes);
};

}  // namespace larder::inline LARDER_ABI
