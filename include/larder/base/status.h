// Errors: absl::Status everywhere, built from plain pieces, with a typed kind beside the code where
// a caller may want to react to the cause.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "larder/base/config.h"
#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {

// The cause, where the code alone is too coarse. Carried as a payload; kNone when none was
// attached.
enum class ErrorKind : int {
  kNone = 0,
  kDiskFull,   // no space, quota or file size limit; nothing acknowledged is lost
  kIoError,    // the operating system refused an operation; the message has errno and the operation
  kCorrupt,    // a checksum or structure does not hold; retrying will not help
  kTruncated,  // the store file is shorter than its own header says
  kForeign,    // not a larder store
  kVersion,    // written by a version this build cannot read
  kBusy,       // another process holds what is needed; the message names it
  kReadersFull,     // every reader slot is taken; the message names the processes
  kForked,          // the store was opened before fork(); the child must open its own
  kStoreReplaced,   // the file at the path is no longer the file that was opened
  kSessionExpired,  // a snapshot outlived its allowed age
  kTooLarge,        // over a documented limit; the message has the limit
  kInDoubt,         // the write may or may not have happened; repeat it with the same batch id
  kNotReady,        // a version has no data yet; the message says what to materialize
  kOutsideHistory,  // as_of or known_at before what is kept
  kConflict,        // the definitions changed since the plan was made
};

[[nodiscard]] std::string_view ErrorKindName(ErrorKind kind);
[[nodiscard]] absl::Status WithKind(absl::Status status, ErrorKind kind);
[[nodiscard]] ErrorKind KindOf(const absl::Status& status);

// The message as a standard view. Lifetime: borrows from `status`.
[[nodiscard]] inline std::string_view MessageOf(const absl::Status& status LARDER_LIFETIME_BOUND) {
  return {status.message().data(), status.message().size()};
}

// The same error with `context: ` before its message; kind kept. OK stays OK.
[[nodiscard]] absl::Status Annotate(const absl::Status& status, std::string_view context);

[[nodiscard]] absl::Status MakeStatus(absl::StatusCode code, std::string_view message);

// Message style: a static phrase, then values; lower case, no full stop:
// `unknown feature: driver_stats.conv_rat`.
template <class... P>
absl::Status InvalidArgumentError(const P&... parts) {
  return MakeStatus(absl::StatusCode::kInvalidArgument, Concat(parts...));
}
template <class... P>
absl::Status NotFoundError(const P&... parts) {
  return MakeStatus(absl::StatusCode::kNotFound, Concat(parts...));
}
template <class... P>
absl::Status AlreadyExistsError(const P&... parts) {
  return MakeStatus(absl::StatusCode::kAlreadyExists, Concat(parts...));
}
template <class... P>
absl::Status FailedPreconditionError(const P&... parts) {
  return MakeStatus(absl::StatusCode::kFailedPrecondition, Concat(parts...));
}
template <class... P>
absl::Status AbortedError(const P&... parts) {
  return MakeStatus(absl::StatusCode::kAborted, Concat(parts...));
}
template <class... P>
absl::Status OutOfRangeError(const P&... parts) {
  return MakeStatus(absl::StatusCode::kOutOfRange, Concat(parts...));
}
template <class... P>
absl::Status ResourceExhaustedError(const P&... parts) {
  return MakeStatus(absl::StatusCode::kResourceExhausted, Concat(parts...));
}
template <class... P>
absl::Status UnavailableError(const P&... parts) {
  return MakeStatus(absl::StatusCode::kUnavailable, Concat(parts...));
}
template <class... P>
absl::Status DataLossError(const P&... parts) {
  return MakeStatus(absl::StatusCode::kDataLoss, Concat(parts...));
}
template <class... P>
absl::Status UnimplementedError(const P&... parts) {
  return MakeStatus(absl::StatusCode::kUnimplemented, Concat(parts...));
}
template <class... P>
absl::Status InternalError(const P&... parts) {
  return MakeStatus(absl::StatusCode::kInternal, Concat(parts...));
}

namespace internal {
inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <class T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}
}  // namespace internal

}  // namespace larder::inline LARDER_ABI

// Distro packages of Abseil lack these two.
#define LARDER_RETURN_IF_ERROR(expression)                        \
  do {                                                            \
    if (auto larder_status_ = (expression); !larder_status_.ok()) \
      return ::larder::internal::StatusOf(larder_status_);        \
  } while (false)

#define LARDER_CONCAT_INNER_(a, b) a##b
#define LARDER_CONCAT_(a, b) LARDER_CONCAT_INNER_(a, b)
#define LARDER_ASSIGN_OR_RETURN(target, expression) \
  LARDER_ASSIGN_OR_RETURN_IMPL_(LARDER_CONCAT_(larder_result_, __LINE__), target, expression)
#define LARDER_ASSIGN_OR_RETURN_IMPL_(result, target, expression) \
  auto result = (expression);                                     \
  if (!result.ok()) return result.status();                       \
  target = *std::move(result)
