// A small store with one of everything, and every question it is asked.
#pragma once

#include <string>

#include "larder/base/status.h"
#include "larder/feature_store.h"

namespace golden {

// Makes the store in the new folder `path`. The same content every time; ids and seeds are the store's own.
[[nodiscard]] absl::Status MakeStore(const std::string& path);

// What the store answers, a line each: definitions, history, states, and every feature of every key at several instants, by
// service and as a tensor. Long values and tensors by hash.
[[nodiscard]] absl::StatusOr<std::string> AnswersOf(const larder::FeatureStore& store);

}  // namespace golden
