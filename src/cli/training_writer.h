// Writing a training set piece by piece, in the files and the format that were asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/console.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/training_set.h"
#include "larder/io/record_writer.h"
#include "larder/training/dataset_content.h"
#include "larder/training/manifest.h"

namespace larder::inline LARDER_ABI {
namespace cli {

inline constexpr std::size_t kLabelValuesMax = 20;

// How many rows have each value of a label, in the order of the text of values; none when there are more than
// kLabelValuesMax of them.
class LabelCounts {
 public:
  void Add(const Column& label);
  [[nodiscard]] std::vector<UnfinishedDataset::LabelCount> counts() const;

 private:
  std::map<std::string, int64_t> counts_;
  bool too_many_ = false;
};

// A file that was written, with its manifest beside it.
struct WrittenPart {
  std::string name;  // empty: the set is one file
  std::string path;
  DatasetContent content;
  std::vector<UnfinishedDataset::LabelCount> label_counts;  // with a label
};

// Numbered parts appear one by one, each complete, with a record of what is finished beside them; manifests come last.
// Without numbers everything appears at Finish.
class TrainingWriter : public TrainingSink {
 public:
  // Borrows both.
  TrainingWriter(const OutputArguments& arguments, const Console& console)
      : arguments_(arguments), console_(console) {}

  // What an earlier run finished is kept. Gives how many rows of the spine that is, 0 where there is nothing.
  // Must be the first call. Errors: kInvalidArgument or kFailedPrecondition for a record that cannot be read.
  absl::StatusOr<int64_t> Resume();

  // Requires: the set has a manifest. Errors: also kFailedPrecondition when what is finished was made from other
  // definitions, sources, rows or options.
  absl::Status Begin(const TrainingSet& set) override;
  absl::Status Take(const TrainingSet& piece) override;
  absl::Status Finish();

  // Once finished.
  [[nodiscard]] const std::vector<WrittenPart>& parts() const { return written_; }
  // As Begin was told.
  [[nodiscard]] const TrainingSet& set() const { return set_; }
  // All rows, whatever was selected of them.
  [[nodiscard]] const DatasetContent& made() const { return made_content_; }
  [[nodiscard]] int64_t resumed_rows() const { return resumed_rows_; }

 private:
  struct OpenPart {
    std::string name;
    std::string path;
    std::unique_ptr<RecordWriter> writer;
    DatasetManifest::Output output;  // but the file
    DatasetHasher hash;
    LabelCounts labels;
  };

  [[nodiscard]] bool is_numbered() const { return arguments_.selection.part_rows > 0; }
  absl::Status CheckOrigin(const TrainingSet& set);
  absl::Status RemoveLeftovers();
  absl::Status RemoveRecord();
  absl::Status RemoveManifests();  // of open_
  absl::Status Open(const std::string& name);
  absl::Status Append(const Batch& made);
  absl::Status Close(OpenPart part);
  absl::Status CloseNumbered();

  const OutputArguments& arguments_;
  const Console& console_;
  TrainingSet set_;
  Batch shape_;  // the columns of every file; no rows
  DatasetHasher made_;
  DatasetContent made_content_;
  int64_t rows_made_ = 0;
  int64_t rows_kept_ = 0;
  int64_t resumed_rows_ = 0;
  std::vector<OpenPart> open_;
  std::vector<WrittenPart> written_;
  std::vector<DatasetManifest> manifests_;  // of written_, without Selection::made_sha256
  std::size_t parts_before_ = 0;            // that an earlier run may have left
  UnfinishedDataset unfinished_;            // when parts are numbered
};

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
