// larder's types in Arrow's format strings.
#pragma once

#include <span>

#include "larder/base/config.h"
#include "larder/io/arrow_c.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

// Fills `*out` with a struct of the fields, all nullable. The caller releases it.
void ExportArrowSchema(std::span<const Field> fields, ArrowSchema* out);

}  // namespace larder::inline LARDER_ABI
