#include <utility>

#include "larder/feature_store/serving.h"

larder::ServingSession Use(larder::ServingSession& session) {
#ifdef LARDER_MISTAKE
  return session;
#else
  return std::move(session);
#endif
}
