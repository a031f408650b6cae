#include "reliability/system_calls.h"

#include <dlfcn.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace larder_test {
namespace {

std::atomic<CallWatch*> watched{nullptr};

[[noreturn]] void End() {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

// One watched call. `all` does it; `half` does a part of it and says how much.
template <class All, class Half>
auto Watched(bool of_commit, All all, Half half) -> decltype(all()) {
  CallWatch* watch = watched.load();
  if (watch == nullptr) return all();
  if (of_commit) watch->in_commit.store(true);
  const int64_t number = watch->calls.fetch_add(1) + 1;
  const CallAction action = watch->action.load();
  const bool acts = number == watch->at.load() ||
                    (action == CallAction::kFail && watch->sticky && number > watch->at.load());
  if (action == CallAction::kNone || !acts) return all();
  if (action == CallAction::kFail) watch->acted.fetch_add(1);
  const auto fail = [watch]() -> decltype(all()) {
    errno = watch->error.load();
    return -1;
  };
  switch (number == watch->at.load() ? watch->moment.load() : CallMoment::kBefore) {
    case CallMoment::kBefore:
      if (action == CallAction::kEnd) End();
      return fail();
    case CallMoment::kHalfWay: {
      const auto result = half();
      if (action == CallAction::kEnd) End();
      if (result > 0) return result;
      return fail();
    }
    case CallMoment::kAfter:
      break;
  }
  const auto result = all();
  if (action == CallAction::kEnd) End();
  return result < 0 ? result : fail();
}
template <class All>
auto Watched(bool of_commit, All all) {
  return Watched(of_commit, all, []() -> decltype(all()) { return 0; });
}

// The C library's function of this name.
template <class F>
F* Real(F*& known, const char* name) {
  if (known == nullptr) known = reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
  return known;
}

// The store's own small files are not a commit.
constexpr size_t kPageLike = 64;

}  // namespace

void WatchCalls(CallWatch* watch) { watched.store(watch); }

}  // namespace larder_test

using larder_test::kPageLike;
using larder_test::Real;
using larder_test::Watched;

extern "C" {

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static decltype(pwrite)* real = nullptr;
  return Watched(
      size >= kPageLike, [&] { return Real(real, "pwrite")(fd, bytes, size, at); },
      [&] { return Real(real, "pwrite")(fd, bytes, size / 2, at); });
}

ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t at) {
  static decltype(pwritev)* real = nullptr;
  return Watched(
      true, [&] { return Real(real, "pwritev")(fd, parts, count, at); },
      [&] { return Real(real, "pwritev")(fd, parts, (count + 1) / 2, at); });
}

int fdatasync(int fd) {
  static decltype(fdatasync)* real = nullptr;
  return Watched(true, [&] { return Real(real, "fdatasync")(fd); });
}

int fsync(int fd) {
  static decltype(fsync)* real = nullptr;
  return Watched(false, [&] { return Real(real, "fsync")(fd); });
}

int ftruncate(int fd, off_t size) noexcept {
  static decltype(ftruncate)* real = nullptr;
  return Watched(false, [&] { return Real(real, "ftruncate")(fd, size); });
}

int rename(const char* from, const char* to) noexcept {
  static decltype(rename)* real = nullptr;
  return Watched(false, [&] { return Real(real, "rename")(from, to); });
}

}  // extern "C"
