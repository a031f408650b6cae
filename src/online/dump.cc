#include <lmdb.h>

#include "larder/online/read_session.h"
#include "larder/online/verify.h"
#include "online/environment_impl.h"
#include "online/lmdb_status.h"
#include "online/row_codec.h"
#include "online/row_key.h"

namespace larder::inline LARDER_ABI {
namespace {

void AppendHex(std::string* out, std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out->push_back(kDigits[byte >> 4]);
    out->push_back(kDigits[byte & 15]);
  }
}

std::string RecordLine(std::string_view key, std::string_view value) {
  const ParsedRecordKey parsed = ParseRecordKey(key);
  // Batch ids name commits, which differ between equal stores.
  if (parsed.table == kBatchTable || parsed.table == kBatchByCommitTable) return {};
  std::string line = Concat("record ", parsed.table, " ");
  AppendHex(&line, parsed.key);
  line.push_back(' ');
  AppendHex(&line, DecodeRecord(key, value, false).value_or(std::string_view()));
  line.push_back('\n');
  return line;
}

std::string RowLine(std::string_view key, std::string_view value) {
  const ParsedRowKey parsed = ParseRowKey(key);
  const auto flags = LoadAs<uint16_t>(value.data() + offsetof(RowHeader, flags));
  std::string line = Concat("row ", parsed.view_id, " ");
  AppendHex(&line, parsed.entity_key);
  AppendTo(line, Concat(" at ", parsed.order.event_time, " sequence ", parsed.order.sequence,
                        " flags ", flags));
  if ((flags & kRowKnownByCommit) == 0) {
    AppendTo(line,
             Concat(" known ", LoadAs<int64_t>(value.data() + offsetof(RowHeader, known_time))));
  }
  line.push_back(' ');
  AppendHex(&line, value.substr(sizeof(RowHeader)));
  line.push_back('\n');
  return line;
}

absl::Status ForEachLine(const std::shared_ptr<Environment>& environment,
                         const std::function<void(std::string_view)>& visit) {
  // The session keeps the environment open; the transaction is one of its own, over both databases.
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(environment));
  Environment::Impl& impl = environment->impl();
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(impl.env, nullptr, MDB_RDONLY, &txn); code != 0) {
    return LmdbError(code, "beginning a dump");
  }
  const std::unique_ptr<MDB_txn, void (*)(MDB_txn*)> owner(txn, mdb_txn_abort);
  for (const MDB_dbi database : {impl.records, impl.rows}) {
    MDB_cursor* cursor = nullptr;
    if (const int code = mdb_cursor_open(txn, database, &cursor); code != 0) {
      return LmdbError(code, "opening a cursor");
    }
    const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor_owner(cursor, mdb_cursor_close);
    MDB_val key{};
    MDB_val value{};
    int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; code == 0; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
      if (!StoredCheckHolds(FromVal(key), FromVal(value))) {
        return WithKind(DataLossError("an entry's check does not hold"), ErrorKind::kCorrupt);
      }
      visit(database == impl.records ? RecordLine(FromVal(key), FromVal(value))
                                     : RowLine(FromVal(key), FromVal(value)));
    }
    if (code != MDB_NOTFOUND) return LmdbError(code, "reading everything");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Hash128> HashContents(const std::shared_ptr<Environment>& environment) {
  // Chained, so that a store larger than memory can be hashed.
  Hash128 hash;
  std::string chained;
  LARDER_RETURN_IF_ERROR(ForEachLine(environment, [&](std::string_view line) {
    if (line.empty()) return;
    chained.assign(reinterpret_cast<const char*>(&hash), sizeof(hash));
    chained.append(line);
    hash = HashWide(chained);
  }));
  return hash;
}

absl::StatusOr<std::string> DumpContents(const std::shared_ptr<Environment>& environment) {
  std::string text;
  LARDER_RETURN_IF_ERROR(
      ForEachLine(environment, [&text](std::string_view line) { text.append(line); }));
  return text;
}

}  // namespace larder::inline LARDER_ABI
