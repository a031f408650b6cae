#include "larder/online/compaction.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

#include "larder/online/generation.h"
#include "larder/online/read_session.h"
#include "larder/online/write_transaction.h"
#include "online/environment_impl.h"
#include "online/layer_writer.h"
#include "online/record_key.h"
#include "online/write_state.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kCommitSize = std::size_t{8} << 20;  // written in one transaction

bool IsScattered(const ViewDirectory& directory) {
  return std::any_of(directory.partitions().begin(), directory.partitions().end(),
                     [](const Partition& partition) { return partition.segments.size() > 1; });
}

// The views with a partition of several segments.
absl::StatusOr<std::vector<uint32_t>> ScatteredViews(const std::shared_ptr<Environment>& environment,
                                                     std::span<const uint32_t> wanted) {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(environment));
  std::vector<uint32_t> views;
  absl::Status status;
  const auto visit = [&](std::string_view key, std::string_view bytes) {
    const uint64_t place = LoadBigEndian(key.data());
    const auto view_id = static_cast<uint32_t>(place >> 32);
    if (static_cast<uint32_t>(place) != static_cast<uint32_t>(Layer::kPushed)) return true;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), view_id) == wanted.end())
      return true;
    const absl::StatusOr<ViewDirectory> directory = ViewDirectory::Parse(bytes);
    status = directory.status();
    if (directory.ok() && IsScattered(*directory)) views.push_back(view_id);
    return status.ok();
  };
  LARDER_RETURN_IF_ERROR(session.ListRecords(kDirectoryTable, visit));
  if (!status.ok()) return status;
  return views;
}

}  // namespace

absl::StatusOr<CompactionResult> CompactStore(const std::shared_ptr<Environment>& environment,
                                              const CompactionOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const LoadLease lease, LoadLease::Acquire(environment));
  LARDER_ASSIGN_OR_RETURN(const std::vector<uint32_t> views,
                          ScatteredViews(environment, options.view_ids));
  CompactionResult result;
  for (const uint32_t view_id : views) {
    // From the last hash down. Pushes may cut partitions between two transactions, so places are hashes.
    std::optional<uint64_t> from = std::numeric_limits<uint64_t>::max();
    while (from) {
      std::optional<uint64_t> next;
      LayerWriter::MergeCount count;
      const auto merge = [&](WriteTransaction& transaction) -> absl::Status {
        LayerWriter writer(&transaction.state(), view_id, std::nullopt, Layer::kPushed);
        LARDER_RETURN_IF_ERROR(writer.Open());
        count = {};
        LARDER_ASSIGN_OR_RETURN(next, writer.MergeFrom(*from, kCommitSize, &count));
        return absl::OkStatus();
      };
      LARDER_ASSIGN_OR_RETURN(result.commit_seq, RunWriteTransaction(environment, merge));
      from = next;
      ++result.commits;
      result.partitions += count.partitions;
      result.segments_before += count.segments_before;
      result.segments_after += count.segments_after;
      result.bytes_written += count.bytes;
      if (options.progress) options.progress({result.partitions, result.segments_before});
    }
  }
  return result;
}

}  // namespace larder::inline LARDER_ABI
