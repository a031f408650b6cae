// Writes the golden store and its answers into a folder. Run it when the format gets a new version, never to mend a test:
//   larder_make_golden tests/golden/format_4
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "golden/golden_store.h"
#include "larder/online/verify.h"

namespace {

absl::Status Write(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const std::string made = (folder / "made").string();
  const std::string store = (folder / "store").string();
  LARDER_RETURN_IF_ERROR(golden::MakeStore(made));
  {
    // A copy without free pages, and without the files of locks.
    LARDER_ASSIGN_OR_RETURN(const larder::FeatureStore opened, larder::FeatureStore::Open(made));
    LARDER_RETURN_IF_ERROR(larder::BackupStore(opened.environment(), store));
    LARDER_ASSIGN_OR_RETURN(const std::string answers, golden::AnswersOf(opened));
    std::ofstream(folder / "answers.txt", std::ios::binary) << answers;
  }
  std::filesystem::remove_all(made);
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: larder_make_golden FOLDER\n");
    return 2;
  }
  const absl::Status status = Write(argv[1]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(larder::MessageOf(status)).c_str());
  return status.ok() ? 0 : 1;
}
