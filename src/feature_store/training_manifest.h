// What a training set was made from, told while it is made.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "feature_store/bound_service.h"
#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/feature_store/training_set.h"
#include "larder/training/manifest.h"

namespace larder::inline LARDER_ABI {

// The files a service's history is read from, looked at before they are read, so that a change meanwhile is noticed.
class HistoryFiles {
 public:
  static absl::StatusOr<HistoryFiles> Look(const BoundService& service,
                                           const HistoricalRequest& request);

  // Hashes them. Errors: kAborted naming a file that has changed since Look.
  absl::StatusOr<std::vector<DatasetManifest::Source>> Identify() const;

 private:
  struct File {
    std::string path;
    uint64_t bytes = 0;
    std::filesystem::file_time_type changed;
  };
  struct Source {
    std::string name;    // alone: what cannot be looked at, a query or the caller's reader
    std::string remote;  // set: named in the manifest without size and hash; no files
    std::shared_ptr<const Batch> rows;  // the caller's, instead
    std::vector<File> files;
  };
  static absl::StatusOr<File> LookAt(const std::string& path);
  std::vector<Source> sources_;
};

// All but DatasetManifest::content and output. Of `request` the spine's rows are not looked at.
absl::StatusOr<DatasetManifest> DescribeTrainingSet(const BoundService& service,
                                                    const HistoricalRequest& request,
                                                    const TrainingSet& set,
                                                    const std::string& spine_sha256,
                                                    const HistoryFiles& files);

}  // namespace larder::inline LARDER_ABI
