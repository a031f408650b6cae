#include "transform/builtin.h"

namespace larder::inline LARDER_ABI {
namespace transform {
void AddNested(BuiltinTable*) {}
void AddFeatureMaking(BuiltinTable*) {}
}  // namespace transform
}  // namespace larder::inline LARDER_ABI
