#include "larder/base/status.h"

#include <memory>
#include <set>
#include <string>

#include "support/catch.h"

namespace larder {
namespace {

constexpr int kKindCount = static_cast<int>(ErrorKind::kConflict) + 1;

absl::StatusOr<int> Half(int n) {
  if (n % 2 != 0) return InvalidArgumentError("odd: ", n);
  return n / 2;
}

absl::StatusOr<int> Quarter(int n) {
  LARDER_ASSIGN_OR_RETURN(const int half, Half(n));
  LARDER_ASSIGN_OR_RETURN(int quarter, Half(half));
  return quarter;
}

absl::Status CheckEven(int n) {
  LARDER_RETURN_IF_ERROR(Half(n));
  LARDER_RETURN_IF_ERROR(Half(n).status());
  return absl::OkStatus();
}

TEST_CASE("every kind has a name of its own and survives a status", "[base][status]") {
  std::set<std::string_view> names;
  for (int i = 0; i < kKindCount; ++i) {
    const auto kind = static_cast<ErrorKind>(i);
    CHECK(ErrorKindName(kind) != "unknown");
    names.insert(ErrorKindName(kind));
    CHECK(KindOf(WithKind(UnavailableError("x"), kind)) == kind);
  }
  CHECK(names.size() == static_cast<std::size_t>(kKindCount));
  CHECK(ErrorKindName(static_cast<ErrorKind>(kKindCount)) == "unknown");
}

TEST_CASE("a status without a kind has kind none, and none takes a kind away", "[base][status]") {
  CHECK(KindOf(absl::OkStatus()) == ErrorKind::kNone);
  CHECK(KindOf(InternalError("x")) == ErrorKind::kNone);
  const absl::Status busy = WithKind(UnavailableError("x"), ErrorKind::kBusy);
  CHECK(KindOf(WithKind(busy, ErrorKind::kNone)) == ErrorKind::kNone);
  CHECK(KindOf(WithKind(busy, ErrorKind::kForked)) == ErrorKind::kForked);
}

TEST_CASE("success stays success whatever is attached to it", "[base][status]") {
  CHECK(WithKind(absl::OkStatus(), ErrorKind::kBusy).ok());
  CHECK(Annotate(absl::OkStatus(), "reading").ok());
}

TEST_CASE("annotation puts context before the message and keeps code and kind", "[base][status]") {
  const absl::Status inner = WithKind(DataLossError("bad page ", 7), ErrorKind::kCorrupt);
  const absl::Status outer = Annotate(Annotate(inner, "view a@1"), "store /x");
  CHECK(outer.code() == absl::StatusCode::kDataLoss);
  CHECK(KindOf(outer) == ErrorKind::kCorrupt);
  CHECK(MessageOf(outer) == "store /x: view a@1: bad page 7");
}

TEST_CASE("each constructor gives its code and joins its parts", "[base][status]") {
  using Code = absl::StatusCode;
  CHECK(InvalidArgumentError("a", 1).code() == Code::kInvalidArgument);
  CHECK(NotFoundError("a").code() == Code::kNotFound);
  CHECK(AlreadyExistsError("a").code() == Code::kAlreadyExists);
  CHECK(FailedPreconditionError("a").code() == Code::kFailedPrecondition);
  CHECK(AbortedError("a").code() == Code::kAborted);
  CHECK(OutOfRangeError("a").code() == Code::kOutOfRange);
  CHECK(ResourceExhaustedError("a").code() == Code::kResourceExhausted);
  CHECK(UnavailableError("a").code() == Code::kUnavailable);
  CHECK(DataLossError("a").code() == Code::kDataLoss);
  CHECK(UnimplementedError("a").code() == Code::kUnimplemented);
  CHECK(InternalError("a").code() == Code::kInternal);
  CHECK(MessageOf(NotFoundError("row ", 3, ", ", std::string("x"), ' ', 0.5, true)) ==
        "row 3, x 0.5true");
}

TEST_CASE("the macros pass errors up and values through", "[base][status]") {
  CHECK(Quarter(12).value() == 3);
  CHECK(MessageOf(Quarter(6).status()) == "odd: 3");
  CHECK(CheckEven(2).ok());
  CHECK(CheckEven(3).code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("the assignment macro moves values that cannot be copied", "[base][status]") {
  const auto make = []() -> absl::StatusOr<std::unique_ptr<int>> {
    return std::make_unique<int>(4);
  };
  const auto use = [&make]() -> absl::StatusOr<int> {
    LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<int> made, make());
    return *made;
  };
  CHECK(use().value() == 4);
}

}  // namespace
}  // namespace larder
