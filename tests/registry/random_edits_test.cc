// Random edits, rollbacks, stagings and holds against a model that keeps every text and numbers meanings by first sight.
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>

#include "larder/registry/rollback.h"
#include "registry/store.h"

namespace {

using larder::Definitions;
using larder_test::Store;

uint64_t Seed() {
  const char* given = std::getenv("LARDER_SEED");
  const uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "LARDER_SEED=" << seed << "\n";
  return seed;
}

// What the model says an object means, as plain text.
struct Model {
  std::map<std::string, std::vector<std::string>> meanings;  // by name, oldest first

  int Version(const std::string& name, const std::string& meaning) {
    std::vector<std::string>& known = meanings[name];
    for (std::size_t i = 0; i < known.size(); ++i) {
      if (known[i] == meaning) return static_cast<int>(i + 1);
    }
    known.push_back(meaning);
    return static_cast<int>(known.size());
  }

  // Versions of everything in `d`, new ones numbered.
  std::map<std::string, int> Versions(const Definitions& d) {
    std::map<std::string, int> out;
    for (const auto& view : d.feature_views) {
      const auto& source = *std::find_if(d.sources.begin(), d.sources.end(),
                                         [&](const auto& s) { return s.name == view.source; });
      std::string meaning =
          larder::Concat(source.name, "|", d.entities[0].join_keys[0].type.ToString(), "|ttl ",
                         view.ttl ? view.ttl->us : 0);
      for (const auto& feature : view.features) {
        meaning += larder::Concat("|", feature.name, "=",
                                  feature.expr.empty() ? feature.name : feature.expr);
        for (const auto& field : source.fields) {
          if (field.name == "x") meaning += "<" + field.from;
        }
      }
      out[view.name] = Version(view.name, meaning);
    }
    for (const auto& view : d.on_demand_views) {
      const std::string input = view.inputs.at("v");
      const std::string base = input.substr(0, input.find(':'));
      out[view.name] =
          Version(view.name, larder::Concat(input, "@", out[base], "|", view.features[0].expr));
    }
    for (const auto& service : d.feature_services) {
      std::string meaning;
      std::map<std::string, bool> closure;
      for (const auto& selection : service.features) {
        meaning += larder::Concat("|", selection.view, "@", out[selection.view], ":",
                                  selection.features[0]);
      }
      meaning += service.dtype ? "|32" : "|64";
      out[service.name] = Version(service.name, meaning);
    }
    return out;
  }
};

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  int Below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }

  Definitions Start() {
    Definitions d = larder_test::Parsed(R"({"project": "p",
      "entities": [{"name": "e", "join_keys": [{"name": "k", "type": "int64"}]}],
      "sources": [{"name": "s", "kind": "csv", "path": "s.csv", "event_time": "t", "fields": [
        {"name": "k", "type": "int64"}, {"name": "x", "type": "int64"}, {"name": "t", "type": "timestamp"}]}]})");
    return d;
  }

  void Edit(Definitions* d) {
    switch (Below(9)) {
      case 0: {  // a view more, at most six
        const std::string name = larder::Concat("v", Below(6));
        if (FindView(*d, name) != nullptr) return;
        larder::FeatureView view;
        view.name = name;
        view.entities = {"e"};
        view.source = "s";
        view.features.emplace_back().name = "x";
        d->feature_views.push_back(view);
        return;
      }
      case 1:  // an expression
        if (larder::FeatureView* view = AnyView(d)) {
          view->features[0].expr = Below(3) == 0 ? "" : larder::Concat("x + ", Below(4));
        }
        return;
      case 2:  // a ttl
        if (larder::FeatureView* view = AnyView(d)) {
          view->ttl.reset();
          if (Below(3) > 0) view->ttl = larder::Duration::Days(Below(3));
        }
        return;
      case 3:  // what only people read
        if (larder::FeatureView* view = AnyView(d)) {
          view->metadata.description = larder::Concat("d", Below(5));
        } else {
          d->metadata.owner = larder::Concat("o", Below(3));
        }
        return;
      case 4:
        d->sources[0].fields[1].from = Below(2) == 0 ? "" : "other";
        return;
      case 5:
        d->entities[0].join_keys[0].type =
            Below(2) == 0 ? larder::TypeId::kInt64 : larder::TypeId::kInt32;
        return;
      case 6: {  // an on-demand view over some view
        larder::FeatureView* base = AnyView(d);
        if (base == nullptr) return;
        const std::string name = larder::Concat("o", Below(2));
        auto& list = d->on_demand_views;
        auto found = std::find_if(list.begin(), list.end(),
                                  [&](const auto& view) { return view.name == name; });
        if (found == list.end()) found = list.insert(list.end(), larder::OnDemandView());
        found->name = name;
        found->inputs = {{"v", base->name + ":x"}};
        found->features.resize(1);
        found->features[0].name = name + "_y";
        found->features[0].expr = larder::Concat("v + ", Below(3));
        return;
      }
      case 7: {  // a service over one view, and an on-demand view where there is one
        larder::FeatureView* base = AnyView(d);
        if (base == nullptr) return;
        const std::string name = larder::Concat("m", Below(3));
        auto& list = d->feature_services;
        auto found = std::find_if(list.begin(), list.end(),
                                  [&](const auto& service) { return service.name == name; });
        if (found == list.end()) found = list.insert(list.end(), larder::FeatureService());
        found->name = name;
        found->dtype.reset();
        if (Below(2) == 0) found->dtype = larder::TypeId::kFloat32;
        found->features.assign(1, {});
        found->features[0].view = base->name;
        found->features[0].features = {"x"};
        if (!d->on_demand_views.empty() && Below(2) == 0) {
          found->features.emplace_back();
          found->features[1].view = d->on_demand_views[0].name;
          found->features[1].features = {d->on_demand_views[0].features[0].name};
        }
        return;
      }
      default:  // something less; what reads it goes too
        if (Below(2) == 0 && !d->feature_services.empty()) {
          d->feature_services.erase(d->feature_services.begin() +
                                    Below(static_cast<int>(d->feature_services.size())));
        } else if (larder::FeatureView* view = AnyView(d)) {
          const std::string name = view->name;
          const auto reads = [&](const larder::OnDemandView& other) {
            return other.inputs.at("v") == name + ":x";
          };
          std::vector<std::string> gone = {name};
          for (const auto& other : d->on_demand_views) {
            if (reads(other)) gone.push_back(other.name);
          }
          const auto is_gone = [&](const std::string& other) {
            return std::count(gone.begin(), gone.end(), other) > 0;
          };
          auto& services = d->feature_services;
          services.erase(std::remove_if(services.begin(), services.end(),
                                        [&](const larder::FeatureService& service) {
                                          return std::any_of(
                                              service.features.begin(), service.features.end(),
                                              [&](const auto& s) { return is_gone(s.view); });
                                        }),
                         services.end());
          auto& on_demand = d->on_demand_views;
          on_demand.erase(std::remove_if(on_demand.begin(), on_demand.end(), reads),
                          on_demand.end());
          auto& views = d->feature_views;
          views.erase(std::remove_if(views.begin(), views.end(),
                                     [&](const auto& other) { return other.name == name; }),
                      views.end());
        }
    }
  }

 private:
  static larder::FeatureView* FindView(Definitions& d, const std::string& name) {
    for (auto& view : d.feature_views) {
      if (view.name == name) return &view;
    }
    return nullptr;
  }
  larder::FeatureView* AnyView(Definitions* d) {
    if (d->feature_views.empty()) return nullptr;
    return &d->feature_views[static_cast<std::size_t>(
        Below(static_cast<int>(d->feature_views.size())))];
  }
  std::mt19937_64 random_;
};

