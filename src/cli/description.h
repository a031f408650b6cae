// Objects of a catalog as text for people.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "larder/base/config.h"
#include "larder/base/time.h"
#include "larder/feature_store/loading.h"
#include "larder/registry/catalog.h"

namespace larder::inline LARDER_ABI {
namespace cli {

[[nodiscard]] std::string DescribeEntity(const Entity& entity, const Catalog& catalog,
                                         const std::string& project);
[[nodiscard]] std::string DescribeSource(const Source& source, const Catalog& catalog,
                                         const std::string& project, Timestamp now);
// Whether and why loads and pushes still reach a version.
struct ViewUpkeep {
  bool current = false;  // what the bare name means
  bool kept = false;
  std::optional<Timestamp> left_at;  // when its name left it
  std::optional<Timestamp> until;    // the end of its rollback_window, where nothing else keeps it
  std::optional<uint64_t> held_by;   // the history entry that put the view on hold
};
[[nodiscard]] std::string DescribeView(const ViewVersion& view, const ViewState& state,
                                       const ViewUpkeep& upkeep);
[[nodiscard]] std::string DescribeOnDemandView(const OnDemandVersion& view, const Catalog& catalog);
[[nodiscard]] std::string DescribeLabel(const LabelVersion& label);
[[nodiscard]] std::string DescribeService(const ServiceVersion& service, const Catalog& catalog);
[[nodiscard]] std::string DescribeFeature(const FeatureColumn& feature, const std::string& view);
[[nodiscard]] std::string FeatureJson(const FeatureColumn& feature, const std::string& view);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
