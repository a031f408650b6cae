#include "larder/feature_store/serving.h"

void Use(larder::ServingSession& session, larder::Tensor<float> out) {
#ifdef LARDER_MISTAKE
  session.Fill({}, larder::Timestamp{0}, out);
#else
  (void)session.Fill({}, larder::Timestamp{0}, out).ok();
#endif
}
