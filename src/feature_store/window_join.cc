#include "feature_store/window_join.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "base/worker_threads.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kParallelRowsMin = 16'384;
constexpr std::size_t kPieceKeysMax = 512;

}  // namespace

absl::StatusOr<WindowJoin> WindowJoin::Make(const ViewVersion& view, const WindowPlan& plan,
                                            const Column& times, JoinView join,
                                            const JoinOptions& options) {
  LARDER_ASSIGN_OR_RETURN(WindowSpine spine,
                          WindowSpine::Make(plan, times, join, options.thread_count));
  WindowJoin made(view, plan, std::move(join), options, std::move(spine));
  for (std::size_t key = 0; key < made.spine_.key_count(); ++key)
    made.counts_.rows_found += std::ssize(made.spine_.RowsOf(key));
  made.counts_.rows_null_key = static_cast<int64_t>(times.size()) - made.counts_.rows_found;
  made.counts_.rows_not_found = made.counts_.rows_null_key;
  return made;
}

absl::Status WindowJoin::Add(MappedBatch mapped, const Source& source, std::size_t source_number) {
  has_known_time_ |= source.has_known_time();
  const auto number = static_cast<uint32_t>(batches_.size());
  // Its own columns are what it borrows: it stays where it is.
  WindowEventBatch& batch =
      batches_.emplace_back(WindowEventBatch{std::move(mapped), WindowEvents()});
  const MappedEvents& events = batch.mapped.events;
  batch.windows =
      WindowEvents(plan_, events, source, source_number, static_cast<uint64_t>(counts_.events));
  counts_.events += static_cast<int64_t>(events.row_count);
  LARDER_ASSIGN_OR_RETURN(const KeyReader keys, KeyReader::Make(events.keys, join_.key_types));
  const std::size_t pieces = events.row_count < kParallelRowsMin
                                 ? 1
                                 : static_cast<std::size_t>(std::max(options_.thread_count, 1));
  const std::size_t each = (events.row_count + pieces - 1) / pieces;
  std::vector<WindowSpine::Matched> matched(pieces);
  RunPieces(options_.thread_count, pieces, [&](std::size_t piece, std::size_t) {
    const std::size_t begin = std::min(piece * each, events.row_count);
    matched[piece] =
        spine_.Match(events, batch.windows, keys, begin, std::min(begin + each, events.row_count));
  });
  bool is_used = false;
  for (const WindowSpine::Matched& some : matched) {
    if (some.nameless_delete) {
      return InvalidArgumentError("source ", source.name, ": a delete at ",
                                  FormatTimestamp({batch.windows.TimeOf(*some.nameless_delete)}),
                                  " has no ", source.event_id, " to say which event is deleted");
    }
    counts_.events_null_key += some.null_key;
    counts_.events_bad_key += some.bad_key;
    counts_.events_null_time += some.null_time;
    counts_.events_null_arrival += some.null_arrival;
    for (const WindowSpine::Seen& seen : some.seen)
      events_.push_back({seen.key, {number, seen.row}});
    is_used |= !some.seen.empty();
  }
  if (!is_used) batches_.pop_back();
  return absl::OkStatus();
}

WindowJoin::EventsByKey WindowJoin::SortedEvents() const {
  EventsByKey sorted;
  sorted.begin.assign(spine_.key_count() + 1, 0);
  for (const KeyEvent& event : events_) ++sorted.begin[event.key + 1];
  for (std::size_t key = 0; key < spine_.key_count(); ++key)
    sorted.begin[key + 1] += sorted.begin[key];
  sorted.places.resize(events_.size());
  std::vector<std::size_t> next(sorted.begin);
  for (const KeyEvent& event : events_) sorted.places[next[event.key]++] = event.place;
  return sorted;
}

std::vector<WindowJoin::Piece> WindowJoin::Pieces() const {
  // Keys differ in size, so there are more pieces than threads.
  const auto wanted = static_cast<std::size_t>(std::max(options_.thread_count, 1)) * 16;
  const std::size_t keys_each =
      std::clamp<std::size_t>(spine_.key_count() / wanted, 1, kPieceKeysMax);
  std::vector<Piece> pieces;
  for (std::size_t key = 0; key < spine_.key_count(); key += keys_each) {
    Piece& piece = pieces.emplace_back();
    piece.first_key = key;
    piece.last_key = std::min(key + keys_each, spine_.key_count());
  }
  return pieces;
}

absl::Status WindowJoin::Report(std::size_t rows) const {
  if (!options_.progress) return absl::OkStatus();
  return options_.progress({0, counts_.events, static_cast<int64_t>(rows)});
}

