#include <utility>

#include "larder/online/read_session.h"

larder::ReadSession Use(larder::ReadSession& session) {
#ifdef LARDER_MISTAKE
  return session;
#else
  return std::move(session);
#endif
}
