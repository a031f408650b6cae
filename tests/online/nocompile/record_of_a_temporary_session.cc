#include "larder/online/read_session.h"

absl::Status Use(const std::shared_ptr<larder::Environment>& environment) {
#ifdef LARDER_MISTAKE
  auto record = larder::ReadSession::Open(environment)->GetRecord(1, "k");
  auto dangling = (*larder::ReadSession::Open(environment)).GetRecord(1, "k");
#else
  LARDER_ASSIGN_OR_RETURN(const larder::ReadSession session, larder::ReadSession::Open(environment));
  auto record = session.GetRecord(1, "k");
#endif
  return record.status();
}
