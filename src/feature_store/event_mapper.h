// Rows of a source as events of one view: the step that loads, pushes and training share, so that a stored expression
// gives the same value wherever it runs.
#pragma once

#include <cstddef>
#include <deque>
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

// Borrows columns from the batch it was mapped from; owns those that had to be computed or widened. Null where the source
// has no such column.
struct MappedEvents {
  MappedEvents() = default;
  MappedEvents(MappedEvents&&) noexcept = default;
  MappedEvents& operator=(MappedEvents&&) noexcept = default;

  std::size_t row_count = 0;
  std::vector<const Column*> keys;    // of the view's declared key types
  std::vector<const Column*> stored;  // in ViewVersion::stored order
  const Column* event_time = nullptr;
  const Column* sequence = nullptr;
  const Column* arrival_time = nullptr;
  const Column* event_id = nullptr;
  const Column* valid_to = nullptr;
  const Column* is_delete = nullptr;
  // Per stored column whether this batch carries it: matters to partial updates.
  std::vector<bool> carried;
  std::deque<Column> made;  // what is pointed at and is not the batch's
};

// Events and the batch they borrow from, to be kept together.
struct MappedBatch {
  std::shared_ptr<const Batch> batch;
  MappedEvents events;
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
  // Lifetime: the events borrow from the batch.
  absl::StatusOr<MappedEvents> Map(const Batch& batch LARDER_LIFETIME_BOUND,
                                   EvalCounts* counts) const;

  // Where the columns of a batch are: the same for all batches of a shape.
  struct Places {
    std::vector<std::optional<std::size_t>> keys;
    std::vector<std::optional<std::size_t>> stored;
    std::optional<std::size_t> event_time;
    std::optional<std::size_t> sequence;
    std::optional<std::size_t> arrival_time;
    std::optional<std::size_t> event_id;
    std::optional<std::size_t> valid_to;
    std::optional<std::size_t> operation;
    std::vector<bool> carried;
  };
  [[nodiscard]] Places PlacesIn(const Batch& batch) const;
  // As the other Map, into memory that is there. Cost: allocates for columns that have to be computed or widened.
  absl::Status Map(const Batch& batch, const Places& places, EvalCounts* counts,
                   MappedEvents* events) const;

  // The instants of `batch`'s rows where its column has them as another type; nullopt where it is a timestamp, and for a
  // timeless source.
  absl::StatusOr<std::optional<Column>> ConvertedEventTimes(const Batch& batch) const;
  [[nodiscard]] const Source& source() const { return source_; }

 private:
  struct Computed {
    std::size_t stored = 0;           // which stored column
    std::vector<std::string> fields;  // what it reads; for presence
  };
  using Place = std::optional<std::size_t>;
  EventMapper() = default;
  absl::StatusOr<std::vector<Column>> Compute(const Batch& batch, EvalCounts* counts) const;
  [[nodiscard]] absl::Status MissingColumn(const Batch& batch, const std::string& name) const;
  // The column as one of `type`; null for a field the source does not declare. `what` goes into messages, with `field`.
  absl::StatusOr<const Column*> Take(const Batch& batch, Place place, const std::string& field,
                                     const DataType& type, std::string_view what,
                                     MappedEvents* events) const;
  absl::StatusOr<std::optional<Column>> Deletes(const Batch& batch, Place place) const;

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
