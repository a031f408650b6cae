// W4: windows of a training set, from events in memory, beside DuckDB.
#include <chrono>
#include <random>

#include "feature_store/event_mapper.h"
#include "feature_store/window_join.h"
#include "larder/base/text.h"
#include "support/duckdb_database.h"
#include "window_bars.h"
#include "window_world.h"

namespace larder_bench {
namespace {

using larder::Batch;
using larder::Column;
using larder::Concat;
using larder::TypeId;
using Clock = std::chrono::steady_clock;

constexpr uint64_t kCards = 100'000;
constexpr std::size_t kEvents = 10'000'000;
constexpr std::size_t kRows = 1'000'000;
constexpr std::size_t kBatchRows = 65'536;
constexpr int kThreads = 2;

constexpr int64_t kHourUs = 3'600'000'000;
constexpr int64_t kSpanUs = 30 * larder::kMicrosPerDay;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// What DuckDB may be asked: frames over events and rows together, differences of running sums, a join of ranges.
std::vector<std::string> Forms() {
  return {
      Concat("SELECT n, s FROM (SELECT n, coalesce(sum(amount) OVER (PARTITION BY card ORDER BY us "
             "RANGE BETWEEN ",
             kHourUs,
             " PRECEDING AND 1 PRECEDING), 0) AS s FROM (SELECT card, us, amount, -1 AS n FROM "
             "events UNION ALL SELECT card, us, NULL, n FROM spine)) WHERE n >= 0"),
      Concat("WITH running AS MATERIALIZED (SELECT card, us, sum(amount) OVER (PARTITION BY card "
             "ORDER BY us ROWS UNBOUNDED PRECEDING) AS c FROM events) SELECT s.n, coalesce(a.c, 0) "
             "- coalesce(b.c, 0) AS s FROM (SELECT card, us, us - ",
             kHourUs,
             " AS left_us, n FROM spine) s ASOF LEFT JOIN running a ON s.card = a.card AND s.us > "
             "a.us ASOF LEFT JOIN running b ON s.card = b.card AND s.left_us > b.us"),
      Concat("SELECT s.n, coalesce(sum(e.amount), 0) AS s FROM spine s LEFT JOIN events e ON "
             "e.card = s.card AND e.us >= s.us - ",
             kHourUs, " AND e.us < s.us GROUP BY s.n")};
}

class TrainingBar {
 public:
  explicit TrainingBar(larder_test::DuckDbDatabase duckdb) : duckdb_(std::move(duckdb)) {}

  absl::Status Run(BarRun& run) {
    LARDER_RETURN_IF_ERROR(MakeData(run.options().scratch + "/w4"));
    LARDER_RETURN_IF_ERROR(ChooseForm());
    LARDER_RETURN_IF_ERROR(Compare());
    std::vector<double> ours;
    std::vector<double> theirs;
    for (int pair = 0; pair < 15; ++pair) {
      for (const bool candidate : {pair % 2 == 0, pair % 2 != 0}) {
        LARDER_ASSIGN_OR_RETURN(const double seconds, candidate ? RunLarder() : RunDuckDb(form_));
        (candidate ? ours : theirs).push_back(seconds * 1e9);
      }
    }
    const PairStats stats = StatsOf(ours, theirs, Sense::kAtMost);
    LARDER_ASSIGN_OR_RETURN(const Batch version, duckdb_.Query("SELECT version() AS v"));
    run.Record(
        "W4", stats.median, stats.bound,
        Concat(Short(stats.candidate_ns / 1e9), " s against ", Short(stats.yardstick_ns / 1e9),
               " s, DuckDB ", std::string(version.Find("v")->Text(0)), " form ", form_ + 1,
               " of 3 (", larder::Join(form_seconds_, " s, "), " s), ", stats.pairs, " pairs"));
    return absl::OkStatus();
  }

 private:
  absl::Status MakeData(const std::string& path) {
    const WindowStoreSpec spec{
        R"({"name": "s", "input": "amount", "functions": ["sum"], "windows": ["1h"]})"};
    LARDER_ASSIGN_OR_RETURN(const larder::FeatureStore store,
                            MakeWindowStore(spec, path, larder::Durability::kRelaxed));
    LARDER_ASSIGN_OR_RETURN(catalog_, store.GetCatalog());
    LARDER_ASSIGN_OR_RETURN(view_, catalog_.GetView("bench", "spend"));
    LARDER_ASSIGN_OR_RETURN(larder::WindowPlan plan, larder::WindowPlan::Make(*view_, {}));
    plan_.emplace(std::move(plan));
    std::mt19937_64 random(4);
    const auto time = [&random] {
      return kNow.us - static_cast<int64_t>(random() % static_cast<uint64_t>(kSpanUs));
    };
    for (std::size_t i = 0; i < kEvents; ++i) {
      const uint64_t card = random() % kCards;
      const WindowEvent event = EventOf(card, {time()}, i);
      cards_.AppendFixed(static_cast<int64_t>(event.card));
      times_.AppendFixed(event.time_us);
      amounts_.AppendFixed(event.amount);
    }
    for (std::size_t i = 0; i < kRows; ++i) {
      const uint64_t card = random() % kCards;
      spine_cards_.AppendFixed(static_cast<int64_t>(card));
      spine_times_.AppendFixed(time());
    }
    return FillDuckDb();
  }

