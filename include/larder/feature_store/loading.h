// Putting data into the store: loads from sources, and pushes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "larder/base/config.h"
#include "larder/base/status.h"
#include "larder/base/time.h"
#include "larder/feature_store/source_rows.h"
#include "larder/online/write_transaction.h"
#include "larder/schema/value.h"

namespace larder::inline LARDER_ABI {

struct LoadProgress {
  std::string view;
  int64_t rows_read = 0;
  int64_t rows_written = 0;
  bool done = false;
};

// What a load would publish of a view: of every key the newest row, deletes left out.
struct LoadSummary {
  std::string view;
  uint64_t keys = 0;
  uint64_t keys_before = 0;  // of the loaded rows that are live
  struct PerFeature {
    std::string name;
    double null_share = 0;  // of the keys; 0 without keys
    // Of numbers, times and dates, but NaN; null when there is none.
    Value min;
    Value max;
  };
  std::vector<PerFeature> features;
};

struct MaterializeOptions {
  std::string project;             // empty: all
  std::vector<std::string> views;  // names or name@version; empty: all current ones with a source to read
  std::optional<Timestamp>
      start;  // events in [start, end], both inclusive; absent: from the source's beginning
  std::optional<Timestamp> end;  // absent, or later than the clock: the clock
  bool incremental = false;  // from the view's watermark; never run: from the source's beginning
  // The new generation holds what is read and nothing of the one before; pushed rows stay. Not with `incremental`.
  bool full = false;
  // Rows that the caller has, in place of the files of their sources. Views over other sources read those.
  std::vector<SourceRows> sources;
  std::optional<bool> strict;  // overrides the source's: whether one bad row refuses the load
  // The segments of a load that meets no rows, loaded or pushed, are built on so many threads, the calling one among them,
  // and rows are encoded on one for every 32,768 of a batch: at most two for a file's. Below 1 is 1. The rest, reading and
  // writing among it, is the calling thread's. What is stored is the same whatever it is.
  int thread_count = 1;
  // Looks at what would become live, after the view's own validators. An error refuses the whole load: the rows that are
  // live stay so.
  std::function<absl::Status(const LoadSummary&)> validate;
  std::function<void(const LoadProgress&)> progress;  // called from time to time, on the calling thread
};

struct ViewLoad {
  std::string view;  // `card_profile@2`
  int64_t rows_read = 0;
  int64_t rows_outside = 0;  // not in [start, end]
  int64_t rows_bad = 0;      // skipped by a reader that is not strict
  std::vector<std::string> first_reasons;
  RowsResult rows;
  int64_t expressions_nulled = 0;  // rows an expression turned into null (overflow, bad cast, ...)
  int64_t floored_timestamps = 0;
  int64_t integral_decimals = 0;
  std::optional<Timestamp> start;
  Timestamp end;
};

struct MaterializeResult {
  std::vector<ViewLoad> views;
  std::vector<std::string> skipped;  // views without a source to read, and why
  std::vector<std::string> held;  // `card_profile@2`: on hold, so read, built and checked, not published
  uint64_t commit_seq = 0;
  bool end_clamped = false;  // the end asked for was in the future
};

struct PushOptions {
  std::string project;
  std::string batch_id;  // a push repeated with the same id is done once; empty: none
  bool skip_bad =
      false;  // skip rows that cannot be stored, and report them; else one refuses the whole push
};

struct PushResult {
  uint64_t commit_seq = 0;
  bool repeated = false;  // batch_id was known: nothing was done again
  std::size_t rows = 0;
  std::size_t skipped = 0;
  std::vector<std::string> first_reasons;
  struct PerView {
    std::string view;
    RowsResult rows;
  };
  std::vector<PerView> views;
  std::vector<std::string> not_fed;  // older versions that rows of today's shape cannot reach, and why
};

// Which events to take back.
struct RetractOptions {
  std::string project;
  std::string source;         // a push source
  uint64_t first_commit = 0;  // both inclusive: PushResult::commit_seq
  uint64_t last_commit = 0;
};

struct RetractResult {
  uint64_t number =
      0;  // of the history entry; 0: the commits pushed nothing of the source, and nothing has changed
  uint64_t commit_seq = 0;
  struct PerView {
    std::string view;  // `card_profile@2`; versions that share their rows are named once, by the newest
    RetractedRows rows;
  };
  std::vector<PerView> views;  // that lost rows
};

// What is known of a view's stored data.
struct ViewState {
  std::string view;  // `card_profile@2`
  bool has_data = false;
  uint64_t keys = 0;                     // distinct join keys stored
  std::optional<Timestamp> loaded_from;  // of the last load; absent: the source's beginning
  std::optional<Timestamp> loaded_to;    // the watermark
  std::optional<Timestamp> loaded_at;    // when
  uint64_t pushed_rows = 0;
};

}  // namespace larder::inline LARDER_ABI
