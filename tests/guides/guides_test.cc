// Runs what the guides tell their readers to run, and compares what it prints with what they say it prints.
//
// In a guide a ```sh block is run by bash in the guide's own folder, and a ```text block is what the block before it
// prints, errors included. A time with a fraction of a second comes from the clock: any other such time equals it.
#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>
#include <vector>

#include "larder/base/text.h"
#include "support/catch.h"

namespace {

namespace fs = std::filesystem;

struct Block {
  int line = 0;  // where it begins, in the guide
  std::string commands;
  bool has_output = false;
  std::string output;
};

std::vector<Block> BlocksOf(const fs::path& guide) {
  std::ifstream in(guide);
  REQUIRE(in.good());
  std::vector<Block> blocks;
  std::string* filling = nullptr;
  bool fenced = false;
  int number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.rfind("```", 0) != 0) {
      if (filling != nullptr) *filling += line + "\n";
      continue;
    }
    filling = nullptr;
    fenced = !fenced;
    if (!fenced) continue;
    if (line == "```sh") {
      blocks.push_back({number, "", false, ""});
      filling = &blocks.back().commands;
    } else if (line == "```text") {
      INFO(guide << ":" << number << ": the output of no command");
      REQUIRE(!blocks.empty());
      REQUIRE_FALSE(blocks.back().has_output);
      blocks.back().has_output = true;
      filling = &blocks.back().output;
    }
  }
  REQUIRE_FALSE(fenced);
  return blocks;
}

std::string WithoutClock(const std::string& text) {
  static const std::regex time(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z)");
  return std::regex_replace(text, time, "<now>");
}

struct Ran {
  int code = 0;
  std::string output;
};

// The block's folder and the command's own are all that bash is told.
Ran RunBlock(const fs::path& folder, const std::string& commands) {
  const fs::path script = folder.parent_path() / "block.sh";
  std::ofstream(script) << "set -euo pipefail\ncd '" << folder.string() << "'\nexport PATH='"
                        << LARDER_COMMAND_DIR << "':$PATH\nunset LARDER_STORE\n"
                        << commands;
  FILE* pipe = popen(("bash '" + script.string() + "' 2>&1 </dev/null").c_str(), "r");
  REQUIRE(pipe != nullptr);
  Ran ran;
  char buffer[4096];
  for (std::size_t size = 0; (size = fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
    ran.output.append(buffer, size);
  }
  const int status = pclose(pipe);
  ran.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "larder-guide-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path = name;
    fs::create_directory(path / "work");
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

}  // namespace

TEST_CASE("every guide does what it says", "[guides]") {
  std::vector<fs::path> guides;
  for (const auto& entry : fs::directory_iterator(LARDER_SOURCE_DIR "/docs/guides")) {
    if (entry.path().extension() == ".md") guides.push_back(entry.path());
  }
  std::sort(guides.begin(), guides.end());
  REQUIRE_FALSE(guides.empty());
  for (const fs::path& guide : guides) {
    const Folder folder;
    const std::vector<Block> blocks = BlocksOf(guide);
    CHECK_FALSE(blocks.empty());
    for (const Block& block : blocks) {
      INFO("docs/guides/" << guide.filename().string() << ":" << block.line << "\n"
                          << block.commands);
      const Ran ran = RunBlock(folder.path / "work", block.commands);
      INFO("it printed:\n" << ran.output);
      REQUIRE(ran.code == 0);
      if (block.has_output) REQUIRE(WithoutClock(ran.output) == WithoutClock(block.output));
    }
  }
}
