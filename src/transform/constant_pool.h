// Constants laid out as registers point at them. Owned by a program; addresses never change.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/schema/data_type.h"
#include "transform/ir.h"
#include "transform/vm.h"

namespace larder::inline LARDER_ABI {
namespace transform {

class ConstantPool {
 public:
  // A register that holds `value` for any number of rows up to kChunkRows.
  Register Add(const DataType& type, const Constant& value);

 private:
  struct alignas(16) Cell {
    unsigned char bytes[48];
  };
  std::deque<Cell> cells_;
  std::deque<std::vector<uint64_t>> words_;
  std::deque<std::vector<unsigned char>> items_;
  std::deque<std::string> texts_;
};

}  // namespace transform
}  // namespace larder::inline LARDER_ABI
