#include "larder/training/manifest.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <type_traits>
#include <utility>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kFormat = 1;

// The members of each part, once for writing and once for reading: Fields(visitor, part) calls visitor(name, member).
template <class Visitor, class Part>
void Fields(Visitor&& visit, Part& part) {
  using T = std::remove_const_t<Part>;
  if constexpr (std::is_same_v<T, FileIdentity>) {
    visit("path", part.path);
    visit("bytes", part.bytes);
    visit("sha256", part.sha256);
  } else if constexpr (std::is_same_v<T, DatasetManifest::Definition>) {
    visit("kind", part.kind);
    visit("name", part.name);
    visit("meaning", part.meaning);
  } else if constexpr (std::is_same_v<T, DatasetManifest::View>) {
    visit("view", part.view);
    visit("alias", part.alias);
    visit("known_at", part.known_at);
    visit("event_time_only", part.event_time_only);
    visit("timeless", part.timeless);
    visit("events", part.events);
    visit("rows_found", part.rows_found);
    visit("rows_outside_max_age", part.rows_outside_max_age);
    visit("rows_not_found", part.rows_not_found);
    visit("rows_ambiguous", part.rows_ambiguous);
    visit("cells_changed_by_other_known_at", part.cells_changed_by_other_known_at);
  } else if constexpr (std::is_same_v<T, DatasetManifest::Source>) {
    visit("name", part.name);
    visit("files", part.files);
    visit("rows_sha256", part.rows_sha256);
  } else if constexpr (std::is_same_v<T, DatasetManifest::Audit::Leaks>) {
    visit("kind", part.kind);
    visit("rows", part.rows);
  } else if constexpr (std::is_same_v<T, DatasetManifest::Audit::View>) {
    visit("view", part.view);
    visit("alias", part.alias);
    visit("rows_checked", part.rows_checked);
    visit("leaks", part.leaks);
  } else if constexpr (std::is_same_v<T, DatasetManifest::Audit>) {
    visit("views", part.views);
    visit("labels", part.labels);
    visit("file", part.file);
  } else if constexpr (std::is_same_v<T, ColumnContent>) {
    visit("name", part.name);
    visit("type", part.type);
    visit("nulls", part.nulls);
    visit("sha256", part.sha256);
  } else if constexpr (std::is_same_v<T, DatasetContent>) {
    visit("sha256", part.sha256);
    visit("rows", part.rows);
    visit("columns", part.columns);
  } else if constexpr (std::is_same_v<T, DatasetManifest::Selection>) {
    visit("made_sha256", part.made_sha256);
    visit("where", part.where);
    visit("sample", part.sample);
    visit("columns", part.columns);
    visit("split", part.split);
    visit("part", part.part);
    visit("seed", part.seed);
  } else if constexpr (std::is_same_v<T, DatasetManifest::Output>) {
    visit("file", part.file);
    visit("dtype", part.dtype);
    visit("null_rule", part.null_rule);
    visit("label", part.label);
    visit("query", part.query);
  } else if constexpr (std::is_same_v<T, UnfinishedDataset::LabelCount>) {
    visit("value", part.value);
    visit("rows", part.rows);
  } else if constexpr (std::is_same_v<T, UnfinishedDataset::Part>) {
    visit("manifest", part.manifest);
    visit("rows_made", part.rows_made);
    visit("rows_kept", part.rows_kept);
    visit("hash", part.hash);
    visit("labels", part.labels);
  } else if constexpr (std::is_same_v<T, UnfinishedDataset>) {
    visit("parts", part.parts);
  } else {
    static_assert(std::is_same_v<T, DatasetManifest>);
    visit("larder_version", part.larder_version);
    visit("libraries", part.libraries);
    visit("project", part.project);
    visit("service", part.service);
    visit("features", part.features);
    visit("time_column", part.time_column);
    visit("revision", part.revision);
    visit("definitions", part.definitions);
    visit("views", part.views);
    visit("sources", part.sources);
    visit("commit_seq", part.commit_seq);
    visit("spine_sha256", part.spine_sha256);
    visit("spine_sources", part.spine_sources);
    visit("audit", part.audit);
    visit("selection", part.selection);
    visit("content", part.content);
    visit("output", part.output);
  }
}

template <class T>
Json ToTree(const T& value) {
  if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T>) {
    return value;
  } else if constexpr (std::is_same_v<T, DataType>) {
    return value.ToString();
  } else if constexpr (requires { value.has_value(); }) {
    return value ? ToTree(*value) : Json();
  } else if constexpr (requires { value.begin(); }) {
    Json array = Json::array();
    for (const auto& item : value) array.push_back(ToTree(item));
    return array;
  } else {
    Json object = Json::object();
    Fields([&](const char* name, const auto& member) { object[name] = ToTree(member); }, value);
    return object;
  }
}

