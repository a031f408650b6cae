#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "feature_store/historical_read.h"
#include "feature_store/leakage_audit.h"
#include "feature_store/store_impl.h"
#include "feature_store/streamed_read.h"
#include "feature_store/training_manifest.h"
#include "larder/column/take_rows.h"
#include "larder/io/csv_reader.h"
#include "larder/io/infer.h"
#include "larder/io/source_reader.h"
#include "larder/training/dataset_content.h"

namespace larder::inline LARDER_ABI {
namespace {

absl::Status SkipRows(int64_t count, Batch* spine) {
  const auto rows = static_cast<int64_t>(spine->row_count());
  if (count < 0 || count > rows)
    return InvalidArgumentError("first_row is ", count, ", the spine has ", rows, " rows");
  if (count > 0) *spine = TakeRange(*spine, static_cast<std::size_t>(count), spine->row_count());
  return absl::OkStatus();
}

// What TrainingSink::Begin is told, but the manifest.
TrainingSet DescribeWhole(const TrainingSet& set) {
  TrainingSet described;
  described.rows = TakeRows(set.rows, {});
  for (const TrainingFeature& feature : set.features)
    described.features.emplace_back().name = feature.name;
  described.views = set.views;
  described.service = set.service;
  described.time_column = set.time_column;
  described.revision = set.revision;
  described.commit_seq = set.commit_seq;
  described.leakage = set.leakage;
  return described;
}

}  // namespace

const TrainingFeature* TrainingSet::Find(std::string_view name) const& {
  for (const TrainingFeature& feature : features) {
    if (feature.name == name) return &feature;
  }
  return nullptr;
}

absl::StatusOr<TrainingSet> FeatureStore::GetHistoricalFeatures(
    const HistoricalRequest& request) const {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BoundService> service,
                          impl_->Resolve(catalog, request.what));
  LARDER_RETURN_IF_ERROR(CheckSources(*service, request));
  HistoryFiles files;
  std::string spine_sha256;
  if (request.manifest) {
    LARDER_ASSIGN_OR_RETURN(files, HistoryFiles::Look(*service, request));
    spine_sha256 = ContentOf(request.spine).sha256;
  }
  LARDER_ASSIGN_OR_RETURN(HistoricalRead read, ReadHistorical(*impl_, *service, request));
  LARDER_ASSIGN_OR_RETURN(std::optional<LeakageReport> leakage,
                          AuditLeakage(*impl_, *service, request, read));
  LARDER_ASSIGN_OR_RETURN(TrainingSet set, ToTrainingSet(*service, std::move(read), request.audit));
  set.leakage = std::move(leakage);
  set.revision = catalog.revision();
  if (request.manifest) {
    LARDER_ASSIGN_OR_RETURN(set.manifest,
                            DescribeTrainingSet(*service, request, set, spine_sha256, files));
    set.manifest->content = ContentOf(set.rows);
  }
  return set;
}

absl::Status FeatureStore::StreamHistoricalFeatures(const HistoricalRequest& request,
                                                    RecordReader& spine, TrainingSink& sink) const {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BoundService> service,
                          impl_->Resolve(catalog, request.what));
  LARDER_RETURN_IF_ERROR(CheckSources(*service, request));
  if (request.leakage != LeakageAudit::kNone && request.memory_budget > 0) {
    return InvalidArgumentError(
        "the leakage audit needs all rows at once: it does not go with a memory_budget");
  }
  HistoryFiles files;
  if (request.manifest) {
    LARDER_ASSIGN_OR_RETURN(files, HistoryFiles::Look(*service, request));
  }
  // What Begin is told and what follows.
  std::string spine_sha256;
  bool has_begun = false;
  const auto give = [&](TrainingSet piece) -> absl::Status {
    if (has_begun) return sink.Take(piece);
    has_begun = true;
    TrainingSet described = DescribeWhole(piece);
    described.revision = catalog.revision();
    if (request.manifest) {
      LARDER_ASSIGN_OR_RETURN(described.manifest, DescribeTrainingSet(*service, request, described,
                                                                      spine_sha256, files));
    }
    LARDER_RETURN_IF_ERROR(sink.Begin(described));
    return sink.Take(piece);
  };
  if (request.memory_budget > 0) {
    StreamedRead read(*impl_, *service, request);
    LARDER_RETURN_IF_ERROR(read.TakeSpine(spine));
    spine_sha256 = read.spine_sha256();
    LARDER_RETURN_IF_ERROR(read.Join());
    return read.Give(give);
  }
  HistoricalRequest whole = request;
  LARDER_ASSIGN_OR_RETURN(whole.spine, ReadAll(spine));
  if (request.manifest) spine_sha256 = ContentOf(whole.spine).sha256;
  LARDER_RETURN_IF_ERROR(SkipRows(request.first_row, &whole.spine));
  absl::StatusOr<HistoricalRead> rows = ReadHistorical(*impl_, *service, whole);
  if (!rows.ok()) return CountedFrom(static_cast<uint64_t>(request.first_row), rows.status());
  HistoricalRead read = *std::move(rows);
  LARDER_ASSIGN_OR_RETURN(std::optional<LeakageReport> leakage,
                          AuditLeakage(*impl_, *service, request, read));
  whole.spine = Batch();
  LARDER_ASSIGN_OR_RETURN(TrainingSet set, ToTrainingSet(*service, std::move(read), request.audit));
  set.leakage = std::move(leakage);
  return give(std::move(set));
}

absl::Status FeatureStore::LoadSpine(const std::string& path, HistoricalRequest* request) const {
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader, OpenSpine(path, request));
  LARDER_ASSIGN_OR_RETURN(request->spine, ReadAll(*reader));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RecordReader>> FeatureStore::OpenSpine(
    const std::string& path, HistoricalRequest* request) const {
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BoundService> service,
                          impl_->Resolve(catalog, request->what));
  LARDER_ASSIGN_OR_RETURN(Source source, InferSource(path));
  source.format.strict = true;
  for (Field& field : source.fields) {
    const auto needed = std::find_if(service->inputs.begin(), service->inputs.end(),
                                     [&](const Field& input) { return input.name == field.name; });
    if (needed != service->inputs.end()) field.type = needed->type;
    if (field.name == request->time_column) field.type = TypeId::kTimestamp;
  }

  // A spine that is a file of a source is drawn from that source, said or not; several may read one file.
  namespace fs = std::filesystem;
  std::error_code ignored;
  for (const Source* known : catalog.Sources(service->service->project)) {
    if (known->path.empty()) continue;
    const absl::StatusOr<std::vector<std::string>> files =
        ExpandPath(known->path, catalog.DefinitionsOf(service->service->project).base_path);
    if (!files.ok()) continue;  // not there: then it is not the spine's file either
    const bool same = std::any_of(files->begin(), files->end(), [&](const std::string& file) {
      return fs::equivalent(file, path, ignored);
    });
    if (same) request->spine_sources.push_back(known->name);
  }
  return OpenSource(source);
}

}  // namespace larder::inline LARDER_ABI
