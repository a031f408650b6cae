// Records looked up several at once, where the file is damaged.
#include "online/record_lookup.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "larder/base/bytes.h"
#include "online/environment_impl.h"
#include "online/record_key.h"
#include "store_fixture.h"

using larder::ErrorKind;
using larder::RecordTree;
using larder_test::OpenOrFail;
using larder_test::Store;

namespace {

constexpr std::size_t kPageSize = 4096;
constexpr int64_t kRecords = 2'000;

std::string NameOf(int64_t number) { return std::string(200, 'k') + std::to_string(number); }

// The bytes of a store's file with records, and where pages of their tree begin.
struct RecordFile {
  Store store;
  std::string path;
  std::string bytes;
  std::vector<std::size_t> branches;
  std::vector<std::size_t> leaves;

  RecordFile() {
    auto transaction = larder::WriteTransaction::Begin(store.environment);
    REQUIRE(transaction.ok());
    for (int64_t i = 0; i < kRecords; ++i) {
      const std::string value(static_cast<std::size_t>(i % 40 == 0 ? 9'000 : i % 90), 'v');
      REQUIRE(transaction->PutRecord(3, NameOf(i), value).ok());
    }
    REQUIRE(transaction->Commit().ok());
    store.environment.reset();
    path = store.directory / "store";
    std::ifstream in(Data(), std::ios::binary);
    bytes = {std::istreambuf_iterator<char>(in), {}};
    const std::string mark(100, 'k');
    for (std::size_t at = 2 * kPageSize; at + kPageSize <= bytes.size(); at += kPageSize) {
      const auto flags = larder::LoadAs<uint16_t>(bytes.data() + at + 10);
      if (flags != 1 && flags != 2) continue;
      // Of its second node, since the first of a branch has no key. Pages of other trees may hold old bytes of ours.
      const auto node = larder::LoadAs<uint16_t>(bytes.data() + at + 18);
      const auto key_size = larder::LoadAs<uint16_t>(bytes.data() + at + node + 6);
      if (node + 8U + key_size > kPageSize) continue;
      const std::string_view key = std::string_view(bytes).substr(at + node + 8, key_size);
      if (key.find(mark) == std::string::npos) continue;
      (flags == 1 ? branches : leaves).push_back(at);
    }
    REQUIRE(!branches.empty());
    REQUIRE(!leaves.empty());
  }
  [[nodiscard]] std::string Data() const { return path + "/env-000001/data.mdb"; }
  void Write(const std::string& changed) const {
    std::ofstream(Data(), std::ios::binary | std::ios::trunc) << changed;
  }
};

}  // namespace

TEST_CASE("a page number that leads out of the file is an error, looked up alone or together",
          "[online][record][damage]") {
  RecordFile file;
  std::string damaged = file.bytes;
  for (const std::size_t page : file.branches) {
    const std::size_t nodes = (larder::LoadAs<uint16_t>(damaged.data() + page + 12) - 16U) / 2;
    for (std::size_t i = 0; i < nodes; ++i) {
      const auto node = larder::LoadAs<uint16_t>(damaged.data() + page + 16 + 2 * i);
      damaged[page + node + 5] = '\x7f';  // the highest bits of the number of the page below
    }
  }
  file.Write(damaged);
  file.store.environment = OpenOrFail(file.path, larder_test::WritableOptions());
  const std::string name = NameOf(7);
  const std::string_view asked[] = {name, name};
  std::optional<std::string_view> values[2];
  // LMDB ends a transaction that met damage.
  const larder::ReadSession first = file.store.Session();
  const absl::Status alone = first.GetRecord(3, name).status();
  CHECK(larder::KindOf(alone) == ErrorKind::kCorrupt);
  const larder::ReadSession second = file.store.Session();
  const absl::Status together = second.GetRecords(3, asked, values);
  CHECK(larder::KindOf(together) == ErrorKind::kCorrupt);
}

TEST_CASE("no damage of a page leads a look-up out of the file",
          "[online][record][damage][random]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  RecordFile file;
  std::size_t bytes = 0;
  const int rounds = larder_test::Rounds(60);
  for (int round = 0; round < rounds; ++round) {
    std::string damaged = file.bytes;
    for (int page = 0; page < 4; ++page) {
      const auto& pages = random() % 3 == 0 ? file.branches : file.leaves;
      const std::size_t at = pages[random() % pages.size()];
      // Its head and list of nodes as often as all else of it.
      const std::size_t within = random() % 2 == 0 ? 8 + random() % 60 : random() % kPageSize;
      damaged[at + within] = static_cast<char>(random());
    }
    file.Write(damaged);
    file.store.environment = OpenOrFail(file.path, larder_test::WritableOptions());
    {
      const larder::ReadSession session = file.store.Session();
      const auto tree = RecordTree::Of(session.slot()->txn, larder::kRecordsName);
      REQUIRE(tree);
      for (int64_t i = 0; i < kRecords; i += 16) {
        std::vector<std::string> names;
        std::vector<std::string_view> asked;
        for (int64_t k = i; k < std::min(i + 16, kRecords); ++k) {
          const larder::RecordKey key(3, NameOf(k));
          names.emplace_back(key.full());
        }
        asked.assign(names.begin(), names.end());
        std::vector<std::optional<std::string_view>> values(asked.size());
        if (!tree->Find(asked, values)) continue;
        for (const auto& value : values) {
          // Every byte of what is found can be read.
          if (value)
            bytes += static_cast<std::size_t>(std::count(value->begin(), value->end(), 'v'));
        }
      }
    }
    file.store.environment.reset();
  }
  CHECK(bytes > 0);
}
