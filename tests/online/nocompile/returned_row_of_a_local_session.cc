#include "larder/online/read_session.h"

larder::ReadSession MakeSession();

#ifdef LARDER_MISTAKE
absl::StatusOr<std::optional<larder::RowView>> Use(const larder::RowLayout& layout) {
  const larder::ReadSession session = MakeSession();
  return session.FindRow(1, layout, "k", {0});
}
#else
bool Use(const larder::RowLayout& layout) {
  const larder::ReadSession session = MakeSession();
  return session.FindRow(1, layout, "k", {0}).ok();
}
#endif
