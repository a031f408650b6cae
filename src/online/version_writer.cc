#include "online/version_writer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "larder/online/row_view.h"
#include "online/lmdb_status.h"
#include "online/row_codec.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint64_t kMiddleRank = uint64_t{1} << 63;
constexpr uint64_t kRowsRankedMax = uint64_t{1} << 24;

int64_t KnownTimeOf(std::string_view row) {
  return LoadAs<int64_t>(row.data() + offsetof(RowHeader, known_time));
}

}  // namespace

VersionWriter::VersionWriter(WriteTransaction::State* state, uint32_t view_id,
                             const RowLayout& layout, TieOrder tie_order, Timestamp cutoff)
    : state_(state), view_id_(view_id), layout_(layout), tie_order_(tie_order), cutoff_(cutoff) {}

VersionWriter::~VersionWriter() {
  if (cursor_ != nullptr) mdb_cursor_close(cursor_);
}

absl::StatusOr<bool> VersionWriter::Move(const RowKey& key, MDB_cursor_op op) {
  if (cursor_ == nullptr) {
    if (const int code = mdb_cursor_open(state_->txn, state_->impl().rows, &cursor_); code != 0) {
      return state_->Fail(code, "opening a cursor");
    }
  }
  if (op == MDB_SET_RANGE) at_ = ToVal(key.full());
  const int code = mdb_cursor_get(cursor_, &at_, &value_, op);
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return state_->Fail(code, "reading versions");
  if (!key.IsVersionOf(FromVal(at_))) return false;
  if (!StoredCheckHolds(FromVal(at_), FromVal(value_)) || value_.mv_size < sizeof(RowHeader)) {
    return WithKind(
        DataLossError("a row of view ", view_id_, " is damaged: its check does not hold"),
        ErrorKind::kCorrupt);
  }
  return true;
}

absl::StatusOr<std::string> VersionWriter::CanonicalOf(std::string_view row) const {
  LARDER_ASSIGN_OR_RETURN(const RowView view, RowView::Parse(row, layout_));
  std::string canonical;
  view.AppendCanonicalBytes(&canonical);
  return canonical;
}

// Every version with the event time and sequence of `order`.
absl::Status VersionWriter::ReadGroup(RowKey* key, const VersionOrder& order,
                                      std::vector<Member>* group) {
  VersionOrder first = order;
  first.arrival = Timestamp::Max().us;
  first.rank = std::numeric_limits<uint64_t>::max();
  key->Set(first);
  MDB_cursor_op op = MDB_SET_RANGE;
  for (;;) {
    LARDER_ASSIGN_OR_RETURN(const bool found, Move(*key, op));
    if (!found) return absl::OkStatus();
    op = MDB_NEXT;
    Member member;
    member.order = ParseRowKey(FromVal(at_)).order;
    if (member.order.event_time != order.event_time || member.order.sequence != order.sequence) {
      return absl::OkStatus();
    }
    LARDER_ASSIGN_OR_RETURN(member.canonical, CanonicalOf(FromVal(value_)));
    member.known_time = KnownTimeOf(FromVal(value_));
    group->push_back(std::move(member));
  }
}

// A rank that puts a new version at `place` among its ties, which are given greatest first. Ranks are halved gaps;
// when a gap is used up all ties are spread anew.
absl::StatusOr<uint64_t> VersionWriter::RankBetween(RowKey* key, std::vector<Member>* ties,
                                                    std::size_t place) {
  if (ties->empty()) return kMiddleRank;
  const uint64_t above =
      place == 0 ? std::numeric_limits<uint64_t>::max() : (*ties)[place - 1].order.rank;
  const uint64_t below = place == ties->size() ? 0 : (*ties)[place].order.rank;
  if (above - below >= 2) return below + (above - below) / 2;

  std::vector<std::string> rows;
  for (const Member& tie : *ties) {
    key->Set(tie.order);
    LARDER_ASSIGN_OR_RETURN(const bool found, Move(*key, MDB_SET_RANGE));
    if (!found) return InternalError("a tied version of view ", view_id_, " is gone");
    rows.emplace_back(FromVal(value_));
    LARDER_RETURN_IF_ERROR(state_->Delete(state_->impl().rows, key->full()));
  }
  const uint64_t step = std::numeric_limits<uint64_t>::max() / (ties->size() + 2);
  for (std::size_t i = 0; i < ties->size(); ++i) {
    const uint64_t position = i < place ? ties->size() + 1 - i : ties->size() - i;
    (*ties)[i].order.rank = position * step;
    key->Set((*ties)[i].order);
    SetStoredCheck(key->full(), &rows[i]);
    LARDER_RETURN_IF_ERROR(state_->Put(state_->impl().rows, key->full(), rows[i]));
  }
  return (ties->size() + 1 - place) * step;
}

