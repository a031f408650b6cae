// init.
#include <filesystem>
#include <system_error>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/sample_data.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

namespace fs = std::filesystem;

// As one word of a POSIX shell.
std::string ShellWord(const std::string& text) {
  constexpr char kPlain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
  // A leading dash would be an option of cd.
  const std::string path = text.front() == '-' ? "./" + text : text;
  if (path.find_first_not_of(kPlain) == std::string::npos) return path;
  std::string word = "'";
  for (const char c : path) {
    if (c == '\'') {
      word.append("'\\''");
    } else {
      word.push_back(c);
    }
  }
  return word + "'";
}

absl::Status MakeFolder(const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder, error)) {
    if (!fs::is_directory(folder, error))
      return AlreadyExistsError(folder, " exists and is not a folder");
    if (!fs::is_empty(folder, error)) return AlreadyExistsError(folder, " is not empty");
    return absl::OkStatus();
  }
  fs::create_directories(folder, error);
  if (error) return UnavailableError("cannot make ", folder, ": ", error.message());
  return absl::OkStatus();
}

}  // namespace

absl::Status Init(const InitArguments& arguments, Console& console) {
  if (arguments.folder.empty()) return UsageError("the folder needs a name");
  const std::vector<SampleFile> files = MakeSampleFiles(console.clock());
  std::error_code ignored;
  const bool existed = fs::exists(arguments.folder, ignored);
  LARDER_RETURN_IF_ERROR(MakeFolder(arguments.folder));
  const fs::path folder(arguments.folder);
  for (const SampleFile& file : files) {
    const absl::Status written = WriteText((folder / file.name).string(), file.text);
    if (written.ok()) continue;
    for (const SampleFile& made : files) fs::remove(folder / made.name, ignored);
    if (!existed) fs::remove(folder, ignored);
    return written;
  }

  console.out << "made " << Printable(arguments.folder) << ":\n";
  for (const SampleFile& file : files) console.out << "  " << file.name << '\n';
  console.out << "\nGo there:\n    cd " << Printable(ShellWord(arguments.folder)) << '\n';
  if (console.variable("LARDER_STORE")) {
    console.out << "LARDER_STORE names another store; use the one in this folder:\n    unset "
                   "LARDER_STORE\n";
  }
  for (const SampleCommand& command : SampleCommands()) {
    console.out << command.about << ":\n    " << command.line << '\n';
  }
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
