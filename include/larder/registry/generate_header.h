// A service version as C++ source: what a model's code compiles against.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/registry/versions.h"

namespace larder::inline LARDER_ABI {

// A complete header, depending on the standard library alone:
//
//   struct FraudModel {
//     static constexpr std::string_view kService = "fraud_model@1";
//     static constexpr std::string_view kSchemaHash = "5e0c...";
//     static constexpr std::array<Column, 4> kOutputs = {{{"sum_amount_1h", "float64"}, ...}};
//     struct Keys { std::uint64_t cc_num; };
//     struct Request { std::optional<double> amount; };
//     std::optional<double> sum_amount_1h;
//     ...
//   };
//
// With `any_version`, kService is the bare name: the program takes every version with this schema.
// Timestamps and durations are int64 microseconds, dates int32 days. Names that C++ reserves get a trailing _.
[[nodiscard]] std::string GenerateHeader(const ServiceVersion& service,
                                         std::string_view name_space = "features",
                                         bool any_version = false);

// One column of a generated header's tables.
struct SchemaColumn {
  std::string_view name;
  std::string_view type;
};

// Whether `service` still is what a header was generated from.
// Errors: kFailedPrecondition with the difference, a line each: `- amount: float64`, `+ amount: int64`.
[[nodiscard]] absl::Status CheckSchema(const ServiceVersion& service,
                                       std::span<const SchemaColumn> outputs,
                                       std::span<const SchemaColumn> keys,
                                       std::span<const SchemaColumn> request);

}  // namespace larder::inline LARDER_ABI
