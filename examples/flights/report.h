// What the demo prints.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "examples/flights/check.h"
#include "examples/flights/latency.h"
#include "larder/feature_store.h"

namespace flights {

// Starts a numbered step, with the time spent so far.
void Step(std::string_view what);
// One indented line, as printf has it.
void Say(const char* format, ...) __attribute__((format(printf, 1, 2)));
[[nodiscard]] std::string Indented(std::string_view text);

void PrintLoads(const larder::MaterializeResult& loaded);
void PrintTrainingSet(const larder::TrainingSet& training);

struct Summary {
  const larder::TrainingSet& training;
  const Comparison& compared;
  std::size_t own_flights;
  const Latency& latency;
  std::filesystem::path out;
  std::filesystem::path definitions;
  std::string_view last_cut;
};
void PrintSummary(const Summary& summary);

}  // namespace flights
