// What a contract file fixes: each single thing in it, changed, is noticed and named.
#include "larder/registry/service_terms.h"

#include <functional>

#include "registry/example.h"
#include "registry/store.h"

namespace {

using larder::ServiceTerms;
using larder_test::ContainsSubstring;
using larder_test::kFraudJson;
using larder_test::Store;

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  INFO(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

struct Fraud {
  explicit Fraud(std::string_view json = kFraudJson) { store.Apply(json); }
  const larder::ServiceVersion& service(std::string_view name = "fraud_model") {
    const auto found = store.catalog.GetService("fraud", name);
    REQUIRE(found.ok());
    return **found;
  }
  ServiceTerms Terms() { return TermsOf(store.catalog, service()); }
  std::string Difference(const ServiceTerms& terms) {
    const absl::Status status = CheckTerms(store.catalog, service(), terms);
    if (status.ok()) return "";
    CHECK(status.code() == absl::StatusCode::kFailedPrecondition);
    return std::string(larder::MessageOf(status));
  }
  Store store;
};

TEST_CASE("a service keeps its own terms, and so does its twin in another store",
          "[registry][contract]") {
  Fraud fraud, twin;
  const ServiceTerms terms = fraud.Terms();
  CHECK(terms.service == "fraud_model@1");
  CHECK(terms.dtype == "float32");
  CHECK(terms.missing == "null");
  CHECK(terms.partial == "value");
  CHECK(terms.outputs.size() == 4);
  CHECK(twin.Terms() == terms);
  CHECK(fraud.Difference(terms) == "");
  CHECK(twin.Difference(terms) == "");
}

TEST_CASE("terms come back from their text, and the text is the same again",
          "[registry][contract]") {
  Fraud fraud;
  const std::string json = ToJson(fraud.Terms());
  INFO(json);
  const auto parsed = larder::ParseServiceTerms(json, "c.json");
  REQUIRE(parsed.ok());
  CHECK(*parsed == fraud.Terms());
  CHECK(ToJson(*parsed) == json);
}

TEST_CASE("each thing a contract holds is compared, and named when it differs",
          "[registry][contract]") {
  struct Case {
    const char* what;
    std::function<void(ServiceTerms*)> change;
    std::vector<const char*> lines;
  };
  const Case cases[] = {
      {"an output's type",
       [](ServiceTerms* t) { t->outputs[0].type = "int64"; },
       {"- output sum_amount_1h: int64", "+ output sum_amount_1h: float64"}},
      {"an output more",
       [](ServiceTerms* t) {
         t->outputs.push_back({"x", "bool"});
       },
       {"- output x: bool"}},
      {"an output less",
       [](ServiceTerms* t) { t->outputs.pop_back(); },
       {"+ output population: int64"}},
      {"the outputs' order",
       [](ServiceTerms* t) { std::swap(t->outputs[0], t->outputs[1]); },
       {"~ outputs stand in another order"}},
      {"a key",
       [](ServiceTerms* t) { t->keys[0].name = "card"; },
       {"- key card: uint64", "+ key cc_num: uint64"}},
      {"a request field",
       [](ServiceTerms* t) { t->request[0].type = "float32"; },
       {"- request field amount: float32", "+ request field amount: float64"}},
      {"dtype",
       [](ServiceTerms* t) { t->dtype = "float64"; },
       {"- dtype: float64", "+ dtype: float32"}},
      {"missing",
       [](ServiceTerms* t) { t->missing = "error"; },
       {"- missing: error", "+ missing: null"}},
      {"partial",
       [](ServiceTerms* t) { t->partial = "null"; },
       {"- partial: null", "+ partial: value"}},
      {"a view's policy",
       [](ServiceTerms* t) {
         for (std::string& view : t->views)
           if (view.rfind("card_profile: ", 0) == 0) view = "card_profile: ttl 1d, boundary at";
       },
       {"- view card_profile: ttl 1d, boundary at", "+ view card_profile: ttl 365d, boundary at"}},
      {"a function's version",
       [](ServiceTerms* t) { t->functions.emplace_back("plus@1#ab"); },
       {"- function plus@1#ab"}},
      {"the schema's hash", [](ServiceTerms* t) { t->schema_hash = "0"; }, {"- schema: 0"}},
      {"the meaning's hash", [](ServiceTerms* t) { t->meaning_hash = "0"; }, {"- meaning: 0"}},
  };
  Fraud fraud;
  for (const Case& c : cases) {
    INFO(c.what);
    ServiceTerms terms = fraud.Terms();
    c.change(&terms);
    const std::string difference = fraud.Difference(terms);
    CHECK_THAT(difference, ContainsSubstring("does not keep the contract of fraud_model@1"));
    for (const char* line : c.lines) CHECK_THAT(difference, ContainsSubstring(line));
  }
}

TEST_CASE("definitions that change what a model sees break its contract", "[registry][contract]") {
  struct Case {
    const char* from;
    const char* to;
    const char* line;
  };
  const Case cases[] = {
      {R"("missing": "null")", R"("missing": "error")", "+ missing: error"},
      {R"("partial": "value")", R"("partial": "null")", "+ partial: null"},
      {R"("dtype": "float32")", R"("dtype": "float64")", "+ dtype: float64"},
      {R"("ttl": "365d")", R"("ttl": "30d")", "+ view card_profile: ttl 30d"},
      {R"("request.amount / card_mean")", R"("request.amount - card_mean")", "+ meaning: "},
      {R"("where": "amount > 0")", R"("where": "amount > 1")", "+ meaning: "},
  };
  Fraud fraud;
  const ServiceTerms terms = fraud.Terms();
  for (const Case& c : cases) {
    INFO(c.to);
    Fraud changed(Replaced(kFraudJson, c.from, c.to));
    CHECK_THAT(changed.Difference(terms), ContainsSubstring(c.line));
  }
  Fraud described(Replaced(kFraudJson, "Payment card", "A card one pays with"));
  CHECK(described.Difference(terms) == "");
}

TEST_CASE("a contract file that is damaged, incomplete or of a later format is refused, and why",
          "[registry][contract]") {
  Fraud fraud;
  const std::string json = ToJson(fraud.Terms());
  struct Case {
    std::string text;
    absl::StatusCode code;
    const char* message;
  };
  const Case cases[] = {
      {"", absl::StatusCode::kInvalidArgument, "c.json"},
      {"{}", absl::StatusCode::kInvalidArgument, "not a contract file"},
      {Replaced(json, R"("larder_contract": 1)", R"("larder_contract": 2)"),
       absl::StatusCode::kFailedPrecondition, "format 2"},
      {Replaced(json, R"("dtype": "float32",)", ""), absl::StatusCode::kInvalidArgument,
       "/dtype: is missing"},
      {Replaced(json, R"("dtype": "float32")", R"("dtype": 32)"),
       absl::StatusCode::kInvalidArgument, "/dtype: expected text"},
      {Replaced(json, R"("dtype")", R"("colour": "red", "dtype")"),
       absl::StatusCode::kInvalidArgument, "/colour: unknown key"},
      {Replaced(json, R"("functions": [])", R"("functions": [1])"),
       absl::StatusCode::kInvalidArgument, "/functions: expected texts"},
      {Replaced(json, R"("keys": [)", R"("keys": [{"name": "x"}, )"),
       absl::StatusCode::kInvalidArgument, "/keys: expected objects"},
      {Replaced(json, "fraud_model@1", "fraud_model@x"), absl::StatusCode::kInvalidArgument,
       "/service"},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    const auto parsed = larder::ParseServiceTerms(c.text, "c.json");
    CHECK(parsed.status().code() == c.code);
    CHECK_THAT(std::string(larder::MessageOf(parsed.status())), ContainsSubstring(c.message));
  }
}

}  // namespace
