#include "larder/training/spine.h"

#include <string>

#include "support/catch.h"
#include "training/event_table.h"

using larder::Batch;
using larder::Spine;
using larder::TypeId;
using larder_test::ColumnOf;
using larder_test::TimesOf;

namespace {

Batch TwoTimes() {
  Batch batch;
  REQUIRE(batch.AddColumn("user_id", ColumnOf(TypeId::kInt64, {int64_t{1}, int64_t{2}})).ok());
  REQUIRE(batch.AddColumn("at", TimesOf({5, 6})).ok());
  REQUIRE(
      batch.AddColumn("seen", ColumnOf(TypeId::kTimestamp, {larder::Timestamp{1}, larder::Value()}))
          .ok());
  return batch;
}

std::string MessageOf(const absl::StatusOr<Spine>& spine) {
  return std::string(larder::MessageOf(spine.status()));
}

}  // namespace

TEST_CASE("the spine's time is the named column or the only timestamp there is",
          "[training][spine]") {
  const auto named = Spine::Make(TwoTimes(), "at");
  REQUIRE(named.ok());
  CHECK(named->time_column() == "at");
  CHECK(named->row_count() == 2);
  CHECK(named->times().Values<int64_t>()[1] == 6);

  CHECK(MessageOf(Spine::Make(TwoTimes())) ==
        "the spine has several columns of type timestamp: name the one that counts, at or seen");
  CHECK(MessageOf(Spine::Make(TwoTimes(), "user_id")) ==
        "the spine's time column user_id has type int64, expected timestamp");
  CHECK(MessageOf(Spine::Make(TwoTimes(), "sen")) ==
        "the spine has no time column sen (did you mean \"seen\"?)");
  CHECK(MessageOf(Spine::Make(TwoTimes(), "seen")) ==
        "the spine's time column seen is null in 1 row, the first being row 1");

  Batch only;
  REQUIRE(only.AddColumn("at", TimesOf({5})).ok());
  CHECK(Spine::Make(only).ok());
  Batch none;
  REQUIRE(none.AddColumn("user_id", ColumnOf(TypeId::kInt64, {int64_t{1}})).ok());
  CHECK_FALSE(Spine::Make(none).ok());
}

TEST_CASE("a missing spine column is named with who needs it", "[training][spine]") {
  const auto spine = Spine::Make(TwoTimes(), "at");
  REQUIRE(spine.ok());
  CHECK(spine->FindColumn("user_id", "view a").ok());
  const auto missing = spine->FindColumn("userid", "view purchase_history");
  CHECK(std::string(larder::MessageOf(missing.status())) ==
        "the spine has no column userid, which view purchase_history needs (did you mean "
        "\"user_id\"?)");
}
