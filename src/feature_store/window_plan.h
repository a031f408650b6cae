// What the aggregates of a view read of its events, and which sums must be kept for them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "larder/aggregate/accumulator.h"
#include "larder/aggregate/window_evaluation.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/registry/versions.h"
#include "larder/transform/expression.h"

namespace larder::inline LARDER_ABI {

// Events of one input: of those `where` lets through, by category where there is a group. What one tree is of.
struct WindowStream {
  std::string
      meaning;  // input, where and group in canonical form: sorts streams alike in all versions of one data id
  int input = -1;  // index into WindowPlan::rows().stored; -1: none
  int where = -1;
  int group = -1;
  std::optional<DataType> input_type;
  std::vector<AggregateSpec> specs;  // all different, in one order whatever order the definition has
};

// One feature: a function of a stream over a window.
struct WindowFeature {
  std::size_t stream = 0;
  std::size_t spec = 0;
  AggregateWindow window;
  std::string category;    // of a grouped stream; empty: a map of all
  bool is_map = false;     // by category
  std::size_t events = 0;  // is_map: the spec that counts a category's events
};

// Immutable. Threads: thread-compatible.
class WindowPlan {
 public:
  // Requires: view.is_aggregate().
  // Errors: as compiling the view's expressions.
  static absl::StatusOr<WindowPlan> Make(const ViewVersion& view, const CompileOptions& options);

  // The view as one that stores what its aggregates read, for EventMapper: inputs, conditions and groups.
  [[nodiscard]] const ViewVersion& rows() const LARDER_LIFETIME_BOUND { return rows_; }
  [[nodiscard]] const std::vector<WindowStream>& streams() const LARDER_LIFETIME_BOUND {
    return streams_;
  }
  // In the order of ViewVersion::features.
  [[nodiscard]] const std::vector<WindowFeature>& features() const LARDER_LIFETIME_BOUND {
    return features_;
  }
  // How long before an instant its oldest event may be; absent: a lifetime, or the last N.
  [[nodiscard]] std::optional<Duration> reach() const { return reach_; }

 private:
  class Builder;
  WindowPlan() = default;
  ViewVersion rows_;
  std::vector<WindowStream> streams_;
  std::vector<WindowFeature> features_;
  std::optional<Duration> reach_;
};

// The sources of a view with aggregates, by number: 0 its own, then its union's. `offline`: what loads and training read.
[[nodiscard]] const Source& WindowSource(const ViewVersion& view LARDER_LIFETIME_BOUND,
                                         std::size_t number, bool offline = false);
[[nodiscard]] std::size_t NumberOfSource(const ViewVersion& view, std::string_view name);

// A group's value as a category: text as it is, integers in decimal, `true` and `false`. Requires: not null.
[[nodiscard]] std::string CategoryAt(const Column& column, std::size_t row);

// A map of more categories than this is null: SEMANTICS 7.
inline constexpr std::size_t kCategoriesMax = 4096;

}  // namespace larder::inline LARDER_ABI
