// Evaluates one expression over one row through every way there is, and demands that all agree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "larder/column/batch.h"
#include "larder/transform/program.h"

namespace larder_test {

// 2025-03-09T15:04:05.25Z, a Sunday.
inline constexpr larder::Timestamp kAsOf = {1741532645250000};

// A column of every type, most with an ordinary value, and `null_*` of the common types.
const std::vector<larder::Field>& SampleFields();
const larder::Row& SampleRow();

struct Outcome {
  std::string text;  // FormatValue, or `error: ...`
  std::string type;
  larder::EvalCounts counts;
};

// Row driver, batch driver at lengths 1, 63 and 130, and (through EvaluateRow) the edge: all must agree, or `text`
// says how they differ.
Outcome Evaluate(std::string_view expression, const larder::CompileOptions& options = {});

}  // namespace larder_test
