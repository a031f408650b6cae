// The join against the model, on random histories of many shapes.
#include <string>
#include <vector>

#include "larder/schema/entity_key.h"
#include "support/catch.h"
#include "training/event_table.h"
#include "training/random_history.h"

using larder::FeatureStatus;
using larder::KnownAt;
using larder::Timestamp;
using larder::Value;
using larder_test::Dice;
using larder_test::EventTable;
using larder_test::History;
using larder_test::JoinShape;
using larder_test::ModelEvent;
using larder_test::ModelKnownAt;
using larder_test::SpineRows;
using larder_test::TimesOf;

namespace {

std::string IdBytes(const std::optional<std::string>& id) {
  std::string bytes;
  if (id) larder::AppendKeyText(*id, &bytes);
  return bytes;
}

}  // namespace

TEST_CASE("the join gives what the model gives on every random history",
          "[training][random][conformance][E33]") {
  const uint64_t seed = larder_test::RandomSeed();
  CAPTURE(seed);
  Dice dice(seed);
#ifdef __OPTIMIZE__
  const std::size_t rows_all = 100'000;
#else
  const std::size_t rows_all = 10'000;
#endif
  std::size_t rows = 0;
  for (int round = 0; rows < rows_all; ++round) {
    CAPTURE(round);
    const JoinShape shape = RandomShape(dice);
    const int64_t size = dice.OneIn(50) ? 600 : 60;
    const History history = RandomHistory(dice, shape, dice.Up(size));
    const SpineRows spine = RandomSpine(dice, shape, 1 + dice.Up(size), size);
    rows += spine.times.size();
    const larder::Column times = TimesOf(spine.times);
    larder::JoinOptions options;
    options.audit = true;
    options.thread_count = 1 + static_cast<int>(dice.Up(3));
    if (dice.Coin()) options.buffer_bytes = 1;
    if (dice.Coin()) options.large_batch_rows = 1;
    auto join = larder::PointInTimeJoin::Make(times, {ViewOf(shape, spine)}, options);
    REQUIRE(join.ok());
    // In two batches, so that rows of the second meet winners of the first.
    const auto half = static_cast<std::ptrdiff_t>(history.events.size() / 2);
    for (const bool second : {false, true}) {
      const auto cut = [&](const auto& all) {
        return second ? std::vector(all.begin() + half, all.end())
                      : std::vector(all.begin(), all.begin() + half);
      };
      const EventTable table(shape.table, cut(history.events), cut(history.keys));
      const absl::Status added = join->Add(0, table.batch());
      CAPTURE(std::string(larder::MessageOf(added)));
      REQUIRE(added.ok());
    }
    auto finished = std::move(*join).Finish();
    REQUIRE(finished.ok());
    const larder::JoinedView& joined = (*finished)[0];

    int64_t changed = 0;
    int64_t ambiguous = 0;
    for (std::size_t row = 0; row < spine.times.size(); ++row) {
      const Timestamp at{spine.times[row]};
      const auto ask = [&](KnownAt known_at) {
        return larder_test::AskModel(
            shape.model, history.events, spine.keys[row], at,
            known_at == KnownAt::kSpine ? ModelKnownAt::Time(at) : ModelKnownAt::Any(),
            shape.exclude_self ? spine.ids[row] : std::nullopt);
      };
      const auto answers = ask(shape.known_at);
      const auto others = ask(shape.known_at == KnownAt::kSpine ? KnownAt::kAny : KnownAt::kSpine);
      bool tied = false;
      for (std::size_t f = 0; f < answers.size(); ++f) {
        tied = tied || (answers[f].is_ambiguous && answers[f].status <= FeatureStatus::kNullValue);
        const auto& outcome = joined.OutcomeOf(f);
        const auto& answer = answers[f];
        const bool same_status = joined.StatusOf(f, row) == answer.status;
        const bool same_value = joined.features[f].ValueAt(row) == answer.value;
        const Value time = outcome.event_time.ValueAt(row);
        const bool same_time = time == (answer.event_time ? Value(*answer.event_time) : Value());
        bool same_event = true;
        if (answer.status != FeatureStatus::kNotFound && shape.table.ids) {
          // Copies and rows alike in all but their id may stand for each other; the greatest id is the join's choice.
          const Value id = outcome.event_id.ValueAt(row);
          const auto* bytes = id.As<larder::Bytes>();
          const std::string found = bytes == nullptr ? "" : bytes->data;
          if (found != IdBytes(answer.event->event_id)) {
            same_event = false;
            for (const ModelEvent& event : history.events) {
              same_event = same_event ||
                           (IdBytes(event.event_id) == found && event.key == answer.event->key &&
                            event.event_time == answer.event->event_time &&
                            CanonicalRowOf(shape.model, event) ==
                                CanonicalRowOf(shape.model, *answer.event));
            }
          }
        }
        if (!(answers[f].value == others[f].value)) ++changed;
        if (!same_status || !same_value || !same_time || !same_event) {
          CAPTURE(row, f, larder::FeatureStatusName(joined.StatusOf(f, row)),
                  larder::FeatureStatusName(answer.status),
                  larder::FormatValue(joined.features[f].ValueAt(row)),
                  larder::FormatValue(answer.value));
          CHECK(same_status);
          CHECK(same_value);
          CHECK(same_time);
          CHECK(same_event);
          REQUIRE(false);
        }
      }
      if (tied) ++ambiguous;
    }
    if (!shape.exclude_self) REQUIRE(joined.counts.rows_ambiguous == ambiguous);
    const bool has_known = shape.table.arrival || shape.model.available_after || shape.table.known;
    REQUIRE(joined.counts.cells_changed_by_other_known_at.has_value() == has_known);
    if (has_known) REQUIRE(*joined.counts.cells_changed_by_other_known_at == changed);
    REQUIRE(joined.counts.rows_found + joined.counts.rows_not_found +
                joined.counts.rows_outside_max_age ==
            static_cast<int64_t>(spine.times.size()));
  }
}

