// What the store keeps of window aggregates, against the events it keeps.
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "feature_store/store_impl.h"
#include "feature_store/window_ids.h"
#include "feature_store/window_pages.h"
#include "feature_store/window_plan.h"
#include "larder/aggregate/tree_check.h"
#include "larder/aggregate/tree_tail.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr std::size_t kProblemsMax = 100;

// One data id in one snapshot.
class WindowCheck {
 public:
  WindowCheck(const ReadSession& session, const ViewVersion& view, const WindowPlan& plan,
              std::vector<std::string>* problems)
      : session_(session),
        view_(view),
        plan_(plan),
        pages_(session, view.data_id),
        problems_(*problems) {}

  absl::Status Run() {
    for (const WindowStream& stream : plan_.streams()) {
      LARDER_ASSIGN_OR_RETURN(AccumulatorSet set, AccumulatorSet::Make(stream.specs));
      sets_.push_back(std::move(set));
    }
    const std::string prefix = WindowPrefix(view_.data_id);
    LARDER_ASSIGN_OR_RETURN(record_, ReadWindowRecord(session_, view_.data_id));
    LARDER_RETURN_IF_ERROR(Each(kWindowKeyTable, [&](std::string_view name, std::string_view bytes) {
      CheckKey(name.substr(prefix.size()), bytes);
    }));
    uint64_t pages = 0;
    LARDER_RETURN_IF_ERROR(
        Each(kWindowPageTable, [&](std::string_view, std::string_view) { ++pages; }));
    if (problems_.empty() && pages != pages_seen_)
      Report(Concat(pages, " pages are kept, the trees have ", pages_seen_));
    return absl::OkStatus();
  }

 private:
  template <class Visit>
  absl::Status Each(uint32_t table, const Visit& visit) const {
    const std::string prefix = WindowPrefix(view_.data_id);
    return session_.ListRecords(
        table,
        [&](std::string_view name, std::string_view bytes) {
          if (name.substr(0, prefix.size()) != prefix) return false;
          visit(name, bytes);
          return problems_.size() < kProblemsMax;
        },
        prefix);
  }

  void Report(std::string_view what) {
    problems_.push_back(Concat("feature view ", view_.ToString(), ": ", what));
  }

  void CheckKey(std::string_view entity_key, std::string_view bytes) {
    const std::string key = Concat("key ", ++keys_seen_, " in order");
    const absl::StatusOr<WindowKey> state = WindowKey::Parse(bytes, sets_.size());
    if (!state.ok()) return Report(Concat(key, ": ", MessageOf(state.status())));
    for (std::size_t s = 0; s < sets_.size(); ++s) {
      const std::string* before = nullptr;
      for (const WindowKey::Tree& tree : state->streams[s]) {
        const absl::Status status = CheckEvents(entity_key, state->ids, s, tree);
        if (!status.ok()) Report(Concat(key, ", aggregates ", s, ": ", MessageOf(status)));
        if (before != nullptr && *before >= tree.category)
          Report(Concat(key, ", aggregates ", s, ": categories are not in order"));
        before = &tree.category;
      }
    }
    for (const WindowKey::Version& version : state->versions) {
      const absl::Status status =
          CheckId(entity_key, state->ids, version.id, WindowId::State::kListed);
      if (!status.ok()) Report(Concat(key, ": ", MessageOf(status)));
    }
  }

  absl::Status CheckEvents(std::string_view entity_key, const WindowKeyIds& ids, std::size_t s,
                           const WindowKey::Tree& kept) {
    LARDER_ASSIGN_OR_RETURN(const uint64_t pages, CheckTree(sets_[s], pages_, kept.root));
    pages_seen_ += pages;
    LARDER_ASSIGN_OR_RETURN(const std::vector<AggregateEvent> tail,
                            EventsOfTail(sets_[s], kept.tail));
    if (!tail.empty() && sets_[s].algebra().time_ordered)
      return DataLossError("events wait beside a tree that is added up in the order of time");
    absl::Status status;
    std::set<std::string_view> waiting;
    for (const AggregateEvent& event : tail) {
      const std::string_view id = event.order.event_id;
      if (id.empty()) continue;
      if (!waiting.insert(id).second) return DataLossError("an event is there twice");
      LARDER_RETURN_IF_ERROR(CheckId(entity_key, ids, id, WindowId::State::kInTrees));
    }
    const auto check = [&](const AggregateEvent& event) {
      const std::string_view id = event.order.event_id;
      if (!status.ok() || id.empty()) return;
      status = waiting.count(id) > 0 ? DataLossError("an event is there twice")
                                     : CheckId(entity_key, ids, id, WindowId::State::kInTrees);
    };
    const AggregateTree tree(sets_[s], &pages_, kept.root);
    const TimeRange all = {INT64_MIN, INT64_MAX};
    LARDER_RETURN_IF_ERROR(tree.Visit(all, check));
    return status;
  }

  [[nodiscard]] absl::Status CheckId(std::string_view entity_key, const WindowKeyIds& ids,
                                     std::string_view id, WindowId::State expected) const {
    LARDER_ASSIGN_OR_RETURN(const FoundWindowId found,
                            FindWindowId(session_, view_.data_id, record_, entity_key, ids, id));
    if (!found.id) return DataLossError("an event has no record of its id");
    if (found.id->state == expected) return absl::OkStatus();
    return DataLossError("an event is elsewhere by the record of its id: state ",
                         static_cast<int>(found.id->state), ", expected ",
                         static_cast<int>(expected));
  }

  const ReadSession& session_;
  const ViewVersion& view_;
  const WindowPlan& plan_;
  WindowRecord record_;
  mutable SnapshotPages pages_;
  std::vector<std::string>& problems_;
  std::vector<AccumulatorSet> sets_;
  uint64_t keys_seen_ = 0;
  uint64_t pages_seen_ = 0;
};

}  // namespace

absl::StatusOr<std::vector<std::string>> FeatureStore::VerifyWindows() const {
  LARDER_ASSIGN_OR_RETURN(const ReadSession session, ReadSession::Open(impl_->environment));
  LARDER_ASSIGN_OR_RETURN(const Catalog catalog, impl_->CatalogIn(session));
  std::map<uint32_t, const ViewVersion*> views;  // one of those that share their events
  for (const std::string& project : catalog.Projects()) {
    for (const ViewVersion* view : catalog.Views(project, true)) {
      if (view->is_aggregate()) views.emplace(view->data_id, view);
    }
  }
  std::vector<std::string> problems;
  for (const auto& [data_id, view] : views) {
    LARDER_ASSIGN_OR_RETURN(const WindowPlan plan, WindowPlan::Make(*view, impl_->compile));
    LARDER_RETURN_IF_ERROR(WindowCheck(session, *view, plan, &problems).Run());
    if (problems.size() >= kProblemsMax) break;
  }
  return problems;
}

}  // namespace larder::inline LARDER_ABI
