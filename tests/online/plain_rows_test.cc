// Rows on their way into a load, taken many at a time, against the same taken one by one.
#include "online/plain_rows.h"

#include <algorithm>
#include <map>

#include "larder/base/hash.h"
#include "online/load_rows.h"
#include "online/partition_merge.h"
#include "online/row_codec.h"
#include "store_fixture.h"
#include "support/random.h"

namespace larder_test {
namespace {

using larder::Column;
using larder::DataType;
using larder::LoadRows;
using larder::NewRow;
using larder::NewRows;
using larder::RowEncoding;
using larder::RowLayout;
using larder::RowRejection;
using larder::RowsResult;
using larder::RowsToWrite;
using larder::SegmentEntry;
using larder::Timestamp;
using larder::TypeId;

#ifdef __OPTIMIZE__
constexpr int kRounds = 60;
#else
constexpr int kRounds = 15;
#endif
constexpr int64_t kLatest = 1'000;  // event time that is taken

// Columns of rows, and what refers to them.
struct Made {
  std::vector<std::string> key_bytes;
  std::vector<std::string_view> keys;
  std::vector<Column> features;
  std::vector<const Column*> columns;
  Column times{TypeId::kTimestamp};
  Column deletes{TypeId::kBool};
  RowLayout layout = LayoutOf({});
  RowsToWrite rows;
};

void MakeRows(Random& random, std::size_t count, Made* made) {
  static const std::vector<DataType> kTypes = {TypeId::kFloat64,
                                               TypeId::kInt32,
                                               TypeId::kBool,
                                               TypeId::kTimestamp,
                                               DataType::Vector(TypeId::kFloat32, 3),
                                               DataType::Vector(TypeId::kInt8, 5)};
  std::vector<DataType> types;
  for (int64_t i = random.Between(0, random.OneIn(4) ? 40 : 8); i > 0; --i)
    types.push_back(kTypes[static_cast<std::size_t>(random.Between(0, 5))]);
  if (random.OneIn(8)) types.emplace_back(TypeId::kString);
  made->layout = LayoutOf(types);
  const int64_t odd_in = random.OneIn(3) ? 1'000'000 : random.Between(20, 400);
  const int64_t key_size_max = random.OneIn(3) ? 8 : 30;
  for (std::size_t i = 0; i < count; ++i) {
    std::string& key = made->key_bytes.emplace_back(
        random.Text(static_cast<std::size_t>(key_size_max), "abcdefghijklmnopqrstuvwxyz"));
    if (random.OneIn(odd_in)) key = std::string(500, 'k');
    if (random.OneIn(odd_in)) {
      made->times.AppendNull();
    } else {
      made->times.AppendFixed(random.Between(0, kLatest) + (random.OneIn(odd_in) ? kLatest : 0));
    }
    made->deletes.AppendFixed(static_cast<uint8_t>(random.OneIn(odd_in) ? 1 : 0));
  }
  for (const std::string& key : made->key_bytes)
    made->keys.push_back(random.OneIn(odd_in) ? std::string_view() : std::string_view(key));
  for (const DataType& type : types) {
    Column& column = made->features.emplace_back(type);
    const int64_t null_in = random.OneIn(2) ? 1'000'000 : 3;
    for (std::size_t i = 0; i < count; ++i) {
      if (random.OneIn(null_in)) {
        column.AppendNull();
      } else if (type.is_text()) {
        column.AppendText(random.Text(4, "xyz"));
      } else {
        std::string bytes(type.byte_width(), '\0');
        for (char& byte : bytes) byte = static_cast<char>(random.Bits());
        if (type == DataType(TypeId::kBool)) bytes[0] = static_cast<char>(bytes[0] & 1);
        column.AppendRaw(bytes.data(), bytes.size());
      }
    }
  }
  for (const Column& column : made->features) made->columns.push_back(&column);
  made->rows.layout = &made->layout;
  made->rows.keys = made->keys;
  made->rows.columns = made->columns;
  made->rows.max_future = larder::Duration{0};
  if (!random.OneIn(6)) made->rows.event_time = &made->times;
  if (random.OneIn(4)) made->rows.is_delete = &made->deletes;
  if (random.OneIn(6)) made->rows.tie_order = larder::TieOrder::kCommit;
  if (random.OneIn(6)) made->rows.available_after = larder::Duration{random.Between(0, 2)};
}

// What each row comes to, one by one.
struct Expected {
  std::vector<std::pair<uint64_t, std::string>> rows;  // hash and bytes
  RowsResult result;
};

Expected EncodeOneByOne(const RowsToWrite& rows, const RowEncoding& encoding) {
  Expected expected;
  uint64_t ranked = 0;
  for (std::size_t i = 0; i < rows.keys.size(); ++i) {
    const auto refuse = [&](RowRejection reason) {
      ++expected.result.rejected[static_cast<std::size_t>(reason)];
      if (expected.result.first_rejected.size() < 10)
        expected.result.first_rejected.push_back({i, reason});
    };
    larder::RowStamp stamp;
    const bool timeless = rows.event_time == nullptr;
    stamp.flags = timeless ? larder::kRowTimeless : 0;
    stamp.event_time = Timestamp::Min().us;
    if (rows.keys[i].data() == nullptr) {
      refuse(RowRejection::kNullKey);
      continue;
    }
    if (rows.keys[i].size() > larder::kEntityKeySizeMax) {
      refuse(RowRejection::kKeyTooLarge);
      continue;
    }
    if (!timeless && !rows.event_time->IsValid(i)) {
      refuse(RowRejection::kNullEventTime);
      continue;
    }
    if (!timeless) stamp.event_time = rows.event_time->Values<int64_t>()[i];
    if (stamp.event_time > kLatest) {
      refuse(RowRejection::kFuture);
      continue;
    }
    stamp.known_time = stamp.event_time;
    if (!timeless && rows.available_after) stamp.known_time += rows.available_after->us;
    if (stamp.known_time != stamp.event_time) stamp.flags |= larder::kRowHasKnownTime;
    if (rows.is_delete != nullptr && rows.is_delete->Values<uint8_t>()[i] != 0)
      stamp.flags |= larder::kRowDelete;
    if (rows.tie_order == larder::TieOrder::kCommit) {
      stamp.flags |= larder::kRowHasRank;
      stamp.rank = encoding.commit_seq * larder::kRanksOfCommit + ranked++;
    }
    std::string& bytes =
        expected.rows.emplace_back(larder::Hash64(rows.keys[i], encoding.hash_seed), "").second;
    larder::EncodeRow(*rows.layout, stamp, rows.keys[i], rows.columns, rows.presence, i, &bytes);
  }
  return expected;
}

RowEncoding EncodingOf(Random& random) {
  RowEncoding encoding;
  encoding.commit_seq = 3;
  encoding.commit_time = Timestamp{kLatest};
  encoding.hash_seed = random.Bits();
  return encoding;
}

TEST_CASE("rows taken by blocks are the bytes and the refusals of rows taken one by one",
          "[online][random]") {
  Random random;
  INFO(random.Describe());
  for (int round = 0; round < kRounds; ++round) {
    CAPTURE(round);
    Made made;
    MakeRows(random, static_cast<std::size_t>(random.Between(0, 700)), &made);
    const RowEncoding encoding = EncodingOf(random);
    const Expected expected = EncodeOneByOne(made.rows, encoding);

    RowEncoding used = encoding;
    NewRows encoded;
    RowsResult result;
    REQUIRE(larder::EncodeRows(made.rows, &used, &encoded, &result).ok());
    REQUIRE(encoded.rows.size() == expected.rows.size());
    for (std::size_t i = 0; i < encoded.rows.size(); ++i) {
      CAPTURE(i);
      REQUIRE(encoded.rows[i].hash == expected.rows[i].first);
      REQUIRE(encoded.rows[i].bytes() == expected.rows[i].second);
      REQUIRE(larder::Hash64(encoded.rows[i].key(), encoding.hash_seed) == encoded.rows[i].hash);
    }
    CHECK(result.rejected == expected.result.rejected);
    REQUIRE(result.first_rejected.size() == expected.result.first_rejected.size());
    for (std::size_t i = 0; i < result.first_rejected.size(); ++i) {
      CHECK(result.first_rejected[i].row == expected.result.first_rejected[i].row);
      CHECK(result.first_rejected[i].reason == expected.result.first_rejected[i].reason);
    }
  }
}

TEST_CASE("a load's rows come back part by part in the order that sorting all gives",
          "[online][random]") {
  Random random;
  INFO(random.Describe());
  for (int round = 0; round < kRounds / 3; ++round) {
    CAPTURE(round);
    LoadRows rows(LayoutOf({}).trailer_offset());
    NewRows all;
    RowsResult by_parts;
    RowsResult result;
    for (int64_t adds = random.Between(1, 4); adds > 0; --adds) {
      Made made;
      const bool is_for_threads = round == 0 && adds == 1;
      const int64_t count_max = is_for_threads ? 120'000 : 3'000;
      MakeRows(random, static_cast<std::size_t>(random.Between(count_max - 3'000, count_max)),
               &made);
      made.layout = LayoutOf({});
      made.rows.columns = {};
      RowEncoding encoding = EncodingOf(random);
      encoding.hash_seed = 7;
      RowEncoding again = encoding;
      const auto thread_count = static_cast<int>(random.Between(is_for_threads ? 2 : 0, 4));
      REQUIRE(larder::EncodeLoad(made.rows, thread_count, &encoding, &rows, &by_parts).ok());
      REQUIRE(larder::EncodeRows(made.rows, &again, &all, &result).ok());
      CHECK(encoding.ranked_rows == again.ranked_rows);
    }
    CHECK(by_parts.rejected == result.rejected);
    REQUIRE(by_parts.first_rejected.size() == result.first_rejected.size());
    for (std::size_t i = 0; i < result.first_rejected.size(); ++i)
      CHECK(by_parts.first_rejected[i].row == result.first_rejected[i].row);
    larder::SortByKey(&all.rows);
    REQUIRE(rows.row_count() == all.rows.size());
    const auto depth = static_cast<uint8_t>(random.Between(0, 12));
    larder::SortedLoadRows sorted(&rows);
    std::size_t at = 0;
    for (uint32_t prefix = 0; prefix < uint32_t{1} << depth; ++prefix) {
      for (const NewRow& row : sorted.RowsOf(prefix, depth)) {
        REQUIRE(at < all.rows.size());
        REQUIRE(row.hash == all.rows[at].hash);
        REQUIRE((depth == 0 ? 0 : row.hash >> (64 - depth)) == prefix);
        REQUIRE(row.key() == all.rows[at].key());
        REQUIRE(row.bytes() == all.rows[at].bytes());
        ++at;
      }
    }
    CHECK(at == all.rows.size());
  }
}

TEST_CASE("the versions of keys with plain rows are those that the chain keeps",
          "[online][random]") {
  Random random;
  INFO(random.Describe());
  const RowLayout layout = LayoutOf({TypeId::kInt64});
  for (int round = 0; round < 4 * kRounds; ++round) {
    CAPTURE(round);
    // A few keys; times that meet often, or hardly ever.
    const int64_t time_max = random.OneIn(2) ? 12 : 1'000;
    larder::VersionChain::Rules rules;
    rules.commit_time = Timestamp{random.Between(0, time_max)};
    rules.cutoff = Timestamp{random.Between(-1, time_max)};
    rules.skips_others_rows = true;
    NewRows rows;
    for (int64_t i = random.Between(1, 60); i > 0; --i) {
      Column number(TypeId::kInt64);
      number.AppendFixed(random.Between(0, 2));
      const Column* columns[] = {&number};
      larder::RowStamp stamp;
      stamp.event_time = stamp.known_time = random.Between(0, time_max);
      if (random.OneIn(30)) stamp.flags |= larder::kRowDelete;
      const std::string key = IntKey(random.Between(0, 9));
      std::string bytes;
      larder::EncodeRow(layout, stamp, key, columns, {}, 0, &bytes);
      const std::size_t key_offset =
          larder::TrailerOffset(layout, stamp.flags) + larder::kRowTrailerSize;
      char* const row = rows.Add(larder::Hash64(key, 1), key_offset, key.size(), bytes.size());
      std::memcpy(row, bytes.data(), bytes.size());
    }
    larder::SortByKey(&rows.rows);

    larder::RowArena arena;
    larder::VersionChain chain(layout, rules, &arena);
    RowsResult expected;
    std::vector<std::vector<std::string>> kept;
    std::vector<larder::RowView> versions;
    for (std::size_t i = 0; i < rows.rows.size();) {
      versions.clear();
      chain.Reset(&versions, {});
      const std::string_view key = rows.rows[i].key();
      for (; i < rows.rows.size() && rows.rows[i].key() == key; ++i) {
        const auto outcome = chain.Insert(rows.rows[i].bytes());
        REQUIRE(outcome.ok());
        outcome->CountIn(&expected);
      }
      std::vector<std::string>& of_key = kept.emplace_back();
      for (const larder::RowView& version : versions) of_key.emplace_back(version.bytes());
    }

    larder::PartitionMerge merge(layout, rules);
    std::vector<SegmentEntry> merged;
    REQUIRE(merge.Merge(rows.rows, {}, {}, &merged).ok());
    REQUIRE(merged.size() == kept.size());
    std::size_t count = 0;
    for (std::size_t i = 0; i < merged.size(); ++i) {
      CAPTURE(i);
      count += kept[i].size();
      REQUIRE(merged[i].rows.size() == kept[i].size());
      for (std::size_t j = 0; j < kept[i].size(); ++j) CHECK(merged[i].rows[j] == kept[i][j]);
    }
    CHECK(merge.added() == static_cast<int64_t>(count));
    CHECK(merge.result().written == expected.written);
    CHECK(merge.result().older == expected.older);
    CHECK(merge.result().duplicate == expected.duplicate);
    CHECK(merge.result().ambiguous == expected.ambiguous);
    CHECK(merge.result().dropped == expected.dropped);
    CHECK(merge.floors().as_of == chain.floors().as_of);
    CHECK(merge.floors().known_at == chain.floors().known_at);
  }
}

}  // namespace
}  // namespace larder_test
