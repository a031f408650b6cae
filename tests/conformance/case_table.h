// Every row of a table as a test case of its own, so that one can be run, listed and failed alone.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "support/catch.h"

namespace larder_test {

template <const auto& kTable, auto kRun, std::size_t kRow>
void RunTableRow() {
  kRun(kTable[kRow]);
}

template <const auto& kTable, auto kRun, std::size_t kRow>
void RegisterTableRow() {
  REGISTER_TEST_CASE((&RunTableRow<kTable, kRun, kRow>), kTable[kRow].name, kTable[kRow].tags);
}

// `kTable` is an array of structs with a `name`, unique in the program, and `tags`; `kRun` takes one of them.
//
//   const bool registered = larder_test::RegisterTable<kCases, RunCase>();
template <const auto& kTable, auto kRun>
bool RegisterTable() {
  constexpr std::size_t kRows = std::extent_v<std::remove_reference_t<decltype(kTable)>>;
  [&]<std::size_t... kRow>(std::index_sequence<kRow...>) {
    (RegisterTableRow<kTable, kRun, kRow>(), ...);
  }
  (std::make_index_sequence<kRows>{});
  return true;
}

}  // namespace larder_test
