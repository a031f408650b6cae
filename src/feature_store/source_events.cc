#include "feature_store/source_events.h"

#include <utility>

namespace larder::inline LARDER_ABI {

absl::Status VisitEvents(const ViewVersion& rows, const Source& source, const SourcePlaces& places,
                         const CompileOptions& compile,
                         const std::function<absl::Status(MappedBatch& batch)>& visit) {
  LARDER_ASSIGN_OR_RETURN(SourceBatches batches, SourceBatches::Open(source, places));
  LARDER_ASSIGN_OR_RETURN(const EventMapper mapper, EventMapper::Make(rows, source, compile));
  while (true) {
    MappedBatch mapped;
    LARDER_ASSIGN_OR_RETURN(mapped.batch, batches.Next());
    if (mapped.batch == nullptr) return absl::OkStatus();
    EvalCounts counts;
    LARDER_ASSIGN_OR_RETURN(mapped.events, mapper.Map(*mapped.batch, &counts));
    LARDER_RETURN_IF_ERROR(visit(mapped));
  }
}

}  // namespace larder::inline LARDER_ABI