absl::Status WindowJoin::Evaluate(const EventsByKey& events, Piece* piece) const {
  const WindowHistories::Question question{view_, plan_, spine_, join_, batches_};
  const std::size_t rows = spine_.RowCountOf(piece->first_key, piece->last_key);
  const auto evaluate = [&](KnownAt known_at) -> absl::StatusOr<WindowHistories> {
    LARDER_ASSIGN_OR_RETURN(WindowHistories histories,
                            WindowHistories::Make(question, known_at, rows));
    for (std::size_t key = piece->first_key; key < piece->last_key; ++key) {
      const auto of_key = std::span(events.places)
                              .subspan(events.begin[key], events.begin[key + 1] - events.begin[key]);
      LARDER_RETURN_IF_ERROR(histories.Add(key, of_key));
    }
    return histories;
  };
  LARDER_ASSIGN_OR_RETURN(WindowHistories asked, evaluate(join_.known_at));
  if (has_other_known_at()) {
    LARDER_ASSIGN_OR_RETURN(
        const WindowHistories other,
        evaluate(join_.known_at == KnownAt::kSpine ? KnownAt::kAny : KnownAt::kSpine));
    for (std::size_t f = 0; f < view_.features.size(); ++f) {
      for (std::size_t place = 0; place < rows; ++place) {
        const bool is_same = asked.ColumnOf(f).ValueAt(place) == other.ColumnOf(f).ValueAt(place);
        piece->changed_by_other_known_at += is_same ? 0 : 1;
      }
    }
  }
  piece->histories.emplace(std::move(asked));
  return absl::OkStatus();
}

JoinedView WindowJoin::Assemble(const std::vector<Piece>& pieces) const {
  // Of each row of the spine the piece that has it, and its place there.
  struct RowPlace {
    uint32_t piece = 0;
    uint32_t place = 0;
  };
  const auto none = static_cast<uint32_t>(pieces.size());
  std::vector<RowPlace> place_of(spine_.row_count(), {none, 0});
  for (std::size_t p = 0; p < pieces.size(); ++p) {
    uint32_t place = 0;
    for (std::size_t key = pieces[p].first_key; key < pieces[p].last_key; ++key) {
      for (const uint32_t row : spine_.RowsOf(key))
        place_of[row] = {static_cast<uint32_t>(p), place++};
    }
  }
  JoinedView joined;
  for (const FeatureColumn& feature : view_.features) joined.features.emplace_back(feature.type);
  RunPieces(options_.thread_count, joined.features.size(), [&](std::size_t f, std::size_t) {
    std::vector<const Column*> from;
    for (const Piece& piece : pieces) from.push_back(&piece.histories->ColumnOf(f));
    Column& to = joined.features[f];
    if (to.type().is_fixed_width()) {
      const std::size_t width = to.type().byte_width();
      to.ResizeFixed(place_of.size());
      std::byte* next = to.MutableValues<std::byte>().data();
      for (std::size_t row = 0; row < place_of.size(); ++row, next += width) {
        const RowPlace& at = place_of[row];
        if (at.piece == none || !from[at.piece]->IsValid(at.place)) continue;
        std::memcpy(next, from[at.piece]->data().data() + at.place * width, width);
        to.mutable_validity().Set(row, true);
      }
      return;
    }
    to.Reserve(place_of.size());
    for (const RowPlace& at : place_of) {
      if (at.piece == none) {
        to.AppendNull();
      } else {
        to.AppendFrom(*from[at.piece], at.place);
      }
    }
  });
  JoinOutcome& outcome = joined.outcomes.emplace_back();
  for (const RowPlace& at : place_of) {
    outcome.status.push_back(at.piece == none ? FeatureStatus::kNotFound : FeatureStatus::kPresent);
    outcome.event_time.AppendNull();
    if (options_.audit) {
      outcome.known_time.AppendNull();
      outcome.event_id.AppendNull();
    }
  }
  return joined;
}

absl::StatusOr<JoinedView> WindowJoin::Finish() && {
  EventsByKey events = SortedEvents();
  events_ = std::vector<KeyEvent>();
  std::vector<Piece> pieces = Pieces();
  // Progress is told, and may end all of it, on the calling thread: the first one.
  absl::Status told = Report(0);
  if (!told.ok()) return told;
  std::atomic<std::size_t> rows_made{0};
  std::atomic<bool> has_ended{false};
  RunPieces(options_.thread_count, pieces.size(), [&](std::size_t p, std::size_t thread) {
    if (has_ended) return;
    pieces[p].status = Evaluate(events, &pieces[p]);
    rows_made += spine_.RowCountOf(pieces[p].first_key, pieces[p].last_key);
    if (thread != 0) return;
    told = Report(rows_made);
    if (!told.ok()) has_ended = true;
  });
  // Others may have made all of them.
  if (told.ok()) told = Report(rows_made);
  if (!told.ok()) return told;
  if (has_other_known_at()) counts_.cells_changed_by_other_known_at = 0;
  for (const Piece& piece : pieces) {
    LARDER_RETURN_IF_ERROR(piece.status);
    counts_.cells_refused += piece.histories->refused();
    if (counts_.cells_changed_by_other_known_at)
      *counts_.cells_changed_by_other_known_at += piece.changed_by_other_known_at;
  }
  // Values are the pieces' own: their events need not wait for the columns.
  events = EventsByKey();
  batches_.clear();
  JoinedView joined = Assemble(pieces);
  joined.counts = counts_;
  return joined;
}

}  // namespace larder::inline LARDER_ABI
