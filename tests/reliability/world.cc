#include "reliability/world.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <random>
#include <set>

#include "larder/online/read_session.h"
#include "larder/registry/definitions_json.h"
#include "larder/registry/rollback.h"

namespace larder_test {
namespace {

using larder::Concat;

constexpr int64_t kTtlSeconds = 5000;
constexpr int64_t kOldestSeconds = 10'000;
constexpr int64_t kMicros = 1'000'000;
constexpr const char* kDerived = "derived";
constexpr const char* kDerivedService = "md";

std::string View(int i) { return Concat("v", i); }
std::string Service(int i) { return Concat("m", i); }

struct NewRow {
  int key = 0;
  int64_t event_time = 0;
  int64_t x = 0;
};

// Event times reach back behind those stored already, and no two steps share one.
std::vector<NewRow> RowsOf(const Step& step) {
  std::mt19937_64 random(step.seed);
  std::vector<NewRow> rows;
  for (int key = 0; key < kKeys; ++key) {
    if (random() % 3 != 0) continue;
    const auto ago = static_cast<int64_t>(random() % (kOldestSeconds - 1)) + 1;
    const auto unique = static_cast<int64_t>(step.number);
    rows.push_back({key, kNow.us - ago * kMicros + unique, unique * kKeys + key});
  }
  if (rows.empty()) {
    rows.push_back({0, kNow.us - kMicros + static_cast<int64_t>(step.number), 7});
  }
  return rows;
}

// Choices that say the same are equal.
Choice Plain(Choice choice, uint8_t has_derived) {
  choice.has_derived = has_derived;
  if (has_derived == 0) choice.derived_base = choice.derived_add = 0;
  return choice;
}

std::string FormatCell(bool is_null, int64_t value, std::string_view status) {
  return is_null ? Concat("null ", status) : Concat(value, " ", status);
}

}  // namespace

std::string DefinitionsText(const Choice& choice) {
  std::string views;
  std::string services;
  for (int i = 0; i < kViews; ++i) {
    const auto at = static_cast<std::size_t>(i);
    views += Concat(
        i == 0 ? "" : ",\n", R"({"name": ")", View(i), R"(", "entities": ["e"], "source": ")",
        i < kPushedViews ? "pushed" : "loaded", R"(", )",
        i == 0 ? Concat(R"("description": "d)", choice.description, R"(", )") : std::string());
    if (choice.has_ttl[at] != 0) views += Concat(R"("ttl": ")", kTtlSeconds, R"(s", )");
    views += Concat(R"("features": [{"name": "f", "expr": "x + )", choice.add[at], R"("}]})");
    services += Concat(i == 0 ? "" : ",\n", R"({"name": ")", Service(i), R"(", "features": [")",
                       View(i), R"(:f"]})");
  }
  std::string on_demand;
  if (choice.has_derived != 0) {
    on_demand = Concat(
        R"({"name": ")", kDerived, R"(", "inputs": {"v": ")", View(choice.derived_base),
        R"(:f"}, "features": [{"name": "f", "expr": "v * 2 + )", choice.derived_add, R"("}]})");
    services += Concat(R"(,
{"name": ")",
                       kDerivedService, R"(", "features": [")", kDerived, R"(:f"]})");
  }
  return Concat(R"({"larder": 1, "project": "p",
"entities": [{"name": "e", "join_keys": [{"name": "k", "type": "int64"}]}],
"sources": [
{"name": "pushed", "kind": "push", "event_time": "at", "fields": [{"name": "k", "type": "int64"},
  {"name": "x", "type": "int64"}, {"name": "at", "type": "timestamp"}]},
{"name": "loaded", "kind": "csv", "path": "rows.csv", "event_time": "at", "fields": [{"name": "k", "type": "int64"},
  {"name": "x", "type": "int64"}, {"name": "at", "type": "timestamp"}]}],
"feature_views": [)",
                views, "],\n\"on_demand_views\": [", on_demand, "],\n\"feature_services\": [",
                services, "]}");
}

