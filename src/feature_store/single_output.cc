#include "feature_store/single_output.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace larder::inline LARDER_ABI {
namespace {

std::size_t Index(int i) { return static_cast<std::size_t>(i); }

class Cut {
 public:
  Cut(const Catalog& catalog, const ServiceVersion& service)
      : catalog_(catalog),
        service_(service),
        views_(service.views.size(), -1),
        on_demand_(service.on_demand.size(), -1) {}

  ServiceVersion To(const ServiceOutput& output) && {
    if (output.on_demand) {
      NeedOnDemand(output.use);
    } else {
      NeedView(output.use);
    }
    ServiceVersion cut = service_;
    cut.views.clear();
    cut.on_demand.clear();
    Number(&views_);
    Number(&on_demand_);
    for (std::size_t u = 0; u < views_.size(); ++u) {
      if (views_[u] < 0) continue;
      ViewUse& use = cut.views.emplace_back(service_.views[u]);
      for (KeyBinding& key : use.keys) {
        if (key.use >= 0) key.use = views_[Index(key.use)];
      }
    }
    for (std::size_t u = 0; u < on_demand_.size(); ++u) {
      if (on_demand_[u] < 0) continue;
      OnDemandUse& use = cut.on_demand.emplace_back(service_.on_demand[u]);
      const OnDemandVersion& view = *catalog_.FindOnDemandView(use.view_id);
      for (std::size_t i = 0; i < use.input_uses.size(); ++i) {
        int& from = use.input_uses[i];
        if (from >= 0) from = (view.inputs[i].on_demand ? on_demand_ : views_)[Index(from)];
      }
    }
    cut.outputs = {output};
    cut.outputs[0].use = (output.on_demand ? on_demand_ : views_)[Index(output.use)];
    const auto drop = [](const std::set<std::string>& needed, std::vector<Field>* fields) {
      std::erase_if(*fields, [&](const Field& field) { return needed.count(field.name) == 0; });
    };
    drop(keys_, &cut.keys);
    drop(request_, &cut.request);
    if (cut.definition.missing == MissingPolicy::kError)
      cut.definition.missing = MissingPolicy::kNull;
    return cut;
  }

 private:
  void NeedView(int use) {
    views_[Index(use)] = 0;
    for (const KeyBinding& key : service_.views[Index(use)].keys) {
      if (key.use >= 0) {
        NeedView(key.use);
      } else {
        keys_.insert(key.column);
      }
    }
  }

  void NeedOnDemand(int use) {
    on_demand_[Index(use)] = 0;
    const OnDemandUse& needed = service_.on_demand[Index(use)];
    const OnDemandVersion& view = *catalog_.FindOnDemandView(needed.view_id);
    for (std::size_t i = 0; i < view.inputs.size(); ++i) {
      const OnDemandInput& input = view.inputs[i];
      if (input.request) {
        request_.insert(input.name.substr(std::string_view("request.").size()));
      } else if (input.on_demand) {
        NeedOnDemand(needed.input_uses[i]);
      } else {
        NeedView(needed.input_uses[i]);
      }
    }
  }

  // Needed ones, 0 until then, get the numbers they have without the others.
  static void Number(std::vector<int>* uses) {
    int next = 0;
    for (int& use : *uses) use = use < 0 ? -1 : next++;
  }

  const Catalog& catalog_;
  const ServiceVersion& service_;
  std::vector<int> views_;  // -1: not needed
  std::vector<int> on_demand_;
  std::set<std::string> keys_;
  std::set<std::string> request_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const BoundService>> SingleOutput(const BoundService& service,
                                                                 std::size_t output,
                                                                 const CompileOptions& options) {
  struct Owned {
    ServiceVersion version;
    std::shared_ptr<const BoundService> bound;
  };
  const ServiceVersion& whole = *service.service;
  const auto owned = std::make_shared<Owned>();
  owned->version = Cut(service.catalog, whole).To(whole.outputs[output]);
  LARDER_ASSIGN_OR_RETURN(
      owned->bound, BoundService::Make(service.catalog, owned->version, service.name, options));
  return std::shared_ptr<const BoundService>(owned, owned->bound.get());
}

}  // namespace larder::inline LARDER_ABI