absl::Status Wrong(const std::string& place, std::string_view expected) {
  return InvalidArgumentError("no manifest: ", place.empty() ? "/" : place, " is not ", expected);
}

template <class T>
absl::Status FromTree(const Json& tree, const std::string& place, T* value) {
  if constexpr (std::is_same_v<T, std::string>) {
    if (!tree.is_string()) return Wrong(place, "a string");
    *value = tree.get<std::string>();
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!tree.is_boolean()) return Wrong(place, "true or false");
    *value = tree.get<bool>();
  } else if constexpr (std::is_arithmetic_v<T>) {
    if (!tree.is_number_integer()) return Wrong(place, "an integer");
    *value = tree.get<T>();
  } else if constexpr (std::is_same_v<T, DataType>) {
    std::string text;
    LARDER_RETURN_IF_ERROR(FromTree(tree, place, &text));
    LARDER_ASSIGN_OR_RETURN(*value, DataType::Parse(text));
  } else if constexpr (requires { value->has_value(); }) {
    if (tree.is_null()) return absl::OkStatus();
    typename T::value_type item;
    LARDER_RETURN_IF_ERROR(FromTree(tree, place, &item));
    *value = std::move(item);
  } else if constexpr (requires { value->begin(); }) {
    if (!tree.is_array()) return Wrong(place, "a list");
    for (const Json& item : tree) {
      const std::string inner = Concat(place, "/", value->size());
      LARDER_RETURN_IF_ERROR(FromTree(item, inner, &value->emplace_back()));
    }
  } else {
    if (!tree.is_object()) return Wrong(place, "an object");
    absl::Status status;
    Fields(
        [&](const char* name, auto& member) {
          if (!status.ok()) return;
          const auto found = tree.find(name);
          const std::string inner = Concat(place, "/", name);
          if (found != tree.end()) {
            status = FromTree(*found, inner, &member);
          } else if constexpr (!requires {
                                 member.has_value();
                               }) {  // older larders did not write all that may be absent
            status = Wrong(inner, "there");
          }
        },
        *value);
    return status;
  }
  return absl::OkStatus();
}

// `mark` names the format, and comes first.
template <class T>
std::string Write(const char* mark, const T& record) {
  Json tree = Json::object();
  tree[mark] = kFormat;
  const Json members = ToTree(record);
  for (const auto& [name, member] : members.items()) tree[name] = member;
  // A path may be anything; what is not UTF-8 in it is replaced.
  return tree.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

template <class T>
absl::StatusOr<T> Read(const char* mark, std::string_view json) {
  const Json tree = Json::parse(json, nullptr, false);
  if (tree.is_discarded()) return InvalidArgumentError("no manifest: not JSON");
  const auto format = tree.is_object() ? tree.find(mark) : tree.end();
  if (format == tree.end() || !format->is_number_integer())
    return InvalidArgumentError("no manifest: ", mark, " is missing");
  if (format->template get<int64_t>() != kFormat) {
    return WithKind(
        FailedPreconditionError("the manifest has format ", format->template get<int64_t>(),
                                ", this larder reads ", kFormat),
        ErrorKind::kVersion);
  }
  T record;
  LARDER_RETURN_IF_ERROR(FromTree(tree, "", &record));
  return record;
}

void CompareText(std::string_view what, const std::string& before, const std::string& after,
                 std::vector<std::string>* lines) {
  if (before == after) return;
  const auto shown = [](const std::string& text) { return text.empty() ? "none" : text; };
  lines->push_back(Concat(what, ": ", shown(before), ", now ", shown(after)));
}

// `name@3` without the version, after the kind: `view card_profile`.
std::string ObjectOf(const DatasetManifest::Definition& definition) {
  return Concat(definition.kind, " ", definition.name.substr(0, definition.name.rfind('@')));
}

void CompareDefinitions(const DatasetManifest& before, const DatasetManifest& after,
                        std::vector<std::string>* lines) {
  // One object may be there in several versions.
  using Versions = std::map<std::string, std::set<std::string>>;
  const auto versions_of = [](const DatasetManifest& manifest) {
    Versions versions;
    for (const auto& definition : manifest.definitions)
      versions[ObjectOf(definition)].insert(Concat(definition.name, " ", definition.meaning));
    return versions;
  };
  const auto names = [](const std::set<std::string>& versions) {
    std::vector<std::string> shown;
    for (const std::string& version : versions)
      shown.push_back(Concat(version.substr(0, version.find(' ')), " (meaning ",
                             version.substr(version.find(' ') + 1, 8), ")"));
    return Join(shown, ", ");
  };
  const Versions old_versions = versions_of(before);
  const Versions new_versions = versions_of(after);
  for (const auto& [object, versions] : old_versions) {
    const auto now = new_versions.find(object);
    if (now == new_versions.end()) {
      lines->push_back(Concat(object, ": no longer used"));
    } else {
      CompareText(object, names(versions), names(now->second), lines);
    }
  }
  for (const auto& [object, versions] : new_versions) {
    if (!old_versions.contains(object))
      lines->push_back(Concat(object, ": new, ", names(versions)));
  }
}

void CompareSources(const DatasetManifest& before, const DatasetManifest& after,
                    std::vector<std::string>* lines) {
  std::map<std::string, const DatasetManifest::Source*> old_sources;
  for (const auto& source : before.sources) old_sources[source.name] = &source;
  for (const auto& source : after.sources) {
    const auto old = old_sources.find(source.name);
    if (old == old_sources.end()) {
      lines->push_back(Concat("source ", source.name, ": new"));
      continue;
    }
    const auto hashes = [](const DatasetManifest::Source& one) {
      std::vector<std::string> texts;
      for (const FileIdentity& file : one.files) texts.push_back(file.sha256);
      return texts;
    };
    if (old->second->rows_sha256 != source.rows_sha256) {
      lines->push_back(Concat("source ", source.name, ": the rows given for it differ"));
    } else if (hashes(*old->second) != hashes(source)) {
      lines->push_back(Concat("source ", source.name, ": the content of its files differs"));
    }
    old_sources.erase(old);
  }
  for (const auto& [name, source] : old_sources)
    lines->push_back(Concat("source ", name, ": no longer read"));
}

}  // namespace

