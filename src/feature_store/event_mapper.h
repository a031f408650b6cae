// Rows of a source as events of one view: the step that loads, pushes and training share, so that a stored expression
// gives the same value wherever it runs.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/column/batch.h"
#include "larder/column/column.h"
#include "larder/registry/versions.h"
#include "larder/transform/program.h"

namespace larder::inline LARDER_ABI {

// Owns its columns. Pointers are null where the source has no such column.
struct MappedEvents {
  std::size_t row_count = 0;
  std::vector<Column> keys;    // of the view's declared key types
  std::vector<Column> stored;  // in ViewVersion::stored order
  std::optional<Column> event_time;
  std::optional<Column> sequence;
  std::optional<Column> arrival_time;
  std::optional<Column> event_id;
  std::optional<Column> valid_to;
  std::optional<Column> is_delete;
  // Partial updates only: per stored column whether this batch carries it.
  std::vector<bool> carried;

  [[nodiscard]] std::vector<const Column*> KeyPointers() const;
  [[nodiscard]] std::vector<const Column*> StoredPointers() const;
};

// Immutable. Threads: thread-compatible.
class EventMapper {
 public:
  // Errors: kUnimplemented for views with aggregates or over other views.
  static absl::StatusOr<EventMapper> Make(const ViewVersion& view, const Source& source,
                                          const CompileOptions& options);

  // `batch` has columns named as the source's fields, of their types. Fields may be missing only where every stored
  // column that needs them may be (partial updates).
  // Errors: kInvalidArgument naming the column, the row and what was expected.
  absl::StatusOr<MappedEvents> Map(const Batch& batch, EvalCounts* counts) const;

  // The instants of `batch`'s rows; nullopt for a timeless source.
  absl::StatusOr<std::optional<Column>> EventTimes(const Batch& batch) const;
  [[nodiscard]] const Source& source() const { return source_; }

 private:
  struct Computed {
    std::size_t stored = 0;           // which stored column
    std::vector<std::string> fields;  // what it reads; for presence
  };
  EventMapper() = default;
  absl::StatusOr<std::vector<Column>> Compute(const Batch& batch, EvalCounts* counts) const;
  absl::StatusOr<const Column*> FieldColumn(const Batch& batch, const std::string& name) const;
  absl::StatusOr<std::optional<Column>> Instants(const Batch& batch, const std::string& field) const;
  absl::StatusOr<std::optional<Column>> Deletes(const Batch& batch) const;

  std::string view_name_;
  Source source_;
  bool partial_ = false;
  std::vector<Field> keys_;
  std::vector<StoredColumn> stored_;
  std::vector<Computed> computed_;  // one per output of program_
  std::optional<Program> program_;
};

// Whether an operation column may hold this text: insert, update, upsert, delete, or the letters of change-data-capture
// tools.
[[nodiscard]] bool IsOperation(std::string_view text);

}  // namespace larder::inline LARDER_ABI
