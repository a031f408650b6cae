#include "cli/training_output.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/arguments.h"
#include "cli/audit_output.h"
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

// What stands before and behind the number in a part's name.
std::pair<std::string, std::string> AroundNumber(const std::string& file) {
  const std::string path = PartPath(file, "0");
  const std::string other = PartPath(file, "1");
  const auto at = std::mismatch(path.begin(), path.end(), other.begin()).first - path.begin();
  const auto number = static_cast<std::size_t>(at);
  return {path.substr(0, number), path.substr(number + 1)};
}

}  // namespace

absl::Status CheckOutput(const OutputArguments& arguments, bool with_audit) {
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
  const std::string audit = AuditPath(arguments.file);
  if (with_audit && !arguments.force && std::filesystem::exists(audit, ignored))
    return AlreadyExistsError(audit, " exists; --force replaces it");
  const std::filesystem::path unfinished = UnfinishedPath(arguments.file);
  if (is_numbered && !arguments.force && std::filesystem::exists(unfinished, ignored)) {
    if (arguments.resume) return absl::OkStatus();
    return AlreadyExistsError(unfinished.string(),
                              " exists: --resume goes on with it, --force starts over");
  }
  if (is_numbered) return arguments.force ? absl::OkStatus() : CheckNoParts(arguments.file, 0);
  for (const std::string& part : PartNames(arguments.selection)) {
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

absl::Status CheckNoParts(const std::string& file, std::size_t begin) {
  namespace fs = std::filesystem;
  const auto [before, behind] = AroundNumber(fs::path(file).filename().string());
  const std::size_t digits = NumberedPart(0).size();
  const fs::path parent = fs::path(file).parent_path();
  std::error_code error;
  std::string found;  // the first's number
  for (fs::directory_iterator at(parent.empty() ? "." : parent, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.size() != before.size() + digits + behind.size() || !name.starts_with(before) ||
        !name.ends_with(behind))
      continue;
    const std::string text = name.substr(before.size(), digits);
    const std::optional<uint64_t> number = ParseNumber(text);
    if (number && *number > begin && (found.empty() || text < found)) found = text;
  }
  // A folder that cannot be read is told of when it is written to.
  if (found.empty()) return absl::OkStatus();
  return AlreadyExistsError(PartPath(file, found), " exists; --force replaces it");
}

std::size_t CountParts(const std::string& file) {
  std::error_code ignored;
  std::size_t count = 0;
  while (std::filesystem::exists(PartPath(file, NumberedPart(count)), ignored)) ++count;
  return count;
}

absl::Status RemoveParts(const std::string& file, std::size_t begin, std::size_t end) {
  namespace fs = std::filesystem;
  constexpr std::string_view kUnfinished = ".partial-";
  std::error_code error;
  std::vector<fs::path> old;
  std::set<std::string> names;
  for (std::size_t part = begin; part < end; ++part) {
    const std::string path = PartPath(file, NumberedPart(part));
    old.insert(old.end(), {path, ManifestPath(path)});
    names.insert(fs::path(path).filename().string());
  }
  const fs::path parent = fs::path(file).parent_path();
  for (fs::directory_iterator at(parent.empty() ? "." : parent, error), none; !error && at != none;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    const std::size_t mark = name.rfind(kUnfinished);
    if (mark != std::string::npos && names.contains(name.substr(0, mark)))
      old.push_back(at->path());
  }
  // From the last, so that what is left after an interruption has no gap.
  for (auto path = old.rbegin(); path != old.rend(); ++path) {
    if (!error) fs::remove(*path, error);
  }
  if (error) return UnavailableError("cannot remove old parts of ", file, ": ", error.message());
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
