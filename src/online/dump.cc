#include <lmdb.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "larder/online/read_session.h"
#include "larder/online/verify.h"
#include "online/environment_impl.h"
#include "online/lmdb_status.h"
#include "online/record_key.h"
#include "online/row_codec.h"
#include "online/stored_row.h"

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

// A version without what differs between stores of the same contents: its check, commit, rank and place. `index` counts
// the key's versions from the newest.
std::string RowLine(uint32_t view_id, std::string_view key, std::string_view row,
                    std::size_t trailer_offset, std::size_t index) {
  const uint16_t flags = FlagsOfRow(row.data());
  const std::size_t trailer = TrailerOfLooseRow(row.data(), trailer_offset);
  std::string line = Concat("row ", view_id, " ");
  AppendHex(&line, key);
  AppendTo(line, Concat(" ", index, " at ", EventTimeOfRow(row.data()), " flags ",
                        flags & ~(kRowHasOlder | kRowHasCommitSeq | kRowHasRank)));
  line.push_back(' ');
  AppendHex(&line, row.substr(offsetof(RowHeader, validity), 2));
  AppendHex(&line, row.substr(sizeof(RowHeader), trailer - sizeof(RowHeader)));
  std::size_t at = WordsOffset(trailer, key.size());
  for (const uint16_t flag : kRowWords) {
    if ((flags & flag) == 0) continue;
    const bool says_when = flag == kRowHasKnownTime && (flags & kRowKnownByCommit) != 0;
    if (!says_when && flag != kRowHasRank && flag != kRowHasCommitSeq) {
      line.push_back(' ');
      AppendHex(&line, row.substr(at, 8));
    }
    at += 8;
  }
  line.push_back(' ');
  AppendHex(&line, row.substr(at));
  line.push_back('\n');
  return line;
}

// What a record or row says, one line each; rows come in any order.
struct LineVisitor {
  std::function<void(std::string_view)> record;
  std::function<void(std::string_view)> row;
};

absl::Status ForEachLine(const std::shared_ptr<Environment>& environment,
                         const LineVisitor& visitor) {
  LARDER_ASSIGN_OR_RETURN(ReadSession session, ReadSession::Open(environment));
  std::vector<uint32_t> views;
  LARDER_RETURN_IF_ERROR(session.ForEachRecord([&](std::string_view key, std::string_view value) {
    const ParsedRecordKey parsed = ParseRecordKey(key);
    if (parsed.table == kGenerationTable) return;
    if (parsed.table == kDirectoryTable) {
      const auto view_id = static_cast<uint32_t>(LoadBigEndian(parsed.key.data()) >> 32);
      if (views.empty() || views.back() != view_id) views.push_back(view_id);
      return;
    }
    visitor.record(RecordLine(key, value));
  }));
  for (const uint32_t view_id : views) {
    LARDER_RETURN_IF_ERROR(
        session.ForEachStored(view_id, [&](std::string_view key, std::string_view row,
                                           std::size_t trailer_offset, std::size_t index) {
          visitor.row(RowLine(view_id, key, row, trailer_offset, index));
        }));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Hash128> HashContents(const std::shared_ptr<Environment>& environment) {
  // Records are chained; rows, which come in another order in every store, are added up.
  Hash128 records;
  Hash128 rows;
  std::string chained;
  LineVisitor visitor;
  visitor.record = [&](std::string_view line) {
    if (line.empty()) return;
    chained.assign(reinterpret_cast<const char*>(&records), sizeof(records));
    chained.append(line);
    records = HashWide(chained);
  };
  visitor.row = [&](std::string_view line) {
    const Hash128 hash = HashWide(line);
    rows.high += hash.high;
    rows.low += hash.low;
  };
  LARDER_RETURN_IF_ERROR(ForEachLine(environment, visitor));
  chained.assign(reinterpret_cast<const char*>(&records), sizeof(records));
  chained.append(reinterpret_cast<const char*>(&rows), sizeof(rows));
  return HashWide(chained);
}

absl::StatusOr<std::string> DumpContents(const std::shared_ptr<Environment>& environment) {
  std::string text;
  std::vector<std::string> rows;
  LineVisitor visitor;
  visitor.record = [&](std::string_view line) { text.append(line); };
  visitor.row = [&](std::string_view line) { rows.emplace_back(line); };
  LARDER_RETURN_IF_ERROR(ForEachLine(environment, visitor));
  std::sort(rows.begin(), rows.end());
  for (const std::string& row : rows) text.append(row);
  return text;
}

}  // namespace larder::inline LARDER_ABI
