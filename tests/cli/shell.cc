#include "cli/shell.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "larder/online/environment.h"
#include "larder/online/verify.h"
#include "support/catch.h"

namespace larder_test {
namespace {

std::vector<std::string> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  bool quoted = false;
  bool open = false;
  for (const char c : line) {
    if (c == '\'') {
      quoted = !quoted;
      if (!open) words.emplace_back();
      open = true;
    } else if (c == ' ' && !quoted) {
      open = false;
    } else {
      if (!open) words.emplace_back();
      open = true;
      words.back().push_back(c);
    }
  }
  return words;
}

}  // namespace

const char kShopDefinitions[] = R"json({
  "larder": 1, "project": "shop",
  "entities": [{"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}], "description": "A customer"}],
  "sources": [
    {"name": "users", "kind": "csv", "path": "users.csv", "event_time": "changed_at",
     "fields": [{"name": "user_id", "type": "int64"}, {"name": "birth_date", "type": "date"},
                {"name": "city", "type": "string"}, {"name": "changed_at", "type": "timestamp"}]},
    {"name": "purchases", "kind": "csv", "path": "purchases.csv", "event_time": "at", "event_id": "purchase_id",
     "fields": [{"name": "purchase_id", "type": "string"}, {"name": "user_id", "type": "int64"},
                {"name": "amount", "type": "float64"}, {"name": "at", "type": "timestamp"}]},
    {"name": "purchases_live", "kind": "push", "batch_source": "purchases"}],
  "feature_views": [
    {"name": "user_profile", "entities": ["user"], "source": "users", "owner": "growth", "tags": {"tier": "1"},
     "features": [{"name": "city", "type": "string"},
                  {"name": "age", "type": "int64", "expr": "years_between(birth_date, current_date)"}]},
    {"name": "last_purchase", "entities": ["user"], "source": "purchases_live", "ttl": "30d",
     "features": [{"name": "amount", "type": "float64"}]}],
  "on_demand_views": [
    {"name": "basket", "request": [{"name": "total", "type": "float64"}],
     "inputs": {"last_amount": "last_purchase:amount"},
     "features": [{"name": "vs_last", "type": "float64", "expr": "request.total / last_amount"}]}],
  "feature_services": [
    {"name": "checkout", "features": ["user_profile:age", "user_profile:city", "last_purchase:amount", "basket:vs_last"]}]
})json";

Shell::Shell() {
  now = larder::ParseTimestamp("2025-03-10T12:00:00Z").value().value;
  std::string name = (std::filesystem::temp_directory_path() / "larder_cli_XXXXXX").string();
  REQUIRE(mkdtemp(name.data()) != nullptr);
  folder_ = name;
}

Shell::~Shell() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Ran Shell::Run(std::string_view line) {
  std::vector<std::string> words = SplitWords(line);
  for (std::string& word : words) {
    for (std::size_t at = word.find("$D"); at != std::string::npos; at = word.find("$D")) {
      word.replace(at, 2, folder_.string());
    }
  }
  std::ostringstream out;
  std::ostringstream err;
  larder::cli::Console console{out, err, terminal, terminal, {}, {}, functions};
  console.clock = [this] { return now; };
  console.variable = [this](std::string_view name) -> std::optional<std::string> {
    if (name == "LARDER_STORE") return Path("store");
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  Ran ran;
  ran.code = larder::cli::Run(words, console);
  ran.out = out.str();
  ran.err = err.str();
  // Messages may name files; where the folder is differs from run to run.
  for (std::string* text : {&ran.out, &ran.err}) {
    for (std::size_t at = text->find(folder_.string()); at != std::string::npos;
         at = text->find(folder_.string())) {
      text->replace(at, folder_.string().size(), "$D");
    }
  }
  return ran;
}

std::string Shell::Ok(std::string_view line) {
  const Ran ran = Run(line);
  INFO(line);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  REQUIRE(ran.err == "");
  return ran.out;
}

std::string Shell::Path(std::string_view name) const {
  return (folder_ / std::string(name)).string();
}

void Shell::Write(std::string_view name, std::string_view text) const {
  std::ofstream file(Path(name), std::ios::binary);
  file << text;
  REQUIRE(file.good());
}

std::string Shell::Read(std::string_view name) const {
  std::ifstream file(Path(name), std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Shell::StoreHash() const {
  larder::EnvironmentOptions options;
  options.read_only = true;
  const auto environment = larder::Environment::Open(Path("store"), options);
  if (!environment.ok()) return "none";
  return larder::ToHex(larder::HashContents(*environment).value());
}

void MakeShop(Shell* shell) {
  shell->Write("definitions.json", kShopDefinitions);
  shell->Write("users.csv",
               "user_id,birth_date,city,changed_at\n"
               "1,1990-05-17,Lyon,2025-01-01T00:00:00Z\n"
               "2,2001-12-31,,2025-01-02T00:00:00Z\n"
               "1,1990-05-17,Porto,2025-02-01T00:00:00Z\n");
  shell->Write("purchases.csv",
               "purchase_id,user_id,amount,at\n"
               "a,1,20,2025-03-01T10:00:00Z\n"
               "b,1,40,2025-03-09T10:00:00Z\n"
               "c,2,7.5,2025-01-20T10:00:00Z\n");
  shell->Ok("apply $D/definitions.json --author ann --message first");
  shell->Ok("materialize");
}

}  // namespace larder_test
