#include "io/duckdb_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr char kEnvironment[] = "LARDER_DUCKDB";

std::vector<std::string> Candidates() {
  if (const char* named = std::getenv(kEnvironment); named != nullptr && *named != '\0')
    return {named};
  std::vector<std::string> candidates = {"libduckdb.so"};
#ifdef LARDER_DUCKDB_LIBRARY
  candidates.emplace_back(LARDER_DUCKDB_LIBRARY);
#endif
  return candidates;
}

}  // namespace

absl::StatusOr<const DuckDbLibrary*> DuckDbLibrary::Load() {
  const std::vector<std::string> candidates = Candidates();
  void* opened = nullptr;
  for (const std::string& file : candidates) {
    opened = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (opened != nullptr) break;
  }
  if (opened == nullptr) {
    return FailedPreconditionError(
        "Parquet and SQL need DuckDB, whose C library was not found (looked for ",
        larder::Join(candidates, ", "),
        "): install libduckdb, 1.4 or newer (https://duckdb.org/install, C/C++), where the "
        "system's loader"
        " looks, or name the file in ",
        kEnvironment);
  }
  // Opening it again gives the same one.
  static std::mutex mutex;
  static std::map<void*, std::unique_ptr<const DuckDbLibrary>> kept;
  const std::lock_guard lock(mutex);
  std::unique_ptr<const DuckDbLibrary>& slot = kept[opened];
  if (slot != nullptr) return slot.get();
  auto library = std::make_unique<DuckDbLibrary>();
  const char* missing = nullptr;
#define LARDER_DUCKDB_LOOK_UP(returns, name, arguments)                                        \
  library->name = reinterpret_cast<returns(*) arguments>(::dlsym(opened, #name)); /* NOLINT */ \
  if (library->name == nullptr && missing == nullptr) missing = #name;
  LARDER_DUCKDB_FUNCTIONS(LARDER_DUCKDB_LOOK_UP)
#undef LARDER_DUCKDB_LOOK_UP
  if (missing != nullptr) {
    return FailedPreconditionError("Parquet and SQL need DuckDB 1.4 or newer: its library has no ",
                                   missing);
  }
  slot = std::move(library);
  return slot.get();
}

}  // namespace larder::inline LARDER_ABI
