#include "feature_store/training_explanation.h"

#include <memory>
#include <utility>

#include "feature_store/explained_output.h"
#include "feature_store/explanation_steps.h"
#include "feature_store/historical_read.h"
#include "feature_store/single_output.h"
#include "feature_store/source_origins.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<Explanation> ExplainTraining(const FeatureStore::Impl& store, const Catalog& catalog,
                                            const ExplainRequest& request) {
  if (!request.row.empty() || request.as_of || request.known_at || !request.receipt.empty())
    return InvalidArgumentError("a training row says keys and instants itself");
  HistoricalRequest training = *request.training;
  training.audit = true;
  training.manifest = false;
  if (training.spine.row_count() != 1) {
    return InvalidArgumentError("one training row is explained at a time, found ",
                                training.spine.row_count());
  }
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BoundService> whole,
                          store.Resolve(catalog, training.what));
  LARDER_ASSIGN_OR_RETURN(const std::size_t number, FindOutput(*whole, request.feature));
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BoundService> service,
                          SingleOutput(*whole, number, store.compile));
  LARDER_ASSIGN_OR_RETURN(const HistoricalRead read, ReadHistorical(store, *service, training));
  Explanation explanation;
  DescribeOutput(*service, read.computed.outputs[0], &explanation);
  explanation.revision = catalog.revision();
  explanation.as_of = read.as_of[0];
  explanation.is_training = true;
  SourceOrigins origins(store, *service, training, read, request.items_max);
  const ExplainedRead explained{*service, read.inputs, read.computed, read.as_of[0], store.compile};
  LARDER_ASSIGN_OR_RETURN(explanation.steps, ExplainOutput(explained, 0, origins));
  return explanation;
}

}  // namespace larder::inline LARDER_ABI
