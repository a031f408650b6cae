// A training set made within a budget of memory: the twin of historical_read.h for spines of any size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "feature_store/batch_spill.h"
#include "feature_store/bound_service.h"
#include "feature_store/compute.h"
#include "feature_store/historical_read.h"
#include "feature_store/joined_spill.h"
#include "feature_store/store_impl.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/training_set.h"
#include "larder/io/record_reader.h"
#include "larder/training/dataset_content.h"

namespace larder::inline LARDER_ABI {

// What went wrong with rows that begin behind others of the spine says where they are counted from.
[[nodiscard]] absl::Status CountedFrom(uint64_t first_row, const absl::Status& status);

// The spine is set aside first. Then, a use of a view at a time, spine and history are parted by the hash of the use's keys
// into files, each read once, and joined a few partitions at a time; what they give is set aside too. Last, the pieces are
// put together in the spine's order.
//
// Memory: about HistoricalRequest::memory_budget. A key is not divided: a view with aggregates holds all its events of one
// key. Threads: thread-bound.
class StreamedRead {
 public:
  // Borrows all of it.
  StreamedRead(const FeatureStore::Impl& store, const BoundService& service,
               const HistoricalRequest& request)
      : store_(store), service_(service), request_(request) {}

  // Errors: as FeatureStore::StreamHistoricalFeatures.
  absl::Status TakeSpine(RecordReader& spine);
  absl::Status Join();
  // All pieces, in order; at least one, which may be of no rows. `views` of each are those of the whole set.
  absl::Status Give(const std::function<absl::Status(TrainingSet piece)>& take);

  [[nodiscard]] const std::string& spine_sha256() const { return spine_sha256_; }

 private:
  struct UseJoin;
  using VisitRows = std::function<absl::Status(AskedRows rows, const FetchUse& fetch)>;

  absl::Status ForEachPiece(const VisitRows& visit);
  [[nodiscard]] std::size_t BytesPerRow(const ViewVersion& view) const;
  [[nodiscard]] std::size_t PartitionsFor(const BoundUse& use) const;
  absl::Status JoinUse(std::size_t use);
  absl::Status SpillKeys(UseJoin* of);
  absl::Status SpillHistory(UseJoin* of);
  absl::Status JoinGroups(UseJoin* of);
  absl::Status JoinGroup(UseJoin* of, std::size_t begin, const Batch& rows,
                         std::span<const std::size_t> row_counts, bool with_events);
  [[nodiscard]] absl::Status Report(const UseJoin& of, int64_t events, int64_t rows) const;

  const FeatureStore::Impl& store_;
  const BoundService& service_;
  const HistoricalRequest& request_;
  std::unique_ptr<BatchSpill> spine_;
  uint64_t rows_ = 0;
  std::string spine_sha256_;
  std::vector<JoinedSpill> joined_;  // by use
  std::vector<TrainingViewReport> reports_;
};

}  // namespace larder::inline LARDER_ABI
