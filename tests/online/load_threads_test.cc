// A load on several threads is the load on one.
#include <algorithm>
#include <iterator>

#include "online/partitions_ahead.h"
#include "online/record_key.h"
#include "online/view_rows.h"
#include "online/write_state.h"
#include "store_fixture.h"
#include "support/random.h"

namespace larder_test {
namespace {

using larder::BuiltSegment;
using larder::Column;
using larder::DataType;
using larder::Layer;
using larder::LoadRows;
using larder::RowLayout;
using larder::RowsResult;
using larder::Timestamp;
using larder::TypeId;

constexpr uint32_t kView = 7;

// Events of a view with a wide feature, so that a few thousand take several partitions.
struct Events {
  std::vector<std::string> keys;
  std::vector<std::string_view> key_views;
  std::vector<Column> features;
  std::vector<const Column*> columns;
  Column times{TypeId::kTimestamp};
  Column sequences{TypeId::kInt64};

  // Of the layout {width doubles of a kind, float64}. Plain ones where `plain`: what takes the short ways.
  void Make(Random& random, std::size_t count, int64_t key_count, uint32_t width, bool plain) {
    features.emplace_back(DataType::Vector(TypeId::kFloat32, width));
    features.emplace_back(TypeId::kFloat64);
    std::vector<float> wide(width);
    for (std::size_t i = 0; i < count; ++i) {
      keys.push_back(IntKey(random.Between(0, key_count)));
      std::fill(wide.begin(), wide.end(), static_cast<float>(random.Between(0, 3)));
      features[0].AppendRaw(wide.data(), wide.size() * sizeof(float));
      if (random.OneIn(10)) {
        features[1].AppendNull();
      } else {
        features[1].AppendFixed(static_cast<double>(random.Between(0, 3)));
      }
      times.AppendFixed(random.Between(0, 40) * 100'000'000);
      sequences.AppendFixed(plain ? int64_t{0} : random.Between(0, 2));
    }
    key_views.assign(keys.begin(), keys.end());
    for (const Column& column : features) columns.push_back(&column);
  }
  [[nodiscard]] larder::RowsToWrite Rows(const RowLayout& layout, bool plain) const {
    larder::RowsToWrite rows;
    rows.view_id = kView;
    rows.layout = &layout;
    rows.keys = key_views;
    rows.columns = columns;
    rows.event_time = &times;
    if (!plain) rows.sequence = &sequences;
    rows.reference_time = Timestamp{2'500'000'000};
    rows.max_future = larder::Duration::Hours(10);
    rows.version_horizon = larder::Duration::Minutes(10);
    return rows;
  }
};

void CheckSame(const RowsResult& a, const RowsResult& b) {
  CHECK(a.written == b.written);
  CHECK(a.older == b.older);
  CHECK(a.duplicate == b.duplicate);
  CHECK(a.ambiguous == b.ambiguous);
  CHECK(a.dropped == b.dropped);
}

// The bytes of the loaded layer, partition by partition.
std::vector<std::string> LoadedBytes(const std::shared_ptr<larder::Environment>& environment) {
  auto transaction = larder::WriteTransaction::Begin(environment);
  REQUIRE(transaction.ok());
  const auto record =
      transaction->GetRecord(larder::kDirectoryTable, larder::DirectoryKey(kView, Layer::kLoaded));
  REQUIRE(record.ok());
  REQUIRE(record->has_value());
  const auto directory = larder::ViewDirectory::Parse(**record);
  REQUIRE(directory.ok());
  const larder::SegmentSource source = transaction->state().source();
  std::vector<std::string> bytes;
  for (const larder::Partition& partition : directory->partitions()) {
    std::string& of_partition =
        bytes.emplace_back(std::to_string(partition.prefix) + "/" + std::to_string(partition.depth));
    for (const larder::SegmentRef& segment : partition.segments) {
      const auto read = larder::ReadSegment(source, segment.id);
      REQUIRE(read.ok());
      REQUIRE(read->has_value());
      of_partition.append((*read)->substr(0, segment.size));
    }
  }
  return bytes;
}

RowsResult Load(const std::shared_ptr<larder::Environment>& environment, const RowLayout& layout,
                const larder::RowsToWrite& rows, int thread_count) {
  const auto lease = larder::LoadLease::Acquire(environment);
  REQUIRE(lease.ok());
  larder::GenerationOptions options;
  options.view_id = kView;
  options.layout = &layout;
  options.replace = true;
  options.thread_count = thread_count;
  auto builder = larder::GenerationBuilder::Begin(*lease, options);
  REQUIRE(builder.ok());
  REQUIRE(builder->Add(rows).ok());
  auto result = builder->Build();
  INFO(result.status());
  REQUIRE(result.ok());
  REQUIRE(larder::RunWriteTransaction(environment, [&](larder::WriteTransaction& transaction) {
            return builder->Publish(transaction);
          }).ok());
  return *std::move(result);
}

TEST_CASE("a load on one, two and four threads is the same file, pushed rows beside it or not",
          "[online][generation][random]") {
  Random random;
  INFO(random.Describe());
  for (const bool plain : {true, false}) {
    CAPTURE(plain);
    const RowLayout layout = LayoutOf({DataType::Vector(TypeId::kFloat32, 200), TypeId::kFloat64});
    Events events;
    events.Make(random, 17'000, random.OneIn(2) ? 10'000 : 2'000, 200, plain);
    const larder::RowsToWrite rows = events.Rows(layout, plain);

    TemporaryDirectory directory;
    const auto environment = OpenOrFail(directory / "store", WritableOptions());
    const RowsResult one = Load(environment, layout, rows, 1);
    const std::vector<std::string> bytes = LoadedBytes(environment);
    CHECK(bytes.size() > 1);
    for (const int thread_count : {2, 4}) {
      CAPTURE(thread_count);
      CheckSame(Load(environment, layout, rows, thread_count), one);
      CHECK(LoadedBytes(environment) == bytes);
    }
    // With pushed rows, of keys that the load does not have, every key is looked up.
    Events pushed;
    pushed.Make(random, 3, 0, 200, plain);
    for (std::string& key : pushed.keys) key = IntKey(1'000'000);
    pushed.key_views.assign(pushed.keys.begin(), pushed.keys.end());
    REQUIRE(larder::RunWriteTransaction(environment, [&](larder::WriteTransaction& transaction) {
              return transaction.WriteRows(pushed.Rows(layout, plain)).status();
            }).ok());
    CheckSame(Load(environment, layout, rows, 2), one);
    CHECK(LoadedBytes(environment) == bytes);
    const auto report = larder::VerifyStore(directory / "store");
    REQUIRE(report.ok());
    CHECK(report->ok());
  }
}

TEST_CASE("partitions of any fineness come in order, whoever builds them",
          "[online][generation][random]") {
  Random random;
  INFO(random.Describe());
#ifdef __OPTIMIZE__
  constexpr int kRounds = 20;
#else
  constexpr int kRounds = 4;
#endif
  for (int round = 0; round < kRounds; ++round) {
    const auto depth = static_cast<uint8_t>(random.Between(0, 11));
    const bool plain = random.OneIn(2);
    CAPTURE(round, static_cast<int>(depth), plain);
    const RowLayout layout = LayoutOf({DataType::Vector(TypeId::kFloat32, 2), TypeId::kFloat64});
    Events events;
    events.Make(random, static_cast<std::size_t>(random.Between(0, 3'000)), 2'000, 2, plain);
    const std::vector<larder::Partition> partitions =
        larder::ViewDirectory::OfDepth(depth).partitions();
    larder::PartitionTerms terms;
    terms.view_id = kView;
    terms.layout = &layout;
    terms.rules.commit_time = Timestamp{2'500'000'000};
    terms.rules.cutoff = Timestamp{1'900'000'000};

    std::vector<BuiltSegment> expected;
    RowsResult counted;
    for (const int thread_count : {1, 2, 4, 0}) {
      CAPTURE(thread_count);
      LoadRows rows(layout.trailer_offset());
      larder::RowEncoding encoding;
      encoding.commit_time = terms.rules.commit_time;
      RowsResult result;
      REQUIRE(larder::EncodeRows(events.Rows(layout, plain), &encoding, &rows, &result).ok());
      std::vector<BuiltSegment> segments;
      larder::PartitionsAhead ahead(thread_count, terms, partitions, &rows);
      while (true) {
        auto built = ahead.Take();
        REQUIRE(built.ok());
        if (!*built) break;
        std::move((*built)->begin(), (*built)->end(), std::back_inserter(segments));
      }
      if (thread_count == 1) {
        expected = segments;
        counted = ahead.result();
        continue;
      }
      REQUIRE(segments.size() == expected.size());
      for (std::size_t i = 0; i < segments.size(); ++i) {
        CHECK(segments[i].prefix == expected[i].prefix);
        CHECK(segments[i].depth == expected[i].depth);
        CHECK(segments[i].bytes == expected[i].bytes);
      }
      CheckSame(ahead.result(), counted);
    }
    // Given up half-way.
    LoadRows rows(layout.trailer_offset());
    larder::PartitionsAhead ahead(3, terms, partitions, &rows);
    CHECK(ahead.Take().ok());
  }
}

}  // namespace
}  // namespace larder_test
