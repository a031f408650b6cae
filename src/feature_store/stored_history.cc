#include "feature_store/stored_history.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "feature_store/store_impl.h"
#include "feature_store/stored_rows.h"
#include "feature_store/window_fetch.h"

namespace larder::inline LARDER_ABI {
namespace {

// Of one read, and between two reports.
constexpr std::size_t kRowsAtOnce = 4096;

Column RowsOf(const Column& column, std::span<const std::size_t> rows) {
  Column taken(column.type());
  taken.Reserve(rows.size());
  for (const std::size_t row : rows) taken.AppendFrom(column, row);
  return taken;
}

// Puts what was read in the order of instants into that of the spine.
class Collected {
 public:
  explicit Collected(std::vector<std::size_t> order) : order_(std::move(order)) {}

  void Add(FetchedUse part) {
    refused_ += part.rows.counts.cells_refused;
    if (parts_.features.empty() && parts_.outcomes.empty()) {
      parts_ = std::move(part.rows);
      return;
    }
    const std::size_t rows = part.rows.outcomes[0].status.size();
    for (std::size_t f = 0; f < parts_.features.size(); ++f) {
      for (std::size_t row = 0; row < rows; ++row)
        parts_.features[f].AppendFrom(part.rows.features[f], row);
    }
    for (std::size_t o = 0; o < parts_.outcomes.size(); ++o) {
      const JoinOutcome& from = part.rows.outcomes[o];
      JoinOutcome& to = parts_.outcomes[o];
      to.status.insert(to.status.end(), from.status.begin(), from.status.end());
      for (std::size_t row = 0; row < rows; ++row) to.event_time.AppendFrom(from.event_time, row);
    }
  }

  FetchedUse Take(std::span<const Column* const> keys) && {
    std::vector<std::size_t> place(order_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) place[order_[i]] = i;
    FetchedUse fetched;
    JoinedView& rows = fetched.rows;
    for (const Column& feature : parts_.features) rows.features.push_back(RowsOf(feature, place));
    for (const JoinOutcome& from : parts_.outcomes) {
      JoinOutcome& to = rows.outcomes.emplace_back();
      for (const std::size_t at : place) to.status.push_back(from.status[at]);
      to.event_time = RowsOf(from.event_time, place);
      for (std::size_t i = 0; i < place.size(); ++i) {
        to.known_time.AppendNull();
        to.event_id.AppendNull();
      }
    }
    rows.counts.cells_refused = refused_;
    for (std::size_t row = 0; row < place.size(); ++row) {
      Count(row, &rows);
      const bool has_key = std::all_of(keys.begin(), keys.end(),
                                       [&](const Column* key) { return key->IsValid(row); });
      rows.counts.rows_null_key += has_key ? 0 : 1;
    }
    return fetched;
  }

 private:
  static void Count(std::size_t row, JoinedView* rows) {
    bool is_found = false;
    bool is_old = false;
    for (const JoinOutcome& outcome : rows->outcomes) {
      is_old |= outcome.status[row] == FeatureStatus::kOutsideMaxAge;
      is_found |= outcome.status[row] != FeatureStatus::kOutsideMaxAge &&
                  outcome.status[row] != FeatureStatus::kNotFound;
    }
    ++(is_found ? rows->counts.rows_found
       : is_old ? rows->counts.rows_outside_max_age
                : rows->counts.rows_not_found);
  }

  const std::vector<std::size_t> order_;  // of the spine's rows, as they are read
  JoinedView parts_;
  int64_t refused_ = 0;
};

}  // namespace

bool IsFromStore(const ViewVersion& view, const HistoricalRequest& request) {
  const std::vector<const Source*> sources = view.offline_sources();
  return std::all_of(sources.begin(), sources.end(), [&](const Source* source) {
    const bool is_given =
        std::any_of(request.sources.begin(), request.sources.end(),
                    [&](const SourceRows& given) { return given.source == source->name; });
    return source->kind == SourceKind::kPush && !is_given;
  });
}

absl::StatusOr<FetchedUse> FetchHistory(const ReadSession& session, const BoundUse& use,
                                        const JoinView& join, const Column& times,
                                        PartialPolicy partial, const ReportJoin& progress) {
  const ViewVersion& view = *use.view;
  const std::string& source = view.offline_source().name;
  if (view.definition.exclude_self) {
    return UnimplementedError("feature view ", view.ToString(),
                              ": exclude_self cannot be trained from what the store keeps of ",
                              source, ": give it a batch_source, or the rows themselves");
  }
  LARDER_ASSIGN_OR_RETURN(const LoadRecord record, LoadRecordIn(session, view.data_id));
  if (record.pushed_rows == 0) {
    return WithKind(FailedPreconditionError("feature view ", view.ToString(),
                                            ": nothing was pushed to source ", source, " yet"),
                    ErrorKind::kNotReady);
  }
  std::vector<std::size_t> order(times.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const std::span<const int64_t> instants = times.Values<int64_t>();
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return instants[a] < instants[b]; });
  Collected collected(order);
  std::size_t begin = 0;
  std::size_t reported = 0;
  do {  // once for no rows, too: they have columns
    const Timestamp at = order.empty() ? Timestamp::Max() : Timestamp{instants[order[begin]]};
    std::size_t end = begin;
    while (end < order.size() && end - begin < kRowsAtOnce && instants[order[end]] == at.us) ++end;
    const std::span<const std::size_t> rows(order.data() + begin, end - begin);
    std::vector<Column> keys;
    std::vector<const Column*> columns;
    for (const Column* const key : join.spine_keys) keys.push_back(RowsOf(*key, rows));
    for (const Column& key : keys) columns.push_back(&key);
    const std::optional<Timestamp> known_at =
        join.known_at == KnownAt::kSpine ? std::optional(at) : std::nullopt;
    absl::StatusOr<FetchedUse> part =
        use.windows != nullptr
            ? FetchWindows(session, use, at, known_at, partial, columns, rows.size())
            : FetchStored(session, use, at, known_at, columns, rows.size());
    if (!part.ok()) {
      return Annotate(part.status(), Concat("feature view ", view.ToString(),
                                            ", trained from what the store keeps of ", source));
    }
    collected.Add(*std::move(part));
    begin = end;
    if (progress && (begin == order.size() || begin - reported >= kRowsAtOnce)) {
      LARDER_RETURN_IF_ERROR(progress({0, 0, static_cast<int64_t>(begin)}));
      reported = begin;
    }
  } while (begin < order.size());
  return std::move(collected).Take(join.spine_keys);
}

}  // namespace larder::inline LARDER_ABI
