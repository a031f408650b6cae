// Keeping the store's file in shape.
#include "feature_store/store_impl.h"
#include "larder/online/vacuum.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<VacuumResult> FeatureStore::Vacuum(const VacuumOptions& options) {
  LARDER_RETURN_IF_ERROR(impl_->CheckWritable());
  return VacuumStore(impl_->environment, options);
}

}  // namespace larder::inline LARDER_ABI
