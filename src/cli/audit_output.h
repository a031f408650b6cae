// What the leakage audit found: on the console, and row by row in a file beside the training set.
#pragma once

#include <string>

#include "cli/console.h"
#include "cli/json_writer.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/training_set.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// `training.csv.audit.csv`, beside `training.csv`.
[[nodiscard]] std::string AuditPath(const std::string& output);

// Writes what contributed to every row made, and names the file in the set's manifest.
// Requires: the set has a manifest and an audit.
absl::Status WriteAudit(const std::string& path, TrainingSet* set);

void PrintAuditTable(const LeakageReport& report, const std::string& path, Console& console);
// As the member `audit`.
void PrintAuditJson(const LeakageReport& report, const std::string& path, JsonWriter* json);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
