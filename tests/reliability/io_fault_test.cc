// Every call that writes a file fails once, or from then on, in every kind of change: the change is told to have failed
// or not, nothing acknowledged is lost, and the store goes on when the fault is gone.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "larder/online/verify.h"
#include "reliability/folder.h"
#include "reliability/system_calls.h"
#include "reliability/world.h"
#include "support/catch.h"

namespace {

using larder::Concat;
using larder::ErrorKind;
using larder::FeatureStore;
using larder_test::CallAction;
using larder_test::CallMoment;
using larder_test::CallWatch;
using larder_test::Folder;
using larder_test::ReadText;
using larder_test::Shared;
using larder_test::Step;
using larder_test::StepKind;
using larder_test::World;

struct Fault {
  int64_t at = 0;
  int error = 0;
  CallMoment moment{};
  bool sticky = false;
};

std::string ToString(const Fault& fault) {
  constexpr const char* kMoments[] = {"not done", "done by half", "done"};
  return Concat("call ", fault.at, fault.sticky ? " and all after it fail" : " fails", ", errno ",
                fault.error, ", ", kMoments[static_cast<int>(fault.moment)]);
}

// What a child found out.
struct Report {
  CallWatch calls;
  ErrorKind kind = ErrorKind::kNone;  // of the change that met the fault
  bool failed = false;
  char wrong[4000] = {};
};

absl::StatusOr<FeatureStore> Open(const std::string& path) {
  larder::StoreOptions options;
  options.clock = [] { return larder_test::kNow; };
  options.durability = larder::Durability::kDurable;
  return FeatureStore::Open(path, options);
}

std::ptrdiff_t OpenFiles() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                       std::filesystem::directory_iterator());
}

void Arm(const Fault& fault, CallWatch* watch) {
  watch->at = fault.at;
  watch->error = fault.error;
  watch->moment = fault.moment;
  watch->sticky = fault.sticky;
  watch->action = CallAction::kFail;
  larder_test::WatchCalls(watch);
}

// A message for a text that should be one of two.
std::string Unlike(std::string_view what, const std::string& found, const std::string& expected) {
  return Concat(what, "\nfound:\n", found, "\nexpected:\n", expected);
}

// Does `step` under the fault, reads, and goes on with `next` once it is gone. Empty: all as promised. Sources lie where
// the store was made; `folder` has a copy of the store.
std::string Try(const std::string& sources, const Folder& folder, World world, const Step& step,
                const Step& next, const Fault& fault, Report* report) {
  absl::StatusOr<FeatureStore> store = Open(folder.store());
  if (!store.ok()) return store.status().ToString();
  const std::string before = world.Text();
  if (const auto text = ReadText(*store); !text.ok() || *text != before) {
    return Concat("before the fault: ", text.status().ToString());
  }
  const std::ptrdiff_t files = OpenFiles();
  World after = world;
  after.Do(step);

  Arm(fault, &report->calls);
  const absl::Status status = RunStep(*store, sources, step);
  report->failed = !status.ok();
  report->kind = larder::KindOf(status);
  // What cannot be written can still be read.
  const auto meanwhile = ReadText(*store);
  larder_test::WatchCalls(nullptr);

  if (!meanwhile.ok()) return Concat("reading under the fault: ", meanwhile.status().ToString());
  const auto found = ReadText(*store);
  if (!found.ok()) return Concat("reading after the fault: ", found.status().ToString());
  if (*found != *meanwhile) return Unlike("after the fault", *found, *meanwhile);
  const bool in_doubt = report->kind == ErrorKind::kInDoubt;
  if (status.ok() || (in_doubt && *found != before)) {
    if (*found != after.Text()) return Unlike(status.ToString(), *found, after.Text());
    world = after;
  } else if (*found != before) {
    return Unlike(status.ToString(), *found, before);
  }
  const bool named = report->kind == ErrorKind::kIoError || report->kind == ErrorKind::kDiskFull;
  if (!status.ok() && !in_doubt && !named) return Concat("unclear: ", status.ToString());

  if (const absl::Status gone_on = RunStep(*store, sources, next); !gone_on.ok()) {
    return Concat("going on: ", gone_on.ToString());
  }
  world.Do(next);
  const auto last = ReadText(*store);
  if (!last.ok()) return Concat("at last: ", last.status().ToString());
  if (*last != world.Text()) return Unlike("at last", *last, world.Text());
  if (OpenFiles() != files) return Concat(OpenFiles(), " files are open, there were ", files);
  store = absl::UnknownError("closed");
  const auto verified = larder::VerifyStore(folder.store());
  if (!verified.ok()) return verified.status().ToString();
  return verified->ok() ? std::string() : verified->problems.front();
}

