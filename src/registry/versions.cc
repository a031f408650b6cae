#include "larder/registry/versions.h"

#include <algorithm>

#include "larder/base/text.h"
#include "registry/binary.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class T>
int FindByName(const std::vector<T>& list, std::string_view name) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (list[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

std::string NameAtVersion(const std::string& name, int version) {
  return Concat(name, "@", version);
}

}  // namespace

bool ViewVersion::IsFedBy(std::string_view source_name) const {
  if (source.name == source_name || (batch && batch->name == source_name)) return true;
  return std::any_of(union_sources.begin(), union_sources.end(),
                     [&](const Source& other) { return other.name == source_name; });
}

int ViewVersion::FindFeature(std::string_view feature_name) const {
  return FindByName(features, feature_name);
}
std::string ViewVersion::ToString() const { return NameAtVersion(name, version); }

int OnDemandVersion::FindFeature(std::string_view feature_name) const {
  return FindByName(features, feature_name);
}
std::string OnDemandVersion::ToString() const { return NameAtVersion(name, version); }

int ServiceVersion::FindOutput(std::string_view output_name) const {
  return FindByName(outputs, output_name);
}
std::string ServiceVersion::ToString() const { return NameAtVersion(name, version); }

Hash128 ServiceVersion::schema_hash() const {
  BinaryWriter out;
  out.PutText("schema 1");
  out.Put(static_cast<uint32_t>(outputs.size()));
  for (const ServiceOutput& output : outputs) {
    out.Put(output.name);
    out.Put(output.served_type());
  }
  out.Put(keys);
  out.Put(request);
  return HashWide(std::move(out).Take());
}

}  // namespace larder::inline LARDER_ABI
