#include "feature_store/paired_keys.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "feature_store/sample_rows.h"
#include "larder/schema/entity_key.h"

namespace larder::inline LARDER_ABI {
namespace {

// A view whose whole key a request gives, with the request's columns it is made of.
struct KeyedView {
  const ViewVersion* view = nullptr;
  std::vector<const Field*> columns;
};

std::vector<KeyedView> KeyedViews(std::span<const std::shared_ptr<const BoundService>> services) {
  std::vector<KeyedView> views;
  for (const auto& service : services) {
    for (const BoundUse& use : service->uses) {
      KeyedView keyed{use.view, {}};
      for (const BoundKey& key : use.keys) {
        if (key.input >= 0)
          keyed.columns.push_back(&service->inputs[static_cast<std::size_t>(key.input)]);
      }
      if (!use.keys.empty() && keyed.columns.size() == use.keys.size())
        views.push_back(std::move(keyed));
    }
  }
  std::stable_sort(views.begin(), views.end(), [](const KeyedView& a, const KeyedView& b) {
    return a.columns.size() > b.columns.size();
  });
  return views;
}

absl::StatusOr<Column> Repeated(const std::vector<Value>& values, const DataType& type,
                                std::size_t rows) {
  Column column(type);
  for (std::size_t row = 0; row < rows; ++row) {
    LARDER_ASSIGN_OR_RETURN(const Value value, ConvertValue(values[row % values.size()], type));
    LARDER_RETURN_IF_ERROR(column.Append(value));
  }
  return column;
}

}  // namespace

absl::StatusOr<KeyParts> StoredKeyParts(const ReadSession& session, uint32_t data_id,
                                        std::span<const Field> keys, std::size_t count) {
  std::vector<DataType> types;
  for (const Field& key : keys) types.push_back(key.type);
  LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> stored,
                          SampleStoredKeys(session, data_id, count));
  KeyParts parts;
  parts.reserve(stored.size());
  for (const std::string& key : stored) {
    LARDER_ASSIGN_OR_RETURN(std::vector<Value> values, DecodeEntityKey(key, types));
    parts.push_back(std::move(values));
  }
  return parts;
}

absl::StatusOr<PairedKeys> PairKeys(
    std::span<const std::shared_ptr<const BoundService>> services,
    const std::function<absl::StatusOr<KeyParts>(const ViewVersion&)>& keys_of) {
  struct Taken {
    const Field* field;
    std::vector<Value> values;
  };
  std::vector<Taken> taken;
  const auto is_taken = [&taken](const Field* field) {
    return std::any_of(taken.begin(), taken.end(),
                       [&](const Taken& other) { return other.field->name == field->name; });
  };
  PairedKeys paired;
  std::vector<std::string> without;
  for (const KeyedView& keyed : KeyedViews(services)) {
    if (std::all_of(keyed.columns.begin(), keyed.columns.end(), is_taken)) continue;
    LARDER_ASSIGN_OR_RETURN(const KeyParts keys, keys_of(*keyed.view));
    if (keys.empty()) {
      without.push_back(keyed.view->name);
      continue;
    }
    paired.rows = std::max(paired.rows, keys.size());
    for (std::size_t k = 0; k < keyed.columns.size(); ++k) {
      if (is_taken(keyed.columns[k])) continue;
      Taken column{keyed.columns[k], {}};
      column.values.reserve(keys.size());
      for (const std::vector<Value>& key : keys) column.values.push_back(key[k]);
      taken.push_back(std::move(column));
    }
  }
  bool needs_keys = false;
  for (const auto& service : services) {
    for (std::size_t i = 0; i < service->key_count; ++i) {
      needs_keys = true;
      if (is_taken(&service->inputs[i])) continue;
      return FailedPreconditionError("no values of key ", service->inputs[i].name, " are stored",
                                     without.empty() ? "" : ": no rows of ", Join(without, ", "));
    }
  }
  if (!needs_keys) paired.rows = 1;
  for (const Taken& column : taken) {
    LARDER_ASSIGN_OR_RETURN(Column values, Repeated(column.values, column.field->type, paired.rows));
    LARDER_RETURN_IF_ERROR(paired.columns.AddColumn(column.field->name, std::move(values)));
  }
  return paired;
}

absl::StatusOr<Batch> FeatureStore::SampleKeys(const ServingPlan& plan, std::size_t count) const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  const auto keys_of = [&](const ViewVersion& view) {
    return StoredKeyParts(session, view.data_id, view.keys, count);
  };
  LARDER_ASSIGN_OR_RETURN(PairedKeys paired, PairKeys({&plan.bound_, 1}, keys_of));
  return std::move(paired.columns);
}

}  // namespace larder::inline LARDER_ABI
