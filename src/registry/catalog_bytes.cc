#include <utility>

#include "larder/registry/catalog.h"
#include "registry/binary.h"
#include "registry/catalog_state.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint64_t kMagic = 0x3154414352444c00;  // "\0LDRCAT1"
constexpr uint32_t kCatalogFormat = 2;
constexpr std::size_t kHeaderSize = 8 + 4 + 4 + 8;  // magic, format, unused, checksum

absl::Status Damaged(const char* what) {
  return WithKind(DataLossError("the catalog is damaged: ", what), ErrorKind::kCorrupt);
}

template <class T>
void PutList(const std::vector<Current<T>>& list, BinaryWriter* out) {
  out->Put(static_cast<uint32_t>(list.size()));
  for (const Current<T>& item : list) {
    out->Put(item.object_id);
    out->Put(item.version_id);
    out->Put(item.by_api);
  }
}

// The text of a versioned object is the one its version carries; others are read from the archive.
template <class T>
bool GetList(const CatalogState& state, BinaryReader* in, std::vector<Current<T>>* list) {
  const std::size_t count = in->Count();
  list->reserve(count);
  for (std::size_t i = 0; i < count && in->ok(); ++i) {
    Current<T>& item = list->emplace_back();
    in->Get(item.object_id);
    in->Get(item.version_id);
    in->Get(item.by_api);
    const auto share = [&](const auto& versions) {
      if (item.version_id == 0 || item.version_id > versions.size()) return false;
      const auto& version = versions[item.version_id - 1];
      item.definition = std::shared_ptr<const T>(version, &version->definition);
      return true;
    };
    if (item.object_id == 0 || item.object_id > state.archive.size()) return false;
    if constexpr (std::is_same_v<T, FeatureView>) {
      if (!share(state.views)) return false;
    } else if constexpr (std::is_same_v<T, OnDemandView>) {
      if (!share(state.on_demand)) return false;
    } else if constexpr (std::is_same_v<T, FeatureService>) {
      if (!share(state.services)) return false;
    } else {
      bool by_api = false;
      auto definition = ReadArchive<T>(*state.archive[item.object_id - 1], &by_api);
      if (!definition.ok()) return false;
      item.definition = std::make_shared<const T>(*std::move(definition));
    }
  }
  return in->ok();
}

void PutProject(const ProjectState& project, BinaryWriter* out) {
  out->Put(project.name);
  out->Put(project.base_path);
  out->Put(project.metadata);
  out->Put(project.object_id);
  out->Put(project.revision);
  ForEachKind([&]<class T>() { PutList(project.List<T>(), out); });
  for (std::size_t i = 0; i < project.sources.size(); ++i) {
    const bool differs = project.resolved_sources[i] != project.sources[i].definition;
    out->Put(differs);
    if (differs) out->Put(*project.resolved_sources[i]);
  }
  for (const auto& label : project.resolved_labels) out->Put(*label);
  out->Put(static_cast<uint32_t>(project.removed.size()));
  for (const RemovedName& name : project.removed) {
    out->Put(name.kind);
    out->Put(name.name);
    out->Put(name.revision);
  }
  out->Put(static_cast<uint32_t>(project.holds.size()));
  for (const auto& [view, number] : project.holds) {
    out->Put(view);
    out->Put(number);
  }
  out->Put(static_cast<uint32_t>(project.left.size()));
  for (const auto& [id, time] : project.left) {
    out->Put(id);
    out->Put(time);
  }
}

