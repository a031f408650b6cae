#include "larder/feature_store/plan_cost.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "larder/io/csv_reader.h"

namespace larder::inline LARDER_ABI {

void AddSourceSizes(ChangePlan* plan) {
  if (plan->outcome == nullptr) return;
  const Catalog after(plan->outcome);
  const std::string base = plan->input.base_path.empty()
                               ? after.DefinitionsOf(plan->project).base_path
                               : plan->input.base_path;
  for (Change& change : plan->changes) {
    const ViewVersion* view = after.FindView(change.view_id);
    if (change.work != DataWork::kMaterialize || view == nullptr) continue;
    LoadCost cost;
    const absl::StatusOr<std::vector<std::string>> files =
        ExpandPath(view->offline_source().path, base);
    if (!files.ok()) continue;
    for (const std::string& file : *files) {
      std::error_code error;
      const uintmax_t size = std::filesystem::file_size(file, error);
      if (error) continue;
      ++cost.files;
      cost.bytes += size;
    }
    change.cost = cost;
  }
}

}  // namespace larder::inline LARDER_ABI
