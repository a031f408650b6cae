// Fitted constants as a store keeps them: one record per version, written once.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/environment.h"
#include "larder/online/read_session.h"
#include "larder/transform/fitted.h"

namespace larder::inline LARDER_ABI {

// What the programs of a store are compiled with. Threads: thread-safe.
class FittedRecords : public FittedLookup {
 public:
  explicit FittedRecords(std::shared_ptr<Environment> environment)
      : environment_(std::move(environment)) {}
  [[nodiscard]] absl::StatusOr<std::shared_ptr<const FittedEntry>> Find(std::string_view name,
                                                                        int version) const override;
  [[nodiscard]] std::vector<std::string> Names() const override;

 private:
  const std::shared_ptr<Environment> environment_;
  // A version never changes, so what was read once serves every later compilation.
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::shared_ptr<const FittedEntry>, std::less<>> read_;
};

[[nodiscard]] std::string FittedKey(std::string_view name, int version);
// All, by name and version. Errors: kDataLoss.
[[nodiscard]] absl::StatusOr<std::vector<FittedEntry>> ListFitted(const ReadSession& session);

}  // namespace larder::inline LARDER_ABI
