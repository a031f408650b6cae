#include "cli/shell.h"
#include "support/catch.h"

namespace larder_test {
namespace {

TEST_CASE("eval prints value and type, guessing the types of its row", "[cli]") {
  struct Case {
    const char* line;
    const char* printed;
  };
  const Case cases[] = {
      {"eval 'a + 1' --row a=41", "42  int64\n"},
      {"eval 'a + 1' --row a=1.5", "2.5  float64\n"},
      {"eval 'a * 1' --row a=2.0", "2  float64\n"},
      {"eval 'not a' --row a=true", "false  bool\n"},
      {"eval 'lower(a)' --row a=ABC", "abc  string\n"},
      {"eval 'lower(a)' --row a=YES", "yes  string\n"},
      {"eval 'a' --row 'a=2,3,b=4'", "2,3  string\n"},
      {"eval 'a + b' --row a=1,b=2", "3  int64\n"},
      {"eval 'a + b' --row a=1 --row b=2", "3  int64\n"},
      {"eval 'years_between(b, current_date)' --row b=1990-05-17 --as-of 2025-05-17",
       "35  int64\n"},
      {"eval 'age = current_date - b' --row b=1990-05-17 --as-of 1990-05-27T08:00:00Z",
       "10  int64\n"},
      {"eval 'request.amount / mean' --row request.amount=30,mean=12", "2.5  float64\n"},
      {"eval 'coalesce(a, 7)' --row a:int64=null", "7  int64\n"},
      {"eval 'a' --row a:int32=5", "5  int32\n"},
      {"eval 'a / b' --row a=1,b=0", "null  float64  (null by division by zero)\n"},
      {"eval 'a + 1' --row a=1 --format json", "{\"value\": 2, \"type\": \"int64\"}\n"},
  };
  Shell shell;
  for (const Case& c : cases) {
    INFO(c.line);
    CHECK(shell.Ok(c.line) == c.printed);
  }
}

TEST_CASE("eval shows where an expression is wrong", "[cli]") {
  Shell shell;
  struct Case {
    const char* line;
    const char* message;
  };
  const Case cases[] = {
      {"eval 'amount +' --row amount=1", "^"},
      {"eval 'amuont + 1' --row amount=1", "amount"},
      {"eval 'amount + 1' --row amount=abc", "^"},
      {"eval 'x' --row x:int65=1", "int65"},
      {"eval 'x' --row x:int64=abc", "--row x: cannot read \"abc\" as int64"},
  };
  for (const Case& c : cases) {
    INFO(c.line);
    const Ran ran = shell.Run(c.line);
    CHECK(ran.code == 1);
    CHECK(ran.out == "");
    CHECK_THAT(ran.err, StartsWith("larder: ") && ContainsSubstring(c.message));
  }
}

TEST_CASE("infer prints a source that definitions accept", "[cli]") {
  Shell shell;
  shell.Write("tx.csv", "user_id,amount,at\n1,2.5,2025-01-01T00:00:00Z\n2,,2025-01-02T00:00:00Z\n");
  const std::string source = shell.Ok("infer $D/tx.csv");
  CHECK_THAT(source,
             ContainsSubstring("\"name\": \"tx\"") && ContainsSubstring("\"event_time\": \"at\""));
  shell.Write("definitions.json", "{\"larder\": 1, \"project\": \"p\", \"sources\": [" +
                                      shell.Ok("infer $D/tx.csv") + "]}");
  // The path in it is as given, and the folder's name was hidden from this test.
  CHECK_THAT(shell.Ok("plan $D/definitions.json"), ContainsSubstring("tx"));
  CHECK(shell.Run("infer $D/missing.csv").code == 1);
}

}  // namespace
}  // namespace larder_test
