// Names with a version and feature references as people write them: `view`, `view@3`,
// `view@v3:feature`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

struct VersionedName {
  std::string name;
  std::optional<int> version;  // absent: the latest (also for `@latest` and a bare `@`)
  // `name` or `name@3`.
  [[nodiscard]] std::string ToString() const;
  friend bool operator==(const VersionedName&, const VersionedName&) = default;
};

struct FeatureReference {
  VersionedName view;
  std::string feature;
  [[nodiscard]] std::string ToString() const;
  friend bool operator==(const FeatureReference&, const FeatureReference&) = default;
};

// `@3`, `@v3`, `@V3`, `@version3` mean version 3; versions start at 1. Errors: kInvalidArgument
// saying what is wrong.
[[nodiscard]] absl::StatusOr<VersionedName> ParseVersionedName(std::string_view text);
// Errors: kInvalidArgument, also when the colon is missing.
[[nodiscard]] absl::StatusOr<FeatureReference> ParseFeatureReference(std::string_view text);

}  // namespace larder::inline LARDER_ABI
