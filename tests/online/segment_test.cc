// Segments against a std::map: what is put in is found, nothing else is, and damage is noticed.
#include "online/segment.h"

#include <algorithm>
#include <map>

#include "larder/schema/entity_key.h"
#include "online/row_codec.h"
#include "store_fixture.h"

using larder::Column;
using larder::ErrorKind;
using larder::RowLayout;
using larder::SegmentEntry;
using larder::SegmentView;
using larder::TypeId;
using larder::Value;

namespace {

constexpr uint64_t kSeed = 99;

struct Content {
  std::map<std::string, std::vector<std::string>> rows;  // by key, newest first
  std::string bytes;
};

std::string RowOf(const RowLayout& layout, std::string_view key, int64_t time,
                  std::string_view text) {
  Column number(TypeId::kInt64);
  Column words(TypeId::kString);
  REQUIRE(number.Append(Value(time * 7)).ok());
  REQUIRE(words.Append(Value(text)).ok());
  const Column* columns[] = {&number, &words};
  larder::RowStamp stamp;
  stamp.event_time = time;
  std::string row;
  larder::EncodeRow(layout, stamp, key, columns, {}, 0, &row);
  return row;
}

Content Build(const RowLayout& layout, std::map<std::string, std::vector<std::string>> rows,
              uint8_t depth = 0, uint32_t prefix = 0) {
  Content content;
  content.rows = std::move(rows);
  std::vector<SegmentEntry> entries;
  for (const auto& [key, versions] : content.rows) {
    SegmentEntry& entry = entries.emplace_back();
    entry.key = key;
    entry.hash = larder::Hash64(key, kSeed);
    for (const std::string& row : versions) entry.rows.push_back(row);
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.hash < b.hash; });
  larder::SegmentPlace place;
  place.view_id = 5;
  place.shape = larder::ShapeOf(layout);
  place.depth = depth;
  place.prefix = prefix;
  content.bytes = larder::BuildSegment(place, entries);
  return content;
}

// A row of fixed size: what packs. `stamp` says what else it has.
std::string NumbersRow(const RowLayout& layout, std::string_view key, const larder::RowStamp& stamp,
                       int64_t number) {
  std::vector<Column> columns;
  std::vector<const Column*> pointers;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    Column& column = columns.emplace_back(layout.type(i));
    const bool is_null = number % 5 == static_cast<int64_t>(i);
    REQUIRE(column.Append(is_null ? Value() : Value(static_cast<double>(number) / 3)).ok());
  }
  for (const Column& column : columns) pointers.push_back(&column);
  std::string row;
  larder::EncodeRow(layout, stamp, key, pointers, {}, 0, &row);
  return row;
}

}  // namespace

