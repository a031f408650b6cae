// examples/*/session.txt: commands as typed, each with exactly what it prints. Pages quote from them.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "larder/base/text.h"
#include "support/catch.h"

namespace {

namespace fs = std::filesystem;

struct Step {
  std::string command;
  std::string printed;
};

std::vector<Step> ReadSession(const fs::path& file) {
  std::ifstream in(file);
  std::vector<Step> steps;
  std::string line;
  while (std::getline(in, line)) {
    if (line.rfind("$ ", 0) == 0) {
      steps.push_back({line.substr(2), ""});
    } else if (!steps.empty()) {
      steps.back().printed += line + "\n";
    }
  }
  return steps;
}

std::string Run(const fs::path& folder, const std::string& command) {
  const std::string line = larder::Concat("cd '", folder.string(), "' && PATH=", LARDER_BINARY_DIR,
                                          "/bin:$PATH && { ", command, "; } 2>&1");
  std::string printed;
  FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) return "cannot run a shell";
  std::array<char, 4096> buffer;
  std::size_t size = 0;
  while ((size = fread(buffer.data(), 1, buffer.size(), pipe)) > 0)
    printed.append(buffer.data(), size);
  pclose(pipe);
  return printed;
}

void CheckSession(const std::string& name) {
  const fs::path example = fs::path(LARDER_SOURCE_DIR) / "examples" / name;
  const fs::path folder = fs::path(LARDER_BINARY_DIR) / "tests" / "examples" / "sessions" / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  fs::copy(example, folder, fs::copy_options::recursive);
  unsetenv("LARDER_STORE");
  const std::vector<Step> steps = ReadSession(example / "session.txt");
  REQUIRE(steps.size() >= 5);
  for (const Step& step : steps) {
    INFO(name << ": " << step.command);
    REQUIRE(Run(folder, step.command) == step.printed);
  }
}

}  // namespace

TEST_CASE("a team's own command runs its functions, and without it the rest works", "[examples]") {
  CheckSession("custom_transform");
}

TEST_CASE("one expression gives one value in push, load, training and serving", "[examples]") {
  CheckSession("one_expression");
}
