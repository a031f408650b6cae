// bench: how long a service takes to serve, under load.
#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include "cli/arguments.h"
#include "cli/bench_events.h"
#include "cli/bench_output.h"
#include "cli/commands.h"
#include "cli/progress_line.h"
#include "larder/online/verify.h"

namespace larder::inline LARDER_ABI {
namespace cli {
namespace {

constexpr std::size_t kCheckedRows = 1000;

// The copy that is written to, so that a load test never changes a store. Gone with the object.
class ScratchCopy {
 public:
  static absl::StatusOr<ScratchCopy> Make(const FeatureStore& store, const std::string& path) {
    // Beside the store, so that it is on the same disk.
    ScratchCopy copy(Concat(path, ".bench-", getpid()));
    LARDER_RETURN_IF_ERROR(BackupStore(store.environment(), copy.path_));
    return copy;
  }
  ScratchCopy(ScratchCopy&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ScratchCopy& operator=(ScratchCopy&&) = delete;
  ~ScratchCopy() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit ScratchCopy(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

absl::StatusOr<LoadShape> ShapeOf(const BenchArguments& arguments, const Console& console) {
  LoadShape shape;
  shape.threads = arguments.threads;
  shape.batch = arguments.batch;
  shape.rate = arguments.rate;
  shape.seed = arguments.seed;
  const auto parse = [](const std::string& text, const char* option) -> absl::StatusOr<Duration> {
    const absl::StatusOr<Duration> span = ParseDuration(text);
    if (!span.ok()) return AsUsageError(Annotate(span.status(), option));
    if (span->us < 0) return UsageError(option, ": a span of time cannot be negative");
    return *span;
  };
  LARDER_ASSIGN_OR_RETURN(shape.duration, parse(arguments.duration, "--duration"));
  LARDER_ASSIGN_OR_RETURN(shape.warm_up, parse(arguments.warm_up, "--warm-up"));
  if (shape.duration.us == 0) return UsageError("--duration: nothing to measure in no time");
  LARDER_ASSIGN_OR_RETURN(const std::optional<Timestamp> fixed,
                          ParseInstant(arguments.as_of, "--as-of"));
  if (fixed.has_value()) {
    shape.as_of = [instant = *fixed] { return instant; };
  } else {
    shape.as_of = console.clock;
  }
  return shape;
}

absl::StatusOr<std::unique_ptr<BenchWriter>> MakeWriter(const BenchArguments& arguments,
                                                        Console& console) {
  const auto open = [&console](const std::string& path) {
    return OpenStore(Target{path, {}}, Access::kWrite, console);
  };
  if (arguments.writes <= 0) return std::unique_ptr<BenchWriter>();
  if (arguments.thread_writer) return MakeThreadWriter(open);
  return MakeProcessWriter(open);
}

absl::StatusOr<Row> RequestFields(const BenchArguments& arguments) {
  Row row;
  for (const std::string& text : arguments.request) {
    LARDER_ASSIGN_OR_RETURN(auto assignment, SplitAssignment(text, "--request"));
    row.emplace_back(std::move(assignment.first), Value(std::move(assignment.second)));
  }
  return row;
}

void ShowMoment(const LoadMoment& moment, const LoadShape& shape, ProgressLine& line) {
  if (!line.is_shown()) return;
  const Duration whole = moment.warming_up ? shape.warm_up : shape.duration;
  const auto tenths = [](double seconds) {
    return Concat(static_cast<int64_t>(seconds), ".", static_cast<int64_t>(seconds * 10) % 10);
  };
  const double rate = moment.seconds > 0 ? static_cast<double>(moment.requests) / moment.seconds : 0;
  line.Show(Concat(moment.warming_up ? "warming up " : "measuring ", tenths(moment.seconds),
                   " s of ", FormatDuration(whole), ", ", static_cast<int64_t>(rate),
                   " requests/s"));
}

absl::StatusOr<BenchReport> RunBench(const BenchArguments& arguments, BenchWriter* writer,
                                     Console& console) {
  BenchReport report;
  LARDER_ASSIGN_OR_RETURN(report.shape, ShapeOf(arguments, console));
  LARDER_ASSIGN_OR_RETURN(const Row request, RequestFields(arguments));
  LARDER_ASSIGN_OR_RETURN(FeatureStore store, OpenStore(arguments.target, Access::kRead, console));
  const std::string& project = arguments.target.project;
  // Names and keys are those of the store itself; what a copy is made for is served from the copy.
  LARDER_ASSIGN_OR_RETURN(const ServingPlan named, store.Bind(arguments.service, project));
  LARDER_ASSIGN_OR_RETURN(Batch keys, store.SampleKeys(named, arguments.keys));
  LARDER_ASSIGN_OR_RETURN(const RequestTable table,
                          RequestTable::Make(named, std::move(keys), request));
  std::optional<ScratchCopy> copy;
  if (writer != nullptr) {
    // Whether there is something to push shows before anything is copied.
    LARDER_RETURN_IF_ERROR(ReadBenchEvents(store, project, named.service(), arguments.write_source,
                                           arguments.write_file, 1)
                               .status());
    LARDER_ASSIGN_OR_RETURN(ScratchCopy made,
                            ScratchCopy::Make(store, StorePath(arguments.target, console)));
    copy.emplace(std::move(made));
    // The writer first: one that is a thread shares this process's environment, which must then be writable.
    LARDER_RETURN_IF_ERROR(
        writer->Start({copy->path(), project, named.service(), arguments.write_source,
                       arguments.write_file, arguments.writes, arguments.write_batch}));
    LARDER_ASSIGN_OR_RETURN(store, OpenStore(Target{copy->path(), project}, Access::kRead, console));
  }
  LARDER_ASSIGN_OR_RETURN(const ServingPlan plan, store.Bind(named.service(), project));
  report.service = plan.service();
  report.features = plan.outputs().size();
  report.keys = table.rows();
  report.skew = arguments.zipf;

  const auto check = [&]() -> absl::Status {
    LARDER_ASSIGN_OR_RETURN(
        const ServingCheck checked,
        CheckServing(store, plan, project, table, kCheckedRows, report.shape.as_of()));
    report.check += checked;
    return absl::OkStatus();
  };
  LARDER_RETURN_IF_ERROR(check());
  const KeyDraw draw(table.rows(), arguments.zipf);
  {
    ProgressLine line(console);
    LARDER_ASSIGN_OR_RETURN(
        report.load, RunLoad(store, plan, table, draw, report.shape, [&](const LoadMoment& moment) {
          ShowMoment(moment, report.shape, line);
        }));
  }
  if (writer != nullptr) {
    LARDER_ASSIGN_OR_RETURN(report.writer, writer->Stop());
    report.writes = arguments.writes;
    report.writer_kind = arguments.thread_writer ? "thread" : "process";
    LARDER_RETURN_IF_ERROR(check());
  }
  return report;
}

}  // namespace

absl::Status Bench(const BenchArguments& arguments, Console& console) {
  // Before anything is open and any thread runs: a process for the writer is forked here.
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<BenchWriter> writer, MakeWriter(arguments, console));
  LARDER_ASSIGN_OR_RETURN(const BenchReport report, RunBench(arguments, writer.get(), console));
  console.out << (arguments.format == Format::kJson ? BenchJson(report) : BenchText(report));
  if (report.load.errors > 0) {
    return InternalError(report.load.errors, report.load.errors == 1 ? " request" : " requests",
                         " failed, the first with: ", report.load.first_error);
  }
  if (report.check.mismatches > 0)
    return InternalError("served and read differ: ", report.check.first_mismatch);
  return absl::OkStatus();
}

}  // namespace cli
}  // namespace larder::inline LARDER_ABI
