#include "cli/training_writer.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "cli/arguments.h"
#include "cli/audit_output.h"
#include "cli/training_output.h"
#include "cli/training_parts.h"
#include "larder/base/text.h"
#include "larder/column/take_rows.h"
#include "larder/io/rows_writer.h"
#include "larder/training/file_identity.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

bool IsWhole(const std::string& path, const FileIdentity& expected) {
  const absl::StatusOr<FileIdentity> found = IdentifyFile(path);
  return found.ok() && found->bytes == expected.bytes && found->sha256 == expected.sha256;
}

// If it is there.
absl::Status Remove(const std::string& path) {
  std::error_code failed;
  std::filesystem::remove(path, failed);
  if (failed) return UnavailableError("cannot remove ", path, ": ", failed.message());
  return absl::OkStatus();
}

// The first, or nullopt.
std::optional<std::string> ChangedColumn(const std::vector<ColumnContent>& before,
                                         const Batch& now) {
  const std::vector<Field> fields = FieldsOf(now);
  for (std::size_t i = 0; i < std::max(before.size(), fields.size()); ++i) {
    const std::string was = i < before.size()
                                ? Concat(before[i].name, " ", before[i].type.ToString())
                                : std::string("none");
    const std::string is = i < fields.size()
                               ? Concat(fields[i].name, " ", fields[i].type.ToString())
                               : std::string("none");
    if (was != is) return Concat("column ", i + 1, ": ", was, ", now ", is);
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<int64_t> TrainingWriter::Resume() {
  const std::string path = UnfinishedPath(arguments_.file);
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return 0;
  LARDER_ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  absl::StatusOr<UnfinishedDataset> read = UnfinishedDataset::Parse(text);
  if (!read.ok()) return Annotate(read.status(), path);
  unfinished_ = *std::move(read);
  parts_before_ = unfinished_.parts.size() + 1;
  for (std::size_t i = 0; i < unfinished_.parts.size(); ++i) {
    const DatasetManifest& manifest = unfinished_.parts[i].manifest;
    if (!manifest.output || !manifest.selection)
      return InvalidArgumentError(path, ": part ", i + 1, " says not what it is");
    if (IsWhole(PartPath(arguments_.file, NumberedPart(i)), manifest.output->file)) continue;
    unfinished_.parts.resize(i);  // it, and what came behind it, is made again
  }
  if (unfinished_.parts.empty()) return 0;
  resumed_rows_ = unfinished_.parts.back().rows_made;
  return resumed_rows_;
}

// What an earlier run finished must be the beginning of what is made now.
absl::Status TrainingWriter::CheckOrigin(const TrainingSet& set) {
  const DatasetManifest& before = unfinished_.parts[0].manifest;
  DatasetManifest now = *set.manifest;
  now.selection = DescribeSelection(arguments_.selection, before.selection->part);
  std::vector<std::string> changes = CompareManifests(before, now);
  for (const DatasetManifest::Source& source : now.sources) {
    const bool is_known =
        source.rows_sha256 ||
        (!source.files.empty() &&
         std::all_of(source.files.begin(), source.files.end(),
                     [](const FileIdentity& file) { return !file.sha256.empty(); }));
    if (!is_known) changes.push_back(Concat("source ", source.name, ": cannot be compared"));
  }
  if (const auto change = ChangedColumn(before.content.columns, shape_)) changes.push_back(*change);
  LARDER_ASSIGN_OR_RETURN(const RowsFormat format, FormatOfPath(arguments_.file));
  DatasetManifest::Output output;
  LARDER_ASSIGN_OR_RETURN(const DenseOptions dense,
                          DenseOptionsFor(arguments_, format, set, shape_, &output));
  output.file = before.output->file;
  if (output != *before.output) changes.emplace_back("label, query, dtype or nulls differ");
  if (changes.empty()) return absl::OkStatus();
  return FailedPreconditionError("cannot resume ", arguments_.file,
                                 ", its finished parts are of another set: ", Join(changes, "; "),
                                 "; --force starts over");
}

// What an earlier run left behind the parts that are kept; without --force nothing but what its record tells of.
absl::Status TrainingWriter::RemoveLeftovers() {
  const std::string& file = arguments_.file;
  if (arguments_.force) parts_before_ = CountParts(file) + 1;
  if (!arguments_.force) LARDER_RETURN_IF_ERROR(CheckNoParts(file, parts_before_));
  LARDER_RETURN_IF_ERROR(RemoveParts(file, unfinished_.parts.size(), parts_before_));
  return unfinished_.parts.empty() ? RemoveRecord() : absl::OkStatus();
}

absl::Status TrainingWriter::RemoveRecord() { return Remove(UnfinishedPath(arguments_.file)); }

absl::Status TrainingWriter::RemoveManifests() {
  for (const OpenPart& part : open_) LARDER_RETURN_IF_ERROR(Remove(ManifestPath(part.path)));
  return absl::OkStatus();
}

absl::Status TrainingWriter::Begin(const TrainingSet& set) {
  set_ = set;
  int64_t kept = 0;
  LARDER_ASSIGN_OR_RETURN(
      std::vector<TrainingPart> shapes,
      SelectParts(arguments_.selection, set.rows, set.time_column, console_, &kept));
  shape_ = std::move(shapes[0].rows);
  if (!arguments_.label.empty() && shape_.Find(arguments_.label) == nullptr) {
    return InvalidArgumentError("unknown column: ", arguments_.label,
                                DidYouMean(arguments_.label, shape_.names()));
  }
  if (!unfinished_.parts.empty()) LARDER_RETURN_IF_ERROR(CheckOrigin(set));
  if (is_numbered()) LARDER_RETURN_IF_ERROR(RemoveLeftovers());
  if (!unfinished_.parts.empty()) {
    const UnfinishedDataset::Part& last = unfinished_.parts.back();
    LARDER_ASSIGN_OR_RETURN(made_, DatasetHasher::Restore(last.hash, set.rows));
    rows_made_ = last.rows_made;
    rows_kept_ = last.rows_kept;
    for (const UnfinishedDataset::Part& part : unfinished_.parts) {
      const std::string& name = part.manifest.selection->part;
      written_.push_back(
          {name, PartPath(arguments_.file, name), part.manifest.content, part.labels});
      manifests_.push_back(part.manifest);
    }
    // Its counts are of all rows, the new ones of those that were missing.
    set_.manifest = unfinished_.parts[0].manifest;
    set_.manifest->output.reset();
  }
  made_.Add(set.rows);
  if (is_numbered()) return absl::OkStatus();
  for (const std::string& name : PartNames(arguments_.selection))
    LARDER_RETURN_IF_ERROR(Open(name));
  return absl::OkStatus();
}

absl::Status TrainingWriter::Open(const std::string& name) {
  OpenPart part;
  part.name = name;
  part.path = PartPath(arguments_.file, name);
  std::error_code ignored;
  if (is_numbered() && !arguments_.force && std::filesystem::exists(part.path, ignored))
    return AlreadyExistsError(part.path, " exists; --force replaces it");
  LARDER_ASSIGN_OR_RETURN(const RowsFormat format, FormatOfPath(part.path));
  LARDER_ASSIGN_OR_RETURN(const DenseOptions dense,
                          DenseOptionsFor(arguments_, format, set_, shape_, &part.output));
  LARDER_ASSIGN_OR_RETURN(part.writer, CreateRows(part.path, FieldsOf(shape_), dense));
  part.hash.Add(shape_);
  open_.push_back(std::move(part));
  return absl::OkStatus();
}

absl::Status TrainingWriter::Take(const TrainingSet& piece) {
  if (!is_numbered()) return Append(piece.rows);
  const auto part_rows = static_cast<int64_t>(arguments_.selection.part_rows);
  const std::size_t rows = piece.rows.row_count();
  for (std::size_t at = 0; at < rows;) {
    if (open_.empty()) LARDER_RETURN_IF_ERROR(Open(NumberedPart(unfinished_.parts.size())));
    const auto room = static_cast<std::size_t>(part_rows - rows_made_ % part_rows);
    const std::size_t count = std::min(room, rows - at);
    LARDER_RETURN_IF_ERROR(Append(TakeRange(piece.rows, at, at + count)));
    at += count;
    if (rows_made_ % part_rows == 0) LARDER_RETURN_IF_ERROR(CloseNumbered());
  }
  return absl::OkStatus();
}

absl::Status TrainingWriter::Append(const Batch& made) {
  made_.Add(made);
  rows_made_ += static_cast<int64_t>(made.row_count());
  LARDER_ASSIGN_OR_RETURN(
      const std::vector<TrainingPart> parts,
      SelectParts(arguments_.selection, made, set_.time_column, console_, &rows_kept_));
  for (std::size_t i = 0; i < open_.size(); ++i) {
    const Batch& rows = parts[i].rows;
    LARDER_RETURN_IF_ERROR(open_[i].writer->Write(rows));
    open_[i].hash.Add(rows);
    if (!arguments_.label.empty()) open_[i].labels.Add(*rows.Find(arguments_.label));
  }
  return absl::OkStatus();
}

absl::Status TrainingWriter::Close(OpenPart part) {
  LARDER_RETURN_IF_ERROR(part.writer->Finish());
  DatasetManifest manifest = *set_.manifest;
  manifest.selection = DescribeSelection(arguments_.selection, part.name);
  manifest.content = std::move(part.hash).Finish();
  LARDER_ASSIGN_OR_RETURN(part.output.file, IdentifyFile(part.path));
  part.output.file.path = std::filesystem::path(part.path).filename().string();
  manifest.output = std::move(part.output);
  written_.push_back({part.name, part.path, manifest.content, part.labels.counts()});
  manifests_.push_back(std::move(manifest));
  return absl::OkStatus();
}

absl::Status TrainingWriter::CloseNumbered() {
  OpenPart part = std::move(open_.back());
  open_.clear();
  LARDER_RETURN_IF_ERROR(Close(std::move(part)));
  unfinished_.parts.push_back(
      {manifests_.back(), rows_made_, rows_kept_, made_.Save(), written_.back().label_counts});
  return WriteText(UnfinishedPath(arguments_.file), unfinished_.ToJson());
}

absl::Status TrainingWriter::Finish() {
  if (is_numbered()) {
    if (open_.empty() && unfinished_.parts.empty()) LARDER_RETURN_IF_ERROR(Open(NumberedPart(0)));
    if (!open_.empty()) LARDER_RETURN_IF_ERROR(CloseNumbered());
  }
  // Parts take their names one by one: a set that is replaced in part shall not look whole by its manifests.
  if (open_.size() > 1) LARDER_RETURN_IF_ERROR(RemoveManifests());
  for (OpenPart& part : open_) LARDER_RETURN_IF_ERROR(Close(std::move(part)));
  open_.clear();
  if (set_.leakage) LARDER_RETURN_IF_ERROR(WriteAudit(AuditPath(arguments_.file), &set_));
  made_content_ = std::move(made_).Finish();
  for (std::size_t i = 0; i < written_.size(); ++i) {
    DatasetManifest& manifest = manifests_[i];
    if (set_.leakage) manifest.audit = set_.manifest->audit;  // with its file
    if (manifest.selection) manifest.selection->made_sha256 = made_content_.sha256;
    LARDER_RETURN_IF_ERROR(WriteText(ManifestPath(written_[i].path), manifest.ToJson()));
  }
  return is_numbered() ? RemoveRecord() : absl::OkStatus();
}

void LabelCounts::Add(const Column& label) {
  for (std::size_t row = 0; row < label.size() && !too_many_; ++row) {
    ++counts_[FormatValue(label.ValueAt(row))];
    too_many_ = counts_.size() > kLabelValuesMax;
  }
  if (too_many_) counts_.clear();
}

std::vector<UnfinishedDataset::LabelCount> LabelCounts::counts() const {
  std::vector<UnfinishedDataset::LabelCount> all;
  for (const auto& [value, rows] : counts_) all.push_back({value, rows});
  return all;
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
