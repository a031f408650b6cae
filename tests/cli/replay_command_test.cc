// replay: what it prints, and what it refuses.
#include <memory>

#include "cli/shell.h"
#include "larder/transform/function.h"
#include "support/catch.h"

namespace larder_test {
namespace {

void MakeReplay(Shell* shell) {
  MakeShop(shell);
  shell->Write("requests.csv",
               "user_id,t,total\n"
               "1,2025-03-01T09:59:59Z,10\n"
               "1,2025-03-01T10:00:00Z,10\n"
               "2,2025-03-05T10:00:00Z,10\n"
               "1,2025-03-10T10:00:00Z,10\n");
}

TEST_CASE("replay prints what it pushed and checked, and leaves the store alone", "[cli][replay]") {
  Shell shell;
  MakeReplay(&shell);
  const std::string before = shell.StoreHash();
  const std::string text =
      shell.Ok("replay --requests $D/requests.csv --shuffle 5 --batch-size 2 --scratch $D");
  INFO(text);
  CHECK_THAT(text, StartsWith("checkout@1: 4 requests at 4 instants, ") &&
                       ContainsSubstring("users ") && ContainsSubstring("purchases_live ") &&
                       ContainsSubstring("vs_last") &&
                       ContainsSubstring("0 mismatches in 16 values"));
  CHECK(shell.StoreHash() == before);
  for (const auto& entry : std::filesystem::directory_iterator(shell.Path("")))
    CHECK(entry.path().filename().string().find("replay-") == std::string::npos);
}

TEST_CASE("replay under --format json says the same for programs", "[cli][replay]") {
  Shell shell;
  MakeReplay(&shell);
  shell.Write("more.csv", "purchase_id,user_id,amount,at\nx,1,5,2025-03-01T09:00:00Z\n");
  const std::string json = shell.Ok(
      "replay --definitions $D/definitions.json --service checkout --requests $D/requests.csv "
      "--events purchases_live=$D/more.csv --format json");
  INFO(json);
  CHECK_THAT(json, ContainsSubstring("\"checked\": 16,") &&
                       ContainsSubstring("\"mismatches\": 0,") &&
                       ContainsSubstring(R"("source": "purchases_live", "pushed": 1, "late": 0)") &&
                       ContainsSubstring("\"first_mismatches\": []"));
}

TEST_CASE("replay shows its progress on a terminal", "[cli][replay]") {
  Shell shell;
  MakeReplay(&shell);
  shell.terminal = true;
  const Ran ran = shell.Run("replay --requests $D/requests.csv");
  CHECK(ran.code == 0);
  CHECK_THAT(ran.err, ContainsSubstring("6 of 6 events pushed, 4 of 4 requests served"));
}

TEST_CASE("replay fails and shows key and time and both values where they differ",
          "[cli][replay]") {
  Shell shell;
  MakeReplay(&shell);
  larder::FunctionDefinition definition;
  definition.name = "counted";
  definition.arguments = {larder::TypeId::kFloat64};
  definition.result = larder::TypeId::kFloat64;
  definition.probes = {{larder::Value(1.0)}};
  // No pure function: what it gives depends on how often it was called.
  definition.scalar = [calls = std::make_shared<int>(0)](std::span<const larder::Datum> arguments,
                                                         larder::FunctionResult* result) {
    result->SetFloat(arguments[0].f64 + 1000 * (*calls)++);
  };
  larder::FunctionRegistry functions;
  REQUIRE(functions.Register(definition).ok());
  shell.functions = &functions;
  std::string text = kShopDefinitions;
  const std::string last = R"("features": [{"name": "amount", "type": "float64"}]}])";
  text.replace(text.find(last), last.size(),
               R"x("features": [{"name": "amount", "expr": "counted(amount)"}]}])x");
  shell.Write("counted.json", text);
  const std::string line =
      "replay --definitions $D/counted.json --requests $D/requests.csv --examples 1 ";
  Ran ran = shell.Run(line);
  INFO(ran.out);
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, ContainsSubstring("4 of 16 values were served otherwise than trained"));
  CHECK_THAT(ran.out, ContainsSubstring("4 mismatches in 16 values") &&
                          ContainsSubstring("2025-03-01T10:00:00Z") &&
                          ContainsSubstring("user_id=1, total=10"));
  ran = shell.Run(line + "--format json");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.out, ContainsSubstring("\"mismatches\": 4,") &&
                          ContainsSubstring("\"inputs\": {\"user_id\": 1, \"total\": 10}"));
}

TEST_CASE("replay says what it needs when it is not told", "[cli][replay]") {
  Shell shell;
  MakeReplay(&shell);
  Ran ran = shell.Run("replay --requests $D/requests.csv --service checkout@1");
  CHECK(ran.code == 2);
  CHECK_THAT(ran.err, ContainsSubstring("without a version"));
  ran = shell.Run("replay --requests $D/requests.csv --events $D/purchases.csv");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, ContainsSubstring("The service reads purchases_live, users"));
  ran = shell.Run("replay --requests $D/none.csv");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, ContainsSubstring("none.csv"));
  CHECK(shell.Run("replay").code == 2);
}

}  // namespace
}  // namespace larder_test
