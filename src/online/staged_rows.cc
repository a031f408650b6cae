#include "larder/online/staged_rows.h"

#include <algorithm>
#include <iterator>

#include "online/row_encoding.h"
#include "online/version_chain.h"
#include "online/version_order.h"
#include "online/visible.h"

namespace larder::inline LARDER_ABI {

struct StagedRows::Memory {
  // What is prepared.
  NewRows encoded;
  uint32_t view_id = 0;
  const RowLayout* layout = nullptr;
  VersionChain::Rules rules;

  RowArena rows;
};

StagedRows::StagedRows() : memory_(std::make_unique<Memory>()) {}
StagedRows::StagedRows(StagedRows&&) noexcept = default;
StagedRows& StagedRows::operator=(StagedRows&&) noexcept = default;
StagedRows::~StagedRows() = default;

std::vector<StagedRows::Place>::const_iterator StagedRows::PlaceOf(uint64_t hash,
                                                                   std::string_view key) const {
  return std::partition_point(order_.begin(), order_.end(), [&](const Place& place) {
    return place.hash != hash ? place.hash < hash : keys_[place.at].key < key;
  });
}

const StagedRows::StagedKey* StagedRows::KeyOf(uint64_t hash, std::string_view key) const {
  const auto place = PlaceOf(hash, key);
  if (place == order_.end() || place->hash != hash || keys_[place->at].key != key) return nullptr;
  return &keys_[place->at];
}

absl::StatusOr<StagedRows::StagedKey*> StagedRows::TakeKey(const ReadSession& session,
                                                           uint64_t hash, std::string_view key) {
  const auto place = PlaceOf(hash, key);
  if (place != order_.end() && place->hash == hash && keys_[place->at].key == key)
    return &keys_[place->at];
  const std::size_t at = order_.size();
  if (at == keys_.size()) keys_.emplace_back();
  StagedKey& taken = keys_[at];
  taken.key = key;
  taken.pushed.clear();
  taken.loaded.clear();
  LARDER_RETURN_IF_ERROR(session.ReadLayers(memory_->view_id, *memory_->layout, {key, hash}, &hint_,
                                            &taken.loaded, &taken.pushed));
  order_.insert(place, {hash, at});
  return &taken;
}

absl::StatusOr<RowsResult> StagedRows::Prepare(const ReadSession& session, const RowsToWrite& rows,
                                               Timestamp commit_time) {
  RowsResult result;
  commit_time = std::max(commit_time, session.commit_time().Plus({1}));
  RowEncoding encoding{session.commit_seq() + 1, commit_time, true,
                       session.environment()->hash_seed(), ranked_rows_};
  memory_->encoded.Clear();
  LARDER_RETURN_IF_ERROR(EncodeRows(rows, &encoding, &memory_->encoded, &result));
  if (result.rejected_count() > 0) {
    memory_->encoded.Clear();
    return result;
  }
  ranked_rows_ = encoding.ranked_rows;
  SortByKey(&memory_->encoded.rows);
  const Timestamp reference = rows.reference_time.value_or(commit_time);
  memory_->view_id = rows.view_id;
  memory_->layout = rows.layout;
  memory_->rules = {rows.tie_order, commit_time, reference.Minus(rows.version_horizon)};
  return result;
}

absl::Status StagedRows::Merge(const ReadSession& session) {
  const std::vector<NewRow>& encoded = memory_->encoded.rows;
  if (encoded.empty()) return absl::OkStatus();
  VersionChain chain(*memory_->layout, memory_->rules, &memory_->rows);
  for (std::size_t i = 0; i < encoded.size();) {
    const uint64_t hash = encoded[i].hash;
    const std::string_view key = encoded[i].key();
    LARDER_ASSIGN_OR_RETURN(StagedKey* const staged, TakeKey(session, hash, key));
    chain.Reset(&staged->pushed, staged->loaded);
    for (; i < encoded.size() && encoded[i].hash == hash && encoded[i].key() == key; ++i) {
      LARDER_RETURN_IF_ERROR(chain.Insert(memory_->rows.Copy(encoded[i].bytes())).status());
    }
    staged->versions.clear();
    std::merge(staged->pushed.begin(), staged->pushed.end(), staged->loaded.begin(),
               staged->loaded.end(), std::back_inserter(staged->versions), WinsOver);
  }
  floors_.as_of = std::max(floors_.as_of, chain.floors().as_of);
  floors_.known_at = std::max(floors_.known_at, chain.floors().known_at);
  memory_->encoded.Clear();
  return absl::OkStatus();
}

void StagedRows::Clear() {
  order_.clear();
  memory_->encoded.Clear();
  memory_->rows.Clear();
  floors_ = {};
  ranked_rows_ = 0;
}

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
