// Going through all keys or versions of a view, or all versions of a key.
#include <algorithm>

#include "larder/online/read_session.h"
#include "online/environment_impl.h"
#include "online/key_size.h"
#include "online/layer_writer.h"
#include "online/version_order.h"

namespace larder::inline LARDER_ABI {
namespace {

// Calls `visit` for every key: those with pushed rows first, each layer in the order of the keys' hashes.
absl::Status VisitKeys(ViewRows& rows, const SegmentSource& source, uint64_t hash_seed,
                       const std::function<absl::Status(const SegmentEntry&)>& visit) {
  for (const Layer layer : {Layer::kPushed, Layer::kLoaded}) {
    if (!rows.has_layer(layer)) continue;
    for (std::size_t i = 0; i < rows.directory(layer).partitions().size(); ++i) {
      RowArena arena;
      LARDER_ASSIGN_OR_RETURN(const std::span<const SegmentView> segments,
                              rows.SegmentsOf(source, layer, i));
      LARDER_ASSIGN_OR_RETURN(const std::vector<SegmentEntry> entries,
                              MergeSegments(segments, {}, hash_seed, &arena));
      for (const SegmentEntry& entry : entries) {
        if (layer == Layer::kLoaded) {
          ViewRows::Chain pushed;
          LARDER_RETURN_IF_ERROR(rows.Find(source, Layer::kPushed, entry.hash, entry.key, &pushed));
          if (pushed.row != nullptr) continue;
        }
        LARDER_RETURN_IF_ERROR(visit(entry));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadSession::ForEachKey(uint32_t view_id,
                                     const std::function<bool(std::string_view key)>& visit,
                                     std::string_view after_key) const {
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, std::nullopt));
  if (after_key.size() > kEntityKeySizeMax) return KeyTooLarge(after_key.size());
  bool skipping = after_key.data() != nullptr;
  const absl::Status status =
      VisitKeys(*rows, Source(), environment_->hash_seed(), [&](const SegmentEntry& entry) {
        if (skipping) {
          skipping = entry.key != after_key;
          return absl::OkStatus();
        }
        return visit(entry.key) ? absl::OkStatus() : absl::CancelledError();
      });
  if (status.ok() && skipping)
    return NotFoundError("the key to go on after is no longer there: begin again");
  return absl::IsCancelled(status) ? absl::OkStatus() : status;
}

absl::Status ReadSession::ForEachVersion(
    uint32_t view_id, const RowLayout& layout,
    const std::function<bool(std::string_view key, const RowView& row)>& visit) const {
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, ShapeOf(layout)));
  const absl::Status status = VisitKeys(
      *rows, Source(), environment_->hash_seed(), [&](const SegmentEntry& entry) -> absl::Status {
        bool go_on = true;
        LARDER_RETURN_IF_ERROR(ForEachVersionOf(view_id, layout, entry.key, [&](const RowView& row) {
          go_on = visit(entry.key, row);
          return go_on;
        }));
        return go_on ? absl::OkStatus() : absl::CancelledError();
      });
  return absl::IsCancelled(status) ? absl::OkStatus() : status;
}

absl::Status ReadSession::ReadLayers(uint32_t view_id, const RowLayout& layout, const KeyRef& key,
                                     RowsHint* hint, std::vector<RowView>* loaded,
                                     std::vector<RowView>* pushed) const {
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, ShapeOf(layout), hint));
  for (const Layer layer : {Layer::kLoaded, Layer::kPushed}) {
    ViewRows::Chain chain;
    LARDER_RETURN_IF_ERROR(rows->Find(Source(), layer, key.hash, key.key, &chain));
    std::vector<RowView>* const versions = layer == Layer::kLoaded ? loaded : pushed;
    for (const char* row = chain.row; row != nullptr; row = chain.segment->Older(row)) {
      if (row != chain.row && environment_->options().verify != VerifyPolicy::kNever)
        LARDER_RETURN_IF_ERROR(chain.segment->CheckRow(row, key.hash));
      LARDER_ASSIGN_OR_RETURN(const RowView view, ViewOf(*chain.segment, row, layout));
      versions->push_back(view);
    }
  }
  return absl::OkStatus();
}

absl::Status ReadSession::ForEachVersionOf(
    uint32_t view_id, const RowLayout& layout, std::string_view key,
    const std::function<bool(const RowView& row)>& visit) const {
  if (key.size() > kEntityKeySizeMax) return KeyTooLarge(key.size());
  std::vector<RowView> versions;
  LARDER_RETURN_IF_ERROR(
      ReadLayers(view_id, layout, {key, HashOfKey(key)}, nullptr, &versions, &versions));
  std::stable_sort(versions.begin(), versions.end(), WinsOver);
  for (const RowView& version : versions) {
    if (!visit(version)) break;
  }
  return absl::OkStatus();
}

absl::Status ReadSession::ForEachStored(
    uint32_t view_id,
    const std::function<void(std::string_view key, std::string_view row, std::size_t trailer_offset,
                             std::size_t index)>& visit) const {
  LARDER_ASSIGN_OR_RETURN(ViewRows* const rows, RowsOf(view_id, std::nullopt));
  for (const Layer layer : {Layer::kPushed, Layer::kLoaded}) {
    if (!rows->has_layer(layer)) continue;
    for (std::size_t i = 0; i < rows->directory(layer).partitions().size(); ++i) {
      RowArena arena;
      LARDER_ASSIGN_OR_RETURN(const std::span<const SegmentView> segments,
                              rows->SegmentsOf(Source(), layer, i));
      LARDER_ASSIGN_OR_RETURN(const std::vector<SegmentEntry> entries,
                              MergeSegments(segments, {}, environment_->hash_seed(), &arena));
      for (const SegmentEntry& entry : entries) {
        for (std::size_t index = 0; index < entry.rows.size(); ++index) {
          visit(entry.key, entry.rows[index], segments.front().header().trailer_offset, index);
        }
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