bool GetProject(const CatalogState& state, BinaryReader* in, ProjectState* project) {
  in->Get(project->name);
  in->Get(project->base_path);
  in->Get(project->metadata);
  in->Get(project->object_id);
  in->Get(project->revision);
  bool good = true;
  ForEachKind([&]<class T>() { good = good && GetList(state, in, &project->List<T>()); });
  if (!good) return false;
  for (const Current<Source>& source : project->sources) {
    bool differs = false;
    in->Get(differs);
    if (!differs) {
      project->resolved_sources.push_back(source.definition);
      continue;
    }
    auto resolved = std::make_shared<Source>();
    in->Get(*resolved);
    project->resolved_sources.push_back(std::move(resolved));
  }
  for (std::size_t i = 0; i < project->labels.size(); ++i) {
    auto label = std::make_shared<LabelVersion>();
    in->Get(*label);
    if (label->view_id == 0 || label->view_id > state.views.size()) return false;
    project->resolved_labels.push_back(std::move(label));
  }
  const std::size_t removed = in->Count();
  for (std::size_t i = 0; i < removed && in->ok(); ++i) {
    RemovedName& name = project->removed.emplace_back();
    in->Get(name.kind);
    in->Get(name.name);
    in->Get(name.revision);
  }
  const std::size_t holds = in->Count();
  for (std::size_t i = 0; i < holds && in->ok(); ++i) {
    std::string view;
    in->Get(view);
    in->Get(project->holds[view]);
  }
  const std::size_t left = in->Count();
  for (std::size_t i = 0; i < left && in->ok(); ++i) {
    uint32_t id = 0;
    in->Get(id);
    in->Get(project->left[id]);
  }
  return in->ok();
}

template <class T>
void PutVersions(const std::vector<std::shared_ptr<const T>>& list, BinaryWriter* out) {
  out->Put(static_cast<uint32_t>(list.size()));
  for (const auto& version : list) out->Put(*version);
}

template <class T>
bool GetVersions(BinaryReader* in, std::vector<std::shared_ptr<const T>>* list) {
  const std::size_t count = in->Count();
  list->reserve(count);
  for (std::size_t i = 0; i < count && in->ok(); ++i) {
    auto version = std::make_shared<T>();
    in->Get(*version);
    if (version->id != i + 1) return false;
    list->push_back(std::move(version));
  }
  return in->ok();
}

}  // namespace

std::string Catalog::Serialize() const {
  const CatalogState& state = *state_;
  BinaryWriter out;
  out.Put(state.revision);
  out.Put(state.last_change);
  out.Put(static_cast<uint32_t>(state.archive.size()));
  for (const auto& text : state.archive) out.PutText(*text);
  PutVersions(state.views, &out);
  PutVersions(state.on_demand, &out);
  PutVersions(state.services, &out);
  out.Put(static_cast<uint32_t>(state.projects.size()));
  for (const auto& [name, project] : state.projects) PutProject(project, &out);
  const std::string payload = std::move(out).Take();
  ByteWriter bytes;
  bytes.Put(kMagic);
  bytes.Put(kCatalogFormat);
  bytes.Put(uint32_t{0});
  bytes.Put(Hash64(payload));
  bytes.PutRaw(payload);
  return std::move(bytes).Take();
}

absl::StatusOr<Catalog> Catalog::Parse(std::string_view bytes) {
  ByteReader header(bytes);
  const auto magic = header.Get<uint64_t>();
  const auto format = header.Get<uint32_t>();
  header.Get<uint32_t>();
  const auto checksum = header.Get<uint64_t>();
  if (!header.ok() || magic != kMagic) return Damaged("it does not begin as one");
  if (format != kCatalogFormat) {
    return WithKind(FailedPreconditionError("the catalog has format ", format,
                                            ", and this build reads format ", kCatalogFormat),
                    ErrorKind::kVersion);
  }
  const std::string_view payload = bytes.substr(kHeaderSize);
  if (Hash64(payload) != checksum) return Damaged("its checksum does not hold");

  auto state = std::make_shared<CatalogState>();
  BinaryReader in(payload);
  in.Get(state->revision);
  in.Get(state->last_change);
  const std::size_t texts = in.Count();
  state->archive.reserve(texts);
  for (std::size_t i = 0; i < texts && in.ok(); ++i) {
    state->archive.push_back(std::make_shared<const std::string>(in.GetText()));
  }
  bool good = GetVersions(&in, &state->views) && GetVersions(&in, &state->on_demand) &&
              GetVersions(&in, &state->services);
  const std::size_t projects = good ? in.Count() : 0;
  for (std::size_t i = 0; i < projects && good; ++i) {
    ProjectState project;
    good = GetProject(*state, &in, &project);
    std::string name = project.name;
    state->projects.emplace(std::move(name), std::move(project));
  }
  if (!good || !in.finished()) return Damaged("its parts do not fit together");
  state->BuildIndex();
  return Catalog(std::move(state));
}

}  // namespace larder::inline LARDER_ABI
