#include "larder/registry/validators.h"

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {

bool HasRange(const DataType& type) {
  switch (type.id()) {
    case TypeId::kInt32:
    case TypeId::kInt64:
    case TypeId::kUint64:
    case TypeId::kFloat32:
    case TypeId::kFloat64:
    case TypeId::kTimestamp:
    case TypeId::kDate:
    case TypeId::kDuration:
      return true;
    default:
      return false;
  }
}

std::vector<Field> ValidatorFields(const ViewVersion& view) {
  std::vector<Field> fields;
  const auto add = [&fields](std::string name, const DataType& type) {
    Field field;
    field.name = std::move(name);
    field.type = type;
    fields.push_back(std::move(field));
  };
  add("keys", TypeId::kInt64);
  add("keys_before", TypeId::kInt64);
  for (const StoredColumn& stored : view.stored) {
    if (stored.name.starts_with("$")) continue;  // kept for features computed on read
    add(Concat("null_share_", stored.name), TypeId::kFloat64);
    if (!HasRange(stored.type)) continue;
    add(Concat("min_", stored.name), stored.type);
    add(Concat("max_", stored.name), stored.type);
  }
  return fields;
}

}  // namespace larder::inline LARDER_ABI
