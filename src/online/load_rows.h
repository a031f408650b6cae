// The rows of a load on their way: kept apart by the leading bits of their keys' hashes, so that each part of them is
// sorted and stored by itself, in the processor's caches, and is given back when that is done.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/online/row_layout.h"
#include "online/row_encoding.h"

namespace larder::inline LARDER_ABI {

// Threads: groups are independent of each other.
class LoadRows {
 public:
  static constexpr unsigned kGroupBits = 8;
  static constexpr std::size_t kGroupCount = std::size_t{1} << kGroupBits;
  static std::size_t GroupOf(uint64_t hash) { return hash >> (64 - kGroupBits); }

  // `trailer_offset`: RowLayout::trailer_offset() of the rows.
  explicit LoadRows(std::size_t trailer_offset) : trailer_offset_(trailer_offset) {}

  // Room for a row, to be filled before the next call of anything.
  char* Add(uint64_t hash, std::size_t /*key_offset*/, std::size_t /*key_size*/, std::size_t size) {
    Group& group = groups_[GroupOf(hash)];
    if (size != group.row_size) group.row_size = group.row_count == 0 ? size : 0;
    if (group.left < sizeof(hash) + size) Grow(sizeof(hash) + size, &group);
    char* const at = group.at;
    std::memcpy(at, &hash, sizeof(hash));
    group.at += sizeof(hash) + size;
    group.left -= sizeof(hash) + size;
    ++group.row_count;
    size_ += size;
    return at + sizeof(hash);
  }
  [[nodiscard]] std::size_t size() const { return size_; }  // of all rows, bytes
  [[nodiscard]] std::size_t row_count() const;
  [[nodiscard]] std::size_t row_count(std::size_t group) const { return groups_[group].row_count; }

  // Adds rows that come behind those there are.
  void Append(LoadRows later);

  // Appends a group's rows in the order of (hash, key); those of one key keep their order.
  void AppendSorted(std::size_t group, std::vector<NewRow>* rows) const;
  // Gives back the memory of a group's rows.
  void Release(std::size_t group);

  std::string scratch;

 private:
  struct Piece {
    std::unique_ptr<char[]> bytes;
    std::size_t used = 0;  // of those that are full
  };
  struct Group {
    char* at = nullptr;  // in the last piece
    std::size_t left = 0;
    std::size_t row_count = 0;
    std::size_t row_size = 0;  // of all its rows; 0: they differ
    std::vector<Piece> pieces;
    std::size_t next_size = 0;
  };
  static void Grow(std::size_t size, Group* group);
  // Notes how much of the last piece is used.
  static void Close(Group* group);

  std::size_t trailer_offset_;
  std::size_t size_ = 0;
  std::array<Group, kGroupCount> groups_;
};

// Goes through a load's rows by parts of the hashes, in ascending order, and gives their memory back behind itself.
class SortedLoadRows {
 public:
  explicit SortedLoadRows(LoadRows* rows) : rows_(rows) {}
  // Those whose hashes begin with the `depth` bits of `prefix`, in the order of (hash, key). Valid until the next call.
  // Requires: behind those asked for before.
  std::span<const NewRow> RowsOf(uint32_t prefix, uint8_t depth);

 private:
  LoadRows* rows_;
  std::size_t first_group_ = 0;  // of sorted_
  std::size_t end_group_ = 0;
  std::vector<NewRow> sorted_;
};

}  // namespace larder::inline LARDER_ABI
