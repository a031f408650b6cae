// What a program was compiled against, checked when it opens the store.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/registry/generate_header.h"
#include "larder/registry/service_terms.h"

namespace larder::inline LARDER_ABI {

// The names and types of a service, as a generated header has them, or all terms of it, as a contract file does.
struct ServiceContract {
  std::string project;
  // `fraud_model@2`: that version. `fraud_model`: any version of it with this schema, the newest of them.
  std::string service;
  std::string schema_hash;  // hexadecimal
  // Texts are borrowed from the header, which has them for as long as the program runs, or from `terms`.
  std::vector<SchemaColumn> outputs;
  std::vector<SchemaColumn> keys;
  std::vector<SchemaColumn> request;
  // Of a contract file: dtype, policies and function versions, which are checked too. Null: of a header.
  std::shared_ptr<const ServiceTerms> terms;
};

// Of a file that `larder contract` wrote, to be kept beside the model that was trained with it:
//
//   LARDER_ASSIGN_OR_RETURN(const ServiceContract contract, LoadContract("fraud_model.contract.json"));
//   options.contracts = {contract};                            // Open fails when the store does not keep it
//   LARDER_ASSIGN_OR_RETURN(ServingPlan plan, store.Bind(contract));
//
// Errors: kNotFound; as ParseServiceTerms.
[[nodiscard]] absl::StatusOr<ServiceContract> LoadContract(const std::string& path);

// Of a struct that `larder generate-header` wrote:
//
//   #include "fraud_model.h"
//   options.contracts = {larder::ContractOf<features::FraudModel>()};
template <class Generated>
[[nodiscard]] ServiceContract ContractOf() {
  const auto columns = [](const auto& table) {
    std::vector<SchemaColumn> out;
    for (const auto& column : table) out.push_back({column.name, column.type});
    return out;
  };
  return {std::string(Generated::kProject),
          std::string(Generated::kService),
          std::string(Generated::kSchemaHash),
          columns(Generated::kOutputs),
          columns(Generated::kKeys),
          columns(Generated::kRequest),
          nullptr};
}

}  // namespace larder::inline LARDER_ABI