  absl::Status FillDuckDb() {
    const auto numbers = [](const Column& times) {
      Column out(TypeId::kInt64);
      for (const int64_t us : times.Values<int64_t>()) out.AppendFixed(us);
      return out;
    };
    Batch events;
    LARDER_RETURN_IF_ERROR(events.AddColumn("card", cards_));
    LARDER_RETURN_IF_ERROR(events.AddColumn("us", numbers(times_)));
    LARDER_RETURN_IF_ERROR(events.AddColumn("amount", amounts_));
    LARDER_RETURN_IF_ERROR(duckdb_.PutTable("events", events));
    Batch spine;
    Column places(TypeId::kInt64);
    for (std::size_t i = 0; i < kRows; ++i) places.AppendFixed(static_cast<int64_t>(i));
    LARDER_RETURN_IF_ERROR(spine.AddColumn("card", spine_cards_));
    LARDER_RETURN_IF_ERROR(spine.AddColumn("us", numbers(spine_times_)));
    LARDER_RETURN_IF_ERROR(spine.AddColumn("n", std::move(places)));
    LARDER_RETURN_IF_ERROR(duckdb_.PutTable("spine", spine));
    return duckdb_.Run(Concat("SET threads = ", kThreads));
  }

  absl::Status ChooseForm() {
    double best = 0;
    for (std::size_t form = 0; form < Forms().size(); ++form) {
      LARDER_ASSIGN_OR_RETURN(const double seconds, RunDuckDb(form));
      form_seconds_.push_back(Short(seconds));
      if (form > 0 && seconds >= best) continue;
      best = seconds;
      form_ = form;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<double> RunDuckDb(std::size_t form) {
    const std::string sql = Concat("CREATE OR REPLACE TABLE answer AS ", Forms()[form]);
    const Clock::time_point start = Clock::now();
    LARDER_RETURN_IF_ERROR(duckdb_.Run(sql));
    return SecondsSince(start);
  }

  // The batches that a reader would have handed out, made before the clock runs.
  absl::StatusOr<double> RunLarder() {
    std::vector<larder::MappedBatch> batches;
    for (std::size_t first = 0; first < kEvents; first += kBatchRows) {
      const std::size_t count = std::min(kBatchRows, kEvents - first);
      const auto slice = [&](const Column& from) {
        Column out(from.type());
        out.Reserve(count);
        for (std::size_t i = first; i < first + count; ++i) out.AppendFrom(from, i);
        return out;
      };
      larder::MappedEvents& events = batches.emplace_back().events;
      const auto own = [&](Column column) {
        events.made.push_back(std::move(column));
        return &events.made.back();
      };
      events.row_count = count;
      events.keys.push_back(own(slice(cards_)));
      events.stored.push_back(own(slice(amounts_)));
      events.event_time = own(slice(times_));
    }
    const Clock::time_point start = Clock::now();
    larder::JoinView view;
    view.spine_keys = {&spine_cards_};
    view.key_types = {TypeId::kInt64};
    larder::JoinOptions options;
    options.thread_count = kThreads;
    LARDER_ASSIGN_OR_RETURN(
        larder::WindowJoin join,
        larder::WindowJoin::Make(*view_, *plan_, spine_times_, std::move(view), options));
    for (larder::MappedBatch& batch : batches)
      LARDER_RETURN_IF_ERROR(join.Add(std::move(batch), view_->source, 0));
    LARDER_ASSIGN_OR_RETURN(larder::JoinedView joined, std::move(join).Finish());
    const double seconds = SecondsSince(start);
    answer_ = std::move(joined.features[0]);
    return seconds;
  }

  absl::Status Compare() {
    LARDER_RETURN_IF_ERROR(RunDuckDb(form_).status());
    LARDER_RETURN_IF_ERROR(RunLarder().status());
    LARDER_ASSIGN_OR_RETURN(const Batch theirs, duckdb_.Query("SELECT s FROM answer ORDER BY n"));
    const auto expected = theirs.Find("s")->Values<double>();
    const auto found = answer_.Values<double>();
    if (found.size() != expected.size()) return larder::InternalError("W4: rows are missing");
    for (std::size_t row = 0; row < found.size(); ++row) {
      if (found[row] == expected[row]) continue;
      return larder::InternalError("W4: row ", row, " is ", found[row], ", DuckDB has ",
                                   expected[row]);
    }
    return absl::OkStatus();
  }

  larder_test::DuckDbDatabase duckdb_;
  std::size_t form_ = 0;
  std::vector<std::string> form_seconds_;
  larder::Catalog catalog_;
  const larder::ViewVersion* view_ = nullptr;
  std::optional<larder::WindowPlan> plan_;
  Column cards_{TypeId::kInt64};
  Column times_{TypeId::kTimestamp};
  Column amounts_{TypeId::kFloat64};
  Column spine_cards_{TypeId::kInt64};
  Column spine_times_{TypeId::kTimestamp};
  Column answer_{TypeId::kFloat64};
};

}  // namespace

absl::Status RunWindowTrainingBar(BarRun& run) {
  if (!run.Wants("W4")) return absl::OkStatus();
  LARDER_ASSIGN_OR_RETURN(larder_test::DuckDbDatabase duckdb, larder_test::DuckDbDatabase::Open());
  return TrainingBar(std::move(duckdb)).Run(run);
}

}  // namespace larder_bench
