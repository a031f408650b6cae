#include "larder/base/status.h"

#include <array>

#include "absl/strings/cord.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr char kKindUrl[] = "larder/error_kind";

struct NamedKind {
  ErrorKind kind;
  std::string_view name;
};

constexpr std::array<NamedKind, 17> kKinds = {{
    {ErrorKind::kNone, "none"},
    {ErrorKind::kDiskFull, "disk_full"},
    {ErrorKind::kIoError, "io_error"},
    {ErrorKind::kCorrupt, "corrupt"},
    {ErrorKind::kTruncated, "truncated"},
    {ErrorKind::kForeign, "foreign"},
    {ErrorKind::kVersion, "version"},
    {ErrorKind::kBusy, "busy"},
    {ErrorKind::kReadersFull, "readers_full"},
    {ErrorKind::kForked, "forked"},
    {ErrorKind::kStoreReplaced, "store_replaced"},
    {ErrorKind::kSessionExpired, "session_expired"},
    {ErrorKind::kTooLarge, "too_large"},
    {ErrorKind::kInDoubt, "in_doubt"},
    {ErrorKind::kNotReady, "not_ready"},
    {ErrorKind::kOutsideHistory, "outside_history"},
    {ErrorKind::kConflict, "conflict"},
}};

absl::string_view Piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::string_view ErrorKindName(ErrorKind kind) {
  for (const NamedKind& entry : kKinds) {
    if (entry.kind == kind) return entry.name;
  }
  return "unknown";
}

absl::Status WithKind(absl::Status status, ErrorKind kind) {
  if (status.ok()) return status;
  if (kind == ErrorKind::kNone) {
    status.ErasePayload(kKindUrl);
  } else {
    status.SetPayload(kKindUrl, absl::Cord(Piece(ErrorKindName(kind))));
  }
  return status;
}

ErrorKind KindOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kKindUrl);
  if (!payload.has_value()) return ErrorKind::kNone;
  for (const NamedKind& entry : kKinds) {
    if (*payload == Piece(entry.name)) return entry.kind;
  }
  return ErrorKind::kNone;
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated = MakeStatus(status.code(), Concat(context, ": ", MessageOf(status)));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

absl::Status MakeStatus(absl::StatusCode code, std::string_view message) {
  return absl::Status(code, Piece(message));
}

}  // namespace larder::inline LARDER_ABI
