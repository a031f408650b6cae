#include "larder/feature_store/serving.h"

std::vector<int64_t> MakeKeys();

larder::InputColumn::Kind Use() {
#ifdef LARDER_MISTAKE
  const larder::InputColumn column = larder::InputColumn::Of(MakeKeys());
#else
  const std::vector<int64_t> keys = MakeKeys();
  const larder::InputColumn column = larder::InputColumn::Of(keys);
#endif
  return column.kind();
}
