#include "online/settle_segments.h"

#include <optional>
#include <string_view>
#include <utility>

#include "larder/online/read_session.h"
#include "online/environment_impl.h"
#include "online/page_advice.h"
#include "online/segment.h"
#include "online/view_rows.h"

namespace larder::inline LARDER_ABI {

void SettleSegments(const std::shared_ptr<Environment>& environment,
                    std::span<const uint64_t> written, std::span<const uint64_t> deleted) {
  TouchRegistry& touches = environment->impl().touches;
  for (const uint64_t id : deleted) touches.Forget(id);
  if (written.empty()) return;
  const absl::StatusOr<ReadSession> session = ReadSession::Open(environment);
  if (!session.ok()) return;
  const SegmentSource source = session->Source();
  for (const uint64_t id : written) {
    const absl::StatusOr<std::optional<std::string_view>> bytes = ReadSegment(source, id);
    if (!bytes.ok() || !bytes->has_value()) continue;  // deleted meanwhile
    const absl::StatusOr<SegmentView> view = SegmentView::Open(**bytes, nullptr, false);
    if (!view.ok()) continue;
    BringPages(view->bytes());
    if (source.verify != VerifyPolicy::kFirstTouch) continue;
    std::shared_ptr<SegmentTouches> known = touches.Of(id, view->slot_count());
    known->SetAll();
    touches.Keep(id, std::move(known));
  }
}

}  // namespace larder::inline LARDER_ABI