// The same row again: it was known from the earlier of the two times.
absl::Status VersionWriter::KeepEarliestKnown(RowKey* key, const Member& member,
                                              std::string_view row) {
  if (KnownTimeOf(row) >= member.known_time) return absl::OkStatus();
  key->Set(member.order);
  LARDER_ASSIGN_OR_RETURN(const bool found, Move(*key, MDB_SET_RANGE));
  if (!found) return InternalError("a version of view ", view_id_, " is gone");
  std::string stored(FromVal(value_));
  std::memcpy(stored.data() + offsetof(RowHeader, known_time),
              row.data() + offsetof(RowHeader, known_time), 8);
  constexpr uint16_t kHowKnown = kRowArrivalNull | kRowKnownByArrival | kRowKnownByCommit;
  auto flags = LoadAs<uint16_t>(stored.data() + offsetof(RowHeader, flags));
  const auto new_flags = LoadAs<uint16_t>(row.data() + offsetof(RowHeader, flags));
  flags = static_cast<uint16_t>((flags & ~kHowKnown) | (new_flags & kHowKnown));
  std::memcpy(stored.data() + offsetof(RowHeader, flags), &flags, sizeof(flags));
  SetStoredCheck(key->full(), &stored);
  return state_->Put(state_->impl().rows, key->full(), stored);
}

absl::StatusOr<VersionWriter::Outcome> VersionWriter::Insert(std::string_view entity_key,
                                                             VersionOrder order, std::string* row) {
  Outcome outcome;
  RowKey key(view_id_, entity_key);
  const auto put = [&]() -> absl::Status {
    key.Set(order);
    SetStoredCheck(key.full(), row);
    return state_->Put(state_->impl().rows, key.full(), *row);
  };
  if (tie_order_ == TieOrder::kCommit) {
    if (state_->ranked_rows >= kRowsRankedMax) {
      return WithKind(InvalidArgumentError("more than ", kRowsRankedMax,
                                           " rows in commit order in one transaction"),
                      ErrorKind::kTooLarge);
    }
    order.rank = (state_->head.commit_seq << 24) | state_->ranked_rows++;
  } else {
    order.rank = kMiddleRank;
  }
  key.SetFirstAt(Timestamp::Max().us);
  LARDER_ASSIGN_OR_RETURN(const bool has_versions, Move(key, MDB_SET_RANGE));
  if (!has_versions) {
    LARDER_RETURN_IF_ERROR(put());
    return outcome;
  }

  std::vector<Member> group;
  LARDER_RETURN_IF_ERROR(ReadGroup(&key, order, &group));
  if (!group.empty()) {
    LARDER_ASSIGN_OR_RETURN(const std::string canonical, CanonicalOf(*row));
    std::vector<Member> ties;
    for (Member& member : group) {
      if (member.canonical != canonical) outcome.ambiguous = true;
      if (member.order.arrival == order.arrival) ties.push_back(std::move(member));
    }
    // In commit order only a repetition of the current winner changes nothing.
    const std::size_t comparable =
        tie_order_ == TieOrder::kCommit ? std::min<std::size_t>(ties.size(), 1) : ties.size();
    std::size_t place = 0;
    while (place < comparable && ties[place].canonical > canonical) ++place;
    if (place < comparable && ties[place].canonical == canonical) {
      LARDER_RETURN_IF_ERROR(KeepEarliestKnown(&key, ties[place], *row));
      outcome.kind = Outcome::kDuplicate;
      outcome.ambiguous = false;
      return outcome;
    }
    if (tie_order_ == TieOrder::kCanonicalBytes) {
      LARDER_ASSIGN_OR_RETURN(order.rank, RankBetween(&key, &ties, place));
    }
  }

  // A later row loses to nothing before its time, and hides nothing until then.
  RowKey now = key;
  now.SetFirstAt(std::max(order.event_time, state_->head.commit_time));
  key.Set(order);
  LARDER_ASSIGN_OR_RETURN(const bool has_winner, Move(now, MDB_SET_RANGE));
  if (has_winner && FromVal(at_) < key.full()) outcome.kind = Outcome::kOlder;

  LARDER_RETURN_IF_ERROR(put());
  LARDER_ASSIGN_OR_RETURN(outcome.dropped, DropSuperseded(&key));
  return outcome;
}

