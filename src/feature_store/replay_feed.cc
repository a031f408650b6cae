#include "feature_store/replay_feed.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "feature_store/widen.h"
#include "larder/column/take_rows.h"
#include "larder/io/source_reader.h"

namespace larder::inline LARDER_ABI {
namespace {

constexpr int64_t kAlways = std::numeric_limits<int64_t>::min();

// Not the library's: the same order for a seed everywhere.
void Shuffle(std::vector<std::size_t>* rows, std::mt19937_64* random) {
  for (std::size_t left = rows->size(); left > 1; --left)
    std::swap((*rows)[left - 1], (*rows)[(*random)() % left]);
}

absl::StatusOr<std::optional<Column>> Instants(const Batch& events, const std::string& field) {
  if (field.empty()) return std::optional<Column>();
  LARDER_ASSIGN_OR_RETURN(Column made, WidenColumn(*events.Find(field), TypeId::kTimestamp, field));
  return std::optional<Column>(std::move(made));
}

}  // namespace

absl::StatusOr<ReplayFeed> ReplayFeed::Read(std::span<const ReplaySides::Stream> streams,
                                            const std::string& base_path,
                                            const ReplayOptions& options) {
  ReplayFeed feed;
  feed.batch_size_ = std::max<std::size_t>(options.batch_size, 1);
  feed.shuffles_ = options.shuffle_seed.has_value();
  feed.random_.seed(options.shuffle_seed.value_or(0));
  for (const ReplaySides::Stream& stream : streams) {
    const absl::Status added = feed.Add(stream, base_path);
    if (!added.ok()) return Annotate(added, Concat("source ", stream.file.name));
  }
  std::stable_sort(feed.order_.begin(), feed.order_.end(),
                   [](const Event& a, const Event& b) { return a.known_us < b.known_us; });
  feed.CountLate();
  return feed;
}

void ReplayFeed::CountLate() {
  std::vector<int64_t> latest(streams_.size(), kAlways);
  for (const Event& event : order_) {
    int64_t& before = latest[event.stream];
    if (event.time_us != kAlways && event.time_us < before) ++streams_[event.stream].report.late;
    before = std::max(before, event.time_us);
  }
}

absl::Status ReplayFeed::Add(const ReplaySides::Stream& stream, const std::string& base_path) {
  const Source& file = stream.file;
  TextReadOptions read;
  read.base_path = base_path;
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<RecordReader> reader, OpenSource(file, read));
  Stream& added = streams_.emplace_back();
  added.source = stream.pushed.name;
  added.keeps_order = file.order == SourceOrder::kCommit;
  added.report.name = added.source;
  LARDER_ASSIGN_OR_RETURN(added.events, ReadAll(*reader));
  added.report.bad_rows = static_cast<std::size_t>(reader->counts().bad_rows);
  if (added.events.row_count() > std::numeric_limits<uint32_t>::max())
    return ResourceExhaustedError("too many events to replay: ", added.events.row_count());

  LARDER_ASSIGN_OR_RETURN(const std::optional<Column> times,
                          Instants(added.events, file.event_time));
  LARDER_ASSIGN_OR_RETURN(const std::optional<Column> arrivals,
                          Instants(added.events, file.arrival_time));
  const auto number = static_cast<uint32_t>(streams_.size() - 1);
  for (std::size_t row = 0; row < added.events.row_count(); ++row) {
    Event event{kAlways, kAlways, number, static_cast<uint32_t>(row)};
    // Without a time the push refuses it, as training passes over it.
    const bool has_time = times && times->IsValid(row);
    if (has_time) event.known_us = event.time_us = times->Values<int64_t>()[row];
    if (arrivals && !arrivals->IsValid(row)) {
      ++added.report.never_known;
      continue;
    }
    if (arrivals) {
      event.known_us = std::max(event.known_us, arrivals->Values<int64_t>()[row]);
    } else if (has_time) {
      event.known_us = Timestamp{event.known_us}.Plus(file.available_after.value_or(Duration{})).us;
    }
    order_.push_back(event);
  }
  return absl::OkStatus();
}

Timestamp ReplayFeed::FirstKnown(Timestamp otherwise) const {
  for (const Event& event : order_) {
    if (event.known_us != kAlways) return {event.known_us};
  }
  return otherwise;
}

absl::Status ReplayFeed::PushUntil(Timestamp time, const std::string& project, FeatureStore* store,
                                   const std::function<void(Timestamp)>& set_clock) {
  while (next_ < order_.size() && order_[next_].known_us <= time.us) {
    std::size_t end = next_;
    while (end < order_.size() && end - next_ < batch_size_ && order_[end].known_us <= time.us)
      ++end;
    if (order_[end - 1].known_us != kAlways) set_clock({order_[end - 1].known_us});
    LARDER_RETURN_IF_ERROR(Push(end, project, store));
    next_ = end;
  }
  return absl::OkStatus();
}

absl::Status ReplayFeed::Push(std::size_t end, const std::string& project, FeatureStore* store) {
  std::vector<std::vector<std::size_t>> rows(streams_.size());
  for (std::size_t i = next_; i < end; ++i) rows[order_[i].stream].push_back(order_[i].row);
  PushOptions options;
  options.project = project;
  options.skip_bad = true;
  for (std::size_t s = 0; s < streams_.size(); ++s) {
    Stream& stream = streams_[s];
    if (rows[s].empty()) continue;
    if (shuffles_ && !stream.keeps_order) Shuffle(&rows[s], &random_);
    LARDER_ASSIGN_OR_RETURN(const PushResult pushed,
                            store->Push(stream.source, TakeRows(stream.events, rows[s]), options));
    stream.report.events += rows[s].size();
    stream.report.rejected += pushed.skipped;
    ++push_count_;
  }
  return absl::OkStatus();
}

std::vector<ReplayedSource> ReplayFeed::Report() const {
  std::vector<ReplayedSource> report;
  for (const Stream& stream : streams_) report.push_back(stream.report);
  for (std::size_t i = next_; i < order_.size(); ++i) ++report[order_[i].stream].after;
  return report;
}

}  // namespace larder::inline LARDER_ABI