std::string ToString(const Step& step) {
  constexpr const char* kNames[] = {"apply",  "stage",   "push", "materialize", "rollback",
                                    "vacuum", "compact", "hold", "release"};
  std::string text = Concat("step ", step.number, ": ", kNames[static_cast<std::size_t>(step.kind)]);
  if (step.kind == StepKind::kRollback) text += Concat(" to ", step.target);
  if (step.kind >= StepKind::kHold) text += Concat(" v", step.view);
  if (step.kind <= StepKind::kStage) {
    for (std::size_t i = 0; i < kViews; ++i) {
      text += Concat(" x+", step.next.add[i], step.next.has_ttl[i] != 0 ? "/ttl" : "");
    }
    text += Concat(" d", step.next.description);
    if (step.next.has_derived != 0) {
      text += Concat(" derived v", step.next.derived_base, "*2+", step.next.derived_add);
    }
  }
  return text;
}

absl::Status RunStep(larder::FeatureStore& store, const std::string& folder, const Step& step) {
  switch (step.kind) {
    case StepKind::kApply:
    case StepKind::kStage: {
      LARDER_ASSIGN_OR_RETURN(larder::Definitions definitions,
                              larder::ParseDefinitions(DefinitionsText(step.next), "world.json"));
      definitions.base_path = folder;
      larder::PlanOptions options;
      options.stage = step.kind == StepKind::kStage;
      options.prune = !options.stage;
      return store.Apply(definitions, options).status();
    }
    case StepKind::kPush: {
      std::vector<larder::Row> rows;
      for (const NewRow& row : RowsOf(step)) {
        rows.push_back(
            {{"k", int64_t{row.key}}, {"x", row.x}, {"at", larder::Timestamp{row.event_time}}});
      }
      return store.Push("pushed", rows).status();
    }
    case StepKind::kMaterialize: {
      {
        std::ofstream file(folder + "/rows.csv", std::ios::trunc);
        file << "k,x,at\n";
        for (const NewRow& row : RowsOf(step)) {
          file << row.key << "," << row.x << "," << larder::FormatTimestamp({row.event_time})
               << "\n";
        }
      }
      return store.Materialize().status();
    }
    case StepKind::kRollback:
      return store.Rollback(step.target).status();
    case StepKind::kVacuum:
      return store.Vacuum().status();
    case StepKind::kCompact:
      return store.Compact().status();
    case StepKind::kHold:
      return store.Hold(View(step.view)).status();
    case StepKind::kRelease:
      return store.Release(View(step.view)).status();
  }
  return larder::InternalError("no such step");
}

// --- the model ---

int World::Number(const std::string& name, const Meaning& meaning) {
  const auto known = meanings_->find(name);
  if (known != meanings_->end()) {
    const auto found = std::find(known->second.begin(), known->second.end(), meaning);
    if (found != known->second.end()) return static_cast<int>(found - known->second.begin()) + 1;
  }
  auto more = std::make_shared<std::map<std::string, std::vector<Meaning>>>(*meanings_);
  std::vector<Meaning>& list = (*more)[name];
  list.push_back(meaning);
  const int version = static_cast<int>(list.size());
  meanings_ = std::move(more);
  return version;
}

std::map<std::string, int> World::NumberAll(const Choice& choice) {
  std::map<std::string, int> versions;
  for (int i = 0; i < kViews; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const int version = Number(View(i), {choice.add[at], choice.has_ttl[at], 0});
    versions[View(i)] = version;
    versions[Service(i)] = Number(Service(i), {version, 0, 0});
    auto& rows = data_[{i, choice.add[at]}];
    if (rows == nullptr) rows = std::make_shared<const Rows>();
  }
  if (choice.has_derived != 0) {
    const int base = versions[View(choice.derived_base)];
    const int version = Number(kDerived, {choice.derived_base, base, choice.derived_add});
    versions[kDerived] = version;
    versions[kDerivedService] = Number(kDerivedService, {version, 0, 0});
  }
  return versions;
}

void World::Write(int view, const Step& step) {
  for (auto& [key, rows] : data_) {
    if (key.first != view) continue;
    auto next = std::make_shared<Rows>(*rows);
    for (const NewRow& row : RowsOf(step)) {
      const auto [at, fresh] = next->try_emplace(row.key, Stored{row.event_time, row.x});
      if (!fresh && at->second.event_time < row.event_time) at->second = {row.event_time, row.x};
    }
    rows = std::move(next);
    loaded_[key] = true;
  }
}