// A version goes when others, of which every one happened and was known by the cutoff, answer everything it could:
// all its features, for as long as it lasts. What they say about as_of and known_at is then exact only from their own
// times on, which become the view's floors. Dropped versions' own times count too where they are before the cutoff, so
// that the floors do not depend on the order in which versions came.
absl::StatusOr<std::size_t> VersionWriter::DropSuperseded(RowKey* key) {
  key->SetFirstAt(cutoff_.us);
  doomed_.clear();
  covered_.assign(layout_.bitmap_words(), 0);
  bool all_covered = false;
  int64_t covered_until = Timestamp::Min().us;
  Timestamp as_of = Timestamp::Min();
  Timestamp known_at = Timestamp::Min();
  Timestamp floor_as_of = Timestamp::Min();
  Timestamp floor_known = Timestamp::Min();
  MDB_cursor_op op = MDB_SET_RANGE;
  for (;;) {
    LARDER_ASSIGN_OR_RETURN(const bool found, Move(*key, op));
    if (!found) break;
    op = MDB_NEXT;
    LARDER_ASSIGN_OR_RETURN(const RowView view, RowView::Parse(FromVal(value_), layout_));
    const uint16_t flags = view.flags();
    const bool whole = (flags & kRowPartial) == 0 || view.is_delete();
    const int64_t until = view.valid_to().value_or(Timestamp::Max()).us;
    bool needed = !(all_covered && covered_until >= until);
    const char* presence = nullptr;
    if (!whole) {
      presence = view.bytes().data() + PayloadOffset(flags, layout_) - covered_.size() * 8;
      needed = needed && [&] {
        for (std::size_t w = 0; w < covered_.size(); ++w) {
          if ((LoadAs<uint64_t>(presence + 8 * w) & ~covered_[w]) != 0) return true;
        }
        return false;
      }();
    }
    const bool settled = view.known_time() <= cutoff_ && (flags & kRowArrivalNull) == 0;
    if (!needed) {
      doomed_.emplace_back(FromVal(at_));
      floor_as_of = std::max(floor_as_of, as_of);
      floor_known =
          std::max(floor_known, settled ? std::max(known_at, view.known_time()) : known_at);
    }
    if (!settled) continue;
    as_of = std::max(as_of, view.event_time());
    known_at = std::max(known_at, view.known_time());
    if (whole) {
      all_covered = true;
      covered_until = std::max(covered_until, until);
    } else if (until == Timestamp::Max().us) {
      for (std::size_t w = 0; w < covered_.size(); ++w)
        covered_[w] |= LoadAs<uint64_t>(presence + 8 * w);
    }
  }
  if (doomed_.empty()) return std::size_t{0};
  for (const std::string& version : doomed_) {
    LARDER_RETURN_IF_ERROR(state_->Delete(state_->impl().rows, version));
  }
  LARDER_ASSIGN_OR_RETURN(WriteTransaction::State::Floors* const floors, state_->FloorsOf(view_id_));
  state_->RaiseFloors(floors, floor_as_of, floor_known);
  return doomed_.size();
}

}  // namespace larder::inline LARDER_ABI
