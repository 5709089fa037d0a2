#include "shim/waiters.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "shim/real_calls.h"

namespace socksify {
namespace {

constexpr int kCancelSignal = 32;  // glibc's SIGCANCEL, which its headers do not name

// The kernel's own struct: libc lets nobody touch this signal.
struct KernelAction {
  void (*handler)(int, siginfo_t*, void*);
  unsigned long flags;
  void (*restorer)();
  unsigned long mask;
};
constexpr unsigned long kRestorer = 0x04000000;  // SA_RESTORER

void DoNothing(int, siginfo_t*, void*) {}

// What a handler returns to.
extern "C" void socksify_return_from_signal();
asm(".text\n"
    ".type socksify_return_from_signal, @function\n"
    "socksify_return_from_signal:\n"
    "  movq $15, %rax\n"  // rt_sigreturn
    "  syscall\n"
    ".size socksify_return_from_signal, . - socksify_return_from_signal\n");

// Unless libc has, which installs its handler with the first pthread_cancel, and then over ours.
void InstallHandler() {
  KernelAction action = {};
  if (real::syscall(SYS_rt_sigaction, kCancelSignal, nullptr, &action, sizeof action.mask) != 0) {
    return;
  }
  // Ignored: so it was when this program was executed, and libc has not been asked for it yet.
  const auto handler = reinterpret_cast<uintptr_t>(action.handler);
  if (handler != reinterpret_cast<uintptr_t>(SIG_DFL) &&
      handler != reinterpret_cast<uintptr_t>(SIG_IGN)) {
    return;
  }
  action = {&DoNothing, SA_SIGINFO | SA_RESTART | SA_ONSTACK | kRestorer,
            &socksify_return_from_signal, 0};
  (void)real::syscall(SYS_rt_sigaction, kCancelSignal, &action, nullptr, sizeof action.mask);
}

void Interrupt(pid_t thread) {
  siginfo_t info = {};
  info.si_signo = kCancelSignal;
  info.si_code = SI_QUEUE;  // what libc's handler looks at: not sent by pthread_cancel
  info.si_pid = getpid();
  info.si_uid = getuid();
  (void)real::syscall(SYS_rt_tgsigqueueinfo, getpid(), thread, kCancelSignal, &info);
}

void InterruptAll() {
  DIR* threads = opendir("/proc/self/task");
  if (threads == nullptr) return;
  const pid_t self = gettid();
  while (const dirent* entry = readdir(threads)) {
    const pid_t thread = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
    if (thread > 0 && thread != self) Interrupt(thread);
  }
  closedir(threads);
}

}  // namespace

int Waiters::Enter() {
  const pid_t self = gettid();
  if (any() && PlacesOf(self) != 0) return kAlreadyThere;
  count_.fetch_add(1);
  for (int place = 0; place < kPlaces; ++place) {
    pid_t nobody = 0;
    if (threads_[static_cast<size_t>(place)].compare_exchange_strong(nobody, self)) return place;
  }
  unplaced_.fetch_add(1);
  return kUnplaced;
}

void Waiters::Leave(int place) {
  if (place == kAlreadyThere) return;
  if (place >= 0) {
    threads_[static_cast<size_t>(place)] = 0;
  } else {
    unplaced_.fetch_sub(1);
  }
  count_.fetch_sub(1);
}

int Waiters::PlacesOf(pid_t thread) const {
  return static_cast<int>(std::count(threads_.begin(), threads_.end(), thread));
}

bool Waiters::AnyOther() const { return any() && count_ > PlacesOf(gettid()); }

void Waiters::Interrupt() const {
  if (!any()) return;
  InstallHandler();
  if (unplaced_ != 0) return InterruptAll();
  const pid_t self = gettid();
  for (const std::atomic<pid_t>& place : threads_) {
    const pid_t thread = place;
    if (thread != 0 && thread != self) socksify::Interrupt(thread);
  }
}

void Waiters::Reset() {
  count_ = 0;
  unplaced_ = 0;
  for (std::atomic<pid_t>& place : threads_) place = 0;
}

}  // namespace socksify
