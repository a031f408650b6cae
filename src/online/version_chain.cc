#include "online/version_chain.h"

#include <algorithm>
#include <cstring>

#include "online/stored_row.h"
#include "online/version_order.h"

namespace larder::inline LARDER_ABI {
namespace {

bool SameInstant(const VersionOrder& a, const VersionOrder& b) {
  return a.event_time == b.event_time && a.has_sequence == b.has_sequence &&
         a.sequence == b.sequence;
}

bool IsKnownNever(const RowView& row) { return (row.flags() & kRowArrivalNull) != 0; }

}  // namespace

void VersionChain::Outcome::CountIn(RowsResult* result) const {
  result->written += kind == kWritten ? 1 : 0;
  result->older += kind == kOlder ? 1 : 0;
  result->duplicate += kind == kDuplicate ? 1 : 0;
  result->ambiguous += ambiguous ? 1 : 0;
  result->dropped += dropped;
}

void VersionChain::Reset(std::vector<RowView>* versions, std::span<const RowView> others) {
  versions_ = versions;
  others_ = others;
  changed_ = false;
}

absl::StatusOr<VersionChain::Outcome> VersionChain::Insert(std::string_view bytes) {
  LARDER_ASSIGN_OR_RETURN(const RowView row, RowView::Parse(bytes, layout_));
  std::vector<RowView>& versions = *versions_;
  const VersionOrder order = OrderOf(row);
  Outcome outcome;

  // A push that repeats a loaded row is counted as one, and kept: the generation may go.
  bool is_repetition = false;
  // Where the ties of the row begin, and its place among them.
  std::size_t place = 0;
  while (place < versions.size() && OrderOf(versions[place]) > order) ++place;
  const auto is_near = [&order](const RowView& other) { return SameInstant(OrderOf(other), order); };
  if (std::any_of(versions.begin(), versions.end(), is_near) ||
      std::any_of(others_.begin(), others_.end(), is_near)) {
    const std::string canonical = CanonicalBytesOf(row);
    const auto differs = [&](const RowView& other) {
      return is_near(other) && CanonicalBytesOf(other) != canonical;
    };
    outcome.ambiguous = std::any_of(versions.begin(), versions.end(), differs) ||
                        std::any_of(others_.begin(), others_.end(), differs);
    std::size_t ties_end = place;
    while (ties_end < versions.size() && OrderOf(versions[ties_end]) == order) ++ties_end;
    // In commit order only a repetition of the current winner changes nothing.
    const bool by_commit = rules_.tie_order == TieOrder::kCommit;
    const std::size_t comparable = by_commit ? std::min(ties_end, place + 1) : ties_end;
    std::size_t at = place;
    while (at < comparable && CanonicalBytesOf(versions[at]) > canonical) ++at;
    if (at < comparable && CanonicalBytesOf(versions[at]) == canonical) {
      LARDER_RETURN_IF_ERROR(KeepEarliestKnown(at, row));
      return Outcome{Outcome::kDuplicate, false, 0};
    }
    if (!by_commit) place = at;
    for (const RowView& other : others_) {
      if (OrderOf(other) != order) continue;
      if (CanonicalBytesOf(other) == canonical && other.known_time() <= row.known_time() &&
          (!by_commit || ties_end == place)) {
        if (rules_.skips_others_rows) return Outcome{Outcome::kDuplicate, false, 0};
        is_repetition = true;
      }
      if (by_commit) break;
    }
  }

  // A later row loses to nothing before its time, and hides nothing until then.
  const Timestamp now = std::max(row.event_time(), rules_.commit_time);
  const auto visible = [&now](const RowView& other) { return other.event_time() <= now; };
  const auto first = std::find_if(versions.begin(), versions.end(), visible);
  if (first != versions.end() && first - versions.begin() < static_cast<std::ptrdiff_t>(place))
    outcome.kind = Outcome::kOlder;
  const auto loaded = std::find_if(others_.begin(), others_.end(), visible);
  if (loaded != others_.end() && WinsOver(*loaded, row)) outcome.kind = Outcome::kOlder;

  versions.insert(versions.begin() + static_cast<std::ptrdiff_t>(place), row);
  changed_ = true;
  outcome.dropped = DropSuperseded();
  if (is_repetition) {
    outcome.kind = Outcome::kDuplicate;
    outcome.ambiguous = false;
  }
  return outcome;
}

// The same row again: it was known from the earlier of the two times.
absl::Status VersionChain::KeepEarliestKnown(std::size_t at, const RowView& row) {
  const RowView& kept = (*versions_)[at];
  if (kept.known_time() <= row.known_time()) return absl::OkStatus();
  // The new row says the same but for when it was written: its commit and its rank stay the kept one's.
  const std::size_t size = row.bytes().size();
  char* const bytes = arena_->Allocate(size);
  std::memcpy(bytes, row.bytes().data(), size);
  const auto keep = [&](uint16_t flag, uint64_t value) {
    const char* const word = WordOfLooseRow(row.bytes(), layout_.trailer_offset(), flag);
    if (word == nullptr || (kept.flags() & flag) == 0) return;
    std::memcpy(bytes + (word - row.bytes().data()), &value, sizeof(value));
  };
  keep(kRowHasRank, kept.rank());
  keep(kRowHasCommitSeq, kept.commit_seq());
  LARDER_ASSIGN_OR_RETURN((*versions_)[at], RowView::Parse({bytes, size}, layout_));
  changed_ = true;
  return absl::OkStatus();
}

// A version goes when others, of which every one happened and was known by the cutoff, answer everything it could:
// all its features, for as long as it lasts. What they say about as_of and known_at is then exact only from their own
// times on, which become the view's floors. Dropped versions' own times count too where they are before the cutoff, so
// that the floors do not depend on the order in which versions came.
std::size_t VersionChain::DropSuperseded() {
  std::vector<RowView>& versions = *versions_;
  covered_.assign(std::size_t{8} * layout_.bitmap_words(), 0);
  bool all_covered = false;
  int64_t covered_until = Timestamp::Min().us;
  Timestamp as_of = Timestamp::Min();
  Timestamp known_at = Timestamp::Min();
  std::size_t kept = 0;
  const RowView newest = versions.front();
  for (std::size_t i = 0; i < versions.size(); ++i) {
    const RowView view = versions[i];
    const auto keep = [&] { versions[kept++] = view; };
    if (view.event_time() > rules_.cutoff) {
      keep();
      continue;
    }
    const bool whole = !view.is_partial() || view.is_delete();
    const int64_t until = view.valid_to().value_or(Timestamp::Max()).us;
    bool needed = !(all_covered && covered_until >= until);
    if (!whole && needed) {
      needed = false;
      for (std::size_t byte = 0; byte < covered_.size() && !needed; ++byte) {
        const auto carried = static_cast<uint8_t>(view.presence()[byte]);
        needed = (carried & static_cast<uint8_t>(~covered_[byte])) != 0;
      }
    }
    const bool settled = view.known_time() <= rules_.cutoff && !IsKnownNever(view);
    if (needed) {
      keep();
    } else {
      floors_.as_of = std::max(floors_.as_of, as_of);
      floors_.known_at =
          std::max(floors_.known_at, settled ? std::max(known_at, view.known_time()) : known_at);
    }
    if (!settled) continue;
    as_of = std::max(as_of, view.event_time());
    known_at = std::max(known_at, view.known_time());
    if (whole) {
      all_covered = true;
      covered_until = std::max(covered_until, until);
    } else if (until == Timestamp::Max().us) {
      for (std::size_t byte = 0; byte < covered_.size(); ++byte)
        covered_[byte] |= static_cast<uint8_t>(view.presence()[byte]);
    }
  }
  // A key that has only partial rows without a feature keeps one: a chain is never empty.
  if (kept == 0) versions[kept++] = newest;
  const std::size_t dropped = versions.size() - kept;
  versions.erase(versions.begin() + static_cast<std::ptrdiff_t>(kept), versions.end());
  return dropped;
}

}  // namespace larder::inline LARDER_ABI
