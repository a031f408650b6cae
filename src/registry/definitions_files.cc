#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "larder/registry/definitions_json.h"
#include "registry/definitions_tree.h"
#include "registry/json_tree.h"

namespace larder::inline LARDER_ABI {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::string> ReadWhole(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) return NotFoundError("cannot read ", path.string(), ": ", error.message());
  if (size > kJsonSizeMax) {
    return WithKind(InvalidArgumentError(path.string(), ": larger than ", kJsonSizeMax >> 20,
                                         " MiB: ", static_cast<uint64_t>(size), " bytes"),
                    ErrorKind::kTooLarge);
  }
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file && text.empty() && size > 0) return NotFoundError("cannot read ", path.string());
  return text;
}

// Whether a source's path is to be read from the folder of the file that says it.
bool IsRelative(const std::string& path) {
  return !path.empty() && path.front() != '/' && path.compare(0, 2, "${") != 0 &&
         path.find("://") == std::string::npos;
}

class Merge {
 public:
  void AddFile(const std::string& name, const std::string& folder, const std::string& text) {
    Problems problems;
    absl::StatusOr<JsonNode> tree = ParseJson(text, &problems);
    if (!tree.ok()) {
      problems_.AddStatus(name, tree.status());
      return;
    }
    Definitions read = DefinitionsFromTree(*tree, "", &problems);
    if (const absl::Status status = problems.ToStatus(""); !status.ok()) {
      problems_.AddStatus(name, status);
    }
    if (tree->is_object() && tree->Find("project") != nullptr) JoinProject(name, read.project);
    JoinMetadata(name, read.metadata);
    if (!folder.empty()) {
      for (Source& source : read.sources) {
        if (IsRelative(source.path)) source.path = Concat(folder, "/", source.path);
      }
    }
    Move(name, "entities", read.entities, merged_.entities);
    Move(name, "sources", read.sources, merged_.sources);
    Move(name, "feature_views", read.feature_views, merged_.feature_views);
    Move(name, "on_demand_views", read.on_demand_views, merged_.on_demand_views);
    Move(name, "labels", read.labels, merged_.labels);
    Move(name, "feature_services", read.feature_services, merged_.feature_services);
  }

  absl::StatusOr<Definitions> Finish(const std::string& origin) {
    LARDER_RETURN_IF_ERROR(problems_.ToStatus(origin));
    return std::move(merged_);
  }

 private:
  void JoinProject(const std::string& name, const std::string& project) {
    if (project_file_.empty()) {
      merged_.project = project;
      project_file_ = name;
    } else if (project != merged_.project) {
      problems_.Add(Concat(name, ": /project"), "found ", Quoted(project), ", but ", project_file_,
                    " says ", Quoted(merged_.project), "; a folder holds one project");
    }
  }
  void JoinMetadata(const std::string& name, const Metadata& metadata) {
    if (metadata == Metadata{} || metadata == merged_.metadata) return;
    if (!(merged_.metadata == Metadata{})) {
      problems_.Add(name, "describes the project differently from another file of the folder");
      return;
    }
    merged_.metadata = metadata;
  }
  template <class T>
  void Move(const std::string& name, const char* kind, std::vector<T>& from, std::vector<T>& to) {
    for (std::size_t i = 0; i < from.size(); ++i) {
      merged_.origins[Concat("/", kind, "/", to.size())] = Concat(name, ": /", kind, "/", i);
      to.push_back(std::move(from[i]));
    }
  }

  Definitions merged_;
  std::string project_file_;
  Problems problems_;
};

absl::StatusOr<Definitions> LoadFile(const fs::path& path) {
  LARDER_ASSIGN_OR_RETURN(const std::string text, ReadWhole(path));
  LARDER_ASSIGN_OR_RETURN(Definitions definitions, ParseDefinitions(text, path.string()));
  definitions.base_path = path.has_parent_path() ? path.parent_path().string() : ".";
  return definitions;
}

absl::StatusOr<Definitions> LoadFolder(const fs::path& path) {
  std::error_code error;
  std::vector<fs::path> files;
  fs::recursive_directory_iterator end;
  for (fs::recursive_directory_iterator it(path, error); !error && it != end; it.increment(error)) {
    std::error_code ignored;
    if (it->path().extension() == ".json" && it->is_regular_file(ignored)) {
      files.push_back(it->path().lexically_relative(path));
    }
  }
  if (error) return NotFoundError("cannot read ", path.string(), ": ", error.message());
  if (files.empty()) return NotFoundError("no *.json file in ", path.string());
  std::sort(files.begin(), files.end());
  Merge merge;
  for (const fs::path& file : files) {
    LARDER_ASSIGN_OR_RETURN(const std::string text, ReadWhole(path / file));
    merge.AddFile(file.generic_string(), file.parent_path().generic_string(), text);
  }
  LARDER_ASSIGN_OR_RETURN(Definitions definitions, merge.Finish(path.string()));
  definitions.base_path = path.string();
  return definitions;
}

// `text` with its variables replaced; unknown ones go to `unknown`.
std::string Expanded(const std::string& text,
                     const std::function<std::optional<std::string>(std::string_view)>& lookup,
                     std::vector<std::string>* unknown) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 3, "$${") == 0) {
      out.append("${");
      i += 2;
      continue;
    }
    const std::size_t end = text.compare(i, 2, "${") == 0 ? text.find('}', i) : std::string::npos;
    if (end == std::string::npos) {
      out.push_back(text[i]);
      continue;
    }
    const std::string name = text.substr(i + 2, end - i - 2);
    if (const std::optional<std::string> value = lookup(name)) {
      out.append(*value);
    } else {
      unknown->push_back(name);
    }
    i = end;
  }
  return out;
}

}  // namespace

absl::StatusOr<Definitions> LoadDefinitions(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    return NotFoundError("no such file or folder: ", path);
  }
  return fs::is_directory(status) ? LoadFolder(path) : LoadFile(path);
}

absl::Status ExpandVariables(
    const std::function<std::optional<std::string>(std::string_view name)>& lookup,
    Definitions* definitions) {
  Problems problems;
  std::vector<std::pair<std::string, std::string>> expanded;
  for (std::size_t i = 0; i < definitions->sources.size(); ++i) {
    const Source& source = definitions->sources[i];
    std::vector<std::string> unknown;
    std::string path = Expanded(source.path, lookup, &unknown);
    std::string query = Expanded(source.query, lookup, &unknown);
    for (const std::string& name : unknown) {
      problems.Add(Concat("/sources/", i), "source ", source.name, " needs the variable ", name,
                   ", which is not set");
    }
    expanded.emplace_back(std::move(path), std::move(query));
  }
  LARDER_RETURN_IF_ERROR(problems.ToStatus(""));
  for (std::size_t i = 0; i < expanded.size(); ++i) {
    definitions->sources[i].path = std::move(expanded[i].first);
    definitions->sources[i].query = std::move(expanded[i].second);
  }
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
