#include "cli/training_output.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cli/arguments.h"
#include "cli/training_parts.h"
#include "larder/base/text.h"
#include "larder/io/dense_writer.h"
#include "larder/io/rows_writer.h"
#include "larder/training/file_identity.h"
#include "larder/training/manifest.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

absl::StatusOr<std::optional<TypeId>> ParseDtype(const std::string& text) {
  if (text.empty()) return std::optional<TypeId>();
  if (text == "float32") return std::optional(TypeId::kFloat32);
  if (text == "float64") return std::optional(TypeId::kFloat64);
  return UsageError("--dtype: expected float32 or float64, found ", Quoted(text));
}

absl::StatusOr<NullRule> ParseNulls(const std::string& text, RowsFormat format) {
  if (text.empty()) {
    return NullRule{format == RowsFormat::kLibsvm ? NullRule::Kind::kOmit : NullRule::Kind::kNan, 0};
  }
  const absl::StatusOr<NullRule> rule = NullRule::Parse(text);
  if (!rule.ok()) return UsageError("--nulls: ", MessageOf(rule.status()));
  if (rule->kind == NullRule::Kind::kOmit && format != RowsFormat::kLibsvm)
    return UsageError("--nulls: omit is for .libsvm; a matrix has every entry");
  return *rule;
}

bool FitsFloat32(const DataType& type) {
  return type.element() == TypeId::kFloat32 || type.element() == TypeId::kBool ||
         type.element() == TypeId::kInt8;
}

// The matrix has the features; a .npz keeps those that are no numbers as arrays of their own.
absl::StatusOr<DenseOptions> MatrixOptions(const OutputArguments& arguments, RowsFormat format,
                                           const TrainingSet& set, const Batch& rows) {
  DenseOptions options;
  LARDER_ASSIGN_OR_RETURN(options.nulls, ParseNulls(arguments.nulls, format));
  LARDER_ASSIGN_OR_RETURN(const std::optional<TypeId> dtype, ParseDtype(arguments.dtype));
  options.label = arguments.label;
  options.query = arguments.query;
  options.compress = arguments.compress;
  bool fits_float32 = true;
  for (const TrainingFeature& feature : set.features) {
    if (feature.name == arguments.label || feature.name == arguments.query) continue;
    const Column* column = rows.Find(feature.name);
    if (column == nullptr) continue;  // not selected
    const DataType type = column->type();
    if (format == RowsFormat::kNpz && !IsDenseType(type)) continue;
    options.features.push_back(feature.name);
    fits_float32 = fits_float32 && FitsFloat32(type);
  }
  if (options.features.empty())
    return InvalidArgumentError(
        "no feature is left for the matrix: none is a number, bool or vector");
  options.dtype = dtype.value_or(fits_float32 ? TypeId::kFloat32 : TypeId::kFloat64);
  return options;
}

std::vector<std::pair<std::string, int64_t>> CountLabels(const Column& label) {
  std::map<std::string, int64_t> counts;
  for (std::size_t row = 0; row < label.size(); ++row) {
    ++counts[FormatValue(label.ValueAt(row))];
    if (counts.size() > kLabelValuesMax) return {};
  }
  return {counts.begin(), counts.end()};
}

absl::StatusOr<DatasetContent> WritePart(const OutputArguments& arguments, const TrainingSet& set,
                                         const TrainingPart& part, const std::string& path) {
  LARDER_ASSIGN_OR_RETURN(const RowsFormat format, FormatOfPath(path));
  DenseOptions options;
  if (IsDense(format)) {
    LARDER_ASSIGN_OR_RETURN(options, MatrixOptions(arguments, format, set, part.rows));
  }
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer,
                          CreateRows(path, FieldsOf(part.rows), options));
  LARDER_RETURN_IF_ERROR(writer->Write(part.rows));
  LARDER_RETURN_IF_ERROR(writer->Finish());

  DatasetManifest manifest = *set.manifest;
  manifest.selection = DescribeSelection(arguments.selection, part.name);
  if (manifest.selection) {
    manifest.selection->made_sha256 = manifest.content.sha256;
    manifest.content = ContentOf(part.rows);
  }
  LARDER_ASSIGN_OR_RETURN(FileIdentity file, IdentifyFile(path));
  file.path = std::filesystem::path(path).filename().string();
  manifest.output = DatasetManifest::Output{std::move(file), "", "", options.label, options.query};
  if (IsDense(format)) {
    manifest.output->dtype = TypeName(options.dtype);
    manifest.output->null_rule = options.nulls.ToString();
  }
  LARDER_RETURN_IF_ERROR(WriteText(ManifestPath(path), manifest.ToJson()));
  return std::move(manifest.content);
}

}  // namespace

absl::Status CheckOutput(const OutputArguments& arguments) {
  const absl::StatusOr<RowsFormat> known = FormatOfPath(arguments.file);
  if (known.status().code() == absl::StatusCode::kInvalidArgument)
    return UsageError("--output: ", MessageOf(known.status()));
  if (!known.ok()) return known.status();
  const RowsFormat format = *known;
  LARDER_RETURN_IF_ERROR(ParseDtype(arguments.dtype));
  LARDER_RETURN_IF_ERROR(ParseNulls(arguments.nulls, format));
  if (!IsDense(format) &&
      (!arguments.dtype.empty() || !arguments.nulls.empty() || !arguments.query.empty())) {
    return UsageError("--dtype, --nulls and --query go with .npy, .npz and .libsvm outputs");
  }
  if (arguments.compress && format != RowsFormat::kNpz)
    return UsageError("--compress goes with .npz outputs; a name that ends in .gz is compressed");
  if (format == RowsFormat::kNpy && (!arguments.label.empty() || !arguments.query.empty()))
    return UsageError("a .npy file holds one matrix, without label or query; .npz has both");
  if (format == RowsFormat::kLibsvm && arguments.label.empty())
    return UsageError("a .libsvm output needs --label");
  LARDER_RETURN_IF_ERROR(CheckSelection(arguments.selection));
  for (const std::string& part : PartNames(arguments.selection)) {
    const std::string path = PartPath(arguments.file, part);
    std::error_code ignored;
    if (!arguments.force && std::filesystem::exists(std::filesystem::path(path), ignored))
      return AlreadyExistsError(path, " exists; --force replaces it");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<WrittenPart>> WriteTrainingSet(const OutputArguments& arguments,
                                                          const TrainingSet& set,
                                                          const Console& console) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<TrainingPart> parts,
                          SelectParts(arguments.selection, set, console));
  std::vector<WrittenPart> written;
  for (const TrainingPart& part : parts) {
    WrittenPart& out = written.emplace_back();
    out.name = part.name;
    out.path = PartPath(arguments.file, part.name);
    if (!arguments.label.empty()) {
      const Column* label = part.rows.Find(arguments.label);
      if (label == nullptr) {
        return InvalidArgumentError("unknown column: ", arguments.label,
                                    DidYouMean(arguments.label, part.rows.names()));
      }
      out.label_counts = CountLabels(*label);
    }
    LARDER_ASSIGN_OR_RETURN(out.content, WritePart(arguments, set, part, out.path));
  }
  return written;
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
