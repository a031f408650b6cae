#include "larder/online/staged_rows.h"

#include <algorithm>
#include <utility>

#include "online/row_encoding.h"
#include "online/version_chain.h"
#include "online/version_order.h"
#include "online/visible.h"

namespace larder::inline LARDER_ABI {

const StagedRows::StagedKey* StagedRows::KeyOf(uint64_t hash, std::string_view key) const {
  const auto at = std::lower_bound(keys_.begin(), keys_.end(), key,
                                   [hash](const StagedKey& a, std::string_view wanted) {
                                     return a.hash != hash ? a.hash < hash : a.key < wanted;
                                   });
  return at != keys_.end() && at->hash == hash && at->key == key ? &*at : nullptr;
}

absl::StatusOr<StagedRows::StagedKey*> StagedRows::TakeKey(const ReadSession& session,
                                                           const RowsToWrite& rows, uint64_t hash,
                                                           std::string_view key) {
  const auto at = std::lower_bound(keys_.begin(), keys_.end(), key,
                                   [hash](const StagedKey& a, std::string_view wanted) {
                                     return a.hash != hash ? a.hash < hash : a.key < wanted;
                                   });
  if (at != keys_.end() && at->hash == hash && at->key == key) return &*at;
  StagedKey taken;
  taken.hash = hash;
  taken.key = key;
  LARDER_RETURN_IF_ERROR(session.ReadLayers(rows.view_id, *rows.layout, {key, hash}, &hint_,
                                            &taken.loaded, &taken.pushed));
  return &*keys_.insert(at, std::move(taken));
}

absl::StatusOr<RowsResult> StagedRows::Add(const ReadSession& session, const RowsToWrite& rows,
                                           Timestamp commit_time) {
  RowsResult result;
  commit_time = std::max(commit_time, session.commit_time().Plus({1}));
  RowEncoding encoding{session.commit_seq() + 1, commit_time, true,
                       session.environment()->hash_seed(), ranked_rows_};
  std::vector<NewRow> encoded;
  LARDER_RETURN_IF_ERROR(EncodeRows(rows, &encoding, &encoded, &result));
  if (result.rejected_count() > 0) return result;
  ranked_rows_ = encoding.ranked_rows;
  SortByKey(&encoded);

  const Timestamp reference = rows.reference_time.value_or(commit_time);
  VersionChain chain(*rows.layout,
                     {rows.tie_order, commit_time, reference.Minus(rows.version_horizon)}, &rows_);
  for (std::size_t i = 0; i < encoded.size();) {
    const uint64_t hash = encoded[i].hash;
    const std::string_view key = encoded[i].key();
    LARDER_ASSIGN_OR_RETURN(StagedKey* const staged, TakeKey(session, rows, hash, key));
    chain.Reset(std::move(staged->pushed), staged->loaded);
    for (; i < encoded.size() && encoded[i].hash == hash &&
           encoded[i].key() == std::string_view(staged->key);
         ++i) {
      const std::string& bytes = rows_.emplace_back(std::move(encoded[i].bytes));
      LARDER_ASSIGN_OR_RETURN(const VersionChain::Outcome outcome, chain.Insert(bytes));
      outcome.CountIn(&result);
    }
    staged->pushed = chain.versions();
    staged->versions.resize(staged->pushed.size() + staged->loaded.size(), staged->pushed.front());
    std::merge(staged->pushed.begin(), staged->pushed.end(), staged->loaded.begin(),
               staged->loaded.end(), staged->versions.begin(), WinsOver);
  }
  floors_.as_of = std::max(floors_.as_of, chain.floors().as_of);
  floors_.known_at = std::max(floors_.known_at, chain.floors().known_at);
  return result;
}

void StagedRows::Clear() { *this = {}; }

absl::Status StagedRows::CheckFloors(Timestamp as_of, std::optional<Timestamp> known_at) const {
  if (as_of < floors_.as_of) return OutsideHistoryError("as_of", as_of, floors_.as_of);
  if (known_at && *known_at < floors_.known_at)
    return OutsideHistoryError("known_at", *known_at, floors_.known_at);
  return absl::OkStatus();
}

absl::StatusOr<bool> StagedRows::Find(const KeyRef& key, Timestamp as_of,
                                      std::optional<Timestamp> known_at, FoundRow* found) const {
  LARDER_RETURN_IF_ERROR(CheckFloors(as_of, known_at));
  const StagedKey* const staged = KeyOf(key.hash, key.key);
  if (staged == nullptr) return false;
  *found = {};
  for (const RowView& row : staged->versions) {
    if (!Answers(row, as_of, known_at)) continue;
    if (!row.is_delete()) *found = FoundRow::Of(row);
    break;
  }
  return true;
}

absl::StatusOr<bool> StagedRows::FindPartial(const KeyRef& key, const RowLayout& layout,
                                             Timestamp as_of, std::optional<Timestamp> known_at,
                                             PartialRow* found) const {
  LARDER_RETURN_IF_ERROR(CheckFloors(as_of, known_at));
  const StagedKey* const staged = KeyOf(key.hash, key.key);
  if (staged == nullptr) return false;
  found->Clear(layout.size());
  for (const RowView& row : staged->versions) {
    if (!Answers(row, as_of, known_at)) continue;
    if (row.is_delete()) break;
    found->Take(row);
  }
  return true;
}

}  // namespace larder::inline LARDER_ABI
