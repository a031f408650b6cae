#include "request_counts.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>

namespace larder_bench {
namespace {

thread_local int64_t allocations = 0;

volatile std::sig_atomic_t trapped = 0;
volatile std::sig_atomic_t first_trapped = 0;

// The kernel leaves the call's number in rax; returning from here makes the call answer what rax then holds.
void OnTrap(int, siginfo_t* info, void* context) {
  if (trapped == 0) first_trapped = info->si_syscall;
  trapped = trapped + 1;
#if defined(__x86_64__)
  static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#elif defined(__aarch64__)
  static_cast<ucontext_t*>(context)->uc_mcontext.regs[0] = static_cast<uint64_t>(-ENOSYS);
#else
  static_cast<void>(context);
#endif
}

bool TrapSystemCalls() {
  struct sigaction action {};
  action.sa_sigaction = OnTrap;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  if (sigaction(SIGSYS, &action, nullptr) != 0) return false;
  // Let through: the answer's write, the end, and coming back from the handler.
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_write, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_exit_group, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_rt_sigreturn, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  sock_fprog filter{sizeof(program) / sizeof(program[0]), program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

enum class Outcome : int32_t { kCounted, kPrepareFailed, kNoFilter, kWorkFailed };

struct Answer {
  Outcome outcome = Outcome::kCounted;
  SystemCalls calls;
};

Answer CountHere(const std::function<absl::Status()>& prepare,
                 const std::function<absl::Status()>& work) {
  Answer answer;
  if (!prepare().ok()) {
    answer.outcome = Outcome::kPrepareFailed;
  } else if (!TrapSystemCalls()) {
    answer.outcome = Outcome::kNoFilter;
  } else {
    const bool worked = work().ok();
    answer.calls = {trapped, first_trapped};
    if (!worked && trapped == 0) answer.outcome = Outcome::kWorkFailed;
  }
  return answer;
}

}  // namespace

absl::StatusOr<SystemCalls> CountSystemCalls(const std::function<absl::Status()>& prepare,
                                             const std::function<absl::Status()>& work) {
  int ends[2];
  if (pipe(ends) != 0) return larder::InternalError("no pipe");
  const pid_t child = fork();
  if (child < 0) return larder::InternalError("no child process");
  if (child == 0) {
    const Answer answer = CountHere(prepare, work);
    const bool written = write(ends[1], &answer, sizeof(answer)) == sizeof(answer);
    _exit(written ? 0 : 1);
  }
  close(ends[1]);
  Answer answer;
  const bool answered = read(ends[0], &answer, sizeof(answer)) == sizeof(answer);
  close(ends[0]);
  waitpid(child, nullptr, 0);
  if (!answered) return larder::InternalError("the counting process ended early");
  switch (answer.outcome) {
    case Outcome::kCounted:
      return answer.calls;
    case Outcome::kPrepareFailed:
      return larder::InternalError("the counting process could not open the store");
    case Outcome::kNoFilter:
      return larder::InternalError("no seccomp filters here");
    case Outcome::kWorkFailed:
      return larder::InternalError("a request failed in the counting process");
  }
  return larder::InternalError("no such outcome");
}

#if defined(__GLIBC__)
int64_t HeapAllocations() { return allocations; }
#else
int64_t HeapAllocations() { return -1; }
#endif

}  // namespace larder_bench

// In front of glibc's own, which every allocation of the program then goes through.
#if defined(__GLIBC__)
extern "C" {
void* __libc_malloc(std::size_t size);                           // NOLINT
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT
void* __libc_realloc(void* old, std::size_t size);               // NOLINT
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT

void* malloc(std::size_t size) {
  ++larder_bench::allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++larder_bench::allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* old, std::size_t size) {
  ++larder_bench::allocations;
  return __libc_realloc(old, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  ++larder_bench::allocations;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  ++larder_bench::allocations;
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  ++larder_bench::allocations;
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}
}  // extern "C"
#endif
