#include "cli/training_output.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

#include "cli/arguments.h"
#include "cli/training_parts.h"
#include "larder/base/text.h"

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

// Whether `name` is that of a numbered part of `file` behind the first `kept`, of its manifest, or of a part that was
// never finished.
bool IsLeftover(const std::string& name, const std::string& file, std::size_t kept) {
  const std::string mark = PartPath(file, "*");
  const std::string prefix = mark.substr(0, mark.find('*'));
  const std::string suffix = mark.substr(mark.find('*') + 1);
  if (!name.starts_with(prefix)) return false;
  std::size_t end = prefix.size();
  while (end < name.size() && name[end] >= '0' && name[end] <= '9') ++end;
  const std::string digits = name.substr(prefix.size(), end - prefix.size());
  const std::string rest = name.substr(end);
  if (digits.size() < NumberedPart(0).size()) return false;
  if (rest.starts_with(suffix + ".partial-")) return true;
  const std::optional<uint64_t> number = ParseNumber(digits);
  return number > kept && (rest == suffix || rest == ManifestPath(suffix));
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
  const bool is_numbered = arguments.selection.part_rows > 0;
  if (arguments.resume && !is_numbered) return UsageError("--resume goes with --part-rows");
  if (arguments.resume && arguments.force) return UsageError("give either --resume or --force");
  std::error_code ignored;
  const std::filesystem::path unfinished = UnfinishedPath(arguments.file);
  if (is_numbered && !arguments.force && std::filesystem::exists(unfinished, ignored)) {
    if (arguments.resume) return absl::OkStatus();
    return AlreadyExistsError(unfinished.string(),
                              " exists: --resume goes on with it, --force starts over");
  }
  for (const std::string& part :
       is_numbered ? std::vector{NumberedPart(0)} : PartNames(arguments.selection)) {
    const std::string path = PartPath(arguments.file, part);
    if (!arguments.force && std::filesystem::exists(std::filesystem::path(path), ignored))
      return AlreadyExistsError(path, " exists; --force replaces it");
  }
  return absl::OkStatus();
}

absl::StatusOr<DenseOptions> DenseOptionsFor(const OutputArguments& arguments, RowsFormat format,
                                             const TrainingSet& set, const Batch& rows,
                                             DatasetManifest::Output* output) {
  *output = {};
  DenseOptions options;
  if (!IsDense(format)) return options;
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
  *output = {{},
             std::string(TypeName(options.dtype)),
             options.nulls.ToString(),
             options.label,
             options.query};
  return options;
}

absl::Status RemoveLeftovers(const std::string& file, std::size_t kept) {
  namespace fs = std::filesystem;
  const fs::path path(file);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (IsLeftover(at->path().filename().string(), path.filename().string(), kept))
      found.push_back(at->path());
  }
  if (kept == 0) found.emplace_back(UnfinishedPath(file));
  for (const fs::path& old : found) {
    if (!error) fs::remove(old, error);
  }
  if (error) return UnavailableError("cannot remove old parts of ", file, ": ", error.message());
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
