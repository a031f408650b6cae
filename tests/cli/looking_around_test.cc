#include "cli/shell.h"
#include "registry/example.h"
#include "support/catch.h"

namespace larder_test {
namespace {

TEST_CASE("list shows every object with what it is made of", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  // clang-format off
  CHECK(shell.Ok("list") ==
        "kind             name             detail                                entities  owner   tags    description\n"
        "entity           user             user_id int64                                                   A customer\n"
        "source           users            csv users.csv, event time changed_at\n"
        "source           purchases        csv purchases.csv, event time at\n"
        "source           purchases_live   push beside purchases, event time at\n"
        "feature view     last_purchase@1  1 feature from purchases_live         user\n"
        "feature view     user_profile@1   2 features from users                 user      growth  tier=1\n"
        "on-demand view   basket@1         1 feature                             user\n"
        "feature service  checkout@1       4 features by user_id                 user\n");
  CHECK(shell.Ok("list features") ==
        "name                  detail   entities  owner   tags\n"
        "last_purchase:amount  float64  user\n"
        "user_profile:city     string   user      growth  tier=1\n"
        "user_profile:age      int64    user      growth  tier=1\n"
        "basket:vs_last        float64  user\n");
  // clang-format on
}

TEST_CASE("list filters by kind, name, owner, entity and tag", "[cli]") {
  struct Case {
    const char* line;
    const char* names;
  };
  const Case cases[] = {
      {"list views", "last_purchase@1 user_profile@1 "},
      {"list feature-views", "last_purchase@1 user_profile@1 "},
      {"list entities", "user "},
      {"list on-demand-views", "basket@1 "},
      {"list services", "checkout@1 "},
      {"list labels", ""},
      {"list projects", "shop "},
      {"list --name purch", "purchases purchases_live last_purchase@1 "},
      {"list --name 'purch*'", "purchases purchases_live "},
      {"list --name 'P?RCHASES'", "purchases "},
      {"list views --owner growth", "user_profile@1 "},
      {"list --tag tier", "user_profile@1 "},
      {"list --tag tier=1", "user_profile@1 "},
      {"list --tag tier=2", ""},
      {"list --tag tier=1 --tag other", ""},
      {"list --entity user", "user last_purchase@1 user_profile@1 basket@1 checkout@1 "},
      {"list --entity store", ""},
      {"list features --name 'a*'", "last_purchase:amount user_profile:age "},
      {"list --text customer", "user "},
      {"list --text PURCH", "purchases purchases_live last_purchase@1 "},
      {"list --type float64", "last_purchase:amount basket:vs_last "},
      {"list features --type int64 --tag tier", "user_profile:age "},
      {"list features --tag tier=1", "user_profile:city user_profile:age "},
  };
  Shell shell;
  MakeShop(&shell);
  for (const Case& c : cases) {
    INFO(c.line);
    const std::string csv = shell.Ok(std::string(c.line) + " --format csv");
    std::string names;
    std::istringstream lines(csv);
    std::string line;
    std::getline(lines, line);
    CHECK(line == "kind,project,name,detail,entities,owner,tags,description");
    while (std::getline(lines, line)) {
      const std::size_t begin = line.find(',', line.find(',') + 1) + 1;
      names.append(line.substr(begin, line.find(',', begin) - begin)).append(" ");
    }
    CHECK(names == c.names);
  }
  CHECK(shell.Ok("list labels") == "nothing found\n");
  CHECK_THAT(shell.Ok("list views --format json"),
             ContainsSubstring("\"tags\": {\"tier\": \"1\"}"));
  CHECK(shell.Run("list --project shpo").err ==
        "larder: unknown project: shpo (did you mean \"shop\"?)\n");
}

TEST_CASE("describe shows one object, whatever its kind", "[cli]") {
  struct Case {
    const char* name;
    const char* text;
  };
  const Case cases[] = {
      {"user", "entity user\n  join keys    user_id int64\n"},
      {"users", "event time  changed_at"},
      {"purchases_live", "batch source  purchases"},
      {"user_profile", "feature view user_profile@1\n"},
      {"user_profile@1", "years_between(birth_date, current_date)  (when read)"},
      {"last_purchase", "2 keys"},
      {"basket", "last_purchase@1:amount"},
      {"checkout", "request.total"},
      {"user_profile:age", "feature user_profile@1:age\n  type         int64\n"},
      {"basket:vs_last", "request.total / last_amount"},
  };
  Shell shell;
  MakeShop(&shell);
  for (const Case& c : cases) {
    INFO(c.name);
    if (std::string_view(c.text) == "request.total") {
      CHECK_THAT(shell.Ok("describe checkout"), ContainsSubstring("request  total float64"));
      continue;
    }
    CHECK_THAT(shell.Ok(std::string("describe ") + c.name), ContainsSubstring(c.text));
  }
  CHECK_THAT(shell.Ok("describe user_profile --format json"),
             ContainsSubstring("\"name\": \"user_profile\""));
  CHECK_THAT(shell.Ok("describe purchases_live --format json"),
             ContainsSubstring("\"batch_source\": \"purchases\"") && !ContainsSubstring("fields"));
  CHECK_THAT(shell.Ok("describe user_profile:age --format json"),
             ContainsSubstring("\"on_read\": true"));
}

TEST_CASE("applying what describe prints changes nothing", "[cli]") {
  Shell shell;
  MakeShop(&shell);
  shell.Write("again.json", shell.Ok("describe --format json"));
  CHECK_THAT(shell.Ok("plan $D/again.json"), ContainsSubstring("nothing to do"));
}

TEST_CASE("applying what describe prints of any one object changes nothing", "[cli]") {
  Shell shell;
  std::string json = kFraudJson;
  const std::string_view service = "\"missing\": \"null\",";
  json.replace(json.find(service), service.size(),
               "\"missing\": \"null\", \"casts\": {\"population\": \"float32\"},");
  const std::string_view view = "\"ttl\": \"365d\",";
  json.replace(json.find(view), view.size(), "\"ttl\": \"365d\", \"rollback_window\": \"0s\",");
  shell.Write("fraud.json", json);
  shell.Ok("apply $D/fraud.json");
  struct Object {
    const char* list;
    const char* kind;
    const char* name;
  };
  const Object objects[] = {
      {"entities", "entity", "card"},
      {"entities", "entity", "city"},
      {"sources", "source", "transactions"},
      {"sources", "source", "transactions_live"},
      {"sources", "source", "profiles"},
      {"sources", "source", "cities"},
      {"feature_views", "view", "card_spend"},
      {"feature_views", "view", "card_fraud"},
      {"feature_views", "view", "card_profile"},
      {"feature_views", "view", "city_facts"},
      {"on_demand_views", "on-demand-views", "ratios"},
      {"labels", "label", "fraud_in_7d"},
      {"feature_services", "service", "fraud_model"},
  };
  const std::string before = shell.StoreHash();
  for (const Object& object : objects) {
    INFO(object.name);
    const std::string printed = shell.Ok(
        larder::Concat("describe ", object.name, " --kind ", object.kind, " --format json"));
    shell.Write("one.json",
                larder::Concat("{\"project\": \"fraud\", \"", object.list, "\": [", printed, "]}"));
    CHECK_THAT(shell.Ok("apply $D/one.json"), EndsWith("nothing to change: still revision 1\n"));
    CHECK(shell.StoreHash() == before);
  }
  shell.Write("all.json", shell.Ok("describe --format json"));
  CHECK_THAT(shell.Ok("apply $D/all.json"), EndsWith("nothing to change: still revision 1\n"));
  CHECK(shell.StoreHash() == before);
}

TEST_CASE("describe names what is not there, and what was probably meant", "[cli]") {
  struct Case {
    const char* name;
    const char* message;
  };
  const Case cases[] = {
      {"user_profil", "user_profil (did you mean \"user_profile\"?)"},
      {"user_profile@7", "user_profile"},
      {"user_profile:ag", "unknown feature: user_profile@1:ag"},
      {"user_profil:age", "user_profile"},
  };
  Shell shell;
  MakeShop(&shell);
  for (const Case& c : cases) {
    INFO(c.name);
    const Ran ran = shell.Run(std::string("describe ") + c.name);
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, StartsWith("larder: ") && ContainsSubstring(c.message));
  }
}

}  // namespace
}  // namespace larder_test
