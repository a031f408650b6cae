// Everything the store knows about definitions at one moment: all projects, all versions, what bare
// names mean.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/registry/history.h"
#include "larder/registry/versions.h"
#include "larder/schema/definitions.h"

namespace larder::inline LARDER_ABI {

struct CatalogState;  // src/registry/catalog_state.h

// An immutable value; copies share it.
//
// Names: `name`, `name@3`. Where a call takes `project`, an empty one means the only project that
// knows the name. A bare name means what the last apply or rollback made it mean; `name@N` means
// the same for ever, also while another version is current or N is only staged, until the object is
// removed.
//
// Errors of every Get: kNotFound with the nearest name (`unknown feature view: card_spnd (did you
// mean "card_spend"?)`) or with the versions there are; kInvalidArgument for a malformed name or
// when several projects know it. Lifetime: pointers borrow from the catalog (any copy of it keeps
// them alive). Threads: const calls may overlap.
class Catalog {
 public:
  Catalog();  // empty, revision 0

  // The history number of the last change of definitions; 0 before the first.
  [[nodiscard]] uint64_t revision() const;
  // The last revision that changed `project`.
  [[nodiscard]] uint64_t ProjectRevision(std::string_view project) const;
  // The entry that made this catalog: store it under its number. Its number is 0 while the catalog
  // is empty.
  [[nodiscard]] const HistoryEntry& last_change() const LARDER_LIFETIME_BOUND;

  [[nodiscard]] std::vector<std::string> Projects() const;
  // What a project's bare names mean now, as a definitions file; base_path as last applied. An
  // unknown project has none.
  [[nodiscard]] Definitions DefinitionsOf(std::string_view project) const;

  [[nodiscard]] absl::StatusOr<const ViewVersion*> GetView(
      std::string_view project, std::string_view name) const LARDER_LIFETIME_BOUND;
  [[nodiscard]] absl::StatusOr<const OnDemandVersion*> GetOnDemandView(
      std::string_view project, std::string_view name) const LARDER_LIFETIME_BOUND;
  [[nodiscard]] absl::StatusOr<const ServiceVersion*> GetService(
      std::string_view project, std::string_view name) const LARDER_LIFETIME_BOUND;
  // The service version with this schema hash; the newest when several have it.
  [[nodiscard]] absl::StatusOr<const ServiceVersion*> GetServiceBySchema(
      std::string_view project, const Hash128& schema_hash) const LARDER_LIFETIME_BOUND;
  [[nodiscard]] absl::StatusOr<const Entity*> GetEntity(
      std::string_view project, std::string_view name) const LARDER_LIFETIME_BOUND;
  // As resolved: a push source has inherited what it lacks.
  [[nodiscard]] absl::StatusOr<const Source*> GetSource(
      std::string_view project, std::string_view name) const LARDER_LIFETIME_BOUND;
  [[nodiscard]] absl::StatusOr<const LabelVersion*> GetLabel(
      std::string_view project, std::string_view name) const LARDER_LIFETIME_BOUND;

  // Null when there is no such id. Cost: one array access.
  [[nodiscard]] const ViewVersion* FindView(uint32_t id) const LARDER_LIFETIME_BOUND;
  [[nodiscard]] const OnDemandVersion* FindOnDemandView(uint32_t id) const LARDER_LIFETIME_BOUND;
  [[nodiscard]] const ServiceVersion* FindService(uint32_t id) const LARDER_LIFETIME_BOUND;

  // What bare names mean, by project and name; with `all_versions` every version of objects not
  // removed. An empty project means all.
  [[nodiscard]] std::vector<const ViewVersion*> Views(
      std::string_view project = {}, bool all_versions = false) const LARDER_LIFETIME_BOUND;
  [[nodiscard]] std::vector<const OnDemandVersion*> OnDemandViews(
      std::string_view project = {}, bool all_versions = false) const LARDER_LIFETIME_BOUND;
  [[nodiscard]] std::vector<const ServiceVersion*> Services(
      std::string_view project = {}, bool all_versions = false) const LARDER_LIFETIME_BOUND;
  [[nodiscard]] std::vector<const Entity*> Entities(std::string_view project = {}) const
      LARDER_LIFETIME_BOUND;
  [[nodiscard]] std::vector<const Source*> Sources(std::string_view project = {}) const
      LARDER_LIFETIME_BOUND;
  [[nodiscard]] std::vector<const LabelVersion*> Labels(std::string_view project = {}) const
      LARDER_LIFETIME_BOUND;

  // The view versions whose rows loads and pushes keep up at `now`: those that bare names mean,
  // that service versions and labels pin, that are staged, and that their name left less than the
  // view's rollback_window ago, removed views included. One per data_id, the one a bare name means
  // where there is one; by project, name and version.
  [[nodiscard]] std::vector<const ViewVersion*> MaintainedViews(
      std::string_view project, Timestamp now) const LARDER_LIFETIME_BOUND;
  // Those of them that read from a source.
  [[nodiscard]] std::vector<const ViewVersion*> ViewsOfSource(
      std::string_view project, std::string_view source, Timestamp now) const LARDER_LIFETIME_BOUND;
  // When a bare name last stopped meaning this version. nullopt: it never did, or means it now.
  [[nodiscard]] std::optional<Timestamp> LeftAt(const ViewVersion& view) const;
  // SEMANTICS 9: of the view's current definition, of the version itself when the view was removed.
  [[nodiscard]] Duration RollbackWindowOf(const ViewVersion& view) const;

  // Bytes with a format version and a checksum. Parse gives an equal catalog.
  [[nodiscard]] std::string Serialize() const;
  // Errors: kDataLoss for damaged bytes (kind kCorrupt), kFailedPrecondition for a newer format
  // (kind kVersion).
  static absl::StatusOr<Catalog> Parse(std::string_view bytes);

  // For this module's own functions.
  explicit Catalog(std::shared_ptr<const CatalogState> state);
  [[nodiscard]] const CatalogState& state() const LARDER_LIFETIME_BOUND { return *state_; }

 private:
  std::shared_ptr<const CatalogState> state_;
};

}  // namespace larder::inline LARDER_ABI
