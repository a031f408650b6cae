// Stores written by earlier programs stay readable, and give the answers they gave.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "golden/golden_store.h"
#include "larder/base/text.h"
#include "larder/online/verify.h"
#include "online/environment_impl.h"
#include "support/catch.h"

namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(LARDER_SOURCE_DIR) / "tests/golden";
constexpr char kNewest[] = "format_4";

struct Folder {
  Folder() : path(fs::temp_directory_path() / larder::Concat("larder-golden-test-", getpid())) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path path;
};

std::string Read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  INFO(file);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), {}};
}

// A copy, with the modes that a checkout does not keep.
void CopyStore(const fs::path& from, const fs::path& to) {
  fs::copy(from, to, fs::copy_options::recursive);
  fs::permissions(to, fs::perms::owner_all);
  for (const auto& entry : fs::recursive_directory_iterator(to)) {
    fs::permissions(entry.path(), entry.is_directory()
                                      ? fs::perms::owner_all
                                      : fs::perms::owner_read | fs::perms::owner_write);
  }
}

void Compare(const std::string& found, const std::string& expected) {
  if (found == expected) return;
  std::istringstream a(found), b(expected);
  std::string left, right;
  for (int line = 1; std::getline(b, right); ++line) {
    left.clear();
    std::getline(a, left);
    INFO("answers.txt:" << line);
    REQUIRE(left == right);
  }
  REQUIRE(found.size() == expected.size());
}

std::string Answers(const larder::FeatureStore& store) {
  auto answers = golden::AnswersOf(store);
  INFO(answers.status());
  REQUIRE(answers.ok());
  return *std::move(answers);
}

TEST_CASE("every golden store is whole and gives the answers written beside it",
          "[golden][format]") {
  std::size_t stores = 0;
  for (const auto& entry : fs::directory_iterator(kGolden)) {
    if (!fs::exists(entry.path() / "answers.txt")) continue;
    INFO(entry.path());
    ++stores;
    const Folder folder;
    const fs::path copy = folder.path / "store";
    CopyStore(entry.path() / "store", copy);
    const auto report = larder::VerifyStore(copy.string());
    INFO(report.status());
    REQUIRE(report.ok());
    CHECK(report->problems == std::vector<std::string>{});
    const std::string expected = Read(entry.path() / "answers.txt");
    {
      larder::StoreOptions options;
      options.create_if_missing = false;
      options.read_only = true;
      const auto store = larder::FeatureStore::Open(copy.string(), options);
      INFO(store.status());
      REQUIRE(store.ok());
      Compare(Answers(*store), expected);
    }
    // It can be written to, which makes it a store of today's format, and what was there stays what it was.
    larder::StoreOptions options;
    options.clock = [] { return larder::ParseTimestamp("2025-01-14").value().value; };
    auto store = larder::FeatureStore::Open(copy.string(), options);
    INFO(store.status());
    REQUIRE(store.ok());
    const auto pushed = store->Push(
        "rates", std::vector<larder::Row>{{{"at", larder::Timestamp{0}}, {"rate", 9.0}}});
    INFO(pushed.status());
    REQUIRE(pushed.ok());
    const auto format = larder::ReadFormat(store->environment()->impl().Home()->env);
    REQUIRE(format.ok());
    CHECK(format->format_version == larder::FormatRow::kFormatVersion);
    std::istringstream before(expected), after(Answers(*store));
    std::string left, right;
    while (std::getline(before, left) && left.rfind("read ", 0) != 0) {
    }
    while (std::getline(after, right) && right.rfind("read ", 0) != 0) {
    }
    do {
      REQUIRE(left == right);
    } while (std::getline(before, left) && std::getline(after, right));
  }
  CHECK(stores > 0);
}

TEST_CASE("the program that wrote the newest golden store writes one with the same answers today",
          "[golden][format]") {
  const Folder folder;
  const std::string path = (folder.path / "store").string();
  const absl::Status made = golden::MakeStore(path);
  INFO(made);
  REQUIRE(made.ok());
  const auto store = larder::FeatureStore::Open(path);
  REQUIRE(store.ok());
  Compare(Answers(*store), Read(kGolden / kNewest / "answers.txt"));
}

}  // namespace
