// A store in miniature for tests: the catalog and its history, kept the way the facade keeps them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "larder/registry/catalog.h"
#include "larder/registry/definitions_json.h"
#include "larder/registry/plan.h"
#include "larder/registry/rollback.h"
#include "registry/fake_checker.h"
#include "support/catch.h"

namespace larder_test {

inline larder::Definitions Parsed(std::string_view json) {
  auto definitions = larder::ParseDefinitions(json, "test.json");
  INFO(definitions.status());
  REQUIRE(definitions.ok());
  return *std::move(definitions);
}

class Store {
 public:
  larder::Catalog catalog;
  std::vector<larder::HistoryEntry> history;
  FakeChecker checker;

  larder::ChangePlan Plan(const larder::Definitions& next, const larder::PlanOptions& options = {}) {
    auto plan = larder::MakePlan(catalog, next, checker, options);
    INFO(plan.status());
    REQUIRE(plan.ok());
    return *std::move(plan);
  }
  larder::ChangePlan Plan(std::string_view json, const larder::PlanOptions& options = {}) {
    return Plan(Parsed(json), options);
  }
  // Applies, and keeps the entry when there is one.
  void Apply(const larder::ChangePlan& plan, const larder::ApplyOptions& options = {}) {
    auto next = larder::ApplyPlan(catalog, plan, options);
    INFO(next.status());
    REQUIRE(next.ok());
    Take(*std::move(next));
  }
  void Apply(std::string_view json, const larder::PlanOptions& options = {}) {
    Apply(Plan(json, options));
  }
  void Apply(const larder::Definitions& next, const larder::PlanOptions& options = {}) {
    Apply(Plan(next, options));
  }
  // What goes to disk and comes back must be the same catalog.
  void Take(larder::Catalog next) {
    if (next.last_change().number != catalog.last_change().number) {
      auto entry = larder::HistoryEntry::Parse(next.last_change().Serialize());
      REQUIRE(entry.ok());
      REQUIRE(*entry == next.last_change());
      history.push_back(*std::move(entry));
    }
    auto parsed = larder::Catalog::Parse(next.Serialize());
    INFO(parsed.status());
    REQUIRE(parsed.ok());
    catalog = *std::move(parsed);
  }
  // The message of the plan that must fail.
  std::string Refusal(std::string_view json, const larder::PlanOptions& options = {}) {
    auto definitions = larder::ParseDefinitions(json, "test.json");
    if (!definitions.ok()) return std::string(larder::MessageOf(definitions.status()));
    auto plan = larder::MakePlan(catalog, *definitions, checker, options);
    REQUIRE_FALSE(plan.ok());
    REQUIRE(plan.status().code() == absl::StatusCode::kInvalidArgument);
    return std::string(larder::MessageOf(plan.status()));
  }
};

inline const larder::Change& Find(const larder::ChangePlan& plan, std::string_view name) {
  for (const larder::Change& change : plan.changes) {
    if (change.name == name && change.kind != larder::ObjectKind::kProject) return change;
  }
  FAIL("no change of " << std::string(name));
  return plan.changes.front();
}

// `text` with the first `from` replaced; the test is wrong when there is none.
inline std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  INFO("looking for " << std::string(from));
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace larder_test
