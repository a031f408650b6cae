// What a training set was made from and holds, kept beside it (SEMANTICS 10).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/training/dataset_content.h"
#include "larder/training/file_identity.h"

namespace larder::inline LARDER_ABI {

struct DatasetManifest {
  std::string larder_version;
  // What values may depend on besides larder: `sleef 3.5.1`, `tzdata 2025b`, `unicode 14.0.0`. Versions of C++ functions
  // are part of the definitions' meaning.
  std::vector<std::string> libraries;

  // What was asked for.
  std::string project;
  std::string service;                // `fraud_model@2`; empty for single features
  std::vector<std::string> features;  // `view:feature`, where there is no service
  std::string time_column;

  // What that meant: every version in the closure with the hash of its meaning.
  struct Definition {
    std::string kind;  // `view`, `on_demand_view` or `service`
    std::string name;  // `card_profile@2`
    std::string meaning;
    friend bool operator==(const Definition&, const Definition&) = default;
  };
  uint64_t revision = 0;
  std::vector<Definition> definitions;

  struct View {
    std::string view;
    std::string alias;
    std::string known_at;          // `spine` or `any`
    bool event_time_only = false;  // known_at any, because the source says nothing else
    bool timeless = false;         // values may come from after the spine's instant
    int64_t events = 0;
    int64_t rows_found = 0;
    int64_t rows_outside_max_age = 0;
    int64_t rows_not_found = 0;
    int64_t rows_ambiguous = 0;
    std::optional<int64_t> cells_changed_by_other_known_at;
    friend bool operator==(const View&, const View&) = default;
  };
  std::vector<View> views;

  struct Source {
    std::string name;
    std::vector<FileIdentity> files;
    // Of rows that the caller gave: DatasetContent. Absent where a reader gave them, and for files.
    std::optional<std::string> rows_sha256;
    friend bool operator==(const Source&, const Source&) = default;
  };
  std::vector<Source> sources;  // by name
  // Of the store's snapshot that pushed events were read from; absent: none were.
  std::optional<uint64_t> commit_seq;
  std::string spine_sha256;  // DatasetContent of the spine
  std::vector<std::string> spine_sources;

  // What the leakage audit found in everything made; absent: there was none.
  struct Audit {
    struct Leaks {
      std::string kind;  // `late_arrival`
      int64_t rows = 0;
      friend bool operator==(const Leaks&, const Leaks&) = default;
    };
    struct View {
      std::string view;
      std::string alias;
      int64_t rows_checked = 0;
      std::vector<Leaks> leaks;  // those there are
      friend bool operator==(const View&, const View&) = default;
    };
    std::vector<View> views;
    std::vector<std::string> labels;  // `feature x: is made of label y`
    // What contributed to each row, once it is written; `path` is its name without folders.
    std::optional<FileIdentity> file;
    friend bool operator==(const Audit&, const Audit&) = default;
  };
  std::optional<Audit> audit;

  // Which of the rows and columns made are in the file; absent: all of them.
  struct Selection {
    std::string made_sha256;  // DatasetContent of everything made
    std::string where;
    std::string sample;  // the share
    std::vector<std::string> columns;
    std::string split;  // `at 2025-01-01T00:00:00Z embargo 1d`, `by user_id train=0.8 test=0.2`
    std::string part;   // `train`
    uint64_t seed = 0;
    friend bool operator==(const Selection&, const Selection&) = default;
  };
  std::optional<Selection> selection;

  // What is in the file, in spine columns and features alike.
  DatasetContent content;

  // The file, once it is written: a later reader needs no other to see whether it is whole.
  struct Output {
    FileIdentity file;  // `path` is its name without folders
    std::string dtype;  // of a matrix
    std::string null_rule;
    std::string label;
    std::string query;
    friend bool operator==(const Output&, const Output&) = default;
  };
  std::optional<Output> output;

  // JSON that Parse reads back to an equal manifest. No clock and no name of this machine but source paths: the same
  // inputs give the same text.
  [[nodiscard]] std::string ToJson() const;
  // Errors: kInvalidArgument for what is no manifest; kFailedPrecondition (kVersion) for a newer format.
  static absl::StatusOr<DatasetManifest> Parse(std::string_view json);

  friend bool operator==(const DatasetManifest&, const DatasetManifest&) = default;
};

// What is finished of a training set in numbered parts, kept beside them until all are: what one goes on from.
struct UnfinishedDataset {
  struct LabelCount {
    std::string value;
    int64_t rows = 0;
    friend bool operator==(const LabelCount&, const LabelCount&) = default;
  };
  struct Part {
    DatasetManifest manifest;  // Selection::made_sha256 is empty: it is known when all parts are there
    int64_t rows_made = 0;     // of the spine, up to the part's end
    int64_t rows_kept = 0;     // of these, where Selection::where holds
    std::string hash;          // DatasetHasher::Save, of all that was made up to the part's end
    std::vector<LabelCount> labels;
    friend bool operator==(const Part&, const Part&) = default;
  };
  std::vector<Part> parts;

  [[nodiscard]] std::string ToJson() const;
  // Errors: as DatasetManifest::Parse.
  static absl::StatusOr<UnfinishedDataset> Parse(std::string_view json);
  friend bool operator==(const UnfinishedDataset&, const UnfinishedDataset&) = default;
};

// `training.csv.unfinished.json`.
[[nodiscard]] std::string UnfinishedPath(std::string_view output);

// `training.csv.manifest.json`, beside `training.csv`.
[[nodiscard]] std::string ManifestPath(std::string_view output);

// What the second was made from or holds differently, a line each: `view card_profile: @1, now @2`. Empty: nothing.
[[nodiscard]] std::vector<std::string> CompareManifests(const DatasetManifest& before,
                                                        const DatasetManifest& after);

}  // namespace larder::inline LARDER_ABI
