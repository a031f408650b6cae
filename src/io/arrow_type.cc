#include "io/arrow_type.h"

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "larder/base/text.h"

namespace larder::inline LARDER_ABI {
namespace {

// What a schema's pointers point to.
struct SchemaOwner {
  std::string format;
  std::string name;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> child_pointers;
};

void ReleaseSchema(ArrowSchema* schema) {
  const std::unique_ptr<SchemaOwner> owner(static_cast<SchemaOwner*>(schema->private_data));
  for (ArrowSchema& child : owner->children) {
    if (child.release != nullptr) child.release(&child);  // else it was moved away
  }
  schema->release = nullptr;
}

void FillSchema(std::string format, std::string name, int64_t flags, std::size_t children,
                ArrowSchema* out) {
  auto owner = std::make_unique<SchemaOwner>();
  owner->format = std::move(format);
  owner->name = std::move(name);
  owner->children.resize(children);
  for (ArrowSchema& child : owner->children) owner->child_pointers.push_back(&child);
  *out = {};
  out->format = owner->format.c_str();
  out->name = owner->name.c_str();
  out->flags = flags;
  out->n_children = static_cast<int64_t>(children);
  out->children = owner->child_pointers.data();
  out->release = &ReleaseSchema;
  out->private_data = owner.release();
}

// Of a type without children.
std::string ScalarFormat(TypeId id) {
  switch (id) {
    case TypeId::kBool:
      return "b";
    case TypeId::kInt8:
      return "c";
    case TypeId::kInt32:
      return "i";
    case TypeId::kInt64:
      return "l";
    case TypeId::kUint64:
      return "L";
    case TypeId::kFloat32:
      return "f";
    case TypeId::kFloat64:
      return "g";
    case TypeId::kString:
      return "U";
    case TypeId::kBytes:
      return "Z";
    case TypeId::kTimestamp:
      return "tsu:UTC";
    case TypeId::kDate:
      return "tdD";
    case TypeId::kDuration:
      return "tDu";
    default:
      return "n";
  }
}

void FillField(const DataType& type, const std::string& name, ArrowSchema* out) {
  switch (type.id()) {
    case TypeId::kVector:
      FillSchema(Concat("+w:", type.length()), name, ARROW_FLAG_NULLABLE, 1, out);
      return FillSchema(ScalarFormat(type.element()), "item", 0, 0, out->children[0]);
    case TypeId::kList:
      FillSchema("+L", name, ARROW_FLAG_NULLABLE, 1, out);
      return FillSchema(ScalarFormat(type.element()), "item", ARROW_FLAG_NULLABLE, 0,
                        out->children[0]);
    case TypeId::kMap: {
      FillSchema("+m", name, ARROW_FLAG_NULLABLE | ARROW_FLAG_MAP_KEYS_SORTED, 1, out);
      ArrowSchema* entries = out->children[0];
      FillSchema("+s", "entries", 0, 2, entries);
      FillSchema(ScalarFormat(TypeId::kString), "key", 0, 0, entries->children[0]);
      return FillSchema(ScalarFormat(type.element()), "value", ARROW_FLAG_NULLABLE, 0,
                        entries->children[1]);
    }
    default:
      return FillSchema(ScalarFormat(type.id()), name, ARROW_FLAG_NULLABLE, 0, out);
  }
}

}  // namespace

void ExportArrowSchema(std::span<const Field> fields, ArrowSchema* out) {
  FillSchema("+s", "", 0, fields.size(), out);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    FillField(fields[i].type, fields[i].name, out->children[i]);
  }
}

}  // namespace larder::inline LARDER_ABI
