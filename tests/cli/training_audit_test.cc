// The leakage audit and intervals of validity on the command line.
#include <filesystem>

#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

constexpr char kMake[] =
    "get-historical-features --service checkout --spine $D/spine.csv --output $D/t.csv ";

void MakeAsked(Shell* shell) {
  MakeShop(shell);
  shell->Write("spine.csv",
               "user_id,asked_at,total,bought\n"
               "1,2025-03-09T09:59:59Z,60,true\n"
               "9,2025-03-05T00:00:00Z,30,false\n");
}

}  // namespace

TEST_CASE(
    "an audited training set has what contributed to each row beside it, and its manifest says so",
    "[cli][leakage]") {
  Shell shell;
  MakeAsked(&shell);
  CHECK_THAT(shell.Ok(std::string(kMake) + "--audit --label bought"),
             ContainsSubstring("audit: 0 leaks in 2 rows of views: $D/t.csv.audit.csv"));
  CHECK(shell.Read("t.csv.audit.csv") ==
        "row,asked_at,user_profile.event_time,user_profile.known_time,last_purchase.event_time,"
        "last_purchase.known_time,basket.event_time,basket.known_time\n"
        "0,2025-03-09T09:59:59Z,2025-02-01T00:00:00Z,,2025-03-01T10:00:00Z,,2025-03-01T10:00:00Z,\n"
        "1,2025-03-05T00:00:00Z,,,,,,\n");
  const std::string manifest = shell.Read("t.csv.manifest.json");
  CHECK_THAT(manifest, ContainsSubstring("\"path\": \"t.csv.audit.csv\"") &&
                           ContainsSubstring("\"rows_checked\": 1"));
  shell.Ok("verify-dataset $D/t.csv");
  shell.Write("t.csv.audit.csv", "row\n");
  const Ran changed = shell.Run("verify-dataset $D/t.csv");
  CHECK(changed.code == 1);
  CHECK_THAT(changed.err, ContainsSubstring("its audit $D/t.csv.audit.csv has other bytes"));
  // Without an audit a manifest says there was none.
  shell.Ok(std::string(kMake) + "--force");
  CHECK_THAT(shell.Read("t.csv.manifest.json"), ContainsSubstring("\"audit\": null"));
}

TEST_CASE("the file of an audit comes with the set and replaces nothing by itself",
          "[cli][leakage]") {
  Shell shell;
  MakeAsked(&shell);
  const std::string audited = std::string(kMake) + "--audit";
  shell.Write("t.csv.audit.csv", "mine\n");
  const Ran refused = shell.Run(audited);
  CHECK(refused.code == 1);
  CHECK_THAT(refused.err, ContainsSubstring("t.csv.audit.csv exists; --force"));
  CHECK(shell.Read("t.csv.audit.csv") == "mine\n");
  // An output that cannot take its name.
  std::filesystem::create_directories(shell.Path("t.csv/full"));
  CHECK(shell.Run(audited + " --force").code == 1);
  CHECK(shell.Read("t.csv.audit.csv") == "mine\n");
  std::filesystem::remove_all(shell.Path("t.csv"));
  shell.Ok(audited + " --force");
  CHECK_THAT(shell.Read("t.csv.manifest.json"), ContainsSubstring("\"path\": \"t.csv.audit.csv\""));
  shell.Ok("verify-dataset $D/t.csv");
  // Times may be named as the file's numbers are.
  shell.Write("spine.csv", "user_id,row,total\n1,2025-03-09T09:59:59Z,60\n");
  shell.Ok(audited + " --force --time row");
  CHECK_THAT(shell.Read("t.csv.audit.csv"), StartsWith("spine_row,row,user_profile.event_time,"));
}

TEST_CASE("a leak writes nothing and is exit code 1, or is told of", "[cli][leakage]") {
  Shell shell;
  MakeAsked(&shell);
  const Ran failed = shell.Run(std::string(kMake) + "--audit --label total");
  CHECK(failed.code == 1);
  CHECK_THAT(failed.err, ContainsSubstring("the leakage audit found 1 leak") &&
                             ContainsSubstring("feature vs_last: is made of label total"));
  CHECK_FALSE(std::filesystem::exists(shell.Path("t.csv")));
  CHECK_THAT(shell.Ok(std::string(kMake) + "--audit report --label total"),
             ContainsSubstring("audit: 1 leak") &&
                 ContainsSubstring("leak: feature vs_last: is made of label total"));
  CHECK_THAT(shell.Ok(std::string(kMake) + "--audit report --label total --format json --force"),
             ContainsSubstring("\"late_arrival\": 0") && ContainsSubstring("\"leaks\": 1"));
  CHECK_THAT(shell.Read("t.csv.manifest.json"),
             ContainsSubstring("feature vs_last: is made of label total"));
  const Ran unknown = shell.Run(std::string(kMake) + "--audit perhaps");
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err, ContainsSubstring("expected fail or report, found \"perhaps\""));
}

TEST_CASE("a spine and a range of time are not asked for together", "[cli][conformance][E29]") {
  Shell shell;
  MakeAsked(&shell);
  CHECK(shell.Run(std::string(kMake) + "--start 2025-01-15").code == 2);
  CHECK(shell
            .Run("get-validity-intervals --feature user_profile:city --start 2025-01-15 --end "
                 "2025-03-01 --spine $D/spine.csv --output $D/c.csv")
            .code == 2);
}

TEST_CASE("intervals of validity are written as rows", "[cli][validity]") {
  Shell shell;
  MakeShop(&shell);
  const std::string make =
      "get-validity-intervals --feature user_profile:city --start 2025-01-15 --end 2025-03-01 ";
  CHECK(shell.Ok(make + "--output $D/city.csv") ==
        "3 intervals of user_profile@1:city: $D/city.csv\n");
  CHECK(shell.Read("city.csv") ==
        "user_id,valid_from,valid_to,value\n"
        "1,2025-01-15T00:00:00Z,2025-02-01T00:00:00Z,Lyon\n"
        "1,2025-02-01T00:00:00Z,2025-03-01T00:00:00Z,Porto\n"
        "2,2025-01-15T00:00:00Z,2025-03-01T00:00:00Z,\n");
  const Ran again = shell.Run(make + "--output $D/city.csv");
  CHECK(again.code == 1);
  CHECK_THAT(again.err, ContainsSubstring("--force replaces it"));
  CHECK(shell.Run(make + "--output $D/city.npz").code == 2);
  const Ran age = shell.Run(
      "get-validity-intervals --feature user_profile:age --start 2025-01-15 --end 2025-03-01 "
      "--output $D/age.csv");
  CHECK(age.code == 1);
  CHECK_THAT(age.err, ContainsSubstring("changes with the clock itself"));
}

}  // namespace larder_test
