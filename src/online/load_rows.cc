#include "online/load_rows.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "larder/base/bytes.h"
#include "online/stored_row.h"

namespace larder::inline LARDER_ABI {

void LoadRows::Grow(std::size_t size, Group* group) {
  // What a small load takes is little, and what a large one leaves empty is a small part of it.
  constexpr std::size_t kSizeMin = 1'024;
  constexpr std::size_t kSizeMax = std::size_t{16} << 10;
  group->next_size = std::clamp(2 * group->next_size, kSizeMin, kSizeMax);
  const std::size_t taken = std::max(size, group->next_size);
  Close(group);
  group->pieces.push_back({std::make_unique_for_overwrite<char[]>(taken), 0});
  group->at = group->pieces.back().bytes.get();
  group->left = taken;
}

void LoadRows::Close(Group* group) {
  if (group->pieces.empty()) return;
  Piece& last = group->pieces.back();
  last.used = static_cast<std::size_t>(group->at - last.bytes.get());
}

void LoadRows::Append(LoadRows later) {
  size_ += later.size_;
  for (std::size_t i = 0; i < kGroupCount; ++i) {
    Group& group = groups_[i];
    Group& from = later.groups_[i];
    if (from.row_count == 0) continue;
    if (group.row_count == 0) {
      group = std::move(from);
      continue;
    }
    Close(&group);
    std::move(from.pieces.begin(), from.pieces.end(), std::back_inserter(group.pieces));
    group.at = from.at;
    group.left = from.left;
    group.row_count += from.row_count;
    if (from.row_size != group.row_size) group.row_size = 0;
  }
}

std::size_t LoadRows::row_count() const {
  return std::accumulate(
      groups_.begin(), groups_.end(), std::size_t{0},
      [](std::size_t count, const Group& group) { return count + group.row_count; });
}

void LoadRows::AppendSorted(std::size_t group, std::vector<NewRow>* rows) const {
  const Group& from = groups_[group];
  std::vector<NewRow> unsorted;
  unsorted.reserve(from.row_count);
  for (const Piece& piece : from.pieces) {
    const bool is_last = &piece == &from.pieces.back();
    const char* const end = is_last ? from.at : piece.bytes.get() + piece.used;
    for (const char* at = piece.bytes.get(); at != end;) {
      NewRow& row = unsorted.emplace_back();
      row.hash = LoadAs<uint64_t>(at);
      row.data = at + sizeof(row.hash);
      const std::size_t trailer = TrailerOfLooseRow(row.data, trailer_offset_);
      row.size = LoadAs<uint32_t>(row.data + trailer);
      row.key_size = LoadAs<uint16_t>(row.data + trailer + 4);
      row.key_offset = static_cast<uint32_t>(trailer + kRowTrailerSize);
      // Where rows are of one size, the next one is found without waiting for this one.
      at = row.data + (from.row_size != 0 ? from.row_size : row.size);
    }
  }
  const std::size_t first = rows->size();
  rows->resize(first + unsorted.size());
  SortByKeyInto(unsorted, kGroupBits, std::span(*rows).subspan(first));
}

void LoadRows::Release(std::size_t group) { groups_[group] = Group(); }

std::span<const NewRow> SortedLoadRows::RowsOf(uint32_t prefix, uint8_t depth) {
  constexpr unsigned kBits = LoadRows::kGroupBits;
  const uint64_t first_hash = depth == 0 ? 0 : uint64_t{prefix} << (64 - depth);
  const std::size_t first = LoadRows::GroupOf(first_hash);
  const std::size_t end = first + (depth < kBits ? std::size_t{1} << (kBits - depth) : 1);
  if (first != first_group_ || end != end_group_) {
    sorted_.clear();
    for (; first_group_ != end_group_; ++first_group_) rows_->Release(first_group_);
    first_group_ = first;
    end_group_ = end;
    for (std::size_t group = first; group != end; ++group) rows_->AppendSorted(group, &sorted_);
  }
  if (depth <= kBits) return sorted_;
  const auto begins_before = [&](uint64_t bits) {
    return [=](const NewRow& row) { return row.hash >> (64 - depth) < bits; };
  };
  const auto begin = std::partition_point(sorted_.begin(), sorted_.end(), begins_before(prefix));
  return {begin, std::partition_point(begin, sorted_.end(), begins_before(uint64_t{prefix} + 1))};
}

}  // namespace larder::inline LARDER_ABI
