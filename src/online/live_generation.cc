// Which generation of a view is live, and making another one so.
#include <algorithm>
#include <limits>
#include <set>

#include "larder/online/generation.h"
#include "larder/online/read_session.h"
#include "online/environment_impl.h"
#include "online/generation_record.h"
#include "online/record_key.h"
#include "online/view_rows.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::StatusOr<uint64_t> NumberOf(const std::optional<std::string_view>& directory) {
  if (!directory) return uint64_t{0};
  LARDER_ASSIGN_OR_RETURN(const ViewDirectory parsed, ViewDirectory::Parse(*directory));
  return parsed.number;
}

}  // namespace

absl::StatusOr<std::vector<GenerationInfo>> ListGenerations(const ReadSession& session,
                                                            uint32_t view_id) {
  std::vector<GenerationInfo> generations;
  absl::Status status;
  const auto visit = [&](std::string_view key, std::string_view bytes) {
    if (static_cast<uint32_t>(LoadBigEndian(key.data()) >> 32) != view_id) return false;
    const absl::StatusOr<GenerationRecord> record = GenerationRecord::Parse(bytes);
    if (!record.ok()) {
      status = record.status();
      return false;
    }
    generations.push_back(record->info);
    return true;
  };
  LARDER_RETURN_IF_ERROR(session.ListRecords(kGenerationTable, visit, GenerationKey(view_id, 0)));
  if (!status.ok()) return status;
  return generations;
}

absl::StatusOr<uint64_t> LiveGeneration(const ReadSession& session, uint32_t view_id) {
  LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> directory,
                          session.GetRecord(kDirectoryTable, DirectoryKey(view_id, Layer::kLoaded)));
  return NumberOf(directory);
}

absl::StatusOr<uint64_t> WriteTransaction::LiveGeneration(uint32_t view_id) const {
  LARDER_ASSIGN_OR_RETURN(const std::optional<std::string_view> directory,
                          GetRecord(kDirectoryTable, DirectoryKey(view_id, Layer::kLoaded)));
  return NumberOf(directory);
}

absl::Status MakeLive(WriteTransaction& transaction, uint32_t view_id,
                      std::vector<NumberedGeneration> generations, uint64_t number) {
  WriteTransaction::State& state = transaction.state();
  std::size_t kept_count = 0;
  // What is to be live first, then what is live now, so that the step can be undone; then the newest publication.
  std::stable_sort(generations.begin(), generations.end(), [number](const auto& a, const auto& b) {
    const auto rank = [number](const NumberedGeneration& generation) {
      const GenerationInfo& info = generation.record.info;
      constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
      if (info.number == number) return kMax;
      return info.state == GenerationState::kLive ? kMax - 1 : info.published_commit;
    };
    return rank(a) > rank(b);
  });
  if (number == 0) {
    LARDER_RETURN_IF_ERROR(
        state
            .Delete(state.impl().records,
                    RecordKey(kDirectoryTable, DirectoryKey(view_id, Layer::kLoaded)).full())
            .status());
  }
  std::set<uint64_t> kept_segments;
  std::vector<const NumberedGeneration*> dropped;
  for (NumberedGeneration& generation : generations) {
    GenerationInfo& info = generation.record.info;
    const bool is_new = info.number == number;
    if (!is_new &&
        (info.state == GenerationState::kBuilding || info.state == GenerationState::kReady)) {
      CollectSegments(generation.record.directory, &kept_segments);  // its builder's
      continue;
    }
    if (kept_count == kGenerationsKept) {
      dropped.push_back(&generation);
      continue;
    }
    ++kept_count;
    CollectSegments(generation.record.directory, &kept_segments);
    if (is_new && info.published_commit == 0) {
      info.published_commit = transaction.commit_seq();
      info.published_at = transaction.commit_time();
    }
    const GenerationState wanted = is_new ? GenerationState::kLive : GenerationState::kRetained;
    if (is_new) {
      ViewDirectory live = generation.record.directory;
      live.changed_at = transaction.commit_seq();
      LARDER_RETURN_IF_ERROR(state.PutRecord(kDirectoryTable, DirectoryKey(view_id, Layer::kLoaded),
                                             live.Serialize()));
      LARDER_ASSIGN_OR_RETURN(WriteTransaction::State::Floors* const floors,
                              state.FloorsOf(view_id));
      state.RaiseFloors(floors, generation.record.floors.as_of, generation.record.floors.known_at);
    }
    if (info.state == wanted) continue;
    info.state = wanted;
    LARDER_RETURN_IF_ERROR(PutGeneration(state, view_id, generation.record));
  }
  for (const NumberedGeneration* generation : dropped) {
    LARDER_RETURN_IF_ERROR(DeleteGeneration(state, view_id, generation->record, kept_segments));
  }
  transaction.MarkLayoutChanged();
  return absl::OkStatus();
}

absl::StatusOr<bool> WriteTransaction::HasGeneration(uint32_t view_id, uint64_t number) const {
  LARDER_ASSIGN_OR_RETURN(const std::vector<NumberedGeneration> generations,
                          ReadGenerations(*this, view_id));
  return std::any_of(generations.begin(), generations.end(), [number](const auto& generation) {
    const GenerationInfo& info = generation.record.info;
    return info.number == number &&
           (info.state == GenerationState::kLive || info.state == GenerationState::kRetained);
  });
}

absl::Status WriteTransaction::MakeGenerationLive(uint32_t view_id, uint64_t number) {
  LARDER_ASSIGN_OR_RETURN(std::vector<NumberedGeneration> generations,
                          ReadGenerations(*this, view_id));
  std::string known;
  bool found = false;
  for (const NumberedGeneration& generation : generations) {
    const GenerationInfo& info = generation.record.info;
    if (info.state != GenerationState::kLive && info.state != GenerationState::kRetained) continue;
    AppendTo(known, Concat(known.empty() ? "" : ", ", info.number));
    found = found || info.number == number;
  }
  if (!found && number != 0) {
    return NotFoundError("generation ", number, " of view ", view_id,
                         " is not kept; there are: ", known);
  }
  return MakeLive(*this, view_id, std::move(generations), number);
}

}  // namespace larder::inline LARDER_ABI
