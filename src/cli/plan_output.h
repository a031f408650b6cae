// Plans, and what applying one did, on a terminal and for machines.
#pragma once

#include <string>

#include "cli/commands.h"
#include "cli/console.h"
#include "larder/base/config.h"
#include "larder/feature_store.h"

namespace larder::inline LARDER_ABI {
namespace cli {

// ChangePlan::ToText, safe to print, in colours where the console has them.
[[nodiscard]] std::string PlanText(const ChangePlan& plan, const Console& console);
// The same under another first line.
[[nodiscard]] std::string PlanText(const ChangePlan& plan, const std::string& title,
                                   const Console& console);

// The plan, and whether and as what it was applied.
void PrintApplied(const ApplyResult& result, Format format, Console& console);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
