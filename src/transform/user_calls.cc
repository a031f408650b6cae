// Calls of C++ functions: the registry, the kernel that calls them, and how an expression finds one.
#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "larder/base/text.h"
#include "larder/transform/function.h"
#include "transform/analyzer.h"
#include "transform/ieee.h"
#include "transform/loops.h"
#include "transform/versioned_name.h"

namespace larder::inline LARDER_ABI {

void FunctionResult::SetText(std::string_view text) {
  char* to = static_cast<transform::TextArena*>(arena_)->Allocate(text.size());
  if (!text.empty()) std::memcpy(to, text.data(), text.size());
  datum_ = Datum::Text({to, text.size()});
}

namespace transform {
namespace {

using Entry = FunctionRegistry::Entry;

struct UserCall {
  std::shared_ptr<const Entry> entry;
  std::size_t result_bytes = 0;  // of a text
};

Datum ArgumentAt(const Call& call, std::size_t k, std::size_t i, const DataType& type) {
  if (((call.valid_word(k, i / 64) >> (i % 64)) & 1U) == 0) return Datum::Null();
  switch (StorageOf(type)) {
    case Storage::kBits:
      return Datum::Bool(((call.bits(k)[i / 64] >> (i % 64)) & 1U) != 0);
    case Storage::kI64:
      return Datum::Int64(Argument<int64_t>(call, k)[i]);
    case Storage::kU64:
      return Datum::Uint64(Argument<uint64_t>(call, k)[i]);
    case Storage::kF64: {
      const double x = Argument<double>(call, k)[i];
      return Datum::Float64(ieee::IsNan(x) ? std::numeric_limits<double>::quiet_NaN() : x);
    }
    case Storage::kText: {
      const TextRef text = Argument<TextRef>(call, k)[i];
      return Datum::Text({text.data, text.size});
    }
    case Storage::kFixed:
      return Datum::Fixed(Argument<const void*>(call, k)[i]);
    case Storage::kList:
      return Datum::Null();
  }
  return Datum::Null();
}

bool StoreAnswer(const Call& call, std::size_t i, const DataType& type, std::size_t result_bytes,
                 const FunctionResult& result) {
  if (result.failed()) ++call.counts().other;
  const Datum& datum = result.datum();
  if (!datum.valid) return false;
  switch (StorageOf(type)) {
    case Storage::kBits:
      call.result<uint64_t>()[i / 64] |= static_cast<uint64_t>(datum.b) << (i % 64);
      break;
    case Storage::kText:
      if (datum.text.size > result_bytes) {
        ++call.counts().overflow;
        return false;
      }
      if (type == TypeId::kString && !IsValidUtf8({datum.text.data, datum.text.size})) {
        ++call.counts().other;
        return false;
      }
      call.result<TextRef>()[i] = datum.text;
      break;
    case Storage::kI64:
      call.result<int64_t>()[i] = datum.i64;
      if (type == TypeId::kDate && datum.i64 != static_cast<int32_t>(datum.i64)) {
        ++call.counts().overflow;
        return false;
      }
      break;
    default:
      call.result<uint64_t>()[i] = datum.u64;
      break;
  }
  return true;
}

void CallUser(const Instruction& instruction, Frame& frame) {
  const Call call(instruction, frame);
  const auto& aux = call.aux<UserCall>();
  const FunctionDefinition& function = aux.entry->definition;
  const std::size_t count = function.arguments.size();
  uint64_t* valid = call.BeginValid();
  for (std::size_t w = 0; w < call.words() && !call.arena().exhausted(); ++w) {
    if (StorageOf(function.result) == Storage::kBits) call.result<uint64_t>()[w] = 0;
    uint64_t rows = call.active_word(w);
    for (std::size_t k = 0; k < count && !function.takes_nulls; ++k) rows &= call.valid_word(k, w);
    uint64_t good = 0;
    if (function.scalar) {
      constexpr std::size_t kMostArguments = 16;
      Datum arguments[kMostArguments];
      ForEachSetBit(rows, [&](std::size_t j) {
        for (std::size_t k = 0; k < count; ++k)
          arguments[k] = ArgumentAt(call, k, 64 * w + j, function.arguments[k]);
        FunctionResult result(&call.arena());
        function.scalar({arguments, count}, &result);
        good |= static_cast<uint64_t>(
                    StoreAnswer(call, 64 * w + j, function.result, aux.result_bytes, result))
                << j;
      });
    } else {
      std::vector<std::vector<Datum>> columns(count);
      std::vector<std::span<const Datum>> arguments;
      for (std::size_t k = 0; k < count; ++k) {
        ForEachSetBit(rows, [&](std::size_t j) {
          columns[k].push_back(ArgumentAt(call, k, 64 * w + j, function.arguments[k]));
        });
        arguments.emplace_back(columns[k]);
      }
      std::vector<FunctionResult> results(static_cast<std::size_t>(std::popcount(rows)),
                                          FunctionResult(&call.arena()));
      if (!results.empty()) function.batch(arguments, results);
      std::size_t at = 0;
      ForEachSetBit(rows, [&](std::size_t j) {
        good |= static_cast<uint64_t>(
                    StoreAnswer(call, 64 * w + j, function.result, aux.result_bytes, results[at++]))
                << j;
      });
    }
    valid[w] = good;
  }
}

// People look for aggregates of lists by the names of those of columns.
std::string AggregateAdvice(std::string_view name) {
  if (name == "sum") return "; the sum of a list is list_sum(x)";
  if (name == "mean" || name == "avg") return "; the mean of a list is list_mean(x)";
  if (name == "min") return "; the least item of a list is list_min(x), of values least(x, y)";
  if (name == "max")
    return "; the greatest item of a list is list_max(x), of values greatest(x, y)";
  return "";
}

}  // namespace

absl::StatusOr<IrId> Analyzer::LowerUserCall(NodeId id, const Node& node, const Ids& arguments) {
  const std::optional<VersionedName> wanted = ReadVersionedName(node.text);
  if (!wanted.has_value()) return Error(node, "a function's version is a number from 1");
  const std::string_view name = wanted->name;
  std::vector<std::string> known = AllNames();
  if (options_.functions != nullptr) {
    for (std::string& one : options_.functions->names()) known.push_back(std::move(one));
  }
  const bool registered = options_.functions != nullptr && [&] {
    const std::vector<std::string> names = options_.functions->names();
    return std::find(names.begin(), names.end(), name) != names.end();
  }();
  if (!registered && !wanted->identity.empty())
    return Missing(node,
                   Concat("function ", wanted->reference, " is not registered in this process"));
  if (!registered) {
    std::string advice = AggregateAdvice(name);
    if (advice.empty()) advice = DidYouMean(name, known);
    return Error(node, Concat("unknown function \"", wanted->reference, "\"", advice));
  }
  const absl::StatusOr<std::shared_ptr<const Entry>> found =
      options_.functions->Find(name, wanted->version);
  if (!found.ok()) {
    return wanted->identity.empty() ? Error(node, MessageOf(found.status()))
                                    : Missing(node, MessageOf(found.status()));
  }
  const std::string identity = (*found)->Identity();
  if (!wanted->identity.empty() && wanted->identity != identity) {
    return Missing(node,
                   Concat("function ", wanted->reference,
                          " answers its probes otherwise than when this was defined; code that "
                          "changed needs a new version"));
  }

  const FunctionDefinition& function = (*found)->definition;
  std::vector<std::string> types;
  for (const DataType& type : function.arguments) types.push_back(type.ToString());
  const std::string form = Concat(name, "(", larder::Join(types, ", "), ")");
  if (arguments.size() != function.arguments.size()) {
    return Error(node, Concat(wanted->reference, " does not take (", DescribeAll(arguments),
                              "); it takes ", form));
  }
  Ids converted;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const DataType& type = function.arguments[i];
    if (!Distance(arguments[i], type).has_value() ||
        (type.is_nested() && graph_[arguments[i]].type != type)) {
      return Error(node, Concat(wanted->reference, " does not take (", DescribeAll(arguments),
                                "); it takes ", form));
    }
    LARDER_ASSIGN_OR_RETURN(const IrId value, Convert(arguments[i], type, node));
    converted.push_back(value);
  }
  notes_[id] = identity;
  if (std::find(functions_.begin(), functions_.end(), identity) == functions_.end()) {
    functions_.push_back(identity);
    std::sort(functions_.begin(), functions_.end());
  }
  return graph_.Add(
      {.name = name,
       .type = function.result,
       .kernel = CallUser,
       .arguments = std::move(converted),
       .worth_guarding = true,
       .foldable = false,
       .aux = std::make_shared<const UserCall>(UserCall{*found, options_.limits.result_bytes}),
       .aux_key = identity});
}

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
