// What responses and pushes say of themselves.
#include "larder/feature_store/receipt.h"

#include "feature_store/store_fixture.h"

namespace larder_test {
namespace {

using larder::Receipt;

constexpr std::string_view kDefinitions = R"({"project": "p",
 "entities": [{"name": "thing", "join_keys": [{"name": "k", "type": "int64"}]}],
 "sources": [
  {"name": "live", "kind": "push", "event_time": "at",
   "fields": [{"name": "k", "type": "int64"}, {"name": "x", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
 "feature_views": [{"name": "v", "entities": ["thing"], "source": "live", "partial_updates": true,
                    "features": [{"name": "x"}]}],
 "feature_services": [{"name": "s", "features": ["v:x"]}]})";

constexpr larder::Timestamp kAt{1'736'380'800'000'000};  // 2025-01-09

TEST_CASE("a filled tensor and a typed read of one snapshot have one receipt", "[feature_store]") {
  StoreFixture fixture;
  fixture.Apply(kDefinitions);
  fixture.Push("live", {{{"k", 1}, {"x", 5}, {"at", kAt}}});
  auto plan = fixture.store().Bind("s");
  REQUIRE(plan.ok());
  auto session = fixture.store().OpenSession(*plan);
  REQUIRE(session.ok());
  const larder::InputColumn key = larder::InputColumn::Broadcast(int64_t{1});
  double value = 0;
  const larder::Timestamp as_of = At("2025-01-09T12:00:00Z");
  REQUIRE(session->Fill({&key, 1}, as_of, larder::Tensor<double>{&value, 1, 0}).ok());
  CHECK(value == 5);

  larder::OnlineRequest request;
  request.what.service = "s";
  request.rows = {{{"k", 1}}};
  request.as_of = as_of;
  const auto response = fixture.store().GetOnlineFeatures(request);
  REQUIRE(response.ok());
  CHECK(session->receipt().ToString() == response->receipt);
  CHECK(session->receipt() ==
        Receipt{"s@1", response->revision, response->commit_seq, as_of, {}, 0});

  // A receipt is of what was read, whatever was committed since.
  const uint64_t before = session->receipt().commit_seq;
  const larder::PushResult pushed = fixture.Push("live", {{{"k", 1}, {"x", 6}, {"at", kAt}}});
  CHECK(pushed.commit_seq == before + 1);
  CHECK(session->receipt().commit_seq == before);
  REQUIRE(session->Refresh().ok());
  REQUIRE(session->Fill({&key, 1}, as_of, larder::Tensor<double>{&value, 1, 0}).ok());
  CHECK(session->receipt().commit_seq == pushed.commit_seq);
}

TEST_CASE("a receipt reads back as it was written", "[feature_store]") {
  for (const Receipt& receipt :
       {Receipt{"s@12", 3, 4, kAt, {}, 0}, Receipt{"features", 0, 0, kAt, kAt.Minus({1}), 2},
        Receipt{"s@12", 3, 4, kAt, kAt, 0}, Receipt{"s@1", 3, 4, kAt, {}, 1}}) {
    const std::string text = receipt.ToString();
    INFO(text);
    const auto read = Receipt::Parse(text);
    REQUIRE(read.ok());
    CHECK(*read == receipt);
    for (const std::string& bad :
         {text.substr(1 + text.find(' ')), text.substr(0, text.rfind(' ')), text + " and more"}) {
      INFO(bad);
      CHECK(Receipt::Parse(bad).status().code() == absl::StatusCode::kInvalidArgument);
    }
  }
}

}  // namespace
}  // namespace larder_test
