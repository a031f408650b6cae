#include "larder/registry/catalog.h"

#include "registry/example.h"
#include "registry/store.h"

using Catch::Matchers::ContainsSubstring;
using larder::Catalog;
using larder_test::kFraudJson;
using larder_test::Replaced;
using larder_test::Store;

namespace {

template <class T>
std::string Message(const absl::StatusOr<T>& result) {
  REQUIRE_FALSE(result.ok());
  return std::string(larder::MessageOf(result.status()));
}

}  // namespace

TEST_CASE("names are found bare, by version and with suggestions", "[registry][catalog]") {
  Store store;
  store.Apply(kFraudJson);
  store.Apply(Replaced(kFraudJson, "365d", "30d"));
  const Catalog& catalog = store.catalog;
  const std::pair<const char*, int> good[] = {{"card_profile", 2},        {"card_profile@1", 1},
                                              {"card_profile@v2", 2},     {"card_profile@V1", 1},
                                              {"card_profile@latest", 2}, {"card_profile@", 2}};
  for (const auto& [name, version] : good) {
    INFO(name);
    const auto view = catalog.GetView("fraud", name);
    REQUIRE(view.ok());
    CHECK((*view)->version == version);
    CHECK(catalog.FindView((*view)->id) == *view);
  }
  CHECK_THAT(
      Message(catalog.GetView("fraud", "card_profil")),
      ContainsSubstring("unknown feature view: card_profil (did you mean \"card_profile\"?)"));
  CHECK_THAT(Message(catalog.GetView("", "card_profil")),
             ContainsSubstring("did you mean \"card_profile\"?"));
  CHECK(Message(catalog.GetView("fraud", "card_profile@9")) ==
        "feature view card_profile has no version 9; there are card_profile@1, card_profile@2");
  CHECK_THAT(Message(catalog.GetView("frod", "card_profile")),
             ContainsSubstring("unknown project: frod"));
  CHECK(catalog.GetView("fraud", "card_profile@abc").status().code() ==
        absl::StatusCode::kInvalidArgument);
  CHECK_THAT(Message(catalog.GetService("", "fraud")),
             ContainsSubstring("unknown feature service: fraud"));
  CHECK_THAT(Message(catalog.GetEntity("", "crd")), ContainsSubstring("did you mean \"card\"?"));
  CHECK_THAT(Message(catalog.GetSource("", "profile")),
             ContainsSubstring("did you mean \"profiles\"?"));
  CHECK_THAT(Message(catalog.GetLabel("", "x")), ContainsSubstring("unknown label: x"));
  CHECK(catalog.FindView(0) == nullptr);
  CHECK(catalog.FindView(1000) == nullptr);
  CHECK_THAT(Message(Catalog().GetView("", "x")), ContainsSubstring("the store has none"));
}

TEST_CASE("projects share a store and not their names", "[registry][catalog][conformance]") {
  Store store;
  store.Apply(kFraudJson);
  store.Apply(Replaced(kFraudJson, R"("project": "fraud")", R"("project": "other")"));
  CHECK(store.catalog.Projects() == std::vector<std::string>{"fraud", "other"});
  CHECK_THAT(Message(store.catalog.GetView("", "card_spend")),
             ContainsSubstring("is in the projects fraud, other"));
  const auto a = store.catalog.GetView("fraud", "card_spend");
  const auto b = store.catalog.GetView("other", "card_spend");
  REQUIRE(a.ok());
  REQUIRE(b.ok());
  CHECK((*a)->id != (*b)->id);
  CHECK((*a)->data_id != (*b)->data_id);
  // I17: deleting in one leaves the other.
  store.Apply(R"({"project": "other"})", {.prune = true});
  CHECK(store.catalog.GetView("fraud", "card_spend").ok());
  CHECK(store.catalog.GetSource("fraud", "transactions").ok());
  CHECK_FALSE(store.catalog.GetSource("other", "transactions").ok());
  CHECK(store.catalog.GetView("", "card_spend").ok());
  CHECK(store.catalog.ProjectRevision("fraud") == 1);
  CHECK(store.catalog.ProjectRevision("other") == 3);
}

TEST_CASE("damaged catalogs are refused, never half read", "[registry][catalog]") {
  Store store;
  store.Apply(kFraudJson);
  const std::string bytes = store.catalog.Serialize();
  CHECK(Catalog::Parse(bytes).ok());
  for (std::size_t size = 0; size < bytes.size(); size += 97) {
    CHECK(Catalog::Parse(bytes.substr(0, size)).status().code() == absl::StatusCode::kDataLoss);
  }
  for (std::size_t at = 0; at < bytes.size(); at += 61) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
    const bool unused_field = at >= 12 && at < 16;
    CHECK((unused_field || !Catalog::Parse(damaged).ok()));
  }
  std::string newer = bytes;
  newer[8] = 9;
  CHECK(larder::KindOf(Catalog::Parse(newer).status()) == larder::ErrorKind::kVersion);
  CHECK(larder::KindOf(larder::HistoryEntry::Parse("").status()) == larder::ErrorKind::kCorrupt);
}

TEST_CASE("a catalog's copies and pointers outlive the next apply", "[registry][catalog]") {
  Store store;
  store.Apply(kFraudJson);
  const Catalog old = store.catalog;
  const auto view = old.GetView("fraud", "card_profile");
  REQUIRE(view.ok());
  store.Apply(Replaced(kFraudJson, "365d", "30d"));
  CHECK((*view)->definition.ttl == larder::Duration::Days(365));
  CHECK(old.revision() == 1);
  CHECK(store.catalog.revision() == 2);
}

TEST_CASE("a push reaches current, pinned and staged versions, once for shared rows",
          "[registry][catalog]") {
  Store store;
  store.Apply(kFraudJson);
  const auto names = [&](std::string_view source) {
    std::vector<std::string> out;
    for (const auto* view : store.catalog.ViewsOfSource("fraud", source, larder::Timestamp{0}))
      out.push_back(view->ToString());
    return out;
  };
  CHECK(names("transactions_live") == std::vector<std::string>{"card_spend@1"});
  CHECK(names("transactions") == std::vector<std::string>{"card_fraud@1", "card_spend@1"});
  // A ttl change shares the rows: one version stands for both.
  store.Apply(Replaced(kFraudJson, "365d", "30d"));
  CHECK(names("profiles").size() == 1);
  // An expression change does not, and the old version stays pinned by fraud_model@1.
  store.Apply(Replaced(kFraudJson, "lower(city), 1000", "lower(city), 99"));
  CHECK(names("profiles").size() == 2);
}
