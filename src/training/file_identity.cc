#include "larder/training/file_identity.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "larder/base/sha256.h"

namespace larder::inline LARDER_ABI {

absl::StatusOr<FileIdentity> IdentifyFile(const std::string& path) {
  FileIdentity identity;
  identity.path = path;
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) return NotFoundError("no such file: ", path);
  if (!std::filesystem::is_regular_file(status)) return identity;
  std::ifstream in(path, std::ios::binary);
  Sha256 hash;
  std::string part(std::size_t{1} << 20, '\0');
  while (in) {
    in.read(part.data(), static_cast<std::streamsize>(part.size()));
    const auto size = static_cast<std::size_t>(in.gcount());
    hash.Add(std::string_view(part).substr(0, size));
    identity.bytes += size;
  }
  if (!in.eof()) {
    return WithKind(UnavailableError("cannot read ", path, ": ", std::strerror(errno)),
                    ErrorKind::kIoError);
  }
  identity.sha256 = hash.Finish();
  return identity;
}

}  // namespace larder::inline LARDER_ABI
