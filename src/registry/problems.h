// Collects everything that is wrong with an input, so that one status can say it all.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

class Problems {
 public:
  template <class... P>
  void Add(std::string_view place, const P&... parts) {
    lines_.push_back(place.empty() ? Concat(parts...) : Concat(place, ": ", parts...));
  }
  // The message of `status`, its further lines indented below.
  void AddStatus(std::string_view place, const absl::Status& status);
  void Append(Problems other);

  [[nodiscard]] bool empty() const { return lines_.empty(); }
  [[nodiscard]] std::size_t size() const { return lines_.size(); }
  // `origin: place: message` for one, else a head line and one indented line each. OK when there are none.
  [[nodiscard]] absl::Status ToStatus(std::string_view origin) const;

 private:
  std::vector<std::string> lines_;
};

}  // namespace larder::inline LARDER_ABI
