#include "cli/sample_data.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

constexpr int64_t kFirstUser = 1001;
constexpr int64_t kUsers = 30;
constexpr int64_t kSpineRows = 40;
constexpr int64_t kMinutesPerDay = 24 * 60;

constexpr char kDefinitions[] =
    R"json(// What this store knows. Try a change, then: larder plan definitions.json
{
  "larder": 1,
  "project": "shop",

  "entities": [
    {"name": "user", "join_keys": [{"name": "user_id", "type": "int64"}], "description": "A customer of the shop"}
  ],

  "sources": [
    {"name": "users", "kind": "csv", "path": "users.csv", "event_time": "changed_at",
     "fields": [{"name": "user_id", "type": "int64"}, {"name": "birth_date", "type": "date"},
                {"name": "city", "type": "string"}, {"name": "changed_at", "type": "timestamp"}]},
    {"name": "purchases", "kind": "csv", "path": "purchases.csv", "event_time": "at", "event_id": "purchase_id",
     "fields": [{"name": "purchase_id", "type": "string"}, {"name": "user_id", "type": "int64"},
                {"name": "item", "type": "string"}, {"name": "amount", "type": "float64"},
                {"name": "at", "type": "timestamp"}]},
    // The same events as they happen: larder push --source purchases_live
    {"name": "purchases_live", "kind": "push", "batch_source": "purchases"}
  ],

  "feature_views": [
    {"name": "user_profile", "entities": ["user"], "source": "users", "owner": "growth", "tags": {"tier": "1"},
     "features": [
       {"name": "city", "type": "string"},
       {"name": "age", "type": "int32", "expr": "cast(years_between(birth_date, current_date) as int32)"}]},
    {"name": "last_purchase", "entities": ["user"], "source": "purchases_live", "ttl": "30d", "owner": "payments",
     "description": "The newest purchase, unless it is older than 30 days",
     "features": [
       {"name": "item", "type": "string"},
       {"name": "amount", "type": "float64"},
       {"name": "is_large", "type": "bool", "expr": "amount >= 100"}]}
  ],

  "on_demand_views": [
    {"name": "basket", "request": [{"name": "basket_total", "type": "float64"}],
     "inputs": {"last_amount": "last_purchase:amount"},
     "features": [{"name": "basket_vs_last", "type": "float64", "expr": "request.basket_total / last_amount"}]}
  ],

  "feature_services": [
    {"name": "checkout_model", "dtype": "float32", "description": "What the checkout model reads",
     "features": ["user_profile:age", "user_profile:city", "last_purchase:amount", "last_purchase:is_large",
                  "basket:basket_vs_last"]}
  ]
}
)json";

// Small and the same everywhere (splitmix64); the standard library's distributions are not.
class Dice {
 public:
  // In [low, high].
  int64_t Roll(int64_t low, int64_t high) {
    state_ += 0x9E3779B97F4A7C15U;
    uint64_t bits = state_;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBU;
    bits ^= bits >> 31;
    return low + static_cast<int64_t>(bits % static_cast<uint64_t>(high - low + 1));
  }

 private:
  uint64_t state_ = 7;
};

std::string MinutesBefore(Timestamp now, int64_t minutes) {
  const Timestamp instant = now.Minus(Duration::Minutes(minutes));
  return FormatTimestamp({instant.us - instant.us % kMicrosPerSecond});
}

std::string Money(int64_t cents) { return Concat(cents / 100, ".", cents % 100 / 10, cents % 10); }

std::string Users(Timestamp now, Dice& dice) {
  constexpr std::array<std::string_view, 5> kCities = {"Lyon", "Porto", "Zürich", "Gdańsk", "Turin"};
  std::string text = "user_id,birth_date,city,changed_at\n";
  for (int64_t user = kFirstUser; user < kFirstUser + kUsers; ++user) {
    const Date birth{
        static_cast<int32_t>(DaysFromCivil(dice.Roll(1950, 2005), 1, 1) + dice.Roll(0, 364))};
    text.append(Concat(user, ",", FormatDate(birth), ",",
                       kCities[static_cast<std::size_t>(dice.Roll(0, 4))], ",",
                       MinutesBefore(now, dice.Roll(40, 90) * kMinutesPerDay), "\n"));
  }
  return text;
}

struct Purchase {
  int64_t minutes_before;
  int64_t user;
  int64_t cents;
};

constexpr std::array<std::string_view, 6> kItems = {"lamp", "chair", "kettle",
                                                    "rug",  "desk",  "\"tray, oak\""};

std::string PurchaseLine(std::string_view id, const Purchase& purchase, Timestamp now) {
  const std::string_view item = kItems[static_cast<std::size_t>(purchase.cents) % kItems.size()];
  return Concat(id, ",", purchase.user, ",", item, ",", Money(purchase.cents), ",",
                MinutesBefore(now, purchase.minutes_before), "\n");
}

constexpr char kPurchaseHeader[] = "purchase_id,user_id,item,amount,at\n";

