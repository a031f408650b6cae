// Keeping the store's file in shape.
#include <vector>

#include "feature_store/store_impl.h"
#include "larder/online/compaction.h"
#include "larder/online/vacuum.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<VacuumResult> FeatureStore::Vacuum(const VacuumOptions& options) {
  LARDER_RETURN_IF_ERROR(impl_->CheckWritable());
  return VacuumStore(impl_->environment, options);
}

absl::StatusOr<CompactionResult> FeatureStore::Compact(
    std::span<const std::string> views, std::string_view project,
    const std::function<void(const CompactionProgress&)>& progress) {
  LARDER_RETURN_IF_ERROR(impl_->CheckWritable());
  std::vector<uint32_t> data_ids;
  if (!views.empty()) {
    LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
    for (const std::string& name : views) {
      LARDER_ASSIGN_OR_RETURN(const ViewVersion* named, catalog.GetView(project, name));
      for (const ViewVersion* version : catalog.Views(named->project, true)) {
        if (version->name == named->name) data_ids.push_back(version->data_id);
      }
    }
  }
  CompactionOptions options;
  options.view_ids = data_ids;
  options.progress = progress;
  return CompactStore(impl_->environment, options);
}

}  // namespace larder::inline LARDER_ABI
