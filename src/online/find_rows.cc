// Looking rows up: one key with all care, and many keys in steps that ask for memory ahead.
#include "larder/online/read_session.h"
#include "online/environment_impl.h"
#include "online/key_size.h"
#include "online/version_order.h"
#include "online/visible.h"

namespace larder::inline LARDER_ABI {

// A key's versions in one layer, newest first.
class ReadSession::Versions {
 public:
  // Requires: the chain's first row, if any, was compared with its check as the policy asks.
  Versions(const ReadSession& session, const RowLayout& layout, uint64_t hash, ViewRows::Chain chain)
      : session_(session), layout_(layout), hash_(hash), chain_(chain) {}

  // Moves on to the next version that answers. False at the end.
  absl::StatusOr<bool> Next(Timestamp as_of, const std::optional<Timestamp>& known_at) {
    while (chain_.row != nullptr) {
      if (began_) {
        chain_.row = chain_.segment->Older(chain_.row);
        if (chain_.row == nullptr) break;
        if (session_.environment_->options().verify != VerifyPolicy::kNever)
          LARDER_RETURN_IF_ERROR(chain_.segment->CheckRow(chain_.row, hash_));
      }
      began_ = true;
      LARDER_ASSIGN_OR_RETURN(row_, session_.ViewOf(*chain_.segment, chain_.row, layout_));
      if (Answers(*row_, as_of, known_at)) return true;
    }
    return false;
  }
  [[nodiscard]] const RowView& row() const { return *row_; }

 private:
  const ReadSession& session_;
  const RowLayout& layout_;
  uint64_t hash_;
  ViewRows::Chain chain_;
  bool began_ = false;
  std::optional<RowView> row_;
};

absl::StatusOr<RowView> ReadSession::ViewOf(const SegmentView& segment, const char* row,
                                            const RowLayout& layout) const {
  absl::StatusOr<RowView> view = segment.Parse(row, layout);
  if (!view.ok()) return Annotate(view.status(), Concat("view ", segment.header().view_id));
#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
  view->lease_ = {lease_, lease_->load(std::memory_order_relaxed)};
#endif
  return view;
}

absl::Status ReadSession::CheckAsked(uint32_t view_id, std::string_view key, Timestamp as_of,
                                     std::optional<Timestamp> known_at) const {
  if (key.size() > kEntityKeySizeMax) return KeyTooLarge(key.size());
  if (as_of < highest_floors_.as_of || (known_at && *known_at < highest_floors_.known_at)) {
    return CheckFloors(view_id, as_of, known_at);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<RowView>> ReadSession::FindRow(
    uint32_t view_id, const RowLayout& layout, std::string_view key, Timestamp as_of,
    std::optional<Timestamp> known_at) const& {
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, ShapeOf(layout)));
  LARDER_RETURN_IF_ERROR(CheckAsked(view_id, key, as_of, known_at));
  const uint64_t hash = Hash64(key, environment_->hash_seed());
  std::optional<RowView> winner;
  for (const Layer layer : {Layer::kLoaded, Layer::kPushed}) {
    ViewRows::Chain chain;
    LARDER_RETURN_IF_ERROR(rows->Find(Source(), layer, hash, key, &chain));
    Versions versions(*this, layout, hash, chain);
    LARDER_ASSIGN_OR_RETURN(const bool found, versions.Next(as_of, known_at));
    if (found && (!winner || WinsOver(versions.row(), *winner))) winner = versions.row();
  }
  if (winner && winner->is_delete()) winner.reset();
  return winner;
}

absl::StatusOr<ViewRows*> ReadSession::RowsOfView(uint32_t view_id, const RowLayout& layout,
                                                  RowsHint* hint) const {
  if (hint->rows != nullptr && hint->snapshot == slot_->snapshot) {
    LARDER_RETURN_IF_ERROR(CheckUsable());
    return hint->rows;
  }
  return RowsOf(view_id, ShapeOf(layout), hint);
}

absl::Status ReadSession::Prefault(ViewRows& rows) const { return rows.Prefault(Source()); }

void ReadSession::FetchIndex(const ViewRows& rows, std::span<const KeyRef> keys) const {
  rows.FetchIndex(keys);
}

void ReadSession::FetchRows(const ViewRows& rows, std::span<const KeyRef> keys,
                            std::span<RowGuess> guesses) const {
  rows.FetchRows(keys, guesses);
}

absl::Status ReadSession::FindMany(const ViewRows& rows, const RowLayout& layout,
                                   std::span<const KeyRef> keys, std::span<const RowGuess> guesses,
                                   Timestamp as_of, std::span<FoundRow> out) const {
  LARDER_DCHECK(out.size() == keys.size() && guesses.size() == keys.size());
  if (as_of < highest_floors_.as_of)
    LARDER_RETURN_IF_ERROR(CheckFloors(rows.view_id(), as_of, std::nullopt));
  const VerifyPolicy verify = environment_->options().verify;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    FoundRow& found = out[i];
    const KeyRef& key = keys[i];
    const RowGuess& guess = guesses[i];
    found.payload = nullptr;
    if (key.key.data() == nullptr || guess.state == RowGuess::kAbsent) continue;
    const bool has_key =
        guess.state != RowGuess::kUnknown && guess.segment->HasKey(guess.row, key.key);
    if (!has_key && guess.state == RowGuess::kOnly) {
      if (ViewRows::NeedsCheck(verify, guess))
        LARDER_RETURN_IF_ERROR(ViewRows::CheckOther(guess, key.hash, environment_->hash_seed()));
      continue;
    }
    if (has_key) {
      if (ViewRows::NeedsCheck(verify, guess))
        LARDER_RETURN_IF_ERROR(ViewRows::Check(guess, key.hash));
      // The newest version answers nearly always: visible, without an end, and with all features.
      constexpr uint16_t kUnusual = kRowDelete | kRowHasValidTo | kRowPartial;
      if ((FlagsOfRow(guess.row) & kUnusual) == 0) {
        const int64_t event_time = guess.segment->EventTimeOf(guess.row);
        if (event_time <= as_of.us) found = guess.segment->Found(guess.row, layout, event_time);
        if (found.payload != nullptr) continue;
      }
    }
    LARDER_ASSIGN_OR_RETURN(const std::optional<RowView> row,
                            FindRow(rows.view_id(), layout, key.key, as_of));
    if (row) found = FoundRow::Of(*row);
  }
  return absl::OkStatus();
}

