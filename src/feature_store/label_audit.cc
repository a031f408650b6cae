#include "feature_store/label_audit.h"

#include <algorithm>
#include <optional>
#include <string>

#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {
namespace {

// Fewer rows than this may be equal by chance.
constexpr std::size_t kEqualRowsMin = 10;

constexpr int kNoInput = -2;  // that nothing has

// Whether a value depends on an input of the service: through the keys it is looked up by, or as a request field.
class InputTrace {
 public:
  InputTrace(const BoundService& service, int input) : service_(service), input_(input) {}

  [[nodiscard]] bool Reaches(const ServiceOutput& output) const {
    return output.on_demand ? ReachesOnDemand(output.use) : ReachesUse(output.use);
  }

 private:
  [[nodiscard]] bool ReachesUse(int use) const {
    for (const BoundKey& key : service_.uses[static_cast<std::size_t>(use)].keys) {
      if (key.use >= 0 ? ReachesUse(key.use) : key.input == input_) return true;
    }
    return false;
  }
  [[nodiscard]] bool ReachesOnDemand(int use) const {
    for (const auto& input : service_.on_demand[static_cast<std::size_t>(use)].inputs) {
      if (input.input >= 0 ? input.input == input_
          : input.use >= 0 ? ReachesUse(input.use)
                           : ReachesOnDemand(input.on_demand))
        return true;
    }
    return false;
  }
  const BoundService& service_;
  const int input_;
};

// As a number where it is one: a label is often a bool or an integer, and its copy a float.
std::optional<double> NumberOf(const Value& value) {
  if (const auto* b = value.As<bool>()) return *b ? 1.0 : 0.0;
  const absl::StatusOr<Value> number = ConvertValue(value, TypeId::kFloat64);
  if (!number.ok() || number->is_null()) return std::nullopt;
  return *number->As<double>();
}

bool AreEqual(const Value& a, const Value& b) {
  if (a == b) return true;
  const std::optional<double> number = NumberOf(a);
  return number && number == NumberOf(b);
}

// Equal wherever both are there, in enough rows, and not one value throughout.
bool IsCopy(const Column& feature, const Column& label) {
  std::size_t rows = 0;
  bool varies = false;
  std::optional<Value> first;
  for (std::size_t row = 0; row < label.size(); ++row) {
    if (!feature.IsValid(row) || !label.IsValid(row)) continue;
    const Value value = label.ValueAt(row);
    if (!AreEqual(feature.ValueAt(row), value)) return false;
    if (!first) first = value;
    varies = varies || !(value == *first);
    ++rows;
  }
  return varies && rows >= kEqualRowsMin;
}

}  // namespace

absl::StatusOr<std::vector<LabelLeak>> FindLabels(const BoundService& service,
                                                  const HistoricalRequest& request,
                                                  const HistoricalRead& read) {
  const std::vector<ServiceOutput>& outputs = service.service->outputs;
  std::vector<LabelLeak> leaks;
  for (const std::string& label : request.labels) {
    const Column* column = read.spine.rows().Find(label);
    std::vector<std::string> names(read.spine.rows().names().begin(),
                                   read.spine.rows().names().end());
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      if (outputs[o].name == label) column = &read.computed.outputs[o].values;
      names.push_back(outputs[o].name);
    }
    if (column == nullptr)
      return InvalidArgumentError("unknown label column: ", label, DidYouMean(label, names));
    const auto is_it = [&](const Field& input) { return input.name == label; };
    const auto input = std::find_if(service.inputs.begin(), service.inputs.end(), is_it);
    const InputTrace trace(service, input == service.inputs.end()
                                        ? kNoInput
                                        : static_cast<int>(input - service.inputs.begin()));
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      if (outputs[o].name == label) continue;
      if (trace.Reaches(outputs[o])) {
        leaks.push_back({outputs[o].name, label, "is made of"});
      } else if (IsCopy(read.computed.outputs[o].values, *column)) {
        leaks.push_back({outputs[o].name, label, "is equal, in every row that has both, to"});
      }
    }
  }
  return leaks;
}

}  // namespace larder::inline LARDER_ABI
