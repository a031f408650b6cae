#include <algorithm>
#include <charconv>

#include "larder/base/text.h"
#include "larder/transform/function.h"
#include "transform/analyzer.h"
#include "transform/conversion.h"
#include "transform/program_impl.h"

namespace larder::inline LARDER_ABI {
namespace {

bool CanReturn(const DataType& type) {
  return !type.is_nested() && type != TypeId::kInt32 && type != TypeId::kFloat32;
}
bool CanTake(const DataType& type) { return CanReturn(type) || type.id() == TypeId::kVector; }

// Each probe once alone and, for a batch function, once among all: a function that answers by company is found out.
absl::StatusOr<Hash128> RunProbes(const FunctionDefinition& function) {
  std::vector<std::vector<Datum>> columns(function.arguments.size());
  std::vector<std::vector<Value>> kept;
  for (const std::vector<Value>& probe : function.probes) {
    if (probe.size() != function.arguments.size()) {
      return InvalidArgumentError("a probe of ", function.name, " has ", probe.size(),
                                  " values, expected ", function.arguments.size());
    }
    kept.emplace_back();
    for (std::size_t k = 0; k < probe.size(); ++k) {
      LARDER_ASSIGN_OR_RETURN(Value value, ConvertValue(probe[k], function.arguments[k]));
      kept.back().push_back(std::move(value));
    }
  }
  for (const std::vector<Value>& probe : kept) {
    for (std::size_t k = 0; k < probe.size(); ++k) {
      Datum datum = DatumOf(probe[k]);
      if (datum.valid && function.arguments[k] == TypeId::kDate) datum = Datum::Int64(datum.i32);
      columns[k].push_back(datum);
    }
  }
  transform::TextArena arena;
  std::string bytes;
  const auto add = [&](const FunctionResult& result) {
    Datum datum = result.datum();
    if (datum.valid && function.result == TypeId::kDate)
      datum = Datum::Int32(static_cast<int32_t>(datum.i64));
    if (!datum.valid) {
      bytes.push_back(result.failed() ? '\2' : '\1');
    } else if (function.result == TypeId::kFloat64 && datum.f64 != datum.f64) {
      bytes.push_back('\3');
    } else {
      AppendCanonicalBytes(ValueOf(datum, function.result), &bytes);
    }
  };
  std::vector<FunctionResult> together;
  std::vector<std::span<const Datum>> all(columns.begin(), columns.end());
  if (function.batch) {
    together.assign(kept.size(), FunctionResult(&arena));
    function.batch(all, together);
  }
  for (std::size_t row = 0; row < kept.size(); ++row) {
    FunctionResult result(&arena);
    std::vector<Datum> arguments;
    for (const std::vector<Datum>& column : columns) arguments.push_back(column[row]);
    if (function.scalar) {
      function.scalar(arguments, &result);
    } else {
      std::vector<std::span<const Datum>> one;
      for (const Datum& argument : arguments) one.emplace_back(&argument, 1);
      function.batch(one, {&result, 1});
      const std::size_t before = bytes.size();
      add(together[row]);
      const std::string among = bytes.substr(before);
      bytes.resize(before);
      add(result);
      if (bytes.substr(before) != among) {
        return InvalidArgumentError(function.name, " answers probe ", row,
                                    " otherwise alone than among others");
      }
      continue;
    }
    add(result);
  }
  return HashWide(bytes);
}

}  // namespace

std::string FunctionRegistry::Entry::Identity() const {
  return Concat(definition.name, "@", definition.version, "#", ToHex(probe_hash));
}

absl::Status FunctionRegistry::Register(FunctionDefinition definition) {
  const std::string& name = definition.name;
  if (!IsValidName(name))
    return InvalidArgumentError("\"", name, "\" is not a valid function name");
  if (name != ToLowerAscii(name))
    return InvalidArgumentError("function names are lower case: ", name);
  if (transform::Analyzer::IsTaken(name))
    return InvalidArgumentError("\"", name, "\" is a built-in's name");
  if (definition.version < 1) return InvalidArgumentError(name, ": versions start at 1");
  if (static_cast<bool>(definition.scalar) == static_cast<bool>(definition.batch)) {
    return InvalidArgumentError(name, " needs either a scalar or a batch function");
  }
  if (definition.arguments.empty() || definition.arguments.size() > 16)
    return InvalidArgumentError(name, " must take 1 to 16 arguments");
  for (const DataType& type : definition.arguments) {
    if (!CanTake(type)) return InvalidArgumentError(name, " cannot take ", type.ToString());
  }
  if (!CanReturn(definition.result))
    return InvalidArgumentError(name, " cannot return ", definition.result.ToString());
  if (definition.probes.empty()) return InvalidArgumentError(name, " needs at least one probe");
  auto& versions = functions_[name];
  if (versions.contains(definition.version))
    return AlreadyExistsError("function ", name, "@", definition.version, " is registered already");
  const absl::StatusOr<Hash128> hash = RunProbes(definition);
  if (!hash.ok()) {
    if (versions.empty()) functions_.erase(functions_.find(name));
    return hash.status();
  }
  const int version = definition.version;
  versions.emplace(version, std::make_shared<const Entry>(Entry{std::move(definition), *hash}));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const FunctionRegistry::Entry>> FunctionRegistry::Find(
    std::string_view name, int version) const {
  const auto at = functions_.find(name);
  if (at == functions_.end()) {
    return NotFoundError("function \"", name, "\" is not registered in this process",
                         DidYouMean(name, names()));
  }
  if (version == 0) return at->second.rbegin()->second;
  const auto found = at->second.find(version);
  if (found != at->second.end()) return found->second;
  std::vector<int> versions;
  for (const auto& entry : at->second) versions.push_back(entry.first);
  return NotFoundError("function ", name, "@", version,
                       " is not registered in this process; versions here: ", Join(versions, ", "));
}

std::vector<std::string> FunctionRegistry::names() const {
  std::vector<std::string> names;
  for (const auto& entry : functions_) names.push_back(entry.first);
  return names;
}

absl::Status FunctionRegistry::CheckIdentity(std::string_view identity) const {
  const std::size_t at = identity.find('@');
  const std::size_t hash = identity.find('#');
  int version = 0;
  if (at == std::string_view::npos || hash == std::string_view::npos || hash < at ||
      std::from_chars(identity.data() + at + 1, identity.data() + hash, version).ec != std::errc()) {
    return InvalidArgumentError("\"", identity, "\" does not name a function as name@version#hash");
  }
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const Entry> entry,
                          Find(identity.substr(0, at), version));
  if (entry->Identity() == identity) return absl::OkStatus();
  return FailedPreconditionError("function ", identity.substr(0, hash),
                                 " answers its probes otherwise than when it was recorded");
}

}  // namespace larder::inline LARDER_ABI
