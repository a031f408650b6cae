#include "feature_store/sample_compare.h"

#include <cmath>
#include <optional>
#include <vector>

namespace larder::inline LARDER_ABI {
namespace {

bool IsNaN(const Value& value) {
  if (const double* number = value.As<double>()) return std::isnan(*number);
  if (const float* number = value.As<float>()) return std::isnan(*number);
  return false;
}

std::optional<double> NumberOf(const Value& value) {
  if (const auto* v = value.As<int32_t>()) return *v;
  if (const auto* v = value.As<int64_t>()) return static_cast<double>(*v);
  if (const auto* v = value.As<uint64_t>()) return static_cast<double>(*v);
  if (const auto* v = value.As<float>()) return static_cast<double>(*v);
  if (const auto* v = value.As<double>()) return *v;
  return std::nullopt;
}

bool IsSame(const Value& a, const Value& b) {
  if (a == b || (IsNaN(a) && IsNaN(b))) return true;
  if (a.is_null() || b.is_null()) return false;
  if (a.type().is_integer() && b.type().is_integer()) return FormatValue(a) == FormatValue(b);
  const std::optional<double> x = NumberOf(a);
  const std::optional<double> y = NumberOf(b);
  return x && y && *x == *y;
}

void Widen(double change, std::optional<double>* largest) {
  change = std::abs(change);
  if (std::isnan(change) || (largest->has_value() && **largest >= change)) return;
  *largest = change;
}

void AddDistance(const Value& a, const Value& b, std::optional<double>* largest) {
  const auto* x = a.As<std::vector<float>>();
  const auto* y = b.As<std::vector<float>>();
  if (x != nullptr && y != nullptr && x->size() == y->size()) {
    for (std::size_t i = 0; i < x->size(); ++i) {
      Widen(static_cast<double>((*y)[i]) - static_cast<double>((*x)[i]), largest);
    }
    return;
  }
  const std::optional<double> from = NumberOf(a);
  const std::optional<double> to = NumberOf(b);
  if (from && to) Widen(*to - *from, largest);
}

}  // namespace

void CompareColumns(const Column& before, const Column& after, SampledFeature* out) {
  out->rows = before.size();
  for (std::size_t row = 0; row < before.size(); ++row) {
    const Value a = before.ValueAt(row);
    const Value b = after.ValueAt(row);
    if (IsSame(a, b)) continue;
    ++out->changed;
    AddDistance(a, b, &out->largest_change);
  }
}

}  // namespace larder::inline LARDER_ABI
