#include "larder/online/read_session.h"

larder::RowLayout MakeLayout();

absl::Status Use(const larder::ReadSession& session) {
#ifdef LARDER_MISTAKE
  auto row = session.FindRow(1, MakeLayout(), "k", {0});
#else
  const larder::RowLayout layout = MakeLayout();
  auto row = session.FindRow(1, layout, "k", {0});
#endif
  return row.status();
}
