// P3: what the join takes when its events stream from a file, in a process of its own.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "join_world.h"
#include "larder/base/text.h"
#include "larder/io/csv_reader.h"
#include "larder/io/csv_writer.h"
#include "larder/io/rows_writer.h"
#include "larder/training/point_in_time_join.h"
#include "support/process_memory.h"
#include "training_bars.h"

namespace larder_bench {
namespace {

using larder::Batch;
using larder::Concat;
using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

absl::StatusOr<std::unique_ptr<larder::RecordReader>> OpenEvents(const std::string& path) {
  larder::Source source;
  source.name = "events";
  source.kind = larder::SourceKind::kCsv;
  source.path = path;
  const auto field = [&source](std::string name, larder::TypeId type) {
    larder::Field& added = source.fields.emplace_back();
    added.name = std::move(name);
    added.type = type;
  };
  field("entity", larder::TypeId::kInt64);
  field("at", larder::TypeId::kTimestamp);
  for (int f = 0; f < kJoinFeatures; ++f) field(Concat("f", f), larder::TypeId::kFloat64);
  return larder::OpenCsv(source);
}

struct Streamed {
  double peak_bytes = 0;  // above the idle process, spine and output included
  double owed_bytes = 0;  // spine and output
  double seconds = 0;
  double read_seconds = 0;  // the file alone
};

absl::StatusOr<Streamed> StreamOnce(const std::string& path) {
  Streamed streamed;
  const int64_t idle = larder_test::ProcessMemory("VmRSS:");
  LARDER_ASSIGN_OR_RETURN(const Batch spine, MakeJoinSpine());
  Clock::time_point start = Clock::now();
  larder::JoinOptions options;
  options.thread_count = kJoinThreads;
  // Reading takes the time: to wait for more gains nothing.
  options.buffer_bytes = std::size_t{8} << 20;
  LARDER_ASSIGN_OR_RETURN(
      auto join,
      larder::PointInTimeJoin::Make(spine.column(2), {MakeJoinView(spine, std::nullopt)}, options));
  LARDER_ASSIGN_OR_RETURN(auto reader, OpenEvents(path));
  Batch batch;
  while (true) {
    LARDER_ASSIGN_OR_RETURN(const bool more, reader->Next(&batch));
    if (!more) break;
    LARDER_RETURN_IF_ERROR(join.Add(0, JoinEvents(batch).Take()));
  }
  LARDER_ASSIGN_OR_RETURN(const auto joined, std::move(join).Finish());
  streamed.seconds = SecondsSince(start);
  streamed.peak_bytes = static_cast<double>(larder_test::ProcessMemory("VmHWM:") - idle);
  const auto owe = [&streamed](const larder::Column& column) {
    streamed.owed_bytes += static_cast<double>(column.data().size() + (column.size() + 7) / 8);
  };
  for (std::size_t c = 0; c < spine.column_count(); ++c) owe(spine.column(c));
  for (const larder::Column& feature : joined[0].features) owe(feature);
  owe(joined[0].outcomes[0].event_time);
  streamed.owed_bytes += static_cast<double>(joined[0].outcomes[0].status.size());

  start = Clock::now();
  LARDER_ASSIGN_OR_RETURN(reader, OpenEvents(path));
  while (true) {
    LARDER_ASSIGN_OR_RETURN(const bool more, reader->Next(&batch));
    if (!more) break;
  }
  streamed.read_seconds = SecondsSince(start);
  return streamed;
}

absl::StatusOr<Streamed> StreamInChild(const std::string& path) {
  const std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command = Concat("'", program, "' --join-memory '", path, "'");
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return larder::InternalError("cannot start ", command);
  Streamed streamed;
  const int read = std::fscanf(pipe, "%lf %lf %lf %lf", &streamed.peak_bytes, &streamed.owed_bytes,
                               &streamed.seconds, &streamed.read_seconds);
  if (pclose(pipe) != 0 || read != 4) return larder::InternalError(command, " failed");
  return streamed;
}

}  // namespace

int PrintJoinMemory(const char* path) {
  const absl::StatusOr<Streamed> streamed = StreamOnce(path);
  if (!streamed.ok()) {
    std::fprintf(stderr, "%s\n", std::string(streamed.status().message()).c_str());
    return 1;
  }
  std::printf("%.0f %.0f %.3f %.3f\n", streamed->peak_bytes, streamed->owed_bytes,
              streamed->seconds, streamed->read_seconds);
  return 0;
}

absl::Status MeasureJoinMemory(BarRun& run, const Batch& spine, const Batch& events) {
  if (!run.Wants("P3")) return absl::OkStatus();
  const std::string path = run.options().scratch + "/join_events.csv";
  larder::CsvWriteOptions options;
  options.durable = false;
  LARDER_ASSIGN_OR_RETURN(const auto writer,
                          larder::CreateCsv(path, larder::FieldsOf(events), options));
  LARDER_RETURN_IF_ERROR(writer->Write(events));
  LARDER_RETURN_IF_ERROR(writer->Finish());
  // The child works alone, then P1's own join of the same events.
  LARDER_ASSIGN_OR_RETURN(const Streamed streamed, StreamInChild(path));
  std::filesystem::remove(path);
  const JoinEvents borrowed(events);
  std::vector<double> seconds;
  for (int i = 0; i < 3; ++i) {
    const Clock::time_point start = Clock::now();
    LARDER_RETURN_IF_ERROR(JoinOnce(spine, borrowed, 1, std::nullopt).status());
    seconds.push_back(SecondsSince(start));
  }
  const double p1 = Median(seconds);
  const double allowed = 2 * p1 + streamed.read_seconds;
  const double value = streamed.peak_bytes / streamed.owed_bytes;
  // A run that is too slow does not hold the bar, whatever it takes.
  const double bound = value * std::max(1.0, streamed.seconds / allowed);
  run.Record(
      "P3", value, bound,
      Concat("peak ", Short(streamed.peak_bytes / 1e6), " MB of ", Short(streamed.owed_bytes / 1e6),
             " MB, ", Short(streamed.seconds), " s, allowed 2 x P1's ", Short(p1), " s + ",
             Short(streamed.read_seconds), " s of reading CSV; one run"));
  return absl::OkStatus();
}

}  // namespace larder_bench