TEST_CASE("rows of one size are packed, and are what they were once loose again",
          "[online][segment][random]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  const int rounds = larder_test::Rounds(200);
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    // 20 features: their bits take words of their own.
    const std::size_t features = random() % 4 == 0 ? 20 : random() % 7;
    const RowLayout layout =
        larder_test::LayoutOf(std::vector<larder::DataType>(features, TypeId::kFloat64));
    const std::size_t key_size = random() % 40;
    const std::size_t differing = std::min<std::size_t>(key_size, random() % 10);
    const std::size_t keys = key_size == 0 || differing == 0 ? 1 : 1 + random() % 300;
    uint16_t flags = 0;
    for (const uint16_t flag :
         {larder::kRowHasSequence, larder::kRowHasValidTo, larder::kRowHasKnownTime,
          larder::kRowHasRank, larder::kRowHasCommitSeq, larder::kRowPartial}) {
      if (random() % 4 == 0) flags |= flag;
    }
    const int64_t steps[] = {0, 1, 1'000'000, 86'400'000'000, 7'777'777, INT64_MAX / 300};
    const int64_t step = steps[random() % std::size(steps)];
    std::map<std::string, std::vector<std::string>> rows;
    for (std::size_t left = keys; left > 0; --left) {
      std::string key(key_size, 'k');
      for (std::size_t i = key_size - differing; i < key_size; ++i)
        key[i] = static_cast<char>(random());
      std::vector<std::string>& versions = rows[key];
      for (std::size_t more = random() % 8 == 0 ? 3 : 1; versions.size() < more;) {
        larder::RowStamp stamp;
        stamp.flags = flags;
        stamp.event_time = static_cast<int64_t>(random() % 300) * step - 12'345;
        if (round % 10 == 0) stamp.event_time = larder::Timestamp::Min().us;
        stamp.known_time = static_cast<int64_t>(random() % 1000);
        stamp.sequence = static_cast<int64_t>(random() % 1000);
        stamp.valid_to = static_cast<int64_t>(random() % 1000);
        stamp.rank = random() % 1000;
        stamp.commit_seq = random() % 1000;
        versions.push_back(NumbersRow(layout, key, stamp, static_cast<int64_t>(random() % 1000)));
      }
    }
    const Content content = Build(layout, rows);
    const larder::SegmentShape shape = larder::ShapeOf(layout);
    const auto segment = SegmentView::Open(content.bytes, &shape, true);
    REQUIRE(segment.ok());
    REQUIRE(segment->header().packed.is_packed());
    std::size_t visited = 0;
    REQUIRE(segment
                ->ForEachKey([&](const char* row) {
                  ++visited;
                  const std::string key = segment->KeyOf(row);
                  CHECK(segment->Find(larder::Hash64(key, kSeed), key).row == row);
                  CHECK(segment->MayHave(larder::Hash64(key, kSeed)));
                  return absl::OkStatus();
                })
                .ok());
    CHECK(visited == content.rows.size());
    larder::RowArena arena;
    for (const auto& [key, versions] : content.rows) {
      const uint64_t hash = larder::Hash64(key, kSeed);
      const char* row = segment->Find(hash, key).row;
      for (const std::string& version : versions) {
        REQUIRE(row != nullptr);
        REQUIRE(segment->CheckRow(row, hash).ok());
        CHECK(segment->KeyOf(row) == key);
        CHECK((row - content.bytes.data()) % 8 == 0);
        // The segment sets the check and whether an older version follows.
        std::string loose(segment->LooseRow(row, &arena));
        const uint16_t stored =
            larder::FlagsOfRow(loose.data()) & static_cast<uint16_t>(~larder::kRowHasOlder);
        std::memcpy(loose.data() + offsetof(larder::RowHeader, flags), &stored, sizeof(stored));
        std::memset(loose.data(), 0, sizeof(uint32_t));
        REQUIRE(loose == version);
        const auto view = segment->Parse(row, layout);
        const auto expected = larder::RowView::Parse(version, layout);
        REQUIRE(view.ok());
        CHECK(view->event_time() == expected->event_time());
        CHECK(view->known_time() == expected->known_time());
        CHECK(view->sequence() == expected->sequence());
        CHECK(view->valid_to() == expected->valid_to());
        CHECK(view->rank() == expected->rank());
        CHECK(view->commit_seq() == expected->commit_seq());
        CHECK(view->is_partial() == expected->is_partial());
        const larder::FoundRow found = segment->Found(row, layout, segment->EventTimeOf(row));
        REQUIRE(found.payload != nullptr);
        for (std::size_t i = 0; i < features; ++i) {
          CHECK(view->IsPresent(i) == expected->IsPresent(i));
          CHECK(view->ValueAt(i) == expected->ValueAt(i));
          CHECK(std::memcmp(found.payload + layout.offset(i),
                            expected->payload() + layout.offset(i), 8) == 0);
        }
        row = segment->Older(row);
      }
      CHECK(row == nullptr);
      if (key.empty()) continue;
      // Another key of the same hash, differing in one byte: in the part that all keys share, or in its own.
      for (const std::size_t at : {std::size_t{0}, key.size() / 2, key.size() - 1}) {
        std::string other = key;
        other[at] ^= static_cast<char>(1 + random() % 255);
        // Where keys differ in one byte only, this may be one of them, and near enough to be found with this hash.
        if (!content.rows.contains(other)) CHECK(segment->Find(hash, other).row == nullptr);
      }
      CHECK(segment->Find(hash, key.substr(1)).row == nullptr);
      CHECK(segment->Find(hash, key + "k").row == nullptr);
    }
  }
}

