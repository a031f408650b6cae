#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "larder/base/status.h"
#include "larder/io/csv_reader.h"

namespace larder::inline LARDER_ABI {
namespace {

std::string JoinPath(const std::string& base_path, const std::string& path) {
  if (base_path.empty() || path.starts_with('/')) return path;
  return base_path.ends_with('/') ? base_path + path : Concat(base_path, "/", path);
}

// A base path is a place, not a pattern.
std::string EscapePattern(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '*' || c == '?' || c == '[' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out;
}

bool IsFolder(const std::string& path) {
  struct stat info = {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> ExpandPath(const std::string& path,
                                                    const std::string& base_path) {
  if (path.empty()) return InvalidArgumentError("the source has no path");
  const std::string literal = JoinPath(base_path, path);
  struct stat info = {};
  const bool is_pattern = path.find_first_of("*?[") != std::string::npos;
  if (!is_pattern || ::stat(literal.c_str(), &info) == 0) {
    if (::stat(literal.c_str(), &info) != 0) return NotFoundError("no such file: ", literal);
    return std::vector<std::string>{literal};
  }

  const std::string pattern = JoinPath(path.starts_with('/') ? "" : EscapePattern(base_path), path);
  glob_t found = {};
  const int result = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  std::vector<std::string> paths;
  if (result == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) {
      std::string one = found.gl_pathv[i];
      if (!IsFolder(one)) paths.push_back(std::move(one));
    }
  }
  ::globfree(&found);
  if (paths.empty()) return NotFoundError("no file matches ", literal);
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace larder::inline LARDER_ABI
