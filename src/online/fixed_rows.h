// The two rows of LMDB's unnamed database: what the file is, and which commit it holds. Stored as they stand,
// docs/internals/store_file.md.
#pragma once

#include <lmdb.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "larder/base/config.h"
#include "larder/base/status.h"

namespace larder::inline LARDER_ABI {

inline constexpr MDB_dbi kMainDatabase = 1;  // LMDB's number for the unnamed one
inline constexpr std::string_view kFormatKey = "larder:f";
inline constexpr std::string_view kHeadKey = "larder:h";

struct FormatRow {
  static constexpr uint64_t kMagic = 0x003172656472616C;  // "larder1" and a zero byte
  static constexpr uint32_t kFormatVersion = 4;
  static constexpr uint32_t kFormatVersionMin = 3;  // what is readable; written on as the newest
  static constexpr uint32_t kByteOrder = 0x01020304;
  uint64_t magic = kMagic;
  uint32_t check = 0;  // of the bytes after it
  uint32_t format_version = kFormatVersion;
  uint64_t features_compatible = 0;            // unknown bits: read and write on
  uint64_t features_read_only_compatible = 0;  // unknown bits: read only
  uint64_t features_incompatible = 0;          // unknown bits: refuse
  uint64_t store_id_high = 0;
  uint64_t store_id_low = 0;
  uint64_t hash_seed = 0;
  uint32_t byte_order = kByteOrder;
  uint32_t page_size = 0;
  int64_t created_at = 0;
};
static_assert(sizeof(FormatRow) == 80);

struct HeadRow {
  uint32_t check = 0;  // of the bytes after it
  uint32_t reserved = 0;
  uint64_t commit_seq = 0;
  uint64_t layout_seq = 0;
  int64_t commit_time = INT64_MIN;
  int64_t as_of_floor = INT64_MIN;  // the highest of any view
  int64_t known_floor = INT64_MIN;
  uint64_t moved_to = 0;      // number of the environment this one was rewritten into; 0: none
  uint64_t segment_last = 0;  // the highest number given to a segment
};
static_assert(sizeof(HeadRow) == 64);

// As it stands, unchecked; magic 0: there is none.
FormatRow LoadFormatRow(MDB_txn* txn);
// Errors: kCorrupt.
absl::StatusOr<FormatRow> ReadFormat(MDB_env* env);
// Whether this build can read, or read and write, the store at `path`. Errors: kForeign, kVersion, kCorrupt.
absl::Status CheckUsable(const FormatRow& format, bool read_only, const std::string& path);
// As `page_size` asks.
absl::Status WriteFormatRow(MDB_txn* txn, FormatRow format, uint32_t page_size);

// Without `verify` its check is not looked at.
absl::StatusOr<HeadRow> ReadHead(MDB_txn* txn, bool verify);
absl::Status WriteHead(MDB_txn* txn, const HeadRow& head);

FormatRow WithCheck(FormatRow format);
HeadRow WithCheck(HeadRow head);

}  // namespace larder::inline LARDER_ABI
