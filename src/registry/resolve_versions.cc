// The known version that means the same, or a new one with the next number of its name.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "registry/resolve.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class Version>
using Versions = std::vector<std::shared_ptr<const Version>>;

struct Known {
  uint32_t id = 0;  // 0: none means the same
  int latest = 0;   // of the name; only where none means the same
};

// `each` sees the known versions of the name before the one that means the same.
template <class Version, class Each>
Known FindMeaning(const VersionIndex* index, const Versions<Version>& versions,
                  const Version& version, const Each& each) {
  Known known;
  if (index == nullptr) return known;
  const auto found = index->find(version.name);
  if (found == index->end()) return known;
  for (const uint32_t id : found->second) {
    const Version& other = *versions[id - 1];
    known.latest = std::max(known.latest, other.version);
    each(other);
    if (other.meaning_hash == version.meaning_hash) {
      known.id = id;
      break;
    }
  }
  return known;
}

template <class Version>
std::shared_ptr<const Version> Append(Version version, int number, Versions<Version>* versions) {
  version.id = static_cast<uint32_t>(versions->size() + 1);
  version.version = number;
  versions->push_back(std::make_shared<const Version>(std::move(version)));
  return versions->back();
}

// `version` takes the place of the known one.
template <class Version>
std::shared_ptr<const Version> Replace(Version version, uint32_t id, Versions<Version>* versions) {
  std::shared_ptr<const Version>& place = (*versions)[id - 1];
  version.id = id;
  version.version = place->version;
  version.revision = place->revision;
  place = std::make_shared<const Version>(std::move(version));
  return place;
}

}  // namespace

std::shared_ptr<const ViewVersion> Resolver::InternView(ViewVersion view) {
  uint32_t data_id = 0;
  const Known known = FindMeaning(known_ == nullptr ? nullptr : &known_->view_versions,
                                  state_.views, view, [&](const ViewVersion& other) {
                                    if (data_id == 0 && other.data_hash == view.data_hash)
                                      data_id = other.data_id;
                                  });
  if (known.id == 0) {
    view.data_id = data_id == 0 ? static_cast<uint32_t>(state_.views.size() + 1) : data_id;
    return Append(std::move(view), known.latest + 1, &state_.views);
  }
  const std::shared_ptr<const ViewVersion>& other = state_.views[known.id - 1];
  if (!refresh_) return other;
  view.data_id = other->data_id;
  return Replace(std::move(view), known.id, &state_.views);
}

std::shared_ptr<const OnDemandVersion> Resolver::InternOnDemand(OnDemandVersion view) {
  const Known known = FindMeaning(known_ == nullptr ? nullptr : &known_->on_demand_versions,
                                  state_.on_demand, view, [](const OnDemandVersion&) {});
  if (known.id == 0) return Append(std::move(view), known.latest + 1, &state_.on_demand);
  if (!refresh_) return state_.on_demand[known.id - 1];
  return Replace(std::move(view), known.id, &state_.on_demand);
}

std::shared_ptr<const ServiceVersion> Resolver::InternService(ServiceVersion service) {
  const Known known = FindMeaning(known_ == nullptr ? nullptr : &known_->service_versions,
                                  state_.services, service, [](const ServiceVersion&) {});
  if (known.id == 0) return Append(std::move(service), known.latest + 1, &state_.services);
  // Its closure may name other ids of equal meaning; what was pinned stays pinned.
  std::shared_ptr<const ServiceVersion>& other = state_.services[known.id - 1];
  if (!refresh_ || other->definition == service.definition) return other;
  ServiceVersion updated = *other;
  updated.definition = std::move(service.definition);
  other = std::make_shared<const ServiceVersion>(std::move(updated));
  return other;
}

}  // namespace larder::inline LARDER_ABI