absl::Status ReadSession::FindRows(uint32_t view_id, const RowLayout& layout,
                                   std::span<const std::string_view> keys,
                                   std::span<const Timestamp> as_of,
                                   std::span<const Timestamp> known_at,
                                   std::span<std::optional<RowView>> out) const& {
  LARDER_DCHECK(out.size() == keys.size());
  const auto fits = [&keys](std::size_t size) { return size == 1 || size == keys.size(); };
  if (!fits(as_of.size()) || !(known_at.empty() || fits(known_at.size()))) {
    return InvalidArgumentError(keys.size(), " keys with ", as_of.size(), " as_of and ",
                                known_at.size(), " known_at");
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    out[i].reset();
    if (keys[i].data() == nullptr) continue;
    std::optional<Timestamp> known;
    if (!known_at.empty()) known = known_at[known_at.size() == 1 ? 0 : i];
    LARDER_ASSIGN_OR_RETURN(
        out[i], FindRow(view_id, layout, keys[i], as_of[as_of.size() == 1 ? 0 : i], known));
  }
  return absl::OkStatus();
}

absl::Status ReadSession::FindPartialRow(uint32_t view_id, const RowLayout& layout,
                                         std::string_view key, Timestamp as_of,
                                         std::optional<Timestamp> known_at, PartialRow* out) const& {
  out->Clear(layout.size());
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, ShapeOf(layout)));
  LARDER_RETURN_IF_ERROR(CheckAsked(view_id, key, as_of, known_at));
  const uint64_t hash = Hash64(key, environment_->hash_seed());
  ViewRows::Chain loaded;
  ViewRows::Chain pushed;
  LARDER_RETURN_IF_ERROR(rows->Find(Source(), Layer::kLoaded, hash, key, &loaded));
  LARDER_RETURN_IF_ERROR(rows->Find(Source(), Layer::kPushed, hash, key, &pushed));
  Versions a(*this, layout, hash, loaded);
  Versions b(*this, layout, hash, pushed);
  LARDER_ASSIGN_OR_RETURN(bool has_a, a.Next(as_of, known_at));
  LARDER_ASSIGN_OR_RETURN(bool has_b, b.Next(as_of, known_at));
  while ((has_a || has_b) && out->found_ < layout.size()) {
    const bool take_a = has_a && (!has_b || WinsOver(a.row(), b.row()));
    Versions& taken = take_a ? a : b;
    const RowView row = taken.row();
    if (row.is_delete()) break;
    out->Take(row);
    LARDER_ASSIGN_OR_RETURN(const bool more, taken.Next(as_of, known_at));
    (take_a ? has_a : has_b) = more;
  }
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
