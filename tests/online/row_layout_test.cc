#include "larder/online/row_layout.h"

#include <string>
#include <vector>

#include "larder/online/row_view.h"
#include "online/row_codec.h"
#include "online/stored_row.h"
#include "store_fixture.h"

using larder::Column;
using larder::DataType;
using larder::RowLayout;
using larder::TypeId;
using larder::Value;

namespace {

const std::vector<DataType> kAllTypes = {TypeId::kBool,
                                         TypeId::kInt32,
                                         TypeId::kInt64,
                                         TypeId::kUint64,
                                         TypeId::kFloat32,
                                         TypeId::kFloat64,
                                         TypeId::kString,
                                         TypeId::kBytes,
                                         TypeId::kTimestamp,
                                         TypeId::kDate,
                                         TypeId::kDuration,
                                         DataType::Vector(TypeId::kFloat32, 5),
                                         DataType::Vector(TypeId::kInt8, 3),
                                         DataType::List(TypeId::kString),
                                         DataType::List(TypeId::kInt64),
                                         DataType::Map(TypeId::kFloat64)};

std::vector<Value> AllValues() {
  return {Value(true),
          Value(int32_t{-7}),
          Value(int64_t{1} << 40),
          Value(~uint64_t{0}),
          Value(1.5f),
          Value(-0.0),
          Value("caf\xC3\xA9"),
          Value(larder::Bytes{std::string("\0\1", 2)}),
          Value(larder::Timestamp{123456}),
          Value(larder::Date{-3}),
          Value(larder::Duration{-9}),
          Value(std::vector<float>{1, 2, 3, 4, 5}),
          Value(std::vector<int8_t>{-1, 0, 1}),
          Value(larder::ListValue{TypeId::kString, {Value("a"), Value(), Value("")}}),
          Value(larder::ListValue{TypeId::kInt64, {}}),
          Value(larder::MapValue{TypeId::kFloat64, {{"x", Value(0.5)}, {"y", Value()}}})};
}

std::string Encode(const RowLayout& layout, const std::vector<Value>& values,
                   larder::RowStamp stamp = {}) {
  std::vector<Column> columns;
  std::vector<const Column*> pointers;
  for (std::size_t i = 0; i < layout.size(); ++i) {
    columns.emplace_back(layout.type(i));
    REQUIRE(columns.back().Append(values[i]).ok());
  }
  for (const Column& column : columns) pointers.push_back(&column);
  std::string row;
  larder::EncodeRow(layout, stamp, "the key", pointers, {}, 0, &row);
  return row;
}

}  // namespace

TEST_CASE("every fixed-width value sits at a multiple of its own alignment", "[online][layout]") {
  const RowLayout layout = larder_test::LayoutOf(kAllTypes);
  for (std::size_t i = 0; i < layout.size(); ++i) {
    const std::size_t width = layout.width(i);
    const bool wide = width >= 8 || layout.type(i).id() == TypeId::kVector;
    CAPTURE(layout.type(i).ToString());
    CHECK(layout.offset(i) % (wide ? 8 : width) == 0);
    CHECK(layout.offset(i) + width <= layout.fixed_size());
    for (std::size_t j = 0; j < i; ++j) {
      const bool apart = layout.offset(i) + width <= layout.offset(j) ||
                         layout.offset(j) + layout.width(j) <= layout.offset(i);
      CHECK(apart);
    }
  }
  CHECK(layout.fixed_size() % 8 == 0);
}

TEST_CASE("a row gives back every type of value it was given", "[online][layout]") {
  const RowLayout layout = larder_test::LayoutOf(kAllTypes);
  const std::vector<Value> values = AllValues();
  const std::string row = Encode(layout, values);
  CHECK(row.size() % 8 == 0);
  const auto view = larder::RowView::Parse(row, layout);
  REQUIRE(view.ok());
  for (std::size_t i = 0; i < values.size(); ++i) {
    CAPTURE(i, layout.type(i).ToString());
    CHECK(view->IsValid(i));
    CHECK(view->ValueAt(i) == values[i]);
  }
  CHECK(view->Get<int64_t>(2) == int64_t{1} << 40);
  CHECK(view->Text(6) == "caf\xC3\xA9");
  CHECK(view->Vector<float>(11)[4] == 5.0f);
}

TEST_CASE("nulls read as null, zero or empty", "[online][layout]") {
  const RowLayout layout = larder_test::LayoutOf(kAllTypes);
  const std::string row = Encode(layout, std::vector<Value>(kAllTypes.size()));
  const auto view = larder::RowView::Parse(row, layout);
  REQUIRE(view.ok());
  for (std::size_t i = 0; i < layout.size(); ++i) {
    CHECK_FALSE(view->IsValid(i));
    CHECK(view->ValueAt(i).is_null());
  }
  CHECK(view->Get<int64_t>(2) == 0);
  CHECK(view->Text(6).empty());
}

