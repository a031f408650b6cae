#include "online/fixed_rows.h"

#include <cstddef>
#include <string_view>

#include "larder/base/bytes.h"
#include "larder/base/hash.h"
#include "online/lmdb_status.h"
#include "online/record_key.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class Row>
uint32_t FixedRowCheck(const Row& row) {
  const auto* bytes = reinterpret_cast<const char*>(&row);
  const std::size_t from = offsetof(Row, check) + sizeof(row.check);
  return static_cast<uint32_t>(Hash64({bytes + from, sizeof(Row) - from}));
}

template <class Row>
absl::Status Put(MDB_txn* txn, std::string_view name, Row row, const char* doing) {
  MDB_val key = ToVal(name);
  MDB_val value{sizeof(row), &row};
  const int code = mdb_put(txn, kMainDatabase, &key, &value, 0);
  return code == 0 ? absl::OkStatus() : LmdbError(code, doing);
}

}  // namespace

FormatRow LoadFormatRow(MDB_txn* txn) {
  MDB_val key = ToVal(kFormatKey);
  MDB_val value{};
  FormatRow row;
  row.magic = 0;
  const int code = mdb_get(txn, kMainDatabase, &key, &value);
  if (code == 0 && value.mv_size >= sizeof(FormatRow)) row = LoadAs<FormatRow>(value.mv_data);
  return row;
}

absl::StatusOr<FormatRow> ReadFormat(MDB_env* env) {
  MDB_txn* txn = nullptr;
  const int code = mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
  if (code != 0) return LmdbError(code, "reading the format row");
  const FormatRow row = LoadFormatRow(txn);
  mdb_txn_abort(txn);
  if (row.magic == FormatRow::kMagic && row.check == FixedRowCheck(row)) return row;
  return WithKind(DataLossError("the format row is missing or damaged"), ErrorKind::kCorrupt);
}

absl::Status CheckUsable(const FormatRow& format, bool read_only, const std::string& path) {
  const auto version = [&path](const auto&... parts) {
    return WithKind(FailedPreconditionError(path, ": ", parts...), ErrorKind::kVersion);
  };
  if (format.magic != FormatRow::kMagic) {
    return WithKind(FailedPreconditionError(path, " is not a larder store: there is no format row"),
                    ErrorKind::kForeign);
  }
  if (format.format_version < FormatRow::kFormatVersionMin ||
      format.format_version > FormatRow::kFormatVersion) {
    return version("format ", format.format_version, ", this build reads ",
                   FormatRow::kFormatVersion, "; use the larder that wrote it to dump it");
  }
  if (format.check != FixedRowCheck(format)) {
    return WithKind(DataLossError(path, ": the format row's check does not hold"),
                    ErrorKind::kCorrupt);
  }
  if (format.features_incompatible != 0) {
    return version("it needs features ", format.features_incompatible,
                   " that this build does not know");
  }
  if (format.features_read_only_compatible != 0 && !read_only) {
    return version("features ", format.features_read_only_compatible,
                   " allow this build to read it only");
  }
  if (format.byte_order != FormatRow::kByteOrder)
    return version("it was written on a machine of other byte order");
  return absl::OkStatus();
}

absl::StatusOr<HeadRow> ReadHead(MDB_txn* txn, bool verify) {
  MDB_val key = ToVal(kHeadKey);
  MDB_val value{};
  const int code = mdb_get(txn, kMainDatabase, &key, &value);
  if (code != 0) return LmdbError(code, "reading the head row");
  if (value.mv_size != sizeof(HeadRow)) {
    return WithKind(DataLossError("the head row has ", value.mv_size, " bytes"),
                    ErrorKind::kCorrupt);
  }
  const auto head = LoadAs<HeadRow>(value.mv_data);
  if (verify && head.check != FixedRowCheck(head)) {
    return WithKind(DataLossError("the head row's check does not hold"), ErrorKind::kCorrupt);
  }
  return head;
}

FormatRow WithCheck(FormatRow format) {
  format.check = FixedRowCheck(format);
  return format;
}

HeadRow WithCheck(HeadRow head) {
  head.check = FixedRowCheck(head);
  return head;
}

absl::Status WriteHead(MDB_txn* txn, const HeadRow& head) {
  return Put(txn, kHeadKey, WithCheck(head), "writing the head row");
}

absl::Status WriteFormatRow(MDB_txn* txn, FormatRow format, uint32_t page_size) {
  format.page_size = page_size;
  return Put(txn, kFormatKey, WithCheck(format), "writing the format row");
}

}  // namespace larder::inline LARDER_ABI
