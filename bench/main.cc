// larder_bench: measures the bars, writes bars.json and prints them as a table.
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "bar.h"
#include "larder/base/text.h"
#include "online_bars.h"
#include "training_bars.h"
#include "window_bars.h"
#if __has_include("transform_bars.h")
#include "transform_bars.h"
#define LARDER_HAVE_TRANSFORM_BARS 1
#endif

namespace larder_bench {
namespace {

constexpr char kUsage[] =
    "usage: larder_bench [--quick] [--only ID,...] [--peers] [--out FILE]\n"
    "  --quick   fewer repetitions, no peers, none of the largest sizes\n"
    "  --only    these bars, the rest is listed as not run\n"
    "  --peers   also compare with Redis, DuckDB and muParser where they are installed\n"
    "  --out     where the results go, default build/bench/bars.json\n";

struct Arguments {
  BenchOptions bench;
  std::string out = "build/bench/bars.json";
  bool help = false;
};

bool KnownId(std::string_view id) {
  for (const BarSpec& spec : AllBars()) {
    if (spec.id == id) return true;
  }
  return false;
}

absl::StatusOr<Arguments> Parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--quick") {
      arguments.bench.quick = true;
    } else if (flag == "--peers") {
      arguments.bench.peers = true;
    } else if (flag == "--help") {
      arguments.help = true;
    } else if ((flag == "--only" || flag == "--out") && i + 1 < argc) {
      const std::string value = argv[++i];
      if (flag == "--out") {
        arguments.out = value;
        continue;
      }
      for (std::size_t start = 0; start <= value.size();) {
        const std::size_t comma = std::min(value.find(',', start), value.size());
        const std::string id = value.substr(start, comma - start);
        if (!KnownId(id)) return larder::InvalidArgumentError("no such bar: ", larder::Quoted(id));
        arguments.bench.only.push_back(id);
        start = comma + 1;
      }
    } else {
      return larder::InvalidArgumentError("unknown argument: ", larder::Quoted(flag));
    }
  }
  return arguments;
}

absl::Status RunAll(BarRun& run) {
  LARDER_RETURN_IF_ERROR(RunServingBars(run));
  LARDER_RETURN_IF_ERROR(RunLoadBars(run));
  LARDER_RETURN_IF_ERROR(RunWriteBars(run));
  LARDER_RETURN_IF_ERROR(RunCommitBars(run));
  LARDER_RETURN_IF_ERROR(RunCrossBars(run));
  LARDER_RETURN_IF_ERROR(RunLargeStoreBars(run));
  LARDER_RETURN_IF_ERROR(RunRedisBar(run));
  LARDER_RETURN_IF_ERROR(RunWindowBars(run));
  LARDER_RETURN_IF_ERROR(RunWindowIngestBars(run));
#ifdef LARDER_HAVE_DUCKDB
  LARDER_RETURN_IF_ERROR(RunWindowTrainingBar(run));
#else
  if (run.Wants("W4")) run.RecordNotRun("W4", "built without DuckDB (scripts/fetch_duckdb.sh)");
#endif
  LARDER_RETURN_IF_ERROR(RunScaleBars(run));
  LARDER_RETURN_IF_ERROR(RunJoinBars(run));
  LARDER_RETURN_IF_ERROR(RunFileBars(run));
#ifdef LARDER_HAVE_TRANSFORM_BARS
  LARDER_RETURN_IF_ERROR(RunTransformBars(run));
#endif
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "--join-memory") == 0) return PrintJoinMemory(argv[2]);
  absl::StatusOr<Arguments> arguments = Parse(argc, argv);
  if (!arguments.ok()) {
    std::fprintf(stderr, "larder_bench: %s\n%s", std::string(arguments.status().message()).c_str(),
                 kUsage);
    return 2;
  }
  if (arguments->help) {
    std::fputs(kUsage, stdout);
    return 0;
  }

  const std::filesystem::path out = arguments->out;
  const std::filesystem::path scratch = out.parent_path() / "scratch";
  std::error_code error;
  std::filesystem::remove_all(scratch, error);
  std::filesystem::create_directories(scratch, error);
  if (error) {
    std::fprintf(stderr, "larder_bench: cannot make %s\n", scratch.c_str());
    return 1;
  }
  arguments->bench.scratch = scratch.string();

  const auto started = std::chrono::steady_clock::now();
  BarRun run(arguments->bench);
  const absl::Status status = RunAll(run);
  std::filesystem::remove_all(scratch, error);

  const std::vector<BarResult> results = run.Results();
  std::ofstream(out) << BarsToJson(results);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started;
  std::printf("%s\n%s written, %.0f s\n", BarsToTable(results).c_str(), out.c_str(), spent.count());
  if (!status.ok()) {
    std::fprintf(stderr, "larder_bench: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace larder_bench

int main(int argc, char** argv) { return larder_bench::Main(argc, argv); }
