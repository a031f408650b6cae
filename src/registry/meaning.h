// The bytes that two definitions share exactly when they mean the same (SEMANTICS 9): what is hashed to name versions.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/registry/versions.h"
#include "registry/binary.h"

namespace larder::inline LARDER_ABI {

// What else goes into a view's hashes: expressions in canonical form.
struct ViewMeaning {
  std::vector<std::string> features;  // beside ViewVersion::features: canonical expr, or empty
  std::vector<std::string> stored;    // beside ViewVersion::stored
  std::vector<std::string> aggregates;  // beside ViewVersion::features of an aggregate view: input, where
  std::vector<std::string> validators;
  Hash128 base_meaning;  // of a derived view's base
  Hash128 base_data;
};

// Fills meaning_hash and data_hash.
void HashView(const ViewMeaning& meaning, ViewVersion* view);

// `canonical` beside `features`; `inputs` are the meaning hashes of the views that view.inputs read (empty for request
// fields), beside them, with the feature's name.
struct OnDemandMeaning {
  std::vector<std::string> features;
  std::vector<std::pair<Hash128, std::string>> inputs;
};
void HashOnDemand(const OnDemandMeaning& meaning, OnDemandVersion* view);

// `views` and `on_demand` are the meaning hashes of the closure's uses, beside them.
void HashService(std::span<const Hash128> views, std::span<const Hash128> on_demand,
                 ServiceVersion* service);

void HashLabel(const Hash128& view, std::string_view canonical, LabelVersion* label);

}  // namespace larder::inline LARDER_ABI