void World::Load(const Step& step) {
  Write(kPushedViews, step);
  for (auto& [key, rows] : data_) {
    if (key.first != kPushedViews) continue;
    Generations& generations = generations_[static_cast<std::size_t>(key.second)];
    std::map<int, std::shared_ptr<const Rows>>& kept = generations.kept;
    const int before = generations.live;
    generations.live = kept.empty() ? 1 : kept.rbegin()->first + 1;
    kept[generations.live] = rows;
    if (kept.size() > larder::kGenerationsKept) {
      // What was live until now stays; of the others the oldest goes.
      kept.erase(kept.begin()->first == before ? std::next(kept.begin()) : kept.begin());
    }
  }
}

World::LiveNumbers World::Live() const {
  LiveNumbers live{};
  for (std::size_t add = 0; add < kAdds; ++add) live[add] = generations_[add].live;
  return live;
}

bool World::Restore(const LiveNumbers& then) {
  bool changed = false;
  for (int add = 0; add < kAdds; ++add) {
    const auto at = static_cast<std::size_t>(add);
    Generations& generations = generations_[at];
    const auto kept = generations.kept.find(then[at]);
    if (then[at] == generations.live || kept == generations.kept.end()) continue;
    generations.live = then[at];
    data_[{kPushedViews, add}] = kept->second;
    changed = true;
  }
  return changed;
}

void World::Do(const Step& step) {
  const auto enter = [this](std::string_view kind) { history_.push_back({kind, now_, Live()}); };
  switch (step.kind) {
    case StepKind::kApply:
      if (!history_.empty() && step.next == now_) return;
      now_ = step.next;
      current_ = NumberAll(now_);
      enter("apply");
      revision_ = history_.size();
      return;
    case StepKind::kStage: {
      const auto before = meanings_;
      NumberAll(step.next);
      if (meanings_ == before) return;
      enter("apply");
      revision_ = history_.size();
      return;
    }
    case StepKind::kPush:
      for (int i = 0; i < kPushedViews; ++i) Write(i, step);
      return;
    case StepKind::kMaterialize:
      if (held_[kPushedViews]) return;
      Load(step);
      enter("publish");
      return;
    case StepKind::kRollback: {
      const Entry target = history_[step.target - 1];
      const bool restored = Restore(target.live);
      if (target.then == now_ && !restored) return;
      if (restored) held_[kPushedViews] = true;
      if (target.then == now_) {
        enter("rollback");  // of rows only: definitions keep their revision
        return;
      }
      const auto before = current_;
      now_ = target.then;
      current_ = NumberAll(now_);
      for (int i = 0; i < kViews; ++i) {
        if (before.at(View(i)) != current_.at(View(i))) held_[static_cast<std::size_t>(i)] = true;
      }
      enter("rollback");
      revision_ = history_.size();
      return;
    }
    case StepKind::kVacuum:
    case StepKind::kCompact:
      return;
    case StepKind::kHold:
    case StepKind::kRelease: {
      const bool hold = step.kind == StepKind::kHold;
      bool& held = held_[static_cast<std::size_t>(step.view)];
      if (held == hold) return;
      held = hold;
      enter(hold ? "hold" : "release");
      return;
    }
  }
}

Step World::Next(Random& random) const {
  Step step;
  step.seed = random.Bits();
  const auto below = [&](int n) { return static_cast<uint8_t>(random.Between(0, n - 1)); };
  const auto edit = [&] {
    step.next = now_;
    const std::size_t view = below(kViews);
    switch (random.Between(0, 6)) {
      case 0:
      case 1:
        step.next.add[view] = below(kAdds);
        return;
      case 2:
        step.next.has_ttl[view] = below(2);
        return;
      case 3:
        step.next.description = below(3);
        return;
      case 4:
        step.next.has_derived = below(2);
        return;
      case 5:
        step.next.derived_base = below(kPushedViews);
        return;
      default:
        step.next.derived_add = below(2);
        step.next.has_derived = 1;
    }
  };
  const int64_t what = empty() ? 0 : random.Between(0, 99);
  if (what < 35) {
    edit();
    if (random.OneIn(3)) {
      const Choice once = step.next;
      edit();
      step.next.add = once.add;
    }
    step.next = Plain(step.next, step.next.has_derived);
  } else if (what < 40) {
    step.kind = StepKind::kStage;
    edit();
    // What an input leaves out stays as it is, and what is only staged has no bare name; both are tested where
    // definitions are.
    step.next = Plain(step.next, now_.has_derived);
  } else if (what < 65) {
    step.kind = StepKind::kPush;
  } else if (what < 75) {
    step.kind = StepKind::kMaterialize;
  } else if (what < 85) {
    step.kind = StepKind::kRollback;
    const auto last = static_cast<int64_t>(history_.size());
    step.target = static_cast<uint64_t>(random.Between(std::max<int64_t>(1, last - 20), last));
  } else if (what < 88) {
    step.kind = what == 85 ? StepKind::kCompact : StepKind::kVacuum;
  } else {
    step.kind = what < 93 ? StepKind::kHold : StepKind::kRelease;
    step.view = below(kViews);
  }
  return step;
}

