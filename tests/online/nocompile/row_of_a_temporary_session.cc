#include "larder/online/read_session.h"

absl::Status Use(const std::shared_ptr<larder::Environment>& environment,
                 const larder::RowLayout& layout) {
#ifdef LARDER_MISTAKE
  auto row = larder::ReadSession::Open(environment).value().FindRow(1, layout, "k", {0});
#else
  LARDER_ASSIGN_OR_RETURN(const larder::ReadSession session, larder::ReadSession::Open(environment));
  auto row = session.FindRow(1, layout, "k", {0});
#endif
  return row.status();
}
