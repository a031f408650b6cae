// A service version with everything resolved: layouts, programs, and where each input comes from. What serving plans,
// online reads and training sets have in common.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feature_store/window_plan.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/online/row_layout.h"
#include "larder/registry/catalog.h"
#include "larder/registry/versions.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {

// One join key of a use: a column of the request, or a feature of an earlier use.
struct BoundKey {
  int input = -1;  // index into BoundService::inputs
  int use = -1;
  int feature = -1;
  friend bool operator==(const BoundKey&, const BoundKey&) = default;
};

struct BoundUse {
  const ViewVersion* view = nullptr;  // lives in BoundService::catalog
  std::string alias;
  RowLayout layout;
  std::vector<BoundKey> keys;
  // Features evaluated on read, together; absent when there are none.
  std::optional<Program> on_read;
  std::vector<int> on_read_inputs;    // per program input: index into ViewVersion::stored
  std::vector<int> on_read_features;  // per program output: index into ViewVersion::features
  std::vector<bool> needed;           // per feature: an output, an on-demand input or a key
  std::shared_ptr<const WindowPlan>
      windows;  // of a view with aggregates; then nothing is stored or on read

  // Where a feature stands among the columns of a fetched row: -1: it is evaluated on read.
  [[nodiscard]] int ColumnOf(std::size_t feature) const {
    return windows != nullptr ? static_cast<int>(feature) : view->features[feature].stored;
  }

  // The last instant whose events count at `as_of`: instants are whole microseconds, so `before` is one less.
  [[nodiscard]] Timestamp LastVisible(Timestamp as_of) const {
    return view->boundary == Boundary::kBefore ? as_of.Minus(Duration{1}) : as_of;
  }
};

struct BoundOnDemand {
  // Where one program input comes from: exactly one of these.
  struct Input {
    int input = -1;      // a request field, or a key that is one: index into BoundService::inputs
    int use = -1;        // a feature of uses[use]
    int on_demand = -1;  // a feature of on_demand[on_demand]
    int feature = -1;
  };
  const OnDemandVersion* view = nullptr;
  std::optional<Program> program;  // of the needed features only
  std::vector<Input> inputs;       // in Program::inputs() order
  std::vector<int> features;       // per program output: index into OnDemandVersion::features
  std::vector<int> output_of;      // per feature of the version: program output, or -1
};

struct BoundService {
  Catalog catalog;  // keeps everything pointed at alive
  const ServiceVersion* service = nullptr;
  std::string name;           // `fraud_model@2`; empty for a request of single features
  std::vector<Field> inputs;  // keys, then the request fields that are no keys
  std::size_t key_count = 0;  // how many of `inputs` are keys
  std::vector<BoundUse> uses;
  std::vector<BoundOnDemand> on_demand;

  // The tensor: which outputs, and where each begins.
  std::vector<int> tensor_outputs;  // index into ServiceVersion::outputs
  std::vector<std::string> tensor_names;
  std::vector<std::size_t> tensor_offsets;
  std::size_t tensor_width = 0;
  TypeId dtype = TypeId::kFloat64;

  // Receipt::service.
  [[nodiscard]] std::string_view receipt_name() const {
    return name.empty() ? std::string_view("features") : std::string_view(name);
  }

  // Errors: kUnimplemented for what cannot be read yet (derived views).
  static absl::StatusOr<std::shared_ptr<const BoundService>> Make(const Catalog& catalog,
                                                                  const ServiceVersion& service,
                                                                  std::string name,
                                                                  const CompileOptions& options);
};

}  // namespace larder::inline LARDER_ABI
