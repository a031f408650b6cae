#include "larder/transform/fitted.h"

#include <algorithm>
#include <cmath>

#include "larder/base/bytes.h"
#include "larder/base/text.h"
#include "transform/ieee.h"

namespace larder::inline LARDER_ABI {
namespace {

template <class T>
void TakeNumbers(const Column& column, std::vector<double>* out) {
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (!column.IsValid(i)) continue;
    const double x = static_cast<double>(column.Values<T>()[i]);
    if (transform::ieee::IsFinite(x)) out->push_back(x == 0 ? 0.0 : x);
  }
}

// Summed in ascending order: the order of arrival cannot show.
void FitNumbers(std::vector<double> values, const FitOptions& options, FittedValues* out) {
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  double total = 0;
  for (const double x : values) total += x / count;
  double squares = 0;
  for (const double x : values) squares += (x - total) * (x - total) / count;
  out->count = static_cast<int64_t>(values.size());
  out->mean = total;
  out->deviation = __builtin_sqrt(squares);
  out->minimum = values.front();
  out->maximum = values.back();
  for (std::size_t k = 1; k < options.buckets; ++k) {
    const double boundary = values[std::min(values.size() - 1, values.size() * k / options.buckets)];
    if (out->boundaries.empty() || out->boundaries.back() < boundary)
      out->boundaries.push_back(boundary);
  }
}

void FitWords(const Column& column, const FitOptions& options, FittedValues* out) {
  std::map<std::string, int64_t, std::less<>> seen;
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (!column.IsValid(i)) continue;
    ++out->count;
    const std::string_view text = column.Text(i);
    const auto at = seen.find(text);
    if (at != seen.end()) {
      ++at->second;
    } else {
      seen.emplace(text, 1);
    }
  }
  std::vector<std::pair<int64_t, std::string>> words;
  for (const auto& [word, times] : seen) words.emplace_back(-times, word);
  std::sort(words.begin(), words.end());
  for (std::size_t i = 0; i < words.size() && i < options.vocabulary; ++i)
    out->vocabulary.push_back(words[i].second);
}

void PutValues(const FittedValues& values, ByteWriter* out) {
  out->Put(values.count);
  for (const double x : {values.mean, values.deviation, values.minimum, values.maximum})
    out->Put(x);
  out->Put(static_cast<uint32_t>(values.boundaries.size()));
  for (const double x : values.boundaries) out->Put(x);
  out->Put(static_cast<uint32_t>(values.vocabulary.size()));
  for (const std::string& word : values.vocabulary) out->PutText(word);
}

constexpr uint32_t kMagic = 0x5446524cU;  // "LRFT"

}  // namespace

absl::StatusOr<FittedValues> Fit(const Column& column, const FitOptions& options) {
  FittedValues out;
  if (column.type() == TypeId::kString) {
    FitWords(column, options, &out);
    if (out.count == 0) return InvalidArgumentError("nothing to fit: the column holds no value");
    return out;
  }
  std::vector<double> values;
  switch (column.type().id()) {
    case TypeId::kInt32:
      TakeNumbers<int32_t>(column, &values);
      break;
    case TypeId::kInt64:
      TakeNumbers<int64_t>(column, &values);
      break;
    case TypeId::kUint64:
      TakeNumbers<uint64_t>(column, &values);
      break;
    case TypeId::kFloat32:
      TakeNumbers<float>(column, &values);
      break;
    case TypeId::kFloat64:
      TakeNumbers<double>(column, &values);
      break;
    default:
      return InvalidArgumentError("cannot fit a column of ", column.type().ToString(),
                                  "; numbers and strings can be");
  }
  if (values.empty())
    return InvalidArgumentError("nothing to fit: the column holds no finite value");
  FitNumbers(std::move(values), options, &out);
  return out;
}

std::string FittedEntry::Identity() const { return Concat(name, "@", version, "#", ToHex(hash)); }

absl::StatusOr<FittedEntry> FittedEntry::Make(std::string name, int version, FittedValues values) {
  if (!IsValidName(name)) return InvalidArgumentError("\"", name, "\" is not a valid name");
  if (version < 1) return InvalidArgumentError(name, ": versions start at 1");
  ByteWriter bytes;
  PutValues(values, &bytes);
  const Hash128 hash = HashWide(bytes.view());
  return FittedEntry{std::move(name), version, std::move(values), hash};
}

std::string FittedEntry::Serialize() const {
  ByteWriter out;
  out.Put(kMagic);
  out.PutText(name);
  out.Put(version);
  PutValues(values, &out);
  return std::move(out).Take();
}

absl::StatusOr<FittedEntry> FittedEntry::Parse(std::string_view bytes) {
  ByteReader in(bytes);
  const bool begins = in.Get<uint32_t>() == kMagic;
  std::string name(in.GetText());
  const int version = in.Get<int>();
  FittedValues values;
  values.count = in.Get<int64_t>();
  for (double* x : {&values.mean, &values.deviation, &values.minimum, &values.maximum})
    *x = in.Get<double>();
  for (auto left = in.Get<uint32_t>(); left > 0 && in.ok(); --left)
    values.boundaries.push_back(in.Get<double>());
  for (auto left = in.Get<uint32_t>(); left > 0 && in.ok(); --left)
    values.vocabulary.emplace_back(in.GetText());
  if (begins && in.ok() && in.remaining() == 0) {
    absl::StatusOr<FittedEntry> entry = Make(std::move(name), version, std::move(values));
    if (entry.ok()) return entry;
  }
  return WithKind(DataLossError("damaged fitted constants"), ErrorKind::kCorrupt);
}

absl::Status FittedConstants::Add(std::string name, int version, FittedValues values) {
  LARDER_ASSIGN_OR_RETURN(FittedEntry entry,
                          FittedEntry::Make(std::move(name), version, std::move(values)));
  const std::string key = entry.name;
  entries_[key].insert_or_assign(version, std::make_shared<const FittedEntry>(std::move(entry)));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const FittedEntry>> FittedConstants::Find(std::string_view name,
                                                                         int version) const {
  const auto versions = entries_.find(name);
  if (versions == entries_.end()) return nullptr;
  if (version == 0) return versions->second.rbegin()->second;
  const auto found = versions->second.find(version);
  return found == versions->second.end() ? nullptr : found->second;
}

std::vector<std::string> FittedConstants::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, versions] : entries_) {
    for (const auto& [version, entry] : versions) names.push_back(Concat(name, "@", version));
  }
  return names;
}

}  // namespace larder::inline LARDER_ABI