// Everyone bought something before the first row of the spine, so that each of its rows finds a purchase.
std::string Purchases(Timestamp now, Dice& dice) {
  std::vector<Purchase> purchases;
  for (int64_t user = kFirstUser; user < kFirstUser + kUsers; ++user) {
    purchases.push_back({dice.Roll(9, 20) * kMinutesPerDay, user, dice.Roll(900, 20'000)});
    for (int64_t more = dice.Roll(2, 6); more > 0; --more) {
      purchases.push_back({dice.Roll(30, 25 * kMinutesPerDay), user, dice.Roll(900, 20'000)});
    }
  }
  std::stable_sort(purchases.begin(), purchases.end(), [](const Purchase& a, const Purchase& b) {
    return a.minutes_before > b.minutes_before;
  });
  std::string text = kPurchaseHeader;
  int64_t number = 1;
  for (const Purchase& purchase : purchases)
    text.append(PurchaseLine(Concat("p", number++), purchase, now));
  return text;
}

std::string NewPurchases(Timestamp now) {
  std::string text = kPurchaseHeader;
  for (int64_t i = 0; i < 3; ++i) {
    text.append(PurchaseLine(Concat("n", i + 1), {3 - i, kFirstUser + i, 4'990 + 7'001 * i}, now));
  }
  return text;
}

std::string SpineText(Timestamp now, Dice& dice) {
  std::string text = "user_id,asked_at,basket_total,bought\n";
  for (int64_t i = 0; i < kSpineRows; ++i) {
    text.append(Concat(kFirstUser + dice.Roll(0, kUsers - 1), ",",
                       MinutesBefore(now, dice.Roll(60, 7 * kMinutesPerDay)), ",",
                       Money(dice.Roll(500, 30'000)), ",", dice.Roll(0, 3) == 0, "\n"));
  }
  return text;
}

std::string Readme(const std::vector<SampleFile>& files) {
  std::string text =
      "# A small feature store\n\n"
      "Thirty users of a shop, what they bought in the last weeks, and a model that is asked at "
      "the checkout.\n\n"
      "| file | what it is |\n|---|---|\n";
  for (const SampleFile& file : files)
    text.append(Concat("| `", file.name, "` | ", file.about, " |\n"));
  text.append(
      "| `store/` | the store itself, made by `larder apply` |\n\n"
      "## Try it\n\n"
      "Run these in this folder. The store is `./store` unless `--store DIR` or `LARDER_STORE` "
      "says another.\n\n");
  for (const SampleCommand& command : SampleCommands()) {
    text.append(Concat(command.about, ":\n\n```sh\n", command.line, "\n```\n\n"));
  }
  text.append(
      "## Then\n\n"
      "- Change a feature in `definitions.json` and run `larder plan definitions.json` again: it "
      "shows which versions\n"
      "  are made, and what must be loaded.\n"
      "- `larder get-online-features ... --format json` is for programs; `--rows FILE` asks for "
      "many keys at once.\n"
      "- `larder COMMAND --help` explains every command.\n"
      "- Values have a time: after 30 days the purchases here are older than `last_purchase` "
      "allows (`ttl`), and their\n"
      "  status is OUTSIDE_MAX_AGE.\n");
  return text;
}

}  // namespace

std::vector<SampleFile> MakeSampleFiles(Timestamp now) {
  Dice dice;
  std::vector<SampleFile> files;
  files.push_back({"definitions.json", "entities, sources, features and the service a model reads",
                   kDefinitions});
  files.push_back({"users.csv", "profiles, with the time they changed", Users(now, dice)});
  files.push_back({"purchases.csv", "what was bought, and when", Purchases(now, dice)});
  files.push_back(
      {"new_purchases.csv", "purchases of the last minutes, to push", NewPurchases(now)});
  files.push_back({"spine.csv", "moments the model was asked, to make a training set of",
                   SpineText(now, dice)});
  files.push_back({"README.md", "this", Readme(files)});
  return files;
}

std::vector<SampleCommand> SampleCommands() {
  const std::string read =
      "larder get-online-features --service checkout_model --key user_id=1001 --request "
      "basket_total=59.90";
  return {
      {"See what the definitions would make", "larder plan definitions.json"},
      {"Make it", "larder apply definitions.json --message 'first features'"},
      {"Load users.csv and purchases.csv", "larder materialize"},
      {"Read features of user 1001, as a model would now", read},
      {"Build a training set: the same features as they were at each row's time",
       "larder get-historical-features --service checkout_model --spine spine.csv --output "
       "training.csv --force"},
      {"Push purchases that have just happened",
       "larder push --source purchases_live new_purchases.csv"},
      {"Read again: the amount is the new one", read},
      {"Look around", "larder list"},
      {"One definition in full", "larder describe checkout_model"},
      {"What was done to the store", "larder history"},
      {"Try an expression",
       "larder eval 'years_between(birth_date, current_date)' --row birth_date=1990-05-17"},
  };
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
