#include "feature_store/service_cast.h"

namespace larder::inline LARDER_ABI {

Column CastColumn(const Column& column, const DataType& to) {
  Column out(to);
  out.Reserve(column.size());
  for (std::size_t row = 0; row < column.size(); ++row) {
    (void)out.Append(CastValue(column.ValueAt(row), to));  // of the column's own type
  }
  return out;
}

}  // namespace larder::inline LARDER_ABI
