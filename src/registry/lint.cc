#include <algorithm>
#include <set>

#include "registry/fields.h"
#include "registry/resolve.h"

namespace larder::inline LARDER_ABI {
namespace {

// The data a view's events come from, whether pushed or loaded.
const std::string& DataOf(const ViewVersion& view) {
  return view.batch ? view.batch->name : view.source.name;
}

}  // namespace

// Only leaks and waste that can be told from the definitions alone (SEMANTICS 9).
void Resolver::Lint() {
  const auto warn = [&](const char* rule, std::string object, std::string message) {
    warnings_.push_back({rule, std::move(object), std::move(message)});
  };
  std::set<std::string> label_data;
  std::set<uint32_t> label_views;
  for (const auto& label : out_.labels) {
    const ViewVersion& view = *state_.views[label->view_id - 1];
    label_data.insert(DataOf(view));
    label_views.insert(view.id);
  }
  for (const auto& view : out_.views) {
    const std::string object = Concat("feature view ", view->name);
    const Source& source = view->offline_source();
    if (source.event_time.empty()) {
      warn("timeless-source", object,
           Concat("source ", source.name,
                  " has no event_time: its rows hold at every time, also "
                  "before they were known; training on them may leak"));
      continue;
    }
    const Field* time = FindField(source.fields, source.event_time);
    if (view->is_aggregate() && time != nullptr && time->type.id() == TypeId::kDate &&
        !source.has_known_time()) {
      warn("day-dated-aggregate", object,
           Concat("events of ", source.name,
                  " carry a day only, so a day's sum is known at its "
                  "first instant; declare available_after or arrival_time"));
    }
    const bool sees_self = view->boundary == Boundary::kAt && !view->definition.exclude_self;
    if (view->is_aggregate() && sees_self) {
      warn("self-join", object,
           "boundary: at without exclude_self counts the asking event itself when the training "
           "rows come from this source");
    } else if (sees_self && label_data.count(DataOf(*view)) > 0 && label_views.count(view->id) == 0) {
      warn("self-join", object,
           Concat("it reads ", DataOf(*view),
                  ", which a label reads too; with boundary: at a "
                  "training row sees its own event"));
    }
  }
  std::set<uint32_t> read;
  std::set<uint32_t> read_on_demand;
  for (const auto& service : out_.services) {
    for (const ViewUse& use : service->views) {
      read.insert(use.view_id);
      if (label_views.count(use.view_id) == 0) continue;
      warn("label-source-among-features", Concat("feature service ", service->name),
           Concat("it reads ", state_.views[use.view_id - 1]->name,
                  ", which a label of this project is made from"));
    }
    for (const OnDemandUse& use : service->on_demand) read_on_demand.insert(use.view_id);
  }
  if (out_.services.empty()) return;
  for (const auto& view : out_.views) {
    if (view->base_view) read.insert(*view->base_view);
  }
  for (const auto& view : out_.views) {
    if (read.count(view->id) > 0 || label_views.count(view->id) > 0) continue;
    warn("unread-view", Concat("feature view ", view->name), "no service, label or view reads it");
  }
  for (const auto& view : out_.on_demand) {
    if (read_on_demand.count(view->id) > 0) continue;
    warn("unread-view", Concat("on-demand view ", view->name), "no service reads it");
  }
}

}  // namespace larder::inline LARDER_ABI
