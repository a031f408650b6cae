// A process that changes a store by every public call, killed at any moment: what it was told is done is there, whole.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <thread>

#include "larder/online/verify.h"
#include "reliability/folder.h"
#include "reliability/system_calls.h"
#include "reliability/world.h"
#include "support/catch.h"

namespace {

using larder::FeatureStore;
using larder_test::CallAction;
using larder_test::CallMoment;
using larder_test::CallWatch;
using larder_test::Folder;
using larder_test::Random;
using larder_test::ReadText;
using larder_test::Shared;
using larder_test::Step;
using larder_test::World;

constexpr int kKills = 200;
constexpr int kKillsPerStore = 40;
constexpr uint64_t kStepsMax = 4096;

// What a child says before it does a step, and once it is done.
struct Journal {
  CallWatch calls;
  std::atomic<bool> opened{false};
  std::atomic<uint64_t> begun{0};
  std::atomic<uint64_t> done{0};
  Step steps[kStepsMax];
  char error[2000] = {};
};

absl::StatusOr<FeatureStore> Open(const Folder& folder) {
  larder::StoreOptions options;
  options.clock = [] { return larder_test::kNow; };
  return FeatureStore::Open(folder.store(), options);
}

// Changes the store until it is killed. Returns only when something went wrong.
int Child(const Folder& folder, World world, Random random, uint64_t next_number, Journal* journal) {
  const auto fail = [&](const absl::Status& status) {
    const std::string text = status.ToString();
    std::strncpy(journal->error, text.c_str(), sizeof(journal->error) - 1);
    return 1;
  };
  larder_test::WatchCalls(&journal->calls);
  absl::StatusOr<FeatureStore> store = Open(folder);
  if (!store.ok()) return fail(store.status());
  journal->opened.store(true);
  for (uint64_t i = 0; i < kStepsMax; ++i) {
    Step step = world.Next(random);
    step.number = next_number + i;
    journal->steps[i] = step;
    journal->calls.in_commit.store(false);
    journal->begun.store(i + 1);
    if (absl::Status status = RunStep(*store, folder.path(), step); !status.ok()) {
      return fail(larder::Annotate(status, ToString(step)));
    }
    journal->calls.in_commit.store(false);
    journal->done.store(i + 1);
    world.Do(step);
  }
  for (;;) pause();
}

int Kills() {
  const char* given = std::getenv("LARDER_ROUNDS");
  return given != nullptr ? std::atoi(given) : kKills;
}

// How the kills went; printed, so that a run shows what it tried.
struct Tally {
  int kills = 0;
  int in_commit = 0;
  int while_opening = 0;
  int in_doubt_kept = 0;  // not acknowledged, and there
  int in_doubt_lost = 0;  // not acknowledged, and not there
  uint64_t steps = 0;
};

// Waits for the child's end, and causes it unless the child is to end itself at a call.
void EndChild(pid_t child, Journal& journal, Random& random) {
  if (journal.calls.action.load() == CallAction::kNone) {
    // From the fork on, so that opening is cut short too; or once the store is open.
    if (random.OneIn(2)) {
      while (!journal.opened.load() && journal.error[0] == '\0') {
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random.Between(500, 9'500)));
    kill(child, SIGKILL);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  INFO("the child said: " << journal.error);
  REQUIRE(WIFSIGNALED(status));
  REQUIRE(WTERMSIG(status) == SIGKILL);
}

// The model brought up to what the store holds: all that was acknowledged and, of the step under way, all or nothing.
void CheckStore(const Folder& folder, const Journal& journal, World* world, Tally* tally) {
  const uint64_t done = journal.done.load();
  const uint64_t begun = journal.begun.load();
  REQUIRE(begun <= done + 1);
  for (uint64_t i = 0; i < done; ++i) world->Do(journal.steps[i]);
  tally->steps += done;

  if (std::filesystem::exists(folder.store() + "/CURRENT")) {
    const auto report = larder::VerifyStore(folder.store());
    INFO(report.status());
    REQUIRE(report.ok());
    INFO((report->problems.empty() ? std::string() : report->problems.front()));
    REQUIRE(report->ok());
  }
  const auto store = Open(folder);
  INFO(store.status());
  REQUIRE(store.ok());
  const auto found = ReadText(*store);
  INFO(found.status());
  REQUIRE(found.ok());
  const std::string acknowledged = world->Text();
  if (begun == done) {
    REQUIRE(*found == acknowledged);
    return;
  }
  World after = *world;
  after.Do(journal.steps[done]);
  INFO("under way: " << ToString(journal.steps[done]));
  if (*found != acknowledged) {
    INFO("before it:\n" << acknowledged);
    REQUIRE(*found == after.Text());
    *world = after;
    ++tally->in_doubt_kept;
  } else if (acknowledged != after.Text()) {
    ++tally->in_doubt_lost;
  }
}

}  // namespace

TEST_CASE("registry and data agree after a kill between any two steps",
          "[reliability][random][slow]") {
  // LARDER_ROUNDS raises the number of kills, LARDER_SEED repeats a run.
  Random random;
  std::cout << random.Describe() << "\n";
  INFO(random.Describe());
  Tally tally;
  const int kills = Kills();
  while (tally.kills < kills) {
    const Folder folder(/*in_memory=*/false);
    World world;
    uint64_t next_number = 1;
    for (int i = 0; i < kKillsPerStore && tally.kills < kills; ++i, ++tally.kills) {
      INFO("kill " << tally.kills);
      const Shared<Journal> journal;
      const Random of_child(random.Bits());
      if (random.OneIn(2)) {
        journal->calls.action.store(CallAction::kEnd);
        journal->calls.at.store(random.Between(1, 60));
        journal->calls.moment.store(static_cast<CallMoment>(random.Between(0, 2)));
      }
      const pid_t child = fork();
      REQUIRE(child >= 0);
      if (child == 0) _exit(Child(folder, world, of_child, next_number, &*journal));
      EndChild(child, *journal, random);
      if (journal->calls.in_commit.load()) ++tally.in_commit;
      if (!journal->opened.load()) ++tally.while_opening;
      CheckStore(folder, *journal, &world, &tally);
      next_number += journal->begun.load();
    }
  }
  std::cout << tally.kills << " kills, " << tally.in_commit << " inside a commit, "
            << tally.while_opening << " while opening; " << tally.steps
            << " steps acknowledged and found; of those under way " << tally.in_doubt_kept
            << " were found whole, " << tally.in_doubt_lost << " not at all\n";
  CHECK(tally.in_commit * 20 >= tally.kills);
  CHECK(tally.steps > 0);
}
