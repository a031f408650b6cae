// Printing where a value comes from.
#pragma once

#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/feature_store/dataset_row.h"
#include "larder/feature_store/explain.h"

namespace larder::inline LARDER_ABI {
namespace cli {

[[nodiscard]] std::string ExplanationText(const Explanation& explanation);
[[nodiscard]] std::string ExplanationJson(const Explanation& explanation);

// `place`: `row 3 of training.csv`.
[[nodiscard]] std::string DatasetRowText(const DatasetRowExplanation& row, std::string_view place);
[[nodiscard]] std::string DatasetRowJson(const DatasetRowExplanation& row);

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
