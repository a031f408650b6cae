#include "aggregate/scalar.h"

namespace larder::inline LARDER_ABI {
namespace aggregate {

bool IsIdentityOf(std::string_view identity, TypeId type) {
  if (IsText(type)) return IsTextOf(identity, type);
  if (identity.size() != 8) return false;
  uint64_t ordered = 0;
  for (const char byte : identity) ordered = (ordered << 8U) | static_cast<uint8_t>(byte);
  AggregateInput input{false, WordFromOrdered(ordered, type), {}};
  std::string again;
  AppendIdentity(input, type, &again);
  return IsWordOf(input.word, type) && again == identity;
}

}  // namespace aggregate
}  // namespace larder::inline LARDER_ABI
