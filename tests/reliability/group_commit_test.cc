// What becomes of a group of changes whose commit fails at any of its writes.
#include <atomic>
#include <cerrno>
#include <thread>

#include "larder/online/environment.h"
#include "larder/online/read_session.h"
#include "larder/online/write_transaction.h"
#include "online/environment_impl.h"
#include "reliability/folder.h"
#include "reliability/system_calls.h"
#include "support/catch.h"

namespace {

using larder::Concat;
using larder::ErrorKind;
using larder::WriteTransaction;
using larder_test::CallAction;
using larder_test::CallMoment;
using larder_test::CallWatch;

constexpr std::size_t kMembers = 3;

std::shared_ptr<larder::Environment> Open(const std::string& path) {
  larder::EnvironmentOptions options;
  options.create_if_missing = true;
  options.clock = [] { return larder::Timestamp{1'000'000}; };
  auto environment = larder::Environment::Open(path, options);
  REQUIRE(environment.ok());
  return *environment;
}

// Which of the members' records are there.
std::size_t CountRecords(const std::shared_ptr<larder::Environment>& environment) {
  const auto session = larder::ReadSession::Open(environment);
  REQUIRE(session.ok());
  std::size_t count = 0;
  for (std::size_t i = 0; i < kMembers; ++i) {
    const auto record = session->GetRecord(1, Concat("member ", i));
    REQUIRE(record.ok());
    count += record->has_value() ? 1 : 0;
  }
  return count;
}

// One group of kMembers changes, under `watch`.
std::vector<absl::StatusOr<uint64_t>> RunGroup(
    const std::shared_ptr<larder::Environment>& environment, CallWatch* watch) {
  std::vector<absl::StatusOr<uint64_t>> outcomes(kMembers, absl::UnknownError("none"));
  std::atomic<bool> leads{false};
  const auto run = [&](std::size_t i) {
    outcomes[i] = larder::RunGroupedWrite(environment, [&, i](WriteTransaction& transaction) {
      leads = true;
      larder::GroupCommit& group = environment->impl().group_commit;
      while (i == 0 && group.WaitingForTesting() + 1 < kMembers) std::this_thread::yield();
      if (i == 0) larder_test::WatchCalls(watch);
      return transaction.PutRecord(1, Concat("member ", i), std::string(5'000, 'x'));
    });
  };
  std::vector<std::thread> threads;
  threads.emplace_back([&run] { run(0); });
  while (!leads) std::this_thread::yield();
  for (std::size_t i = 1; i < kMembers; ++i) threads.emplace_back([&run, i] { run(i); });
  for (std::thread& thread : threads) thread.join();
  larder_test::WatchCalls(nullptr);
  return outcomes;
}

TEST_CASE("when the commit of a group fails every member is told, and all or none are there",
          "[reliability][group][thread]") {
  int in_doubt = 0;
  int failed = 0;
  const auto try_at = [&](const CallMoment moment, bool sticky, int64_t at) {
    const larder_test::Folder folder(true);
    const auto environment = Open(folder.store());
    CallWatch watch;
    watch.at = at;
    watch.error = EIO;
    watch.moment = moment;
    watch.sticky = sticky;
    watch.action = CallAction::kFail;
    const auto outcomes = RunGroup(environment, &watch);
    INFO("call " << at << ", moment " << static_cast<int>(moment) << ", sticky " << sticky);
    for (const auto& outcome : outcomes) CHECK(outcome.status() == outcomes.front().status());
    const std::size_t records = CountRecords(environment);
    const absl::Status status = outcomes.front().status();
    if (status.ok()) {
      CHECK(records == kMembers);
    } else if (larder::KindOf(status) == ErrorKind::kInDoubt) {
      ++in_doubt;
      CHECK((records == 0 || records == kMembers));
    } else {
      ++failed;
      CHECK(records == 0);
    }
    return watch.acted > 0;
  };
  for (const CallMoment moment : {CallMoment::kBefore, CallMoment::kHalfWay, CallMoment::kAfter}) {
    for (const bool sticky : {false, true}) {
      int64_t at = 1;
      while (try_at(moment, sticky, at)) ++at;
    }
  }
  CHECK(in_doubt > 0);
  CHECK(failed > 0);
}

}  // namespace
