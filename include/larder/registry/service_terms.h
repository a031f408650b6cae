// Everything a model depends on in a feature service, as text to keep beside the model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/registry/catalog.h"
#include "larder/registry/versions.h"

namespace larder::inline LARDER_ABI {

struct NamedType {
  std::string name;
  std::string type;
  friend bool operator==(const NamedType&, const NamedType&) = default;
};

struct ServiceTerms {
  std::string project;
  std::string service;      // `fraud_model@2`
  std::string schema_hash;  // of outputs, keys and request fields
  // Of the service and everything it reads. Equal in every store where the same definitions were applied: equal rows
  // then give equal values.
  std::string meaning_hash;
  std::string dtype;               // of the tensor: float32 or float64
  std::string missing;             // null, default or error
  std::string partial;             // value or null
  std::vector<std::string> views;  // what decides which row counts: `card_profile: ttl 30d, boundary at`
  std::vector<std::string> functions;  // C++ functions and fitted constants: `zscore@1#5e0c...`
  std::vector<NamedType> outputs;      // as served, in order
  std::vector<NamedType> keys;
  std::vector<NamedType> request;
  friend bool operator==(const ServiceTerms&, const ServiceTerms&) = default;
};

// Requires: `service` is of `catalog`.
[[nodiscard]] ServiceTerms TermsOf(const Catalog& catalog, const ServiceVersion& service);

// Whether the service still has these terms: all of them, but for the version when `terms.service` has none.
// Errors: kFailedPrecondition with what differs, a line each: `- missing: null`, `+ missing: default`. Where nothing but
//   the meaning does, the line says so.
[[nodiscard]] absl::Status CheckTerms(const Catalog& catalog, const ServiceVersion& service,
                                      const ServiceTerms& terms);

[[nodiscard]] std::string ToJson(const ServiceTerms& terms);
// Errors: kInvalidArgument for what is not such a text; kFailedPrecondition (kVersion) for a later format.
[[nodiscard]] absl::StatusOr<ServiceTerms> ParseServiceTerms(std::string_view json,
                                                             std::string_view origin);

}  // namespace larder::inline LARDER_ABI