TEST_CASE("a row keeps its stamp, with and without sequence and end", "[online][layout]") {
  const RowLayout layout = larder_test::LayoutOf({TypeId::kInt64});
  constexpr int kWords[] = {larder::kRowHasKnownTime, larder::kRowHasSequence,
                            larder::kRowHasValidTo, larder::kRowHasRank, larder::kRowHasCommitSeq};
  for (int subset = 0; subset < 32; ++subset) {
    int flags = 0;
    for (int word = 0; word < 5; ++word) flags |= (subset >> word & 1) * kWords[word];
    larder::RowStamp stamp;
    stamp.flags = static_cast<uint16_t>(flags);
    stamp.event_time = 11;
    stamp.known_time = 12;
    stamp.commit_seq = 13;
    stamp.sequence = 14;
    stamp.valid_to = 15;
    stamp.rank = 16;
    const std::string row = Encode(layout, {Value(int64_t{42})}, stamp);
    const auto view = larder::RowView::Parse(row, layout);
    REQUIRE(view.ok());
    CHECK(view->event_time().us == 11);
    CHECK(larder::KeyOfLooseRow(row, layout.trailer_offset()) == "the key");
    CHECK(view->known_time().us == ((flags & larder::kRowHasKnownTime) != 0 ? 12 : 11));
    CHECK(view->commit_seq() == ((flags & larder::kRowHasCommitSeq) != 0 ? 13 : 0));
    CHECK(view->rank() == ((flags & larder::kRowHasRank) != 0 ? 16 : 0));
    CHECK(view->sequence().has_value() == ((flags & larder::kRowHasSequence) != 0));
    CHECK(view->sequence().value_or(14) == 14);
    CHECK(view->valid_to().value_or(larder::Timestamp{15}).us == 15);
    CHECK(view->Get<int64_t>(0) == 42);
  }
}

TEST_CASE("a row cut short is damage", "[online][layout]") {
  const RowLayout numbers = larder_test::LayoutOf({TypeId::kInt64, TypeId::kInt64});
  const std::string row = Encode(numbers, {Value(int64_t{1}), Value(int64_t{2})});
  for (std::size_t size = 0; size < row.size(); ++size) {
    const auto view = larder::RowView::Parse(std::string_view(row).substr(0, size), numbers);
    CHECK(larder::KindOf(view.status()) == larder::ErrorKind::kCorrupt);
  }
}

TEST_CASE("no damage inside a row makes a read leave it", "[online][layout][random]") {
  const RowLayout layout = larder_test::LayoutOf(kAllTypes);
  const std::string sound = Encode(layout, AllValues());
  std::mt19937_64 random(larder_test::TestSeed());
  INFO("LARDER_SEED=" << larder_test::TestSeed());
  for (int round = 0; round < 20'000; ++round) {
    // Exactly as long as the row, on the heap: a sanitizer sees the first byte beyond.
    std::vector<char> bytes(sound.begin(), sound.end());
    for (int flips = 0; flips < 3; ++flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto view = larder::RowView::Parse({bytes.data(), bytes.size()}, layout);
    if (!view.ok()) continue;
    std::string canonical;
    for (std::size_t i = 0; i < layout.size(); ++i) {
      if (view->is_delete()) break;
      static_cast<void>(view->ValueAt(i));
      static_cast<void>(view->IsPresent(i));
    }
    view->AppendCanonicalBytes(&canonical);
    CHECK_FALSE(canonical.empty());
  }
}

TEST_CASE("canonical bytes are equal exactly for equal rows", "[online][layout]") {
  const RowLayout layout = larder_test::LayoutOf({TypeId::kInt64, TypeId::kString});
  const auto canonical = [&layout](const Value& number, const Value& text) {
    const std::string row = Encode(layout, {number, text});
    std::string out;
    larder::RowView::Parse(row, layout)->AppendCanonicalBytes(&out);
    return out;
  };
  CHECK(canonical(int64_t{1}, "a") == canonical(int64_t{1}, "a"));
  CHECK(canonical(int64_t{1}, "a") != canonical(int64_t{1}, "b"));
  CHECK(canonical(int64_t{1}, "") != canonical(int64_t{1}, Value()));
  CHECK(canonical(int64_t{0}, "") != canonical(Value(), ""));
}

TEST_CASE("a layout of too many or too large features is refused", "[online][layout]") {
  CHECK(larder::KindOf(RowLayout::Make(std::vector<DataType>(5000, TypeId::kBool)).status()) ==
        larder::ErrorKind::kTooLarge);
  CHECK(larder::KindOf(
            RowLayout::Make(std::vector<DataType>{DataType::Vector(TypeId::kFloat32, 1U << 20)})
                .status()) == larder::ErrorKind::kTooLarge);
}