TEST_CASE("a packed segment has the bytes that format 4 gives it", "[online][segment]") {
  // A hash, so that no other way to place keys or to number versions goes unnoticed: stores in use hold such segments.
  const RowLayout layout = larder_test::LayoutOf({TypeId::kFloat64, TypeId::kFloat64});
  std::map<std::string, std::vector<std::string>> rows;
  for (int64_t id = 0; id < 300; ++id) {
    std::string key;
    larder::AppendKeyInteger(id * 7, &key);
    for (int64_t version = id % 50 == 0 ? 2 : 0; version >= 0; --version) {
      larder::RowStamp stamp;
      stamp.event_time = 1'700'000'000'000'000 + (id + 300 * version) * 1'000'000;
      rows[key].push_back(NumbersRow(layout, key, stamp, id + version));
    }
  }
  const Content content = Build(layout, rows);
  const auto segment = SegmentView::Open(content.bytes, nullptr, true);
  REQUIRE(segment.ok());
  REQUIRE(segment->is_perfect());
  CHECK(larder::Hash64(content.bytes, 0) == 0x9BA48B26C127C8F0);
}

TEST_CASE("where damage leads has a number of its own", "[online][segment]") {
  // What was found to hold of some row must not be taken for it.
  const RowLayout layout = larder_test::LayoutOf({TypeId::kFloat64});
  std::map<std::string, std::vector<std::string>> rows;
  for (int64_t id = 0; id < 300; ++id) {
    std::string key;
    larder::AppendKeyInteger(id, &key);
    rows[key] = {NumbersRow(layout, key, {}, id)};
  }
  Content content = Build(layout, rows);
  const larder::PerfectParts parts =
      larder::PerfectParts::Of(SegmentView::Open(content.bytes, nullptr, true)->header());
  std::fill(content.bytes.begin() + static_cast<std::ptrdiff_t>(parts.detours),
            content.bytes.begin() + static_cast<std::ptrdiff_t>(parts.chains), '\xFF');
  const auto segment = SegmentView::Open(content.bytes, nullptr, false);
  REQUIRE(segment.ok());
  REQUIRE(segment->is_perfect());
  int damaged = 0;
  for (const auto& [key, versions] : content.rows) {
    const uint64_t hash = larder::Hash64(key, kSeed);
    const SegmentView::Hit hit = segment->Guess(hash);
    REQUIRE(hit.slot < segment->slot_count());
    if (hit.row != nullptr) continue;
    ++damaged;
    CHECK(hit.slot == segment->slot_count() - 1);
    CHECK_FALSE(segment->CheckNear(hash, kSeed).ok());
  }
  CHECK(damaged > 0);
}

TEST_CASE("rows that differ in their parts, and deletes, stay loose", "[online][segment]") {
  const RowLayout layout = larder_test::LayoutOf({TypeId::kFloat64});
  larder::RowStamp plain;
  larder::RowStamp other;
  for (const uint16_t flag : {larder::kRowHasSequence, larder::kRowDelete}) {
    other.flags = flag;
    const Content mixed = Build(layout, {{"a", {NumbersRow(layout, "a", plain, 1)}},
                                         {"b", {NumbersRow(layout, "b", other, 1)}}});
    CHECK_FALSE(SegmentView::Open(mixed.bytes, nullptr, true)->header().packed.is_packed());
  }
  const Content keys = Build(layout, {{"a", {NumbersRow(layout, "a", plain, 1)}},
                                      {"bc", {NumbersRow(layout, "bc", plain, 1)}}});
  CHECK_FALSE(SegmentView::Open(keys.bytes, nullptr, true)->header().packed.is_packed());
}

