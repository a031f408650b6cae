#include "feature_store/generation_history.h"

#include <set>
#include <utility>

#include "feature_store/load_record.h"
#include "feature_store/tables.h"
#include "larder/base/bytes.h"
#include "larder/online/generation.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr uint8_t kForm = 1;

std::string NoteKey(uint64_t number, uint32_t data_id) {
  return BigEndianKey(number) + BigEndianKey(data_id);
}

}  // namespace

absl::StatusOr<LiveBefore> LiveNow(const WriteTransaction& transaction, uint32_t data_id) {
  LiveBefore live;
  LARDER_ASSIGN_OR_RETURN(live.generation, transaction.LiveGeneration(data_id));
  LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> record,
                          transaction.GetRecord(kLoadTable, BigEndianKey(data_id)));
  if (record.has_value()) live.load_record = std::string(*record);
  return live;
}

absl::Status NoteGeneration(WriteTransaction& transaction, uint64_t number, uint32_t data_id,
                            const LiveBefore& before) {
  ByteWriter out;
  out.Put(kForm);
  out.Put(before.generation);
  out.PutText(before.load_record);
  return transaction.PutRecord(kGenerationNoteTable, NoteKey(number, data_id), out.view());
}

absl::StatusOr<std::map<uint32_t, LiveBefore>> GenerationsToRestore(const ReadSession& session,
                                                                    const Catalog& catalog,
                                                                    uint64_t number,
                                                                    std::string_view project,
                                                                    std::string_view view) {
  std::set<uint32_t> concerned;
  for (const ViewVersion* version : catalog.Views(project, true)) {
    if (view.empty() || version->name == view) concerned.insert(version->data_id);
  }
  // The first note after the entry says what was live until then.
  std::map<uint32_t, LiveBefore> restore;
  absl::Status status;
  const auto visit = [&](std::string_view key, std::string_view bytes) {
    const auto data_id = static_cast<uint32_t>(FromBigEndianKey(key.substr(8)));
    if (concerned.count(data_id) == 0 || restore.count(data_id) > 0) return true;
    ByteReader in(bytes);
    LiveBefore before;
    const auto form = in.Get<uint8_t>();
    before.generation = in.Get<uint64_t>();
    before.load_record = std::string(in.GetText());
    if (!in.ok() || form != kForm) {
      status = WithKind(DataLossError("a note of a generation is damaged"), ErrorKind::kCorrupt);
      return false;
    }
    restore.emplace(data_id, std::move(before));
    return true;
  };
  LARDER_RETURN_IF_ERROR(session.ListRecords(kGenerationNoteTable, visit, BigEndianKey(number + 1)));
  if (!status.ok()) return status;
  for (auto entry = restore.begin(); entry != restore.end();) {
    LARDER_ASSIGN_OR_RETURN(const uint64_t live, LiveGeneration(session, entry->first));
    const uint64_t then = entry->second.generation;
    entry = then == 0 || live == then ? restore.erase(entry) : std::next(entry);
  }
  return restore;
}

absl::Status RestoreGenerations(WriteTransaction& transaction, uint64_t number,
                                const std::map<uint32_t, LiveBefore>& restore) {
  for (const auto& [data_id, before] : restore) {
    LARDER_ASSIGN_OR_RETURN(const LiveBefore now, LiveNow(transaction, data_id));
    LARDER_RETURN_IF_ERROR(transaction.MakeGenerationLive(data_id, before.generation));
    LARDER_RETURN_IF_ERROR(NoteGeneration(transaction, number, data_id, now));
    LoadRecord record;
    if (!before.load_record.empty()) {
      LARDER_ASSIGN_OR_RETURN(record, LoadRecord::Parse(before.load_record));
    }
    // Pushes since then stay, and so does their count.
    if (!now.load_record.empty()) {
      LARDER_ASSIGN_OR_RETURN(const LoadRecord current, LoadRecord::Parse(now.load_record));
      record.pushed_rows = current.pushed_rows;
      record.pushed_at = current.pushed_at;
    }
    LARDER_RETURN_IF_ERROR(
        transaction.PutRecord(kLoadTable, BigEndianKey(data_id), record.Serialize()));
  }
  return absl::OkStatus();
}

}  // namespace larder::inline LARDER_ABI
