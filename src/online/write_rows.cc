#include <utility>

#include "larder/online/write_transaction.h"
#include "online/layer_writer.h"
#include "online/row_encoding.h"
#include "online/version_chain.h"
#include "online/write_state.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::Status ReadVersions(LayerWriter& writer, Layer layer, const RowLayout& layout, uint64_t hash,
                          std::string_view key, RowArena* arena, std::vector<RowView>* versions) {
  versions->clear();
  ViewRows::Chain chain;
  LARDER_RETURN_IF_ERROR(writer.rows().Find(writer.source(), layer, hash, key, &chain));
  for (const char* row = chain.row; row != nullptr; row = chain.segment->Older(row)) {
    LARDER_RETURN_IF_ERROR(chain.segment->CheckRow(row, hash));
    LARDER_ASSIGN_OR_RETURN(const RowView view,
                            RowView::Parse(chain.segment->LooseRow(row, arena), layout,
                                           chain.segment->header().commit_seq));
    versions->push_back(view);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RowsResult> WriteTransaction::WriteRows(const RowsToWrite& rows) {
  LARDER_RETURN_IF_ERROR(state_->CheckUsable());
  RowsResult result;
  const Timestamp commit_time{state_->head.commit_time};
  RowEncoding encoding{state_->head.commit_seq, commit_time, true, state_->impl().format.hash_seed,
                       state_->ranked_rows};
  NewRows new_rows;
  LARDER_RETURN_IF_ERROR(EncodeRows(rows, &encoding, &new_rows, &result));
  if (rows.all_or_none && result.rejected_count() > 0) return result;
  state_->ranked_rows = encoding.ranked_rows;
  const std::vector<NewRow>& encoded = new_rows.rows;
  SortByKey(&new_rows.rows);

  const Timestamp reference = rows.reference_time.value_or(commit_time);
  LayerWriter writer(state_.get(), rows.view_id, ShapeOf(*rows.layout), Layer::kPushed);
  LARDER_RETURN_IF_ERROR(writer.Open());
  RowArena arena;
  VersionChain chain(*rows.layout,
                     {rows.tie_order, commit_time, reference.Minus(rows.version_horizon)}, &arena);
  std::vector<RowView> versions;
  std::vector<RowView> loaded;
  std::vector<SegmentEntry> entries;
  int64_t added = 0;
  for (std::size_t i = 0; i < encoded.size();) {
    const uint64_t hash = encoded[i].hash;
    const std::string_view key = encoded[i].key();
    LARDER_RETURN_IF_ERROR(
        ReadVersions(writer, Layer::kPushed, *rows.layout, hash, key, &arena, &versions));
    LARDER_RETURN_IF_ERROR(
        ReadVersions(writer, Layer::kLoaded, *rows.layout, hash, key, &arena, &loaded));
    const auto before = static_cast<int64_t>(versions.size());
    chain.Reset(&versions, loaded);
    for (; i < encoded.size() && encoded[i].hash == hash && encoded[i].key() == key; ++i) {
      LARDER_ASSIGN_OR_RETURN(const VersionChain::Outcome outcome, chain.Insert(encoded[i].bytes()));
      outcome.CountIn(&result);
    }
    if (!chain.changed()) continue;
    SegmentEntry& entry = entries.emplace_back();
    entry.hash = hash;
    entry.key = key;
    for (const RowView& version : versions) entry.rows.push_back(version.bytes());
    added += static_cast<int64_t>(versions.size()) - before;
  }
  if (!entries.empty())
    LARDER_RETURN_IF_ERROR(state_->Spoil(writer.Put(std::move(entries), added)));
  if (chain.floors().as_of > Timestamp::Min() || chain.floors().known_at > Timestamp::Min()) {
    LARDER_ASSIGN_OR_RETURN(State::Floors* const floors, state_->FloorsOf(rows.view_id));
    state_->RaiseFloors(floors, chain.floors().as_of, chain.floors().known_at);
  }
  return result;
}

}  // namespace larder::inline LARDER_ABI