// A store with a little of everything in it, and the model of it.
World MakeStore(const Folder& folder) {
  World world;
  auto store = Open(folder.store());
  INFO(store.status());
  REQUIRE(store.ok());
  const auto run = [&](Step step) {
    step.number = world.revision() + 1;
    const absl::Status status = RunStep(*store, folder.path(), step);
    INFO(status);
    REQUIRE(status.ok());
    world.Do(step);
  };
  Step step;
  step.next.has_derived = 1;
  run(step);
  step.next.add[0] = 1;
  run(step);
  step.kind = StepKind::kPush;
  step.seed = 11;
  run(step);
  step.kind = StepKind::kMaterialize;
  run(step);
  return world;
}

std::vector<Step> StepsToTry() {
  std::vector<Step> steps;
  Step apply;
  apply.next.add = {2, 1, 1};
  steps.push_back(apply);
  Step push;
  push.kind = StepKind::kPush;
  push.seed = 5;
  steps.push_back(push);
  Step materialize;
  materialize.kind = StepKind::kMaterialize;
  materialize.seed = 7;
  steps.push_back(materialize);
  Step rollback;
  rollback.kind = StepKind::kRollback;
  rollback.target = 1;
  steps.push_back(rollback);
  Step vacuum;
  vacuum.kind = StepKind::kVacuum;
  steps.push_back(vacuum);
  Step hold;
  hold.kind = StepKind::kHold;
  hold.view = 1;
  steps.push_back(hold);
  for (std::size_t i = 0; i < steps.size(); ++i) steps[i].number = 100 + i;
  return steps;
}

}  // namespace

TEST_CASE("a failing write at any call loses nothing acknowledged and stops nothing for good",
          "[reliability][slow]") {
  const Folder original(/*in_memory=*/true);
  const World world = MakeStore(original);
  Step next;
  next.kind = StepKind::kPush;
  next.seed = 3;
  next.number = 200;
  constexpr int64_t kCallsMax = 100;
  int tried = 0, failed = 0, in_doubt = 0, disk_full = 0;
  for (const Step& step : StepsToTry()) {
    for (const int error : {EIO, ENOSPC}) {
      for (const CallMoment moment :
           {CallMoment::kBefore, CallMoment::kHalfWay, CallMoment::kAfter}) {
        for (const bool sticky : {false, true}) {
          bool reached = true;
          for (int64_t at = 1; reached; ++at) {
            const Fault fault{at, error, moment, sticky};
            INFO(ToString(step) << "; " << ToString(fault));
            REQUIRE(at < kCallsMax);
            const Folder folder(/*in_memory=*/true);
            std::filesystem::copy(original.path(), folder.path(),
                                  std::filesystem::copy_options::recursive);
            const Shared<Report> report;
            const pid_t child = fork();
            REQUIRE(child >= 0);
            if (child == 0) {
              const std::string wrong =
                  Try(original.path(), folder, world, step, next, fault, &*report);
              std::strncpy(report->wrong, wrong.c_str(), sizeof(report->wrong) - 1);
              _exit(0);
            }
            int status = 0;
            REQUIRE(waitpid(child, &status, 0) == child);
            INFO(report->wrong);
            REQUIRE(WIFEXITED(status));
            REQUIRE(report->wrong[0] == '\0');
            reached = report->calls.acted > 0;
            if (!reached) continue;
            ++tried;
            if (report->failed) ++failed;
            if (report->kind == ErrorKind::kInDoubt) ++in_doubt;
            if (report->kind == ErrorKind::kDiskFull) ++disk_full;
          }
        }
      }
    }
  }
  std::cout << tried << " faults, " << failed << " changes failed, " << disk_full
            << " of them for want of space, " << in_doubt << " in doubt\n";
  CHECK(failed > tried / 2);
  CHECK(disk_full > 0);
  CHECK(in_doubt > 0);
}
