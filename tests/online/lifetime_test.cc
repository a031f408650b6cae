// What a session hands out, and what reading costs.
#include <signal.h>
#include <sys/wait.h>

#include <cstdio>

#include "store_fixture.h"
#include "support/allocations.h"

using larder::ReadSession;
using larder_test::Event;
using larder_test::IntKey;
using larder_test::Store;

TEST_CASE("renewing, finding and reading rows allocates nothing after the first time",
          "[online][session][lifetime]") {
  Store store;
  std::vector<Event> events;
  std::vector<std::string> keys;
  for (int64_t id = 0; id < 100; ++id) {
    keys.push_back(IntKey(id));
    events.push_back({});
    events.back().key = keys.back();
    events.back().number = id;
    events.back().text = "text";
  }
  store.Push(events);
  ReadSession session = store.Session();
  store.Push({events[0]});
  larder::PartialRow partial;
  REQUIRE(
      session.FindPartialRow(Store::kView, store.layout, keys[0], {10}, std::nullopt, &partial).ok());
  store.Push({events[1]});
  const std::size_t before = larder_test::Allocations();
  int64_t sum = 0;
  bool ok = session.Renew().ok();
  for (const std::string& key : keys) {
    const auto row = session.FindRow(Store::kView, store.layout, key, {10}, larder::Timestamp{10});
    ok = ok && row.ok() && row->has_value() && (*row)->Text(1) == "text";
    if (ok) sum += (*row)->Get<int64_t>(0);
  }
  ok = ok && session.FindRow(Store::kView, store.layout, "absent", {10}).ok();
  ok =
      ok &&
      session.FindPartialRow(Store::kView, store.layout, keys[0], {10}, std::nullopt, &partial).ok();
  ok = ok && session.Renew().ok();
  const std::size_t after = larder_test::Allocations();
  CHECK(ok);
  CHECK(sum == 4950);
  CHECK(after == before);
}

#if defined(LARDER_CHECK_LIFETIMES) && LARDER_CHECK_LIFETIMES
TEST_CASE("using a row after its session moved on ends the process with one line",
          "[online][lifetime]") {
  Store store;
  store.Push({Event{}});
  for (const int way : {0, 1, 2, 3}) {
    CAPTURE(way);
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      signal(SIGABRT, SIG_DFL);
      if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(9);
      // The child's own environment: what it inherited answers nothing.
      store.environment.reset();
      auto own =
          larder::Environment::Open(store.directory / "store", larder_test::WritableOptions());
      if (!own.ok()) _exit(8);
      auto session = ReadSession::Open(*own);
      if (!session.ok()) _exit(7);
      const auto row = session->FindRow(Store::kView, store.layout, IntKey(1), {10});
      if (!row.ok() || !*row || (*row)->IsValid(0)) _exit(6);
      if (way == 0) static_cast<void>(session->Renew());
      if (way == 1) session->Release();
      if (way == 2) {
        const ReadSession dying = *std::move(session);
      }
      _exit((*row)->IsValid(0) ? 1 : 0);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    if (way == 3) {
      CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    } else {
      CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT));
    }
  }
}
#endif
