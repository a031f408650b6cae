// Graph to instructions: what is used, in an order, guarded by its branch, in few registers.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/schema/definitions.h"
#include "transform/ir.h"
#include "transform/program_impl.h"

namespace larder::inline LARDER_ABI {
namespace transform {

// `roots` and `names` are the outputs in order; kInput nodes index `inputs`.
std::shared_ptr<ProgramImpl> Generate(const IrGraph& graph, std::span<const IrId> roots,
                                      std::span<const std::string> names,
                                      std::span<const Field> inputs);

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
