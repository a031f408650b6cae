// Bars of a store's size in definitions: 1,000 views of 20 features each. Times, not ratios: what is waited for is a
// person's change or a service's start, and there is nothing in LMDB to compare it with.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bar.h"
#include "larder/base/text.h"
#include "larder/feature_store.h"
#include "larder/registry/definitions_json.h"

namespace larder_bench {
namespace {

using larder::Concat;
using larder::Definitions;
using larder::FeatureStore;

constexpr int kViews = 1000;
constexpr int kSources = 50;
constexpr int kFeatures = 20;
constexpr int kServices = 100;

// Every second feature is an expression; services take ten views each.
Definitions Large() {
  Definitions d;
  d.project = "large";
  larder::Entity& entity = d.entities.emplace_back();
  entity.name = "item";
  larder::Field& key = entity.join_keys.emplace_back();
  key.name = "id";
  key.type = larder::TypeId::kInt64;
  for (int s = 0; s < kSources; ++s) {
    larder::Source& source = d.sources.emplace_back();
    source.name = Concat("source_", s);
    source.path = Concat("source_", s, ".csv");
    source.event_time = "at";
    const auto add = [&source](std::string name, larder::DataType type) {
      larder::Field& field = source.fields.emplace_back();
      field.name = std::move(name);
      field.type = type;
    };
    add("id", larder::TypeId::kInt64);
    add("at", larder::TypeId::kTimestamp);
    for (int f = 0; f < kFeatures; ++f) add(Concat("column_", f), larder::TypeId::kFloat64);
  }
  for (int v = 0; v < kViews; ++v) {
    larder::FeatureView& view = d.feature_views.emplace_back();
    view.name = Concat("view_", v);
    view.entities = {"item"};
    view.source = Concat("source_", v % kSources);
    view.metadata.owner = "team";
    for (int f = 0; f < kFeatures; ++f) {
      larder::Feature& feature = view.features.emplace_back();
      feature.name = Concat("column_", f);
      feature.metadata.description = "a column";
      if (f % 2 == 0) continue;
      feature.name = Concat("computed_", f);
      feature.expr = Concat("ln(abs(column_", f, ") + ", v, ") * column_", f - 1);
    }
  }
  constexpr int kViewsOfService = kViews / kServices;
  for (int m = 0; m < kServices; ++m) {
    larder::FeatureService& service = d.feature_services.emplace_back();
    service.name = Concat("model_", m);
    service.full_feature_names = true;
    for (int v = 0; v < kViewsOfService; ++v) {
      service.features.emplace_back().view = Concat("view_", kViewsOfService * m + v);
    }
  }
  return d;
}

absl::StatusOr<double> Milliseconds(const std::function<absl::Status()>& work) {
  const auto start = std::chrono::steady_clock::now();
  LARDER_RETURN_IF_ERROR(work());
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  return spent.count();
}

// Repeats `work` until there are as many times as pairs elsewhere.
absl::Status RecordTimes(BarRun& run, std::string_view id,
                         const std::function<absl::StatusOr<double>()>& work, std::string detail) {
  std::vector<double> times;
  for (int i = 0; i < run.pair_options().pairs; ++i) {
    LARDER_ASSIGN_OR_RETURN(const double spent, work());
    times.push_back(spent);
  }
  run.Record(id, Median(times), MedianBound(times, Sense::kAtMost),
             Concat(times.size(), " times; ", detail));
  return absl::OkStatus();
}

larder::StoreOptions Options() {
  larder::StoreOptions options;
  options.clock = [] { return larder::Timestamp{1'700'000'000'000'000}; };
  return options;
}

// A service of the middle and all that it reads must be there.
absl::Status CheckOpen(const FeatureStore& store) {
  LARDER_ASSIGN_OR_RETURN(const larder::Catalog catalog, store.GetCatalog());
  LARDER_ASSIGN_OR_RETURN(const larder::ServiceVersion* service,
                          catalog.GetService({}, "model_50@1"));
  if (catalog.Views().size() == kViews && service->outputs.size() == 10 * kFeatures) {
    return absl::OkStatus();
  }
  return larder::InternalError("the store that was opened is not the one that was applied");
}

}  // namespace

absl::Status RunScaleBars(BarRun& run) {
  if (!run.Wants("G1") && !run.Wants("G2") && !run.Wants("G3")) return absl::OkStatus();
  const Definitions definitions = Large();
  const std::string path = run.options().scratch + "/large";
  const auto apply = [&]() -> absl::StatusOr<double> {
    std::filesystem::remove_all(path);
    LARDER_ASSIGN_OR_RETURN(FeatureStore store, FeatureStore::Open(path, Options()));
    return Milliseconds([&] { return store.Apply(definitions).status(); });
  };
  if (run.Wants("G1")) {
    LARDER_RETURN_IF_ERROR(RecordTimes(run, "G1", apply, "plan and durable commit, new store"));
  } else {
    LARDER_RETURN_IF_ERROR(apply().status());
  }
  if (run.Wants("G2")) {
    const auto open = [&]() -> absl::StatusOr<double> {
      std::optional<FeatureStore> store;  // closing it is not part of opening
      return Milliseconds([&]() -> absl::Status {
        LARDER_ASSIGN_OR_RETURN(store, FeatureStore::Open(path, Options()));
        return CheckOpen(*store);
      });
    };
    LARDER_RETURN_IF_ERROR(
        RecordTimes(run, "G2", open, "open, and look up a service in the catalog; warm file"));
  }
  if (run.Wants("G3")) {
    LARDER_ASSIGN_OR_RETURN(const FeatureStore store, FeatureStore::Open(path, Options()));
    Definitions changed = definitions;
    changed.feature_views[500].features[1].expr += " + 1";
    const auto plan = [&] {
      return Milliseconds([&]() -> absl::Status {
        LARDER_ASSIGN_OR_RETURN(const larder::ChangePlan made, store.Plan(changed));
        const auto is_new = [](const larder::Change& change) {
          return change.change == larder::ChangeKind::kNewVersion;
        };
        const auto count = std::count_if(made.changes.begin(), made.changes.end(), is_new);
        if (count == 2) return absl::OkStatus();  // the view and its service
        return larder::InternalError("the plan has ", count, " new versions, expected 2");
      });
    };
    LARDER_RETURN_IF_ERROR(RecordTimes(run, "G3", plan, "one expression of one view"));
  }
  return absl::OkStatus();
}

}  // namespace larder_bench
