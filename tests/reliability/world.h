// A small world of definitions and data that random steps change, kept twice: in a store, and here as a plain model.
//
// Three views of eight keys: v0 and v1 take pushes, v2 is loaded from a file. Service mI reads vI and is never removed,
// so every version of a view stays pinned and fed. The on-demand view `derived` and its service `md` come and go.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "larder/feature_store.h"
#include "support/random.h"

namespace larder_test {

inline constexpr int kViews = 3;
inline constexpr int kPushedViews = 2;
inline constexpr int kKeys = 8;
inline constexpr int kAdds = 4;
// The clock stands still, so that a step leaves the same bytes whenever it is run.
inline constexpr larder::Timestamp kNow{1'750'000'000'000'000};

// Everything a definitions file of this world may say differently. Plain bytes, to lie in shared memory.
struct Choice {
  std::array<uint8_t, kViews> add{};      // the feature is `x + add`
  std::array<uint8_t, kViews> has_ttl{};  // rows expire after kTtl
  uint8_t description = 0;                // of v0: no meaning
  uint8_t has_derived = 0;
  uint8_t derived_base = 0;  // a pushed view
  uint8_t derived_add = 0;
  friend bool operator==(const Choice&, const Choice&) = default;
};
[[nodiscard]] std::string DefinitionsText(const Choice& choice);

enum class StepKind : uint8_t {
  kApply,
  kStage,
  kPush,
  kMaterialize,
  kRollback,
  kVacuum,
  kCompact,
  kHold,
  kRelease
};

// One change of the store. What it does depends on nothing but itself and the store. Plain bytes.
struct Step {
  StepKind kind = StepKind::kApply;
  Choice next;          // apply, stage
  uint64_t target = 0;  // rollback: a history entry
  int view = 0;         // hold, release
  uint64_t number = 0;  // of all steps, from 1; makes event times unique
  uint64_t seed = 0;    // of the rows pushed or loaded
};
[[nodiscard]] std::string ToString(const Step& step);

// Does the step to a store; `folder` is for the file that v2 is loaded from.
absl::Status RunStep(larder::FeatureStore& store, const std::string& folder, const Step& step);

// The model. Copies are cheap.
class World {
 public:
  void Do(const Step& step);
  // A step that the store must accept now.
  [[nodiscard]] Step Next(Random& random) const;

  [[nodiscard]] bool empty() const { return history_.empty(); }
  [[nodiscard]] uint64_t revision() const { return revision_; }
  [[nodiscard]] const Choice& now() const { return now_; }
  // What a bare name means; 0 when it means nothing.
  [[nodiscard]] int Current(const std::string& name) const;
  [[nodiscard]] int Versions(const std::string& name) const;

  // Names, versions, holds: what a catalog says.
  [[nodiscard]] std::string CatalogText() const;
  // All of it: history, catalog, and what every version of everything serves.
  [[nodiscard]] std::string Text() const;
  // What a service or view version serves for every key: `5 PRESENT, null NOT_FOUND, ...`, or `not ready`.
  [[nodiscard]] std::string Served(const std::string& name, int version) const;
  // The same as the one number that goes into a tensor; NaN for null.
  [[nodiscard]] std::vector<double> Numbers(const std::string& name, int version) const;

 private:
  struct Stored {
    int64_t event_time = 0;
    int64_t x = 0;
  };
  using Rows = std::map<int, Stored>;
  using DataKey = std::pair<int, int>;  // view, add: a time to live copies nothing
  using Meaning = std::array<int, 3>;
  struct Cell {
    bool is_null = true;
    int64_t value = 0;
    std::string_view status;
  };

  // What `x + add` of v2 was loaded as: the last loads, by number, and which one is live.
  struct Generations {
    std::map<int, std::shared_ptr<const Rows>> kept;
    int live = 0;
  };
  using LiveNumbers = std::array<int, kAdds>;

  int Number(const std::string& name, const Meaning& meaning);
  std::map<std::string, int> NumberAll(const Choice& choice);
  void Write(int view, const Step& step);
  void Load(const Step& step);
  [[nodiscard]] LiveNumbers Live() const;
  // Makes what was live then live again, where it is kept. False when that changes nothing.
  bool Restore(const LiveNumbers& then);
  [[nodiscard]] const Meaning& MeaningOf(const std::string& name, int version) const;
  [[nodiscard]] bool Ready(const std::string& name, int version) const;
  [[nodiscard]] Cell CellOf(const std::string& name, int version, int key) const;

  Choice now_;
  uint64_t revision_ = 0;
  std::map<std::string, int> current_;
  // By name, in order of first sight: what version N means is the entry N - 1.
  std::shared_ptr<const std::map<std::string, std::vector<Meaning>>> meanings_ =
      std::make_shared<const std::map<std::string, std::vector<Meaning>>>();
  std::map<DataKey, std::shared_ptr<const Rows>> data_;
  std::map<DataKey, bool> loaded_;
  std::array<Generations, kAdds> generations_;
  std::array<bool, kViews> held_{};
  struct Entry {
    std::string_view kind;
    Choice then;
    LiveNumbers live{};  // just after it
  };
  std::vector<Entry> history_;
};

// The same texts, read from a store.
absl::StatusOr<std::string> ReadCatalogText(const larder::Catalog& catalog);
absl::StatusOr<std::string> ReadText(const larder::FeatureStore& store);
// `name` with or without a version; fills the response with what was asked when given.
absl::StatusOr<std::string> ReadServed(const larder::FeatureStore& store, const std::string& service,
                                       larder::OnlineResponse* response = nullptr);

}  // namespace larder_test