std::string DatasetManifest::ToJson() const { return Write("larder_manifest", *this); }

absl::StatusOr<DatasetManifest> DatasetManifest::Parse(std::string_view json) {
  return Read<DatasetManifest>("larder_manifest", json);
}

std::string UnfinishedDataset::ToJson() const { return Write("larder_unfinished", *this); }

absl::StatusOr<UnfinishedDataset> UnfinishedDataset::Parse(std::string_view json) {
  return Read<UnfinishedDataset>("larder_unfinished", json);
}

std::string UnfinishedPath(std::string_view output) { return Concat(output, ".unfinished.json"); }

std::string ManifestPath(std::string_view output) { return Concat(output, ".manifest.json"); }

std::vector<std::string> CompareManifests(const DatasetManifest& before,
                                          const DatasetManifest& after) {
  std::vector<std::string> lines;
  CompareText("larder", before.larder_version, after.larder_version, &lines);
  CompareText("project", before.project, after.project, &lines);
  CompareText("libraries", Join(before.libraries, ", "), Join(after.libraries, ", "), &lines);
  CompareText("service", before.service, after.service, &lines);
  CompareText("features", Join(before.features, " "), Join(after.features, " "), &lines);
  CompareText("time column", before.time_column, after.time_column, &lines);
  CompareDefinitions(before, after, &lines);
  const auto known_at = [](const DatasetManifest& manifest) {
    std::vector<std::string> texts;
    for (const DatasetManifest::View& view : manifest.views)
      texts.push_back(Concat(view.alias.empty() ? view.view : view.alias, " ", view.known_at));
    return Join(texts, ", ");
  };
  CompareText("known at", known_at(before), known_at(after), &lines);
  CompareSources(before, after, &lines);
  const auto commit = [](const DatasetManifest& manifest) {
    return manifest.commit_seq ? Concat("commit ", *manifest.commit_seq) : std::string();
  };
  CompareText("store", commit(before), commit(after), &lines);
  if (before.spine_sha256 != after.spine_sha256) lines.push_back("spine: its rows differ");
  const DatasetManifest::Selection chosen = before.selection.value_or(DatasetManifest::Selection());
  const DatasetManifest::Selection now = after.selection.value_or(DatasetManifest::Selection());
  CompareText("rows where", chosen.where, now.where, &lines);
  CompareText("sample", chosen.sample, now.sample, &lines);
  CompareText("columns", Join(chosen.columns, " "), Join(now.columns, " "), &lines);
  CompareText("split", chosen.split, now.split, &lines);
  CompareText("part", chosen.part, now.part, &lines);
  CompareText("seed", Concat(chosen.seed), Concat(now.seed), &lines);
  return lines;
}

}  // namespace larder::inline LARDER_ABI
