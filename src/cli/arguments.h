// Reading what was typed, and opening the store it names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "cli/console.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/feature_store.h"

namespace larder::inline LARDER_ABI {
namespace cli {

enum class Access { kRead, kWrite, kCreate };

// --store, else $LARDER_STORE, else `store`.
[[nodiscard]] std::string StorePath(const Target& target, const Console& console);
// Only kCreate makes a store that is not there. Errors: kNotFound saying how to make one.
[[nodiscard]] absl::StatusOr<FeatureStore> OpenStore(const Target& target, Access access,
                                                     const Console& console);

// Empty text: nothing. Errors: usage, naming `option`.
[[nodiscard]] absl::StatusOr<std::optional<Timestamp>> ParseInstant(std::string_view text,
                                                                    std::string_view option);

// `spine`, `any`, or empty: nothing. Errors: usage.
[[nodiscard]] absl::StatusOr<std::optional<KnownAt>> ParseKnownAt(std::string_view text);

// All of `text` as a number, in digits. nullopt: it is none.
[[nodiscard]] std::optional<uint64_t> ParseNumber(std::string_view text);

// The number of the history entry that `text` means: a number, or a time (the last entry not after it). Errors: usage
// for neither; kNotFound when the time is before all history.
[[nodiscard]] absl::StatusOr<uint64_t> ParseMoment(std::string_view text, std::string_view option,
                                                   const FeatureStore& store);

// The project asked for, else the only one. Errors: kNotFound with a suggestion, or when there are no definitions yet;
// kInvalidArgument naming the projects when one must be chosen.
[[nodiscard]] absl::StatusOr<std::string> ProjectOf(const Target& target, const Catalog& catalog);

[[nodiscard]] ApplyInfo MakeInfo(const ChangeNote& note, const Console& console);

// `name=value`. Errors: usage, naming `option`.
[[nodiscard]] absl::StatusOr<std::pair<std::string, std::string>> SplitAssignment(
    std::string_view text, std::string_view option);

// A path that stays right when the working directory changes.
[[nodiscard]] std::string AbsolutePath(const std::string& path);

// Everything until the end of a file; `-`: of standard input. Errors: kNotFound, kUnavailable.
[[nodiscard]] absl::StatusOr<std::string> ReadText(const std::string& path);
// Under a temporary name, then renamed, so that a reader sees all or nothing.
[[nodiscard]] absl::Status WriteText(const std::string& path, std::string_view text);
// Leaves a file that holds just this text alone, so that its time stays and a build does not do its readers again.
// Whether it was written.
[[nodiscard]] absl::StatusOr<bool> WriteTextIfChanged(const std::string& path,
                                                      std::string_view text);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
