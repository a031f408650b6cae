#include "larder/registry/aggregate_text.h"

#include "larder/base/text.h"
#include "larder/base/time.h"

namespace larder::inline LARDER_ABI {

std::string AggregateText(const AggregateColumn& aggregate) {
  std::string text = Concat(aggregate.function, "(", aggregate.input, ")");
  if (aggregate.window) text.append(" over ").append(FormatDuration(*aggregate.window));
  if (aggregate.rows) text.append(Concat(" over ", *aggregate.rows, " rows"));
  if (aggregate.delay.us != 0) text.append(" delayed ").append(FormatDuration(aggregate.delay));
  if (!aggregate.where.empty()) text.append(" where ").append(aggregate.where);
  if (!aggregate.group_by.empty()) text.append(" by ").append(aggregate.group_by);
  if (!aggregate.category.empty()) text.append(" = ").append(aggregate.category);
  return text;
}

}  // namespace larder::inline LARDER_ABI
