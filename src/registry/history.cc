#include "larder/registry/history.h"

#include "registry/binary.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint32_t kHistoryFormat = 1;

}  // namespace

std::string_view ObjectKindName(ObjectKind kind) {
  switch (kind) {
    case ObjectKind::kEntity:
      return "entity";
    case ObjectKind::kSource:
      return "source";
    case ObjectKind::kFeatureView:
      return "feature view";
    case ObjectKind::kOnDemandView:
      return "on-demand view";
    case ObjectKind::kLabel:
      return "label";
    case ObjectKind::kFeatureService:
      return "feature service";
    case ObjectKind::kProject:
      return "project";
  }
  return "object";
}

std::string_view HistoryKindName(HistoryKind kind) {
  switch (kind) {
    case HistoryKind::kApply:
      return "apply";
    case HistoryKind::kPublish:
      return "publish";
    case HistoryKind::kRollback:
      return "rollback";
    case HistoryKind::kHold:
      return "hold";
    case HistoryKind::kRelease:
      return "release";
    case HistoryKind::kRetract:
      return "retract";
    case HistoryKind::kForget:
      return "forget";
    case HistoryKind::kFit:
      return "fit";
  }
  return "entry";
}

std::string HistoryEntry::Serialize() const {
  BinaryWriter out;
  out.Put(kHistoryFormat);
  out.Put(*this);
  return std::move(out).Take();
}

absl::StatusOr<HistoryEntry> HistoryEntry::Parse(std::string_view bytes) {
  BinaryReader in(bytes);
  uint32_t format = 0;
  in.Get(format);
  if (in.ok() && format > kHistoryFormat) {
    return WithKind(FailedPreconditionError("a history entry of format ", format,
                                            "; this build reads format ", kHistoryFormat),
                    ErrorKind::kVersion);
  }
  HistoryEntry entry;
  in.Get(entry);
  if (!in.ok() || format == 0) {
    return WithKind(DataLossError("a history entry is damaged"), ErrorKind::kCorrupt);
  }
  return entry;
}

}  // namespace larder::inline LARDER_ABI