TEST_CASE("the order and batching of events and the number of threads change nothing",
          "[training][random]") {
  const uint64_t seed = larder_test::RandomSeed();
  CAPTURE(seed);
  Dice dice(seed);
  for (int round = 0; round < 40; ++round) {
    CAPTURE(round);
    JoinShape shape = RandomShape(dice);
    shape.table.commits = false;
    shape.model.ordered_by_commit = false;
    History history = RandomHistory(dice, shape, 120);
    const SpineRows spine = RandomSpine(dice, shape, 200, 120);
    const larder::Column times = TimesOf(spine.times);
    std::optional<larder::JoinedView> first;
    for (const int threads : {1, 2, 4}) {
      for (std::size_t i = history.events.size(); i > 1; --i) {
        const auto j = static_cast<std::size_t>(dice.Up(static_cast<int64_t>(i)));
        std::swap(history.events[i - 1], history.events[j]);
        std::swap(history.keys[i - 1], history.keys[j]);
      }
      larder::JoinOptions options;
      options.thread_count = threads;
      options.audit = true;
      options.buffer_bytes = static_cast<std::size_t>(1 + dice.Up(20'000));
      options.large_batch_rows = static_cast<std::size_t>(1 + dice.Up(300));
      auto join = larder::PointInTimeJoin::Make(times, {ViewOf(shape, spine)}, options);
      REQUIRE(join.ok());
      const EventTable table(shape.table, history.events, history.keys);
      REQUIRE(join->Add(0, table.batch()).ok());
      auto finished = std::move(*join).Finish();
      REQUIRE(finished.ok());
      larder::JoinedView& joined = (*finished)[0];
      if (!first) {
        first = std::move(joined);
        continue;
      }
      for (std::size_t f = 0; f < joined.features.size(); ++f)
        REQUIRE(joined.features[f] == first->features[f]);
      for (std::size_t i = 0; i < joined.outcomes.size(); ++i) {
        REQUIRE(joined.outcomes[i].status == first->outcomes[i].status);
        REQUIRE(joined.outcomes[i].event_time == first->outcomes[i].event_time);
        REQUIRE(joined.outcomes[i].known_time == first->outcomes[i].known_time);
        REQUIRE(joined.outcomes[i].event_id == first->outcomes[i].event_id);
      }
      REQUIRE(joined.counts.rows_ambiguous == first->counts.rows_ambiguous);
      REQUIRE(joined.counts.cells_changed_by_other_known_at ==
              first->counts.cells_changed_by_other_known_at);
    }
  }
}
