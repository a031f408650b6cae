#include "feature_store/upkeep.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "feature_store/store_impl.h"
#include "larder/registry/rollback.h"

namespace larder::inline LARDER_ABI {
namespace {

// The versions a project works with after the plan.
std::vector<const ViewVersion*> VersionsInUse(const Catalog& catalog, const std::string& project) {
  std::set<uint32_t> ids;
  for (const ViewVersion* view : catalog.Views(project)) ids.insert(view->id);
  for (const ServiceVersion* service : catalog.Services(project)) {
    for (const ViewUse& use : service->views) ids.insert(use.view_id);
  }
  std::vector<const ViewVersion*> views;
  for (const uint32_t id : ids) views.push_back(catalog.FindView(id));
  return views;
}

// Whole seconds: commits of one instant are microseconds apart.
std::string LagText(int64_t us) {
  const int64_t seconds =
      us / kMicrosPerSecond + (us % kMicrosPerSecond >= kMicrosPerSecond / 2 ? 1 : 0);
  return seconds == 0 ? "a moment" : FormatDuration(Duration{seconds * kMicrosPerSecond});
}

bool IsPushed(const ViewVersion& view) { return view.source.kind == SourceKind::kPush; }

// Why the rows of `view`, which nothing has kept up, cannot serve; empty when they can.
absl::StatusOr<std::string> WhyBehind(const ReadSession& session, const Catalog& current,
                                      const ViewVersion& view) {
  LARDER_ASSIGN_OR_RETURN(const LoadRecord own, LoadRecordIn(session, view.data_id));
  const Timestamp left = current.LeftAt(view).value_or(Timestamp::Min());
  const Timestamp dropped = left.Plus(current.RollbackWindowOf(view));
  const absl::StatusOr<const ViewVersion*> now = current.GetView(view.project, view.name);
  LoadRecord live;
  if (now.ok()) {
    LARDER_ASSIGN_OR_RETURN(live, LoadRecordIn(session, (*now)->data_id));
  }
  // Pushes that went to the version in its place are known; without one, or with one of another source, nothing tells
  // what was missed since it was dropped.
  const bool comparable = now.ok() && (*now)->source.name == view.source.name;
  const Timestamp news =
      comparable ? std::max(live.loaded ? live.at : Timestamp::Min(), live.pushed_at) : dropped;
  const Timestamp last = std::max(own.loaded ? own.at : Timestamp::Min(), own.pushed_at);
  if (last >= news) return std::string();
  const Duration window = current.RollbackWindowOf(view);
  std::string why = Concat("feature view ", view.ToString(), " was last written to at ",
                           last > Timestamp::Min() ? FormatTimestamp(last) : "no time", ", ");
  if (last > Timestamp::Min()) why += Concat(LagText(news.us - last.us), " before ");
  why += comparable ? Concat("the rows of ", (*now)->ToString()) : "it was given up";
  why += Concat("; its name left it at ", FormatTimestamp(left), " and its rollback_window is ",
                FormatDuration(window));
  if (IsPushed(view) && !view.batch) {
    why += Concat("; source ", view.source.name, " has no file to load what it missed from");
  } else {
    const bool held = IsHeld(current, view.project, view.name);
    why += Concat(
        "; bring it up to date: ", held ? Concat("larder release ", view.name, ", then ") : "",
        "larder materialize --view ", view.ToString());
  }
  return why;
}

}  // namespace

absl::Status CheckKeptUp(const ReadSession& session, const Catalog& current, const ChangePlan& plan,
                         Timestamp now) {
  std::set<uint32_t> kept;  // data ids
  for (const ViewVersion* view : current.MaintainedViews(plan.project, now)) {
    kept.insert(view->data_id);
  }
  std::vector<std::string> reasons;
  for (const ViewVersion* view : VersionsInUse(Catalog(plan.outcome), plan.project)) {
    if (!kept.insert(view->data_id).second) continue;
    LARDER_ASSIGN_OR_RETURN(std::string why, WhyBehind(session, current, *view));
    if (!why.empty()) reasons.push_back(std::move(why));
  }
  if (reasons.empty()) return absl::OkStatus();
  return WithKind(FailedPreconditionError(
                      "project ", plan.project, " cannot go back:\n  ", Join(reasons, "\n  "),
                      "\n--definitions takes the names back to rows as old as that"),
                  ErrorKind::kNotReady);
}

}  // namespace larder::inline LARDER_ABI