TEST_CASE("six numbers of an entity with an integer key take one cache line", "[online][segment]") {
  const RowLayout layout = larder_test::LayoutOf(std::vector<larder::DataType>(6, TypeId::kFloat64));
  std::map<std::string, std::vector<std::string>> rows;
  for (int64_t id = 0; id < 5'000; ++id) {
    std::string key;
    larder::AppendKeyInteger(id * 3'000, &key);
    larder::RowStamp stamp;
    stamp.event_time = 1'700'000'000'000'000 + id % 1000 * 86'400'000'000;
    rows[key] = {NumbersRow(layout, key, stamp, id)};
  }
  const Content content = Build(layout, rows);
  const auto segment = SegmentView::Open(content.bytes, nullptr, true);
  REQUIRE(segment.ok());
  CHECK(segment->header().packed.row_size == 64);
  // LMDB puts the value 16 bytes behind a page's start.
  CHECK((segment->header().rows_offset + 16) % 64 == 0);
}

TEST_CASE("a segment finds every key it was built from and no other", "[online][segment][random]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  const RowLayout layout = larder_test::LayoutOf({TypeId::kInt64, TypeId::kString});
  for (const std::size_t keys : {0, 1, 2, 15, 16, 17, 100, 1000, 20'000}) {
    CAPTURE(keys);
    std::map<std::string, std::vector<std::string>> rows;
    while (rows.size() < keys) {
      std::string key(random() % 20, 'k');
      for (char& c : key) c = static_cast<char>(random());
      std::vector<std::string>& versions = rows[key];
      for (std::size_t left = random() % 8 == 0 ? 3 : 1; versions.size() < left;) {
        versions.push_back(RowOf(layout, key, 100 - static_cast<int64_t>(versions.size()),
                                 std::string(random() % 50, 't')));
      }
    }
    const Content content = Build(layout, rows);
    CHECK(content.bytes.size() >= larder::kSegmentSizeMin);
    const larder::SegmentShape shape = larder::ShapeOf(layout);
    const auto segment = SegmentView::Open(content.bytes, &shape, true);
    REQUIRE(segment.ok());
    CHECK(segment->header().key_count == keys);
    CHECK(segment->header().probe_max <= 4);
    std::size_t found = 0;
    for (const auto& [key, versions] : content.rows) {
      const uint64_t hash = larder::Hash64(key, kSeed);
      const char* row = segment->Find(hash, key).row;
      for (const std::string& version : versions) {
        REQUIRE(row != nullptr);
        REQUIRE(segment->CheckRow(row, hash).ok());
        CHECK(segment->KeyOf(row) == key);
        const auto view = segment->Parse(row, layout);
        const auto expected = larder::RowView::Parse(version, layout);
        CHECK(view->event_time() == expected->event_time());
        CHECK(view->ValueAt(1) == expected->ValueAt(1));
        CHECK((row - content.bytes.data()) % 8 == 0);
        row = segment->Older(row);
        ++found;
      }
      CHECK(row == nullptr);
    }
    CHECK(segment->header().row_count == found);
    for (int i = 0; i < 1000; ++i) {
      const std::string key = "absent" + std::to_string(random());
      CHECK(segment->Find(larder::Hash64(key, kSeed), key).row == nullptr);
    }
    std::size_t visited = 0;
    uint64_t last = 0;
    REQUIRE(segment
                ->ForEachKey([&](const char* row) {
                  const uint64_t hash = larder::Hash64(segment->KeyOf(row), kSeed);
                  CHECK(hash >= last);
                  last = hash;
                  ++visited;
                  return absl::OkStatus();
                })
                .ok());
    CHECK(visited == keys);
  }
}

TEST_CASE("keys that share a hash are told apart", "[online][segment]") {
  const RowLayout layout = larder_test::LayoutOf({TypeId::kInt64, TypeId::kString});
  std::vector<std::string> rows;
  std::vector<std::string> keys;
  for (int i = 0; i < 100; ++i) keys.push_back("key" + std::to_string(i));
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys) rows.push_back(RowOf(layout, key, 1, key));
  std::vector<SegmentEntry> entries;
  for (std::size_t i = 0; i < keys.size(); ++i) entries.push_back({77, keys[i], {rows[i]}});
  larder::SegmentPlace place;
  place.shape = larder::ShapeOf(layout);
  const std::string bytes = larder::BuildSegment(place, entries);
  const auto segment = SegmentView::Open(bytes, &place.shape, true);
  REQUIRE(segment.ok());
  for (const std::string& key : keys) {
    const char* row = segment->Find(77, key).row;
    REQUIRE(row != nullptr);
    CHECK(segment->KeyOf(row) == key);
  }
  CHECK(segment->Find(77, "another").row == nullptr);
}

TEST_CASE("packed rows of keys that share a hash are found through slots", "[online][segment]") {
  const RowLayout layout = larder_test::LayoutOf({TypeId::kFloat64});
  std::vector<std::string> keys;
  std::vector<std::string> rows;
  for (int i = 100; i < 150; ++i) keys.push_back("key" + std::to_string(i));
  for (const std::string& key : keys) rows.push_back(NumbersRow(layout, key, {}, 1));
  std::vector<SegmentEntry> entries;
  for (std::size_t i = 0; i < keys.size(); ++i)
    entries.push_back({i < 2 ? 77 : i * 1'000'000'007, keys[i], {rows[i]}});
  larder::SegmentPlace place;
  place.shape = larder::ShapeOf(layout);
  const std::string bytes = larder::BuildSegment(place, entries);
  const auto segment = SegmentView::Open(bytes, &place.shape, true);
  REQUIRE(segment.ok());
  CHECK(segment->header().packed.is_packed());
  CHECK_FALSE(segment->is_perfect());
  for (const SegmentEntry& entry : entries) {
    const char* row = segment->Find(entry.hash, entry.key).row;
    REQUIRE(row != nullptr);
    CHECK(segment->KeyOf(row) == entry.key);
  }
}

TEST_CASE("rows of half a megabyte are found where the places are counted in larger units",
          "[online][segment]") {
  const RowLayout layout = larder_test::LayoutOf({TypeId::kInt64, TypeId::kString});
  std::map<std::string, std::vector<std::string>> rows;
  for (int i = 0; i < 40; ++i) {
    const std::string key = "big" + std::to_string(i);
    rows[key] = {RowOf(layout, key, 2, std::string(500'000, static_cast<char>('a' + i % 26))),
                 RowOf(layout, key, 1, "small")};
  }
  const Content content = Build(layout, rows);
  const auto segment = SegmentView::Open(content.bytes, nullptr, true);
  REQUIRE(segment.ok());
  CHECK(segment->header().unit_shift > 0);
  for (const auto& [key, versions] : content.rows) {
    const uint64_t hash = larder::Hash64(key, kSeed);
    const char* row = segment->Find(hash, key).row;
    REQUIRE(row != nullptr);
    CHECK(segment->CheckRow(row, hash).ok());
    row = segment->Older(row);
    REQUIRE(row != nullptr);
    CHECK(segment->Parse(row, layout)->Text(1) == "small");
  }
}

TEST_CASE("a segment of another layout is refused", "[online][segment]") {
  const RowLayout layout = larder_test::LayoutOf({TypeId::kInt64, TypeId::kString});
  const RowLayout other = larder_test::LayoutOf({TypeId::kFloat64, TypeId::kString});
  const Content content = Build(layout, {{"k", {RowOf(layout, "k", 1, "t")}}});
  const larder::SegmentShape shape = larder::ShapeOf(other);
  CHECK(SegmentView::Open(content.bytes, &shape, true).status().code() ==
        absl::StatusCode::kFailedPrecondition);
}

TEST_CASE(
    "a damaged segment of packed rows gives errors or what was put in, and never leaves its bytes",
    "[online][segment][random]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  const RowLayout layout = larder_test::LayoutOf({TypeId::kFloat64, TypeId::kFloat64});
  std::map<std::string, std::vector<std::string>> rows;
  for (int i = 0; i < 60; ++i) {
    const std::string key = "key" + std::to_string(100 + i);
    larder::RowStamp newer;
    newer.event_time = 1000 + i;
    larder::RowStamp older;
    older.event_time = i;
    rows[key] = {NumbersRow(layout, key, newer, i + 100), NumbersRow(layout, key, older, i)};
  }
  const Content content = Build(layout, rows);
  const auto whole = SegmentView::Open(content.bytes, nullptr, true);
  REQUIRE(whole->is_perfect());
  const auto size = static_cast<std::size_t>(whole->header().size);
  const int rounds = larder_test::Rounds(3'000);
  for (int round = 0; round < rounds; ++round) {
    std::vector<char> bytes(content.bytes.begin(),
                            content.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    for (uint64_t flips = 1 + random() % 3; flips > 0; --flips)
      bytes[random() % bytes.size()] ^= static_cast<char>(1 + random() % 255);
    const auto segment = SegmentView::Open({bytes.data(), bytes.size()}, nullptr, true);
    if (!segment.ok()) {
      CHECK(larder::KindOf(segment.status()) == ErrorKind::kCorrupt);
      continue;
    }
    larder::RowArena arena;
    for (const auto& [key, versions] : content.rows) {
      const uint64_t hash = larder::Hash64(key, kSeed);
      const SegmentView::Hit hit = segment->Find(hash, key);
      if (hit.row == nullptr) CHECK_FALSE(segment->CheckNear(hash, kSeed).ok());
      const char* row = hit.row;
      for (std::size_t i = 0; row != nullptr && i < versions.size(); ++i) {
        const std::string_view loose = segment->LooseRow(row, &arena);
        if (!segment->CheckRow(row, hash).ok()) break;
        CHECK(loose.substr(8) == std::string_view(versions[i]).substr(8));
        row = segment->Older(row);
      }
    }
    static_cast<void>(segment->ForEachKey([](const char*) { return absl::OkStatus(); }));
  }
}

TEST_CASE("a segment whose header and index lie, with checks that hold, is never left",
          "[online][segment][random]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  const RowLayout layout = larder_test::LayoutOf({TypeId::kFloat64, TypeId::kFloat64});
  const larder::SegmentShape shape = larder::ShapeOf(layout);
  for (const bool is_perfect : {true, false}) {
    std::map<std::string, std::vector<std::string>> rows;
    for (int i = 0; i < 60; ++i) {
      const std::string key = "key" + std::to_string(100 + i);
      larder::RowStamp newer;
      newer.event_time = 1000 + i;
      larder::RowStamp older;
      older.event_time = i;
      // Deletes are of another size: rows stay loose, and there are slots.
      if (!is_perfect && i % 7 == 0) newer.flags = larder::kRowDelete;
      rows[key] = {NumbersRow(layout, key, newer, i + 100), NumbersRow(layout, key, older, i)};
    }
    const Content content = Build(layout, rows);
    const auto whole = SegmentView::Open(content.bytes, nullptr, true);
    REQUIRE(whole.ok());
    REQUIRE(whole->is_perfect() == is_perfect);
    const auto size = static_cast<std::size_t>(whole->header().size);
    const std::size_t rows_offset = whole->header().rows_offset;
    const int rounds = larder_test::Rounds(3'000);
    int opened = 0;
    for (int round = 0; round < rounds; ++round) {
      std::vector<char> bytes(content.bytes.begin(),
                              content.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      for (uint64_t flips = 1 + random() % 3; flips > 0; --flips) {
        // The header is small beside the index.
        const std::size_t end = random() % 2 == 0 ? sizeof(larder::SegmentHeader) : rows_offset;
        bytes[8 + random() % (end - 8)] ^= static_cast<char>(1U << (random() % 8));
      }
      auto header = larder::LoadAs<larder::SegmentHeader>(bytes.data());
      if (header.rows_offset >= sizeof(header) && header.rows_offset <= bytes.size()) {
        header.index_check = static_cast<uint32_t>(
            larder::Hash64({bytes.data() + sizeof(header), header.rows_offset - sizeof(header)}));
      }
      header.check = header.CheckOf();
      std::memcpy(bytes.data(), &header, sizeof(header));
      const auto segment = SegmentView::Open({bytes.data(), bytes.size()}, &shape, true);
      if (!segment.ok()) continue;
      ++opened;
      larder::RowArena arena;
      const auto walk = [&](const char* row, uint64_t hash) {
        for (int i = 0; row != nullptr && i < 5; ++i) {
          if (!segment->CheckRow(row, hash).ok()) break;
          static_cast<void>(segment->LooseRow(row, &arena));
          static_cast<void>(segment->KeyOf(row));
          static_cast<void>(segment->EventTimeOf(row));
          row = segment->Older(row);
        }
      };
      for (const auto& [key, versions] : content.rows) {
        const uint64_t hash = larder::Hash64(key, kSeed);
        static_cast<void>(segment->MayHave(hash));
        const SegmentView::Hit hit = segment->Find(hash, key);
        CHECK((hit.row == nullptr || hit.slot < segment->slot_count()));
        if (hit.row == nullptr) static_cast<void>(segment->CheckNear(hash, kSeed));
        walk(hit.row, hash);
      }
      static_cast<void>(segment->ForEachKey([&](const char* row) {
        walk(row, larder::Hash64(segment->KeyOf(row), kSeed));
        return absl::OkStatus();
      }));
    }
    CHECK(opened > 0);
  }
}

TEST_CASE("a damaged segment gives errors or what was put in, and never leaves its bytes",
          "[online][segment][random]") {
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  std::mt19937_64 random(larder_test::TestSeed());
  const RowLayout layout = larder_test::LayoutOf({TypeId::kInt64, TypeId::kString});
  std::map<std::string, std::vector<std::string>> rows;
  for (int i = 0; i < 60; ++i) {
    const std::string key = "key" + std::to_string(i);
    rows[key] = {RowOf(layout, key, 2, "newer " + key), RowOf(layout, key, 1, "older " + key)};
  }
  const Content content = Build(layout, rows);
  const auto size =
      static_cast<std::size_t>(SegmentView::Open(content.bytes, nullptr, true)->header().size);
  const int rounds = larder_test::Rounds(3'000);
  for (int round = 0; round < rounds; ++round) {
    // Exactly as long as the segment, on the heap: a sanitizer sees the first byte beyond.
    std::vector<char> bytes(content.bytes.begin(),
                            content.bytes.begin() + static_cast<std::ptrdiff_t>(size));
    for (uint64_t flips = 1 + random() % 3; flips > 0; --flips)
      bytes[random() % bytes.size()] ^= static_cast<char>(1 + random() % 255);
    const auto segment = SegmentView::Open({bytes.data(), bytes.size()}, nullptr, true);
    if (!segment.ok()) {
      CHECK(larder::KindOf(segment.status()) == ErrorKind::kCorrupt);
      continue;
    }
    for (const auto& [key, versions] : content.rows) {
      const uint64_t hash = larder::Hash64(key, kSeed);
      const SegmentView::Hit hit = segment->Find(hash, key);
      // A key that is not found has left a trace: a row beside it that does not hold its check.
      if (hit.row == nullptr) CHECK_FALSE(segment->CheckNear(hash, kSeed).ok());
      const char* row = hit.row;
      for (std::size_t i = 0; row != nullptr && i < versions.size(); ++i) {
        if (!segment->CheckRow(row, hash).ok()) break;
        const auto view = segment->Parse(row, layout);
        REQUIRE(view.ok());
        CHECK(view->Text(1) == (i == 0 ? "newer " : "older ") + key);
        row = segment->Older(row);
      }
    }
    static_cast<void>(segment->ForEachKey([](const char*) { return absl::OkStatus(); }));
  }
}