// Objects by name, so that only content counts.
Definitions Sorted(Definitions d) {
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::sort(d.entities.begin(), d.entities.end(), by_name);
  std::sort(d.sources.begin(), d.sources.end(), by_name);
  std::sort(d.feature_views.begin(), d.feature_views.end(), by_name);
  std::sort(d.on_demand_views.begin(), d.on_demand_views.end(), by_name);
  std::sort(d.feature_services.begin(), d.feature_services.end(), by_name);
  return d;
}

void CheckVersions(const Store& store, const std::map<std::string, int>& expected) {
  std::size_t count = 0;
  for (const auto* view : store.catalog.Views("p")) {
    ++count;
    REQUIRE(expected.at(view->name) == view->version);
  }
  for (const auto* view : store.catalog.OnDemandViews("p")) {
    ++count;
    REQUIRE(expected.at(view->name) == view->version);
  }
  for (const auto* service : store.catalog.Services("p")) {
    ++count;
    REQUIRE(expected.at(service->name) == service->version);
    // What a service pins is what its outputs say, and everything it names is there.
    for (const auto& use : service->views) REQUIRE(store.catalog.FindView(use.view_id) != nullptr);
    for (const auto& use : service->on_demand)
      REQUIRE(store.catalog.FindOnDemandView(use.view_id) != nullptr);
  }
  REQUIRE(count == expected.size());
}

}  // namespace