int World::Current(const std::string& name) const {
  const auto found = current_.find(name);
  return found == current_.end() ? 0 : found->second;
}

int World::Versions(const std::string& name) const {
  const auto found = meanings_->find(name);
  return found == meanings_->end() ? 0 : static_cast<int>(found->second.size());
}

const World::Meaning& World::MeaningOf(const std::string& name, int version) const {
  return meanings_->at(name)[static_cast<std::size_t>(version - 1)];
}

bool World::Ready(const std::string& name, int version) const {
  const Meaning& meaning = MeaningOf(name, version);
  if (name[0] == 'm' && name != kDerivedService)
    return Ready(Concat("v", name.substr(1)), meaning[0]);
  if (name != View(kPushedViews)) return true;
  const auto found = loaded_.find({kPushedViews, meaning[0]});
  return found != loaded_.end();
}

World::Cell World::CellOf(const std::string& name, int version, int key) const {
  const Meaning& meaning = MeaningOf(name, version);
  if (name == kDerivedService) return CellOf(kDerived, meaning[0], key);
  if (name == kDerived) {
    const Cell base = CellOf(View(meaning[0]), meaning[1], key);
    if (base.is_null) return {true, 0, "NULL_VALUE"};
    return {false, base.value * 2 + meaning[2], "PRESENT"};
  }
  if (name[0] == 'm') return CellOf(Concat("v", name.substr(1)), meaning[0], key);
  const Rows& rows = *data_.at({name[1] - '0', meaning[0]});
  const auto found = rows.find(key);
  if (found == rows.end()) return {true, 0, "NOT_FOUND"};
  const bool expired = meaning[1] != 0 && found->second.event_time < kNow.us - kTtlSeconds * kMicros;
  if (expired) return {true, 0, "OUTSIDE_MAX_AGE"};
  return {false, found->second.x + meaning[0], "PRESENT"};
}

std::string World::Served(const std::string& name, int version) const {
  if (!Ready(name, version)) return "not ready";
  std::string text;
  for (int key = 0; key < kKeys; ++key) {
    const Cell cell = CellOf(name, version, key);
    text += Concat(key == 0 ? "" : ", ", FormatCell(cell.is_null, cell.value, cell.status));
  }
  return text;
}

std::vector<double> World::Numbers(const std::string& name, int version) const {
  std::vector<double> numbers;
  for (int key = 0; key < kKeys; ++key) {
    const Cell cell = CellOf(name, version, key);
    numbers.push_back(cell.is_null ? std::numeric_limits<double>::quiet_NaN()
                                   : static_cast<double>(cell.value));
  }
  return numbers;
}

std::string World::CatalogText() const {
  std::string text = Concat("revision ", revision_, "\n");
  for (const auto& [name, version] : current_) text += Concat(name, "@", version, " ");
  text += "\nheld:";
  for (int i = 0; i < kViews; ++i) {
    if (held_[static_cast<std::size_t>(i)]) text += Concat(" ", View(i));
  }
  return text + "\n";
}

std::string World::Text() const {
  std::string text = "history:";
  for (const Entry& entry : history_) text += Concat(" ", entry.kind);
  text += "\n" + CatalogText();
  for (const auto& [name, list] : *meanings_) {
    if (current_.count(name) == 0) continue;  // removed: nothing can name its versions
    for (int version = 1; version <= static_cast<int>(list.size()); ++version) {
      text += Concat(name, "@", version, ": ", Served(name, version), "\n");
    }
  }
  return text;
}

// --- the store ---

