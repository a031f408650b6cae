#include "larder/schema/reference.h"

#include <array>
#include <charconv>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

// The text after `@`: nothing or `latest`, or digits after an optional `v` or `version`.
absl::Status ParseVersion(std::string_view whole, std::string_view text,
                          std::optional<int>* version) {
  if (text.empty() || EqualsIgnoreCase(text, "latest")) return absl::OkStatus();
  std::string_view digits = text;
  for (const std::string_view prefix : {std::string_view("version"), std::string_view("v")}) {
    if (EqualsIgnoreCase(digits.substr(0, prefix.size()), prefix)) {
      digits.remove_prefix(prefix.size());
      break;
    }
  }
  const auto refuse = [&](std::string_view why) {
    return InvalidArgumentError("reference ", Quoted(whole), ": version ", Quoted(text), " ", why);
  };
  constexpr std::string_view kExpected = "is not a version (expected @3, @v3 or @latest)";
  if (digits.empty() || digits[0] == '-') return refuse(kExpected);
  int number = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (result.ptr != digits.data() + digits.size() || result.ec == std::errc::invalid_argument)
    return refuse(kExpected);
  if (result.ec != std::errc()) return refuse("is too large");
  if (number < 1) return refuse("does not exist: versions start at 1");
  *version = number;
  return absl::OkStatus();
}

absl::Status CheckName(std::string_view whole, std::string_view what, std::string_view name) {
  if (name.empty())
    return InvalidArgumentError("reference ", Quoted(whole), ": ", what, " name is empty");
  if (IsValidName(name)) return absl::OkStatus();
  return InvalidArgumentError("reference ", Quoted(whole), ": ", Quoted(name),
                              " is not a name (expected letters, ",
                              "digits and _, not beginning with a digit, at most 63)");
}

absl::StatusOr<VersionedName> Parse(std::string_view whole, std::string_view text,
                                    std::string_view what) {
  const std::size_t at = text.find('@');
  VersionedName parsed;
  parsed.name = std::string(text.substr(0, at));
  LARDER_RETURN_IF_ERROR(CheckName(whole, what, parsed.name));
  if (at != std::string_view::npos) {
    LARDER_RETURN_IF_ERROR(ParseVersion(whole, text.substr(at + 1), &parsed.version));
  }
  return parsed;
}

}  // namespace

std::string VersionedName::ToString() const {
  return version.has_value() ? Concat(name, "@", *version) : name;
}

std::string FeatureReference::ToString() const { return Concat(view.ToString(), ":", feature); }

absl::StatusOr<VersionedName> ParseVersionedName(std::string_view text) {
  if (text.find(':') != std::string_view::npos) {
    return InvalidArgumentError("reference ", Quoted(text), ": expected a name without a feature");
  }
  return Parse(text, text, "the");
}

absl::StatusOr<FeatureReference> ParseFeatureReference(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return InvalidArgumentError("reference ", Quoted(text),
                                ": expected view:feature, found no colon");
  }
  FeatureReference parsed;
  LARDER_ASSIGN_OR_RETURN(parsed.view, Parse(text, text.substr(0, colon), "the view's"));
  parsed.feature = std::string(text.substr(colon + 1));
  LARDER_RETURN_IF_ERROR(CheckName(text, "the feature's", parsed.feature));
  return parsed;
}

}  // namespace larder::inline LARDER_ABI