TEST_CASE("ten thousand random edits and rollbacks agree with a plain model",
          "[registry][random][slow]") {
  const uint64_t seed = Seed();
  INFO("LARDER_SEED=" << seed);
  Generator random(seed);
  Store store;
  Model model;
  Definitions now = random.Start();
  std::map<uint64_t, Definitions> past;  // by history number
  past[0] = Definitions{};
  past[0].project = "p";
  std::vector<larder::Catalog> readers;  // old catalogs, which nothing may change
  std::vector<std::string> reader_bytes;
  int entries = 0;
  for (int step = 0; step < 10'000; ++step) {
    INFO("step " << step);
    const int what = random.Below(20);
    larder::Catalog next = store.catalog;
    if (what == 0 && past.size() > 1) {  // rollback
      auto to = past.begin();
      std::advance(to, random.Below(static_cast<int>(past.size())));
      // The entries kept are recent ones only, so that the walk back stays short.
      if (store.history.empty() || to->first + 200 < store.history.back().number) continue;
      auto plan = larder::PlanRollback(store.catalog, store.history, "p", to->first, store.checker);
      INFO(plan.status());
      REQUIRE(plan.ok());
      larder::ApplyOptions options;
      options.kind = larder::HistoryKind::kRollback;
      auto applied = larder::ApplyPlan(store.catalog, *plan, options);
      REQUIRE(applied.ok());
      next = *applied;
      now = to->second;
      if (now.entities.empty()) {
        CheckVersions(store, model.Versions(past.rbegin()->second));
        now = random.Start();  // to go on from
        if (next.last_change().number != store.catalog.last_change().number) {
          store.history.push_back(next.last_change());
          past[next.last_change().number] = past[0];
        }
        store.catalog = next;
        continue;
      }
    } else if (what == 1) {  // read the past
      auto at = past.begin();
      std::advance(at, random.Below(static_cast<int>(past.size())));
      if (store.history.empty() || at->first + 200 < store.history.back().number) continue;
      auto then = larder::DefinitionsAt(store.catalog, store.history, "p", at->first);
      INFO(then.status());
      REQUIRE(then.ok());
      REQUIRE(Sorted(*then) == Sorted(at->second));
      continue;
    } else if (what == 2) {  // stage: versions without names
      Definitions staged = now;
      random.Edit(&staged);
      auto plan = larder::MakePlan(store.catalog, staged, store.checker, {.stage = true});
      INFO(plan.status());
      REQUIRE(plan.ok());
      auto applied = larder::ApplyPlan(store.catalog, *plan);
      REQUIRE(applied.ok());
      next = *applied;
      // What staging does not hold (the names it left alone) keeps its number in the model: number only what is new.
      Definitions all = staged;
      for (const auto& view : now.feature_views) {
        if (std::none_of(all.feature_views.begin(), all.feature_views.end(),
                         [&](const auto& v) { return v.name == view.name; })) {
          all.feature_views.push_back(view);
        }
      }
      for (const auto& view : now.on_demand_views) {
        if (std::none_of(all.on_demand_views.begin(), all.on_demand_views.end(),
                         [&](const auto& v) { return v.name == view.name; })) {
          all.on_demand_views.push_back(view);
        }
      }
      for (const auto& service : now.feature_services) {
        if (std::none_of(all.feature_services.begin(), all.feature_services.end(),
                         [&](const auto& v) { return v.name == service.name; })) {
          all.feature_services.push_back(service);
        }
      }
      if (store.catalog.revision() > 0)
        model.Versions(all);
      else
        next = store.catalog;
    } else {
      random.Edit(&now);
      auto plan = larder::MakePlan(store.catalog, now, store.checker, {.prune = true});
      INFO(plan.status());
      REQUIRE(plan.ok());
      auto applied = larder::ApplyPlan(store.catalog, *plan);
      REQUIRE(applied.ok());
      REQUIRE(plan->empty() ==
              (applied->last_change().number == store.catalog.last_change().number));
      next = *applied;
    }
    if (next.last_change().number != store.catalog.last_change().number) {
      store.history.push_back(next.last_change());
      if (store.history.size() > 300) store.history.erase(store.history.begin());
      past[next.last_change().number] = now;
      while (past.size() > 250) past.erase(std::next(past.begin()));
      ++entries;
    }
    store.catalog = next;
    if (store.catalog.revision() == 0) continue;
    if (!store.catalog.Entities("p").empty()) {
      CheckVersions(store, model.Versions(now));
      if (step % 10 == 0) REQUIRE(Sorted(store.catalog.DefinitionsOf("p")) == Sorted(now));
    }
    if (step % 500 == 0) {
      readers.push_back(store.catalog);
      reader_bytes.push_back(store.catalog.Serialize());
      auto parsed = larder::Catalog::Parse(reader_bytes.back());
      REQUIRE(parsed.ok());
      REQUIRE(parsed->Serialize() == reader_bytes.back());
      store.catalog = *parsed;
    }
  }
  for (std::size_t i = 0; i < readers.size(); ++i)
    REQUIRE(readers[i].Serialize() == reader_bytes[i]);
  CHECK(entries > 3'000);
}