absl::StatusOr<std::string> ReadCatalogText(const larder::Catalog& catalog) {
  std::map<std::string, int> current;
  for (const auto* view : catalog.Views()) current[view->name] = view->version;
  for (const auto* view : catalog.OnDemandViews()) current[view->name] = view->version;
  for (const auto* service : catalog.Services()) current[service->name] = service->version;
  std::string text = Concat("revision ", catalog.revision(), "\n");
  for (const auto& [name, version] : current) text += Concat(name, "@", version, " ");
  text += "\nheld:";
  for (const larder::Hold& hold : larder::Holds(catalog)) text += Concat(" ", hold.view);
  return text + "\n";
}

absl::StatusOr<std::string> ReadServed(const larder::FeatureStore& store, const std::string& service,
                                       larder::OnlineResponse* response) {
  larder::OnlineRequest request;
  if (service[0] == 'm') {
    request.what.service = service;
  } else {
    request.what.features = {service + ":f"};
  }
  request.as_of = kNow;
  for (int key = 0; key < kKeys; ++key) request.rows.push_back({{"k", int64_t{key}}});
  absl::StatusOr<larder::OnlineResponse> got = store.GetOnlineFeatures(request);
  if (larder::KindOf(got.status()) == larder::ErrorKind::kNotReady) return std::string("not ready");
  if (!got.ok()) return got.status();
  const larder::FeatureValues* feature = got->Find("f");
  if (feature == nullptr) return larder::InternalError(service, " has no output f");
  std::string text;
  for (std::size_t row = 0; row < kKeys; ++row) {
    text += Concat(row == 0 ? "" : ", ", larder::FormatValue(feature->values.ValueAt(row)), " ",
                   larder::FeatureStatusName(feature->statuses[row]));
  }
  if (response != nullptr) *response = *std::move(got);
  return text;
}

absl::StatusOr<std::string> ReadText(const larder::FeatureStore& store) {
  std::string text = "history:";
  LARDER_ASSIGN_OR_RETURN(const std::vector<larder::HistoryEntry> history, store.History());
  uint64_t number = 0;
  for (const larder::HistoryEntry& entry : history) {
    if (entry.number != ++number) return larder::DataLossError("no history entry ", number);
    text += Concat(" ", larder::HistoryKindName(entry.kind));
  }
  LARDER_ASSIGN_OR_RETURN(const larder::Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const std::string names, ReadCatalogText(catalog));
  text += "\n" + names;
  std::map<std::string, int> versions;
  std::set<uint32_t> data_ids;
  for (const auto* view : catalog.Views({}, true)) {
    versions[view->name] = std::max(versions[view->name], view->version);
    data_ids.insert(view->data_id);
  }
  for (const auto* view : catalog.OnDemandViews({}, true)) {
    versions[view->name] = std::max(versions[view->name], view->version);
  }
  for (const auto* service : catalog.Services({}, true)) {
    versions[service->name] = std::max(versions[service->name], service->version);
    const absl::Status bound = store.Bind(service->ToString()).status();
    if (!bound.ok() && larder::KindOf(bound) != larder::ErrorKind::kNotReady) return bound;
  }
  for (const auto& [name, count] : versions) {
    for (int version = 1; version <= count; ++version) {
      const std::string versioned = Concat(name, "@", version);
      LARDER_ASSIGN_OR_RETURN(const std::string served, ReadServed(store, versioned));
      text += Concat(versioned, ": ", served, "\n");
    }
  }
  // Rows of no known view would be a registry and data that disagree.
  LARDER_ASSIGN_OR_RETURN(const larder::ReadSession session,
                          larder::ReadSession::Open(store.environment()));
  uint64_t known = 0;
  for (const uint32_t id : data_ids) {
    const larder::ViewVersion* view = catalog.FindView(id);
    if (view == nullptr) return larder::DataLossError("no view of data id ", id);
    std::vector<larder::DataType> types;
    for (const auto& column : view->stored) types.push_back(column.type);
    LARDER_ASSIGN_OR_RETURN(const larder::RowLayout layout, larder::RowLayout::Make(types));
    LARDER_RETURN_IF_ERROR(session.ForEachVersion(
        id, layout, [&known](std::string_view, const larder::RowView&) { return ++known > 0; }));
  }
  LARDER_ASSIGN_OR_RETURN(const larder::EnvironmentStats stats, store.environment()->Stats());
  if (stats.row_count != known) {
    return larder::DataLossError(stats.row_count, " rows are stored, ", known,
                                 " belong to a view version");
  }
  return text;
}

}  // namespace larder_test
